#include "models/kafka/consumer/assignment.hpp"

#include <algorithm>

namespace models::kafka {

bool Assignment::dirty() const {
  return std::any_of(partitions_.begin(), partitions_.end(), [this](PartitionIndex p) {
    const HeldPartition& held = (*this)[p];
    return held.state == FetchState::fetching && held.position != held.settled;
  });
}

void Assignment::add(PartitionIndex p) {
  MQLAB_ASSERT(!holds(p), "a partition is assigned twice to one member");
  partitions_.insert(std::upper_bound(partitions_.begin(), partitions_.end(), p), p);
  (*this)[p] = HeldPartition{};
  (*this)[p].state = FetchState::initializing;
  if (listener_ != nullptr) listener_->assigned(p);
  ++unsettled_;
}

void Assignment::remove(PartitionIndex p, OwnershipCode why) {
  MQLAB_ASSERT(holds(p), "a partition is given away that is not held");
  report_owned(p, false, why);
  if (listener_ != nullptr) listener_->revoked(p);
  change_state(p, FetchState::unassigned);
  (*this)[p] = HeldPartition{};
  partitions_.erase(std::lower_bound(partitions_.begin(), partitions_.end(), p));
}

void Assignment::remove_all(OwnershipCode why) {
  while (!partitions_.empty()) remove(partitions_.back(), why);
}

void Assignment::mark_pending_revocation(OwnershipCode why) {
  for (const PartitionIndex p : partitions_) mark_pending_revocation(p, why);
}

void Assignment::mark_pending_revocation(PartitionIndex p, OwnershipCode why) {
  (*this)[p].pending_revocation = true;
  report_owned(p, false, why);
}

void Assignment::set_position(PartitionIndex p, Offset position, LeaderEpoch epoch, ResetCode how) {
  seek(p, position, epoch, how);
  validated(p);
}

void Assignment::set_unvalidated_position(PartitionIndex p, Offset position, LeaderEpoch epoch,
                                          ResetCode how) {
  seek(p, position, epoch, how);
  change_state(p, FetchState::awaiting_validation);
}

void Assignment::validated(PartitionIndex p) {
  change_state(p, FetchState::fetching);
  report_owned(p, true, OwnershipCode::assigned);
}

void Assignment::seek(PartitionIndex p, Offset position, LeaderEpoch epoch, ResetCode how) {
  HeldPartition& held = (*this)[p];
  cluster_.context().emit(Kind::position, {.code = static_cast<std::uint16_t>(how),
                                           .actor = member_.value,
                                           .place = cluster_.partition(p).entity.value,
                                           .peer = group_.value,
                                           .a = position,
                                           .b = held.position});
  held.position = position;
  held.settled = position;
  held.offset_epoch = epoch;
}

void Assignment::change_state(PartitionIndex p, FetchState state) {
  const auto counts = [](FetchState s) { return s != FetchState::unassigned && s != FetchState::fetching; };
  HeldPartition& held = (*this)[p];
  unsettled_ += counts(state) ? 1 : 0;
  unsettled_ -= counts(held.state) ? 1 : 0;
  held.state = state;
  held.asked = false;
  held.retry_at = {};
}

void Assignment::report_owned(PartitionIndex p, bool owned, OwnershipCode why) {
  HeldPartition& held = (*this)[p];
  if (held.reported == owned || (owned && held.pending_revocation)) return;
  held.reported = owned;
  cluster_.context().emit(Kind::ownership, {.code = static_cast<std::uint16_t>(why),
                                            .actor = member_.value,
                                            .place = cluster_.partition(p).entity.value,
                                            .peer = group_.value,
                                            .a = owned ? 1 : 0});
}

}  // namespace models::kafka
