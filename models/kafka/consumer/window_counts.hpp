// Counts by key and tumbling window: what a task of a Streams application keeps in its window store, and what its changelog says.
//
// KStreamWindowAggregate: the task's stream time is the highest timestamp that it has seen; a window [start, start + size) is
// over once stream time has reached its end plus the grace period, and a record of it is then dropped (dropped-records-total).
// Stream time here is the processor's own: a task that has moved, or begins again, has seen nothing yet.
//
// AbstractRocksDBSegmentedBytesStore: the store has a stream time as well, of the windows that were put into it, which is
// restored with it. A window that starts before that, less the retention, is not found any more, and counts from nothing; once
// its segment (half of the retention, at least a minute) is gone it is not stored either, and the record is dropped.
//
// Timestamps are whole milliseconds.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "models/clients/workload.hpp"
#include "models/ids.hpp"
#include "models/kafka/record_keys.hpp"
#include "sim/time.hpp"

namespace models::kafka {

/// What a record of the changelog says: counting a message has made this of the count of its key and window.
struct CountChange {
  LaneId input{};
  std::int64_t input_seq = 0;
  std::uint32_t key = 0;
  std::int64_t window = 0;  ///< ms: its start
  std::int64_t count = 0;
};

/// Of one application: payload bytes do not exist, so this says what its changelog's would.
class ChangeBook {
 public:
  /// For Message::key: a record with that key says the change.
  std::uint32_t add(const CountChange& change) {
    changes_.push_back(change);
    return static_cast<std::uint32_t>(changes_.size() - 1);
  }
  /// Where producers write it down.
  RecordKeys& written() { return written_; }
  /// Null where that record says nothing.
  const CountChange* at(LaneId lane, std::int64_t seq) const {
    return written_.keyed(lane) ? &changes_[written_.at(lane, seq)] : nullptr;
  }

 private:
  std::vector<CountChange> changes_;
  RecordKeys written_;
};

class WindowStore {
 public:
  explicit WindowStore(const WindowOptions& options);

  struct Counted {
    bool dropped = false;  ///< too late
    std::int64_t window = 0;
    std::int64_t count = 0;
  };
  Counted count(std::uint32_t key, sim::Time timestamp);
  /// What the changelog says is put into the store.
  void restore(const CountChange& change) { put(change.key, change.window, change.count); }
  /// How many windows of keys it holds.
  std::size_t size() const { return counts_.size(); }

 private:
  bool put(std::uint32_t key, std::int64_t window, std::int64_t count);
  std::int64_t find(std::uint32_t key, std::int64_t window) const;

  std::int64_t size_, grace_, retention_, segment_;                        // ms
  std::int64_t stream_time_ = -1;                                          // the processor's
  std::int64_t stored_time_ = -1;                                          // the store's
  std::map<std::pair<std::int64_t, std::uint32_t>, std::int64_t> counts_;  // by window and key
};

}  // namespace models::kafka
