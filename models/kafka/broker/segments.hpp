// The segments of a replica's log: what is rolled, counted and deleted as a whole (LogSegments.java, LogSegment.java).
//
// A segment begins where the one before ends; the last one is active. Replicas roll by themselves: a follower appends what a
// fetch brought it at once, so its segments are not its leader's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/kafka/types.hpp"
#include "sim/time.hpp"

namespace models::kafka {

struct Segment {
  Offset base = 0;
  std::int64_t bytes = 0;
  sim::Time first_timestamp{};    ///< of its first batch
  sim::Time largest_timestamp{};  ///< of its records
};

class LogSegments {
 public:
  /// Oldest first; never empty.
  const std::vector<Segment>& all() const { return segments_; }
  const Segment& active() const { return segments_.back(); }
  std::int64_t bytes() const { return bytes_; }

  /// Whether a batch of this size and time begins a new segment (LogSegment.shouldRoll).
  bool should_roll(std::int64_t bytes, sim::Time timestamp, std::int64_t most_bytes,
                   sim::Duration longest) const {
    const Segment& now = segments_.back();
    if (now.bytes > most_bytes - bytes) return true;
    return now.bytes > 0 && timestamp - now.first_timestamp > longest;
  }
  /// A new active segment begins at `base`, the end of the log.
  void roll(Offset base) { segments_.push_back({.base = base}); }
  void append(std::int64_t bytes, sim::Time timestamp) {
    Segment& now = segments_.back();
    // Stamps may lie before the beginning of time here.
    if (now.bytes == 0) now.first_timestamp = now.largest_timestamp = timestamp;
    now.largest_timestamp = std::max(now.largest_timestamp, timestamp);
    now.bytes += bytes;
    bytes_ += bytes;
  }
  /// The log was cut at `to`; `left(base)` is how many bytes lie between there and the base of what is now the last segment.
  template <class BytesFrom>
  void truncate(Offset to, BytesFrom&& left) {
    while (segments_.size() > 1 && segments_.back().base >= to) drop_last();
    if (segments_.back().base > to) return restart(to);
    Segment& last = segments_.back();
    bytes_ -= last.bytes;
    last.bytes = left(last.base);
    bytes_ += last.bytes;
  }
  /// All are gone; one begins at `base`.
  void restart(Offset base) {
    segments_.assign(1, {.base = base});
    bytes_ = 0;
  }
  /// The `n` oldest are deleted; one must be left.
  void drop_oldest(std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) bytes_ -= segments_[i].bytes;
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(n));
  }
  /// Segments [first, first + n) have been cleaned into one (UnifiedLog.replaceSegments); n >= 1.
  void replace(std::size_t first, std::size_t n, const Segment& cleaned) {
    const auto at = segments_.begin() + static_cast<std::ptrdiff_t>(first);
    for (auto old = at; old != at + static_cast<std::ptrdiff_t>(n); ++old) bytes_ -= old->bytes;
    *at = cleaned;
    bytes_ += cleaned.bytes;
    segments_.erase(at + 1, at + static_cast<std::ptrdiff_t>(n));
  }

 private:
  void drop_last() {
    bytes_ -= segments_.back().bytes;
    segments_.pop_back();
  }

  std::vector<Segment> segments_{Segment{}};
  std::int64_t bytes_ = 0;
};

}  // namespace models::kafka
