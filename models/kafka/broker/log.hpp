// The log of a partition, stored once and shared by its replicas.
//
// A leader epoch has exactly one leader, so what was ever appended in an epoch is one sequence of record batches: a branch.
// Replicas hold prefixes of branches. A replica's log is therefore its list of (leader epoch, start offset) pairs and its
// end offset; two replicas agree on an offset exactly when they hold it in the same epoch (log matching). Truncation cuts
// the list, it touches no branch; copying a batch to a follower costs a number, whatever its size.
//
// A replica knows of its epochs what its leader epoch cache says (LeaderEpochFileCache.java). That is what its log holds, but
// for epochs begun without a record, and for replicas that have diverged: then epochs do not rise along the log, and the
// cache forgets those that stand in the way.
//
// Records below the log start offset are deleted: no reader gets them, and what no replica can read is let go. Of a compacted
// log survivors() says what is left; a branch keeps all that was ever appended.
//
// Model: payload bytes do not exist; a batch is one extent.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "models/ids.hpp"
#include "models/kafka/broker/survivors.hpp"
#include "models/kafka/types.hpp"
#include "sim/time.hpp"

namespace models::kafka {

/// What a batch is to transactions. Markers are control batches: they take one offset and hold no record.
enum class BatchKind : std::uint8_t { plain, transactional, commit_marker, abort_marker };

/// A record batch as it stands in a log.
struct Extent {
  Offset base = 0;
  std::int64_t bytes_before = 0;  ///< of its branch
  std::int64_t first_seq = 0;     ///< lane seq of its first record
  sim::Time max_timestamp{};      ///< creation of the newest record of its branch so far
  ProducerId producer_id = kNoProducerId;
  std::int32_t count = 0;
  std::int32_t base_sequence = -1;
  std::int32_t bytes = 0;
  LaneId lane{};
  std::int16_t producer_epoch = -1;
  BatchKind kind = BatchKind::plain;

  Offset end() const { return base + count; }
  bool is_marker() const { return kind == BatchKind::commit_marker || kind == BatchKind::abort_marker; }
};

/// Everything that the leader of one epoch appended.
class Branch {
 public:
  Branch(LeaderEpoch epoch, Offset start) : epoch_(epoch), start_(start), end_(start) {}

  LeaderEpoch epoch() const { return epoch_; }
  Offset start() const { return start_; }
  Offset end() const { return end_; }
  std::size_t size() const { return size_; }
  const Extent& operator[](std::size_t i) const { return (*chunks_[i / kChunk])[i % kChunk]; }

  void append(Extent extent);
  /// Index of the extent that holds `offset`, start() <= offset < end(). Cheap near the end.
  std::size_t find(Offset offset) const;
  /// Nobody will ask for what lies below `offset` any more: its memory is let go, but for the last chunk.
  void forget_below(Offset offset);
  /// Of the first batch that is held in memory, or the end.
  Offset kept_from() const { return first_ < size_ ? (*this)[first_].base : end_; }
  /// Batches held in memory, in chunks; what a test of the memory price looks at.
  std::size_t kept() const { return chunks_.size() * kChunk - first_; }

 private:
  static constexpr std::size_t kChunk = 128;
  LeaderEpoch epoch_;
  Offset start_;
  Offset end_;
  std::size_t size_ = 0;
  std::size_t first_ = 0;  ///< kept
  std::int64_t bytes_ = 0;
  std::vector<std::unique_ptr<std::array<Extent, kChunk>>> chunks_;
};

/// The branches of one partition, by rising epoch.
class PartitionStore {
 public:
  Branch& open(LeaderEpoch epoch, Offset start);
  const Branch& branch(LeaderEpoch epoch) const;
  void forget_below(Offset offset);
  std::size_t kept() const;

 private:
  std::vector<std::unique_ptr<Branch>> branches_;
};

/// Offsets [from, to).
struct OffsetRange {
  Offset from = 0;
  Offset to = 0;
};

/// (epoch, offset): the answer to "where does this epoch end in your log".
struct EpochEnd {
  LeaderEpoch epoch = kNoEpoch;
  Offset end = kNoOffset;
};

/// What a read found: offsets [from, end), all of one leader epoch.
struct ReadResult {
  Offset end = 0;
  std::int32_t bytes = 0;
  LeaderEpoch epoch = kNoEpoch;
  bool gaps = false;       ///< the log has been compacted there: survivors() has the records
  Offset first_batch = 0;  ///< with gaps: where the first batch begins, or `from` when it lies in that
};

/// What a follower was sent of a compacted log.
struct CompactedCopy {
  Offset first_batch = 0;
  std::span<const Surviving> records;
};

/// One replica's log.
class ReplicaLog {
 public:
  struct EpochStart {
    LeaderEpoch epoch;
    Offset start;
  };

  explicit ReplicaLog(PartitionStore& store) : store_(&store) {}

  Offset end() const { return end_; }
  /// The log start offset: of the first record that can be read, or the end.
  Offset start() const { return start_; }
  /// Epoch of the last record or of the leadership begun at the end; kNoEpoch for an empty log that never had one.
  LeaderEpoch latest_epoch() const { return epochs_.empty() ? kNoEpoch : epochs_.back().epoch; }
  /// Where the records of which epoch begin, by offset. Epochs rise unless the log has diverged from its leader's.
  const std::vector<EpochStart>& epochs() const { return runs_; }

  /// The first offset from `from` on whose batch is still in memory (PartitionStore::forget_below). Requires
  /// start() <= from < end().
  Offset kept_from(Offset from) const {
    return std::max(from, store_->branch(runs_[epoch_index(from)].epoch).kept_from());
  }

  /// This replica now leads in `epoch`: its records start at end().
  void begin_epoch(LeaderEpoch epoch);
  /// Leader's append, in the epoch last begun. Sets extent.base.
  Offset append(Extent extent);
  /// Follower's append of what the leader returned: offsets [end(), to) of `epoch`.
  void copy(LeaderEpoch epoch, Offset from, Offset to);
  /// The same where its leader's log has been compacted.
  void copy(LeaderEpoch epoch, Offset from, Offset to, const CompactedCopy& what);
  /// Cuts the log to `offset` when it is longer.
  void truncate(Offset offset);
  /// Truncates, and forgets epochs begun at the end without a record: what is found when a log is loaded after a crash
  /// (LogLoader.load), or truncated to where it ends (UnifiedLog.truncateTo).
  void reload(Offset offset);

  /// What lies below `offset` <= end() is deleted (UnifiedLog.maybeIncrementLogStartOffset).
  void raise_start(Offset offset);
  /// Nothing is left, and the next record is that of `offset` (UnifiedLog.truncateFullyAndStartAt).
  void restart_at(Offset offset);

  /// It is as another log was, but for what that one has deleted since: up to `start` (TierStateMachine.buildRemoteLogAuxState).
  void adopt(const ReplicaLog& other, Offset start);

  /// What compaction has left; null as long as it has removed nothing.
  const Survivors* survivors() const { return survivors_.get(); }
  /// The records below `survivors.end()` are these now.
  void compacted(Survivors survivors);
  /// Records [from, to) of a batch, as they lie in a segment beside `before`, which may be of the same batch.
  static std::int64_t bytes_of(const Extent& extent, Offset from, Offset to, const Surviving* before);
  /// Bytes of the records that it holds at [from, to).
  std::int64_t bytes_in(Offset from, Offset to) const;

  /// Leader epoch of the record at `offset`, start() <= `offset` < end(); kNoEpoch where a follower knows of none.
  LeaderEpoch epoch_at(Offset offset) const;
  /// End offset of the largest epoch that is not above `epoch` (LeaderEpochFileCache.endOffsetFor). When all epochs are
  /// above it: `epoch` itself, ending where the first of them starts. Undefined for kNoEpoch and for a log without epochs.
  EpochEnd end_of(LeaderEpoch epoch) const;
  /// Whole batches from `from` on, below `limit`, at most `max_bytes` unless the first alone is larger, of one epoch.
  ReadResult read(Offset from, Offset limit, std::int64_t max_bytes) const;
  /// Where the first batch begins that holds a record of `time` or later, or the end.
  Offset first_younger(sim::Time time) const;
  /// The batch that holds `offset` < end().
  const Extent& at(Offset offset) const;
  /// First offset at which the two logs differ, of those that both hold.
  Offset common_prefix(const ReplicaLog& other) const;
  /// Where two logs hold different records, below `limit` and both ends, by rising offset.
  std::vector<OffsetRange> differences(const ReplicaLog& other, Offset limit) const;
  /// Calls visit(extent, epoch) for every batch of [from, end()), oldest first; the first may begin below `from`. Of a
  /// compacted log also for those that have been removed: they still tell what their producers did.
  template <class Visit>
  void for_each(Offset from, Visit&& visit) const;
  /// Calls visit(extent, from, to, horizon) for the records of [from, to) that the log holds, as runs inside a batch.
  template <class Visit>
  void for_each_held(Offset from, Offset to, Visit&& visit) const;

 private:
  ReadResult read_compacted(Offset from, Offset limit, std::int64_t max_bytes) const;
  void append_run(LeaderEpoch epoch, Offset from);
  Survivors& own_survivors(Offset reach);
  Offset first_held(Offset from, Offset to) const;
  /// First offset of [from, to) at which both logs hold a record, or `to`.
  Offset first_held_by_both(const ReplicaLog& other, Offset from, Offset to) const;
  std::size_t epoch_index(Offset offset) const;
  /// Where the records of run `i` end.
  Offset run_end(std::size_t i) const { return i + 1 < runs_.size() ? runs_[i + 1].start : end_; }

  PartitionStore* store_;
  std::vector<EpochStart> runs_;    // what it holds; kNoEpoch: nothing, the leader had compacted it
  std::vector<EpochStart> epochs_;  // the leader epoch cache: rising epochs
  Offset start_ = 0;
  Offset end_ = 0;
  Branch* writing_ = nullptr;  // of the epoch last begun; opened at its first append
  std::shared_ptr<Survivors>
      survivors_;  // null unless compacted; a copy of the log shares them until one changes
};

template <class Visit>
void ReplicaLog::for_each(Offset from, Visit&& visit) const {
  from = std::max(from, start_);
  while (from < end_) {
    const std::size_t i = epoch_index(from);
    const Offset stop = run_end(i);
    if (runs_[i].epoch != kNoEpoch) {
      const Branch& branch = store_->branch(runs_[i].epoch);
      for (std::size_t e = branch.find(from); e < branch.size() && branch[e].base < stop; ++e)
        visit(branch[e], branch.epoch());
    }
    from = stop;
  }
}

template <class Visit>
void ReplicaLog::for_each_held(Offset from, Offset to, Visit&& visit) const {
  from = std::max(from, start_);
  to = std::min(to, end_);
  if (survivors_) {
    const std::vector<Surviving>& runs = survivors_->runs();
    for (std::size_t i = survivors_->find(from); i < runs.size() && runs[i].from < to; ++i)
      visit(at(runs[i].from), std::max(runs[i].from, from), std::min(runs[i].to, to), runs[i].horizon);
    from = std::max(from, survivors_->end());
  }
  while (from < to) {
    const std::size_t i = epoch_index(from);
    const Offset stop = std::min(run_end(i), to);
    const Branch& branch = store_->branch(runs_[i].epoch);
    for (std::size_t e = branch.find(from); from < stop; ++e) {
      const Offset end = std::min(branch[e].end(), stop);
      visit(branch[e], from, end, sim::kNever);
      from = end;
    }
  }
}

}  // namespace models::kafka
