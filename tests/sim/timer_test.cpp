#include "sim/timer.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/catch.hpp"

using namespace std::chrono_literals;
using sim::Simulation;
using sim::Time;
using sim::Timer;

TEST_CASE("a timer fires once, at its deadline") {
  Simulation simulation;
  std::vector<Time> fired;
  Timer timer(simulation, [&] { fired.push_back(simulation.now()); });
  CHECK_FALSE(timer.armed());
  CHECK(timer.deadline() == sim::kNever);
  timer.arm_after(2s);
  CHECK(timer.armed());
  CHECK(timer.deadline() == Time(2s));
  simulation.run();
  CHECK(fired == std::vector<Time>{Time(2s)});
  CHECK_FALSE(timer.armed());
}

TEST_CASE("a timer armed anew keeps the last deadline, later or earlier") {
  Simulation simulation;
  std::vector<Time> fired;
  Timer timer(simulation, [&] { fired.push_back(simulation.now()); });
  timer.arm_after(2s);
  timer.arm_after(5s);
  simulation.run();
  CHECK(fired == std::vector<Time>{Time(5s)});
  timer.arm_at(Time(20s));
  timer.arm_at(Time(10s));
  timer.arm_at(Time(15s));
  simulation.run();
  CHECK(fired == std::vector<Time>{Time(5s), Time(15s)});
  CHECK(simulation.events_executed() == 2);
  CHECK(simulation.pending_events() == 0);
}

TEST_CASE("a timer put off costs no event and does not move the clock") {
  Simulation simulation;
  Timer timer(simulation, [] {});
  timer.arm_after(1s);
  timer.arm_after(10s);
  simulation.schedule_after(5s, [&] { simulation.stop(); });
  simulation.run();
  CHECK(simulation.events_executed() == 1);
  CHECK(simulation.now() == Time(5s));
  CHECK(simulation.queued_entries() == 1);
}

TEST_CASE("among ties a timer stands where it was armed last, as if it had been scheduled then") {
  Simulation simulation;
  std::string order;
  Timer timer(simulation, [&] { order += 't'; });
  timer.arm_at(Time(1s));
  simulation.schedule_at(Time(3s), [&] { order += 'a'; });
  timer.arm_at(Time(3s));
  simulation.schedule_at(Time(3s), [&] { order += 'b'; });
  simulation.run();
  CHECK(order == "atb");
  timer.arm_at(Time(5s));
  simulation.schedule_at(Time(5s), [&] { order += 'c'; });
  timer.arm_at(Time(5s));  // the same instant, a later sequence
  simulation.run();
  CHECK(order == "atbct");
}

TEST_CASE("a disarmed timer does not fire and can be armed again") {
  Simulation simulation;
  int fired = 0;
  Timer timer(simulation, [&] { ++fired; });
  timer.arm_after(1s);
  timer.disarm();
  timer.disarm();
  CHECK(simulation.pending_events() == 0);
  simulation.run();
  CHECK(fired == 0);
  timer.arm_after(1s);
  timer.disarm();
  timer.arm_after(2s);
  simulation.run();
  CHECK(fired == 1);
}

TEST_CASE("a timer's callback may arm, disarm or destroy its own timer") {
  Simulation simulation;
  const auto owned = std::make_shared<int>(0);
  std::optional<Timer> timer;
  int fired = 0;
  timer.emplace(simulation, [&fired, &timer, owned] {
    if (++fired < 3) {
      timer->arm_after(1s);
    } else if (fired == 3) {
      timer->arm_after(1s);
      timer->disarm();
      timer->arm_after(1s);
    } else {
      timer.reset();
      ++*owned;  // what the callback captured is still there
    }
  });
  timer->arm_after(1s);
  simulation.run();
  CHECK(fired == 4);
  CHECK(simulation.now() == Time(4s));
  CHECK(*owned == 1);
  CHECK(owned.use_count() == 1);
}

TEST_CASE("a timer destroyed while armed leaves nothing behind") {
  Simulation simulation;
  const auto owned = std::make_shared<int>(0);
  int fired = 0;
  {
    Timer timer(simulation, [&fired, owned] { ++fired; });
    timer.arm_after(1s);
  }
  CHECK(owned.use_count() == 1);
  CHECK(simulation.pending_events() == 0);
  Timer another(simulation, [&fired] { fired += 10; });  // takes the same slots
  another.arm_after(2s);
  simulation.run();
  CHECK(fired == 10);
}

TEST_CASE("a callback that throws leaves its timer usable") {
  Simulation simulation;
  int fired = 0;
  Timer timer(simulation, [&] {
    if (++fired == 1) throw std::runtime_error("broken");
  });
  timer.arm_after(1s);
  CHECK_THROWS_AS(simulation.run(), std::runtime_error);
  timer.arm_after(1s);
  simulation.run();
  CHECK(fired == 2);
}

TEST_CASE("arming for the past or for kNever is an assertion") {
  Simulation simulation;
  simulation.run_until(Time(2s));
  Timer timer(simulation, [] {});
  CHECK_THROWS_AS(timer.arm_at(Time(1s)), sim::AssertionError);
  CHECK_THROWS_AS(timer.arm_at(sim::kNever), sim::AssertionError);
  CHECK_THROWS_AS(timer.arm_after(-1s), sim::AssertionError);
  CHECK_FALSE(timer.armed());
}

TEST_CASE("timers that are put off, brought forward and disarmed for long do not make the queue grow") {
  Simulation simulation;
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 10; ++i) timers.push_back(std::make_unique<Timer>(simulation, [] {}));
  std::size_t most = 0;
  std::uint64_t x = 1;
  for (int i = 0; i < 300'000; ++i) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    Timer& timer = *timers[(x >> 33) % timers.size()];
    if ((x >> 40) % 5 == 0) {
      timer.disarm();
    } else {
      timer.arm_after(sim::Duration(static_cast<std::int64_t>((x >> 24) % 30'000'000'000)));
    }
    if (i % 4 == 0) simulation.run_until(simulation.now() + 1us);
    most = std::max(most, simulation.queued_entries());
  }
  CHECK(most < 1100);
}
