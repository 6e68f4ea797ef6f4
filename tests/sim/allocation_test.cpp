// A steady state of the engine allocates nothing.
#include <memory>
#include <vector>

#include "sim/process.hpp"
#include "sim/timer.hpp"
#include "tests/allocations.hpp"
#include "tests/catch.hpp"

namespace {

using namespace std::chrono_literals;
using sim::Simulation;

/// A delay between 0 and 2^30 ns that follows from the one before.
struct Delays {
  std::uint64_t state = 1;
  sim::Duration next() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return sim::Duration(static_cast<std::int64_t>(state >> 34));
  }
};

/// Runs for a while to reach the steady state, then counts.
std::size_t allocations_in_steady_state(Simulation& simulation) {
  simulation.run_until(simulation.now() + 100s);
  const std::size_t before = tests::allocations();
  const std::size_t slots =
      simulation.slots();  // not on the heap: a slot that is not given back shows only here
  const std::uint64_t events = simulation.events_executed();
  simulation.run_until(simulation.now() + 100s);
  const std::size_t after = tests::allocations();
  CHECK(simulation.events_executed() > events + 500);
  CHECK(simulation.slots() == slots);
  return after - before;
}

sim::Process short_lived(Simulation& simulation, sim::Mailbox<int>& mailbox) {
  co_await sim::delay(simulation, 1ms);
  mailbox.put(1);
}

sim::Process server(Simulation& simulation, sim::Mailbox<int>& mailbox, sim::Condition& condition) {
  for (;;) {
    co_await sim::first_of(mailbox.receive(), sim::delay(simulation, 1s));
    condition.notify_all();
  }
}

sim::Process watcher(Simulation&, sim::Condition& condition) {
  for (;;) co_await condition.wait_for(10ms);
}

}  // namespace

TEST_CASE("the counter of allocations counts") {
  const std::size_t before = tests::allocations();
  // Not a new-expression, which a compiler may leave out together with its delete.
  void* const memory = ::operator new(8);
  const std::size_t after = tests::allocations();
  ::operator delete(memory);
  CHECK(after == before + 1);
}

TEST_CASE("events, cancelled ones among them, allocate nothing in a steady state") {
  for (const int pending : {2, 100, 5000}) {
    Simulation simulation;
    Delays delays;
    struct Hop {
      Simulation& simulation;
      Delays& delays;
      void operator()() const {
        simulation.schedule_after(delays.next(), *this);
        simulation.cancel(simulation.schedule_after(delays.next(), *this));
        simulation.post([] {});
      }
    };
    for (int i = 0; i < pending; ++i) simulation.schedule_after(delays.next(), Hop{simulation, delays});
    CHECK(allocations_in_steady_state(simulation) == 0);
  }
}

TEST_CASE("timers allocate nothing in a steady state") {
  Simulation simulation;
  Delays delays;
  std::vector<std::unique_ptr<sim::Timer>> timers;
  struct Rearm {
    std::vector<std::unique_ptr<sim::Timer>>& timers;
    Delays& delays;
    Simulation& simulation;
    void operator()() const {
      for (int i = 0; i < 3; ++i) {
        const auto delay = delays.next();
        timers[static_cast<std::size_t>(delay.count()) % timers.size()]->arm_after(delay);
      }
      sim::Timer brief(simulation, [] {});
      brief.arm_after(1s);
    }
  };
  for (int i = 0; i < 100; ++i)
    timers.push_back(std::make_unique<sim::Timer>(simulation, Rearm{timers, delays, simulation}));
  for (const auto& timer : timers) timer->arm_after(delays.next());
  CHECK(allocations_in_steady_state(simulation) == 0);
}

TEST_CASE("processes that come, wait in every way and go allocate nothing in a steady state") {
  Simulation simulation;
  sim::Mailbox<int> mailbox(simulation);
  sim::Condition condition(simulation);
  const sim::Process a = server(simulation, mailbox, condition);
  const sim::Process b = watcher(simulation, condition);
  sim::Process brief;
  struct Spawn {
    Simulation& simulation;
    sim::Mailbox<int>& mailbox;
    sim::Process& brief;
    void operator()() const {
      brief = short_lived(simulation, mailbox);
      simulation.schedule_after(20ms, *this);
    }
  };
  simulation.schedule_after(1ms, Spawn{simulation, mailbox, brief});
  CHECK(allocations_in_steady_state(simulation) == 0);
}
