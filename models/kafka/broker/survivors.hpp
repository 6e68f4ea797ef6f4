// What compaction has left of a log: below end() the records that survive, as runs of offsets; from there on all of it.
//
// A batch keeps its first and last offset however few of its records survive (DefaultRecordBatch, MemoryRecords.filterTo): a
// reader goes on behind it. Of the batch that ends at end() at least the header is kept, so that a reader gets that far though
// nothing survives in between (Cleaner.cleanInto: "retain the last batch of the cleaning round, even if it's empty").
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/kafka/types.hpp"
#include "sim/time.hpp"

namespace models::kafka {

/// Records of one batch that survive, at offsets [from, to).
struct Surviving {
  Offset from = 0;
  Offset to = 0;
  std::int64_t bytes = 0;
  /// From when on a tombstone of its batch, or a marker without records, may go; kNever: none has been cleaned yet
  /// (RecordBatch.deleteHorizonMs, KIP-534).
  sim::Time horizon = sim::kNever;
};

class Survivors {
 public:
  explicit Survivors(Offset from) : end_(from) {}

  Offset end() const { return end_; }
  /// By rising offset.
  const std::vector<Surviving>& runs() const { return runs_; }
  /// Index of the first run that reaches beyond `offset`.
  std::size_t find(Offset offset) const;
  /// Bytes of runs [first, last).
  std::int64_t bytes(std::size_t first, std::size_t last) const {
    return first >= last ? 0 : bytes_before(last) - bytes_before(first);
  }

  /// Requires: run.from >= end().
  void add(const Surviving& run);
  /// Nothing else survives below `end`.
  void reach(Offset end) { end_ = end; }
  void truncate(Offset end);
  void raise_start(Offset start);

 private:
  std::int64_t bytes_before(std::size_t i) const { return i == 0 ? dropped_ : sums_[i - 1]; }

  Offset end_;
  std::vector<Surviving> runs_;
  std::vector<std::int64_t> sums_;  ///< bytes of runs [0, i], and of those dropped
  std::int64_t dropped_ = 0;        ///< bytes of runs below the log's start
};

}  // namespace models::kafka
