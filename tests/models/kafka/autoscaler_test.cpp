// Members that are started and stopped by the lag of their group.
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/observed_run.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::Metric;
using models::Scenario;

namespace {

/// 100 a second for one member of a burst of 350 from 5 s to 15 s.
Scenario bursty(std::uint32_t members, std::int32_t partitions) {
  Scenario s = orders_scenario(
      40s,
      sim::ArrivalProcess::profile({{0s, 20}, {5s, 20}, {5100ms, 350}, {15s, 350}, {15100ms, 20}}, false));
  s.kafka->topics[0].partitions = partitions;
  s.kafka->config.group_initial_rebalance_delay = 0ms;
  models::GroupOptions& group = s.groups[0];
  group.members = members;
  group.service = sim::Distribution::constant(1e7);
  group.commit = models::CommitMode::after_processing;
  group.config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  group.config.max_poll_records = 50;
  group.autoscale = models::AutoscaleOptions{.min = 1, .lag_per_member = 200, .every = 1s, .down_after = 8s};
  return s;
}

struct Outcome {
  std::vector<sim::TraceRecord> steps;
  models::MetricValues values;
  bool drained = false;
};

Outcome run(const Scenario& scenario) {
  Recorder recorder;
  const ObservedRun seen = observed_run(scenario, &recorder);
  Outcome outcome;
  outcome.drained = seen.outcome.drained;
  outcome.values = seen.values;
  outcome.steps = recorder.of(Kind::scaled);
  return outcome;
}

}  // namespace

TEST_CASE("members are started for a lag, as many as it takes and no more than partitions", "[autoscale]") {
  const Outcome outcome = run(bursty(8, 4));
  CHECK(outcome.drained);
  REQUIRE(outcome.steps.size() >= 2);
  std::int64_t most = 0;
  std::int64_t members = 1;
  for (const auto& step : outcome.steps) {
    CHECK(step.b == members);
    members = step.a;
    most = std::max(most, members);
    const std::int64_t by_lag = (step.c + 199) / 200;
    if (step.a > step.b) CHECK(step.a == std::min<std::int64_t>(by_lag, 4));
  }
  CHECK(most == 4);
  CHECK(*outcome.values[Metric::members_active] == 4);
  CHECK(*outcome.values[Metric::lost] == 0);
  CHECK(*outcome.values[Metric::in_flight] == 0);
}

TEST_CASE("they are stopped when fewer have been enough for long", "[autoscale]") {
  const Outcome outcome = run(bursty(4, 4));
  REQUIRE_FALSE(outcome.steps.empty());
  sim::Time high{};
  for (const auto& step : outcome.steps) {
    if (step.a > step.b) high = step.time;
    if (step.a < step.b) CHECK(step.time - high >= 8s);
  }
  CHECK(outcome.steps.back().a == 1);
}

TEST_CASE("up_after keeps steps apart", "[autoscale]") {
  Scenario s = bursty(4, 4);
  s.groups[0].autoscale->up_after = 5s;
  const Outcome outcome = run(s);
  sim::Time last{};
  for (const auto& step : outcome.steps) {
    if (step.a > step.b && last != sim::Time{}) CHECK(step.time - last >= 5s);
    last = step.time;
  }
}

TEST_CASE("while the coordinator is gone nobody knows the lag, and nothing is scaled", "[autoscale]") {
  Scenario s = bursty(4, 4);
  s.kafka->brokers = 1;
  s.kafka->topics[0].replication_factor = 1;
  s.faults = {crash("kafka/0", 5s, 6s)};
  const Outcome outcome = run(s);
  for (const auto& step : outcome.steps) CHECK((step.time < sim::Time{5s} || step.time > sim::Time{11s}));
  CHECK_FALSE(outcome.steps.empty());
}

TEST_CASE("an autoscaler that is dead scales nothing", "[autoscale]") {
  Scenario s = bursty(4, 4);
  s.faults = {crash("billing-autoscaler", 1s)};
  s.faults[0].heals = false;
  CHECK(run(s).steps.empty());
}
