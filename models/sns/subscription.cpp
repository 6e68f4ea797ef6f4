#include "models/sns/subscription.hpp"

#include <algorithm>

namespace models::sns {
namespace {

/// Model: what SNS puts around a message that is not delivered raw: Type, MessageId, TopicArn, Signature and the like.
constexpr std::uint32_t kEnvelope = 900;

}  // namespace

Subscription::Subscription(Context& context, Node& node, const sim::Distribution& delivery,
                           const Setup& setup)
    : context_(context),
      node_(node),
      setup_(setup),
      delivery_(delivery),
      delays_(context.simulation.seed(), "sns/" + setup.name + "/delivery"),
      endpoint_(setup_.endpoint(*this)),
      timer_(context.simulation, node, [this] { attempt_due(); }) {}

void Subscription::tell(const Notification& n, NotificationCode code) {
  ++counts_[static_cast<std::size_t>(code)];
  if (setup_.takes_dead_letters) return;
  context_.emit(Kind::notification, {.code = static_cast<std::uint16_t>(code),
                                     .actor = node_.entity().value,
                                     .place = setup_.entity.value,
                                     .peer = n.lane.value,
                                     .a = static_cast<std::int64_t>(n.seq),
                                     .b = 1});
}

void Subscription::filtered() {
  ++counts_[static_cast<std::size_t>(NotificationCode::filtered_out)];
  context_.emit(Kind::notification, {.code = static_cast<std::uint16_t>(NotificationCode::filtered_out),
                                     .actor = node_.entity().value,
                                     .place = setup_.entity.value,
                                     .b = 1});
}

std::uint64_t Subscription::failures() const {
  return setup_.http ? failed_attempts_ : count(NotificationCode::failed) + count(NotificationCode::redriven);
}

void Subscription::take(Notification n) {
  if (!setup_.raw && !setup_.takes_dead_letters) n.size += kEnvelope;
  endpoint_->accepted(n);
  if (setup_.fifo) {
    const auto [under_way, first] = behind_.try_emplace(n.group.id);
    if (!first) return under_way->second.push_back(n);
  }
  attempt_after(n, delivery_.sample_duration(delays_));
}

/// Not before the throttle lets it.
void Subscription::attempt_after(const Notification& n, sim::Duration delay) {
  sim::Time due = context_.simulation.after(delay);
  if (setup_.receives_per_second > 0) {
    due = std::max(due, next_slot_);
    next_slot_ = due + std::chrono::nanoseconds{1'000'000'000 / setup_.receives_per_second};
  }
  waiting_.push_back({due, order_++, n});
  std::push_heap(waiting_.begin(), waiting_.end(), later);
  arm();
}

void Subscription::arm() {
  if (waiting_.empty() || !node_.up()) return timer_.disarm();
  const sim::Time due = std::max(waiting_.front().due, context_.now());
  if (!timer_.armed() || timer_.deadline() != due) timer_.arm_at(due);
}

void Subscription::attempt_due() {
  while (!waiting_.empty() && waiting_.front().due <= context_.now()) {
    std::pop_heap(waiting_.begin(), waiting_.end(), later);
    const Notification n = waiting_.back().notification;
    waiting_.pop_back();
    attempt(n);
  }
  arm();
}

void Subscription::attempt(const Notification& n) {
  endpoint_->attempted(n);
  if (denied_ || (setup_.raw && n.too_many_attributes)) return take_note(n, Outcome::client_error);
  endpoint_->deliver(trying_.push({n, true}), n);
}

void Subscription::answered(std::uint64_t token, Outcome outcome) {
  if (!trying_.holds(token) || !trying_[token].open) return;
  const Notification n = trying_[token].notification;
  trying_[token].open = false;
  while (!trying_.empty() && !trying_[trying_.first()].open) trying_.drop();
  take_note(n, outcome);
}

void Subscription::take_note(const Notification& n, Outcome outcome) {
  if (outcome == Outcome::delivered) {
    endpoint_->settled(n);
    tell(n, NotificationCode::delivered);
    return finished(n);
  }
  ++failed_attempts_;
  if (outcome == Outcome::client_error) return give_up(n);
  Notification again = n;
  const auto delay = setup_.policy.delay(++again.retries);
  if (!delay) return give_up(n);
  endpoint_->put_back(n);
  attempt_after(again, *delay);
}

void Subscription::give_up(const Notification& n) {
  const bool redriven = static_cast<bool>(setup_.dead_letters);
  endpoint_->gave_up(n, redriven);
  tell(n, redriven ? NotificationCode::redriven : NotificationCode::failed);
  if (redriven) setup_.dead_letters(n);
  finished(n);
}

void Subscription::finished(const Notification& n) {
  if (!setup_.fifo) return;
  const auto under_way = behind_.find(n.group.id);
  if (under_way->second.empty()) {
    behind_.erase(under_way);
    return;
  }
  const Notification next = under_way->second.front();
  under_way->second.pop_front();
  attempt_after(next, delivery_.sample_duration(delays_));
}

/// What was under way has no answer.
void Subscription::crashed() {
  timer_.disarm();
  endpoint_->abandon();
  for (; !trying_.empty(); trying_.drop()) {
    const Trying& one = trying_[trying_.first()];
    if (!one.open) continue;
    endpoint_->put_back(one.notification);
    waiting_.push_back({context_.now(), order_++, one.notification});
    std::push_heap(waiting_.begin(), waiting_.end(), later);
  }
}

void Subscription::restarted() {
  arm();
}

}  // namespace models::sns
