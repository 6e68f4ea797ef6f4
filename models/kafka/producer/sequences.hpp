// Idempotence on the producer's side: its id and epoch, and which sequence numbers each partition has given
// out, had acknowledged, or must give anew (the part of TransactionManager.java that is not about
// transactions, TxnPartitionMap.java).
//
// A batch gets its first sequence number when it is first sent and keeps it over retries, so that the broker
// can tell a repeated batch from a new one. After a failure that leaves a gap, the epoch is raised and what
// is tracked of the partition starts again from 0.
#pragma once

#include <cstdint>
#include <vector>

#include "models/kafka/producer/accumulator.hpp"

namespace models::kafka {

class Sequences {
 public:
  Sequences(bool enabled, std::uint32_t partitions) : enabled_(enabled), partitions_(partitions) {}

  bool enabled() const { return enabled_; }
  bool needs_producer_id() const { return enabled_ && producer_id_ == kNoProducerId; }
  ProducerId producer_id() const { return producer_id_; }
  std::int16_t producer_epoch() const { return producer_epoch_; }
  void set_producer(ProducerId id, std::int16_t epoch) {
    producer_id_ = id;
    producer_epoch_ = epoch;
  }
  /// Epochs come from the transaction coordinator: a failure that would raise the epoch breaks the transaction instead.
  /// `bumps`: except that an OUT_OF_ORDER_SEQUENCE_NUMBER asks for a new epoch at once (Rule::abort_before_new_epoch).
  void use_transactions(bool bumps) {
    transactional_ = true;
    bumps_in_transaction_ = bumps;
  }
  /// Rule::renumber_after_earlier
  void wait_for_earlier() { wait_for_earlier_ = true; }
  /// Without Rule::recovery_by_epoch: a producer that has lost the thread needs another id, not another epoch, and one with
  /// transactions is at its end (TransactionManager.java before 2.5).
  void recover_by_id() { by_epoch_ = false; }
  /// With transactions and without that rule: whether something that was sent has been written will never be known.
  bool lost_for_good() const { return !by_epoch_ && transactional_ && any_unresolved_; }
  /// The coordinator has given a new epoch, or a new id: every partition begins at 0.
  void begin_anew(ProducerId id, std::int16_t epoch);
  /// In a transaction: no batch is sent until a new epoch has come, and none is on the wire.
  bool awaits_epoch() const;
  /// It has come: what was sent and has no answer is given new numbers.
  void renumber(ProducerId id, std::int16_t epoch);
  /// The coordinator knows of it: batches may be sent again.
  void epoch_known() { draining_ = false; }
  /// The topic was forgotten and is known again: every partition begins at 0, in the same epoch.
  void begin_partitions_anew();
  /// Forgets everything: a new life of the producer has a new id.
  void forget();

  /// At each turn of the sender: decides about partitions whose last batches expired, and raises the epoch
  /// where asked.
  void settle();

  /// The first batch of its queue may be sent now (RecordAccumulator.shouldStopDrainBatchesForPartition,
  /// negated).
  bool may_send(const Batch& first) const;
  /// Gives a batch that has none its sequence numbers, and tracks it until done().
  void assign(Batch& batch);
  /// Tracks the parts of a batch that was split, with the numbers it had.
  void adopt_parts(Batch& whole, std::span<Batch* const> parts);
  /// Where in its queue a batch that came back belongs.
  Batch* place(const BatchQueue& queue, const Batch& batch) const;

  /// `base`: where its first record is, if that was said.
  void acknowledged(Batch& batch, Offset base = kNoOffset);
  /// `adjust`: it surely left a gap that later numbers must not follow.
  void failed(Batch& batch, ErrorCode error, bool adjust);
  /// It expired after it had been sent: whether its numbers were used is not known until the others are
  /// answered.
  void mark_unresolved(const Batch& batch);
  /// The error is one that sending again may cure; may ask for an epoch bump to that end. `log_start`: as the answer says.
  bool can_retry(const Batch& batch, ErrorCode error, Offset log_start = kNoOffset);

 private:
  struct Partition {
    ProducerId producer_id = kNoProducerId;
    std::int16_t producer_epoch = -1;
    std::int32_t next = 0;
    std::int32_t last_acked = -1;
    Offset last_acked_offset = kNoOffset;
    std::int32_t unresolved = -1;  ///< next sequence after the last batch whose fate is unknown; -1: none
    bool renumber = false;         ///< at the next epoch bump
    std::vector<Batch*> tracked;   ///< sent and not done, by sequence
  };

  void resolve();
  void untrack(const Batch& batch);
  void ask_for_bump(Partition& partition);
  void bump_epoch();
  // Without Rule::recovery_by_epoch (sequences_by_id.cpp).
  void need_new_id();
  bool of_another_id(const Batch& batch) const { return !by_epoch_ && batch.producer_id != producer_id_; }
  bool can_retry_by_id(const Batch& batch, ErrorCode error, Offset log_start);
  void failed_by_id(Batch& batch, ErrorCode error, bool adjust);
  void start_at_beginning(Partition& partition);
  static std::int32_t last_sequence(const Batch& batch) {
    return advance_sequence(batch.base_sequence, batch.fill.count - 1);
  }
  static bool is_next(const Partition& partition, std::int32_t sequence) {
    return sequence - partition.last_acked == 1;
  }

  bool enabled_;
  bool transactional_ = false;
  bool bumps_in_transaction_ = false;
  bool wait_for_earlier_ = false;
  bool by_epoch_ = true;
  bool draining_ = false;
  bool bump_required_ = false;
  bool any_unresolved_ = false;
  ProducerId producer_id_ = kNoProducerId;
  std::int16_t producer_epoch_ = -1;
  std::vector<Partition> partitions_;
};

}  // namespace models::kafka
