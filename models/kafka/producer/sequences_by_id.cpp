// How a producer went on that had lost the thread of its sequence numbers, before KIP-360: with another producer id, for all
// partitions (TransactionManager.java and Sender.java of 2.4). What is on the wire under the old one is not sent again.
#include <algorithm>

#include "models/kafka/producer/sequences.hpp"

namespace models::kafka {

/// TransactionManager.resetProducerId
void Sequences::need_new_id() {
  producer_id_ = kNoProducerId;
  producer_epoch_ = -1;
  any_unresolved_ = false;
  for (Partition& partition : partitions_) partition = Partition{};
}

/// TransactionManager.canRetry, and Sender.completeBatch: of a producer id that has been given up nothing is tried again.
bool Sequences::can_retry_by_id(const Batch& batch, ErrorCode error, Offset log_start) {
  if (of_another_id(batch)) return false;
  Partition& partition = partitions_[batch.partition];
  if (error == ErrorCode::out_of_order_sequence_number)
    return partition.unresolved < 0 && (batch.sequence_reset || !is_next(partition, batch.base_sequence));
  if (error != ErrorCode::unknown_producer_id) return is_retriable(error);
  if (log_start == kNoOffset || batch.sequence_reset) return true;
  if (partition.last_acked_offset >= log_start) return false;
  // Retention has removed what the leader knew the producer by.
  start_at_beginning(partition);
  return true;
}

/// TransactionManager.handleFailedBatch, adjustSequencesDueToFailedBatch
void Sequences::failed_by_id(Batch& batch, ErrorCode error, bool adjust) {
  if (of_another_id(batch)) return;
  const bool lost =
      error == ErrorCode::out_of_order_sequence_number || error == ErrorCode::unknown_producer_id;
  if (lost && !transactional_) return need_new_id();
  untrack(batch);
  if (!adjust || !batch.has_sequence()) return;
  Partition& partition = partitions_[batch.partition];
  partition.next = std::max(0, partition.next - batch.fill.count);
  for (Batch* later : partition.tracked) {
    if (later->base_sequence < batch.base_sequence) continue;
    later->base_sequence = std::max(0, later->base_sequence - batch.fill.count);
    later->sequence_reset = true;
  }
}

}  // namespace models::kafka
