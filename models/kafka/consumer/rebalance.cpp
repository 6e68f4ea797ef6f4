// What a member does before it joins again, and with what it is then assigned
// (ConsumerCoordinator.onJoinPrepare, onJoinComplete).
#include <algorithm>

#include "models/kafka/consumer/consumer.hpp"
#include "models/kafka/consumer/state_stores.hpp"

namespace models::kafka {

bool Consumer::commits_before_revocation() const {
  if (options_.streams) return false;  // what is open comes first: commit_open()
  if (automatic_) return !assignment_.empty();
  if (membership_.is_out()) return false;  // onPartitionsLost
  return options_.commit != CommitMode::automatic && options_.commit != CommitMode::in_transaction &&
         options_.commit != CommitMode::before_processing && options_.commit != CommitMode::with_effect &&
         assignment_.dirty();
}

/// False while a commit is under way that comes first.
bool Consumer::prepare_rejoin() {
  if (membership_.is_out()) lose_tasks();
  if (!cooperative_ && commit_open()) return false;
  if (!rejoin_commit_begun_) {
    rejoin_commit_begun_ = true;
    if (commits_before_revocation()) {
      // Eager: nothing more is handed out, or the committed position would be overtaken before the revocation.
      if (!cooperative_) {
        assignment_.mark_pending_revocation(membership_.is_out() ? OwnershipCode::lost
                                                                 : OwnershipCode::revoked);
      }
      commit_blocking(CommitFor::rejoin, options_.config.max_poll_interval);
    }
  }
  if (commit_for_ == CommitFor::rejoin || phase_ != Phase::polling) return false;
  rejoin_commit_begun_ = false;
  revocation_commit_begun_ = false;
  if (membership_.is_out()) {
    assignment_.remove_all(OwnershipCode::lost);
    commit_owed_ = false;
  } else if (!cooperative_) {
    assignment_.remove_all(OwnershipCode::revoked);
    commit_owed_ = false;
  }
  assignment_changed();
  return true;
}

/// Not yet while a commit of what is to be revoked comes first (the listener's commitSync() in onPartitionsRevoked).
MembershipOwner::Taken Consumer::take_assignment() {
  std::vector<PartitionIndex> assigned = membership_.assigned();
  std::sort(assigned.begin(), assigned.end());
  const std::vector<PartitionIndex> revoked = held_besides(assigned);
  if (!revoked.empty() && outlet_ && outlet_->open()) {
    sign();
    commit_open();
    return Taken::not_yet;
  }
  if (!revoked.empty() && !commit_revoked()) return Taken::not_yet;
  take_up(revoked, assigned);
  last_assigned_ = std::move(assigned);
  last_generation_ = membership_.generation();
  return revoked.empty() ? Taken::as_it_was : Taken::gave_some_up;
}

std::vector<PartitionIndex> Consumer::held_besides(const std::vector<PartitionIndex>& assigned) const {
  std::vector<PartitionIndex> others;
  std::set_difference(assignment_.partitions().begin(), assignment_.partitions().end(), assigned.begin(),
                      assigned.end(), std::back_inserter(others));
  return others;
}

void Consumer::take_up(const std::vector<PartitionIndex>& revoked,
                       const std::vector<PartitionIndex>& assigned) {
  revocation_commit_begun_ = false;
  for (const PartitionIndex p : revoked) assignment_.remove(p, OwnershipCode::revoked);
  for (const PartitionIndex p : assigned) {
    if (assignment_.holds(p)) continue;
    assignment_.add(p);
    recorder_.given(p, membership_.generation());
    if (StateStores* stores = group_.stores())
      assignment_[p].restored_at = context_.simulation.after(stores->open(index_, p));
  }
  sign();
  committer_.restart_interval();
  assignment_changed();
}

/// From now on commits are those of this membership (ConsumerCoordinator.groupMetadata).
void Consumer::sign() {
  signature_ = {options_.name, membership_.member_id(), membership_.instance_id(), node_.entity(),
                membership_.generation()};
}

/// AbstractMembershipManager.maybeReconcile: what goes is not fetched any more, what was consumed is committed, the
/// listener hears of it (onPartitionsRevoked). What stays is read on: an automatic commit holds poll() up no more than any
/// other request, and only a listener that commits does.
///
/// Model: all of it begins inside poll(); without automatic commits Kafka's background thread begins by itself, and waits
/// for poll() where a listener is to be called.
bool Consumer::reconcile(const std::vector<PartitionIndex>& target) {
  const std::vector<PartitionIndex> revoked = held_besides(target);
  // Of a reconciliation that was given up meanwhile, perhaps.
  if (commit_for_ == CommitFor::rejoin || commit_for_ == CommitFor::revocation) return false;
  if (!rejoin_commit_begun_) {
    rejoin_commit_begun_ = true;
    for (const PartitionIndex p : revoked) assignment_.mark_pending_revocation(p, OwnershipCode::revoked);
    if (automatic_ && !assignment_.empty())
      commit_blocking(CommitFor::rejoin, options_.config.max_poll_interval);
  }
  if (commit_for_ == CommitFor::rejoin || phase_ != Phase::polling) return false;
  if (!revoked.empty() && commit_open()) return false;
  if (!revoked.empty() && !commit_revoked()) return false;
  rejoin_commit_begun_ = false;
  take_up(revoked, target);
  return true;
}

/// TaskManager.handleLostAll: tasks are closed dirty.
void Consumer::lose_tasks() {
  if (outlet_) outlet_->drop();
  if (group_.stores() != nullptr && !assignment_.empty()) group_.stores()->closed_dirty(index_);
}

void Consumer::lose_assignment() {
  lose_tasks();
  rejoin_commit_begun_ = false;
  revocation_commit_begun_ = false;
  commit_owed_ = false;
  assignment_.remove_all(OwnershipCode::lost);
  assignment_changed();
}

bool Consumer::commit_revoked() {
  if (!revocation_commit_begun_ && !automatic_ && commits_before_revocation()) {
    revocation_commit_begun_ = true;
    commit_blocking(CommitFor::revocation, options_.config.default_api_timeout);
  }
  return commit_for_ != CommitFor::revocation && phase_ == Phase::polling;
}

void Consumer::assignment_changed() {
  positions_.assignment_changed();
  fetcher_.assignment_changed();
}

}  // namespace models::kafka
