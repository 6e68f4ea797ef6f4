// Calls to a dependency: what it takes, what becomes of them in an outage, attempts, back-off and the circuit breaker.
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "models/clients/caller.hpp"
#include "models/network/network.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using models::BreakerCode;
using models::BreakerOptions;
using models::CallCode;
using models::CallOptions;
using models::DependencyOptions;
using models::Kind;

namespace {

struct Rows final : sim::TraceSink {
  void consume(const sim::TraceBlock& block) override {
    rows.insert(rows.end(), block.records.begin(), block.records.end());
  }
  std::vector<sim::TraceRecord> rows;
};

struct World final : models::CallerOwner, models::NodeProgram {
  explicit World(const DependencyOptions& dependency_options, const CallOptions& calls,
                 std::size_t threads = 4)
      : network(simulation, {}),
        context{simulation, trace, entities, network, steps},
        shop(simulation, network, entities.add(models::EntityKind::member, "billing/0"),
             network.add_host("billing/0"), "billing/0"),
        host(simulation, network, entities.add(models::EntityKind::dependency, "bank"),
             network.add_host("bank"), "bank"),
        dependency(context, host, dependency_options),
        caller(context, shop, {}, "billing", calls, dependency, threads, *this) {
    trace.add_sink(sink);
    shop.set_program(*this);
  }
  void call_over(std::size_t thread, bool answered, std::uint32_t attempts) override {
    over[thread] = {answered, attempts, simulation.now()};
  }
  void breaker_moved() override { ++moves; }
  void crashed() override { caller.crashed(); }
  void restarted() override {}
  void paused() override { caller.paused(); }
  void resumed() override { caller.resumed(); }
  void run_for(sim::Duration d) {
    simulation.run_until(simulation.now() + d);
    trace.flush();
  }
  std::size_t ended(CallCode code) const {
    std::size_t n = 0;
    for (const auto& r : sink.rows) {
      n +=
          r.kind == static_cast<std::uint16_t>(Kind::call_ended) && r.code == static_cast<std::uint16_t>(code)
              ? 1
              : 0;
    }
    return n;
  }
  std::vector<sim::Duration> calls_at() const {
    std::vector<sim::Duration> times;
    for (const auto& r : sink.rows) {
      if (r.kind == static_cast<std::uint16_t>(Kind::called)) times.push_back(r.time - sim::Time{});
    }
    return times;
  }
  std::vector<BreakerCode> breaker_states() const {
    std::vector<BreakerCode> states;
    for (const auto& r : sink.rows) {
      if (r.kind == static_cast<std::uint16_t>(Kind::breaker_state))
        states.push_back(static_cast<BreakerCode>(r.code));
    }
    return states;
  }

  struct Over {
    bool answered = false;
    std::uint32_t attempts = 0;
    sim::Time at{};
  };
  sim::Simulation simulation;
  sim::Trace trace;
  models::Entities entities;
  models::Steps steps;
  models::Network network;
  models::Context context;
  models::Node shop, host;
  models::Dependency dependency;
  models::Caller caller;
  Rows sink;
  std::map<std::size_t, Over> over;
  int moves = 0;
};

DependencyOptions bank(sim::Duration service = 10ms, std::uint32_t concurrency = 1,
                       std::uint32_t queue = 100) {
  DependencyOptions options;
  options.name = "bank";
  options.service = sim::Distribution::constant(static_cast<double>(service.count()));
  options.concurrency = concurrency;
  options.queue = queue;
  options.latency = 1ms;
  return options;
}

CallOptions calls(std::uint32_t attempts = 3, sim::Duration backoff = 100ms) {
  CallOptions options;
  options.to = "bank";
  options.timeout = 50ms;
  options.attempts = attempts;
  options.backoff = backoff;
  return options;
}

CallOptions broken(bool pauses) {
  CallOptions options = calls(3, 10ms);
  options.breaker =
      BreakerOptions{.window = 4, .min_calls = 4, .open = 1s, .half_open_calls = 2, .pauses = pauses};
  return options;
}

}  // namespace

TEST_CASE("a dependency works on so many calls at a time, in order, and is so far away", "[calls]") {
  World w(bank(), calls());
  for (std::size_t i = 0; i < 3; ++i) w.caller.begin(i, 0, i);
  w.run_for(1s);
  REQUIRE(w.over.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(w.over[i].answered);
    CHECK(w.over[i].at == sim::Time{2ms + 10ms * (i + 1)});
  }
}

TEST_CASE("what a dependency can neither work on nor let wait it turns away", "[calls]") {
  World w(bank(10ms, 1, 1), calls(1));
  for (std::size_t i = 0; i < 4; ++i) w.caller.begin(i, 0, i);
  w.run_for(1s);
  CHECK(w.ended(CallCode::answered) == 2);
  CHECK(w.ended(CallCode::overloaded) == 2);
}

TEST_CASE("a call that was given up is worked on all the same, and holds up those behind it", "[calls]") {
  World w(bank(60ms), calls(1));
  w.caller.begin(0, 0, 0);
  w.run_for(51ms);
  REQUIRE(w.over.size() == 1);
  CHECK(w.ended(CallCode::timed_out) == 1);
  w.caller.begin(1, 0, 1);  // at 51 ms; its turn comes at 61 ms, and it is done at 121 ms
  w.run_for(1s);
  CHECK(w.ended(CallCode::timed_out) == 2);
  CHECK(w.ended(CallCode::answered) == 0);
}

TEST_CASE("a dependency whose process is down refuses at once, and loses what it had", "[calls]") {
  World w(bank(), calls(1));
  w.caller.begin(0, 0, 0);
  w.caller.begin(1, 0, 1);
  w.run_for(5ms);
  w.host.crash();
  w.caller.begin(2, 0, 2);
  w.run_for(5ms);
  CHECK(w.ended(CallCode::lost) == 2);
  CHECK(w.ended(CallCode::refused) == 1);
  w.host.restart();
  w.caller.begin(3, 0, 3);
  w.run_for(1s);
  CHECK(w.ended(CallCode::answered) == 1);
}

TEST_CASE("a dependency that stands still lets calls wait, and goes on where it stood", "[calls]") {
  CallOptions patient = calls(1);
  patient.timeout = 10s;
  World w(bank(), patient);
  w.caller.begin(0, 0, 0);
  w.run_for(5ms);  // 4 ms of its work are done
  w.host.pause();
  w.caller.begin(1, 0, 1);
  w.run_for(1s);
  CHECK(w.over.empty());
  w.host.resume();
  w.run_for(1s);
  CHECK(w.over[0].at == sim::Time{1005ms + 6ms + 1ms});
  CHECK(w.over[1].at == sim::Time{1005ms + 16ms + 1ms});
}

TEST_CASE("attempts follow one another after back-offs that grow, up to a bound", "[calls]") {
  CallOptions options = calls(5, 100ms);
  options.multiplier = 2;
  options.backoff_max = 300ms;
  World w(bank(), options);
  w.host.crash();
  w.caller.begin(0, 0, 0);
  w.run_for(10s);
  CHECK(w.calls_at() == std::vector<sim::Duration>{1ms, 103ms, 305ms, 607ms, 909ms});
  CHECK_FALSE(w.over[0].answered);
  CHECK(w.over[0].attempts == 5);
}

TEST_CASE("jitter spreads what would come at once", "[calls]") {
  CallOptions options = calls(2, 100ms);
  options.jitter = 0.5;
  World w(bank(), options);
  w.host.crash();
  for (std::size_t i = 0; i < 4; ++i) w.caller.begin(i, 0, i);
  w.run_for(10s);
  const auto at = w.calls_at();
  REQUIRE(at.size() == 8);
  for (std::size_t i = 4; i < 8; ++i) {
    CHECK(at[i] > 53ms);
    CHECK(at[i] < 153ms);
    if (i > 4) CHECK(at[i] > at[i - 1]);
  }
}

TEST_CASE("without a bound a call is tried until it is answered", "[calls]") {
  World w(bank(), calls(0, 100ms));
  w.host.crash();
  w.caller.begin(0, 0, 0);
  w.run_for(20s);
  CHECK(w.over.empty());
  w.host.restart();
  w.run_for(1s);
  CHECK(w.over[0].answered);
  CHECK(w.over[0].attempts > 100);
}

TEST_CASE("an answer that comes while the caller stands still is taken up when it goes on", "[calls]") {
  World w(bank(), calls(1));
  w.caller.begin(0, 0, 0);
  w.shop.pause();
  w.run_for(20ms);
  CHECK(w.over.empty());
  w.shop.resume();
  w.run_for(1ms);
  CHECK(w.over[0].answered);
}

TEST_CASE("an answer to a process that has died is nobody's", "[calls]") {
  World w(bank(), calls(1));
  w.caller.begin(0, 0, 0);
  w.shop.crash();
  w.shop.restart();
  w.caller.begin(0, 0, 1);
  w.run_for(13ms);  // the first answer is there, the second call still worked on
  CHECK(w.over.empty());
  w.run_for(1s);
  CHECK(w.over[0].answered);
}

TEST_CASE("a breaker opens when enough of the last calls have failed, not sooner", "[calls]") {
  models::Breaker breaker(
      {.failure_rate = 0.5, .window = 4, .min_calls = 3, .open = 1s, .half_open_calls = 2});
  CHECK(breaker.permits());
  CHECK_FALSE(breaker.ended(false));
  CHECK_FALSE(breaker.ended(true));
  CHECK(breaker.state() == BreakerCode::closed);
  CHECK(breaker.ended(false));  // two of three
  CHECK(breaker.state() == BreakerCode::open);
  CHECK_FALSE(breaker.permits());
  CHECK_FALSE(breaker.ended(true));  // what was under way is not counted
}

TEST_CASE("a breaker forgets calls beyond its window", "[calls]") {
  models::Breaker breaker(
      {.failure_rate = 0.75, .window = 4, .min_calls = 4, .open = 1s, .half_open_calls = 2});
  for (const bool answered : {false, false, true, true, true, true, false})
    CHECK_FALSE(breaker.ended(answered));
  CHECK_FALSE(breaker.ended(false));  // true true false false
  CHECK(breaker.ended(false));
}

TEST_CASE("a half-open breaker lets some through, and closes or opens by what becomes of them", "[calls]") {
  models::Breaker breaker(
      {.failure_rate = 0.6, .window = 1, .min_calls = 1, .open = 1s, .half_open_calls = 2});
  CHECK(breaker.ended(false));
  breaker.half_open();
  CHECK(breaker.permits());
  CHECK(breaker.permits());
  CHECK_FALSE(breaker.permits());
  CHECK_FALSE(breaker.ended(false));
  CHECK(breaker.ended(true));  // one of two is below 0.6
  CHECK(breaker.state() == BreakerCode::closed);
  CHECK(breaker.ended(false));
  breaker.half_open();
  CHECK_FALSE(breaker.ended(false));
  CHECK(breaker.ended(false));
  CHECK(breaker.state() == BreakerCode::open);
}

TEST_CASE("behind a breaker that pauses an outage uses up nobody's attempts", "[calls]") {
  World w(bank(), broken(true));
  w.host.crash();
  for (std::size_t i = 0; i < 4; ++i) w.caller.begin(i, 0, i);
  w.run_for(10s);
  CHECK(w.over.empty());
  CHECK(w.caller.holds());
  // Four at first, then two a second, and the other two whenever those have failed.
  CHECK(w.calls_at().size() < 40);
  w.host.restart();
  w.run_for(2s);
  CHECK_FALSE(w.caller.holds());
  CHECK(w.over.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) CHECK(w.over[i].answered);
  CHECK(w.breaker_states().front() == BreakerCode::open);
  CHECK(w.breaker_states().back() == BreakerCode::closed);
  CHECK(w.moves >= 3);
}

TEST_CASE("behind a breaker that fails calls an outage uses attempts up at once", "[calls]") {
  World w(bank(), broken(false));
  w.host.crash();
  for (std::size_t i = 0; i < 4; ++i) w.caller.begin(i, 0, i);
  w.run_for(900ms);
  CHECK(w.over.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) CHECK_FALSE(w.over[i].answered);
  CHECK(w.ended(CallCode::not_permitted) == 8);
  CHECK(w.calls_at().size() == 4);
}
