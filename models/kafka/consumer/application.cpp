// The application: what happens between one poll() and the next, and the end of it all.
#include <algorithm>
#include <utility>

#include "models/kafka/consumer/consumer.hpp"
#include "models/kafka/consumer/state_stores.hpp"

namespace models::kafka {

namespace {

/// ConsumerConfig.DEFAULT_CLOSE_TIMEOUT_MS
constexpr sim::Duration kCloseTimeout{30'000'000'000};

}  // namespace

void Consumer::when_running(void (Consumer::*next)()) {
  if (!node_.paused()) return (this->*next)();
  node_.run_or_hold([this, next] { (this->*next)(); });
}

// ---- one poll's records -------------------------------------------------------------------------------------------

void Consumer::begin_work() {
  if (options_.commit != CommitMode::before_processing) return work();
  enter(Phase::committing);
  commit_blocking(CommitFor::work_ahead, options_.config.default_api_timeout);
}

void Consumer::work() {
  enter(Phase::processing);
  if (outlet_) outlet_->work_begins();
  if (!pool_) return processor_.begin(options_.commit == CommitMode::each_record);
  pool_->take(processor_.work());
  work_done();
}

void Consumer::next_record() {
  enter(Phase::processing);
  processor_.go_on();
}

void Consumer::processed() {
  if (options_.commit != CommitMode::each_record) return work_done();
  enter(Phase::committing);
  commit_for_ = CommitFor::record_done;
  committer_.blocking(processor_.last_done(), options_.config.default_api_timeout);
}

void Consumer::work_done() {
  if (!outlet_) return commit_work();
  enter(Phase::transforming);
  outlet_->take(processor_.work(), group_metadata());
}

/// Who signs a transaction's offsets: with the classic protocol the last complete membership, also once the group has let the
/// member go (ConsumerCoordinator.groupMetadata); with the consumer protocol the present one, whose epoch rises between
/// assignments, too.
GroupMembership Consumer::group_metadata() const {
  if (options_.config.group_protocol == GroupProtocol::classic) return signature_;
  return {options_.name, membership_.member_id(), membership_.instance_id(), node_.entity(),
          membership_.generation()};
}

bool Consumer::commit_open(bool again_later) {
  if (!outlet_ || !outlet_->open() || phase_ != Phase::polling || commit_for_ != CommitFor::nothing)
    return false;
  commit_again_ = again_later;
  enter(Phase::transforming);
  turn_timer_.disarm();
  membership_.left_poll();
  outlet_->commit(group_metadata());
  return true;
}

void Consumer::transformed(TransformOutcome outcome) {
  switch (outcome) {
    case TransformOutcome::taken:
      return when_running(&Consumer::work_taken);
    case TransformOutcome::fatal:
      end_application();
      break;
    case TransformOutcome::migrated:
      migrate();
      break;
    case TransformOutcome::failed:
      rewind();
      break;
    case TransformOutcome::done:
      if (options_.commit != CommitMode::in_transaction) return commit_work();
      if (options_.streams) {  // all that was handed out since the last commit
        for (const PartitionIndex p : assignment_.partitions())
          assignment_[p].settled = std::max(assignment_[p].settled, assignment_[p].position);
      }
      for (const Work::Range& range : processor_.work().ranges()) {
        HeldPartition& held = assignment_[range.partition];
        if (assignment_.holds(range.partition)) held.settled = std::max(held.settled, held.position);
      }
  }
  when_running(&Consumer::back_to_poll);
}

/// What is due is committed before the next poll() (StreamThread.runOnce): that one may send a JoinGroup, of whose answer nobody
/// hears while its records are worked at, and a member that is put out for that would never have committed anything.
void Consumer::work_taken() {
  if (context_.now() < outlet_->commit_due() || membership_.mid_rebalance()) return back_to_poll();
  commit_again_ = true;
  outlet_->commit(group_metadata());
}

/// What could not be sent, or was aborted, is read again from what was committed last
/// (TransactionalMessageCopier.resetToLastCommittedPositions).
void Consumer::rewind() {
  if (group_.stores() != nullptr) restore_anew();
  positions_.assignment_changed();
  for (const PartitionIndex p : assignment_.partitions())
    assignment_.change_state(p, FetchState::initializing);
}

/// TaskManager.handleCorruption: the stores' checkpoints are gone.
void Consumer::restore_anew() {
  group_.stores()->corrupted(index_);
  for (const PartitionIndex p : assignment_.partitions())
    assignment_[p].restored_at = context_.simulation.after(group_.stores()->open(index_, p));
}

/// The thread's tasks are somebody else's: it closes them, leaves its group and subscribes anew
/// (StreamThread.handleTaskMigrated).
void Consumer::migrate() {
  lose_assignment();
  membership_.leave();
  membership_.join_again();
}

void Consumer::commit_work() {
  if (options_.commit == CommitMode::after_processing) {
    enter(Phase::committing);
    return commit_blocking(CommitFor::work_done, options_.config.default_api_timeout);
  }
  if (options_.commit == CommitMode::asynchronous) {
    const std::uint32_t life = node_.incarnation();
    committer_.asynchronous();
    if (node_.incarnation() != life) return;
  }
  when_running(&Consumer::back_to_poll);
}

void Consumer::commit_blocking(CommitFor why, sim::Duration limit) {
  commit_for_ = why;
  committer_.blocking(limit);
}

void Consumer::commit_finished(ErrorCode error) {
  switch (std::exchange(commit_for_, CommitFor::nothing)) {
    case CommitFor::nothing:
      MQLAB_ASSERT(false, "a commit has finished that nobody waits for");
      return;
    case CommitFor::work_ahead:
      if (error == ErrorCode::none) return when_running(&Consumer::work);
      // What could not be committed first is not processed: at most once.
      recorder_.abandoned(processor_.work());
      return when_running(&Consumer::back_to_poll);
    case CommitFor::work_done:
      if (options_.streams) {
        if (error != ErrorCode::none && commit_again_) outlet_->not_committed();
        return when_running(&Consumer::back_to_poll);
      }
      commit_owed_ = error == ErrorCode::rebalance_in_progress;
      return when_running(&Consumer::back_to_poll);
    case CommitFor::record_done:
      commit_owed_ = error == ErrorCode::rebalance_in_progress;
      return when_running(processor_.all_done() ? &Consumer::back_to_poll : &Consumer::next_record);
    case CommitFor::rejoin:
    case CommitFor::revocation:
      return turn();
    case CommitFor::close:
      return leave();
  }
}

// ---- closing ------------------------------------------------------------------------------------------------------

void Consumer::stop() {
  wanted_ = false;
  start_again_ = false;
  if (phase_ == Phase::stopped || phase_ == Phase::closing) return;
  close_asked_ = true;
  when_running(&Consumer::turn);
}

void Consumer::end_application() {
  if (!close_asked_) report(MemberCode::failed);
  close_asked_ = true;
  turn_again_ = true;
}

bool Consumer::ready_to_close() const {
  return phase_ == Phase::polling && commit_for_ == CommitFor::nothing && (!pool_ || pool_->idle());
}

void Consumer::begin_close() {
  enter(Phase::closing);
  turn_timer_.disarm();
  membership_.stop_heartbeats();
  if (!commits_before_revocation()) return leave();
  commit_blocking(CommitFor::close, kCloseTimeout);
}

void Consumer::leave() {
  assignment_.remove_all(OwnershipCode::closed);
  const bool tells = options_.config.internal_leave_group_on_close.value_or(!options_.streams);
  if (tells && membership_.leave())
    close_timer_.arm_after(kCloseTimeout);
  else
    finish_close();
}

void Consumer::finish_close() {
  const bool again = start_again_;
  forget();
  if (again) start();
}

/// Nothing of the process remains.
void Consumer::forget() {
  enter(Phase::stopped);
  close_asked_ = false;
  start_again_ = false;
  rejoin_commit_begun_ = false;
  revocation_commit_begun_ = false;
  commit_owed_ = false;
  commit_for_ = CommitFor::nothing;
  last_assigned_.clear();
  last_generation_ = -1;
  turn_timer_.disarm();
  close_timer_.disarm();
  metadata_.stop();
  membership_.forget();
  positions_.forget();
  fetcher_.forget();
  committer_.forget();
  processor_.work().clear();
  if (stored_) stored_->forget();
  if (outlet_) outlet_->close();
  connections_.abandon();
}

}  // namespace models::kafka
