#include "models/sqs/queue.hpp"

#include <algorithm>
#include <utility>

#include "sim/assert.hpp"

namespace models::sqs {

// ---- from senders -------------------------------------------------------------------------------------------------

void Queue::send(Message& m, sim::Duration delay, std::uint32_t server, sim::Time now) {
  m.number = next_number_++;
  owner_.stored(m);
  arrived(m);
  if (ages_) ages_->came(m.number, now);
  if (delay > sim::Duration{}) {
    owner_.delayed(m, true);
    delayed_.push_back({m, now + delay, server});
    std::push_heap(delayed_.begin(), delayed_.end(), later);
    return;
  }
  ++visible_;
  note_expiry(m.sent + options_.retention);
  put(m, server);
}

bool Queue::later(const Delayed& a, const Delayed& b) {
  return a.due != b.due ? a.due > b.due : a.message.number > b.message.number;
}

void Queue::release_delayed(sim::Time now) {
  while (!delayed_.empty() && delayed_.front().due <= now) {
    std::pop_heap(delayed_.begin(), delayed_.end(), later);
    const Delayed due = delayed_.back();
    delayed_.pop_back();
    owner_.delayed(due.message, false);
    ++visible_;
    note_expiry(due.message.sent + options_.retention);
    put(due.message, due.server);
  }
}

// ---- to consumers -------------------------------------------------------------------------------------------------

void Queue::receive(const Poll& poll, sim::Time now) {
  // quotas-queues: with short polling OverLimit, with long polling nothing, and of a FIFO queue never an error.
  const bool limited = full();
  const std::uint32_t got = limited ? 0 : take(poll, now);
  if (got > 0 || poll.wait == sim::Duration{})
    return owner_.answered(poll.id, got, limited && !is_fifo() ? Error::over_limit : Error::none);
  polls_.push_back({poll, now + poll.wait});
  polls_.back().poll.servers = ~std::uint64_t{0};
  poll_end_ = std::min(poll_end_, now + poll.wait);
}

void Queue::serve(sim::Time now) {
  while (!polls_.empty() && visible_ > 0 && !full()) {
    const Poll poll = polls_.front().poll;
    const std::uint32_t got = take(poll, now);
    if (got == 0) return;
    polls_.erase(polls_.begin());
    owner_.answered(poll.id, got, Error::none);
  }
}

void Queue::end_polls(sim::Time now) {
  poll_end_ = sim::kNever;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < polls_.size(); ++i) {
    if (polls_[i].until <= now) {
      owner_.answered(polls_[i].poll.id, 0, Error::none);
      continue;
    }
    poll_end_ = std::min(poll_end_, polls_[i].until);
    polls_[kept++] = polls_[i];
  }
  polls_.resize(kept);
}

void Queue::forget_polls() {
  polls_.clear();
  poll_end_ = sim::kNever;
}

void Queue::forget_poll(PollId poll) {
  std::erase_if(polls_, [poll](const Waiting& w) { return w.poll.id == poll; });
}

std::uint32_t Queue::new_slot(const Message& m, std::uint32_t server) {
  std::uint32_t s = 0;
  if (free_.empty()) {
    s = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    s = free_.back();
    free_.pop_back();
  }
  Received& r = slots_[s];
  r.message = m;
  r.receives = 0;
  r.server = server;
  r.live = true;
  r.undeleted = false;
  return s;
}

void Queue::hand(const Message& m, std::uint32_t server, const Poll& poll, sim::Time now) {
  hand_again(new_slot(m, server), poll, now);
}

void Queue::hand_again(std::uint32_t s, const Poll& poll, sim::Time now) {
  Received& r = slots_[s];
  --visible_;
  ++in_flight_;
  ++r.receives;
  ++r.receive;
  r.since = now;
  fly(s, poll.visibility, now);
  owner_.dispatched(r.message, {r.message.number, s, r.receive}, r.receives, poll.id);
}

void Queue::lose(const Message& m, RemovedCode why) {
  --visible_;
  owner_.removed(m, why);
  leave(m);
}

void Queue::release(std::uint32_t s) {
  Received& r = slots_[s];
  ++r.receive;
  r.live = false;
  free_.push_back(s);
}

// ---- what is in flight --------------------------------------------------------------------------------------------

std::uint32_t Queue::list_of(sim::Duration length) {
  if (last_list_ != kNone && timeouts_[last_list_].length == length) return last_list_;
  std::uint32_t at = kNone;
  for (std::uint32_t i = 0; i < timeouts_.size(); ++i) {
    if (timeouts_[i].length == length) return last_list_ = i;
    if (timeouts_[i].first == kNone) at = i;
  }
  if (at == kNone) {
    at = static_cast<std::uint32_t>(timeouts_.size());
    timeouts_.emplace_back();
  }
  timeouts_[at].length = length;
  return last_list_ = at;
}

void Queue::fly(std::uint32_t s, sim::Duration visibility, sim::Time now) {
  Received& r = slots_[s];
  r.deadline = now + visibility;
  r.list = list_of(visibility);
  Timeouts& list = timeouts_[r.list];
  r.before = list.last;
  r.after = kNone;
  (list.last == kNone ? list.first : slots_[list.last].after) = s;
  list.last = s;
  timeout_ = std::min(timeout_, r.deadline);
}

void Queue::ground(std::uint32_t s) {
  Received& r = slots_[s];
  Timeouts& list = timeouts_[r.list];
  (r.before == kNone ? list.first : slots_[r.before].after) = r.after;
  (r.after == kNone ? list.last : slots_[r.after].before) = r.before;
  r.list = kNone;
}

void Queue::time_out(std::uint32_t s, RequeuedCode why, sim::Time now) {
  ground(s);
  --in_flight_;
  ++visible_;
  Received& r = slots_[s];
  const Message m = r.message;
  owner_.requeued(m, r.undeleted ? RequeuedCode::undeleted : why);
  r.undeleted = false;
  if (too_old(m, now)) {
    lose(m, RemovedCode::expired);
    release(s);
  } else {
    note_expiry(m.sent + options_.retention);
    put_back(s);
  }
  landed(m);
}

void Queue::time_out_all(sim::Time now) {
  timeout_ = sim::kNever;
  for (Timeouts& list : timeouts_) {
    while (list.first != kNone && slots_[list.first].deadline <= now)
      time_out(list.first, RequeuedCode::timed_out, now);
    if (list.first != kNone) timeout_ = std::min(timeout_, slots_[list.first].deadline);
  }
}

bool Queue::flies(const Receipt& receipt) const {
  if (receipt.slot >= slots_.size()) return false;
  const Received& r = slots_[receipt.slot];
  return r.live && r.message.number == receipt.number && r.receive == receipt.receive && r.list != kNone &&
         !r.undeleted;
}

Error Queue::remove(const Receipt& receipt, sim::Time now) {
  if (receipt.slot >= slots_.size()) return Error::none;
  Received& r = slots_[receipt.slot];
  // Deleted before: DeleteMessage may be called again.
  if (!r.live || r.message.number != receipt.number) return Error::none;
  const bool last = r.receive == receipt.receive;
  // API_DeleteMessage: with an older receipt handle than the last the request succeeds and the message stays.
  if (!last || (is_fifo() && r.list == kNone)) return is_fifo() ? Error::receipt_handle_expired : Error::none;
  const Message m = r.message;
  if (r.list == kNone) {
    withdraw(receipt.slot);
    --visible_;
    owner_.settled(m, SettledCode::from_queue);
    leave(m);
    release(receipt.slot);
    return Error::none;
  }
  if (r.undeleted) return Error::none;
  if (!is_fifo() && owner_.misses_deletion(m, r.receives)) {
    r.undeleted = true;
    return Error::none;
  }
  ground(receipt.slot);
  --in_flight_;
  owner_.settled(m, SettledCode::by_ack);
  leave(m);
  release(receipt.slot);
  landed(m);
  static_cast<void>(now);
  return Error::none;
}

Error Queue::change_visibility(const Receipt& receipt, sim::Duration visibility, sim::Time now) {
  if (!flies(receipt)) {
    const bool there = receipt.slot < slots_.size() && slots_[receipt.slot].live &&
                       slots_[receipt.slot].message.number == receipt.number;
    return is_fifo() && there ? Error::receipt_handle_expired : Error::message_not_inflight;
  }
  const Received& r = slots_[receipt.slot];
  // API_ChangeMessageVisibility: 12 hours from the receive, whatever it is changed to.
  if (now + visibility > r.since + kVisibilityMost) return Error::visibility_beyond_limit;
  if (visibility == sim::Duration{}) {
    time_out(receipt.slot, RequeuedCode::by_nack, now);
  } else {
    ground(receipt.slot);
    fly(receipt.slot, visibility, now);
  }
  return Error::none;
}

bool Queue::receive_again(const std::vector<Delivered>& messages, sim::Duration visibility, sim::Time now) {
  if (!std::all_of(messages.begin(), messages.end(), [this](const Delivered& m) { return flies(m.receipt); }))
    return false;
  for (const Delivered& m : messages) {
    ground(m.receipt.slot);
    fly(m.receipt.slot, visibility, now);
  }
  return true;
}

// ---- time ---------------------------------------------------------------------------------------------------------

sim::Time Queue::next_event() const {
  const sim::Time due = delayed_.empty() ? sim::kNever : delayed_.front().due;
  return std::min({due, timeout_, poll_end_, expiry_});
}

void Queue::advance(sim::Time now) {
  release_delayed(now);
  if (timeout_ <= now) time_out_all(now);
  if (expiry_ <= now) {
    expire(now);
    expiry_ = next_expiry();
  }
  serve(now);
  if (poll_end_ <= now) end_polls(now);
}

void Queue::for_each(const Look& look) const {
  for (const Delayed& d : delayed_) look(d.message, 0, false);
  for (const Received& r : slots_) {
    if (r.live) look(r.message, r.receives, r.list != kNone);
  }
  for_each_fresh(look);
}

sim::Time Queue::oldest(const std::function<sim::Time(const Message&)>& came) {
  if (ages_) return ages_->oldest();
  std::vector<std::pair<std::uint64_t, sim::Time>> all;
  for_each([&](const Message& m, std::uint32_t receives, bool in_flight) {
    const bool at_the_back = !is_fifo() && receives >= kPill && !(in_flight && receives == kPill);
    if (!at_the_back) all.push_back({m.number, came(m)});
  });
  std::sort(all.begin(), all.end());
  ages_.emplace();
  for (const auto& [number, at] : all) ages_->came(number, at);
  return ages_->oldest();
}

std::optional<std::string> Queue::broken() const {
  const std::string of = " of queue " + options_.name;
  std::uint64_t flying = 0;
  for (std::size_t i = 0; i < timeouts_.size(); ++i) {
    sim::Time last{};
    for (std::uint32_t s = timeouts_[i].first; s != kNone; s = slots_[s].after) {
      ++flying;
      if (!slots_[s].live || slots_[s].list != i)
        return "a slot" + of + " is in a list that it does not know";
      if (slots_[s].deadline < last) return "visibility timeouts" + of + " are out of order";
      last = slots_[s].deadline;
      if (last < timeout_) return "a visibility timeout" + of + " is overdue";
    }
  }
  if (flying != in_flight_) return "a message" + of + " is in flight in two places or in none";
  if (count_visible() != visible_) return "a message" + of + " is visible in two places or in none";
  if (in_flight_ > in_flight_most()) return "more is in flight" + of + " than may be";
  return broken_kind();
}

}  // namespace models::sqs
