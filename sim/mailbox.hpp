// A mailbox: values go in without waiting and come out in order, each to one receiver; receivers are served in the order in
// which they came. A value promised to a receiver that crashes before it has gone on passes to the next one, or stays.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "sim/ring.hpp"
#include "sim/wait_queue.hpp"

namespace sim {

template <class T>
class Mailbox {
 public:
  class Receive;

  explicit Mailbox(Simulation& simulation) : receivers_(simulation) {}
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  /// Those who wait to receive are left waiting, for good.
  ~Mailbox() { receivers_.call_off_all(); }

  /// Never waits; a receiver goes on through the FIFO of this instant.
  void put(T value) {
    values_.push(std::move(value));
    if (!receivers_.empty()) promise_one();
  }
  /// `T value = co_await mailbox.receive();`
  Receive receive() { return Receive(*this); }
  /// A value that nobody was promised, or nothing.
  std::optional<T> try_receive() {
    if (!available()) return std::nullopt;
    return values_.pop();
  }

  /// Values that are neither taken nor promised.
  std::size_t size() const noexcept { return values_.size() - promised_; }
  bool empty() const noexcept { return size() == 0; }

 private:
  bool available() const noexcept { return values_.size() > promised_; }
  void promise_one() {
    ++promised_;
    receivers_.notify_first();
  }

  detail::WaitQueue receivers_;
  Ring<T> values_;
  std::size_t promised_ = 0;  ///< values kept for receivers that were notified and have not gone on yet
};

template <class T>
class Mailbox<T>::Receive {
 public:
  explicit Receive(Mailbox& mailbox) noexcept : mailbox_(&mailbox) {}

  bool ready() const noexcept { return mailbox_->available(); }
  void arm(Waiter& waiter) noexcept { mailbox_->receivers_.add(node_, waiter); }
  void disarm() {
    const bool gives_back = node_.notified() && !node_.orphaned();
    node_.leave();
    if (!gives_back) return;
    --mailbox_->promised_;
    if (!mailbox_->receivers_.empty()) mailbox_->promise_one();
  }
  T take() {
    if (node_.notified()) --mailbox_->promised_;
    node_.finish();
    return mailbox_->values_.pop();
  }

 private:
  Mailbox* mailbox_;
  detail::WaitNode node_;
};

}  // namespace sim
