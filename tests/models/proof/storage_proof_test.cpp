// Arbitrary scenarios under every version of the protocol, with power losses, segments and retention: nothing asserts, the
// invariants hold as far as the rules promise them, and every message has one fate.
#include <algorithm>
#include <string>

#include "models/checkers/ledger.hpp"
#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/proof/arbitrary_world.hpp"

using namespace proof;

namespace {

models::FaultSpec arbitrary_power_loss(const models::kafka::ClusterOptions& cluster) {
  models::FaultSpec fault;
  fault.kind = "power-loss";
  fault.target = sometimes(4) ? "kafka" : "kafka/" + std::to_string(*rc::gen::inRange(0, cluster.brokers));
  fault.at = 1ms * *rc::gen::inRange(100, 8000);
  fault.duration = 1ms * *rc::gen::inRange(1, 3000);
  return fault;
}

/// Closed segments go to remote storage, which may fail; little of them stays on disks.
void arbitrary_tiers(models::Scenario& scenario) {
  models::kafka::ClusterOptions& cluster = *scenario.kafka;
  cluster.remote.latency =
      one_of<sim::Distribution>({sim::Distribution::constant(1e6), sim::Distribution::exponential(50e6),
                                 sim::Distribution::constant(600e6)});
  cluster.remote.bytes_per_s = one_of<double>({0, 1e7});
  models::kafka::TierConfig& tiers = cluster.config.tiers;
  tiers.system_enable = true;
  tiers.manager_task_interval = one_of<sim::Duration>({30s, 500ms, 100ms});
  tiers.copy_max_bytes_per_second = one_of<std::int64_t>({std::int64_t{1} << 60, 100'000});
  tiers.fetch_max_bytes_per_second = one_of<std::int64_t>({std::int64_t{1} << 60, 100'000});
  tiers.reader_threads = one_of<std::int32_t>({10, 1});
  tiers.reader_max_pending_tasks = one_of<std::int32_t>({100, 1});
  tiers.local_retention_ms = one_of<std::int64_t>({-2, 0, 300});
  cluster.config.log_roll = one_of<sim::Duration>({1s, 100ms});
  cluster.config.log_retention_check_interval = 500ms;
  cluster.config.log_initial_task_delay = 100ms;
  for (models::kafka::TopicOptions& topic : cluster.topics)
    topic.config.tiers.remote_storage_enable = sometimes(8);
  if (sometimes(5)) {
    models::FaultSpec fault;
    fault.kind = one_of<std::string>({"crash", "pause"});
    fault.target = "remote-storage";
    fault.at = 1ms * *rc::gen::inRange(100, 8000);
    fault.duration = 1ms * *rc::gen::inRange(1, 4000);
    scenario.faults.push_back(fault);
  }
}

ArbitraryWorld arbitrary_storage() {
  ArbitraryWorld world = arbitrary_world();
  models::kafka::ClusterOptions& cluster = *world.scenario.kafka;
  const auto versions = models::kafka::known_versions();
  const std::size_t version = versions.size() - 1 - *rc::gen::inRange<std::size_t>(0, versions.size());
  cluster.rules = models::kafka::ProtocolRules(*models::kafka::parse_version(versions[version]));
  for (const models::kafka::RuleInfo& row : models::kafka::rule_catalogue()) {
    if (sometimes(1)) cluster.rules.set(row.rule, !cluster.rules.has(row.rule));
  }
  cluster.disk.write_back_after = one_of<sim::Duration>({30s, 1s});
  cluster.disk.write_back_every = one_of<sim::Duration>({5s, 200ms});
  cluster.disk.flush =
      one_of<sim::Distribution>({sim::Distribution::constant(0), sim::Distribution::exponential(2e6)});
  models::kafka::BrokerConfig& config = cluster.config;
  config.log_flush_interval_messages = one_of<std::int64_t>({std::int64_t{1} << 60, 1, 50});
  config.log_flush_scheduler_interval = one_of<sim::Duration>({models::kafka::kNever, 300ms});
  config.replica_high_watermark_checkpoint_interval = one_of<sim::Duration>({5s, 100ms});
  config.log_segment_bytes = 1048576;
  config.log_roll_hours = std::chrono::hours{168};
  if (sometimes(5)) config.log_roll = one_of<sim::Duration>({1s, 100ms});
  config.log_retention_check_interval = one_of<sim::Duration>({300s, 500ms});
  config.log_initial_task_delay = one_of<sim::Duration>({30s, 100ms});
  if (sometimes(5)) config.log_retention_ms = one_of<std::int64_t>({1000, 100, -1});
  if (sometimes(3)) config.log_retention_bytes = one_of<std::int64_t>({1'000'000, 0});
  if (sometimes(5)) {
    config.log_cleanup_policy = {.compacts = true, .deletes = sometimes(5)};
    config.log_cleaner.backoff = one_of<sim::Duration>({15s, 300ms});
    config.log_cleaner.min_cleanable_ratio = one_of<double>({0.5, 0});
    config.log_cleaner.delete_retention = one_of<sim::Duration>({24h, 500ms, 0s});
    config.log_cleaner.io_max_bytes_per_second = one_of<double>({1e300, 1e5});
    for (models::ProducerOptions& producer : world.scenario.producers) {
      if (sometimes(8)) producer.keys.count = std::max<std::uint32_t>(producer.keys.count, 20);
      producer.keys.on_wire = true;
      if (producer.keys.count > 0) producer.tombstones = one_of<double>({0, 0.3});
    }
    for (models::GroupOptions& group : world.scenario.groups) group.materialise = true;
  }
  for (models::ProducerOptions& producer : world.scenario.producers) {
    if (sometimes(4)) producer.size = sim::Distribution::constant(5000);
  }
  const bool shared =
      std::any_of(world.scenario.groups.begin(), world.scenario.groups.end(),
                  [](const models::GroupOptions& g) { return g.type == models::GroupType::share; });
  if (!shared && !config.log_cleanup_policy.compacts && sometimes(5)) arbitrary_tiers(world.scenario);
  const int losses = *rc::gen::inRange(0, 3);
  for (int i = 0; i < losses; ++i) world.scenario.faults.push_back(arbitrary_power_loss(cluster));
  return world;
}

}  // namespace

TEST_CASE("under power losses, old protocols and retention every message has one fate", "[proof]") {
  CHECK(rc::check("one fate each", [] {
    const ArbitraryWorld w = *rc::gen::exec(arbitrary_storage);
    models::World world(w.scenario, w.seed, {.shuffle_ties = w.shuffle_ties, .checked = true});
    models::ObserverOptions options;
    options.entities = &world.entities();
    models::Observers observers(options);
    world.trace().add_sink(observers);
    const models::RunOutcome outcome = world.run();
    for (const models::GroupTotals& group : observers.ledger().totals().groups) {
      RC_ASSERT(group.processed + group.lost + group.lost_unacknowledged + group.failed + group.skipped +
                    group.expired + group.compacted + group.in_flight ==
                group.offered);
    }
    const auto counted = [&observers](models::Metric metric) {
      return observers.values()[metric].value_or(0) > 0;
    };
    RC_TAG(outcome.drained ? "drained" : "not drained");
    RC_CLASSIFY(counted(models::Metric::lost), "messages were lost");
    RC_CLASSIFY(counted(models::Metric::truncated), "logs were truncated");
    RC_CLASSIFY(counted(models::Metric::expired), "messages expired");
    RC_CLASSIFY(counted(models::Metric::records_deleted), "segments were deleted");
    RC_CLASSIFY(counted(models::Metric::records_compacted), "logs were compacted");
    RC_CLASSIFY(counted(models::Metric::segments_tiered), "segments were copied to remote storage");
    RC_CLASSIFY(counted(models::Metric::remote_fetches), "consumers read from remote storage");
    RC_CLASSIFY(counted(models::Metric::compacted), "messages were superseded before they were read");
    RC_CLASSIFY(counted(models::Metric::replica_divergence), "replicas diverged");
  }));
}
