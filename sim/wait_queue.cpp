#include "sim/wait_queue.hpp"

namespace sim::detail {

void WaitQueue::List::append(WaitNode& node) noexcept {
  node.next_ = nullptr;
  node.previous_ = last;
  (last == nullptr ? first : last->next_) = &node;
  last = &node;
}

void WaitQueue::List::remove(WaitNode& node) noexcept {
  (node.previous_ == nullptr ? first : node.previous_->next_) = node.next_;
  (node.next_ == nullptr ? last : node.next_->previous_) = node.previous_;
}

WaitQueue::~WaitQueue() {
  for (List* list : {&waiting_, &notified_}) {
    for (WaitNode* node = list->first; node != nullptr; node = node->next_) node->queue_ = nullptr;
  }
}

void WaitQueue::add(WaitNode& node, Waiter& waiter) noexcept {
  node.state_ = WaitNode::State::waiting;
  node.queue_ = this;
  node.simulation_ = &simulation_;
  node.waiter_ = &waiter;
  waiting_.append(node);
}

void WaitQueue::notify_first() {
  WaitNode& node = *waiting_.first;
  waiting_.remove(node);
  node.state_ = WaitNode::State::notified;
  notified_.append(node);
  node.wake_ = simulation_.post([waiter = node.waiter_] { waiter->wake(); });
}

void WaitQueue::call_off_all() {
  for (WaitNode* node = notified_.first; node != nullptr; node = node->next_) simulation_.cancel(node->wake_);
}

void WaitNode::leave() {
  if (state_ == State::notified) simulation_->cancel(wake_);
  finish();
}

void WaitNode::withdraw() noexcept {
  if (queue_ != nullptr) queue_->list_of(*this).remove(*this);
  queue_ = nullptr;
  state_ = State::idle;
}

}  // namespace sim::detail
