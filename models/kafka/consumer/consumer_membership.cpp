#include "models/kafka/consumer/consumer_membership.hpp"

#include <algorithm>

#include "models/kafka/backoff.hpp"
#include "models/kafka/group/server_assignor.hpp"
#include "models/kafka/librdkafka.hpp"

namespace models::kafka {
namespace {

// ConsumerGroupHeartbeatRequest
constexpr std::int32_t kJoinGroupEpoch = 0;
constexpr std::int32_t kLeaveGroupEpoch = -1;
constexpr std::int32_t kStaticLeaveGroupEpoch = -2;

/// Two words where Kafka puts a UUID.
std::string new_id(sim::Stream& stream) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id;
  for (int word = 0; word < 2; ++word) {
    const std::uint64_t bits = stream.next();
    for (int shift = 60; shift >= 0; shift -= 4) id += kDigits[bits >> shift & 15U];
  }
  return id;
}

}  // namespace

ConsumerMembership::ConsumerMembership(ConsumerGroup& group, Node& node, std::string instance_id,
                                       Connections& connections, Metadata& metadata, MembershipOwner& owner,
                                       bool share)
    : Membership(group, node, std::move(instance_id), connections, metadata, owner),
      share_(share),
      ids_(context_.simulation.seed(), "kafka/member-id/" + node.name()),
      timer_(context_.simulation, node, [this] { due(); }) {}

void ConsumerMembership::start() {
  member_id_ = new_id(ids_);
  state_ = MemberState::joining;
  Membership::start();
}

void ConsumerMembership::forget() {
  Membership::forget();
  target_ = current_ = {};
  reconciling_to_.reset();
  told_ = {};
  joined_ = false;
  awaited_ = nullptr;
  stopped_ = false;
  interval_ = {};
  next_heartbeat_ = {};
  retry_at_ = {};
  failures_ = 0;
  poll_deadline_ = sim::kNever;
  timer_.disarm();
}

// ---- the application's thread -------------------------------------------------------------------------------------

void ConsumerMembership::entered_poll() {
  poll_deadline_ = sim::kNever;
}

void ConsumerMembership::left_poll() {
  poll_deadline_ = clock_.after(config_.max_poll_interval);
  arm();
}

Membership::Progress ConsumerMembership::advance() {
  if (!coordinator_known()) static_cast<void>(coordinator());
  if (state_ == MemberState::fenced || state_ == MemberState::stale) release_and_rejoin();
  if (state_ != MemberState::reconciling) return Progress::ready;
  if (!reconciling_to_) {
    if (!current_.is_none() && current_.partitions == target_.partitions) {
      current_ = target_;
    } else {
      reconciling_to_ = target_;
    }
  }
  if (reconciling_to_) {
    assigned_ = reconciling_to_->partitions;
    if (!owner_.reconcile(assigned_)) return Progress::ready;
    current_ = std::move(*reconciling_to_);
    reconciling_to_.reset();
  }
  state_ = MemberState::acknowledging;
  arm();
  return Progress::ready;
}

/// onPartitionsLost, then a new membership under the same id.
void ConsumerMembership::release_and_rejoin() {
  owner_.lose_assignment();
  target_ = current_ = {};
  reconciling_to_.reset();
  state_ = MemberState::joining;
  arm();
}

// ---- heartbeats ---------------------------------------------------------------------------------------------------

void ConsumerMembership::arm() {
  if (!running_ || stopped_ || !in_group() || !coordinator_known()) return timer_.disarm();
  sim::Time next = clock_.due(poll_deadline_);
  if (awaited_ == nullptr) next = std::min(next, next_request());
  if (next == sim::kNever) return timer_.disarm();
  timer_.arm_at(std::max(next, context_.now()));
}

sim::Time ConsumerMembership::next_request() const {
  const bool at_once = state_ == MemberState::joining || state_ == MemberState::acknowledging;
  return std::max(at_once ? sim::Time{} : clock_.due(next_heartbeat_), retry_at_);
}

void ConsumerMembership::due() {
  if (clock_.now() >= poll_deadline_) {
    leave_unpolled();
    return owner_.membership_changed();
  }
  if (awaited_ == nullptr && next_request() <= context_.now()) send_heartbeat();
  arm();
}

Ref<ConsumerGroupHeartbeatCall> ConsumerMembership::new_call(std::int32_t epoch) {
  Ref<ConsumerGroupHeartbeatCall> call = cluster_.take<ConsumerGroupHeartbeatCall>();
  call->group = group_.options().name;
  call->member_id = member_id_;
  call->instance_id = instance_id_;
  if (config_.client == Client::librdkafka) call->client_id = kLibrdkafkaClientId;
  call->member = node_.entity();
  call->member_epoch = epoch;
  call->share = share_;
  return call;
}

/// HeartbeatState.buildRequestData: what has changed since it was told last, and everything when joining.
void ConsumerMembership::fill(ConsumerGroupHeartbeatCall& call) {
  const bool joining = state_ == MemberState::joining;
  if (joining || !told_.constants) {
    told_.constants = true;
    call.rebalance_timeout = config_.max_poll_interval;
    call.topics.assign(group_.topics().begin(), group_.topics().end());
    std::sort(call.topics.begin(), call.topics.end());
    if (config_.group_remote_assignor) call.assignor = server_assignor_name(*config_.group_remote_assignor);
  }
  if (joining || told_.assignment != current_.epoch) {
    told_.assignment = current_.epoch;
    call.says_owned = true;
    call.owned.assign(current_.partitions.begin(), current_.partitions.end());
  }
}

void ConsumerMembership::send_heartbeat() {
  next_heartbeat_ = clock_.after(interval_);
  if (node_.heartbeats_lost()) {
    retry_at_ = context_.simulation.after(std::max(interval_, config_.retry_backoff));
    return;
  }
  if (state_ == MemberState::joining && !joined_) report(MemberCode::joining);
  Ref<ConsumerGroupHeartbeatCall> call = new_call(std::max(generation_, kJoinGroupEpoch));
  fill(*call);
  awaited_ = call.get();
  if (state_ == MemberState::acknowledging) {
    // There may be a newer assignment by now.
    state_ = current_ == target_ ? MemberState::stable : MemberState::reconciling;
  }
  connections_.group(coordinator_).call<&ConsumerMembership::on_heartbeat>(*this, std::move(call));
  heartbeat_step_.advance(1);
  if (state_ == MemberState::reconciling) owner_.membership_changed();
}

void ConsumerMembership::on_heartbeat(BrokerId from, Ref<ConsumerGroupHeartbeatCall> call) {
  if (call.get() != awaited_) return;  // of a membership that is over
  awaited_ = nullptr;
  const ErrorCode error = call->error;
  if (error == ErrorCode::none)
    accepted(*call);
  else
    failed(from, error);
  arm();
  owner_.membership_changed();
}

void ConsumerMembership::accepted(ConsumerGroupHeartbeatCall& call) {
  coordinator_answered();
  failures_ = 0;
  retry_at_ = {};
  if (interval_ != call.heartbeat_interval) {
    interval_ = call.heartbeat_interval;
    next_heartbeat_ = clock_.after(interval_);
  }
  if (!in_group()) return;
  generation_ = call.member_epoch;
  if (!joined_) {
    joined_ = true;
    report(MemberCode::joined);
  }
  if (call.has_assignment) take_target(call.assigned);
}

void ConsumerMembership::take_target(const std::vector<PartitionIndex>& assigned) {
  if (target_.is_none() || target_.partitions != assigned) {
    ++target_.epoch;
    target_.partitions.assign(assigned.begin(), assigned.end());
  }
  if (target_ != current_) {
    state_ = MemberState::reconciling;
  } else if (state_ == MemberState::reconciling || state_ == MemberState::joining) {
    state_ = MemberState::stable;
  }
}

/// AbstractHeartbeatRequestManager.onErrorResponse, onFailure
void ConsumerMembership::failed(BrokerId from, ErrorCode error) {
  told_ = {};
  switch (error) {
    case ErrorCode::disconnected:
      retry_after_backoff();
      return lose_coordinator(from, false);
    case ErrorCode::not_coordinator:
    case ErrorCode::coordinator_not_available:
      next_heartbeat_ = {};
      return lose_coordinator(from, true);
    case ErrorCode::coordinator_load_in_progress:
      return retry_after_backoff();
    case ErrorCode::fenced_member_epoch:
    case ErrorCode::unknown_member_id:
      if (!in_group()) return;
      report(MemberCode::fenced);
      joined_ = false;
      generation_ = -1;
      state_ = MemberState::fenced;
      return;
    default:
      // Also GROUP_ID_NOT_FOUND of a coordinator whose log has lost the group (getOrMaybeCreateConsumerGroup): only a member that
      // joins makes a group, and a client takes that answer for fatal.
      if (!in_group()) return;
      fatal_ = error;
      report(MemberCode::fenced);
      generation_ = -1;
      state_ = MemberState::fatal;
  }
}

void ConsumerMembership::retry_after_backoff() {
  next_heartbeat_ = {};
  retry_at_ = context_.simulation.after(
      exponential_backoff(config_.retry_backoff, config_.retry_backoff_max, failures_++, jitter_));
}

void ConsumerMembership::sign(OffsetFetchCall& call) const {
  if (generation_ <= 0) return;
  call.member_id = member_id_;
  call.member_epoch = generation_;
}

// ---- leaving ------------------------------------------------------------------------------------------------------

/// poll() was not called in time (transitionToSendingLeaveGroup, transitionToStale). Nobody waits for the answer.
void ConsumerMembership::leave_unpolled() {
  report(MemberCode::left);
  connections_.group(coordinator_)
      .call<&ConsumerMembership::on_ignored>(
          *this, new_call(is_static() ? kStaticLeaveGroupEpoch : kLeaveGroupEpoch));
  awaited_ = nullptr;
  joined_ = false;
  generation_ = -1;
  told_ = {};
  reconciling_to_.reset();
  next_heartbeat_ = {};
  state_ = MemberState::stale;
  timer_.disarm();
}

bool ConsumerMembership::leave() {
  const bool told = in_group() && coordinator_known();
  if (told) {
    leaving_ = true;
    report(MemberCode::left);
    connections_.group(coordinator_)
        .call<&ConsumerMembership::on_left>(
            *this, new_call(is_static() ? kStaticLeaveGroupEpoch : kLeaveGroupEpoch));
  }
  generation_ = -1;
  joined_ = false;
  state_ = MemberState::unjoined;
  timer_.disarm();
  return told;
}

void ConsumerMembership::join_again() {
  awaited_ = nullptr;
  told_ = {};
  target_ = current_ = {};
  reconciling_to_.reset();
  next_heartbeat_ = {};
  state_ = MemberState::joining;
  arm();
}

void ConsumerMembership::on_left(BrokerId, Ref<ConsumerGroupHeartbeatCall>) {
  // Whatever the answer: leaving is tried once.
  leaving_ = false;
  owner_.membership_changed();
}

void ConsumerMembership::stop_heartbeats() {
  stopped_ = true;
  timer_.disarm();
}

}  // namespace models::kafka
