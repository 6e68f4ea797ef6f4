// What the swarm has found of mirrors, compaction and static members, made small and kept.
#include <string>
#include <utility>

#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/proof/queue_world.hpp"
#include "tests/models/proof/small_worlds.hpp"

using namespace proof;
using models::Metric;
using models::Verdict;

namespace {

models::Scenario orders() {
  QueueModel model;
  model.arrivals_per_s = 100;
  model.duration = 8s;
  model.warmup = 0s;
  models::Scenario s = scenario_of(model);
  s.drain = 1000s;
  s.network.base.latency = sim::Distribution::constant(250'000);
  s.producers[0].config.acks = -1;
  s.producers[0].config.enable_idempotence = true;
  s.groups[0].commit = models::CommitMode::after_processing;
  return s;
}

/// Few keys, whose older records are soon removed.
void compact(models::Scenario& s) {
  s.producers[0].keys.count = 3;
  s.producers[0].keys.rank = sim::Distribution::uniform(0, 3);
  models::kafka::TopicConfig& topic = s.kafka->topics[0].config;
  topic.compaction.cleanup_policy = models::kafka::CleanupPolicy{true, false};
  topic.compaction.min_cleanable_dirty_ratio = 0.01;
  topic.segment_interval = 500ms;
  s.kafka->config.log_cleaner.backoff = 200ms;
}

/// "orders" is copied to "west", where "archive" reads it.
void mirror(models::Scenario& s) {
  const models::kafka::MirrorOptions& mirror = add_west(s);
  s.groups.push_back(s.groups[0]);
  s.groups.back().name = "archive";
  s.groups.back().cluster = "west";
  s.groups.back().topics = {mirror.remote_topic("orders")};
}

struct Seen {
  models::RunOutcome outcome;
  models::MetricValues values;
  std::uint64_t outputs_missing = 0;
  double operator[](Metric metric) const { return values[metric].value_or(-1); }
};

Seen run(const models::Scenario& s, std::uint64_t seed = 1) {
  models::World world(s, seed, {.checked = true});
  models::Observers observers;
  world.trace().add_sink(observers);
  Seen seen;
  seen.outcome = world.run();
  seen.values = observers.values();
  seen.outputs_missing = observers.anomalies().counted(Verdict::output_missing);
  return seen;
}

}  // namespace

TEST_CASE("partitions that are added to a mirrored topic are copied, too", "[proof]") {
  models::Scenario s = orders();
  mirror(s);
  models::FaultSpec grow = strike("grow", "orders", 2s);
  grow.partitions = 3;
  s.faults = {grow};
  s.producers[0].config.metadata_max_age = 1s;
  const Seen seen = run(s);
  CHECK(seen.outcome.drained);
  CHECK(seen[Metric::in_flight] == 0);
  CHECK(seen[Metric::processed] == 3 * seen[Metric::offered]);  // the mirror, and either group
}

TEST_CASE("what compaction removes before a mirror reads it is superseded for readers of the copy",
          "[proof]") {
  models::Scenario s = orders();
  compact(s);
  mirror(s);
  s.faults = {strike("pause", "mm2/0", 1s, 6s)};
  const Seen seen = run(s);
  CHECK(seen.outcome.drained);
  CHECK(seen[Metric::in_flight] == 0);
  CHECK(seen[Metric::compacted] > 0);
}

TEST_CASE("an input that is aborted, and compacted away before it is done again, misses no output",
          "[proof]") {
  models::Scenario s = orders();
  compact(s);
  s.kafka->config.transaction_state_log_min_isr = 1;
  s.kafka->topics.push_back(s.kafka->topics[0]);
  s.kafka->topics.back().name = "charges";
  s.kafka->topics.back().config = {};
  models::GroupOptions& group = s.groups[0];
  group.commit = models::CommitMode::in_transaction;
  group.transform.emplace().to = "charges";
  group.transform->aborts = 0.3;
  group.config.read_committed = true;
  group.config.max_poll_records = 5;
  group.service = sim::Distribution::constant(20e6);
  const Seen seen = run(s);
  CHECK(seen.outcome.drained);
  CHECK(seen[Metric::compacted] > 0);
  CHECK(seen.outputs_missing == 0);
}

TEST_CASE("partitions that are added while a static leader is away belong to nobody", "[proof]") {
  const auto unread = [](const char* instance) {
    models::Scenario s = orders();
    s.drain = 400s;
    s.groups[0].config.group_instance_id = instance;
    models::FaultSpec grow = strike("grow", "orders", 3s);
    grow.partitions = 3;
    s.faults = {strike("restart", "billing/0", 2s, 2s), grow};
    s.producers[0].config.metadata_max_age = 1s;
    const Seen seen = run(s);
    CHECK(seen.outcome.drained == (seen[Metric::in_flight] == 0));
    return seen[Metric::in_flight];
  };
  // KIP-814: it comes back to its assignment, and looks for changes of what it knows then.
  CHECK(unread("billing-{index}") > 50);
  CHECK(unread("") == 0);
}

TEST_CASE("a static member of the consumer protocol whose leave nobody heard is refused for good",
          "[proof]") {
  const auto unread = [](sim::Duration crash) {
    models::Scenario s = orders();
    s.groups[0].config.group_protocol = models::kafka::GroupProtocol::consumer;
    s.groups[0].config.group_instance_id = "billing-{index}";
    s.faults = {strike("crash", "kafka/0", crash, 1s), strike("restart", "billing/0", 3s, 500ms)};
    return run(s)[Metric::in_flight];
  };
  CHECK(unread(2500ms) > 100);
  CHECK(unread(5s) == 0);
}
