// A condition: processes wait until somebody says that something changed. It remembers nothing: a notification that nobody
// waits for is gone, so a process checks its predicate first and waits in a loop.
//
// Waiters are woken in the order in which they came. A notify_one() whose receiver crashes before it has gone on passes to the
// next one that waits, so that no wake-up is lost.
#pragma once

#include <cstddef>

#include "sim/wait_queue.hpp"

namespace sim {

class Condition {
 public:
  class Wait;
  class TimedWait;

  explicit Condition(Simulation& simulation) : waiters_(simulation) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  void notify_one() {
    if (!waiters_.empty()) waiters_.notify_first();
  }
  void notify_all() {
    while (!waiters_.empty()) waiters_.notify_first();
  }
  bool has_waiters() const noexcept { return !waiters_.empty(); }

  /// `co_await condition.wait();`
  Wait wait();
  /// `if (!co_await condition.wait_for(5s)) …`: false when the time passed first.
  TimedWait wait_for(Duration timeout);

 private:
  detail::WaitQueue waiters_;
};

class Condition::Wait {
 public:
  explicit Wait(Condition& condition) noexcept : condition_(&condition) {}

  bool ready() const noexcept { return false; }
  void arm(Waiter& waiter) noexcept { condition_->waiters_.add(node_, waiter); }
  void disarm() {
    const bool passes_on = node_.notified() && !node_.orphaned();
    node_.leave();
    if (passes_on) condition_->notify_one();
  }
  void take() noexcept { node_.finish(); }

 protected:
  Condition* condition_;
  detail::WaitNode node_;
};

class Condition::TimedWait : public Condition::Wait {
 public:
  TimedWait(Condition& condition, Duration timeout)
      : Wait(condition), simulation_(condition.waiters_.simulation()), timeout_(timeout) {}

  void arm(Waiter& waiter) {
    Wait::arm(waiter);
    deadline_ = simulation_.schedule_after(timeout_, [this, &waiter] {
      // It cannot have been notified at this very instant and not gone on: the FIFO runs before any event.
      node_.leave();
      waiter.wake();
    });
  }
  void disarm() {
    simulation_.cancel(deadline_);
    Wait::disarm();
  }
  bool take() {
    const bool notified = node_.notified();
    if (notified) simulation_.cancel(deadline_);
    node_.finish();
    return notified;
  }

 private:
  Simulation& simulation_;
  Duration timeout_;
  EventHandle deadline_;
};

inline Condition::Wait Condition::wait() {
  return Wait(*this);
}
inline Condition::TimedWait Condition::wait_for(Duration timeout) {
  return {*this, timeout};
}

}  // namespace sim
