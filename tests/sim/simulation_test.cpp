#include "sim/simulation.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/timer.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using sim::EventHandle;
using sim::Simulation;
using sim::Time;

namespace {

using Log = std::vector<std::string>;

/// The order in which forty events at one instant run.
std::vector<int> order_of_ties(std::uint64_t seed) {
  Simulation simulation({.seed = seed, .shuffle_ties = true});
  std::vector<int> order;
  for (int i = 0; i < 40; ++i) simulation.schedule_at(Time(1s), [&order, i] { order.push_back(i); });
  simulation.run();
  return order;
}

}  // namespace

TEST_CASE("events run in order of time, and of scheduling where times are equal") {
  Simulation simulation;
  std::vector<std::pair<int, Time>> log;
  const auto note = [&](int id) {
    return [&log, &simulation, id] { log.emplace_back(id, simulation.now()); };
  };
  simulation.schedule_at(Time(2s), note(1));
  simulation.schedule_at(Time(1s), note(2));
  simulation.schedule_after(2s, note(3));
  simulation.schedule_after(0s, note(4));
  simulation.run();
  CHECK(log == std::vector<std::pair<int, Time>>{{4, Time(0s)}, {2, Time(1s)}, {1, Time(2s)}, {3, Time(2s)}});
  CHECK(simulation.events_executed() == 4);
  CHECK(simulation.pending_events() == 0);
}

TEST_CASE("posted work runs after the callback, in FIFO order, before any queued event") {
  Simulation simulation;
  Log log;
  simulation.schedule_after(1s, [&] {
    simulation.schedule_after(0s, [&] { log.push_back("queued"); });
    simulation.post([&] {
      log.push_back("first");
      simulation.post([&] { log.push_back("third"); });
    });
    simulation.post([&] { log.push_back("second"); });
    log.push_back("callback");
  });
  simulation.schedule_after(1s, [&] { log.push_back("same instant"); });
  simulation.run();
  CHECK(log == Log{"callback", "first", "second", "third", "same instant", "queued"});
  CHECK(simulation.now() == Time(1s));
}

TEST_CASE("a cancelled event does not run, and its handle is dead for good") {
  Simulation simulation;
  int runs = 0;
  const EventHandle cancelled = simulation.schedule_after(1s, [&] { ++runs; });
  CHECK(simulation.pending(cancelled));
  CHECK(simulation.cancel(cancelled));
  CHECK_FALSE(simulation.pending(cancelled));
  CHECK_FALSE(simulation.cancel(cancelled));
  const EventHandle next = simulation.schedule_after(1s, [&] { ++runs; });  // takes the same slot
  CHECK_FALSE(simulation.cancel(cancelled));
  CHECK(simulation.pending(next));
  simulation.run();
  CHECK(runs == 1);
  CHECK_FALSE(simulation.pending(next));
  CHECK_FALSE(simulation.cancel(EventHandle()));
}

TEST_CASE("posted work can be cancelled") {
  Simulation simulation;
  int runs = 0;
  const EventHandle posted = simulation.post([&] { ++runs; });
  simulation.post([&] { ++runs; });
  CHECK(simulation.pending_events() == 2);
  CHECK(simulation.cancel(posted));
  CHECK(simulation.pending_events() == 1);
  simulation.run();
  CHECK(runs == 1);
}

TEST_CASE("an event is no longer pending while it runs") {
  Simulation simulation;
  EventHandle self;
  bool pending = true;
  bool cancelled = true;
  self = simulation.schedule_after(1s, [&] {
    pending = simulation.pending(self);
    cancelled = simulation.cancel(self);
  });
  simulation.run();
  CHECK_FALSE(pending);
  CHECK_FALSE(cancelled);
}

TEST_CASE("run_until runs what is due, sets the clock, and leaves the rest") {
  Simulation simulation;
  int runs = 0;
  for (const auto delay : {1s, 2s, 3s}) simulation.schedule_after(delay, [&] { ++runs; });
  simulation.run_until(Time(2s));
  CHECK(runs == 2);
  CHECK(simulation.now() == Time(2s));
  simulation.run_until(Time(2500ms));
  CHECK(simulation.now() == Time(2500ms));
  simulation.schedule_after(100ms, [&] { runs += 10; });  // before what the queue has looked at
  simulation.run_until(Time(10s));
  CHECK(runs == 13);
  CHECK(simulation.now() == Time(10s));
}

TEST_CASE("step runs one event and says whether there was one") {
  Simulation simulation;
  int runs = 0;
  simulation.schedule_after(1s, [&] { simulation.post([&] { ++runs; }); });
  CHECK(simulation.step());
  CHECK(runs == 0);
  CHECK(simulation.step());
  CHECK(runs == 1);
  CHECK_FALSE(simulation.step());
}

TEST_CASE("stop ends the run after the running callback, and the next run goes on") {
  Simulation simulation;
  int runs = 0;
  for (int i = 1; i <= 3; ++i) {
    simulation.schedule_after(std::chrono::seconds(i), [&] {
      ++runs;
      simulation.stop();
    });
  }
  simulation.run();
  CHECK(runs == 1);
  simulation.run_until(Time(9s));
  CHECK(runs == 2);
  CHECK(simulation.now() == Time(2s));  // stopped before the end
  simulation.run();
  CHECK(runs == 3);
}

TEST_CASE("scheduling into the past, at kNever or after a negative delay is an assertion") {
  Simulation simulation;
  simulation.run_until(Time(5s));
  CHECK_THROWS_AS(simulation.schedule_at(Time(4s), [] {}), sim::AssertionError);
  CHECK_THROWS_AS(simulation.schedule_at(sim::kNever, [] {}), sim::AssertionError);
  CHECK_THROWS_AS(simulation.schedule_after(-1ns, [] {}), sim::AssertionError);
  CHECK_THROWS_AS(simulation.schedule_after(sim::Duration::max(), [] {}), sim::AssertionError);
  CHECK_THROWS_AS(simulation.run_until(Time(4s)), sim::AssertionError);
  CHECK(simulation.pending_events() == 0);
}

TEST_CASE("a failed assertion names expression, place and message") {
  try {
    MQLAB_ASSERT(1 + 1 == 3, "arithmetic");
    FAIL("the assertion did not fire");
  } catch (const sim::AssertionError& error) {
    const std::string text = error.what();
    CHECK(text.find("1 + 1 == 3") != std::string::npos);
    CHECK(text.find("simulation_test.cpp") != std::string::npos);
    CHECK(text.find("arithmetic") != std::string::npos);
  }
}

TEST_CASE("running a simulation from inside a callback is an assertion") {
  Simulation simulation;
  simulation.schedule_after(1s, [&] { simulation.run(); });
  CHECK_THROWS_AS(simulation.run(), sim::AssertionError);
}

TEST_CASE("an exception of a callback leaves run, and the simulation can run on") {
  Simulation simulation;
  int runs = 0;
  simulation.schedule_after(1s, [] { throw std::runtime_error("broken"); });
  simulation.schedule_after(2s, [&] { ++runs; });
  CHECK_THROWS_AS(simulation.run(), std::runtime_error);
  CHECK(simulation.now() == Time(1s));
  simulation.run();
  CHECK(runs == 1);
}

TEST_CASE("more events at one instant than allowed are reported as a livelock") {
  struct Chaser {
    Simulation& simulation;
    bool through_fifo;
    void operator()() const {
      if (through_fifo) {
        simulation.post(*this);
      } else {
        simulation.schedule_after(0s, *this);
      }
    }
  };
  for (const bool through_fifo : {false, true}) {
    Simulation simulation({.events_per_instant_max = 1000});
    simulation.schedule_after(1s, Chaser{simulation, through_fifo});
    CHECK_THROWS_AS(simulation.run(), sim::LivelockError);
    CHECK(simulation.events_executed() <= 1001);
  }
}

TEST_CASE("after a livelock the simulation runs on with what was not begun") {
  for (const bool through_fifo : {false, true}) {
    Simulation simulation({.events_per_instant_max = 10});
    int runs = 0;
    int rings = 0;
    sim::Timer timer(simulation, [&] { ++rings; });
    simulation.schedule_at(Time(1s), [&] {
      for (int i = 0; i < 14; ++i) {
        if (through_fifo) {
          simulation.post([&] { ++runs; });
        } else {
          simulation.schedule_after(0s, [&] { ++runs; });
        }
      }
      timer.arm_after(0s);
    });
    CHECK_THROWS_AS(simulation.run(), sim::LivelockError);
    CHECK(runs == 9);
    CHECK(simulation.pending_events() == 6);
    simulation.run();
    CHECK(runs == 14);
    CHECK(rings == 1);
    CHECK(simulation.pending_events() == 0);
    timer.arm_after(1s);
    simulation.run();
    CHECK(rings == 2);
  }
}

TEST_CASE("a timer that a livelock held back rings when the run goes on") {
  Simulation simulation({.events_per_instant_max = 3});
  int rings = 0;
  sim::Timer timer(simulation, [&] { ++rings; });
  for (int i = 0; i < 3; ++i) simulation.schedule_at(Time(1s), [] {});
  timer.arm_at(Time(1s));
  CHECK_THROWS_AS(simulation.run(), sim::LivelockError);
  CHECK(timer.armed());
  timer.arm_at(Time(2s));
  simulation.run();
  CHECK(rings == 1);
}

TEST_CASE("a step that finds nothing takes the clock along, and what is scheduled then is met in order") {
  Simulation simulation;
  std::vector<std::int64_t> times;
  const auto note = [&] { times.push_back(sim::nanoseconds(simulation.now())); };
  for (int i = 0; i < 70; ++i) simulation.schedule_at(Time(sim::Duration(1000 + i)), note);
  CHECK_FALSE(simulation.step_until(Time(999ns)));
  CHECK(simulation.now() == Time(999ns));
  CHECK_THROWS_AS(simulation.schedule_at(Time(10ns), note), sim::AssertionError);
  CHECK_THROWS_AS(simulation.step_until(Time(10ns)), sim::AssertionError);
  for (int i = 0; i < 40; ++i) simulation.schedule_at(Time(sim::Duration(999 + i)), note);
  while (simulation.step_until(Time(2000ns))) {
  }
  CHECK(times.size() == 110);
  CHECK(std::is_sorted(times.begin(), times.end()));
  CHECK_FALSE(simulation.step());
  CHECK(simulation.now() == Time(2000ns));
}

TEST_CASE("a thousand events at each of many instants are no livelock") {
  Simulation simulation({.events_per_instant_max = 1000});
  for (int instant = 0; instant < 5; ++instant) {
    for (int i = 0; i < 1000; ++i) simulation.schedule_at(Time(std::chrono::seconds(instant)), [] {});
  }
  simulation.run();
  CHECK(simulation.events_executed() == 5000);
}

TEST_CASE("shuffled ties differ between seeds and are equal within one") {
  const std::vector<int> plain = [] {
    std::vector<int> order(40);
    for (int i = 0; i < 40; ++i) order[static_cast<std::size_t>(i)] = i;
    return order;
  }();
  CHECK(order_of_ties(1) == order_of_ties(1));
  CHECK(order_of_ties(1) != order_of_ties(2));
  CHECK(order_of_ties(1) != plain);
  std::vector<int> sorted = order_of_ties(3);
  std::sort(sorted.begin(), sorted.end());
  CHECK(sorted == plain);
}

TEST_CASE("shuffling moves no event to another time and leaves posted work in order") {
  Simulation simulation({.seed = 5, .shuffle_ties = true});
  std::vector<int> order;
  for (int i = 0; i < 100; ++i)
    simulation.schedule_at(Time(std::chrono::seconds(i)), [&order, i] { order.push_back(i); });
  simulation.run();
  for (int i = 0; i < 100; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
  order.clear();
  for (int i = 0; i < 100; ++i) simulation.post([&order, i] { order.push_back(i); });
  simulation.run();
  for (int i = 0; i < 100; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("what a closure owns is destroyed when it ran, was cancelled, or the simulation ends") {
  const auto owned = std::make_shared<int>(0);
  {
    Simulation simulation;
    simulation.schedule_after(1s, [owned] {});
    const EventHandle cancelled = simulation.schedule_after(2s, [owned] {});
    simulation.schedule_after(3s, [owned] {});
    simulation.post([owned] {});
    CHECK(owned.use_count() == 5);
    simulation.cancel(cancelled);
    CHECK(owned.use_count() == 4);
    simulation.run_until(Time(1s));
    CHECK(owned.use_count() == 2);
    simulation.schedule_after(9s, [owned] { throw std::runtime_error("broken"); });
    CHECK_THROWS(simulation.run());
    CHECK(owned.use_count() == 1);
    simulation.schedule_after(9s, [owned] {});
  }
  CHECK(owned.use_count() == 1);
}

TEST_CASE("a closure keeps its place and its state while the pool grows around it") {
  Simulation simulation;
  std::size_t sum = 0;
  simulation.schedule_after(1s,
                            [&sum, &simulation, text = std::string("a text too long to be stored inline")] {
                              for (int i = 0; i < 100'000; ++i) simulation.schedule_after(1s, [] {});
                              sum += text.size();
                            });
  simulation.run();
  CHECK(sum == 35);
}

TEST_CASE("cancelled events are reclaimed under churn") {
  Simulation simulation;
  std::size_t most = 0;
  EventHandle timeout;
  for (int i = 0; i < 200'000; ++i) {
    simulation.cancel(timeout);
    timeout = simulation.schedule_after(30s, [] {});
    simulation.schedule_after(1ms, [] {});
    simulation.step();
    most = std::max(most, simulation.queued_entries());
  }
  CHECK(simulation.pending_events() == 1);
  CHECK(most < 1100);
}
