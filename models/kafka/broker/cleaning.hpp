// One cleaning of a compacted log: which of its records survive (Cleaner in LogCleaner.scala).
//
// A map of the newest offset of each key in the dirty part decides: a record goes when the map knows a newer one of its key. A
// tombstone stays for delete.retention.ms from the first cleaning that found it (KIP-534), then it goes with the next. Records
// of aborted transactions go; a marker goes like a tombstone once no record of its transaction is left.
//
// Model: an emptied batch that is its producer's last leaves no header here: what its producer did is read off the branch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/kafka/broker/log.hpp"
#include "models/kafka/broker/segments.hpp"
#include "models/kafka/record_keys.hpp"

namespace models::kafka {

/// How the transactions of a stretch of log ended, as its markers say.
class Decisions {
 public:
  Decisions(const ReplicaLog& log, Offset from, Offset to);
  /// The batch, of a transaction, is part of one that was aborted.
  bool aborted(const Extent& batch) const { return ended(batch) == BatchKind::abort_marker; }
  /// Where the first transaction begins that is not decided below `to`, or `to`.
  Offset first_open() const { return first_open_; }

 private:
  struct Marker {
    ProducerId producer;
    Offset offset;
    BatchKind kind;
  };
  BatchKind ended(const Extent& batch) const;

  std::vector<Marker> markers_;  // by producer, then by offset
  Offset first_open_;
};

/// The newest offset of each key in the dirty part of a log (SkimpyOffsetMap). It is kept from one cleaning to the next.
class OffsetMap {
 public:
  void clear();
  void put(std::uint32_t key, Offset offset);
  /// kNoOffset: none is known.
  Offset newest(std::uint32_t key) const { return key < newest_.size() ? newest_[key] : kNoOffset; }
  std::size_t size() const { return used_.size(); }

 private:
  std::vector<Offset> newest_;       // by key
  std::vector<std::uint32_t> used_;  // keys that it knows
};

struct CleaningJob {
  const ReplicaLog& log;
  const RecordKeys& keys;
  Offset first_dirty = 0;
  Offset end = 0;  ///< of the part that may be cleaned
  sim::Time now{};
  sim::Duration delete_retention{};
  std::size_t keys_most = 0;  ///< that the map may hold
  bool transactional = false;
  /// Before KIP-534: the log's segments. A tombstone stays while its segment is younger than `discards_to`, the age of the last
  /// clean segment less delete.retention.ms. Model: a segment is as old as its newest timestamp, not as its file.
  std::span<const Segment> segments{};
  sim::Time discards_to{};
};

struct CleaningResult {
  Survivors survivors;
  Offset end = 0;                ///< it got so far: the map may have been full
  std::int64_t removed = 0;      ///< records, markers left out
  std::int64_t dirty_bytes = 0;  ///< read for the map
  std::int64_t bytes_read = 0;   ///< of all that was cleaned
  std::int64_t bytes_written = 0;
};

CleaningResult clean(const CleaningJob& job, OffsetMap& map);

}  // namespace models::kafka
