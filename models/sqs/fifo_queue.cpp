#include "models/sqs/fifo_queue.hpp"

#include <algorithm>
#include <functional>

#include "sim/assert.hpp"

namespace models::sqs {

// ---- groups -------------------------------------------------------------------------------------------------------

std::uint32_t FifoQueue::group(GroupKey key) {
  if (const std::uint32_t* const known = by_key_.find(key)) return *known;
  std::uint32_t g = 0;
  if (free_groups_.empty()) {
    g = static_cast<std::uint32_t>(groups_.size());
    groups_.emplace_back();
  } else {
    g = free_groups_.back();
    free_groups_.pop_back();
  }
  groups_[g] = {key, kNone, kNone, 0, 0};
  by_key_.add(key, g);
  return g;
}

void FifoQueue::set_ready(std::uint32_t g) {
  const Group& group = groups_[g];
  if (group.in_flight > 0 || group.first == kNone) return;
  const Message& first = node(group.first).message;
  note_expiry(first.sent + options_.retention);
  ready_.push_back({first.number, g});
  std::push_heap(ready_.begin(), ready_.end(), later);
}

bool FifoQueue::is_ready(const Ready& ready) const {
  const Group& group = groups_[ready.group];
  return group.in_flight == 0 && group.first != kNone && node(group.first).message.number == ready.number;
}

const FifoQueue::Ready* FifoQueue::oldest() {
  while (!ready_.empty() && !is_ready(ready_.front())) {
    std::pop_heap(ready_.begin(), ready_.end(), later);
    ready_.pop_back();
  }
  return ready_.empty() ? nullptr : &ready_.front();
}

// ---- messages -----------------------------------------------------------------------------------------------------

std::uint32_t FifoQueue::new_node(const Message& m, std::uint32_t slot) {
  std::uint32_t n = 0;
  if (free_nodes_.empty()) {
    n = next_node_++;
    if (n / kBlock == blocks_.size()) blocks_.push_back(std::make_unique<std::array<Node, kBlock>>());
  } else {
    n = free_nodes_.back();
    free_nodes_.pop_back();
  }
  node(n) = {m, kNone, slot};
  return n;
}

void FifoQueue::put(const Message& m, std::uint32_t) {
  Group& group = groups_[m.group];
  const std::uint32_t n = new_node(m, kNone);
  const bool was_empty = group.first == kNone;
  (was_empty ? group.first : node(group.last).after) = n;
  group.last = n;
  if (was_empty) set_ready(m.group);
}

/// Nothing that was never received is older than what was.
void FifoQueue::put_back(std::uint32_t s) {
  const Message& m = slot(s).message;
  Group& group = groups_[m.group];
  const std::uint32_t n = new_node(m, s);
  std::uint32_t before = kNone;
  std::uint32_t at = group.first;
  while (at != kNone && node(at).message.number < m.number) {
    before = at;
    at = node(at).after;
  }
  node(n).after = at;
  (before == kNone ? group.first : node(before).after) = n;
  if (at == kNone) group.last = n;
}

void FifoQueue::withdraw(std::uint32_t) {
  MQLAB_ASSERT(false, "nothing is deleted from a FIFO queue once its visibility timeout is over");
}

void FifoQueue::landed(const Message& m) {
  Group& group = groups_[m.group];
  if (--group.in_flight == 0) set_ready(m.group);
  if (group.present > 0) return;
  by_key_.remove(group.key);
  free_groups_.push_back(m.group);
}

void FifoQueue::arrived(const Message& m) {
  ++groups_[m.group].present;
  if (in_window_ == service_.fifo_window) return;
  ++in_window_;
  window_end_ = m.number + 1;
}

void FifoQueue::left(const Message& m) {
  Group& group = groups_[m.group];
  --group.present;
  if (m.number < window_end_) {
    --in_window_;
    widen();
  } else {
    gone_behind_.push_back(m.number);
    std::push_heap(gone_behind_.begin(), gone_behind_.end(), std::greater<>());
  }
  if (group.present > 0 || group.in_flight > 0) return;
  by_key_.remove(group.key);
  free_groups_.push_back(m.group);
}

void FifoQueue::widen() {
  while (in_window_ < service_.fifo_window && window_end_ < next_number()) {
    if (!gone_behind_.empty() && gone_behind_.front() == window_end_) {
      std::pop_heap(gone_behind_.begin(), gone_behind_.end(), std::greater<>());
      gone_behind_.pop_back();
    } else {
      ++in_window_;
    }
    ++window_end_;
  }
}

FifoQueue::Node FifoQueue::pop_first(std::uint32_t g) {
  Group& group = groups_[g];
  const std::uint32_t n = group.first;
  const Node first = node(n);
  group.first = first.after;
  if (group.first == kNone) group.last = kNone;
  free_nodes_.push_back(n);
  return first;
}

void FifoQueue::drop_first(std::uint32_t g, RemovedCode why) {
  const Node first = pop_first(g);
  if (first.slot != kNone) release(first.slot);
  lose(first.message, why);
}

std::uint32_t FifoQueue::take(const Poll& poll, sim::Time now) {
  const auto room = static_cast<std::uint64_t>(in_flight_most()) - in_flight();
  const auto most = static_cast<std::uint32_t>(std::min<std::uint64_t>(poll.max, room));
  std::uint32_t got = 0;
  while (got < most) {
    const Ready* const ready = oldest();
    if (ready == nullptr || ready->number >= window_end_) break;
    const std::uint32_t g = ready->group;
    std::pop_heap(ready_.begin(), ready_.end(), later);
    ready_.pop_back();
    while (got < most && groups_[g].first != kNone) {
      const Node& first = node(groups_[g].first);
      if (first.message.number >= window_end_) break;
      const bool old = too_old(first.message, now);
      if (old || (first.slot != kNone && received_enough(slot(first.slot).receives))) {
        const bool last = groups_[g].present == 1;
        drop_first(g, old ? RemovedCode::expired : RemovedCode::max_receives);
        if (last) break;  // the group has gone with it
        continue;
      }
      ++got;
      ++groups_[g].in_flight;
      const Node taken = pop_first(g);
      if (taken.slot == kNone)
        hand(taken.message, 0, poll, now);
      else
        hand_again(taken.slot, poll, now);
    }
    // Nothing was taken, and what comes next in the group is behind the window.
    set_ready(g);
  }
  return got;
}

/// Model: of the window, which is a receive's, neither a move nor retention knows anything.
bool FifoQueue::move_one(sim::Time) {
  const Ready* const ready = oldest();
  if (ready == nullptr) return false;
  const std::uint32_t g = ready->group;
  const bool more = groups_[g].present > 1;
  drop_first(g, RemovedCode::moved);
  if (more) set_ready(g);
  return true;
}

/// What waits behind messages in flight goes when those have gone.
void FifoQueue::expire(sim::Time now) {
  for (;;) {
    const Ready* const ready = oldest();
    if (ready == nullptr || !too_old(node(groups_[ready->group].first).message, now)) return;
    const std::uint32_t g = ready->group;
    const bool more = groups_[g].present > 1;
    drop_first(g, RemovedCode::expired);
    if (more) set_ready(g);
  }
}

sim::Time FifoQueue::next_expiry() const {
  if (ready_.empty() || !is_ready(ready_.front())) return sim::kNever;
  return node(groups_[ready_.front().group].first).message.sent + options_.retention;
}

std::optional<std::string> FifoQueue::broken_kind() const {
  std::uint64_t there = 0;
  for_each([&](const Message& m, std::uint32_t, bool) { there += m.number < window_end_ ? 1 : 0; });
  if (there != in_window_)
    return "messages of queue " + options_.name + " are in the window that are not there";
  if (in_window_ < service_.fifo_window && window_end_ < next_number())
    return "the window of queue " + options_.name + " has room and does not look further";
  return std::nullopt;
}

void FifoQueue::for_each_fresh(const Look& look) const {
  for (const Group& group : groups_) {
    for (std::uint32_t n = group.first; n != kNone; n = node(n).after) {
      if (node(n).slot == kNone) look(node(n).message, 0, false);
    }
  }
}

std::uint64_t FifoQueue::count_visible() const {
  std::uint64_t count = 0;
  for (const Group& group : groups_) {
    for (std::uint32_t n = group.first; n != kNone; n = node(n).after) ++count;
  }
  return count;
}

}  // namespace models::sqs
