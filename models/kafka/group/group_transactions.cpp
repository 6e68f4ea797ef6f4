// Offsets that are committed with a producer's transaction: TxnOffsetCommit, and the markers that end it
// (OffsetMetadataManager.commitTransactionalOffset, replayEndTransactionMarker; ClassicGroup.validateOffsetCommit).
#include <algorithm>
#include <utility>

#include "models/kafka/group/group_coordinator.hpp"
#include "models/kafka/group/modern_group.hpp"

namespace models::kafka {
namespace {

// Model: as commits without a transaction, about the size of an OffsetCommitValue.
constexpr std::int32_t kCommitBytes = 100;
constexpr std::int32_t kMarkerBytes = 78;

}  // namespace

/// Who names no member and no generation is taken at its word (KIP-447 came after such producers), and a rebalance under way
/// is no reason to refuse: the generation is still that of who asks.
ErrorCode GroupCoordinator::may_commit(Group* group, const TxnOffsetCommitCall& call) {
  if (group == nullptr) return call.generation < 0 ? ErrorCode::none : ErrorCode::illegal_generation;
  if (call.generation < 0 && call.member_id.empty() && call.instance_id.empty()) return ErrorCode::none;
  if (!host_.has(Rule::generation_with_offsets)) return ErrorCode::none;
  if (group->modern) {
    const ErrorCode error = group->modern->may_commit(call.member_id, call.generation, call.items);
    // OffsetMetadataManager.validateTransactionalOffsetCommit: producers do not know of member epochs.
    return error == ErrorCode::stale_member_epoch ? ErrorCode::illegal_generation : error;
  }
  const ErrorCode error = group->validate(call.member_id, call.instance_id);
  if (error != ErrorCode::none) return error;
  return call.generation == group->generation ? ErrorCode::none : ErrorCode::illegal_generation;
}

void GroupCoordinator::receive(Ref<TxnOffsetCommitCall> call) {
  Shard* const shard = shard_of(call->group);
  if (shard == nullptr) return reply(std::move(call), ErrorCode::not_coordinator);
  Group* group = find(*shard, call->group);
  const ErrorCode error = may_commit(group, *call);
  if (error != ErrorCode::none) return reply(std::move(call), error);
  if (group == nullptr) {
    group = &create(*shard, call->group);
    emit_state(*group, GroupState::dead);
    watch_retention(*group);
  }
  scratch_.clear();
  for (const OffsetCommitCall::Item& item : call->items) {
    scratch_.push_back({item.partition, item.offset, host_.wall_clock(), call->member, item.epoch});
  }
  const auto records = static_cast<std::int32_t>(scratch_.size());
  const ProducerId id = call->producer_id;
  Follow then = std::move(call);
  Offset end = kNoOffset;
  if (!begin_write(*shard, group, records, records * kCommitBytes, then, end, true)) {
    return reply(std::get<Ref<TxnOffsetCommitCall>>(std::move(then)), ErrorCode::coordinator_not_available);
  }
  host_.offsets_store().append_pending(shard->partition, shard->epoch, end, group->name, id,
                                       std::span<const CommittedOffset>(scratch_));
}

void GroupCoordinator::pending_offsets_written(Group& group, sim::Time since, Ref<TxnOffsetCommitCall> call) {
  for (const OffsetCommitCall::Item& item : call->items) {
    group.pending_offsets.push_back(
        {call->producer_id, {item.partition, item.offset, since, call->member, item.epoch}});
  }
  reply(std::move(call), ErrorCode::none);
}

bool GroupCoordinator::has_pending_offsets(const Group& group, const OffsetFetchCall& call) {
  return std::any_of(group.pending_offsets.begin(), group.pending_offsets.end(), [&](const auto& pending) {
    return std::any_of(call.items.begin(), call.items.end(),
                       [&](const auto& item) { return item.partition == pending.commit.partition; });
  });
}

void GroupCoordinator::end_transaction(const Ref<WriteTxnMarkersCall>& call, std::uint32_t index) {
  WriteTxnMarkersCall::Item& item = call->items[index];
  const auto found = shards_.find(item.partition);
  Follow then = MarkerWrite{call, index};
  Offset end = kNoOffset;
  if (found == shards_.end()) {
    item.error = ErrorCode::not_leader_or_follower;
  } else if (!begin_write(found->second, nullptr, 1, kMarkerBytes, then, end, true)) {
    item.error = ErrorCode::not_enough_replicas;
  } else {
    host_.offsets_store().append_marker(found->first, found->second.epoch, end, call->producer_id,
                                        call->commit);
    ++call->awaiting;
  }
}

void GroupCoordinator::transaction_ended(Shard& shard, MarkerWrite marker) {
  WriteTxnMarkersCall& call = *marker.call;
  for (auto& [name, group] : shard.groups) {
    for (std::size_t i = 0; i < group.pending_offsets.size();) {
      const PendingTxnOffset pending = group.pending_offsets[i];
      if (pending.producer_id != call.producer_id) {
        ++i;
        continue;
      }
      group.pending_offsets.erase(group.pending_offsets.begin() + static_cast<std::ptrdiff_t>(i));
      if (call.commit) apply_commit(group, pending.commit);
    }
  }
  call.items[marker.index].error = ErrorCode::none;
  host_.marker_settled(std::move(marker.call));
}

}  // namespace models::kafka
