// Arbitrary programs of schedule, cancel, post, arm, disarm run on the engine and on a plain reference; both must do the same.
#include <rapidcheck.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <vector>

#include "sim/simulation.hpp"
#include "sim/timer.hpp"
#include "tests/catch.hpp"

namespace {

/// What happened: the work's number, and when.
using Log = std::vector<std::pair<std::uint64_t, std::int64_t>>;

constexpr std::size_t kTimers = 6;

/// The reference: one ordered set, cancelling by erasing, re-arming by cancelling and scheduling anew.
class Reference {
 public:
  std::int64_t now() const { return now_; }
  void schedule(std::int64_t delay, std::uint64_t work) { place(work, now_ + delay); }
  void post(std::uint64_t work) { posted_.push_back(work); }
  void cancel(std::uint64_t work) {
    erase(work);
    std::erase(posted_, work);
  }
  void arm(std::size_t timer, std::int64_t delay) {
    erase(timer);
    place(timer, now_ + delay);
  }
  void disarm(std::size_t timer) { erase(timer); }

  void run(const std::function<void(std::uint64_t)>& act) {
    for (;;) {
      std::uint64_t work;
      if (!posted_.empty()) {
        work = posted_.front();
        posted_.pop_front();
      } else if (!queue_.empty()) {
        work = std::get<2>(*queue_.begin());
        now_ = std::get<0>(*queue_.begin());
        erase(work);
      } else {
        return;
      }
      act(work);
    }
  }

 private:
  void place(std::uint64_t work, std::int64_t at) {
    const auto entry = std::tuple(at, sequence_++, work);
    queue_.insert(entry);
    where_[work] = entry;
  }
  void erase(std::uint64_t work) {
    const auto found = where_.find(work);
    if (found == where_.end()) return;
    queue_.erase(found->second);
    where_.erase(found);
  }

  std::int64_t now_ = 0;
  std::uint64_t sequence_ = 0;
  std::set<std::tuple<std::int64_t, std::uint64_t, std::uint64_t>> queue_;
  std::map<std::uint64_t, std::tuple<std::int64_t, std::uint64_t, std::uint64_t>> where_;
  std::deque<std::uint64_t> posted_;
};

/// The same verbs on the engine.
class Engine {
 public:
  Engine() {
    for (std::size_t i = 0; i < kTimers; ++i) {
      timers_.push_back(std::make_unique<sim::Timer>(simulation_, [this, i] { act_(i); }));
    }
  }
  std::int64_t now() const { return sim::nanoseconds(simulation_.now()); }
  void schedule(std::int64_t delay, std::uint64_t work) {
    handles_[work] = simulation_.schedule_after(sim::Duration(delay), [this, work] { act_(work); });
  }
  void post(std::uint64_t work) {
    handles_[work] = simulation_.post([this, work] { act_(work); });
  }
  void cancel(std::uint64_t work) { simulation_.cancel(handles_[work]); }
  void arm(std::size_t timer, std::int64_t delay) { timers_[timer]->arm_after(sim::Duration(delay)); }
  void disarm(std::size_t timer) { timers_[timer]->disarm(); }

  void run(const std::function<void(std::uint64_t)>& act) {
    act_ = act;
    // In pieces, so that looking ahead is part of the program.
    for (int i = 0; i < 50; ++i) {
      const sim::Time end = simulation_.now() + sim::Duration(1'000'003);
      if (i % 2 == 0) {
        simulation_.run_until(end);
      } else {
        while (simulation_.step_until(end)) {
        }
      }
      RC_ASSERT(simulation_.now() == end);
    }
    simulation_.run();
    RC_ASSERT(simulation_.pending_events() == 0u);
  }

 private:
  sim::Simulation simulation_;
  std::map<std::uint64_t, sim::EventHandle> handles_;
  std::vector<std::unique_ptr<sim::Timer>> timers_;
  std::function<void(std::uint64_t)> act_;
};

/// Runs a program that is a function of the seed: what a piece of work does when it runs follows from its number alone.
template <class Machine>
Log run_program(std::uint64_t seed, std::uint64_t works_most, unsigned fan_out) {
  Machine machine;
  Log log;
  std::uint64_t next_work = kTimers;
  std::uint64_t state = seed;
  const auto draw = [&state](std::uint64_t n) {
    state += 0x9E3779B97F4A7C15u;
    std::uint64_t z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (z ^ z >> 31) % n;
  };
  const auto delay = [&draw] {
    switch (draw(4)) {
      case 0:
        return std::int64_t{0};
      case 1:
        return static_cast<std::int64_t>(draw(4) * 1'000'000);
      case 2:
        return static_cast<std::int64_t>(draw(std::uint64_t{1} << draw(30)));
      default:
        return static_cast<std::int64_t>(draw(50));
    }
  };
  const auto act_once = [&] {
    switch (draw(8)) {
      case 0:
      case 1:
      case 2:
        if (next_work < works_most) machine.schedule(delay(), next_work++);
        break;
      case 3:
        if (next_work < works_most) machine.post(next_work++);
        break;
      case 4:
        machine.cancel(kTimers + draw(next_work - kTimers + 1));
        break;
      case 5:
      case 6:
        if (next_work < works_most) machine.arm(draw(kTimers), delay());
        break;
      default:
        machine.disarm(draw(kTimers));
        break;
    }
  };
  const auto act = [&](std::uint64_t work) {
    log.emplace_back(work, machine.now());
    for (std::uint64_t i = draw(fan_out); i > 0; --i) act_once();
  };
  for (int i = 0; i < 20; ++i) act_once();
  machine.run(act);
  return log;
}

}  // namespace

TEST_CASE("arbitrary programs of schedule, cancel, post and timers run as on the reference") {
  REQUIRE(rc::check([](std::uint64_t seed) {
    const auto works = *rc::gen::element<std::uint64_t>(20, 300, 3000);
    const auto fan_out = *rc::gen::element<unsigned>(4, 6, 12);
    RC_ASSERT(run_program<Engine>(seed, works, fan_out) == run_program<Reference>(seed, works, fan_out));
  }));
}
