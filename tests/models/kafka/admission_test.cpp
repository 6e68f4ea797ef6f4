// Who is let in to a producer, in a whole world: buffers before send(), shedding by lag, and what faults make of them.
#include <map>

#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/observed_run.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::AdmissionOptions;
using models::Metric;
using models::RefusedCode;
using models::Scenario;
using Overflow = AdmissionOptions::Buffer::Overflow;

namespace {

/// 300 messages a second of 1 kB; the broker takes about 100 of them.
Scenario too_fast(Overflow overflow, std::uint32_t messages = 50) {
  Scenario s = orders_scenario(5s, sim::ArrivalProcess::constant(300));
  s.drain = 60s;
  s.kafka->brokers = 1;
  s.kafka->config.num_io_threads = 1;
  s.kafka->service.per_kilobyte = 10ms;
  s.producers[0].size = sim::Distribution::constant(1000);
  s.producers[0].config.buffer_memory = 40'000;
  s.producers[0].config.max_block = 3600s;
  s.producers[0].admission.emplace();
  s.producers[0].admission->buffer = AdmissionOptions::Buffer{};
  s.producers[0].admission->buffer->messages = messages;
  s.producers[0].admission->buffer->overflow = overflow;
  s.groups[0].config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  return s;
}

struct Outcome {
  models::MetricValues values;
  std::map<RefusedCode, std::int64_t> refused;
  sim::Time last_created{};
  bool drained = false;
};

Outcome run(const Scenario& scenario) {
  Recorder recorder;
  const ObservedRun seen = observed_run(scenario, &recorder);
  Outcome outcome;
  outcome.drained = seen.outcome.drained;
  outcome.values = seen.values;
  for (const auto& r : recorder.of(Kind::refused)) outcome.refused[static_cast<RefusedCode>(r.code)] += r.b;
  return outcome;
}

}  // namespace

TEST_CASE("a bounded buffer that blocks loses nothing and never holds more", "[admission]") {
  const Outcome outcome = run(too_fast(Overflow::block));
  CHECK(outcome.drained);
  CHECK(outcome.refused.empty());
  CHECK(*outcome.values[Metric::buffered_max_messages] == 50);
  CHECK(*outcome.values[Metric::processed] == 1500);
}

TEST_CASE("one that lets go counts what it let go, and says how", "[admission]") {
  const std::map<Overflow, RefusedCode> codes{{Overflow::fail, RefusedCode::buffer_full},
                                              {Overflow::drop_newest, RefusedCode::dropped},
                                              {Overflow::drop_oldest, RefusedCode::dropped}};
  for (const auto& [overflow, code] : codes) {
    const Outcome outcome = run(too_fast(overflow));
    CHECK(outcome.drained);
    REQUIRE(outcome.refused.size() == 1);
    CHECK(outcome.refused.begin()->first == code);
    CHECK(outcome.refused.begin()->second > 500);
    CHECK(*outcome.values[Metric::buffered_max_messages] == 50);
    CHECK(*outcome.values[Metric::processed] + *outcome.values[Metric::refused] == 1500);
  }
}

TEST_CASE("to drop the oldest keeps what remains fresher than to block", "[admission]") {
  const Outcome blocked = run(too_fast(Overflow::block));
  const Outcome fresh = run(too_fast(Overflow::drop_oldest));
  CHECK(*fresh.values[Metric::e2e_latency_p99_ms] < 0.5 * *blocked.values[Metric::e2e_latency_p99_ms]);
}

TEST_CASE("what waited in a process that died is refused as closed, and the next life begins empty",
          "[admission]") {
  Scenario s = too_fast(Overflow::block);
  s.faults = {crash("shop", 3s, 500ms)};
  const Outcome outcome = run(s);
  CHECK(outcome.drained);
  CHECK(outcome.refused.size() == 1);
  CHECK(outcome.refused.at(RefusedCode::closed) >= 50);
  CHECK(*outcome.values[Metric::offered] + *outcome.values[Metric::refused] == 1351);
}

TEST_CASE("a token bucket in front of a producer that is up to it", "[admission]") {
  Scenario s = too_fast(Overflow::block);
  s.kafka->service.per_kilobyte = 0ms;
  s.producers[0].admission = AdmissionOptions{};
  s.producers[0].admission->rate = 100;
  s.producers[0].admission->burst = 20;
  const Outcome outcome = run(s);
  CHECK(outcome.drained);
  CHECK(*outcome.values[Metric::offered] <= 520);
  CHECK(*outcome.values[Metric::offered] >= 518);
  CHECK(outcome.refused.count(RefusedCode::over_rate) == 1);
  CHECK(*outcome.values[Metric::offered] + *outcome.values[Metric::refused] == 1500);
}

TEST_CASE("a sender that looks at its readers' lag holds back while it is high", "[admission]") {
  Scenario s = orders_scenario(20s, sim::ArrivalProcess::poisson(300));
  s.groups[0].service = sim::Distribution::constant(1e7);
  s.groups[0].config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  s.groups[0].config.max_poll_records = 20;
  s.groups[0].commit = models::CommitMode::after_processing;
  const Outcome open = run(s);
  s.producers[0].admission.emplace();
  s.producers[0].admission->shed = AdmissionOptions::Shed{};
  AdmissionOptions::Shed& shed = *s.producers[0].admission->shed;
  shed.group = "billing";
  shed.above = 200;
  shed.below = 100;
  shed.every = 200ms;
  const Outcome held = run(s);
  CHECK(held.drained);
  CHECK(held.refused.size() == 1);
  CHECK(held.refused.at(RefusedCode::shed) > 1000);
  CHECK(*held.values[Metric::lag_max_records] < 400);
  CHECK(*open.values[Metric::lag_max_records] > 3000);
  CHECK(*held.values[Metric::lost] == 0);
}
