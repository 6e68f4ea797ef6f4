// The log of a partition, stored once and shared by its replicas.
//
// A leader epoch has exactly one leader, so what was ever appended in an epoch is one sequence of record batches: a branch.
// Replicas hold prefixes of branches. A replica's log is therefore its list of (leader epoch, start offset) pairs and its
// end offset; two replicas agree on an offset exactly when they hold it in the same epoch (log matching). Truncation cuts
// the list, it touches no branch; copying a batch to a follower costs a number, whatever its size.
//
// Model: payload bytes do not exist; a batch is one extent. Records stay until the end of a run (retention is not modelled).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "models/ids.hpp"
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
  /// Epoch of the last record or of the leadership begun at the end; kNoEpoch for an empty log that never had one.
  LeaderEpoch latest_epoch() const { return epochs_.empty() ? kNoEpoch : epochs_.back().epoch; }
  const std::vector<EpochStart>& epochs() const { return epochs_; }

  /// This replica now leads in `epoch`: its records start at end().
  void begin_epoch(LeaderEpoch epoch);
  /// Leader's append, in the epoch last begun. Sets extent.base.
  Offset append(Extent extent);
  /// Follower's append of what the leader returned: offsets [end(), to) of `epoch`.
  void copy(LeaderEpoch epoch, Offset from, Offset to);
  /// Cuts the log to `offset` when it is longer.
  void truncate(Offset offset);

  /// Leader epoch of the record at `offset` < end().
  LeaderEpoch epoch_at(Offset offset) const;
  /// End offset of the largest epoch that is not above `epoch` (LeaderEpochFileCache.endOffsetFor). When all epochs are
  /// above it: `epoch` itself, ending where the first of them starts. Undefined for kNoEpoch and for a log without epochs.
  EpochEnd end_of(LeaderEpoch epoch) const;
  /// Whole batches from `from` on, below `limit`, at most `max_bytes` unless the first alone is larger, of one epoch.
  ReadResult read(Offset from, Offset limit, std::int64_t max_bytes) const;
  /// The batch that holds `offset` < end().
  const Extent& at(Offset offset) const;
  /// First offset at which the two logs differ: the length of their common prefix.
  Offset common_prefix(const ReplicaLog& other) const;
  /// Calls visit(extent, epoch) for every batch of [from, end()), oldest first; the first may begin below `from`.
  template <class Visit>
  void for_each(Offset from, Visit&& visit) const;

 private:
  std::size_t epoch_index(Offset offset) const;

  PartitionStore* store_;
  std::vector<EpochStart> epochs_;
  Offset end_ = 0;
  Branch* writing_ = nullptr;  // of the epoch last begun; opened at its first append
};

template <class Visit>
void ReplicaLog::for_each(Offset from, Visit&& visit) const {
  while (from < end_) {
    const std::size_t i = epoch_index(from);
    const Offset stop = i + 1 < epochs_.size() ? epochs_[i + 1].start : end_;
    const Branch& branch = store_->branch(epochs_[i].epoch);
    for (std::size_t e = branch.find(from); e < branch.size() && branch[e].base < stop; ++e)
      visit(branch[e], branch.epoch());
    from = stop;
  }
}

}  // namespace models::kafka
