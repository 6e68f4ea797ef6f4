// The processes that wait at one mailbox or condition, first come first served, as intrusive lists through their frames.
#pragma once

#include "sim/process_core.hpp"

namespace sim::detail {

class WaitQueue;

/// One wait. Idle when not armed; waiting from then on; notified until its process has gone on. `queue` turns null when
/// the queue dies first.
class WaitNode {
 public:
  enum class State { idle, waiting, notified };

  WaitNode() = default;
  /// Only an idle node moves: sources are returned by value before they are awaited.
  WaitNode(WaitNode&& other) {
    MQLAB_ASSERT(other.state_ == State::idle, "an awaitable was moved while in use");
  }
  WaitNode& operator=(WaitNode&&) = delete;

  bool waiting() const noexcept { return state_ == State::waiting; }
  bool notified() const noexcept { return state_ == State::notified; }
  bool orphaned() const noexcept { return queue_ == nullptr; }
  /// Leaves the queue, if it still stands in one; a wake-up under way is called off.
  void leave();
  /// To be called when the process has gone on.
  void finish() noexcept {
    if (state_ != State::idle) withdraw();
  }

 private:
  friend class WaitQueue;
  void withdraw() noexcept;

  State state_ = State::idle;
  // Set when it is armed: most awaitables are ready and never are.
  WaitQueue* queue_;
  Simulation* simulation_;
  WaitNode* next_;
  WaitNode* previous_;
  Waiter* waiter_;
  EventHandle wake_;
};

class WaitQueue {
 public:
  explicit WaitQueue(Simulation& simulation) : simulation_(simulation) {}
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;
  /// Those who wait are left waiting, for good; those notified still go on.
  ~WaitQueue();

  bool empty() const noexcept { return waiting_.first == nullptr; }
  Simulation& simulation() const noexcept { return simulation_; }

  void add(WaitNode& node, Waiter& waiter) noexcept;
  /// Has the first go on through the FIFO. Requires: not empty.
  void notify_first();
  /// Leaves those who were notified waiting for good, too.
  void call_off_all();

 private:
  friend class WaitNode;
  struct List {
    WaitNode* first = nullptr;
    WaitNode* last = nullptr;
    void append(WaitNode& node) noexcept;
    void remove(WaitNode& node) noexcept;
  };

  List& list_of(const WaitNode& node) noexcept { return node.waiting() ? waiting_ : notified_; }

  Simulation& simulation_;
  List waiting_;
  List notified_;
};

}  // namespace sim::detail
