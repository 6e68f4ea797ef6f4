// The committed offsets of one group: a small sorted table from partition to offset.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "models/ids.hpp"
#include "models/kafka/types.hpp"
#include "sim/time.hpp"

namespace models::kafka {

/// A committed offset is the next offset to read. kNoOffset in a change means "forget it" (a tombstone).
struct CommittedOffset {
  PartitionIndex partition{};
  Offset offset = kNoOffset;
  sim::Time at{};                ///< when it was committed: offsets of a group without members expire
  EntityId member{};             ///< who committed it
  LeaderEpoch epoch = kNoEpoch;  ///< of the last record before it
};

/// Part of a producer's transaction: committed when that is.
struct PendingTxnOffset {
  ProducerId producer_id = kNoProducerId;
  CommittedOffset commit;
};

class CommittedOffsets {
 public:
  /// nullptr when nothing is committed there.
  const CommittedOffset* find(PartitionIndex partition) const {
    const auto at = lower(entries_, partition);
    return at != entries_.end() && at->partition == partition ? &*at : nullptr;
  }
  Offset offset(PartitionIndex partition) const {
    const CommittedOffset* const found = find(partition);
    return found == nullptr ? kNoOffset : found->offset;
  }
  /// Puts in, replaces or (offset kNoOffset) removes.
  void apply(const CommittedOffset& change) {
    const auto at = lower(entries_, change.partition);
    const bool found = at != entries_.end() && at->partition == change.partition;
    if (change.offset == kNoOffset) {
      if (found) entries_.erase(at);
    } else if (found) {
      *at = change;
    } else {
      entries_.insert(at, change);
    }
  }
  bool empty() const { return entries_.empty(); }
  /// In order of partition.
  const std::vector<CommittedOffset>& entries() const { return entries_; }

 private:
  template <class Entries>
  static decltype(std::declval<Entries&>().begin()) lower(Entries& entries, PartitionIndex partition) {
    return std::lower_bound(entries.begin(), entries.end(), partition,
                            [](const CommittedOffset& e, PartitionIndex p) { return e.partition < p; });
  }

  std::vector<CommittedOffset> entries_;
};

}  // namespace models::kafka
