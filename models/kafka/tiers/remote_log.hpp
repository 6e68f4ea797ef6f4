// What remote storage holds of a partition, and what the brokers know of it by the topic __remote_log_metadata
// (RemoteLogMetadataCache.java, RemoteLogLeaderEpochState.java).
//
// A remote segment is a closed segment of some leader's log, with that leader's epochs up to its end. What can be read of it
// depends on who reads: it belongs to a log only where both have the same epochs. After an unclean election remote storage
// may hold what the log does not have any more, which nobody reads.
//
// Model: all brokers know of a segment as soon as it has been copied.
#pragma once

#include <cstdint>
#include <vector>

#include "models/kafka/broker/log.hpp"

namespace models::kafka {

struct RemoteSegment {
  Offset base = 0;
  Offset end = 0;
  std::int64_t bytes = 0;
  sim::Time largest_timestamp{};  ///< of its records
  ReplicaLog lineage;             ///< of the leader that copied it, up to `end`
};

class RemoteLog {
 public:
  /// By rising base; they may overlap where leaders had different segments.
  const std::vector<RemoteSegment>& segments() const { return segments_; }
  void add(RemoteSegment segment);
  /// Those for which `gone` is true are deleted.
  template <class Gone>
  void erase_if(Gone&& gone) {
    std::erase_if(segments_, gone);
  }

  /// The segment that holds the record at `offset` of this epoch; null: none does.
  const RemoteSegment* find(LeaderEpoch epoch, Offset offset) const;
  /// How far `log` has been copied (RemoteLogManager.findHighestRemoteOffset): one beyond the highest offset; 0: nothing has.
  Offset copied_of(const ReplicaLog& log) const;
  /// Where the first segment begins that is of the earliest epoch of `log` that has any; kNoOffset: none
  /// (RemoteLogManager.findLogStartOffset).
  Offset first_of(const ReplicaLog& log) const;
  /// The segment belongs to `log` (RemoteLogManager.isRemoteSegmentWithinLeaderEpochs).
  static bool within(const RemoteSegment& segment, const ReplicaLog& log);

 private:
  std::vector<RemoteSegment> segments_;
};

}  // namespace models::kafka
