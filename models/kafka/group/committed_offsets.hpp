// The committed offsets of one group: a sorted table from partition to offset.
#pragma once

#include <algorithm>
#include <cstddef>
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

/// Entries are CommittedOffsets, or derive from it.
template <class Entry>
class OffsetTable {
 public:
  /// nullptr when nothing is committed there.
  const Entry* find(PartitionIndex partition) const {
    const std::size_t at = place(partition);
    return holds(at, partition) ? &entries_[at] : nullptr;
  }
  Offset offset(PartitionIndex partition) const {
    const Entry* const found = find(partition);
    return found == nullptr ? kNoOffset : found->offset;
  }
  /// Puts in, replaces or (offset kNoOffset) removes.
  void apply(const Entry& change) {
    const std::size_t at = place(change.partition);
    const bool found = holds(at, change.partition);
    const auto here = entries_.begin() + static_cast<std::ptrdiff_t>(at);
    if (change.offset == kNoOffset) {
      if (found) entries_.erase(here);
    } else if (found) {
      *here = change;
    } else {
      entries_.insert(here, change);
    }
  }
  template <class Gone>
  void remove_if(Gone gone) {
    std::erase_if(entries_, gone);
  }
  bool empty() const { return entries_.empty(); }
  /// In order of partition.
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  bool holds(std::size_t at, PartitionIndex partition) const {
    return at < entries_.size() && entries_[at].partition == partition;
  }
  /// Where it stands, or would. A group that has committed in all partitions of a topic has no gaps.
  std::size_t place(PartitionIndex partition) const {
    if (entries_.empty()) return 0;
    const std::size_t without_gaps = partition.value - entries_.front().partition.value;
    if (holds(without_gaps, partition)) return without_gaps;
    const auto at = std::lower_bound(entries_.begin(), entries_.end(), partition,
                                     [](const Entry& e, PartitionIndex p) { return e.partition < p; });
    return static_cast<std::size_t>(at - entries_.begin());
  }

  std::vector<Entry> entries_;
};

using CommittedOffsets = OffsetTable<CommittedOffset>;

}  // namespace models::kafka
