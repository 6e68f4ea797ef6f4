#include "models/kafka/producer/sequences.hpp"

#include <algorithm>
#include <limits>

#include "sim/assert.hpp"

namespace models::kafka {

void Sequences::forget() {
  producer_id_ = kNoProducerId;
  producer_epoch_ = -1;
  bump_required_ = draining_ = false;
  for (Partition& partition : partitions_) partition = Partition{};
}

void Sequences::begin_anew(ProducerId id, std::int16_t epoch) {
  set_producer(id, epoch);
  draining_ = false;
  for (Partition& partition : partitions_) {
    MQLAB_ASSERT(partition.tracked.empty(), "a transaction ends when all its batches have");
    partition = Partition{};
  }
}

bool Sequences::awaits_epoch() const {
  const auto quiet = [](const Partition& partition) {
    return std::none_of(partition.tracked.begin(), partition.tracked.end(),
                        [](const Batch* batch) { return batch->on_the_wire; });
  };
  return draining_ && std::all_of(partitions_.begin(), partitions_.end(), quiet);
}

void Sequences::renumber(ProducerId id, std::int16_t epoch) {
  set_producer(id, epoch);
  for (Partition& partition : partitions_) {
    start_at_beginning(partition);
    partition.unresolved = -1;
  }
}

void Sequences::begin_partitions_anew() {
  if (!enabled_) return;
  for (Partition& partition : partitions_) start_at_beginning(partition);
}

void Sequences::settle() {
  if (!enabled_) return;
  // TransactionManager.maybeResolveSequences
  if (any_unresolved_ && !lost_for_good()) resolve();
  if (bump_required_) bump_epoch();
}

void Sequences::resolve() {
  any_unresolved_ = false;
  for (Partition& partition : partitions_) {
    if (partition.unresolved < 0) continue;
    if (!partition.tracked.empty()) {
      any_unresolved_ = true;
      continue;
    }
    // When what followed was acknowledged, so was the expired batch; else its numbers are in doubt for good.
    if (!is_next(partition, partition.next)) {
      if (!by_epoch_) return need_new_id();
      ask_for_bump(partition);
    }
    partition.unresolved = -1;
  }
}

void Sequences::ask_for_bump(Partition& partition) {
  if (transactional_) return;
  bump_required_ = true;
  partition.renumber = true;
}

void Sequences::bump_epoch() {
  if (producer_epoch_ == std::numeric_limits<std::int16_t>::max()) {
    producer_id_ = kNoProducerId;
    producer_epoch_ = -1;
  } else {
    ++producer_epoch_;
  }
  for (Partition& partition : partitions_) {
    if (!partition.renumber) continue;
    start_at_beginning(partition);
    partition.unresolved = -1;
    partition.renumber = false;
  }
  bump_required_ = false;
}

void Sequences::start_at_beginning(Partition& partition) {
  std::int32_t sequence = 0;
  for (Batch* batch : partition.tracked) {
    batch->producer_id = producer_id_;
    batch->producer_epoch = producer_epoch_;
    batch->base_sequence = sequence;
    batch->sequence_reset = true;
    sequence = advance_sequence(sequence, batch->fill.count);
  }
  partition.producer_id = producer_id_;
  partition.producer_epoch = producer_epoch_;
  partition.next = sequence;
  partition.last_acked = -1;
}

bool Sequences::may_send(const Batch& first) const {
  if (!enabled_) return true;
  if (producer_id_ == kNoProducerId || draining_) return false;
  const Partition& partition = partitions_[first.partition];
  if (!first.has_sequence()) {
    const bool stale = partition.producer_id != producer_id_ || partition.producer_epoch != producer_epoch_;
    // A new epoch begins at 0: batches of the old one must be through before.
    if (!partition.tracked.empty() && stale) return false;
    return partition.unresolved < 0;
  }
  // A batch that came back waits for those before it: one in flight at a time until they are through.
  return partition.tracked.empty() || partition.tracked.front()->base_sequence == first.base_sequence;
}

void Sequences::assign(Batch& batch) {
  batch.sequence_reset = false;
  if (!enabled_ || batch.has_sequence()) return;
  Partition& partition = partitions_[batch.partition];
  const bool stale = partition.producer_id != producer_id_ || partition.producer_epoch != producer_epoch_;
  if (stale && partition.tracked.empty()) start_at_beginning(partition);
  batch.producer_id = producer_id_;
  batch.producer_epoch = producer_epoch_;
  batch.base_sequence = partition.next;
  partition.next = advance_sequence(partition.next, batch.fill.count);
  partition.tracked.push_back(&batch);
}

void Sequences::adopt_parts(Batch& whole, std::span<Batch* const> parts) {
  if (!enabled_) return;
  std::vector<Batch*>& tracked = partitions_[whole.partition].tracked;
  const auto at = std::find(tracked.begin(), tracked.end(), &whole);
  std::int32_t sequence = whole.base_sequence;
  for (Batch* part : parts) {
    part->producer_id = whole.producer_id;
    part->producer_epoch = whole.producer_epoch;
    part->base_sequence = sequence;
    sequence = advance_sequence(sequence, part->fill.count);
  }
  if (at == tracked.end()) return;
  tracked.insert(tracked.erase(at), parts.begin(), parts.end());
}

Batch* Sequences::place(const BatchQueue& queue, const Batch& batch) const {
  Batch* at = queue.front();
  if (!enabled_) return at;
  // RecordAccumulator.insertInSequenceOrder
  while (at != nullptr && at->has_sequence() && at->base_sequence < batch.base_sequence) at = at->next;
  return at;
}

void Sequences::untrack(const Batch& batch) {
  std::vector<Batch*>& tracked = partitions_[batch.partition].tracked;
  tracked.erase(std::remove(tracked.begin(), tracked.end(), &batch), tracked.end());
}

void Sequences::acknowledged(Batch& batch, Offset base) {
  if (!enabled_ || of_another_id(batch)) return;
  Partition& partition = partitions_[batch.partition];
  // One that expired in a transaction before tells nothing of this one.
  if (transactional_ && batch.producer_epoch != producer_epoch_) return;
  partition.last_acked = std::max(partition.last_acked, last_sequence(batch));
  if (base != kNoOffset)
    partition.last_acked_offset = std::max(partition.last_acked_offset, base + batch.fill.count - 1);
  untrack(batch);
}

void Sequences::failed(Batch& batch, ErrorCode error, bool adjust) {
  if (!enabled_) return;
  if (!by_epoch_) return failed_by_id(batch, error, adjust);
  untrack(batch);
  Partition& partition = partitions_[batch.partition];
  if (error == ErrorCode::unknown_producer_id) {
    partition = Partition{};
  } else if (error == ErrorCode::out_of_order_sequence_number || adjust) {
    if (wait_for_earlier_)
      mark_unresolved(batch);
    else
      ask_for_bump(partition);
  }
}

void Sequences::mark_unresolved(const Batch& batch) {
  if (!enabled_) return;
  Partition& partition = partitions_[batch.partition];
  any_unresolved_ = true;
  partition.unresolved = std::max(partition.unresolved, advance_sequence(last_sequence(batch), 1));
}

bool Sequences::can_retry(const Batch& batch, ErrorCode error, Offset log_start) {
  if (!enabled_) return is_retriable(error);
  if (!by_epoch_) return can_retry_by_id(batch, error, log_start);
  Partition& partition = partitions_[batch.partition];
  if (error == ErrorCode::unknown_producer_id) {
    if (transactional_) return false;
    if (!batch.sequence_reset) ask_for_bump(partition);
    return true;
  }
  if (error == ErrorCode::out_of_order_sequence_number) {
    const bool unresolved = partition.unresolved >= 0;
    // Not the next in line: one before it is still to be written.
    if (transactional_ && bumps_in_transaction_) return draining_ = true;
    if (!unresolved && (batch.sequence_reset || !is_next(partition, batch.base_sequence))) return true;
    if (wait_for_earlier_ && partition.tracked.front() != &batch) return true;
    if (transactional_) return false;
    if (!unresolved || partition.unresolved == batch.base_sequence) ask_for_bump(partition);
    return true;
  }
  return is_retriable(error);
}

}  // namespace models::kafka
