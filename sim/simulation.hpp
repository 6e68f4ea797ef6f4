// The loop of a run: one clock, one queue of pending events, one FIFO of work for the present instant.
//
// Order. Events run in the total order (time, sequence); a sequence number is drawn whenever something is scheduled, and
// whenever a timer is armed. What is posted runs at the present instant, after the callback that posted it, in FIFO order and
// before any queued event. With `shuffle_ties` the sequence numbers pass through a permutation keyed by the seed: events at
// one instant then run in an order that differs from seed to seed and is the same within one; posted work stays FIFO.
//
// Closures are stored inline (48 bytes of capture, larger ones do not compile) in slots that never move, so a steady state
// allocates nothing. A closure is destroyed when it has run, when it is cancelled, or with the simulation.
//
// Misuse. Scheduling into the past, running from inside a callback and scheduling at kNever are assertions. More than
// `events_per_instant_max` events at one instant throw LivelockError out of run(). An exception thrown by a callback leaves
// run() unchanged; the simulation may be inspected and destroyed afterwards, or run on: without the event that threw, or, after
// a LivelockError, for as many events more.
//
// Single-threaded: one Simulation belongs to one thread at a time. It must outlive its timers, processes and mailboxes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "sim/assert.hpp"
#include "sim/event_list.hpp"
#include "sim/frame_pool.hpp"
#include "sim/ring.hpp"
#include "sim/slot_pool.hpp"
#include "sim/time.hpp"

namespace sim {

class Simulation;
class Timer;

/// More events at one instant than Options::events_per_instant_max: the models chase their own tail.
class LivelockError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Names one scheduled or posted piece of work. Never dangles: once the work has run or was cancelled the handle is
/// dead for good. A default-constructed handle names nothing.
class EventHandle {
 public:
  constexpr EventHandle() = default;
  friend constexpr bool operator==(EventHandle, EventHandle) = default;

 private:
  friend class Simulation;
  constexpr explicit EventHandle(std::uint64_t word) : word_(word) {}
  std::uint64_t word_ = 0;
};

class Simulation {
 public:
  struct Options {
    std::uint64_t seed = 1;
    bool shuffle_ties = false;
    std::uint64_t events_per_instant_max = 10'000'000;
  };

  /// What a closure may capture, in bytes.
  static constexpr std::size_t kCaptureBytes = detail::Slot::kCaptureBytes;

  Simulation() : Simulation(Options{}) {}
  explicit Simulation(const Options& options);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  ~Simulation();

  Time now() const noexcept { return now_; }
  std::uint64_t seed() const noexcept { return options_.seed; }
  /// The sequence number that is drawn next: it says, as the time does, where a run stands.
  std::uint64_t next_sequence() const noexcept { return next_word_ >> detail::kSlotBits; }
  /// Callbacks run so far, posted ones included; a cancelled event is none, and neither is a timer pushed on.
  std::uint64_t events_executed() const noexcept { return executed_; }
  /// Work that is scheduled or posted, armed timers included, cancelled events not.
  std::size_t pending_events() const noexcept {
    return static_cast<std::size_t>((next_word_ >> detail::kSlotBits) - 1 - executed_ - withdrawn_);
  }
  /// Entries in the queue: pending events and what is left of cancelled ones. At most about twice the former.
  std::size_t queued_entries() const noexcept { return queue_.size(); }
  /// Slots made so far, in use and free: as many as were ever needed at once. A timer takes two.
  std::size_t slots() const noexcept { return slots_.size(); }

  /// Runs `f` at `at`. Requires: now() <= at < kNever.
  template <class F>
  EventHandle schedule_at(Time at, F&& f) {
    MQLAB_ASSERT(at >= now_, "an event was scheduled into the past");
    MQLAB_ASSERT(at < kNever, "an event was scheduled at kNever");
    return enqueue(at, std::forward<F>(f));
  }
  /// Runs `f` after `delay`. Requires: delay >= 0.
  template <class F>
  EventHandle schedule_after(Duration delay, F&& f) {
    return enqueue(after(delay), std::forward<F>(f));
  }
  /// Runs `f` at the present instant, after the running callback and what was posted before, ahead of any queued event.
  template <class F>
  EventHandle post(F&& f) {
    const std::uint64_t word = store(std::forward<F>(f));
    posted_.push(word);
    return EventHandle(word);
  }

  /// Destroys the closure without running it. False when it has run, runs now, was cancelled or never was.
  bool cancel(EventHandle handle);
  bool pending(EventHandle handle) const noexcept {
    return detail::names_an_entry(handle.word_) && slots_.holds(handle.word_) &&
           slots_[handle.word_].word == handle.word_;
  }

  /// Runs until nothing is pending or stop() is called.
  void run();
  /// Runs all events at or before `end`; then now() == end, unless stop() was called. Requires: end >= now().
  void run_until(Time end);
  /// Runs one event. False when nothing is pending; the clock then stays where it is.
  bool step();
  /// Runs one event at or before `end`. False when there is none; then now() == end. Requires: end >= now().
  bool step_until(Time end);
  /// Lets the running callback finish, then leaves run() or run_until(). Outside of them it does nothing.
  void stop() noexcept { stopped_ = true; }

  /// The instant `delay` from now. Requires: delay >= 0.
  Time after(Duration delay) const {
    // All in one test of the sign: a negative delay, a sum past the end of time, and one that ends at kNever.
    const auto sum =
        static_cast<std::uint64_t>(nanoseconds(now_)) + static_cast<std::uint64_t>(delay.count());
    MQLAB_ASSERT(static_cast<std::int64_t>(static_cast<std::uint64_t>(delay.count()) | (sum + 1)) >= 0,
                 "a delay is negative or ends past the end of time");
    return Time(Duration(static_cast<std::int64_t>(sum)));
  }

  /// Ends the run with `error` once the running callback is done. For processes, whose frames swallow exceptions.
  void fail(std::exception_ptr error) noexcept;
  detail::FramePool& frames() noexcept { return frames_; }

 private:
  friend class Timer;
  class Running;

  template <class F>
  static void act(Simulation& simulation, detail::Slot& slot, detail::Action action) {
    F& stored = slot.as<F>();
    if (action == detail::Action::destroy) [[unlikely]] {
      stored.~F();
      simulation.slots_.give_back(slot);
      return;
    }
    // Out of the slot first: what the closure schedules finds it free, and hot.
    F f(std::move(stored));
    stored.~F();
    simulation.slots_.give_back(slot);
    f();
  }

  template <class F>
  EventHandle enqueue(Time at, F&& f) {
    const std::uint64_t word = store(std::forward<F>(f));
    queue_.push({nanoseconds(at), word});
    return EventHandle(word);
  }

  template <class F>
  std::uint64_t store(F&& f) {
    using Closure = std::decay_t<F>;
    static_assert(sizeof(Closure) <= kCaptureBytes,
                  "a closure captures at most 48 bytes: capture a pointer instead");
    static_assert(alignof(Closure) <= 16, "a closure is aligned to at most 16 bytes");
    static_assert(std::is_nothrow_constructible_v<Closure, F&&>, "a closure is moved in without throwing");
    static_assert(std::is_nothrow_move_constructible_v<Closure>, "a closure moves without throwing");
    static_assert(std::is_invocable_v<Closure&>, "a closure takes no arguments");
    detail::Slot& slot = slots_.take();
    ::new (static_cast<void*>(slot.storage)) Closure(std::forward<F>(f));
    slot.act = &act<Closure>;
    const std::uint64_t word = slot.word | draw_sequence();
    slot.word = word;
    return word;
  }

  /// A sequence number, where a word has it: above the bits of the slot.
  std::uint64_t draw_sequence() {
    const std::uint64_t sequence = next_word_;
    next_word_ += kOneSequence;
    return sequence < plain_words_end_ ? sequence : draw_specially(sequence);
  }
  std::uint64_t draw_specially(std::uint64_t sequence) const;

  bool execute_next(std::int64_t limit);
  void loop(std::int64_t limit);
  bool run_one(std::int64_t limit);
  void pass_time(Time end) noexcept;
  void begin_event(Time at) {
    if (at != now_) {
      now_ = at;
      instant_began_ = executed_;
    } else if (executed_ - instant_began_ >= options_.events_per_instant_max) [[unlikely]] {
      report_livelock();
    }
    ++executed_;
  }
  [[noreturn]] void report_livelock();
  void meet_dead_entry(detail::Entry entry);
  void reclaim_dead_entries();
  void note_dead_entry() {
    if (queue_.size() > 2 * pending_events() + kDeadEntriesSpared) [[unlikely]]
      reclaim_dead_entries();
  }
  void rethrow_failure();

  static constexpr std::size_t kDeadEntriesSpared = 1024;
  static constexpr std::uint64_t kOneSequence = std::uint64_t{1} << detail::kSlotBits;

  detail::SlotPool slots_;
  detail::EventList queue_;
  Time now_{};
  std::uint64_t executed_ = 0;
  std::uint64_t instant_began_ = 0;  ///< executed_ when the clock last moved
  std::uint64_t next_word_ = kOneSequence;
  std::uint64_t plain_words_end_;  ///< from here on drawing takes more than counting: shuffled, or used up
  std::uint64_t withdrawn_ = 0;    ///< numbers drawn for what was cancelled, disarmed or armed anew
  bool stopped_ = false;
  bool running_ = false;
  Ring<std::uint64_t> posted_;
  Options options_;
  std::uint64_t tie_keys_[4] = {};
  std::exception_ptr failure_;
  detail::FramePool frames_;
};

}  // namespace sim
