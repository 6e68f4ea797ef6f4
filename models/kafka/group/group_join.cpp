// JoinGroup and the join phase of a rebalance (GroupMetadataManager.java, classicGroupJoin… and
// completeClassicGroupJoin).
#include <algorithm>
#include <utility>

#include "models/kafka/group/group_coordinator.hpp"
#include "sim/assert.hpp"

namespace models::kafka {

void GroupCoordinator::receive(Ref<JoinGroupCall> call) {
  Shard* const shard = shard_of(call->group);
  if (shard == nullptr) return reply(std::move(call), ErrorCode::not_coordinator);
  const BrokerConfig& config = host_.config();
  if (call->session_timeout < config.group_min_session_timeout ||
      call->session_timeout > config.group_max_session_timeout) {
    return reply(std::move(call), ErrorCode::invalid_session_timeout);
  }
  Group* group = find(*shard, call->group);
  if (group != nullptr && group->modern) {
    // Model: see modern_heartbeat.cpp on groups of both protocols.
    if (!group->is(GroupState::empty)) return reply(std::move(call), ErrorCode::inconsistent_group_protocol);
    group->become_classic();
  }
  if (group != nullptr) return join(*shard, *group, std::move(call));
  if (!call->member_id.empty()) return reply(std::move(call), ErrorCode::unknown_member_id);
  group = &create(*shard, call->group);
  emit_state(*group, GroupState::dead);
  // The group is made known to the log at once; should that fail it only lives here until its first
  // generation.
  static_cast<void>(write_metadata(*shard, *group, group->metadata()));
  join(*shard, *group, std::move(call));
  if (group->is(GroupState::empty) || !host_.has(Rule::offsets_of_live_groups_stay)) watch_retention(*group);
}

bool GroupCoordinator::accepts(Group& group, const JoinGroupCall& call) {
  const auto most = static_cast<std::size_t>(host_.config().group_max_size);
  const GroupMember* const member = group.find(call.member_id);
  switch (group.state) {
    case GroupState::empty:
    case GroupState::dead:
      return true;
    // Counted are those that wait, so that the last members to rejoin a group above its size are turned away.
    case GroupState::preparing_rebalance:
      return (member != nullptr && member->join) || group.awaiting_join() < most;
    case GroupState::completing_rebalance:
    case GroupState::stable:
    case GroupState::assigning:
    case GroupState::reconciling:
      break;
  }
  return member != nullptr || group.members().size() < most;
}

void GroupCoordinator::join(Shard& shard, Group& group, Ref<JoinGroupCall> call) {
  if (!accepts(group, *call)) {
    if (const GroupMember* const member = group.find(call->member_id)) emit_evicted(group, member->entity);
    group.remove(call->member_id);
    call->member_id.clear();
    return reply(std::move(call), ErrorCode::group_max_size_reached);
  }
  if (!group.supports(call->protocols)) return reply(std::move(call), ErrorCode::inconsistent_group_protocol);
  if (call->member_id.empty()) return join_new_member(shard, group, std::move(call));
  if (group.is_pending(call->member_id)) {
    const std::string member_id = call->member_id;
    return add_member(shard, group, member_id, std::move(call));
  }
  const ErrorCode error = group.validate(call->member_id, call->instance_id);
  if (error != ErrorCode::none) return reply(std::move(call), error);
  GroupMember& member = *group.find(call->member_id);
  join_known_member(shard, group, member, std::move(call));
}

void GroupCoordinator::join_new_member(Shard& shard, Group& group, Ref<JoinGroupCall> call) {
  const std::string new_id = new_member_id(group, *call);
  if (!call->instance_id.empty()) {
    const std::string* const holder = group.static_member(call->instance_id);
    if (holder == nullptr) return add_member(shard, group, new_id, std::move(call));
    return take_over(shard, group, *group.find(*holder), new_id, std::move(call));
  }
  if (!host_.has(Rule::member_id_first)) return add_member(shard, group, new_id, std::move(call));
  // KIP-394: the id comes first, so that a join that is given up and sent anew does not make a second member.
  group.add_pending(new_id, call->session_timeout);
  call->member_id = new_id;
  reply(std::move(call), ErrorCode::member_id_required);
}

void GroupCoordinator::join_known_member(Shard& shard, Group& group, GroupMember& member,
                                         Ref<JoinGroupCall> call) {
  switch (group.state) {
    case GroupState::preparing_rebalance:
      return update_member(shard, group, member, std::move(call));
    case GroupState::completing_rebalance:
      // The answer to the same request was lost: here it is again.
      if (member.matches(*call)) return answer_current(group, member, std::move(call), group.leader);
      return update_member(shard, group, member, std::move(call));
    case GroupState::stable:
      // A leader that joins again wants a rebalance: it has seen that topics changed.
      if (!group.is_leader(member) && member.matches(*call))
        return answer_current(group, member, std::move(call), group.leader);
      return update_member(shard, group, member, std::move(call));
    case GroupState::empty:
    case GroupState::dead:
    case GroupState::assigning:
    case GroupState::reconciling:
      break;
  }
  reply(std::move(call), ErrorCode::unknown_member_id);
}

void GroupCoordinator::add_member(Shard& shard, Group& group, const std::string& member_id,
                                  Ref<JoinGroupCall> call) {
  if (group.is(GroupState::preparing_rebalance) && group.previous_state == GroupState::empty)
    group.new_member_added = true;
  GroupMember& member = group.add(member_id, *call);
  call->member_id = member_id;
  group.park(member, std::move(call));
  // It does not send heartbeats before it has an answer; should it be gone its join does not stay for ever.
  member.session.arm_after(kNewMemberJoinTimeout);
  if (host_.has(Rule::offsets_of_live_groups_stay)) group.retention_timer.disarm();
  prepare_or_complete(shard, group);
}

void GroupCoordinator::update_member(Shard& shard, Group& group, GroupMember& member,
                                     Ref<JoinGroupCall> call) {
  group.update(member, *call);
  group.park(member, std::move(call));
  prepare_or_complete(shard, group);
}

// ---- static members (KIP-345) -----------------------------------------------------------------------------

void GroupCoordinator::take_over(Shard& shard, Group& group, GroupMember& member, const std::string& new_id,
                                 Ref<JoinGroupCall> call) {
  auto takeover = std::make_unique<Takeover>(Takeover{new_id, member.id, member.entity, member.protocols,
                                                      member.subscription, member.session_timeout,
                                                      member.rebalance_timeout});
  fail_join(group, member, ErrorCode::fenced_instance_id, member.id);
  if (member.sync) reply(std::exchange(member.sync, {}), ErrorCode::fenced_instance_id);
  group.rename(member, new_id);
  restart_session(member);
  call->member_id = new_id;
  group.update(member, *call);
  group.park(member, std::move(call));

  switch (group.state) {
    case GroupState::stable:
      break;
    // Its old id may be on its way to the leader already: an assignment to that id would reach nobody.
    case GroupState::completing_rebalance:
      return prepare_rebalance(shard, group);
    default:
      return complete_join_when_all_joined(shard, group);
  }
  if (group.select_protocol() != group.protocol) return prepare_or_complete(shard, group);
  Follow then = std::move(takeover);
  if (!write_metadata(shard, group, group.metadata(), then))
    follow(shard, &group, now(), then, ErrorCode::not_enough_replicas);
}

/// Stored, the member goes on in the present generation without a rebalance; not stored, all is as before.
void GroupCoordinator::taken_over(Group& group, Takeover& takeover, ErrorCode error) {
  GroupMember* const member = group.find(takeover.new_id);
  if (member == nullptr) return;
  if (error == ErrorCode::none) {
    // The leader of before is named where the new one would not be told to leave the assignment alone: then it takes itself for
    // a follower (updateStaticMemberAndRebalance).
    const bool leads = group.is_leader(*member);
    const bool told = host_.has(Rule::leader_stays_on_return);
    return answer_join(group, *member, leads && told, leads && !told ? takeover.old_id : group.leader);
  }
  fail_join(group, *member, error, "");
  JoinGroupCall before;
  before.protocols = std::move(takeover.old_protocols);
  before.subscription = std::move(takeover.old_subscription);
  before.session_timeout = takeover.old_session_timeout;
  before.rebalance_timeout = takeover.old_rebalance_timeout;
  before.member = takeover.old_entity;
  group.update(*member, before);
  group.rename(*member, takeover.old_id);
  restart_session(*member);
}

// ---- the join phase ---------------------------------------------------------------------------------------

void GroupCoordinator::prepare_or_complete(Shard& shard, Group& group) {
  if (group.can_rebalance()) return prepare_rebalance(shard, group);
  complete_join_when_all_joined(shard, group);
}

void GroupCoordinator::complete_join_when_all_joined(Shard& shard, Group& group) {
  if (!group.is(GroupState::preparing_rebalance) || group.previous_state == GroupState::empty) return;
  if (group.all_joined()) complete_join(shard, group);
}

void GroupCoordinator::prepare_rebalance(Shard& shard, Group& group) {
  if (group.is(GroupState::completing_rebalance)) {
    for (auto& [id, member] : group.members()) member.assignment.clear();
    propagate_assignments(group, ErrorCode::rebalance_in_progress);
  }
  group.expect_no_sync();
  group.sync_timer.disarm();
  const bool initial = group.is(GroupState::empty);
  transition(group, GroupState::preparing_rebalance);
  if (initial) {
    // Members of a new group come one after the other: wait a little for the others.
    const sim::Duration delay = host_.config().group_initial_rebalance_delay;
    group.initial_delay = true;
    group.initial_step = delay;
    group.initial_remaining = std::max(group.rebalance_timeout() - delay, sim::Duration{});
    group.join_timer.arm_after(delay);
  } else if (group.all_joined()) {
    complete_join(shard, group);
  } else {
    group.initial_delay = false;
    group.join_timer.arm_after(group.rebalance_timeout());
  }
}

/// The delay of a group that was empty is over; it is extended while members came in.
void GroupCoordinator::try_complete_initial_join(Shard& shard, Group& group) {
  if (!group.new_member_added || group.initial_remaining == sim::Duration{})
    return complete_join(shard, group);
  group.new_member_added = false;
  const sim::Duration step = std::min(host_.config().group_initial_rebalance_delay, group.initial_remaining);
  group.initial_remaining = std::max(group.initial_remaining - group.initial_step, sim::Duration{});
  group.initial_step = step;
  group.join_timer.arm_after(step);
}

void GroupCoordinator::complete_join(Shard& shard, Group& group) {
  group.join_timer.disarm();
  group.initial_delay = false;
  group.new_member_added = false;
  std::vector<GroupMember*> missing;
  for (auto& [id, member] : group.members()) {
    if (!member.join && !member.is_static()) missing.push_back(&member);
  }
  for (GroupMember* const member : missing) evict(group, *member);
  if (!group.elect_joined_leader() && !group.members().empty()) {
    // Only static members, none of them here: wait on, until their sessions end or one comes.
    group.join_timer.arm_after(group.rebalance_timeout());
    return;
  }
  begin_generation(shard, group);
}

void GroupCoordinator::begin_generation(Shard& shard, Group& group) {
  ++group.generation;
  group.expect_no_sync();
  if (group.members().empty()) {
    group.protocol.clear();
    transition(group, GroupState::empty);
    watch_retention(group);
    // Not stored, the last generation comes back with the next coordinator and times out there: no harm.
    static_cast<void>(write_metadata(shard, group, group.metadata()));
    return;
  }
  group.protocol = group.select_protocol();
  transition(group, GroupState::completing_rebalance);
  for (auto& [id, member] : group.members()) {
    answer_join(group, member, false, group.leader);
    restart_session(member);
    member.is_new = false;
    group.expect_sync(member, true);
  }
  group.sync_timer.arm_after(group.rebalance_timeout());
}

// ---- answers ----------------------------------------------------------------------------------------------

void GroupCoordinator::answer_join(Group& group, GroupMember& member, bool skip_assignment,
                                   const std::string& leader) {
  Ref<JoinGroupCall> call = group.unpark(member);
  if (!call) return;
  call->skip_assignment = skip_assignment;
  answer_current(group, member, std::move(call), leader);
}

void GroupCoordinator::answer_current(Group& group, GroupMember& member, Ref<JoinGroupCall> call,
                                      const std::string& leader) {
  // In Stable only the leader that came back under a new id is told who the others are (KIP-814).
  const bool tell_members =
      group.is_leader(member) && (group.is(GroupState::completing_rebalance) || call->skip_assignment);
  call->members = tell_members ? group.joined_members() : std::vector<JoinGroupCall::Member>{};
  call->member_id = member.id;
  call->generation = group.generation;
  call->protocol = group.protocol;
  call->leader_id = leader;
  reply(std::move(call), ErrorCode::none);
}

void GroupCoordinator::fail_join(Group& group, GroupMember& member, ErrorCode error,
                                 const std::string& member_id) {
  Ref<JoinGroupCall> call = group.unpark(member);
  if (!call) return;
  call->member_id = member_id;
  reply(std::move(call), error);
}

std::string GroupCoordinator::new_member_id(const Group& group, const JoinGroupCall& call) {
  auto at = member_ids_.find(group.name);
  if (at == member_ids_.end()) {
    const std::string stream = host_.node().name() + "/member-id/" + group.name;
    at = member_ids_.emplace(group.name, sim::Stream(simulation().seed(), stream)).first;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id = call.instance_id;
  if (id.empty()) id = call.client_id.empty() ? "consumer-" + group.name + "-1" : std::string(call.client_id);
  id += '-';
  const std::uint64_t word = at->second.next();
  for (int shift = 60; shift >= 0; shift -= 4) id += kDigits[word >> shift & 15U];
  return id;
}

}  // namespace models::kafka
