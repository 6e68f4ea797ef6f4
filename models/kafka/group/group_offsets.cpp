// OffsetCommit, OffsetFetch, and the end of offsets that nobody uses (OffsetMetadataManager.java,
// ClassicGroup.java).
#include <algorithm>
#include <utility>

#include "models/kafka/group/group_coordinator.hpp"
#include "models/kafka/group/modern_group.hpp"

namespace models::kafka {
namespace {

// Model: a commit's record on disk has about the size of an OffsetCommitValue.
constexpr std::int32_t kCommitBytes = 100;

}  // namespace

ErrorCode GroupCoordinator::may_commit(Group* group, const OffsetCommitCall& call) {
  if (group == nullptr) return call.generation < 0 ? ErrorCode::none : ErrorCode::unknown_member_id;
  if (group->modern) {
    // Before KIP-1251 an older epoch of the member's is stale whatever it commits.
    const ErrorCode error = group->modern->may_commit(call.member_id, call.generation, call.items);
    const bool older = error == ErrorCode::none && call.generation >= 0 &&
                       !group->modern->is_current(call.member_id, call.generation);
    return older && !host_.has(Rule::assignment_epochs) ? ErrorCode::stale_member_epoch : error;
  }
  // Without a generation: a consumer that only keeps offsets here and manages its partitions itself.
  if (call.generation < 0 && group->is(GroupState::empty)) return ErrorCode::none;
  if (call.generation < 0 && call.member_id.empty() && call.instance_id.empty())
    return ErrorCode::unknown_member_id;
  const ErrorCode error = group->validate(call.member_id, call.instance_id);
  if (error != ErrorCode::none) return error;
  if (call.generation != group->generation) return ErrorCode::illegal_generation;
  // It has the new generation and not yet its assignment: what it commits for may not be its own any more.
  return group->is(GroupState::completing_rebalance) ? ErrorCode::rebalance_in_progress : ErrorCode::none;
}

void GroupCoordinator::receive(Ref<OffsetCommitCall> call) {
  Shard* const shard = shard_of(call->group);
  if (shard == nullptr) return refuse_commit(std::move(call), ErrorCode::not_coordinator);
  Group* group = find(*shard, call->group);
  const ErrorCode error = may_commit(group, *call);
  if (error != ErrorCode::none) return refuse_commit(std::move(call), error);
  if (group == nullptr) {
    group = &create(*shard, call->group);
    emit_state(*group, GroupState::dead);
    watch_retention(*group);
  }
  // In a classic group a commit is a sign of life like a heartbeat.
  if (GroupMember* const member = group->find(call->member_id)) restart_session(*member);
  if (call->items.empty()) return reply(std::move(call), ErrorCode::none);

  scratch_.clear();
  for (const OffsetCommitCall::Item& item : call->items) {
    scratch_.push_back({item.partition, item.offset, host_.wall_clock(), call->member, item.epoch});
  }
  const auto records = static_cast<std::int32_t>(scratch_.size());
  Follow then = std::move(call);
  Offset end = kNoOffset;
  if (!begin_write(*shard, group, records, records * kCommitBytes, then, end)) {
    return refuse_commit(std::get<Ref<OffsetCommitCall>>(std::move(then)),
                         ErrorCode::coordinator_not_available);
  }
  host_.offsets_store().append(shard->partition, shard->epoch, end, group->name,
                               std::span<const CommittedOffset>(scratch_));
}

void GroupCoordinator::refuse_commit(Ref<OffsetCommitCall> call, ErrorCode error) {
  for (OffsetCommitCall::Item& item : call->items) item.error = error;
  reply(std::move(call), error);
}

void GroupCoordinator::apply_commit(Group& group, const CommittedOffset& commit) {
  emit_committed(group, commit, group.offsets.offset(commit.partition));
  group.offsets.apply(commit);
}

void GroupCoordinator::committed(Group& group, sim::Time since, Ref<OffsetCommitCall> call) {
  for (OffsetCommitCall::Item& item : call->items) {
    apply_commit(group, {item.partition, item.offset, since, call->member, item.epoch});
    item.error = ErrorCode::none;
  }
  reply(std::move(call), ErrorCode::none);
}

void GroupCoordinator::receive(Ref<OffsetFetchCall> call) {
  Shard* const shard = shard_of(call->group);
  if (shard == nullptr) return reply(std::move(call), ErrorCode::not_coordinator);
  // Consumers ask for stable offsets: commits under way are waited for (KIP-447,
  // GroupCoordinatorService.fetchOffsets).
  Group* const group = find(*shard, call->group);
  if (group != nullptr && group->modern) {
    const ErrorCode error = group->modern->may_fetch(*call);
    if (error != ErrorCode::none) return reply(std::move(call), error);
  }
  after_writes(*shard, group, std::move(call));
}

void GroupCoordinator::answer_fetch(Group* group, Ref<OffsetFetchCall> call) {
  if (group != nullptr && has_pending_offsets(*group, *call))
    return reply(std::move(call), ErrorCode::unstable_offset_commit);
  for (OffsetFetchCall::Item& item : call->items) {
    const CommittedOffset* const found = group == nullptr ? nullptr : group->offsets.find(item.partition);
    item.offset = found == nullptr ? kNoOffset : found->offset;
    item.epoch = found == nullptr ? kNoEpoch : found->epoch;
  }
  reply(std::move(call), ErrorCode::none);
}

/// Offsets expire offsets.retention.minutes after the group became empty, or, when it never had members,
/// after their commit; before KIP-211 always after their commit, though the group may live. A group without members and offsets
/// is forgotten.
void GroupCoordinator::check_retention(Shard& shard, Group& group) {
  watch_retention(group);
  const bool in_use = std::any_of(shard.waiting.begin(), shard.waiting.end(),
                                  [&](const Waiting& one) { return one.group == &group; });
  if (in_use) return;
  const bool stay = host_.has(Rule::offsets_of_live_groups_stay);
  scratch_.clear();
  for (const CommittedOffset& one : group.offsets.entries()) {
    const sim::Time unused_since = group.had_members && stay ? group.state_since : one.at;
    if (host_.wall_clock() - unused_since >= host_.config().offsets_retention)
      scratch_.push_back({one.partition});
  }
  const bool all = scratch_.size() == group.offsets.entries().size() && group.is(GroupState::empty);
  const auto records = static_cast<std::int32_t>(scratch_.size()) + (all ? 1 : 0);
  Follow nothing;
  Offset end = kNoOffset;
  if (records == 0 || !begin_write(shard, nullptr, records, records * kCommitBytes, nothing, end)) return;
  OffsetsStore& store = host_.offsets_store();
  store.append(shard.partition, shard.epoch, end, group.name, std::span<const CommittedOffset>(scratch_));
  for (const CommittedOffset& gone : scratch_) group.offsets.apply(gone);
  if (!all) return;
  store.append(shard.partition, shard.epoch, end, group.name, nullptr);
  transition(group, GroupState::dead);
  shard.groups.erase(shard.groups.find(group.name));
}

}  // namespace models::kafka
