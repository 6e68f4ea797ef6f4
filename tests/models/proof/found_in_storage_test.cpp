// What the swarm has found of logs, disks and in-sync sets, made small and kept.
#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/proof/queue_world.hpp"
#include "tests/models/proof/small_worlds.hpp"

using namespace proof;
using models::Metric;
using models::Verdict;

namespace {

/// Some 100 messages a second for 8 s, with acks=all.
models::Scenario small() {
  QueueModel model;
  model.arrivals_per_s = 100;
  model.duration = 8s;
  model.warmup = 0s;
  models::Scenario s = scenario_of(model);
  s.network.base.latency = sim::Distribution::constant(250'000);
  s.producers[0].config.acks = -1;
  s.producers[0].config.enable_idempotence = true;
  s.producers[0].config.delivery_timeout = 600s;
  s.drain = 300s;
  return s;
}

void share(models::Scenario& s) {
  models::GroupOptions& g = s.groups[0];
  g.type = models::GroupType::share;
  g.config.share.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  g.config.max_poll_records = 20;
  s.kafka->config.share_state_topic_min_isr = 1;
}

struct Seen {
  explicit Seen(const models::Scenario& s) : world(s, 1, {false, true}) {
    world.trace().add_sink(observers);
    outcome = world.run();
  }
  double of(Metric metric) const { return observers.values()[metric].value_or(0); }
  std::uint64_t of(Verdict verdict) const { return observers.anomalies().counted(verdict); }

  models::Observers observers;
  models::World world;
  models::RunOutcome outcome;
};

}  // namespace

TEST_CASE("a share group reads a compacted topic and what compaction has removed is no dead letter",
          "[proof]") {
  models::Scenario s = small();
  share(s);
  s.groups[0].config.share_acquire_mode = GENERATE(models::kafka::ShareAcquireMode::record_limit,
                                                   models::kafka::ShareAcquireMode::batch_optimized);
  s.groups[0].service = sim::Distribution::constant(5e6);
  s.producers[0].config.batch_size = 2000;
  s.producers[0].config.linger = 50ms;
  s.producers[0].keys.count = 5;
  s.producers[0].keys.rank = sim::Distribution::zipf(5, 1.0);
  s.kafka->topics[0].config.compaction.cleanup_policy = models::kafka::CleanupPolicy{true, false};
  s.kafka->topics[0].config.compaction.min_cleanable_dirty_ratio = 0.01;
  s.kafka->topics[0].config.segment_interval = 500ms;
  s.kafka->config.log_cleaner.backoff = 200ms;
  // Those that wait are given back, and find gaps when they are read again; the rest is read late.
  s.faults.push_back(strike("crash", "billing/0", 1s, 3s));
  s.faults.push_back(strike("restart", "kafka/0", 5s, 1s));
  const Seen seen(s);
  CHECK(seen.outcome.drained);
  CHECK(seen.of(Metric::processed) > 50);
  CHECK(seen.of(Metric::compacted) > 50);
  CHECK(seen.of(Metric::in_flight) + seen.of(Metric::lost) == 0);
  CHECK(seen.of(Verdict::dead_lettered) == 0);
}

TEST_CASE("a follower that catches up while its leader waits to hear of the set without it comes back to it",
          "[proof]") {
  models::Scenario s = small();
  s.kafka->brokers = 2;
  s.kafka->config.offsets_topic_replication_factor = 2;
  s.kafka->config.min_insync_replicas = 2;
  s.kafka->config.replica_lag_time_max = 2s;
  s.kafka->topics[0].replication_factor = 2;
  // It is to leave the in-sync set at 3 s; who could say so is away, and it has caught up before that one is back. Nothing is
  // written to a partition with too few in sync, so that it has nothing new to fetch.
  s.faults.push_back(strike("disk-stall", "kafka/1", 1s, 2050ms));
  s.faults.push_back(strike("crash", "controller", 2900ms, 500ms));
  const Seen seen(s);
  CHECK(seen.outcome.drained);
  CHECK(seen.of(Metric::isr_shrinks) > 0);
  CHECK(seen.of(Metric::in_flight) + seen.of(Metric::lost) == 0);
}

TEST_CASE("a broker that dies of a full disk in the moment in which room is made comes back", "[proof]") {
  models::Scenario s = small();
  s.faults.push_back(strike("disk-stall", "kafka/0", 4s, 10s));  // both heal when arrivals stop
  s.faults.push_back(strike("disk-full", "kafka/0", 5s, 10s));
  const Seen seen(s);
  CHECK(seen.outcome.drained);
  CHECK(seen.of(Metric::in_flight) + seen.of(Metric::lost) == 0);
}

TEST_CASE("what is written below the start of a share group is lost to it and says so", "[proof]") {
  models::Scenario s = small();
  share(s);
  s.kafka->brokers = 3;
  s.kafka->topics[0].replication_factor = 2;
  s.kafka->topics[0].assignment = {{0, 1}};
  s.kafka->config.offsets_topic_replication_factor = 3;
  s.kafka->config.share_state_topic_replication_factor = 3;
  s.kafka->config.unclean_leader_election_enable = true;
  s.kafka->config.replica_lag_time_max = 1s;
  s.kafka->config.broker_session_timeout = 1s;
  s.kafka->config.broker_heartbeat_interval = 300ms;
  // kafka/1 leads with half a log; the start of the group lies where there is nothing any more.
  s.faults.push_back(strike("link-cut", "kafka/1", 1s, 5s));
  s.faults.back().other = "kafka/0";
  s.faults.push_back(strike("crash", "kafka/0", 6s, 100s));
  const Seen seen(s);
  CHECK(seen.outcome.drained);
  CHECK(seen.of(Metric::unclean_elections) > 0);
  CHECK(seen.of(Metric::lost) > 0);
  CHECK(seen.of(Metric::in_flight) == 0);
}

TEST_CASE("what a share group has acquired may be deleted while the answer is on its way", "[proof]") {
  models::Scenario s = small();
  share(s);
  s.groups[0].effect = models::EffectOptions{true};
  s.producers[0].arrivals = sim::ArrivalProcess::poisson(1000);
  s.producers[0].config.batch_size = 1;
  models::FaultSpec late = strike("delay", "billing/0", 2s, 6s);
  late.delay = sim::Distribution::constant(400e6);
  s.faults.push_back(late);
  models::FaultSpec deleted = strike("delete-records", "orders", 3s, 0s);
  deleted.duration.reset();
  deleted.at.reset();
  deleted.every = 50ms;
  s.faults.push_back(deleted);
  const Seen seen(s);
  CHECK(seen.outcome.drained);
  CHECK(seen.of(Metric::processed) > 0);
  CHECK(seen.of(Metric::expired) > 0);
}

TEST_CASE("a transaction whose end its log refuses for a while ends", "[proof]") {
  models::Scenario s = small();
  s.kafka->brokers = 3;
  s.kafka->topics[0].assignment = {{2}};
  s.kafka->config.transaction_state_log_num_partitions = 1;
  s.kafka->config.transaction_state_log_replication_factor = 2;
  s.kafka->config.transaction_state_log_min_isr = 2;
  s.kafka->config.broker_session_timeout = 1s;
  s.kafka->config.broker_heartbeat_interval = 300ms;
  s.producers[0].transactions = models::TransactionOptions{100ms, 0};
  // The markers wait for kafka/2; when they are written the coordinator's log has too few replicas, until kafka/1 is back.
  for (const auto& [broker, away] : {std::pair{"kafka/2", 2s}, std::pair{"kafka/1", 5s}}) {
    models::FaultSpec crash = strike("crash", broker, 0s, away);
    crash.at.reset();
    crash.when = models::FaultSpec::When{models::Step::transaction_prepared, 5, "kafka/0"};
    s.faults.push_back(crash);
  }
  const Seen seen(s);
  CHECK(seen.outcome.drained);
  CHECK(seen.of(Metric::in_flight) + seen.of(Metric::lost) == 0);
}

// AbstractHeartbeatRequestManager.onErrorResponse: UNKNOWN_MEMBER_ID and FENCED_MEMBER_EPOCH join anew, GROUP_ID_NOT_FOUND is
// among the unexpected errors, which are fatal. A classic group is told UNKNOWN_MEMBER_ID.
TEST_CASE("a group of the consumer protocol ends when its coordinator has lost it and a classic one does not",
          "[proof]") {
  models::Scenario s = small();
  const bool classic = GENERATE(true, false);
  if (!classic) s.groups[0].config.group_protocol = models::kafka::GroupProtocol::consumer;
  s.groups[0].members = 2;
  s.kafka->disk.write_back_after = 30s;
  s.kafka->config.broker_session_timeout = 1s;
  s.kafka->config.broker_heartbeat_interval = 300ms;
  s.faults.push_back(strike("power-loss", "kafka/0", 3s, 1s));
  const Seen seen(s);
  CHECK(seen.outcome.drained);
  CHECK(seen.of(Metric::members_fenced) == 2);
  CHECK((seen.of(Metric::in_flight) > 50) == !classic);
}

// ConsumerCoordinator.onLeaderElected: "Skipped assignment for returning static leader", which then takes the partitions that it
// finds for those that were assigned (assignmentSnapshot = metadataSnapshot).
TEST_CASE("a static leader that restarts while partitions are added never hears of them", "[proof]") {
  models::Scenario s = small();
  s.groups[0].config.group_instance_id = GENERATE("m{index}", "");
  s.groups[0].config.session_timeout = 30s;
  s.groups[0].config.metadata_max_age = 2s;
  s.producers[0].config.metadata_max_age = 2s;
  s.faults.push_back(strike("restart", "billing/0", 2s, 3s));
  models::FaultSpec grow = strike("grow", "orders", 3s, 0s);
  grow.duration.reset();
  grow.partitions = 2;
  s.faults.push_back(grow);
  const Seen seen(s);
  const bool is_static = !s.groups[0].config.group_instance_id.empty();
  CHECK(seen.outcome.drained == !is_static);
  CHECK((seen.of(Verdict::unseen) > 0) == is_static);
}
