// Processes: C++20 coroutines that live in virtual time. Include "sim/process.hpp" for the whole vocabulary.
//
//     sim::Process worker(sim::Simulation& simulation, sim::Mailbox<Job>& jobs) {
//       for (;;) {
//         const Job job = co_await jobs.receive();
//         co_await sim::delay(simulation, job.work);
//       }
//     }
//
// Lifecycle. A process function takes a Simulation& among its parameters and returns a Process, which owns the coroutine.
// The body starts through the FIFO of the present instant, and runs until its next co_await. Destroying the Process, at any
// suspension point, is a crash: locals are destroyed, what it waited for is withdrawn, nothing of it runs again. Destroyed while
// its own body runs (by a fault that the body itself set off), the process dies at its next co_await or at its end.
// Parameters of reference type must outlive the process; captures of a coroutine lambda do not, so use functions.
//
// An exception that leaves a process's body ends the run: run(), run_until() or step() rethrows it.
//
// Awaitables ("sources") are plain objects with four members, so that first_of() can combine them:
//     bool ready()             completes without waiting; called first
//     void arm(Waiter&)        calls waiter.wake() once, from an event of its own; where it throws the body goes on
//     void disarm()            withdraws, as far as it was armed; wake() is not called any more
//     R    take()              the result, after ready() was true or wake() was called
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

#include "sim/simulation.hpp"

namespace sim {

namespace detail {

class ProcessPromise;

/// Something that chooses among several sources: first_of().
class WaitingGroup {
 public:
  virtual void woken(std::size_t index) = 0;

 protected:
  ~WaitingGroup() = default;
};

template <class Source>
class Await;

template <class... Arguments>
Simulation& simulation_among(Arguments&... arguments) {
  static_assert((std::is_same_v<Arguments, Simulation> || ...),
                "a process function takes a Simulation& among its parameters");
  Simulation* found = nullptr;
  const auto look = [&found](auto& argument) {
    if constexpr (std::is_same_v<std::remove_reference_t<decltype(argument)>, Simulation>) found = &argument;
  };
  (look(arguments), ...);
  return *found;
}

}  // namespace detail

/// Who is to go on when a source completes: a process, or a group that has this source as one of several.
class Waiter {
 public:
  explicit Waiter(detail::ProcessPromise& process) noexcept : process_(&process) {}
  Waiter(detail::WaitingGroup& group, std::size_t index) noexcept
      : process_(nullptr), group_(&group), index_(index) {}
  /// Resumes who waits; the source may be gone when this returns.
  inline void wake();
  /// The process that waits here, and nowhere else; null for a group.
  detail::ProcessPromise* process() const noexcept { return process_; }

 private:
  detail::ProcessPromise* process_;
  detail::WaitingGroup* group_;  ///< means something when there is no process, as the next
  std::size_t index_;
};

/// Owns a coroutine; its destruction is a crash. Move-only; an empty Process owns nothing.
class [[nodiscard]] Process {
 public:
  using promise_type = detail::ProcessPromise;

  Process() = default;
  Process(Process&& other) noexcept : promise_(std::exchange(other.promise_, nullptr)) {}
  Process& operator=(Process&& other) noexcept {
    if (this != &other) {
      crash();
      promise_ = std::exchange(other.promise_, nullptr);
    }
    return *this;
  }
  ~Process() { crash(); }

  /// Destroys the coroutine where it waits. Does nothing when empty.
  void crash() noexcept;
  /// True when the body has returned or thrown, and for an empty Process.
  bool done() const noexcept;

 private:
  friend class detail::ProcessPromise;
  explicit Process(detail::ProcessPromise& promise) : promise_(&promise) {}
  detail::ProcessPromise* promise_ = nullptr;
};

namespace detail {

class ProcessPromise {
 public:
  template <class... Arguments>
  explicit ProcessPromise(Arguments&... arguments) : simulation_(simulation_among(arguments...)) {}
  ProcessPromise(const ProcessPromise&) = delete;
  ProcessPromise& operator=(const ProcessPromise&) = delete;
  ~ProcessPromise() {
    if (!started_) simulation_.cancel(start_);
  }

  template <class... Arguments>
  static void* operator new(std::size_t bytes, Arguments&... arguments) {
    return simulation_among(arguments...).frames().allocate(bytes);
  }
  static void operator delete(void* frame, std::size_t bytes) noexcept { FramePool::release(frame, bytes); }

  Process get_return_object() {
    start_ = simulation_.post([this] { resume(); });
    return Process(*this);
  }
  struct Start {
    ProcessPromise& process;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    void await_resume() const noexcept {
      process.started_ = true;
      process.go_on();
    }
  };
  struct End {
    ProcessPromise& process;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) const noexcept { process.stop_running(); }
    void await_resume() const noexcept {}
  };
  Start initial_suspend() noexcept { return {*this}; }
  End final_suspend() noexcept { return {*this}; }
  void return_void() const noexcept {}
  void unhandled_exception() noexcept { simulation_.fail(std::current_exception()); }

  template <class Source>
  Await<std::remove_reference_t<Source>> await_transform(Source&& source) {
    return {*this, source};
  }

  /// Runs the body up to its next suspension. The promise may be gone afterwards.
  void resume() { handle().resume(); }
  /// The body runs again: said by the awaitable that it resumes from, as is the next, so that resume() is but a jump.
  void go_on() noexcept { running_ = true; }
  /// The body stands at a suspension point; if it has crashed itself it is gone afterwards, and the promise with it.
  void stop_running() noexcept {
    if (doomed_) [[unlikely]]
      return handle().destroy();
    running_ = false;
  }
  void crash() noexcept {
    if (running_) {
      doomed_ = true;
    } else {
      handle().destroy();
    }
  }
  bool done() noexcept { return !running_ && handle().done(); }
  /// Crashed by its own body, which has not yet come to its next suspension.
  bool doomed() const noexcept { return doomed_; }

 private:
  std::coroutine_handle<ProcessPromise> handle() noexcept {
    return std::coroutine_handle<ProcessPromise>::from_promise(*this);
  }

  Simulation& simulation_;
  EventHandle start_;
  bool started_ = false;
  bool running_ = false;
  bool doomed_ = false;
};

/// A source while one process awaits it. Lives in the coroutine's frame: the frame's end withdraws what is armed. The source
/// is not copied: a temporary of the co_await expression lives as long as this does, and a copy made right after it was
/// written would wait for the stores.
template <class Source>
class Await {
 public:
  Await(ProcessPromise& process, Source& source) : waiter_(process), source_(source) {}
  Await(const Await&) = delete;
  Await& operator=(const Await&) = delete;
  ~Await() {
    if (armed_) [[unlikely]]
      source_.disarm();
  }

  bool await_ready() { return !waiter_.process()->doomed() && source_.ready(); }
  void await_suspend(std::coroutine_handle<>) {
    ProcessPromise& process = *waiter_.process();
    if (!process.doomed()) [[likely]] {
      armed_ = true;
      source_.arm(waiter_);
    }
    process.stop_running();  // a doomed one dies here, even if what it asked for is there
  }
  decltype(auto) await_resume() {
    waiter_.process()->go_on();
    armed_ = false;
    return source_.take();
  }

 private:
  Waiter waiter_;
  Source& source_;
  bool armed_ = false;
};

}  // namespace detail

inline void Waiter::wake() {
  if (process_ != nullptr) {
    process_->resume();
  } else {
    group_->woken(index_);
  }
}

inline void Process::crash() noexcept {
  if (detail::ProcessPromise* const promise = std::exchange(promise_, nullptr)) promise->crash();
}
inline bool Process::done() const noexcept {
  return promise_ == nullptr || promise_->done();
}

/// A source that completes when its span of virtual time has passed; see delay().
class Delay {
 public:
  Delay(Simulation& simulation, Duration duration) : simulation_(&simulation), duration_(duration) {}

  bool ready() const noexcept { return false; }
  void arm(Waiter& waiter) {
    if (detail::ProcessPromise* const process = waiter.process()) {
      event_ = simulation_->schedule_after(duration_, [process] { process->resume(); });
    } else {
      event_ = simulation_->schedule_after(duration_, [&waiter] { waiter.wake(); });
    }
  }
  void disarm() { simulation_->cancel(event_); }
  void take() const noexcept {}

 private:
  Simulation* simulation_;
  Duration duration_;
  EventHandle event_;
};

/// `co_await delay(simulation, 5ms)`. A delay of zero lets everything else go first that is due at this instant.
inline Delay delay(Simulation& simulation, Duration duration) {
  return {simulation, duration};
}

}  // namespace sim
