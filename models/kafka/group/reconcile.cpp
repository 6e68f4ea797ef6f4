// How a member is taken to its target, step by step and without waiting for anybody but those whose partitions it gets
// (CurrentAssignmentBuilder.java).
//
// Model: subscriptions do not change in a consumer's life, so nothing is taken from a member for that.
#include <algorithm>

#include "models/kafka/group/modern_group.hpp"

namespace models::kafka {
namespace {

bool contains(const std::vector<PartitionIndex>& ascending, PartitionIndex p) {
  return std::binary_search(ascending.begin(), ascending.end(), p);
}

/// Whoever does not say what it holds holds all.
bool owns_some_of(const std::vector<PartitionIndex>* owned, const AssignedPartitions& revoked) {
  return owned == nullptr ||
         std::any_of(revoked.begin(), revoked.end(),
                     [owned](const AssignedPartition& one) { return contains(*owned, one.partition); });
}

void raise_epoch(ModernMember& member, std::int32_t epoch) {
  member.previous_epoch = member.epoch;
  member.epoch = epoch;
}

ModernMember next_assignment(const ModernMember& member, std::int32_t target_epoch,
                             const std::vector<PartitionIndex>* owned,
                             const std::vector<PartitionIndex>& held_by_others) {
  ModernMember next = member;
  AssignedPartitions revoked;
  next.assigned.clear();
  for (const AssignedPartition& one : member.assigned)
    (contains(member.target, one.partition) ? next.assigned : revoked).push_back(one);
  if (!revoked.empty() && owns_some_of(owned, revoked)) {
    next.state = Reconciliation::unrevoked_partitions;
    next.pending_revocation = std::move(revoked);
    raise_epoch(next, member.epoch);
    return next;
  }
  // What it has still to revoke itself it may keep: nobody else can have it.
  bool unreleased = false;
  for (const PartitionIndex p : member.target) {
    if (find(member.assigned, p) != nullptr) continue;
    const bool free = !contains(held_by_others, p);
    unreleased |= !free;
    if (free) next.assigned.push_back({p, target_epoch});
  }
  std::sort(next.assigned.begin(), next.assigned.end(),
            [](const AssignedPartition& a, const AssignedPartition& b) { return a.partition < b.partition; });
  next.state = unreleased ? Reconciliation::unreleased_partitions : Reconciliation::stable;
  next.pending_revocation.clear();
  raise_epoch(next, target_epoch);
  return next;
}

}  // namespace

ModernMember reconcile(const ModernMember& member, std::int32_t target_epoch,
                       const std::vector<PartitionIndex>* owned,
                       const std::vector<PartitionIndex>& held_by_others) {
  switch (member.state) {
    case Reconciliation::stable:
      if (member.epoch == target_epoch) return member;
      break;
    case Reconciliation::unrevoked_partitions:
      if (owns_some_of(owned, member.pending_revocation)) return member;
      break;
    case Reconciliation::unreleased_partitions:
      break;
  }
  return next_assignment(member, target_epoch, owned, held_by_others);
}

}  // namespace models::kafka
