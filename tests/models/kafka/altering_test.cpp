// Settings of a topic that change while it is in use, and leaders that are elected because somebody asks.
#include "models/scenario_error.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/observed_run.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::Metric;
using models::Scenario;

namespace {

constexpr PartitionIndex kFirst{0};

TopicConfig with_min_insync(std::int32_t n) {
  TopicConfig config;
  config.min_insync_replicas = n;
  return config;
}

FixtureOptions quick(bool elr = true) {
  FixtureOptions options;
  options.config.broker_session_timeout = 3s;
  options.config.broker_heartbeat_interval = 500ms;
  options.rules.set(Rule::eligible_leader_replicas, elr);
  return options;
}

models::FaultSpec altered(sim::Duration at, std::vector<std::pair<std::string, std::string>> settings) {
  models::FaultSpec fault;
  fault.kind = "alter-config";
  fault.target = "orders";
  fault.at = at;
  fault.config = std::move(settings);
  return fault;
}

TopicIndex orders(ClusterFixture& f) {
  return f.cluster.partition(kFirst).topic;
}

Scenario three_copies() {
  Scenario s = orders_scenario(60s, sim::ArrivalProcess::poisson(100));
  s.kafka->topics[0].replication_factor = 3;
  s.groups[0].config.auto_offset_reset = AutoOffsetReset::earliest;
  s.groups[0].commit = models::CommitMode::after_processing;
  return s;
}

}  // namespace

TEST_CASE("a setting that all brokers have read takes no partition's place in the metadata log") {
  ClusterFixture f(quick());
  f.node(1).crash();
  f.run_for(5s);
  f.node(1).restart();
  f.run_for(5s);
  const PartitionState before = f.cluster.metadata_log().state(kFirst);
  REQUIRE(before.partition_epoch > 0);
  for (int i = 0; i < 5; ++i) {
    f.cluster.controller().alter_config(orders(f), with_min_insync(1 + i % 2));
    f.run_for(1s);
  }
  f.node(2).crash();  // its changes take the places that are free
  f.run_for(2500ms);
  f.node(2).restart();
  f.run_for(1s);
  CHECK(f.cluster.metadata_log().state(kFirst).leader == before.leader);
  CHECK(f.broker(0).image(kFirst).leader == before.leader);
  CHECK(f.broker(0).image(kFirst).partition_epoch >= before.partition_epoch);
}

TEST_CASE("a setting takes effect at a broker when it has read of it") {
  ClusterFixture f(quick());
  CHECK(f.replica(0).min_insync == 1);
  CHECK(f.cluster.controller().alter_config(orders(f), with_min_insync(2)));
  CHECK(f.cluster.controller().config(orders(f)).min_insync_replicas == 2);
  CHECK(f.replica(0).min_insync == 1);
  f.run_for(100ms);
  for (const int b : {0, 1, 2}) CHECK(f.replica(b).min_insync == 2);
}

TEST_CASE("a broker that was down reads of a setting when it is back") {
  ClusterFixture f(quick());
  f.node(1).crash();
  f.run_for(6s);
  f.cluster.controller().alter_config(orders(f), with_min_insync(2));
  f.run_for(1s);
  CHECK(f.replica(1).min_insync == 1);
  f.node(1).restart();
  f.run_for(10s);
  CHECK(f.replica(1).min_insync == 2);
}

TEST_CASE(
    "with a quorum a setting is in force once a majority holds it, and outlives the controller that wrote "
    "it") {
  FixtureOptions options = quick();
  options.controllers = 3;
  ClusterFixture f(options);
  f.run_for(5s);
  Controller* const before = f.cluster.active_controller();
  REQUIRE(before != nullptr);
  CHECK(before->alter_config(orders(f), with_min_insync(2)));
  f.run_for(2s);
  CHECK(f.replica(0).min_insync == 2);
  before->node().crash();
  f.run_for(10s);
  Controller* const after = f.cluster.active_controller();
  REQUIRE(after != nullptr);
  REQUIRE(after != before);
  CHECK(after->config(orders(f)).min_insync_replicas == 2);
}

TEST_CASE("with ZooKeeper, too") {
  FixtureOptions options = quick(false);
  options.zookeeper = true;
  options.rules = ProtocolRules({3, 9});
  ClusterFixture f(options);
  f.run_for(5s);
  CHECK(f.cluster.controller().alter_config(orders(f), with_min_insync(2)));
  f.run_for(2s);
  CHECK(f.replica(0).min_insync == 2);
}

TEST_CASE("a raised min.insync.replicas refuses what too few replicas hold, a lowered one lets it in") {
  ClusterFixture f(quick(false));
  f.run_for(1s);
  f.node(2).crash();
  f.run_for(6s);
  const auto well = f.produce(BrokerId{0}, 1);
  f.run_for(1s);
  f.cluster.controller().alter_config(orders(f), with_min_insync(3));
  f.run_for(1s);
  CHECK(well->error == ErrorCode::none);
  const auto refused = f.produce(BrokerId{0}, 1);
  f.run_for(1s);
  CHECK(refused->error == ErrorCode::not_enough_replicas);
  f.cluster.controller().alter_config(orders(f), with_min_insync(2));
  f.run_for(1s);
  const auto again = f.produce(BrokerId{0}, 1);
  f.run_for(1s);
  CHECK(again->error == ErrorCode::none);
}

TEST_CASE("another min.insync.replicas makes all who were eligible ineligible") {
  FixtureOptions options = quick();
  options.config.min_insync_replicas = 2;
  ClusterFixture f(options);
  f.run_for(1s);
  for (const int b : {2, 1}) {
    f.node(b).crash();
    f.run_for(6s);
  }
  REQUIRE(f.cluster.controller().state(kFirst).elr == std::vector{BrokerId{1}});
  f.cluster.controller().alter_config(orders(f), with_min_insync(1));
  CHECK(f.cluster.controller().state(kFirst).elr.empty());
}

TEST_CASE("nobody leads an offline partition before somebody asks for it, or its setting is looked at") {
  FixtureOptions options = quick(false);
  options.config.unclean_leader_election_interval = 60s;
  const auto offline = [](ClusterFixture& f) {
    f.run_for(1s);
    f.node(1).crash();
    f.node(2).crash();
    f.run_for(6s);
    f.node(0).crash();
    f.run_for(6s);
    f.node(1).restart();
    f.run_for(6s);
    return f.cluster.controller().state(kFirst).leader == kNoBroker;
  };
  SECTION("asked for") {
    ClusterFixture f(options);
    REQUIRE(offline(f));
    CHECK(f.cluster.controller().elect_unclean(orders(f)));
    CHECK(f.cluster.controller().state(kFirst).leader == BrokerId{1});
    CHECK_FALSE(f.cluster.controller().elect_unclean(orders(f)));  // there is one now
  }
  SECTION("allowed") {
    ClusterFixture f(options);
    REQUIRE(offline(f));
    TopicConfig config;
    config.unclean_leader_election_enable = true;
    f.cluster.controller().alter_config(orders(f), config);
    f.run_for(30s);
    CHECK(f.cluster.controller().state(kFirst).leader == kNoBroker);
    f.run_for(31s);
    CHECK(f.cluster.controller().state(kFirst).leader == BrokerId{1});
  }
}

TEST_CASE("retention that is altered counts from then on") {
  Scenario s = three_copies();
  s.groups[0].start = 50s;
  s.kafka->config.log_retention_check_interval = 1s;
  s.kafka->config.log_initial_task_delay = 1s;
  s.kafka->topics[0].config.segment_interval = 2s;
  CHECK(observed(s, Metric::expired) == 0);
  s.faults = {altered(30s, {{"retention.ms", "5000"}})};
  CHECK(observed(s, Metric::expired) > 2000);
  s.faults.push_back(altered(31s, {{"retention.ms", "600000"}}));
  CHECK(observed(s, Metric::expired) < 3000);
}

TEST_CASE("a topic that is compacted from now on is cleaned, and one that is so no longer is not") {
  Scenario s = three_copies();
  s.producers[0].keys.count = 20;
  s.producers[0].keys.rank = sim::Distribution::uniform(0, 20);
  s.kafka->config.log_cleaner.backoff = 1s;
  s.kafka->topics[0].config.segment_interval = 2s;
  CHECK(observed(s, Metric::cleanings) == 0);
  s.faults = {altered(20s, {{"cleanup.policy", "compact"}})};
  const double all = observed(s, Metric::cleanings);
  CHECK(all > 5);
  s.faults.push_back(altered(30s, {{"cleanup.policy", "delete"}}));
  const double some = observed(s, Metric::cleanings);
  CHECK(some > 2);
  CHECK(some < all);
}

TEST_CASE("max.message.bytes that is lowered refuses what was taken before") {
  Scenario s = three_copies();
  s.producers[0].size = sim::Distribution::constant(1000);
  s.producers[0].config.batch_size = 0;
  s.faults = {altered(30s, {{"max.message.bytes", "500"}})};
  const ObservedRun run = observed_run(s);
  CHECK(*run.values[Metric::failed] > 2000);
  CHECK(*run.values[Metric::acknowledged] > 2000);
}

TEST_CASE("what is no setting of a topic, or is as it begins, is refused before anything runs") {
  const auto refused = [](std::pair<std::string, std::string> setting) {
    Scenario s = three_copies();
    s.faults = {altered(1s, {std::move(setting)})};
    CHECK_THROWS_AS(models::World(s, 1), models::ScenarioError);
  };
  refused({"num.io.threads", "3"});
  refused({"compression.type", "gzip"});
  refused({"min.insync.replicas", "none"});
  refused({"remote.storage.enable", "true"});
  Scenario s = three_copies();
  s.faults = {altered(1s, {})};
  CHECK_THROWS_AS(models::World(s, 1), models::ScenarioError);
}
