// Which message lies at which offset of one partition (or queue), now and, for what was truncated, before.
//
// A batch is one extent of 16 bytes (offset, lane, first seq); its length is the distance to the next.
// Contiguous batches of one lane merge. What a truncation cuts off is kept aside with its leader epoch: a
// consumer may still hold it, and (offset, epoch) tells it from what took its place. Lookups take a cursor
// that the caller keeps, so that reading along the log is O(1) a batch.
//
// Misuse: storing below the end of the log without a truncation first asserts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/checkers/chunked_vector.hpp"
#include "models/ids.hpp"
#include "sim/trace.hpp"

namespace models {

/// Consecutive messages of one lane at consecutive offsets.
struct LogPiece {
  LaneId lane{};
  std::uint64_t seq = 0;
  std::uint64_t count = 0;
  std::int64_t offset = 0;
  bool live = true;  ///< false: it had been truncated when this was asked
};

class LogIndex {
 public:
  struct Buried {
    LogPiece piece;
    std::int64_t epoch = 0;
  };
  using Cursor = std::size_t;

  /// Offsets skipped since the end belong to nobody (markers).
  void append(LaneId lane, std::uint64_t seq, std::uint64_t count, std::int64_t offset, std::int64_t epoch);
  /// A batch that never was part of the log, though a reader may have seen it: a deposed leader took it.
  void bury(LaneId lane, std::uint64_t seq, std::uint64_t count, std::int64_t offset, std::int64_t epoch) {
    buried_.push_back({{lane, seq, count, offset, false}, epoch});
  }
  /// Cuts the log at `offset` and returns what was removed.
  std::vector<Buried> truncate(std::int64_t offset);

  std::int64_t end() const { return end_; }
  const std::vector<Buried>& buried() const { return buried_; }
  std::size_t extents() const { return extents_.size(); }

  /// Whether all offsets below `end` mean, to a reader who saw `epoch` last, what the log holds now.
  bool all_live(std::int64_t end, std::int64_t epoch) const {
    return buried_.empty() || (end <= end_ && epoch_at(end - 1) <= epoch);
  }

  /// Calls `each(LogPiece)` for the messages at [offset, offset + count) of the log as it is. Gaps and
  /// offsets behind the end are left out.
  template <class Each>
  void walk(std::int64_t offset, std::int64_t count, Cursor& cursor, Each&& each) const {
    const std::int64_t until = offset + count < end_ ? offset + count : end_;
    if (offset >= until) return;
    seek(offset, cursor);
    for (;;) {
      const Extent& extent = extents_[cursor];
      const std::int64_t next = cursor + 1 < extents_.size() ? extents_[cursor + 1].offset() : end_;
      const std::int64_t stop = next < until ? next : until;
      if (extent.lane() != 0) {
        each(LogPiece{LaneId{extent.lane()},
                      extent.seq + static_cast<std::uint64_t>(offset - extent.offset()),
                      static_cast<std::uint64_t>(stop - offset), offset, true});
      }
      offset = stop;
      if (offset >= until) return;
      ++cursor;
    }
  }

  /// The same for a reader who saw the last of them with `epoch`: what has been truncated since is found
  /// among the buried. Slow; for ranges of which all_live() is false.
  std::vector<LogPiece> walk_as_of(std::int64_t offset, std::int64_t count, std::int64_t epoch) const;

 private:
  struct Extent {
    std::uint64_t place = 0;  ///< lane << 40 | offset
    std::uint64_t seq = 0;
    std::int64_t offset() const { return static_cast<std::int64_t>(place & ((std::uint64_t{1} << 40) - 1)); }
    std::uint32_t lane() const { return static_cast<std::uint32_t>(place >> 40); }
  };
  struct EpochStart {
    std::int64_t offset;
    std::int64_t epoch;
  };

  void seek(std::int64_t offset, Cursor& cursor) const {
    for (int steps = 0; steps < 4; ++steps) {
      if (cursor >= extents_.size() || extents_[cursor].offset() > offset) break;
      if (cursor + 1 == extents_.size() || extents_[cursor + 1].offset() > offset) return;
      ++cursor;
    }
    search(offset, cursor);
  }
  void search(std::int64_t offset, Cursor& cursor) const;
  std::int64_t epoch_at(std::int64_t offset) const;
  LogPiece buried_at(std::int64_t offset, std::int64_t until, std::int64_t epoch) const;

  ChunkedVector<Extent> extents_;
  std::int64_t end_ = 0;
  std::vector<EpochStart> epochs_;
  std::vector<Buried> buried_;
};

}  // namespace models
