#include "models/sns/called_endpoint.hpp"

#include <algorithm>
#include <array>

namespace models::sns {

CalledEndpoint::CalledEndpoint(Context& context, Node& node, EntityId place, EntityId group,
                               const std::string& name, Dependency& service, sim::Duration timeout,
                               EndpointOwner& owner)
    : context_(context),
      node_(node),
      place_(place),
      group_(group),
      service_(service),
      timeout_(timeout),
      owner_(owner),
      work_(sim::stream_key(context.simulation.seed(), "sns/" + name + "/work")),
      timer_(context.simulation, node, [this] { timed_out(); }) {}

void CalledEndpoint::emit(Kind kind, std::uint64_t number, std::uint16_t code, std::int64_t c,
                          std::span<const std::int64_t> payload) const {
  context_.emit(kind,
                {.code = code,
                 .actor = service_.entity().value,
                 .place = place_.value,
                 .peer = group_.value,
                 .a = static_cast<std::int64_t>(number),
                 .b = 1,
                 .c = c},
                payload);
}

void CalledEndpoint::tell() const {
  context_.emit(
      Kind::subscribed,
      {.code = static_cast<std::uint16_t>(kShared | kQueue), .place = place_.value, .peer = group_.value});
}

void CalledEndpoint::tell_end() const {
  context_.emit(Kind::queue_depth,
                {.actor = node_.entity().value, .place = place_.value, .a = ready_, .b = under_way_});
}

void CalledEndpoint::accepted(Notification& n) {
  n.number = next_number_++;
  ++ready_;
  const std::array<std::int64_t, 1> epoch{0};
  context_.emit(Kind::stored,
                {.code = kInQueue,
                 .actor = node_.entity().value,
                 .place = place_.value,
                 .peer = n.lane.value,
                 .a = static_cast<std::int64_t>(n.seq),
                 .b = 1,
                 .c = static_cast<std::int64_t>(n.number)},
                epoch);
}

void CalledEndpoint::attempted(const Notification& n) {
  --ready_;
  ++under_way_;
  emit(Kind::dispatched, n.number, n.retries > 0 ? kRedelivered : std::uint16_t{0}, service_.entity().value);
}

void CalledEndpoint::put_back(const Notification& n) {
  ++ready_;
  --under_way_;
  emit(Kind::requeued, n.number, static_cast<std::uint16_t>(RequeuedCode::by_nack));
}

void CalledEndpoint::settled(const Notification& n) {
  --under_way_;
  emit(Kind::settled, n.number, static_cast<std::uint16_t>(SettledCode::by_ack));
}

void CalledEndpoint::gave_up(const Notification& n, bool dead_lettered) {
  --under_way_;
  emit(Kind::removed, n.number, static_cast<std::uint16_t>(RemovedCode::rejected), dead_lettered ? 1 : 0);
}

void CalledEndpoint::deliver(std::uint64_t token, const Notification& n) {
  emit(Kind::delivered, n.number);
  const std::uint64_t call = calls_.push({n.number, token, context_.simulation.after(timeout_), true, false});
  arm();
  sim::Stream draws = sim::Stream::keyed(work_, n.number, n.retries);
  service_.call(*this, call, {node_.entity(), group_, n.retries + 1}, draws);
}

void CalledEndpoint::answered(std::uint64_t call, CallCode code) {
  const Call one = calls_[call];
  calls_[call].open = false;
  while (!calls_.empty() && !calls_[calls_.first()].open) calls_.drop();
  arm();
  if (code == CallCode::answered) {
    const std::array<std::int64_t, 1> time{sim::nanoseconds(context_.now())};
    emit(Kind::processed, one.number, 0, 0, time);
  } else {
    emit(Kind::abandoned, one.number);
  }
  if (one.late) return;
  owner_.answered(one.token, code == CallCode::answered ? Outcome::delivered : Outcome::server_error);
}

void CalledEndpoint::timed_out() {
  while (waiting_from_ < calls_.next() && calls_[waiting_from_].deadline <= context_.now()) {
    Call& one = calls_[waiting_from_++];
    if (!one.open) continue;
    one.late = true;
    owner_.answered(one.token, Outcome::server_error);
  }
  arm();
}

/// For the oldest call that is waited for.
void CalledEndpoint::arm() {
  waiting_from_ = std::max(waiting_from_, calls_.first());
  while (waiting_from_ < calls_.next() && !calls_[waiting_from_].open) ++waiting_from_;
  if (waiting_from_ == calls_.next()) return timer_.disarm();
  const sim::Time deadline = std::max(calls_[waiting_from_].deadline, context_.now());
  if (!timer_.armed() || timer_.deadline() != deadline) timer_.arm_at(deadline);
}

}  // namespace models::sns
