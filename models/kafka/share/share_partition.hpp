// The in-flight records of one partition as its leader keeps them for one share group (SharePartition.java of Kafka 4.2).
//
// Records between the start offset (SPSO) and the end offset (SPEO) are in flight. Each is available, acquired by one member
// until its lock ends, acknowledged or archived; the start offset moves over a prefix of the last two. Acquiring counts a
// delivery; a record that is given back, or whose lock ends, after so many deliveries as the limit says is archived. The window
// from start to end is bounded: a record that is stuck at the start uses it up for all behind it.
//
// Records are acquired by batches. A batch is what was acquired together for the first time, and stays one while all its records
// share one fate; after that each record goes its own way (InFlightBatch.offsetState).
//
// What is acknowledged or given back changes at once and is final once the share coordinator has stored it: until complete()
// the records are in transition, and nothing else happens to them. What a lock's end changes is final at once.
//
// Nothing here knows the simulation: times are given, and next_deadline() says when to call expire().
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/kafka/share/share_calls.hpp"
#include "sim/time.hpp"

namespace models::kafka {

/// A batch of the log, offsets [base, end).
struct LogBatch {
  Offset base = 0;
  Offset end = 0;
};

class SharePartition {
 public:
  struct Options {
    std::int32_t max_record_locks = 2000;   ///< group.share.partition.max.record.locks
    std::int32_t delivery_count_limit = 5;  ///< group.share.delivery.count.limit
    sim::Duration lock_duration{30'000'000'000};
  };
  struct Record {
    ShareRecordState state = ShareRecordState::available;
    ShareRecordState state_before = ShareRecordState::available;  ///< while in transition
    bool in_transition = false;
    std::int16_t delivery_count = 0;
    std::int16_t count_before = 0;
    ShareMember member = 0;  ///< who has it; of a transition that it has begun, too
    sim::Time locked_until = sim::kNever;
  };
  struct Acquire {
    ShareMember member = 0;
    ShareAcquireMode mode = ShareAcquireMode::batch_optimized;
    std::int32_t batch_size = 500;
    std::int32_t max_records = 500;  ///< of whole batches, more where the last one goes on
    Offset fetch_offset = 0;         ///< from which the batches were read
  };

  explicit SharePartition(const Options& options) : options_(options) {}

  /// From what the share coordinator has. What it does not tell of between start and end was acquired and not heard of again:
  /// it is acquired anew (GapWindow).
  void initialize(const ShareGroupState& stored);

  // ---- reading ----
  Offset start_offset() const { return start_; }
  Offset end_offset() const { return end_; }  ///< after the last record in flight
  std::int64_t in_flight() const { return end_ - start_; }
  /// The first available record, or the end.
  Offset next_fetch_offset();
  bool can_acquire() { return next_fetch_offset() < end_ || in_flight() < options_.max_record_locks; }
  const Record& record(Offset offset) const { return records_[slot(offset)]; }
  std::int64_t count(ShareRecordState state) const;
  const Options& options() const { return options_; }
  /// Another one after every change.
  std::uint64_t revision() const { return revision_; }

  // ---- what happens to records ----
  /// Acquires what can be acquired of the batches read. Appends to `acquired`; returns how many records.
  std::int64_t acquire(const Acquire& request, std::span<const LogBatch> batches, sim::Time now,
                       std::vector<AcquiredRecords>& acquired);
  /// All of it or nothing. Appends to `changes` what is in transition from now on.
  ErrorCode acknowledge(ShareMember member, std::span<const AcknowledgementBatch> batches, sim::Time now,
                        std::vector<ShareStateBatch>& changes);
  /// The member's session has ended: what it holds is available again, as if it had never been delivered
  /// (DeliveryCountOps.DECREASE).
  void release(ShareMember member, std::vector<ShareStateBatch>& changes);
  /// What was in transition has been stored, or has not and is as it was. A record whose lock has ended meanwhile is given back
  /// then: appends to `archived` those that had been delivered as often as the limit says.
  void complete(std::span<const ShareStateBatch> changes, bool stored, sim::Time now,
                std::vector<ShareStateBatch>* archived = nullptr);
  /// Locks that end now. Appends what has changed.
  void expire(sim::Time now, std::vector<ShareStateBatch>& changes);
  /// When the earliest lock ends; kNever without any.
  sim::Time next_deadline() const;
  /// Moves the start over what is done. Returns whether it has moved.
  bool advance_start();
  /// What `member` has acquired of [first, end) was part of a transaction that is aborted
  /// (filterAbortedTransactionalAcquiredRecords).
  void archive(ShareMember member, Offset first, Offset end);
  /// What lies below is no longer in the log.
  void log_start_moved(Offset log_start);

  /// What cannot be, in words, or null. For checked runs and tests.
  const char* broken() const;

 private:
  struct Batch {
    Offset first = 0;
    Offset end = 0;
    bool per_offset = false;
  };

  std::size_t slot(Offset offset) const { return static_cast<std::size_t>(offset) & mask_; }
  Record& at(Offset offset) { return records_[slot(offset)]; }
  void make_room(Offset end);
  void extend(Offset first, Offset end, bool per_offset);
  void insert_batch(Batch batch);
  void lock(Offset offset, ShareMember member, sim::Time now);
  void add(std::vector<AcquiredRecords>& acquired, Offset offset, std::int16_t count) const;
  static void add(std::vector<ShareStateBatch>& changes, Offset offset, const Record& record);

  bool available(Offset offset) const;
  Offset first_available(Offset from, Offset end) const;
  void archive_stale(Offset from, Offset first_batch);
  bool throttled(const Batch& batch, Offset from, Offset to) const;
  std::int64_t acquire_new(const Acquire& request, std::span<const LogBatch> batches, Offset first,
                           Offset end, std::int64_t most, sim::Time now,
                           std::vector<AcquiredRecords>& acquired);
  std::int64_t acquire_some(const Acquire& request, Batch& batch, Offset from, Offset to, std::int64_t most,
                            sim::Time now, std::vector<AcquiredRecords>& acquired);
  std::int64_t acquire_whole(const Acquire& request, const Batch& batch, sim::Time now,
                             std::vector<AcquiredRecords>& acquired);
  std::int64_t acquire_in_flight(const Acquire& request, std::span<const LogBatch> batches, Offset from,
                                 Offset to, std::int64_t& most, sim::Time now,
                                 std::vector<AcquiredRecords>& acquired);
  ErrorCode acknowledge(ShareMember member, const AcknowledgementBatch& batch, sim::Time now,
                        std::vector<ShareStateBatch>& changes);
  void begin_transition(Record& record, ShareRecordState to);
  void end_transition(Record& record, bool stored, sim::Time now);
  void split_batches(Offset first, Offset end);
  void give_back(Record& record);

  Options options_;
  Offset start_ = 0;
  Offset end_ = 0;
  Offset search_ = 0;  ///< nothing below is available
  std::uint64_t revision_ = 1;
  std::size_t acquired_before_ = 0;  ///< by the same request, of other partitions
  std::size_t mask_ = 0;
  std::vector<Record> records_ = std::vector<Record>(1);  ///< by offset, in a ring of a power of two
  std::vector<Batch> batches_;                            ///< rising; what none holds is a gap
};

}  // namespace models::kafka
