// How often something happened to each offset of a partition, or to each number of a lane, as runs of equal counts.
//
// What happens once to each offset in order, which is the rule, costs one comparison and no memory; only repetitions add runs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "sim/assert.hpp"

namespace models {

class OffsetCounts {
 public:
  using Offset = std::int64_t;

  /// Counts each offset of [from, to) once more. Calls visit(first, end, before) for each run of offsets whose count was
  /// `before` until now, in order. Requires: from <= to.
  template <class Visit>
  void add(Offset from, Offset to, Visit&& visit) {
    MQLAB_ASSERT(from <= to, "a range of offsets runs backwards");
    if (from == to) return;
    if (from == runs_.back().first && before_last() == 1) {
      runs_.back().first = to;
      visit(from, to, std::int64_t{0});
      return;
    }
    add_anywhere(from, to, visit);
  }
  void add(Offset from, Offset to) {
    add(from, to, [](Offset, Offset, std::int64_t) {});
  }

  std::int64_t at(Offset offset) const { return runs_[find(offset)].count; }
  std::size_t runs() const { return runs_.size(); }

 private:
  struct Run {
    Offset first;  ///< up to the first of the next run
    std::int64_t count;
  };

  std::int64_t before_last() const { return runs_.size() > 1 ? runs_[runs_.size() - 2].count : 0; }

  std::size_t find(Offset offset) const {
    const auto after = std::upper_bound(runs_.begin(), runs_.end(), offset,
                                        [](Offset o, const Run& run) { return o < run.first; });
    return static_cast<std::size_t>(after - runs_.begin()) - 1;
  }

  /// Makes a run begin at `offset`; returns its index.
  std::size_t split(Offset offset) {
    const std::size_t i = find(offset);
    if (runs_[i].first == offset) return i;
    runs_.insert(runs_.begin() + static_cast<std::ptrdiff_t>(i) + 1, Run{offset, runs_[i].count});
    return i + 1;
  }

  template <class Visit>
  void add_anywhere(Offset from, Offset to, Visit&& visit) {
    const std::size_t begin = split(from);
    const std::size_t end = split(to);
    for (std::size_t i = begin; i < end; ++i) {
      visit(runs_[i].first, runs_[i + 1].first, runs_[i].count);
      ++runs_[i].count;
    }
    merge_equal(begin, end);
  }

  /// Only the borders of the range just counted can have become equal.
  void merge_equal(std::size_t begin, std::size_t end) {
    for (const std::size_t border : {end, begin}) {
      if (border > 0 && runs_[border].count == runs_[border - 1].count) {
        runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(border));
      }
    }
  }

  std::vector<Run> runs_{{std::numeric_limits<Offset>::min(), 0}};  // the last run never ends; its count is 0
};

}  // namespace models
