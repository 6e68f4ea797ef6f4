// The heartbeat thread of a member (AbstractCoordinator.HeartbeatThread, Heartbeat.java), and leaving.
#include <algorithm>

#include "models/kafka/backoff.hpp"
#include "models/kafka/consumer/classic_membership.hpp"

namespace models::kafka {

void ClassicMembership::arm_heartbeat() {
  if (!heartbeats_enabled() || heartbeats_stopped_ || !coordinator_known()) return heartbeat_timer_.disarm();
  heartbeat_timer_.arm_at(clock_.due(std::min({next_heartbeat_, session_deadline_, poll_deadline_})));
}

void ClassicMembership::heartbeat_due() {
  const sim::Time now = clock_.now();
  if (now >= session_deadline_) {
    // No answer for a whole session: perhaps the coordinator is not well. The membership itself stands until it says so.
    session_deadline_ = clock_.after(config_.session_timeout);
    return lose_coordinator(coordinator_, true);
  }
  if (now >= poll_deadline_) {
    leave();
    return owner_.membership_changed();
  }
  if (now >= next_heartbeat_) send_heartbeat();
  arm_heartbeat();
}

void ClassicMembership::send_heartbeat() {
  next_heartbeat_ = clock_.after(config_.heartbeat_interval);
  if (node_.heartbeats_lost()) return;
  Ref<HeartbeatCall> call = cluster_.take<HeartbeatCall>();
  call->group = group_.options().name;
  call->member_id = member_id_;
  call->instance_id = instance_id_;
  call->generation = generation_;
  connections_.group(coordinator_).call<&ClassicMembership::on_heartbeat>(*this, std::move(call));
  heartbeat_step_.advance(1);
}

void ClassicMembership::on_heartbeat(BrokerId from, Ref<HeartbeatCall> call) {
  const auto received = [this] {
    coordinator_answered();
    heartbeats_failed_ = 0;
    session_deadline_ = clock_.after(config_.session_timeout);
    arm_heartbeat();
  };
  switch (call->error) {
    case ErrorCode::none:
      return received();
    case ErrorCode::rebalance_in_progress:
      received();
      if (state_ != MemberState::stable) return;  // it is already on its way
      request_rejoin();
      return owner_.membership_changed();
    case ErrorCode::unknown_member_id:
    case ErrorCode::illegal_generation:
      if (!unchanged_since(*call)) return received();  // about a generation of long ago
      fenced(call->error);
      return owner_.membership_changed();
    case ErrorCode::fenced_instance_id:
      if (!unchanged_since(*call)) return received();
      fenced_for_good();
      return owner_.membership_changed();
    case ErrorCode::disconnected:
      heartbeat_failed();
      return lose_coordinator(from, false);
    case ErrorCode::not_coordinator:
    case ErrorCode::coordinator_not_available:
      heartbeat_failed();
      return lose_coordinator(from, true);
    default:
      return heartbeat_failed();
  }
}

void ClassicMembership::heartbeat_failed() {
  next_heartbeat_ = clock_.after(
      exponential_backoff(config_.retry_backoff, config_.retry_backoff_max, heartbeats_failed_++, jitter_));
  arm_heartbeat();
}

bool ClassicMembership::leave() {
  bool sent = false;
  if (!is_static() && coordinator_known() && state_ != MemberState::unjoined && !member_id_.empty()) {
    Ref<LeaveGroupCall> call = cluster_.take<LeaveGroupCall>();
    call->group = group_.options().name;
    call->member_id = member_id_;
    leaving_ = sent = true;
    report(MemberCode::left);
    connections_.group(coordinator_).call<&ClassicMembership::on_left>(*this, std::move(call));
  }
  reset(true);
  return sent;
}

void ClassicMembership::on_left(BrokerId, Ref<LeaveGroupCall>) {
  // Whatever the answer: leaving is tried once (maybeLeaveGroup).
  leaving_ = false;
  owner_.membership_changed();
}

void ClassicMembership::stop_heartbeats() {
  heartbeats_stopped_ = true;
  heartbeat_timer_.disarm();
}

}  // namespace models::kafka
