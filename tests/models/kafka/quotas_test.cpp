// Quotas of clients: how rates are measured, how long who exceeds them is silenced, and that others are not.
#include "models/kafka/broker/quotas.hpp"

#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::Scenario;
using models::kafka::QuotaOptions;
using models::kafka::SampledRate;

TEST_CASE("a spike is throttled until the rate over the window has fallen to its bound") {
  // ClientQuotaManagerTest.testQuotaViolation
  SampledRate rate(11, 1s);
  sim::Time now{100s};
  for (int i = 0; i < 10; ++i) {
    rate.record(400, now);
    CHECK(rate.throttle(500, now) == 0ms);
    now += 1s;
  }
  now += 500ms;
  // 10 x 400 + 2300 = 6300 in 10.5 s are 600 a second: (600 - 500) / 500 x 10.5 s
  rate.record(2300, now);
  CHECK(rate.window_size(now) == 10500ms);
  CHECK(rate.throttle(500, now) == 2100ms);
  now += 2100ms;
  for (int i = 0; i < 10; ++i) {
    rate.record(400, now);
    now += 1s;
  }
  rate.record(0, now);
  CHECK(rate.throttle(500, now) == 0ms);  // the spike has left the window
}

TEST_CASE("a rate that has just begun counts over all but one window") {
  SampledRate rate(11, 1s);
  rate.record(1000, sim::Time{5s});
  CHECK(rate.window_size(sim::Time{5s}) == 10s);
  CHECK(rate.per_second(sim::Time{5s}) == 100);
}

TEST_CASE("what is older than the windows is forgotten") {
  SampledRate rate(3, 1s);
  rate.record(1000, sim::Time{1s});
  rate.record(1, sim::Time{5s});
  CHECK(rate.per_second(sim::Time{5s}) == 0.5);
}

// ---- in a world ---------------------------------------------------------------------------------------------------

namespace {

/// 20 kB a second from "shop", to which "billing" listens.
Scenario busy() {
  Scenario s = orders_scenario(60s, sim::ArrivalProcess::poisson(20));
  s.producers[0].size = sim::Distribution::constant(1000);
  s.producers[0].config.linger = 0ms;
  s.groups[0].config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  s.drain = 300s;
  return s;
}

struct Outcome {
  std::int64_t stored = 0, processed = 0;  ///< from the 30th to the 60th second
  bool drained = false;
};

Outcome run(const Scenario& scenario) {
  models::World world(scenario, 1);
  Recorder recorder;
  world.trace().add_sink(recorder);
  Outcome outcome;
  outcome.drained = world.run().drained;
  const auto count = [&recorder](Kind kind) {
    std::int64_t n = 0;
    for (const sim::TraceRecord& r : recorder.of(kind)) {
      if (r.time > sim::Time{30s} && r.time < sim::Time{60s}) n += r.b;
    }
    return n;
  };
  outcome.stored = count(Kind::stored);
  outcome.processed = count(Kind::processed);
  return outcome;
}

}  // namespace

TEST_CASE("a producer is held to its byte rate, and loses nothing") {
  const Outcome free = run(busy());
  Scenario limited = busy();
  limited.kafka->quotas.push_back({.client = "shop", .producer_byte_rate = 10'000});
  const Outcome held = run(limited);
  CHECK(free.stored > 500);
  CHECK(held.stored > 200);
  CHECK(held.stored < 350);  // 300 kB in 30 s, with what surrounds the records
  CHECK(held.drained);
}

TEST_CASE("a consumer is held to its byte rate while the producer is not") {
  Scenario limited = busy();
  limited.kafka->quotas.push_back({.client = "billing", .consumer_byte_rate = 10'000});
  const Outcome held = run(limited);
  CHECK(held.stored > 500);
  CHECK(held.processed > 150);
  CHECK(held.processed < 350);
}

TEST_CASE("a quota without a name is each client's that has none of its own") {
  Scenario limited = busy();
  limited.kafka->quotas.push_back({.producer_byte_rate = 10'000});
  CHECK(run(limited).stored < 350);
  limited.kafka->quotas.push_back({.client = "shop", .producer_byte_rate = 1'000'000});
  CHECK(run(limited).stored > 500);
}

TEST_CASE("a client is held to its share of a request handler thread") {
  Scenario slow = busy();
  slow.kafka->service.request = sim::Distribution::constant(20'000'000);  // 20 times 20 ms a second: 40 %
  CHECK(run(slow).stored > 500);
  slow.kafka->quotas.push_back({.client = "shop", .request_percentage = 10});
  slow.producers[0].config.batch_size = 0;
  const Outcome held = run(slow);
  CHECK(held.stored > 100);
  CHECK(held.stored < 250);  // 5 a second
}

TEST_CASE("acks=0 is throttled for its bytes, too") {
  Scenario limited = busy();
  limited.producers[0].config.acks = 0;
  limited.producers[0].config.enable_idempotence = false;
  limited.kafka->quotas.push_back({.client = "shop", .producer_byte_rate = 10'000});
  CHECK(run(limited).stored < 350);
}

TEST_CASE("a drain waits for requests of acks=0 that a quota holds up: they are late and not lost") {
  Scenario limited = busy();
  limited.duration = 20s;
  limited.producers[0].config.acks = 0;
  limited.producers[0].config.enable_idempotence = false;
  limited.producers[0].config.batch_size = 0;
  limited.kafka->quotas.push_back({.client = "shop", .producer_byte_rate = 10'000});
  models::World world(limited, 1);
  Recorder recorder;
  world.trace().add_sink(recorder);
  const models::RunOutcome outcome = world.run();
  CHECK(outcome.drained);
  CHECK(sim::seconds(outcome.end) > 35);  // twice as much comes as may go
  const auto count = [&recorder](Kind kind) {
    std::int64_t n = 0;
    for (const sim::TraceRecord& r : recorder.of(kind)) n += r.b;
    return n;
  };
  CHECK(count(Kind::stored) == count(Kind::offered));
  CHECK(count(Kind::processed) == count(Kind::offered));
}

TEST_CASE("of the quotas that apply the most specific one holds, the user before the client") {
  using models::kafka::UserOptions;
  const auto stored = [](std::vector<QuotaOptions> quotas) {
    Scenario s = busy();
    s.kafka->users = {UserOptions{"alice", {"shop"}}};
    s.kafka->quotas = std::move(quotas);
    return run(s).stored;
  };
  const double low = 10'000, high = 1'000'000;
  const QuotaOptions pair{.client = "shop", .user = "alice", .producer_byte_rate = low};
  const QuotaOptions user{.client = std::nullopt, .user = "alice", .producer_byte_rate = high};
  const QuotaOptions other_clients{.client = "", .user = "alice", .producer_byte_rate = low};
  const QuotaOptions other_users{.client = "shop", .user = "", .producer_byte_rate = low};
  const QuotaOptions client{.client = "shop", .user = std::nullopt, .producer_byte_rate = low};
  CHECK(stored({user, pair}) < 350);
  CHECK(stored({user, other_clients}) < 350);
  CHECK(stored({user, other_users, client}) > 500);
  CHECK(stored({client}) < 350);
  CHECK(stored({other_users}) < 350);
  CHECK(stored({{.client = "shop", .user = "bob", .producer_byte_rate = low}}) > 500);
  // Each kind by itself: what limits the user's reading says nothing of his writing.
  CHECK(stored({{.client = std::nullopt, .user = "alice", .consumer_byte_rate = high}, client}) < 350);
}

TEST_CASE("the clients of a user share the user's quota, and each pair has its own") {
  using models::kafka::UserOptions;
  const auto stored = [](std::optional<std::string> client) {
    Scenario s = busy();
    s.producers.push_back(s.producers[0]);
    s.producers[1].name = "clerk";
    s.kafka->users = {UserOptions{"alice", {"shop", "clerk"}}};
    s.kafka->quotas.push_back({.client = std::move(client), .user = "alice", .producer_byte_rate = 10'000});
    return run(s).stored;
  };
  CHECK(stored(std::nullopt) < 350);
  CHECK(stored("") > 400);
}
