// Messages that an application cannot process.
#include <algorithm>
#include <vector>

#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::PoisonOptions;
using models::Scenario;

namespace {

Scenario poisoned(PoisonOptions poison) {
  Scenario s = orders_scenario(30s, sim::ArrivalProcess::poisson(50));
  s.drain = 20s;
  s.groups[0].config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  s.groups[0].config.session_timeout = 6s;
  s.groups[0].commit = models::CommitMode::after_processing;
  s.groups[0].service = sim::Distribution::constant(1e6);
  s.groups[0].poison = poison;
  return s;
}

struct Outcome {
  std::int64_t stored = 0, processed = 0, abandoned = 0;
  std::vector<sim::Time> abandoned_at, processed_at;  ///< last record of each
  std::size_t restarts = 0;
  bool drained = false;
};

Outcome run(const Scenario& scenario) {
  models::World world(scenario, 1);
  Recorder recorder;
  world.trace().add_sink(recorder);
  Outcome outcome;
  outcome.drained = world.run().drained;
  for (const auto& r : recorder.of(Kind::stored)) outcome.stored += r.b;
  for (const auto& r : recorder.of(Kind::processed)) outcome.processed += r.b;
  for (const auto& r : recorder.of(Kind::abandoned)) outcome.abandoned += r.b;
  for (const auto& r : recorder.of(Kind::member_state)) {
    if (r.code == static_cast<std::uint16_t>(models::MemberCode::restarted)) ++outcome.restarts;
  }
  return outcome;
}

}  // namespace

TEST_CASE("a poisoned record is left out, and all others are processed once") {
  const Outcome outcome = run(poisoned({.share = 0.02}));
  CHECK(outcome.drained);
  CHECK(outcome.abandoned > 5);
  CHECK(outcome.abandoned < 100);
  CHECK(outcome.processed == outcome.stored - outcome.abandoned);
}

TEST_CASE("record by record, too") {
  Scenario s = poisoned({.share = 0.02});
  s.groups[0].commit = models::CommitMode::each_record;
  const Outcome outcome = run(s);
  CHECK(outcome.drained);
  CHECK(outcome.abandoned > 5);
  CHECK(outcome.processed == outcome.stored - outcome.abandoned);
}

TEST_CASE("a record that fails for a while gets through when it is tried often enough") {
  const Outcome patient = run(poisoned({.share = 0.02, .failures = 3, .retries = 3, .backoff = 10ms}));
  CHECK(patient.drained);
  CHECK(patient.abandoned == 0);
  CHECK(patient.processed == patient.stored);
  const Outcome hasty = run(poisoned({.share = 0.02, .failures = 3, .retries = 2, .backoff = 10ms}));
  CHECK(hasty.abandoned > 5);
}

TEST_CASE("retries take their time") {
  // Each poisoned record holds its partition up for two seconds: more of them arise than that leaves time for.
  const Outcome slow = run(poisoned({.share = 0.02, .failures = 2, .retries = 2, .backoff = 1s}));
  CHECK(slow.processed < run(poisoned({.share = 0.02})).processed);
}

TEST_CASE("who dies of a record comes back to it") {
  const Outcome outcome = run(poisoned({.share = 0.02, .then = PoisonOptions::Then::crash, .restart = 1s}));
  CHECK_FALSE(outcome.drained);
  CHECK(outcome.restarts > 4);
  CHECK(outcome.abandoned == 0);
  CHECK(outcome.processed < outcome.stored / 2);
}

TEST_CASE("a transient poison that kills is outlived") {
  Scenario s =
      poisoned({.share = 0.002, .failures = 2, .then = PoisonOptions::Then::crash, .restart = 100ms});
  s.drain = 300s;  // each time the group waits for the session of the one that died
  const Outcome outcome = run(s);
  CHECK(outcome.drained);
  CHECK(outcome.restarts > 1);
  CHECK(outcome.processed >= outcome.stored);
}

TEST_CASE("a pause in the middle changes nothing of what is left out") {
  Scenario s = poisoned({.share = 0.02, .failures = 3, .retries = 5, .backoff = 300ms});
  const Outcome undisturbed = run(s);
  models::FaultSpec pause;
  pause.kind = "pause";
  pause.target = "billing/0";
  pause.every = 2s;
  pause.duration = 500ms;
  s.faults = {pause};
  const Outcome paused = run(s);
  CHECK(paused.abandoned == undisturbed.abandoned);
  CHECK(paused.drained == undisturbed.drained);
}
