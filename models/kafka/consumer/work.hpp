// The records of one poll and when each of them is done: prefix sums of service times.
//
// Work knows no clock: it counts in nanoseconds from its own beginning, so that a pause moves the beginning and nothing
// else. With a constant service time nothing is stored per record. A process that has become slower is slower from its place in
// the work on: the sums are those of a process at its usual speed, and finish() says when each is reached.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/kafka/types.hpp"
#include "sim/time.hpp"

namespace models::kafka {

class Work {
 public:
  /// Offsets [from, to) of one partition, written in one leader epoch. `first` is the number of its first record in the
  /// poll, counted from 0.
  struct Range {
    PartitionIndex partition{};
    Offset from = 0;
    Offset to = 0;
    LeaderEpoch epoch = kNoEpoch;
    std::int64_t first = 0;

    std::int64_t end() const { return first + (to - from); }
  };

  /// No sum of service times exceeds this: 36 years.
  static constexpr std::int64_t kLongest = std::int64_t{1} << 60;

  void clear();
  void add(PartitionIndex partition, Offset from, Offset to, LeaderEpoch epoch);
  std::int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// The lowest offset of `partition` in it; `otherwise` when it has none.
  Offset lowest(PartitionIndex partition, Offset otherwise) const;
  std::span<const Range> ranges() const { return ranges_; }

  /// Every record takes `step`.
  void take_constant(sim::Duration step);
  /// The next record takes `service`. Requires: called once for each record, in order, instead of take_constant().
  void take(sim::Duration service) {
    const std::int64_t before = finish_.empty() ? 0 : finish_.back();
    finish_.push_back(service.count() < kLongest - before ? before + service.count() : kLongest);
  }

  /// From `elapsed` ns after the beginning on the rest takes `slowness` times as long as drawn.
  void stretch(std::int64_t elapsed, double slowness);

  /// Each record takes step().
  bool constant() const { return finish_.empty() && !stretched(); }
  std::int64_t step() const { return step_; }
  /// Nanoseconds after the beginning at which record `i` is done; 0 for i = -1.
  std::int64_t finish(std::int64_t i) const {
    if (i < 0) return 0;
    const std::int64_t drawn = finish_.empty() ? (i + 1) * step_ : finish_[static_cast<std::size_t>(i)];
    return stretched() ? reached(drawn) : drawn;
  }
  /// How many records are done `elapsed` nanoseconds after the beginning.
  std::int64_t finished_within(std::int64_t elapsed) const;

  /// Calls visit(range, from, to, i) for what records [i, end) are, range by range; i is the number of the record at `from`.
  template <class Visit>
  void for_each(std::int64_t begin, std::int64_t end, Visit&& visit) const {
    for (const Range& range : ranges_) {
      if (range.end() <= begin) continue;
      if (range.first >= end) break;
      const std::int64_t first = range.first > begin ? range.first : begin;
      const std::int64_t last = range.end() < end ? range.end() : end;
      visit(range, range.from + (first - range.first), range.from + (last - range.first), first);
    }
  }

 private:
  bool stretched() const { return slowness_ != 1 || from_ != turn_; }
  std::int64_t reached(std::int64_t drawn) const;

  std::vector<Range> ranges_;
  std::vector<std::int64_t> finish_;
  std::int64_t size_ = 0;
  std::int64_t step_ = 0;
  double slowness_ = 1;
  std::int64_t from_ = 0;  // of the sums; it was reached at
  std::int64_t turn_ = 0;  // ns after the beginning, and from there on slowness_ counts
};

}  // namespace models::kafka
