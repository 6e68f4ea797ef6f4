// SyncGroup, Heartbeat, LeaveGroup, and what a group's timers do (GroupMetadataManager.java).
#include <utility>

#include "models/kafka/group/group_coordinator.hpp"
#include "sim/assert.hpp"

namespace models::kafka {

// ---- SyncGroup --------------------------------------------------------------------------------------------

void GroupCoordinator::receive(Ref<SyncGroupCall> call) {
  Shard* const shard = shard_of(call->group);
  if (shard == nullptr) return reply(std::move(call), ErrorCode::not_coordinator);
  Group* const group = find(*shard, call->group);
  if (group == nullptr) return reply(std::move(call), ErrorCode::unknown_member_id);
  const ErrorCode error = group->validate(call->member_id, call->instance_id);
  if (error != ErrorCode::none) return reply(std::move(call), error);
  if (call->generation != group->generation) return reply(std::move(call), ErrorCode::illegal_generation);
  GroupMember& member = *group->find(call->member_id);
  switch (group->state) {
    case GroupState::preparing_rebalance:
      return reply(std::move(call), ErrorCode::rebalance_in_progress);
    case GroupState::completing_rebalance:
      member.sync = std::move(call);
      sync_received(*group, member);
      if (group->is_leader(member)) assign(*shard, *group, member);
      return;
    case GroupState::stable:
      sync_received(*group, member);
      call->assigned = member.assignment;
      return reply(std::move(call), ErrorCode::none);
    case GroupState::empty:
    case GroupState::dead:
    case GroupState::assigning:
    case GroupState::reconciling:
      break;
  }
  reply(std::move(call), ErrorCode::unknown_member_id);
}

void GroupCoordinator::sync_received(Group& group, GroupMember& member) {
  group.expect_sync(member, false);
  if (group.all_synced()) group.sync_timer.disarm();
}

void GroupCoordinator::assign(Shard& shard, Group& group, GroupMember& leader) {
  std::map<std::string_view, const std::vector<PartitionIndex>*> given;
  for (const SyncGroupCall::Assignment& one : leader.sync->assignments)
    given[one.member_id] = &one.partitions;
  std::shared_ptr<GroupMetadata> metadata = group.metadata();
  for (std::shared_ptr<const GroupMetadata::Member>& record : metadata->members) {
    GroupMetadata::Member member = *record;
    const auto found = given.find(member.member_id);
    member.assignment = found == given.end() ? std::vector<PartitionIndex>{} : *found->second;
    record = std::make_shared<const GroupMetadata::Member>(std::move(member));
  }
  auto assigning = std::make_unique<Assigning>();
  assigning->metadata = metadata;
  Follow then = std::move(assigning);
  if (!write_metadata(shard, group, metadata, then))
    follow(shard, &group, now(), then, ErrorCode::not_enough_replicas);
}

void GroupCoordinator::assigned(Shard& shard, Group& group, const GroupMetadata& metadata, ErrorCode error) {
  // Someone may have joined or left meanwhile: then this generation is over.
  if (!group.is(GroupState::completing_rebalance) || metadata.generation != group.generation) return;
  if (error != ErrorCode::none) {
    for (auto& [id, member] : group.members()) group.assign(member, {});
    propagate_assignments(group, error);
    return prepare_or_complete(shard, group);
  }
  for (const auto& record : metadata.members) {
    if (GroupMember* const member = group.find(record->member_id)) group.assign(*member, record->assignment);
  }
  propagate_assignments(group, ErrorCode::none);
  transition(group, GroupState::stable);
}

void GroupCoordinator::propagate_assignments(Group& group, ErrorCode error) {
  for (auto& [id, member] : group.members()) {
    if (!member.sync) continue;
    Ref<SyncGroupCall> call = std::exchange(member.sync, {});
    call->assigned = member.assignment;
    reply(std::move(call), error);
    // While it waited for this answer its session was not looked at.
    restart_session(member);
  }
}

// ---- Heartbeat --------------------------------------------------------------------------------------------

void GroupCoordinator::receive(Ref<HeartbeatCall> call) {
  Shard* const shard = shard_of(call->group);
  if (shard == nullptr) return reply(std::move(call), ErrorCode::not_coordinator);
  Group* const group = find(*shard, call->group);
  if (group == nullptr) return reply(std::move(call), ErrorCode::unknown_member_id);
  const ErrorCode error = group->validate(call->member_id, call->instance_id);
  if (error != ErrorCode::none) return reply(std::move(call), error);
  if (call->generation != group->generation) return reply(std::move(call), ErrorCode::illegal_generation);
  restart_session(*group->find(call->member_id));
  const bool rejoin = group->is(GroupState::preparing_rebalance);
  reply(std::move(call), rejoin ? ErrorCode::rebalance_in_progress : ErrorCode::none);
}

// ---- LeaveGroup -------------------------------------------------------------------------------------------

void GroupCoordinator::receive(Ref<LeaveGroupCall> call) {
  Shard* const shard = shard_of(call->group);
  if (shard == nullptr) return reply(std::move(call), ErrorCode::not_coordinator);
  Group* const group = find(*shard, call->group);
  if (group == nullptr) return reply(std::move(call), ErrorCode::unknown_member_id);
  if (group->is_pending(call->member_id)) {
    group->remove(call->member_id);
    complete_join_when_all_joined(*shard, *group);
  } else if (GroupMember* const member = group->find(call->member_id)) {
    forget_member(*group, *member);
    if (group->is(GroupState::stable) || group->is(GroupState::completing_rebalance)) {
      prepare_or_complete(*shard, *group);
    } else {
      complete_join_when_all_joined(*shard, *group);
    }
  } else {
    return reply(std::move(call), ErrorCode::unknown_member_id);
  }
  after_writes(*shard, group, std::move(call));
}

// ---- members that are gone --------------------------------------------------------------------------------

void GroupCoordinator::forget_member(Group& group, GroupMember& member) {
  fail_join(group, member, ErrorCode::unknown_member_id, "");
  if (member.sync) reply(std::exchange(member.sync, {}), ErrorCode::unknown_member_id);
  group.remove(member.id);
}

void GroupCoordinator::evict(Group& group, GroupMember& member) {
  emit_evicted(group, member.entity);
  forget_member(group, member);
}

// ---- timers -----------------------------------------------------------------------------------------------

/// Runs `work` on the group now, or when a paused broker goes on: then only if the group is still here and
/// still due.
template <class Due, class Work>
void GroupCoordinator::run_or_hold(const Group& group, Due still_due, Work work) {
  host_.node().run_or_hold([this, name = group.name, still_due, work] {
    if (Group* const found = find_loaded(name); found != nullptr && still_due(*found)) work(*found);
  });
}

void GroupCoordinator::session_expired(Group& group, GroupMember& member) {
  if (!host_.node().paused()) return expire_session(group, member);
  const auto due = [id = member.id](Group& g) {
    return g.find(id) != nullptr && !g.find(id)->session.armed();
  };
  run_or_hold(group, due, [this, id = member.id](Group& g) { expire_session(g, *g.find(id)); });
}

void GroupCoordinator::expire_session(Group& group, GroupMember& member) {
  // Who waits for an answer of ours is not silent by its own choice; the answer restarts its session.
  if (member.heartbeat_satisfied()) return;
  evict(group, member);
  Shard& shard = *shard_of(group.name);
  if (!group.is(GroupState::preparing_rebalance)) return prepare_rebalance(shard, group);
  if (group.all_joined()) complete_join(shard, group);
}

void GroupCoordinator::pending_expired(Group& group, const std::string& member_id) {
  if (!host_.node().paused()) return expire_pending(group, member_id);
  const auto due = [member_id](Group& g) { return g.is_pending(member_id); };
  run_or_hold(group, due, [this, member_id](Group& g) { expire_pending(g, member_id); });
}

void GroupCoordinator::expire_pending(Group& group, const std::string& member_id) {
  group.remove(member_id);
  if (group.is(GroupState::preparing_rebalance) && group.all_joined())
    complete_join(*shard_of(group.name), group);
}

void GroupCoordinator::join_due(Group& group) {
  const auto due = [](Group& g) { return g.is(GroupState::preparing_rebalance) && !g.join_timer.armed(); };
  const auto work = [this](Group& g) {
    Shard& shard = *shard_of(g.name);
    g.initial_delay ? try_complete_initial_join(shard, g) : complete_join(shard, g);
  };
  if (host_.node().paused()) return run_or_hold(group, due, work);
  if (due(group)) work(group);
}

void GroupCoordinator::sync_due(Group& group) {
  const auto due = [](Group& g) { return !g.all_synced() && !g.sync_timer.armed(); };
  if (host_.node().paused()) return run_or_hold(group, due, [this](Group& g) { expire_sync(g); });
  if (due(group)) expire_sync(group);
}

/// The sync barrier: who got a generation and did not ask for its assignment is taken for dead.
void GroupCoordinator::expire_sync(Group& group) {
  MQLAB_ASSERT(group.is(GroupState::completing_rebalance) || group.is(GroupState::stable),
               "syncs are due in a generation");
  std::vector<GroupMember*> silent;
  for (auto& [id, member] : group.members()) {
    if (member.sync_expected) silent.push_back(&member);
  }
  for (GroupMember* const member : silent) evict(group, *member);
  prepare_rebalance(*shard_of(group.name), group);
}

void GroupCoordinator::retention_due(Group& group) {
  const bool stay = host_.has(Rule::offsets_of_live_groups_stay);
  const auto due = [stay](Group& g) {
    return (g.is(GroupState::empty) || !stay) && !g.retention_timer.armed();
  };
  const auto work = [this](Group& g) { check_retention(*shard_of(g.name), g); };
  if (host_.node().paused()) return run_or_hold(group, due, work);
  if (due(group)) work(group);
}

}  // namespace models::kafka
