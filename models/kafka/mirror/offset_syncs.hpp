// Which offset of a copy stands for which offset of its source: what a mirror writes down of it, and what can be told from that.
//
// Offsets of source and copy differ: markers and aborted records are not copied, a task that begins again copies some records
// twice. So the source task notes a pair of offsets now and then (OffsetSyncWriter.PartitionState: the first time, after
// offset.lag.max records, wherever offsets were skipped), and the checkpoint task keeps 64 of them for a partition, the closer
// together the newer (OffsetSyncStore). A group's offset is translated by the newest pair that is not ahead of it: exactly when
// it is that pair's, else to the one after it. So a group that moves reads records again, and leaves none out.
#pragma once

#include <array>
#include <optional>

#include "models/kafka/types.hpp"

namespace models::kafka {

struct OffsetSync {
  Offset upstream = kNoOffset;
  Offset downstream = kNoOffset;
  bool operator==(const OffsetSync&) const = default;
};

/// Of one partition.
class OffsetSyncs {
 public:
  /// `count` records from `upstream` on have been stored from `downstream` on.
  void copied(Offset upstream, Offset downstream, std::int64_t count, std::int64_t offset_lag_max);
  /// A task has begun anew: it does not know what it noted.
  void task_started() { last_downstream_ = kNoOffset; }
  /// Nothing: no pair was noted. kNoOffset: all that is known is ahead of it.
  std::optional<Offset> translated(Offset upstream) const;

  /// A pair was noted.
  void add(OffsetSync sync);
  std::size_t noted() const { return noted_; }

 private:
  static constexpr std::size_t kSyncs = 64;  // OffsetSyncStore.SYNCS_PER_PARTITION
  using Syncs = std::array<OffsetSync, kSyncs>;

  void replace_older(const Syncs& original);

  Offset last_downstream_ = kNoOffset;  // of the last pair that this task noted
  Offset previous_upstream_ = kNoOffset;
  Offset previous_downstream_ = kNoOffset;
  Syncs syncs_{};
  std::size_t noted_ = 0;
};

}  // namespace models::kafka
