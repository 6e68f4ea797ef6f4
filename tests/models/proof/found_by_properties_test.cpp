// What the property tests have found, made small and kept.
#include <tuple>

#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/proof/queue_world.hpp"
#include "tests/models/proof/small_worlds.hpp"

using namespace proof;

namespace {

/// One broker, and a producer that commits every 100 ms.
models::Scenario transactional(double arrivals_per_s, sim::Duration duration) {
  QueueModel model;
  model.arrivals_per_s = arrivals_per_s;
  model.duration = duration;
  model.warmup = 0s;
  models::Scenario s = scenario_of(model);
  s.kafka->config.transaction_state_log_min_isr = 1;
  s.producers[0].config.acks = -1;
  s.producers[0].config.enable_idempotence = true;
  s.producers[0].transactions = models::TransactionOptions{100ms, 0};
  return s;
}

}  // namespace

TEST_CASE("members that commit automatically and often get through a rebalance", "[proof]") {
  QueueModel model;
  model.arrivals_per_s = 20;
  model.duration = 8s;
  models::Scenario s = scenario_of(model);
  s.network.base.latency = sim::Distribution::constant(250'000);
  s.kafka->brokers = 2;
  s.kafka->config.offsets_topic_replication_factor = 2;
  s.groups[0].members = 2;
  s.groups[0].stagger = 700ms;
  s.groups[0].config.heartbeat_interval = 900ms;
  s.groups[0].config.auto_commit_interval = 100ms;
  models::World world(s, 1);
  CHECK(world.run().drained);
}

TEST_CASE("an answer to a metadata request may take longer than metadata.max.age.ms", "[proof]") {
  QueueModel model;
  model.arrivals_per_s = 20;
  model.duration = 8s;
  models::Scenario s = scenario_of(model);
  s.groups[0].config.metadata_max_age = 2s;
  s.faults.push_back(strike("pause", "kafka/0", 0s, 5s));
  models::World world(s, 1);
  CHECK(world.run().drained);
}

TEST_CASE("a poll of transactional records that is full where a batch ends hands them out", "[proof]") {
  models::Scenario s = transactional(20, 4s);
  s.groups[0].config.read_committed = true;
  s.groups[0].config.max_poll_records = GENERATE(1, 2);
  models::World world(s, 1);
  models::Observers observers;
  world.trace().add_sink(observers);
  CHECK(world.run().drained);
  CHECK(observers.values()[models::Metric::processed] > 50);
  CHECK(observers.values()[models::Metric::in_flight] == 0);
}

TEST_CASE("a broker hears of changes though the controller died while the broker was cut off", "[proof]") {
  QueueModel model;
  model.arrivals_per_s = 20;
  model.duration = 8s;
  models::Scenario s = scenario_of(model);
  s.kafka->brokers = 2;
  s.kafka->config.broker_session_timeout = 1s;
  s.kafka->config.broker_heartbeat_interval = 300ms;
  s.kafka->config.offsets_topic_replication_factor = 2;
  s.groups[0].config.session_timeout = 6s;
  for (const auto& [kind, target, at, length] :
       {std::tuple{"crash", "controller", 3318ms, 1ms}, std::tuple{"isolate", "kafka/0", 1494ms, 1824ms}}) {
    models::FaultSpec fault;
    fault.kind = kind;
    fault.target = target;
    fault.at = at;
    fault.duration = length;
    s.faults.push_back(fault);
  }
  models::World world(s, 1);
  CHECK(world.run().drained);
}

TEST_CASE("markers that a share group archives are no dead letters", "[proof]") {
  models::Scenario s = transactional(20, 4s);
  s.kafka->config.share_state_topic_min_isr = 1;
  s.groups[0].type = models::GroupType::share;
  s.groups[0].config.share.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  models::World world(s, 1);
  models::Observers observers;
  world.trace().add_sink(observers);
  CHECK(world.run().drained);
  CHECK(observers.anomalies().counted(models::Verdict::dead_lettered) == 0);
  s.groups[0].config.explicit_acknowledgement = true;
  s.groups[0].poison.emplace();
  s.groups[0].poison->share = 0.1;
  s.groups[0].poison->then = models::PoisonOptions::Then::reject;
  models::World other(s, 1);
  models::Observers others;
  other.trace().add_sink(others);
  other.run();
  CHECK(others.anomalies().counted(models::Verdict::dead_lettered) > 2);
  CHECK(others.anomalies().counted(models::Verdict::dead_lettered) ==
        static_cast<std::uint64_t>(*others.values()[models::Metric::dead_lettered]));
}

TEST_CASE("a coordinator dies of one decision while it takes another", "[proof]") {
  models::Scenario s = transactional(100, 8s);
  s.kafka->config.transaction_state_log_num_partitions = 1;
  for (const char* name : {"shop1", "shop2"}) {
    s.producers.push_back(s.producers[0]);
    s.producers.back().name = name;
  }
  models::FaultSpec crash;
  crash.kind = "crash";
  crash.target = "kafka/0";
  crash.when = models::FaultSpec::When{models::Step::transaction_prepared, GENERATE(1, 2, 3), ""};
  crash.duration = 1s;
  s.faults.push_back(crash);
  models::World world(s, 1);
  CHECK(world.run().drained);
}

TEST_CASE("a commit is asked for again while its markers wait for a leader", "[proof]") {
  QueueModel model;
  model.arrivals_per_s = 100;
  model.duration = 8s;
  models::Scenario s = scenario_of(model);
  s.network.base.latency = sim::Distribution::constant(250'000);
  s.kafka->brokers = 2;
  s.kafka->topics[0].assignment = {{1}};
  s.kafka->config.transaction_state_log_min_isr = 1;
  s.kafka->config.transaction_state_log_num_partitions = 1;
  s.kafka->config.transaction_state_log_replication_factor = 1;
  s.producers[0].config.acks = -1;
  s.producers[0].config.enable_idempotence = true;
  s.producers[0].transactions = models::TransactionOptions{100ms, 0};
  for (const char* kind : {"pause", "response-loss"}) {
    models::FaultSpec fault;
    fault.kind = kind;
    fault.target = fault.kind == "pause" ? "kafka/1" : "kafka/0";
    fault.when = models::FaultSpec::When{models::Step::end_txn_sent, 5, "shop"};
    fault.duration = 2s;
    s.faults.push_back(fault);
  }
  models::World world(s, 1);
  const models::RunOutcome outcome = world.run();
  CHECK(outcome.drained);
  CHECK(outcome.faults_fired == std::vector<std::uint64_t>{1, 1});
}

TEST_CASE("calls that end sooner than the wait for a new connection do not put that off for ever",
          "[proof]") {
  QueueModel model;
  model.arrivals_per_s = 20;
  model.duration = 8s;
  models::Scenario s = scenario_of(model);
  s.network.base.latency = sim::Distribution::constant(250'000);
  s.kafka->config.broker_session_timeout = 1s;
  s.kafka->config.broker_heartbeat_interval = 300ms;
  models::FaultSpec crash;
  crash.kind = "crash";
  crash.target = "controller";
  crash.at = 0s;
  crash.duration = 1425ms;
  s.faults.push_back(crash);
  s.kafka->controllers = GENERATE(1, 3);
  if (s.kafka->controllers > 1) s.faults[0].target = "active controller";
  models::World world(s, 1);
  CHECK(world.run().drained);
}

TEST_CASE("a mirror may bring along the offsets of a group that has nobody at the target", "[proof]") {
  QueueModel model;
  model.arrivals_per_s = 20;
  model.duration = 8s;
  models::Scenario s = scenario_of(model);
  models::kafka::MirrorOptions& mirror = add_west(s);
  mirror.config.sync_group_offsets_enabled = true;
  mirror.config.sync_group_offsets_interval = 1s;
  mirror.config.emit_checkpoints_interval = 1s;
  s.groups[0].commit = models::CommitMode::after_processing;
  models::World world(s, 1);
  models::Observers observers;
  world.trace().add_sink(observers);
  CHECK(world.run().drained);
  CHECK(observers.values()[models::Metric::lost] == 0);
}
