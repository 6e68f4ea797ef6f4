#include "models/kafka/consumer/classic_membership.hpp"

#include <algorithm>

#include "models/kafka/backoff.hpp"
#include "models/kafka/consumer/state_stores.hpp"
#include "models/kafka/group/assignor.hpp"
#include "models/kafka/librdkafka.hpp"

namespace models::kafka {

namespace {

/// AbstractCoordinator.JOIN_GROUP_TIMEOUT_LAPSE
constexpr sim::Duration kJoinTimeoutLapse{5'000'000'000};

/// False when cooperative members have to give something up before it can be given to others.
bool all_assigned(const std::vector<SyncGroupCall::Assignment>& assignments,
                  const std::vector<AssignorTopic>& topics) {
  std::int64_t left = 0;
  for (const AssignorTopic& topic : topics) left += topic.partitions;
  for (const SyncGroupCall::Assignment& assignment : assignments)
    left -= static_cast<std::int64_t>(assignment.partitions.size());
  return left == 0;
}

}  // namespace

ClassicMembership::ClassicMembership(ConsumerGroup& group, Node& node, std::string instance_id,
                                     Connections& connections, Metadata& metadata, MembershipOwner& owner)
    : Membership(group, node, std::move(instance_id), connections, metadata, owner),
      join_timer_(context_.simulation, node, [this] { owner_.membership_changed(); }),
      heartbeat_timer_(context_.simulation, node, [this] { heartbeat_due(); }) {}

void ClassicMembership::forget() {
  Membership::forget();
  protocol_.clear();
  rejoin_needed_ = true;
  needs_prepare_ = true;
  joining_reported_ = false;
  join_pending_ = false;
  join_outcome_.reset();
  join_not_before_ = {};
  held_join_ = {};
  assigned_counts_.clear();
  poll_deadline_ = sim::kNever;
  heartbeats_failed_ = 0;
  heartbeats_stopped_ = false;
  join_timer_.disarm();
  heartbeat_timer_.disarm();
}

void ClassicMembership::coordinator_found() {
  session_deadline_ = clock_.after(config_.session_timeout);  // resetSessionTimeout
  arm_heartbeat();
}

// ---- joining ------------------------------------------------------------------------------------------------------

void ClassicMembership::entered_poll() {
  poll_deadline_ = sim::kNever;
  if (held_join_) take_join(held_from_, std::move(held_join_));
}

void ClassicMembership::left_poll() {
  poll_deadline_ = clock_.after(config_.max_poll_interval);
  if (heartbeats_enabled()) arm_heartbeat();
}

/// ConsumerCoordinator.poll(), ensureActiveGroup
Membership::Progress ClassicMembership::advance() {
  if (coordinator() == nullptr) return Progress::waiting;
  while (rejoin_needed_or_pending()) {
    if (coordinator() == nullptr) return Progress::waiting;
    if (needs_prepare_) {
      if (!owner_.prepare_rejoin()) return Progress::waiting;
      needs_prepare_ = false;
    }
    switch (advance_join()) {
      case Join::pending:
        return Progress::waiting;
      case Join::retry:
        break;
      case Join::joined:
        switch (owner_.take_assignment()) {
          case MembershipOwner::Taken::not_yet:
            return Progress::waiting;
          case MembershipOwner::Taken::to_join_again:
            request_rejoin();  // cooperative: so that what is given up can be given to others
            break;
          case MembershipOwner::Taken::as_it_was:
            break;
        }
        joined_complete();
        partitions_seen();
        break;
      case Join::fatal:
        return Progress::ended;
    }
  }
  return Progress::ready;
}

ClassicMembership::Join ClassicMembership::advance_join() {
  if (!join_pending_) {
    if (context_.now() < join_not_before_) return Join::pending;
    send_join();
    return Join::pending;
  }
  if (!join_outcome_) return Join::pending;
  const Join outcome = *join_outcome_;
  if (outcome == Join::joined) {
    if (state_ == MemberState::stable) return outcome;
    // The heartbeat thread has found out meanwhile that this membership is void.
    reset(true);
  }
  join_outcome_.reset();
  join_pending_ = false;
  rejoin_needed_ = true;
  return outcome == Join::joined ? Join::retry : outcome;
}

void ClassicMembership::joined_complete() {
  join_outcome_.reset();
  join_pending_ = false;
  needs_prepare_ = true;
  joining_reported_ = false;
}

void ClassicMembership::send_join() {
  RpcChannel* channel = coordinator();
  if (channel == nullptr) return;
  report_joining();
  state_ = MemberState::preparing_rebalance;
  join_pending_ = true;
  heartbeat_timer_.disarm();  // hasNotJoinedGroup: the heartbeat thread sleeps
  Ref<JoinGroupCall> call = cluster_.take<JoinGroupCall>();
  call->group = group_.options().name;
  call->member_id = member_id_;
  call->instance_id = instance_id_;
  if (config_.client == Client::librdkafka) call->client_id = kLibrdkafkaClientId;
  call->member = node_.entity();
  call->session_timeout = config_.session_timeout;
  call->rebalance_timeout = config_.max_poll_interval;
  for (const Assignor assignor : config_.partition_assignment_strategy) {
    call->protocols.emplace_back(assignor_name(assignor));
  }
  owner_.describe(call->subscription);
  // The coordinator may hold the answer back for the whole rebalance timeout.
  const sim::Duration timeout =
      std::max(config_.request_timeout, config_.max_poll_interval + kJoinTimeoutLapse);
  channel->call<&ClassicMembership::on_join>(*this, std::move(call), timeout);
}

void ClassicMembership::on_join(BrokerId from, Ref<JoinGroupCall> call) {
  if (!owner_.inside_poll()) {
    held_join_ = std::move(call);
    held_from_ = from;
    return;
  }
  take_join(from, std::move(call));
}

void ClassicMembership::take_join(BrokerId from, Ref<JoinGroupCall> call) {
  switch (call->error) {
    case ErrorCode::none:
      coordinator_answered();
      if (state_ != MemberState::preparing_rebalance) return finish_join(Join::retry);
      return become_member(*call);
    case ErrorCode::member_id_required:
      coordinator_answered();
      generation_ = -1;
      member_id_ = call->member_id;
      return finish_join(Join::retry);
    case ErrorCode::unknown_member_id:
      if (call->member_id == member_id_) fenced(call->error);
      return finish_join(Join::retry);
    case ErrorCode::rebalance_in_progress:
      return finish_join(Join::retry);
    case ErrorCode::fenced_instance_id:
      fenced_for_good();
      return finish_join(Join::fatal);
    case ErrorCode::group_max_size_reached:
      fatal_ = call->error;
      return finish_join(Join::fatal);
    case ErrorCode::disconnected:
      lose_coordinator(from, false);
      return retry_join_later();
    case ErrorCode::not_coordinator:
    case ErrorCode::coordinator_not_available:
      lose_coordinator(from, true);
      return retry_join_later();
    default:
      return retry_join_later();
  }
}

void ClassicMembership::become_member(JoinGroupCall& call) {
  state_ = MemberState::completing_rebalance;
  generation_ = call.generation;
  member_id_ = call.member_id;
  protocol_ = call.protocol;
  // The heartbeat thread wakes with fresh timers (HeartbeatThread.enable).
  session_deadline_ = clock_.after(config_.session_timeout);
  next_heartbeat_ = clock_.after(config_.heartbeat_interval);
  arm_heartbeat();
  send_sync(call);
}

void ClassicMembership::send_sync(const JoinGroupCall& joined) {
  RpcChannel* channel = coordinator();
  if (channel == nullptr) return retry_join_later();
  Ref<SyncGroupCall> call = cluster_.take<SyncGroupCall>();
  call->group = group_.options().name;
  call->member_id = member_id_;
  call->instance_id = instance_id_;
  call->generation = generation_;
  assigned_counts_.clear();
  if (joined.leader_id == member_id_) {
    for (const TopicIndex t : group_.topics()) assigned_counts_.push_back(known_partitions(t));
  }
  if (joined.leader_id == member_id_ && !joined.skip_assignment) {
    const std::optional<Assignor> assignor = find_assignor(joined.protocol);
    MQLAB_ASSERT(assignor.has_value(), "the coordinator chose an assignor that no member offers");
    std::vector<AssignorTopic> known = subscribed_topics(cluster_, joined.members);
    for (AssignorTopic& topic : known) topic.partitions = known_partitions(topic.topic);
    const bool told = std::any_of(joined.members.begin(), joined.members.end(),
                                  [](const auto& member) { return !member.subscription.rack.empty(); });
    if (told) add_racks(cluster_, known);
    const bool dated = cluster_.options().rules.has(Rule::generation_with_owned);
    call->assignments = assign(*assignor, joined.members, known, dated ? Claims::dated : Claims::undated);
    // The assignor has thrown. The exception comes out of poll(), and the application calls it again.
    if (call->assignments.empty()) return retry_join_later();
    if (StateStores* const stores = group_.stores())
      stores->assigned(generation_, all_assigned(call->assignments, known));
  }
  channel->call<&ClassicMembership::on_sync>(*this, std::move(call));
}

/// Before the first metadata: as many as at the start.
std::int32_t ClassicMembership::known_partitions(TopicIndex topic) const {
  const std::int32_t count = metadata_.partitions(topic);
  return count > 0 ? count : cluster_.topic(topic).partitions;
}

void ClassicMembership::partitions_seen() {
  for (std::size_t i = 0; i < assigned_counts_.size(); ++i) {
    if (known_partitions(group_.topics()[i]) != assigned_counts_[i]) return request_rejoin();
  }
}

void ClassicMembership::on_sync(BrokerId from, Ref<SyncGroupCall> call) {
  switch (call->error) {
    case ErrorCode::none:
      coordinator_answered();
      if (state_ != MemberState::completing_rebalance || generation_ < 0) return finish_join(Join::retry);
      state_ = MemberState::stable;
      rejoin_needed_ = false;
      report(MemberCode::joined);
      assigned_.assign(call->assigned.begin(), call->assigned.end());
      return finish_join(Join::joined);
    case ErrorCode::rebalance_in_progress:
      return finish_join(Join::retry);
    case ErrorCode::unknown_member_id:
    case ErrorCode::illegal_generation:
      if (unchanged_since(*call)) fenced(call->error);
      return finish_join(Join::retry);
    case ErrorCode::fenced_instance_id:
      fenced_for_good();
      return finish_join(Join::fatal);
    case ErrorCode::disconnected:
      lose_coordinator(from, false);
      return retry_join_later();
    case ErrorCode::not_coordinator:
    case ErrorCode::coordinator_not_available:
      lose_coordinator(from, true);
      return retry_join_later();
    default:
      return retry_join_later();
  }
}

void ClassicMembership::finish_join(Join outcome) {
  if (!running_) return;
  join_outcome_ = outcome;
  owner_.membership_changed();
}

void ClassicMembership::retry_join_later() {
  if (!running_) return;
  // Model: a join that failed is tried again after retry.backoff.ms; Kafka's poll() with the application's own timeout
  // may try sooner.
  join_not_before_ = context_.simulation.after(config_.retry_backoff);
  join_timer_.arm_at(join_not_before_);
  finish_join(Join::retry);
}

void ClassicMembership::reset(bool forget_member_id) {
  state_ = MemberState::unjoined;
  generation_ = -1;
  protocol_.clear();
  if (forget_member_id) member_id_.clear();
  rejoin_needed_ = true;
  // Who falls out while it joins has prepared for that join, and did not before 3.0 for the one that follows.
  needs_prepare_ = needs_prepare_ || cluster_.options().rules.has(Rule::lost_before_rejoin);
  heartbeat_timer_.disarm();
}

void ClassicMembership::fenced(ErrorCode error) {
  report(MemberCode::fenced);
  reset(error != ErrorCode::illegal_generation);
}

void ClassicMembership::fenced_for_good() {
  fatal_ = ErrorCode::fenced_instance_id;
  report(MemberCode::fenced);
  reset(true);
}

ErrorCode ClassicMembership::may_commit() const {
  if (rebalancing()) return ErrorCode::rebalance_in_progress;
  return state_ == MemberState::stable ? ErrorCode::none : ErrorCode::unknown_member_id;
}

ErrorCode ClassicMembership::commit_failed(ErrorCode error, const OffsetCommitCall& call) {
  switch (error) {
    case ErrorCode::rebalance_in_progress:
      request_rejoin();
      return error;
    case ErrorCode::unknown_member_id:
    case ErrorCode::illegal_generation:
      if (unchanged_since(call)) {
        fenced(error);
      } else if (state_ == MemberState::preparing_rebalance) {
        return ErrorCode::rebalance_in_progress;
      }
      return error;
    case ErrorCode::fenced_instance_id:
      if (unchanged_since(call)) fenced_for_good();
      return error;
    default:
      return error;
  }
}

void ClassicMembership::report_joining() {
  if (joining_reported_) return;
  joining_reported_ = true;
  report(MemberCode::joining);
}

}  // namespace models::kafka
