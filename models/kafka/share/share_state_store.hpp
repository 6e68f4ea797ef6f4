// What the records of __share_group_state say, for all replicas of all its partitions at once.
//
// Payload bytes do not exist in the simulated logs, so the meaning of the share coordinators' records is kept here by log offset,
// as OffsetsStore does for groups. elected() drops what lies beyond the new leader's log, load() returns the rest. What the high
// watermark has passed is folded into one state for each partition of a group, unless unclean elections could bring older ones
// back.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "models/kafka/share/share_calls.hpp"

namespace models::kafka {

/// A partition as one share group has it.
struct ShareKey {
  EntityId group{};
  PartitionIndex partition{};
  friend bool operator==(const ShareKey&, const ShareKey&) = default;
  friend bool operator<(const ShareKey& a, const ShareKey& b) {
    return a.group != b.group ? a.group < b.group : a.partition < b.partition;
  }
};

/// Takes what an update says into the state: newer batches replace older ones where they overlap, what lies below the start
/// offset goes (PersisterStateBatchCombiner).
void merge(ShareGroupState& state, const ShareGroupState& update);

class ShareStateStore {
 public:
  explicit ShareStateStore(bool keep_history = false) : keep_history_(keep_history) {}

  /// Appended by the leader of `epoch`; `end` is the log offset after the record.
  void append(PartitionIndex partition, LeaderEpoch epoch, Offset end, const ShareKey& key,
              const ShareGroupState& update);
  void replicated(PartitionIndex partition, LeaderEpoch epoch, Offset high_watermark);
  /// A leader of `epoch` was elected whose log ends at `log_end`: what lies beyond never happened.
  void elected(PartitionIndex partition, LeaderEpoch epoch, Offset log_end);
  /// In order of keys.
  std::map<ShareKey, ShareGroupState> load(PartitionIndex partition) const;

 private:
  struct Record {
    Offset end = 0;
    ShareKey key;
    ShareGroupState update;
  };
  struct Shard {
    LeaderEpoch epoch = kNoEpoch;
    std::map<ShareKey, ShareGroupState> folded;
    std::vector<Record> records;  ///< not folded, in order of `end`
  };

  bool keep_history_;
  std::map<PartitionIndex, Shard> shards_;
};

}  // namespace models::kafka
