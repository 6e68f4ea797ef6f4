// Processes that go on, and take longer for everything: the failure that no session notices.
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

models::FaultSpec slowdown(std::string target, double factor, sim::Duration at, sim::Duration length) {
  models::FaultSpec fault;
  fault.kind = "slowdown";
  fault.target = std::move(target);
  fault.factor = factor;
  fault.at = at;
  fault.duration = length;
  return fault;
}

Scenario replicated() {
  Scenario s = orders_scenario(40s, sim::ArrivalProcess::poisson(100));
  s.kafka->service.request = sim::Distribution::constant(1e6);
  s.kafka->topics[0].replication_factor = 3;
  s.groups[0].config.auto_offset_reset = AutoOffsetReset::earliest;
  return s;
}

/// When the records of the run were done, in order of their offsets.
struct Finishes final : sim::TraceSink {
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) {
      if (r.kind != static_cast<std::uint16_t>(Kind::processed)) continue;
      const std::span<const std::int64_t> times = block.payload(r);
      for (std::int64_t i = 0; i < r.b; ++i)
        all.push_back(r.code == models::kArithmetic ? times[0] + times[1] * i
                                                    : times[static_cast<std::size_t>(i)]);
    }
  }
  std::vector<std::int64_t> all;
};

/// 100 records are there when the member begins; each takes it 100 ms.
Scenario backlog(std::vector<models::FaultSpec> faults) {
  std::vector<sim::Time> at;
  for (int i = 0; i < 100; ++i) at.push_back(sim::Time{i * 1ms});
  Scenario s = orders_scenario(60s, sim::ArrivalProcess::replay(std::move(at)));
  s.groups[0].start = 1s;
  s.groups[0].service = sim::Distribution::constant(100e6);
  s.groups[0].config.auto_offset_reset = AutoOffsetReset::earliest;
  s.kafka->config.group_initial_rebalance_delay = 0s;
  s.faults = std::move(faults);
  return s;
}

std::vector<std::int64_t> gaps_ms(const Scenario& scenario) {
  Finishes finishes;
  observed_run(scenario, &finishes);
  std::vector<std::int64_t> gaps;
  for (std::size_t i = 1; i < finishes.all.size(); ++i)
    gaps.push_back((finishes.all[i] - finishes.all[i - 1]) / 1'000'000);
  return gaps;
}

}  // namespace

TEST_CASE("a slow leader answers late, and nobody takes it for dead") {
  const ObservedRun well = observed_run(replicated());
  Scenario s = replicated();
  s.faults = {slowdown("kafka/0", 100, 10s, 20s)};
  const ObservedRun slow = observed_run(s);
  CHECK(*well.values[Metric::publish_latency_p99_ms] < 20);
  CHECK(*slow.values[Metric::publish_latency_p99_ms] > 200);
  CHECK(slow.values[Metric::unavailability_max_s].value_or(0) < 1);
  CHECK(slow.values[Metric::lost].value_or(0) == 0);
  CHECK(slow.outcome.drained);
}

TEST_CASE("a member that becomes slow in the middle of its work is slow from there on, and then fast again") {
  const std::vector<std::int64_t> usual = gaps_ms(backlog({}));
  CHECK(usual.size() == 99);
  CHECK(std::count(usual.begin(), usual.end(), 100) >= 98);
  const std::vector<std::int64_t> gaps = gaps_ms(backlog({slowdown("billing/0", 5, 3s, 4s)}));
  REQUIRE(gaps.size() == 99);
  // Of 4 s at a fifth of its speed: 8 records, of which the first and the last are slow in part.
  CHECK(std::count(gaps.begin(), gaps.end(), 500) >= 6);
  CHECK(std::count_if(gaps.begin(), gaps.end(), [](std::int64_t ms) { return ms > 101; }) <= 9);
  CHECK(std::count(gaps.begin(), gaps.end(), 100) >= 88);
}

TEST_CASE("a slow member that works record by record, or by threads, is slow as well") {
  for (const auto commit : {models::CommitMode::each_record, models::CommitMode::after_processing}) {
    Scenario s = backlog({slowdown("billing/0", 5, 3s, 4s)});
    s.groups[0].commit = commit;
    if (commit == models::CommitMode::after_processing) s.groups[0].commit = models::CommitMode::automatic;
    if (s.groups[0].commit == models::CommitMode::automatic)
      s.groups[0].hand_off = models::HandOff{.threads = 1};
    const std::vector<std::int64_t> gaps = gaps_ms(s);
    REQUIRE(gaps.size() == 99);
    CHECK(std::count_if(gaps.begin(), gaps.end(), [](std::int64_t ms) { return ms > 450; }) >= 6);
    CHECK(std::count_if(gaps.begin(), gaps.end(), [](std::int64_t ms) { return ms > 450; }) <= 9);
  }
}

TEST_CASE("a member that is slowed down while it stands still is slow when it goes on") {
  models::FaultSpec pause = crash("billing/0", 3s, 2s);
  pause.kind = "pause";
  const std::vector<std::int64_t> gaps = gaps_ms(backlog({pause, slowdown("billing/0", 5, 4s, 3s)}));
  REQUIRE(gaps.size() == 99);
  CHECK(std::count(gaps.begin(), gaps.end(), 500) >= 3);
  CHECK(std::count_if(gaps.begin(), gaps.end(), [](std::int64_t ms) { return ms > 1'900; }) == 1);
}

TEST_CASE("a broker whose requests take no time cannot become slow") {
  Scenario s = orders_scenario(5s, sim::ArrivalProcess::poisson(10));
  s.faults = {slowdown("kafka/0", 10, 1s, 1s)};
  CHECK_THROWS_AS(models::World(s, 1), models::ScenarioError);
}
