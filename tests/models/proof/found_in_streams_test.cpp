// What the swarm has found of Streams applications and the transactions of their threads, made small and kept.
#include "models/kafka/streams.hpp"

#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/proof/queue_world.hpp"
#include "tests/models/proof/small_worlds.hpp"

using namespace proof;
using models::Metric;

namespace {

/// "billing" counts the orders of two partitions in two threads, exactly once, for 8 s.
models::Scenario counting() {
  QueueModel model;
  model.arrivals_per_s = 400;
  model.duration = 8s;
  model.warmup = 0s;
  model.service = sim::Distribution::constant(1e6);
  model.poll_records = 1000;
  models::Scenario s = scenario_of(model);
  s.network.base.latency = sim::Distribution::constant(250'000);
  s.drain = 400s;
  s.producers[0].config.acks = -1;
  s.producers[0].config.enable_idempotence = true;
  s.producers[0].config.delivery_timeout = 600s;
  models::kafka::ClusterOptions& cluster = *s.kafka;
  cluster.config.transaction_state_log_num_partitions = 1;
  cluster.config.transaction_state_log_replication_factor = 1;
  cluster.config.transaction_state_log_min_isr = 1;
  cluster.config.group_min_session_timeout = 1s;
  cluster.topics[0].partitions = 2;
  cluster.topics.push_back(cluster.topics[0]);
  cluster.topics[1].name = "counts";
  models::GroupOptions& group = s.groups[0];
  group.members = 2;
  group.transform.emplace().to = "counts";
  group.transform->config.transaction_timeout = 600s;
  group.streams.emplace();
  group.streams->config.exactly_once = true;
  models::kafka::prefer_streams_settings(group);
  group.config.heartbeat_interval = 200ms;
  return s;
}

struct Seen {
  explicit Seen(const models::Scenario& s) : world(s, 1, {false, true}) {
    world.trace().add_sink(observers);
    outcome = world.run();
  }
  double of(Metric metric) const { return observers.values()[metric].value_or(0); }

  models::Observers observers;
  models::World world;
  models::RunOutcome outcome;
};

}  // namespace

// AbstractCoordinator: the heartbeat thread sleeps while a JoinGroup is on its way, and nobody reads the answer while the records
// of a poll are worked at. Who works longer than its session is put out then, and what it has in hand is given up.
TEST_CASE("threads whose polls outlast their session commit between two polls and come to an end",
          "[proof]") {
  models::Scenario s = counting();
  s.groups[0].service = sim::Distribution::constant(10e6);
  s.groups[0].config.session_timeout = 1s;
  s.faults.push_back(strike("heartbeat-loss", "billing/0", 4s, 2s));
  const Seen seen(s);
  CHECK(seen.outcome.drained);
  CHECK(seen.of(Metric::members_evicted) > 1);
  CHECK(seen.of(Metric::in_flight) + seen.of(Metric::lost) == 0);
}

// KAFKA-9821
TEST_CASE("tasks of a static thread that restarts before it has joined without them find an owner",
          "[proof]") {
  models::Scenario s = counting();
  s.groups[0].config.group_instance_id = "billing-{index}";
  s.groups[0].config.session_timeout = 45s;
  s.groups[0].stagger = 1s;
  // It has been given less, so that billing/1, which came at 1 s, can have a task, and has not given that up yet.
  s.faults.push_back(strike("crash", "billing/0", 1004ms, 2s));
  const Seen seen(s);
  CHECK(seen.outcome.drained);
  CHECK(seen.of(Metric::in_flight) + seen.of(Metric::lost) == 0);
}
