// What goes by a broker's wall clock, which may be wrong, and what does not.
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/observed_run.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::Metric;
using models::Scenario;

namespace {

Scenario with_skew(const std::string& target, sim::Duration by, sim::Duration at,
                   std::optional<sim::Duration> length = {}) {
  Scenario s = orders_scenario(40s, sim::ArrivalProcess::poisson(100));
  s.kafka->config.log_retention_check_interval = 1s;
  s.kafka->config.log_initial_task_delay = 1s;
  s.kafka->topics[0].replication_factor = 3;
  s.kafka->topics[0].config.segment_interval = 2s;
  s.kafka->topics[0].config.retention_ms = 60'000;
  s.groups[0].start = 35s;
  s.groups[0].config.auto_offset_reset = AutoOffsetReset::earliest;
  models::FaultSpec fault;
  fault.kind = "clock-skew";
  fault.target = target;
  (by > sim::Duration{} ? fault.ahead : fault.behind) = by > sim::Duration{} ? by : -by;
  fault.at = at;
  fault.duration = length;
  s.faults = {fault};
  return s;
}

}  // namespace

TEST_CASE("a broker whose clock is ahead deletes what is not old, and what it leads is gone for all") {
  CHECK(observed(with_skew("kafka/1", 1h, 20s, 2s), Metric::expired) == 0);  // a follower's own segments
  CHECK(observed(with_skew("kafka/0", 1h, 20s, 2s), Metric::expired) > 1000);
  CHECK(observed(with_skew("kafka/0", -1h, 20s, 2s), Metric::expired) == 0);
}

TEST_CASE("no session ends by a wall clock") {
  const ObservedRun run = observed_run(with_skew("kafka/0", 1h, 20s, 10s));
  CHECK(run.values[Metric::unavailability_max_s].value_or(0) < 1);
  CHECK(run.values[Metric::members_fenced].value_or(0) == 0);
}

TEST_CASE("what a broker stamps is as wrong as its clock, and is kept for so long") {
  const auto expired = [](bool broker_time) {
    Scenario s = with_skew("kafka/0", -30min, 0s, 10s);
    s.kafka->topics[0].config.message_timestamp.log_append_time = broker_time;
    s.kafka->topics[0].config.retention_ms = 600'000;
    return observed(s, Metric::expired);
  };
  CHECK(expired(false) == 0);
  CHECK(expired(true) > 500);
}

TEST_CASE("a broker refuses the timestamps of producers from whose clocks its own is too far") {
  Scenario s = with_skew("kafka/0", -2h, 10s, 10s);
  s.producers[0].config.delivery_timeout = 35s;
  CHECK(observed(s, Metric::failed) > 500);
  s.kafka->topics[0].config.message_timestamp.log_append_time = true;
  CHECK(observed(s, Metric::failed) == 0);
}

TEST_CASE("a producer whose clock is set wrong writes the future") {
  Scenario s = with_skew("shop", 2h, 10s, 10s);
  CHECK(observed(s, Metric::failed) > 500);
  s.kafka->config.log_message_timestamp.after_max = kNever;
  CHECK(observed(s, Metric::failed) == 0);
}

TEST_CASE("a clock that jumps ahead takes followers that lag for dead, until they fetch again") {
  FixtureOptions options;
  ClusterFixture f(options);
  f.produce(BrokerId{0}, 10);
  f.run_for(1s);
  const Replica& leader = f.replica(0);
  REQUIRE(leader.isr.size() == 3);
  // One follower is cut off, and behind by what comes now; the clock jumps before its time is over.
  f.network.impair({.from = {f.node(1).host()}, .to = {f.node(0).host()}, .cut = true});
  f.produce(BrokerId{0}, 10);
  f.run_for(100ms);
  f.node(0).step_clock(60s);
  f.run_for(16s);  // half of replica.lag.time.max.ms is between two looks
  CHECK(std::count(leader.isr.begin(), leader.isr.end(), BrokerId{1}) == 0);
  CHECK(std::count(leader.isr.begin(), leader.isr.end(), BrokerId{2}) == 1);
}

namespace {

/// A group of two that works for long between polls, and a clock of one of them that is wrong.
ObservedRun members_with_skew(sim::Duration by, sim::Duration service,
                              std::optional<sim::Duration> length = {}) {
  Scenario s = with_skew("billing/0", by, 10s, length);
  s.kafka->topics[0].config.retention_ms.reset();
  s.kafka->topics[0].partitions = 2;
  models::GroupOptions& group = s.groups[0];
  group.start = 0s;
  group.members = 2;
  group.service = sim::Distribution::constant(static_cast<double>(service.count()));
  group.config.session_timeout = 6s;
  group.config.heartbeat_interval = 500ms;
  group.config.max_poll_records = 2000;
  group.config.auto_commit_interval = 1h;  // a commit is heard like a heartbeat
  return observed_run(s);
}

}  // namespace

TEST_CASE("a member whose clock jumps ahead beyond max.poll.interval.ms while it works leaves its group") {
  const auto rebalances = [](sim::Duration by) {
    return members_with_skew(by, 20ms).values[Metric::rebalances].value_or(0);
  };
  CHECK(rebalances(10min) > rebalances(1min));  // max.poll.interval.ms: 5 min
}

TEST_CASE("a member whose clock is set back sends no heartbeats until it has caught up, and is thrown out") {
  const ObservedRun behind = members_with_skew(-1h, 1ms);
  const ObservedRun a_little = members_with_skew(-2s, 1ms);
  CHECK(behind.values[Metric::members_evicted].value_or(0) >= 1);
  CHECK(a_little.values[Metric::members_evicted].value_or(0) == 0);
}
