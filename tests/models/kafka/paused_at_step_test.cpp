// Brokers, coordinators and producers that are paused at a named step: what comes behind it waits until they go on.
#include <optional>

#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/observed_run.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::Metric;
using models::Step;

namespace {

models::FaultSpec paused_at(const std::string& target, Step step, std::int64_t nth) {
  models::FaultSpec pause = crash(target, {}, 2s);
  pause.kind = "pause";
  pause.at.reset();
  pause.when = models::FaultSpec::When{step, nth, {}};
  return pause;
}

/// What is recorded while somebody stands still.
struct Standstill final : sim::TraceSink {
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) {
      const auto kind = static_cast<Kind>(r.kind);
      if (kind == Kind::fault) {
        open = r.a == 1;
        times += open ? 1 : 0;
      } else if (open) {
        acknowledged += kind == Kind::acknowledged ? 1 : 0;
        markers += kind == Kind::transaction_marker ? 1 : 0;
        transactions += kind == Kind::transaction_state && r.code <= models::kAborted ? 1 : 0;
      }
    }
  }
  bool open = false;
  int times = 0, acknowledged = 0, markers = 0, transactions = 0;
};

/// 20 messages a second, each sent at once; nobody reads them.
Scenario slow_shop() {
  Scenario s = orders_scenario(8s, sim::ArrivalProcess::constant(20));
  s.groups.clear();
  s.producers[0].config.linger = 0ms;
  return s;
}

Scenario slow_transactions() {
  Scenario s = slow_shop();
  s.kafka->topics[0].partitions = 6;
  s.producers[0].transactions = models::TransactionOptions{500ms, 0};
  return s;
}

}  // namespace

TEST_CASE("a broker that is paused when it has appended answers when it goes on", "[steps]") {
  Scenario s = slow_shop();
  s.kafka->brokers = 1;
  s.producers[0].config.acks = 1;
  s.producers[0].config.enable_idempotence = false;
  s.faults = {paused_at("kafka/0", Step::appended, 20)};
  Standstill window;
  const ObservedRun seen = observed_run(s, &window);
  CHECK(window.times == 1);
  CHECK(window.acknowledged == 0);
  CHECK(*seen.values[Metric::publish_latency_max_ms] > 1900);
}

TEST_CASE("a coordinator that is paused when it has decided lets nobody know", "[steps]") {
  int times = 0;
  for (const char* const broker : {"kafka/0", "kafka/1", "kafka/2"}) {
    Scenario s = slow_transactions();
    s.faults = {paused_at(broker, Step::transaction_prepared, 5)};
    Standstill window;
    const ObservedRun seen = observed_run(s, &window);
    times += window.times;
    CHECK(window.markers == 0);
    CHECK(seen.outcome.drained);
  }
  CHECK(times == 1);  // one of them coordinates
}

TEST_CASE("a producer that is paused when its transaction has ended begins no other", "[steps]") {
  Scenario s = slow_transactions();
  s.faults = {paused_at("shop", Step::transaction_ended, 5)};
  Standstill window;
  const ObservedRun seen = observed_run(s, &window);
  CHECK(window.times == 1);
  CHECK(window.acknowledged == 0);
  CHECK(window.transactions == 0);
  CHECK(seen.outcome.drained);
}
