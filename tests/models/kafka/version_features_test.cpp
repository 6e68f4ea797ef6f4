// Rules that came with a feature of a release: what happens with each and without, all else being equal.
#include <algorithm>

#include "models/kafka/broker/controller.hpp"
#include "models/kafka/consumer/ruled_options.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/observed_run.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;

namespace {

FixtureOptions without(Rule rule) {
  FixtureOptions options;
  options.rules.set(rule, false);
  return options;
}
FixtureOptions with_or_without(Rule rule, bool on) {
  return on ? FixtureOptions{} : without(rule);
}

bool in_sync(ClusterFixture& f, std::int32_t b) {
  const std::vector<BrokerId>& isr = f.cluster.controller().state(PartitionIndex{0}).isr;
  return std::find(isr.begin(), isr.end(), BrokerId{b}) != isr.end();
}

}  // namespace

TEST_CASE("before KIP-841 a fenced broker joins the in-sync set, in which it cannot lead") {
  for (const bool stays_out : {true, false}) {
    ClusterFixture f(with_or_without(Rule::fenced_stay_out_of_sync, stays_out));
    f.network.cut(f.node(2).host(), f.cluster.controller().node().host());
    f.run_for(12s);
    REQUIRE(f.cluster.controller().fenced(BrokerId{2}));
    f.produce(BrokerId{0}, 4);
    f.run_for(2s);
    REQUIRE(f.replica(2).log.end() == 4);
    CHECK(in_sync(f, 2) == !stays_out);
  }
}

TEST_CASE("before KIP-903 what an earlier process has fetched lets its successor into the in-sync set") {
  for (const bool told : {true, false}) {
    FixtureOptions options = with_or_without(Rule::broker_epochs_in_sync, told);
    options.config.replica_lag_time_max = 3s;
    options.config.offsets_topic_num_partitions = 1;  // led by the first broker, as the topic is
    ClusterFixture f(options);
    const HostId follower = f.node(2).host();
    const HostId leader = f.node(0).host();
    const HostId controller = f.cluster.controller().node().host();
    auto apart = f.network.cut(follower, leader);
    f.produce(BrokerId{0}, 4, 1);
    f.run_for(8s);
    REQUIRE_FALSE(in_sync(f, 2));
    // It catches up, but what its leader asks for is held up on its way …
    const auto held_up = f.network.cut(leader, controller);
    f.network.heal(apart);
    while (f.replica(2).log.end() < 4 || !f.replica(0).asked_isr) f.run_for(1ms);
    // … until another process runs, of which its leader has seen nothing.
    apart = f.network.cut(follower, leader);
    const std::int64_t before = f.broker(2).epoch();
    f.broker(2).shut_down();
    while (f.node(2).up()) f.run_for(1ms);
    f.broker(2).start_up();
    while (f.cluster.controller().fenced(BrokerId{2})) f.run_for(1ms);
    REQUIRE(f.broker(2).epoch() != before);
    f.network.heal(held_up);
    bool let_in = false;
    for (int i = 0; i < 2000 && !let_in; ++i) {
      f.run_for(1ms);
      let_in = in_sync(f, 2);
    }
    CHECK(let_in == !told);
  }
}

TEST_CASE(
    "with KRaft before 3.6 the leader epoch rises when an in-sync set shrinks, and all are refused once") {
  for (const bool stays : {true, false}) {
    FixtureOptions options = with_or_without(Rule::epoch_stays_on_shrink, stays);
    options.config.replica_lag_time_max = 2s;
    ClusterFixture f(options);
    f.network.cut(f.node(2).host(), f.node(0).host());
    f.produce(BrokerId{0}, 4, 1);
    f.run_for(6s);
    REQUIRE_FALSE(in_sync(f, 2));
    CHECK(f.replica(0).leader_epoch == (stays ? 0 : 1));
    CHECK(f.leader() == 0);
    // Whoever speaks of the epoch before is refused, and what is written goes on in the new one.
    const auto fetched = f.fetch(BrokerId{0}, 0, 0);
    const auto written = f.produce(BrokerId{0}, 2);
    f.run_for(1s);
    CHECK(fetched->error == (stays ? ErrorCode::none : ErrorCode::fenced_leader_epoch));
    CHECK(written->error == ErrorCode::none);
    CHECK(f.replica(1).log.end() == 6);
  }
}

TEST_CASE(
    "a follower that was refused for an epoch leaves the session for replica.fetch.backoff.ms, and once") {
  FixtureOptions options = without(Rule::epoch_stays_on_shrink);
  options.config.replica_lag_time_max = 2s;
  ClusterFixture f(options);
  f.network.cut(f.node(2).host(), f.node(0).host());
  // Batch upon batch, so that there is an answer for the other follower at any time.
  while (f.replica(0).leader_epoch == 0 && f.simulation.now() < sim::Time{10s}) {
    f.produce(BrokerId{0}, 1, 1);
    f.run_for(10ms);
  }
  REQUIRE(f.replica(0).leader_epoch == 1);
  for (int i = 0; i < 150; ++i) {
    f.produce(BrokerId{0}, 1, 1);
    f.run_for(10ms);
  }
  f.run_for(100ms);
  CHECK(f.replica(1).log.end() == f.replica(0).log.end());
  CHECK(f.replica(0).high_watermark == f.replica(0).log.end());
}

TEST_CASE("before KIP-211 the offsets of a quiet group expire though its members live") {
  for (const bool stay : {true, false}) {
    Scenario s = orders_scenario(200s, sim::ArrivalProcess::poisson(50));
    s.producers[0].messages = 500;  // quiet after ten seconds
    s.kafka->config.offsets_retention = 1min;
    s.kafka->config.offsets_retention_check_interval = 5s;
    s.kafka->rules.set(Rule::offsets_of_live_groups_stay, stay);
    s.groups[0].config.auto_offset_reset = AutoOffsetReset::earliest;
    s.groups[0].commit = models::CommitMode::after_processing;
    s.faults = {crash("billing/0", 150s, 1s)};
    CHECK((observed(s, models::Metric::duplicated) > 0) == !stay);
  }
}

TEST_CASE("before KIP-219 the answer to who exceeds his quota is held back, beyond his patience") {
  for (const bool at_once : {true, false}) {
    Scenario s = orders_scenario(20s, sim::ArrivalProcess::poisson(100));
    s.producers[0].size = sim::Distribution::constant(1000);
    s.producers[0].config.request_timeout = 400ms;
    s.producers[0].config.enable_idempotence = false;
    s.kafka->quotas.push_back({.client = "shop", .producer_byte_rate = 20'000});
    s.kafka->rules.set(Rule::answer_before_throttling, at_once);
    CHECK((observed(s, models::Metric::log_duplicates) > 0) == !at_once);
  }
}

TEST_CASE("before KIP-951 a producer waits for metadata to learn who leads") {
  const auto heard = [](bool hints) {
    Scenario s = orders_scenario(20s, sim::ArrivalProcess::poisson(200));
    s.kafka->topics[0].replication_factor = 3;
    s.kafka->rules.set(Rule::leader_hints, hints);
    s.network.base.latency = sim::Distribution::constant(20'000'000);
    models::FaultSpec restart = crash("kafka/0", 10s, 5s);
    restart.kind = "restart";
    s.faults = {restart};
    models::World world(s, 1);
    Recorder recorder;
    world.trace().add_sink(recorder);
    world.run();
    const auto all = recorder.of(Kind::client_refreshed);
    REQUIRE_FALSE(all.empty());
    return all.front().time;
  };
  CHECK(heard(true) + 30ms < heard(false));
}

TEST_CASE("before KIP-1251 a commit with the member's epoch before the last is stale") {
  const auto refused = [](bool epochs) {
    Scenario s = orders_scenario(60s, sim::ArrivalProcess::poisson(200));
    s.kafka->topics[0].partitions = 6;
    s.kafka->rules.set(Rule::assignment_epochs, epochs);
    s.network.base.latency = sim::Distribution::constant(20'000'000);
    s.groups[0].members = 4;
    s.groups[0].stagger = 6s;
    s.groups[0].commit = models::CommitMode::each_record;
    s.groups[0].service = sim::Distribution::constant(1e6);
    s.groups[0].config.group_protocol = GroupProtocol::consumer;
    s.groups[0].config.max_poll_records = 1;
    models::World world(s, 1);
    Recorder recorder;
    world.trace().add_sink(recorder);
    world.run();
    return recorder.of(Kind::commit_refused).size();
  };
  CHECK(refused(false) > refused(true));
}

TEST_CASE("without the feature's rule a consumer's settings are those of the release before") {
  models::GroupOptions group;
  group.config.group_instance_id = "m{index}";
  group.config.group_protocol = GroupProtocol::consumer;
  group.config.partition_assignment_strategy = {Assignor::range, Assignor::cooperative_sticky};
  const ConsumerConfig as_it_is = as_ruled(group, ProtocolRules()).config;
  CHECK(as_it_is.group_instance_id == "m{index}");
  CHECK(as_it_is.group_protocol == GroupProtocol::consumer);
  CHECK(as_it_is.partition_assignment_strategy == group.config.partition_assignment_strategy);
  const ConsumerConfig before = as_ruled(group, ProtocolRules({2, 2})).config;
  CHECK(before.group_instance_id.empty());
  CHECK(before.group_protocol == GroupProtocol::classic);
  CHECK(before.partition_assignment_strategy == std::vector{Assignor::range, Assignor::sticky});
  group.config.partition_assignment_strategy = {Assignor::cooperative_sticky, Assignor::sticky};
  CHECK(as_ruled(group, ProtocolRules({2, 2})).config.partition_assignment_strategy ==
        std::vector{Assignor::sticky});
}
