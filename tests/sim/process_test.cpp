#include "sim/process.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/catch.hpp"

using namespace std::chrono_literals;
using sim::Condition;
using sim::Mailbox;
using sim::Process;
using sim::Simulation;
using sim::Time;

namespace {

using Log = std::vector<std::string>;

std::string at(const Simulation& simulation, const std::string& what) {
  return std::to_string(sim::nanoseconds(simulation.now()) / 1'000'000) + " " + what;
}

Process sleeper(Simulation& simulation, Log& log, sim::Duration span) {
  log.push_back(at(simulation, "begins"));
  co_await sim::delay(simulation, span);
  log.push_back(at(simulation, "woke"));
}

Process receiver(Simulation& simulation, Log& log, Mailbox<int>& mailbox, std::string name) {
  for (;;) {
    const int value = co_await mailbox.receive();
    log.push_back(at(simulation, name + std::to_string(value)));
  }
}

Process waiter(Simulation& simulation, Log& log, Condition& condition, std::string name) {
  for (;;) {
    co_await condition.wait();
    log.push_back(at(simulation, name));
  }
}

Process timed_waiter(Simulation& simulation, Log& log, Condition& condition, sim::Duration timeout) {
  for (;;) {
    const bool notified = co_await condition.wait_for(timeout);
    log.push_back(at(simulation, notified ? "notified" : "timeout"));
  }
}

Process chooser(Simulation& simulation, Log& log, Mailbox<std::string>& left, Mailbox<int>& right) {
  for (;;) {
    auto first = co_await sim::first_of(left.receive(), right.receive(), sim::delay(simulation, 1s));
    if (first.index() == 0) {
      log.push_back(at(simulation, "left " + first.get<0>()));
    } else if (first == 1) {
      log.push_back(at(simulation, "right " + std::to_string(first.get<1>())));
    } else {
      log.push_back(at(simulation, "neither"));
    }
  }
}

/// Says when it is destroyed.
struct Local {
  Log& log;
  ~Local() { log.push_back("destroyed"); }
};

}  // namespace

TEST_CASE("a process begins through the FIFO and sleeps in virtual time") {
  Simulation simulation;
  Log log;
  const Process process = sleeper(simulation, log, 5ms);
  CHECK(log.empty());
  simulation.run();
  CHECK(log == Log{"0 begins", "5 woke"});
  CHECK(process.done());
}

TEST_CASE("values come out of a mailbox in order, each to one receiver, first come first served") {
  Simulation simulation;
  Log log;
  Mailbox<int> mailbox(simulation);
  const Process a = receiver(simulation, log, mailbox, "a");
  const Process b = receiver(simulation, log, mailbox, "b");
  simulation.schedule_after(1ms, [&] {
    for (int i = 1; i <= 5; ++i) mailbox.put(i);
    CHECK(mailbox.size() == 3);  // two are promised
  });
  simulation.run();
  CHECK(log == Log{"1 a1", "1 a2", "1 a3", "1 a4", "1 b5"});
  CHECK(mailbox.empty());
}

TEST_CASE("a promised value cannot be taken by somebody else") {
  Simulation simulation;
  Log log;
  Mailbox<int> mailbox(simulation);
  const Process a = receiver(simulation, log, mailbox, "a");
  simulation.run();
  mailbox.put(1);
  CHECK_FALSE(mailbox.try_receive().has_value());
  mailbox.put(2);
  CHECK(mailbox.try_receive() == 1);  // the values are alike: one of the two is promised, whichever
  simulation.run();
  CHECK(log == Log{"0 a2"});
}

TEST_CASE("a condition wakes one or all of those who wait, in the order in which they came") {
  Simulation simulation;
  Log log;
  Condition condition(simulation);
  const Process a = waiter(simulation, log, condition, "a");
  const Process b = waiter(simulation, log, condition, "b");
  condition.notify_all();  // nobody waits yet: remembered by nobody
  simulation.schedule_after(1ms, [&] { condition.notify_one(); });
  simulation.schedule_after(2ms, [&] { condition.notify_all(); });
  simulation.run();
  CHECK(log == Log{"1 a", "2 b", "2 a"});
}

TEST_CASE("waiting with a timeout says which came first") {
  Simulation simulation;
  Log log;
  Condition condition(simulation);
  const Process process = timed_waiter(simulation, log, condition, 10ms);
  simulation.schedule_after(4ms, [&] { condition.notify_one(); });
  simulation.run_until(Time(20ms));
  CHECK(log == Log{"4 notified", "14 timeout"});
}

TEST_CASE("the first of several wins, and the others keep what they had") {
  Simulation simulation;
  Log log;
  Mailbox<std::string> left(simulation);
  Mailbox<int> right(simulation);
  const Process process = chooser(simulation, log, left, right);
  simulation.schedule_after(10ms, [&] {
    right.put(1);
    left.put("a text too long to be stored inline");
    right.put(2);
  });
  simulation.run_until(Time(1500ms));
  CHECK(log ==
        Log{"10 right 1", "10 left a text too long to be stored inline", "10 right 2", "1010 neither"});
}

TEST_CASE("the result of a source that did not come first is an assertion") {
  Simulation simulation;
  std::optional<bool> fired;
  struct Body {
    static Process run(Simulation& simulation, std::optional<bool>& fired) {
      auto first = co_await sim::first_of(sim::delay(simulation, 1s), sim::delay(simulation, 2s));
      try {
        first.get<1>();
        fired = false;
      } catch (const sim::AssertionError&) {
        fired = true;
      }
    }
  };
  const Process process = Body::run(simulation, fired);
  simulation.run();
  CHECK(fired == true);
}

TEST_CASE("an exception out of a process is rethrown from run, whenever it was thrown") {
  struct Body {
    static Process at_once(Simulation&) {
      throw std::runtime_error("at once");
      co_return;
    }
    static Process later(Simulation& simulation) {
      co_await sim::delay(simulation, 1s);
      throw std::runtime_error("later");
    }
  };
  Simulation simulation;
  const Process a = Body::at_once(simulation);
  CHECK_THROWS_WITH(simulation.run(), "at once");
  CHECK(a.done());
  const Process b = Body::later(simulation);
  CHECK_THROWS_WITH(simulation.run_until(Time(5s)), "later");
  CHECK(simulation.now() == Time(1s));
  const Process c = Body::later(simulation);
  CHECK_THROWS_WITH(
      [&] {
        while (simulation.step()) {
        }
      }(),
      "later");
}

TEST_CASE("a crash before the first step keeps the body from running") {
  Simulation simulation;
  Log log;
  { const Process process = sleeper(simulation, log, 1s); }
  CHECK(simulation.pending_events() == 0);
  simulation.run();
  CHECK(log.empty());
}

TEST_CASE("a crash in a delay destroys the locals and withdraws the event") {
  struct Body {
    static Process run(Simulation& simulation, Log& log) {
      const Local local{log};
      co_await sim::delay(simulation, 1s);
      log.push_back("ran on");
    }
  };
  Simulation simulation;
  Log log;
  Process process = Body::run(simulation, log);
  simulation.run_until(Time(1ms));
  CHECK(simulation.pending_events() == 1);
  process.crash();
  CHECK(log == Log{"destroyed"});
  CHECK(simulation.pending_events() == 0);
  simulation.run();
  CHECK(log == Log{"destroyed"});
  CHECK(process.done());
}

TEST_CASE("a crash while waiting at a mailbox leaves the value to others") {
  Simulation simulation;
  Log log;
  Mailbox<int> mailbox(simulation);
  Process a = receiver(simulation, log, mailbox, "a");
  const Process b = receiver(simulation, log, mailbox, "b");
  simulation.run();
  SECTION("before a value came") {
    a.crash();
    mailbox.put(1);
    simulation.run();
    CHECK(log == Log{"0 b1"});
  }
  SECTION("between promise and receipt: the next receiver gets it") {
    mailbox.put(1);
    a.crash();
    simulation.run();
    CHECK(log == Log{"0 b1"});
  }
  SECTION("between promise and receipt, with nobody else: it stays") {
    mailbox.put(1);
    mailbox.put(2);
    a.crash();
    CHECK(mailbox.try_receive() == 1);
    simulation.run();
    CHECK(log == Log{"0 b2"});
  }
}

TEST_CASE("a crash while waiting at a condition passes the notification on") {
  Simulation simulation;
  Log log;
  Condition condition(simulation);
  Process a = waiter(simulation, log, condition, "a");
  const Process b = waiter(simulation, log, condition, "b");
  simulation.run();
  SECTION("before it was notified") {
    a.crash();
    condition.notify_one();
    simulation.run();
    CHECK(log == Log{"0 b"});
  }
  SECTION("between notification and going on") {
    condition.notify_one();
    a.crash();
    simulation.run();
    CHECK(log == Log{"0 b"});
  }
}

TEST_CASE("a crash in a timed wait withdraws both the wait and the timeout") {
  Simulation simulation;
  Log log;
  Condition condition(simulation);
  Process process = timed_waiter(simulation, log, condition, 10ms);
  simulation.run_until(Time(1ms));
  SECTION("while it waits") {
    process.crash();
  }
  SECTION("when it was notified") {
    condition.notify_one();
    process.crash();
  }
  CHECK(simulation.pending_events() == 0);
  CHECK_FALSE(condition.has_waiters());
  simulation.run();
  CHECK(log.empty());
}

TEST_CASE("a crash in first_of withdraws all its sources") {
  Simulation simulation;
  Log log;
  Mailbox<std::string> left(simulation);
  Mailbox<int> right(simulation);
  Process process = chooser(simulation, log, left, right);
  simulation.run_until(Time(1ms));
  SECTION("while it waits") {}
  SECTION("when one source completed") {
    right.put(7);
  }
  process.crash();
  CHECK(simulation.pending_events() == 0);
  right.put(1);
  left.put("x");
  simulation.run();
  CHECK(log.empty());
  CHECK(left.size() == 1);
}

TEST_CASE("a process that is destroyed by its own doing dies at its next wait") {
  struct Body {
    static Process run(Simulation& simulation, Log& log, Process& self) {
      const Local local{log};
      co_await sim::delay(simulation, 1ms);
      self.crash();
      log.push_back("goes on to the next wait");
      co_await sim::delay(simulation, 1ms);
      log.push_back("ran on");
    }
  };
  Simulation simulation;
  Log log;
  Process process;
  process = Body::run(simulation, log, process);
  simulation.run();
  CHECK(log == Log{"goes on to the next wait", "destroyed"});
  CHECK(simulation.pending_events() == 0);
}

TEST_CASE(
    "a process that is destroyed by its own doing and waits no more dies at its end, also by an exception") {
  struct Body {
    static Process run(Simulation& simulation, Log& log, Process& self, bool fails) {
      const Local local{log};
      co_await sim::delay(simulation, 1ms);
      self.crash();
      log.push_back("goes on to its end");
      if (fails) throw std::runtime_error("no more");
    }
  };
  for (const bool fails : {false, true}) {
    Simulation simulation;
    Log log;
    Process process;
    process = Body::run(simulation, log, process, fails);
    if (fails) {
      CHECK_THROWS_WITH(simulation.run(), "no more");
    } else {
      simulation.run();
    }
    CHECK(log == Log{"goes on to its end", "destroyed"});
    CHECK(process.done());
    CHECK(simulation.pending_events() == 0);
  }
}

namespace {

/// A process that holds itself, to crash itself, and a mailbox to wait at.
struct OwnUndoing {
  Simulation simulation;
  Log log;
  Mailbox<int> mailbox{simulation};
  Process process;
  template <class Body>
  void run(bool choose) {
    process = Body::run(simulation, log, mailbox, process, choose);
    simulation.run();
  }
};

}  // namespace

TEST_CASE("a wait that is refused leaves the body running: crashed then, the process dies at its next wait") {
  struct Body {
    static Process run(Simulation& simulation, Log& log, Mailbox<int>& mailbox, Process& self, bool choose) {
      const Local local{log};
      co_await sim::delay(simulation, 1ms);
      try {
        if (choose) {
          co_await sim::first_of(mailbox.receive(), sim::delay(simulation, -1ms));
        } else {
          co_await sim::delay(simulation, -1ms);
        }
      } catch (const sim::AssertionError&) {
        log.push_back("refused");
      }
      self.crash();
      log.push_back("goes on to the next wait");
      co_await mailbox.receive();
      log.push_back("ran on");
    }
  };
  for (const bool choose : {false, true}) {
    OwnUndoing w;
    w.run<Body>(choose);
    CHECK(w.log == Log{"refused", "goes on to the next wait", "destroyed"});
    w.mailbox.put(1);
    w.simulation.run();
    CHECK(w.mailbox.size() == 1);
    CHECK(w.simulation.pending_events() == 0);
  }
}

TEST_CASE("a process that is crashed while its wait is set up dies there") {
  struct Fatal {
    Process* process;
    bool* withdrawn;
    bool ready() const { return false; }
    void arm(sim::Waiter&) { process->crash(); }
    void disarm() { *withdrawn = true; }
    void take() {}
  };
  struct Body {
    static Process run(Simulation&, Log& log, Process& self, bool& withdrawn) {
      const Local local{log};
      co_await Fatal{&self, &withdrawn};
      log.push_back("ran on");
    }
  };
  Simulation simulation;
  Log log;
  bool withdrawn = false;
  Process process;
  process = Body::run(simulation, log, process, withdrawn);
  simulation.run();
  CHECK(log == Log{"destroyed"});
  CHECK(withdrawn);
}

TEST_CASE("a process that is destroyed by its own doing takes nothing more, even if it is there") {
  struct Body {
    static Process run(Simulation& simulation, Log& log, Mailbox<int>& mailbox, Process& self, bool choose) {
      const Local local{log};
      co_await sim::delay(simulation, 1ms);
      self.crash();
      if (choose) {
        co_await sim::first_of(mailbox.receive(), sim::delay(simulation, 1s));
      } else {
        co_await mailbox.receive();
      }
      log.push_back("ran on");
    }
  };
  for (const bool choose : {false, true}) {
    OwnUndoing w;
    w.mailbox.put(1);
    w.run<Body>(choose);
    CHECK(w.log == Log{"destroyed"});
    CHECK(w.mailbox.size() == 1);
    CHECK(w.simulation.pending_events() == 0);
  }
}

namespace {

Process one_of_conditions(Simulation& simulation, Log& log, Condition& left, Condition& right) {
  for (;;) {
    auto first = co_await sim::first_of(left.wait(), right.wait_for(2s));
    if (first.index() == 0) {
      log.push_back(at(simulation, "left"));
    } else {
      log.push_back(at(simulation, first.get<1>() ? "right" : "right in vain"));
    }
  }
}

Process nested(Simulation& simulation, Log& log, Mailbox<int>& near, Mailbox<int>& far) {
  for (;;) {
    auto first =
        co_await sim::first_of(sim::first_of(near.receive(), sim::delay(simulation, 1s)), far.receive());
    if (first.index() == 1) {
      log.push_back(at(simulation, "far " + std::to_string(first.get<1>())));
    } else if (first.get<0>().index() == 0) {
      log.push_back(at(simulation, "near " + std::to_string(first.get<0>().get<0>())));
    } else {
      log.push_back(at(simulation, "neither"));
    }
  }
}

}  // namespace

TEST_CASE("conditions, with and without a timeout, are sources of first_of") {
  Simulation simulation;
  Log log;
  Condition left(simulation);
  Condition right(simulation);
  Process process = one_of_conditions(simulation, log, left, right);
  simulation.schedule_at(Time(1s), [&] { left.notify_one(); });
  simulation.schedule_at(Time(1500ms), [&] { right.notify_all(); });
  simulation.run_until(Time(4s));
  CHECK(log == Log{"1000 left", "1500 right", "3500 right in vain"});
  process.crash();
  CHECK_FALSE(left.has_waiters());
  CHECK_FALSE(right.has_waiters());
  CHECK(simulation.pending_events() == 0);
}

TEST_CASE("a condition's notification that came second in first_of passes to the next who waits") {
  Simulation simulation;
  Log log;
  Condition left(simulation);
  Condition right(simulation);
  Process first = one_of_conditions(simulation, log, left, right);
  Process second = waiter(simulation, log, right, "second");
  simulation.schedule_at(Time(1s), [&] {
    left.notify_one();
    right.notify_one();
  });
  simulation.run_until(Time(1500ms));
  CHECK(log == Log{"1000 left", "1000 second"});
}

TEST_CASE("first_of may stand in another first_of") {
  Simulation simulation;
  Log log;
  Mailbox<int> near(simulation);
  Mailbox<int> far(simulation);
  Process process = nested(simulation, log, near, far);
  simulation.schedule_at(Time(500ms), [&] { near.put(1); });
  simulation.schedule_at(Time(800ms), [&] { far.put(2); });
  simulation.schedule_at(Time(900ms), [&] {
    near.put(3);
    far.put(4);
  });
  simulation.run_until(Time(2s));
  CHECK(log == Log{"500 near 1", "800 far 2", "900 near 3", "900 far 4", "1900 neither"});
  process.crash();
  CHECK(simulation.pending_events() == 0);
}

TEST_CASE("a mailbox or condition may die while a first_of waits at it") {
  Simulation simulation;
  Log log;
  std::optional<Mailbox<int>> dying(std::in_place, simulation);
  std::optional<Condition> mute(std::in_place, simulation);
  Mailbox<int> lives(simulation);
  Condition speaks(simulation);
  Process mail = nested(simulation, log, *dying, lives);
  Process wait = one_of_conditions(simulation, log, *mute, speaks);
  simulation.run_until(Time(500ms));
  dying.reset();
  mute.reset();
  simulation.schedule_at(Time(600ms), [&] { speaks.notify_one(); });
  simulation.schedule_at(Time(600ms), [&] {
    wait.crash();
    mail.crash();
  });
  CHECK(simulation.pending_events() == 4);
  simulation.run_until(Time(700ms));
  CHECK(log == Log{"600 right"});
  CHECK(simulation.pending_events() == 0);
}

TEST_CASE("a mailbox or condition may die before those who wait at it") {
  Simulation simulation;
  Log log;
  std::optional<Mailbox<int>> mailbox(std::in_place, simulation);
  std::optional<Condition> condition(std::in_place, simulation);
  Process a = receiver(simulation, log, *mailbox, "a");
  Process b = receiver(simulation, log, *mailbox, "b");
  Process c = waiter(simulation, log, *condition, "c");
  Process d = timed_waiter(simulation, log, *condition, 1s);
  simulation.run_until(Time(1ms));
  mailbox->put(1);  // promised to a
  mailbox.reset();
  condition.reset();
  CHECK_THROWS_AS(
      [&] {
        a.crash();
        b.crash();
        c.crash();
        d.crash();
        throw 1;
      }(),
      int);
  simulation.run();
  CHECK(log.empty());
}

TEST_CASE("assigning to a process crashes what it held") {
  Simulation simulation;
  Log log;
  Process process = sleeper(simulation, log, 1ms);
  simulation.run_until(Time(500us));
  process = sleeper(simulation, log, 3ms);
  simulation.run();
  CHECK(log == Log{"0 begins", "0 begins", "3 woke"});
}

TEST_CASE("processes still alive when the simulation's queue holds their owner are destroyed with it") {
  Log log;
  {
    Simulation simulation;
    struct Body {
      static Process run(Simulation& simulation, Log& log) {
        const Local local{log};
        co_await sim::delay(simulation, 1h);
      }
    };
    auto owned = std::make_unique<Process>(Body::run(simulation, log));
    simulation.run_until(Time(1ms));
    simulation.schedule_after(2h, [keeper = std::move(owned)] {});
  }
  CHECK(log == Log{"destroyed"});
}
