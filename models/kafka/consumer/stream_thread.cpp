#include "models/kafka/consumer/stream_thread.hpp"

#include <algorithm>
#include <utility>

#include "models/kafka/consumer/outlet_producer.hpp"

namespace models::kafka {
namespace {

/// What an error of a transaction makes of its tasks (StreamsProducer.commitTransaction and isRecoverable,
/// RecordCollectorImpl.recordSendError): TaskMigratedException, also out of CommitFailedException; else a transaction that can be
/// aborted is a TaskCorruptedException, and what is left ends the thread.
TransformOutcome outcome_of(ErrorCode error, bool abortable) {
  switch (error) {
    case ErrorCode::producer_fenced:
    case ErrorCode::invalid_producer_epoch:
    case ErrorCode::invalid_producer_id_mapping:
    case ErrorCode::out_of_order_sequence_number:
    case ErrorCode::unknown_producer_id:
    case ErrorCode::unknown_member_id:
    case ErrorCode::illegal_generation:
      return TransformOutcome::migrated;
    case ErrorCode::fenced_instance_id:
      return TransformOutcome::fatal;
    default:
      return abortable ? TransformOutcome::failed : TransformOutcome::fatal;
  }
}

}  // namespace

StreamThread::StreamThread(ConsumerGroup& group, Node& node, std::uint32_t index, OutletOwner& owner)
    : group_(group),
      cluster_(group.cluster()),
      node_(node),
      owner_(owner),
      stores_(*group.stores()),
      options_(outlet_producer(group.options())),
      in_transaction_(group.options().commit == CommitMode::in_transaction),
      interval_(group.options().streams->config.interval()),
      outputs_(cluster_.topic(*cluster_.find_topic(options_.to)).partitions),
      producer_(cluster_, node, options_,
                {.application = this,
                 .record_keys = stores_.changes() != nullptr ? &stores_.changes()->written() : nullptr,
                 .group = group.entity(),
                 .transactional_id = outlet_transactional_id(group.options(), index)}),
      sizes_(sim::stream_key(cluster_.context().simulation.seed(), "transform/" + group.options().name)) {}

void StreamThread::start() {
  used_ = false;
  last_commit_ = cluster_.context().now();
  if (std::exchange(started_, true))
    producer_.restarted();
  else
    producer_.start();
}

void StreamThread::forget() {
  step_ = Step::idle;
  open_ = false;
  due_ = sim::kNever;
  offsets_.clear();
  tasks_.clear();
}

void StreamThread::close() {
  forget();
  producer_.crashed();
}

void StreamThread::crashed() {
  forget();
  stepping_ = false;
  producer_.crashed();
}

// ---- what is counted ----------------------------------------------------------------------------------------------

void StreamThread::take(const Work& work, const GroupMembership& membership) {
  membership_ = membership;
  used_ = true;
  if (!open_) begin_interval();
  make_messages(work);
  step_ = Step::beginning;
  producer_moved();
}

/// StreamThread.maybeCommit looks at the clock whether or not there was something to commit.
void StreamThread::begin_interval() {
  open_ = true;
  failures_before_ = producer_.failures();
  const sim::Time now = cluster_.context().now();
  const auto passed = interval_.count() > 0 ? (now - last_commit_).count() / interval_.count() : 0;
  due_ = last_commit_ + (passed + 1) * interval_;
}

void StreamThread::make_messages(const Work& work) {
  messages_.clear();
  for (const Work::Range& range : work.ranges()) {
    const std::int32_t partition = cluster_.partition(range.partition).number % outputs_;
    for_each_input(cluster_, range, [&](Offset at, LaneId lane, std::int64_t seq) {
      add_change(range, at, lane, seq, partition);
    });
    note_offset(offsets_, range);
  }
}

void StreamThread::add_change(const Work::Range& range, Offset offset, LaneId lane, std::int64_t seq,
                              std::int32_t partition) {
  sim::Stream draw = sim::Stream::keyed(sizes_, range.partition.value, static_cast<std::uint64_t>(offset), 0);
  const auto size = static_cast<std::uint32_t>(options_.size.sample_count(draw));
  Message message = producer_.made(size, lane, seq, partition);
  if (ChangeBook* const changes = stores_.changes()) {
    if (!cluster_.record_keys().keyed(lane)) return tell_late(range, offset);  // "due to null key"
    const std::uint32_t key = cluster_.record_keys().at(lane, seq) & ~kTombstone;
    const WindowStore::Counted counted =
        store_of(range.partition).count(key, cluster_.record_times().at(lane, seq));
    if (counted.dropped) return tell_late(range, offset);
    message.key = changes->add({lane, seq, key, counted.window, counted.count});
  }
  messages_.push_back(message);
}

void StreamThread::tell_late(const Work::Range& range, Offset offset) {
  cluster_.context().emit(Kind::late, {.actor = node_.entity().value,
                                       .place = cluster_.partition(range.partition).entity.value,
                                       .peer = group_.entity().value,
                                       .a = offset,
                                       .b = 1});
}

/// Restored from the changelog when the partition was given to this thread since it last worked on it.
WindowStore& StreamThread::store_of(PartitionIndex p) {
  const auto [found, made] =
      tasks_.try_emplace(p, Task{stores_.times_opened(p), WindowStore(*group_.options().streams->windows)});
  Task& task = found->second;
  const bool again = task.opened != stores_.times_opened(p);
  if (again) task = Task{stores_.times_opened(p), WindowStore(*group_.options().streams->windows)};
  if (made || again)
    stores_.for_each_change(p, [&task](const CountChange& change) { task.store.restore(change); });
  return task.store;
}

// ---- what is committed --------------------------------------------------------------------------------------------

void StreamThread::commit(const GroupMembership& membership) {
  membership_ = membership;
  step_ = in_transaction_ ? Step::adding_offsets : Step::flushing;
  if (in_transaction_) {
    TransactionManager& transactions = *producer_.transactions();
    if (transactions.is(TransactionManager::State::in_transaction))
      transactions.add_offsets(membership_, offsets_);
  } else {
    producer_.flush();
  }
  producer_moved();
}

void StreamThread::not_committed() {
  if (!open_) begin_interval();
}

/// The tasks are somebody else's: what is open is given up, and with exactly_once_v2 the producer with it
/// (TaskManager.handleLostAll).
void StreamThread::drop() {
  forget();
  if (in_transaction_ && (used_ || producer_.transactions()->is(TransactionManager::State::fatal_error)))
    new_producer();
}

/// StreamsProducer.resetProducer. Its InitProducerId has the coordinator abort what the one before has left open.
void StreamThread::new_producer() {
  used_ = false;
  producer_.crashed();
  producer_.restarted();
}

/// Called in the middle of what it does itself, too: then the loop that is under way goes on.
void StreamThread::producer_moved() {
  if (stepping_) return;
  stepping_ = true;
  while (step()) continue;
  stepping_ = false;
}

bool StreamThread::step() {
  if (step_ == Step::idle) return false;
  if (TransactionManager* transactions = producer_.transactions()) return step_in_transaction(*transactions);
  switch (step_) {
    case Step::beginning:
      step_ = Step::sending;
      producer_.send(messages_);
      return true;
    case Step::sending:
      if (!producer_.accepted()) return false;
      finish(TransformOutcome::taken);
      return false;
    case Step::flushing:
      if (!producer_.flushed()) return false;
      finish(producer_.failures() == failures_before_ ? TransformOutcome::done : TransformOutcome::failed);
      return false;
    default:
      return false;
  }
}

bool StreamThread::step_in_transaction(TransactionManager& transactions) {
  using State = TransactionManager::State;
  const bool abortable = transactions.is(State::abortable_error);
  if (abortable || transactions.is(State::fatal_error)) {
    const TransformOutcome outcome = outcome_of(transactions.last_error(), abortable);
    if (outcome != TransformOutcome::failed) {
      finish(outcome);
      return false;
    }
    step_ = Step::aborting;
    transactions.end(false);
    producer_.go_on();
    return true;
  }
  switch (step_) {
    case Step::beginning:
      if (transactions.is(State::ready))
        transactions.begin();
      else if (!transactions.is(State::in_transaction))
        return false;
      step_ = Step::sending;
      producer_.send(messages_);
      return true;
    case Step::sending:
      if (!producer_.accepted()) return false;
      finish(TransformOutcome::taken);
      return false;
    case Step::adding_offsets:
      if (transactions.offsets_pending()) return false;
      step_ = Step::committing;
      transactions.end(true);
      producer_.go_on();
      return true;
    case Step::committing:
      if (!transactions.is(State::ready)) return false;
      finish(TransformOutcome::done);
      return false;
    case Step::aborting:
      if (!transactions.is(State::ready)) return false;
      finish(TransformOutcome::failed);
      return false;
    default:
      return false;
  }
}

void StreamThread::finish(TransformOutcome outcome) {
  step_ = Step::idle;
  stepping_ = false;
  if (outcome != TransformOutcome::taken) {
    if (outcome == TransformOutcome::done)
      last_commit_ = cluster_.context().now();
    else
      tasks_.clear();  // TaskCorruptedException: stores are restored
    open_ = false;
    due_ = sim::kNever;
    offsets_.clear();
  }
  owner_.transformed(outcome);
}

}  // namespace models::kafka
