// Records that an application could not process and hands on: to retry topics, and at last to dead letters.
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/observed_run.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::Metric;
using models::PoisonOptions;
using models::Scenario;

namespace {

/// One record in fifty fails `failures` times; it is tried again from one retry topic, 2 s later, and is a dead letter after
/// that.
Scenario laddered(std::uint32_t failures) {
  Scenario s = orders_scenario(20s, sim::ArrivalProcess::poisson(50));
  s.drain = 30s;
  s.kafka->config.group_initial_rebalance_delay = 0s;
  for (const char* name : {"retry", "dead"}) {
    s.kafka->topics.push_back(s.kafka->topics[0]);
    s.kafka->topics.back().name = name;
  }
  s.producers[0].keys.count = 5;
  s.producers[0].keys.rank = sim::Distribution::uniform(0, 5);
  s.groups[0].config.auto_offset_reset = AutoOffsetReset::earliest;
  s.groups[0].commit = models::CommitMode::after_processing;
  s.groups[0].service = sim::Distribution::constant(1e6);
  s.groups.push_back(s.groups[0]);
  s.groups[0].poison =
      PoisonOptions{.share = 0.02, .failures = failures, .then = PoisonOptions::Then::hand_on, .to = "retry"};
  s.groups[1].name = "billing-retry";
  s.groups[1].part_of = "billing";
  s.groups[1].topics = {"retry"};
  s.groups[1].delay = 2s;
  s.groups[1].poison = PoisonOptions{.then = PoisonOptions::Then::hand_on, .to = "dead", .dead_letter = true};
  return s;
}

}  // namespace

TEST_CASE("a record that fails once gets through from the retry topic, behind later ones of its key") {
  const ObservedRun run = observed_run(laddered(1));
  CHECK(run.outcome.drained);
  CHECK(run.values[Metric::processed] == run.values[Metric::offered]);
  CHECK(run.values[Metric::duplicated].value_or(0) == 0);
  CHECK(*run.values[Metric::lost] == 0);
  CHECK(*run.values[Metric::dead_lettered] == 0);
  CHECK(*run.values[Metric::reordered_per_key] > 3);
  CHECK(run.values[Metric::mirror_missing].value_or(0) == 0);
}

TEST_CASE("nothing of the retry topic is begun before it is of its age") {
  const ObservedRun run = observed_run(laddered(1));
  CHECK(*run.values[Metric::e2e_latency_max_ms] > 2000);
  Scenario hurried = laddered(1);
  hurried.groups[1].delay = 0s;
  CHECK(*observed_run(hurried).values[Metric::e2e_latency_max_ms] < 1000);
}

TEST_CASE("what fails there, too, is a dead letter, and not lost") {
  const ObservedRun run = observed_run(laddered(2));
  CHECK(run.outcome.drained);
  CHECK(*run.values[Metric::dead_lettered] > 5);
  CHECK(*run.values[Metric::lost] == 0);
  CHECK(*run.values[Metric::processed] + *run.values[Metric::dead_lettered] == *run.values[Metric::offered]);
}

TEST_CASE("who dies while it hands a record on hands it on again: none is lost") {
  Scenario s = laddered(1);
  for (models::GroupOptions& group : s.groups) group.config.session_timeout = 6s;
  for (int i = 0; i < 5; ++i)
    s.faults.push_back(crash(i % 2 == 0 ? "billing/0" : "billing-retry/0", 3s + i * 3s, 500ms));
  s.faults.push_back(crash("kafka/0", 5s, 1s));
  const ObservedRun run = observed_run(s);
  CHECK(run.outcome.drained);
  CHECK(*run.values[Metric::lost] == 0);
  CHECK(*run.values[Metric::in_flight] == 0);
}

TEST_CASE("a member that stands still while it hands a record on goes on with the next") {
  Scenario s = laddered(1);
  for (int i = 0; i < 30; ++i) {
    s.faults.push_back(crash("billing/0", 2s + i * 500ms, 50ms));
    s.faults.back().kind = "pause";
  }
  const ObservedRun run = observed_run(s);
  CHECK(run.outcome.drained);
  CHECK(run.values[Metric::processed] == run.values[Metric::offered]);
}

TEST_CASE("what waits in a retry topic when the run ends is in flight, and not lost") {
  Scenario s = laddered(1);
  s.faults = {crash("billing-retry/0", 10s)};
  const ObservedRun run = observed_run(s);
  CHECK(*run.values[Metric::in_flight] > 3);
  CHECK(*run.values[Metric::lost] == 0);
}
