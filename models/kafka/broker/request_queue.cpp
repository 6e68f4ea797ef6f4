#include "models/kafka/broker/request_queue.hpp"

#include <utility>

namespace models::kafka {

RequestQueue::NetworkThread& RequestQueue::thread_of(AnyCall& call) {
  // The number's lower half counts connections; the upper one tells those that had the same place apart.
  return threads_[static_cast<std::uint32_t>(call->connection.value) % threads_.size()];
}

void RequestQueue::push(AnyCall call) {
  NetworkThread& thread = thread_of(call);
  if (thread.unread.empty() && queue_.size() < most_) return queue_.push(std::move(call));
  if (thread.unread.empty()) waiting_.push(&thread);
  thread.unread.push(std::move(call));
}

AnyCall RequestQueue::pop(std::vector<AnyCall>& released) {
  AnyCall oldest = queue_.pop();
  while (queue_.size() < most_ && !waiting_.empty()) {
    NetworkThread& thread = *waiting_.pop();
    queue_.push(thread.unread.pop());
    for (AnyCall& answer : thread.answers) released.push_back(std::move(answer));
    thread.answers.clear();
    // What it reads next may find no room again; it is then behind the others.
    while (queue_.size() < most_ && !thread.unread.empty()) queue_.push(thread.unread.pop());
    if (!thread.unread.empty()) waiting_.push(&thread);
  }
  return oldest;
}

bool RequestQueue::keeps(AnyCall& answer) {
  if (waiting_.empty()) return false;
  NetworkThread& thread = thread_of(answer);
  if (thread.unread.empty()) return false;
  thread.answers.push_back(std::move(answer));
  return true;
}

void RequestQueue::clear() {
  while (!queue_.empty()) queue_.pop();
  while (!waiting_.empty()) waiting_.pop();
  for (NetworkThread& thread : threads_) {
    while (!thread.unread.empty()) thread.unread.pop();
    thread.answers.clear();
  }
}

}  // namespace models::kafka
