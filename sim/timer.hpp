// A timer that is armed again and again: session, request, linger and visibility timeouts.
//
// Re-arming for a later deadline costs a few stores: the queued entry stays where it is and is pushed on to the new deadline
// when it comes up. The order of events is nevertheless as if the timer had been cancelled and scheduled anew: a timer draws its
// sequence number when it is armed, and it is the one its entry carries when the deadline comes.
//
// The callback may re-arm, disarm or destroy its own timer. A timer cannot be moved, and must not outlive its Simulation.
#pragma once

#include <new>
#include <type_traits>
#include <utility>

#include "sim/simulation.hpp"

namespace sim {

class Timer {
 public:
  /// Not armed yet. The callback captures at most Simulation::kCaptureBytes.
  template <class F>
  Timer(Simulation& simulation, F&& callback) : simulation_(simulation) {
    using Closure = std::decay_t<F>;
    static_assert(sizeof(Closure) <= Simulation::kCaptureBytes, "a callback captures at most 48 bytes");
    static_assert(alignof(Closure) <= 16, "a callback is aligned to at most 16 bytes");
    static_assert(std::is_nothrow_constructible_v<Closure, F&&>, "a callback is moved in without throwing");
    detail::Slot& body = acquire();
    ::new (static_cast<void*>(body.storage)) Closure(std::forward<F>(callback));
    body.act = &act<Closure>;
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();

  /// Sets or moves the deadline. Requires: now() <= at < kNever.
  void arm_at(Time at) {
    MQLAB_ASSERT(at >= simulation_.now_, "a timer was armed for the past");
    MQLAB_ASSERT(at < kNever, "a timer was armed for kNever: disarm it instead");
    State& state = slot_->as<State>();
    const bool was_armed = slot_->live();
    const std::uint64_t word = (slot_->word & detail::kSlotMask) | simulation_.draw_sequence();
    const detail::Entry entry{nanoseconds(at), word};
    slot_->word = word;
    state.deadline = entry.time;
    simulation_.withdrawn_ += was_armed ? 1 : 0;
    if (state.queued.word == 0 || !detail::before(state.queued, entry)) [[unlikely]]
      enqueue(entry);
  }
  /// Requires: delay >= 0.
  void arm_after(Duration delay) { arm_at(simulation_.after(delay)); }
  /// Does nothing when not armed.
  void disarm() noexcept;

  bool armed() const noexcept { return slot_->live(); }
  /// kNever when not armed.
  Time deadline() const noexcept { return armed() ? Time(Duration(slot_->as<State>().deadline)) : kNever; }

 private:
  friend class Simulation;

  /// What the timer's slot stores. The slot's word is that of the deadline; an entry in the queue may carry an older one.
  struct State {
    detail::Entry queued;  ///< the entry that stands in the queue; its word is 0 when there is none
    std::int64_t deadline;
    detail::Slot* body;  ///< where the callback lives
    bool running;        ///< the callback runs
    bool died;           ///< the timer was destroyed by its own callback
  };

  template <class F>
  static void act(Simulation&, detail::Slot& body, detail::Action action) {
    F& f = body.as<F>();
    if (action == detail::Action::run) {
      f();
    } else {
      f.~F();
    }
  }

  detail::Slot& acquire();
  static void release(Simulation& simulation, detail::Slot& slot);
  void enqueue(const detail::Entry& entry);
  static void fire(Simulation& simulation, detail::Slot& slot, detail::Action action);

  Simulation& simulation_;
  detail::Slot* slot_;  ///< order key and deadline
};

}  // namespace sim
