// Quorum queues in a world: elections, cuts, crashes, and what the ledger says of it.
#include "sim/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/rabbitmq/desk.hpp"

using namespace rabbitmq_test;
using models::Kind;
using models::Metric;
using models::Scenario;
using models::rabbitmq::QueueType;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

Scenario quorum(std::uint64_t messages = 100, double rate = 100) {
  Scenario s = desk(messages, rate);
  s.rabbitmq->nodes = 3;
  s.rabbitmq->config.heartbeat = seconds{3};
  s.rabbitmq->queues[0].arguments.type = QueueType::quorum;
  s.producers[0].resend = true;
  s.producers[0].rabbitmq.connection.recovery_interval = seconds{1};
  s.groups[0].rabbitmq.connection.recovery_interval = seconds{1};
  return s;
}

}  // namespace

TEST_CASE("what a majority has is confirmed, delivered and gone", "[rabbitmq][quorum]") {
  Scenario s = quorum();
  s.rabbitmq->disk_fsync = sim::Distribution::constant(5e6);
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::acknowledged) == 100);
  CHECK(run.value(Metric::stored) == 100);
  CHECK(run.value(Metric::processed) == 100);
  CHECK(run.value(Metric::in_flight) == 0);
  CHECK(run.records.of(Kind::settled).size() == 100);
  // Two disks, one after the other, for the leader's entries go out before they are written; then the network.
  CHECK(run.first(Kind::acknowledged) - run.first(Kind::offered) >= milliseconds{5});
  CHECK(run.first(Kind::acknowledged) - run.first(Kind::offered) < milliseconds{10});
}

TEST_CASE("a new leader is elected within a second of its predecessor's end", "[rabbitmq][quorum]") {
  Scenario s = quorum(800);
  s.producers[0].rabbitmq.connection.addresses = {1};
  s.groups[0].rabbitmq.connection.addresses = {1, 2};
  s.faults.push_back(fault("crash", "rabbitmq/0", seconds{3}, seconds{20}));
  const Run run(s);
  CHECK(run.value(Metric::lost) == 0);
  CHECK(run.value(Metric::processed) == 800);
  CHECK(run.value(Metric::publish_latency_max_ms) < 1000);
  CHECK(run.value(Metric::publish_latency_max_ms) > 100);
  CHECK(run.value(Metric::log_duplicates) == 0);
}

TEST_CASE("without a majority nothing is confirmed", "[rabbitmq][quorum]") {
  Scenario s = quorum(500);
  s.producers[0].rabbitmq.connection.addresses = {0};
  s.faults.push_back(fault("crash", "rabbitmq/1", seconds{2}, seconds{5}));
  s.faults.push_back(fault("crash", "rabbitmq/2", seconds{2}, seconds{5}));
  const Run run(s);
  for (const sim::TraceRecord& r : run.records.of(Kind::acknowledged))
    CHECK((r.time < sim::Time{milliseconds{2010}} || r.time > sim::Time{seconds{7}}));
  CHECK(run.value(Metric::lost) == 0);
  CHECK(run.value(Metric::processed) == 500);
}

TEST_CASE("a leader that is cut off is replaced and what it had alone is stored once", "[rabbitmq][quorum]") {
  Scenario s = quorum(900);
  s.duration = seconds{30};
  s.producers[0].rabbitmq.connection.addresses = {0};
  s.groups[0].rabbitmq.connection.addresses = {1};
  for (const char* const other : {"rabbitmq/1", "rabbitmq/2"}) {
    models::FaultSpec f = fault("link-cut", "rabbitmq/0", seconds{3}, seconds{15});
    f.other = other;
    s.faults.push_back(f);
  }
  const Run run(s);
  CHECK(run.value(Metric::lost) == 0);
  CHECK(run.value(Metric::stored) == 900);
  CHECK(run.value(Metric::log_duplicates) == 0);
  CHECK(run.value(Metric::processed) == 900);
  CHECK(run.value(Metric::publish_latency_max_ms) > 10'000);
}

TEST_CASE("a classic queue at another node is used through one's own", "[rabbitmq][quorum]") {
  Scenario s = desk(100);
  s.rabbitmq->nodes = 3;
  s.rabbitmq->queues[0].node = 2;
  s.producers[0].rabbitmq.connection.addresses = {0};
  s.groups[0].rabbitmq.connection.addresses = {1};
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::acknowledged) == 100);
  CHECK(run.value(Metric::processed) == 100);
  for (const sim::TraceRecord& r : run.records.of(Kind::stored))
    CHECK(r.actor == run.records.of(Kind::stored)[0].actor);
}

TEST_CASE("a classic queue refuses while its node is down and its consumers come back with it",
          "[rabbitmq][quorum]") {
  Scenario s = desk(900);
  s.rabbitmq->nodes = 2;
  s.rabbitmq->queues[0].node = 1;
  s.producers[0].rabbitmq.connection.addresses = {0};
  s.groups[0].rabbitmq.connection.addresses = {0};
  s.groups[0].rabbitmq.connection.recovery_interval = seconds{1};
  s.faults.push_back(fault("crash", "rabbitmq/1", seconds{3}, seconds{3}));
  const Run run(s);
  CHECK(run.value(Metric::failed) > 250);
  CHECK(run.value(Metric::lost) == 0);
  CHECK(run.value(Metric::in_flight) == 0);
}

TEST_CASE("random faults lose nothing that a quorum queue has confirmed", "[rabbitmq][quorum]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    sim::Stream draw(sim::stream_key(seed, "quorum world"));
    Scenario s = quorum(0, 40);
    s.duration = seconds{20};
    s.drain = seconds{300};
    static const char* const kVersions[] = {"3.13", "4.2", "4.3"};
    s.rabbitmq->version = kVersions[draw.uniform_int(3)];
    s.rabbitmq->config.consumer_disconnected_timeout = seconds{5};
    if (draw.uniform_int(2) == 0) s.rabbitmq->disk_fsync = sim::Distribution::exponential(3e6);
    s.rabbitmq->queues[0].arguments.single_active_consumer = draw.uniform_int(3) == 0;
    s.rabbitmq->queues[0].arguments.delivery_limit = -1;
    s.groups[0].members = 3;
    s.groups[0].service = sim::Distribution::exponential(2e7);
    static const char* const kKinds[] = {"crash", "pause", "isolate"};
    static const char* const kTargets[] = {"rabbitmq/0", "rabbitmq/1", "rabbitmq/2", "workers/0", "shop"};
    for (int i = 0; i < 6; ++i) {
      const auto at = milliseconds{static_cast<std::int64_t>(draw.uniform_int(18'000))};
      const auto length = milliseconds{static_cast<std::int64_t>(100 + draw.uniform_int(8'000))};
      s.faults.push_back(fault(kKinds[draw.uniform_int(3)], kTargets[draw.uniform_int(5)], at, length));
    }
    models::World world(s, seed, {.checked = true});
    models::Observers observers;
    world.trace().add_sink(observers);
    const models::RunOutcome outcome = world.run();
    INFO("seed " << seed);
    CHECK(outcome.drained);
    CHECK(observers.values()[Metric::lost].value_or(-1) == 0);
    CHECK(observers.values()[Metric::in_flight].value_or(-1) == 0);
  }
}
