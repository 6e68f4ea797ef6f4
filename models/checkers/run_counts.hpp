// How often each number of a dense sequence was seen, as run-length counts.
//
// What is finished in order costs nothing: [0, n) seen once is one run, however large n, and a re-read later
// still counts exactly because counts are never forgotten, only merged. Adding at the end is O(1) and inline;
// adding elsewhere costs the number of runs behind the place, which is small because disorder lives near the
// end.
//
// Ranges are half-open and counted from 0. Adding an empty range is a mistake and asserts.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/assert.hpp"

namespace models {

class RunCounts {
 public:
  struct Run {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
    std::uint32_t count = 0;
  };

  /// Counts each of [first, first + n) once more. `each(first, n, before)` is called for every run of equal
  /// earlier count, in order, before the change.
  template <class Each>
  void add(std::uint64_t first, std::uint64_t n, Each&& each) {
    MQLAB_ASSERT(n > 0, "a range that is counted is not empty");
    if (first >= tail_.end) {
      if (first > tail_.end) open_tail(first);
      tail_.end += n;
      each(first, n, std::uint32_t{0});
      return;
    }
    visit(first, n, each);
    raise(first, first + n);
  }
  void add(std::uint64_t first, std::uint64_t n) {
    add(first, n, [](std::uint64_t, std::uint64_t, std::uint32_t) {});
  }

  /// Calls `each(first, n, count)` for the runs of equal count that make up [first, first + n), zeros
  /// included.
  template <class Each>
  void visit(std::uint64_t first, std::uint64_t n, Each&& each) const {
    const std::uint64_t end = first + n;
    std::size_t i = first >= tail_.first ? runs_.size() : run_behind(first);
    while (first < end) {
      const Run& run = i < runs_.size() ? runs_[i] : tail_;
      std::uint64_t until = end;
      std::uint32_t count = 0;
      if (first < run.first) {
        until = std::min(end, run.first);
      } else if (first < run.end) {
        until = std::min(end, run.end);
        count = run.count;
      }
      each(first, until - first, count);
      first = until;
      if (i < runs_.size() && first >= run.end) ++i;
    }
  }

  std::uint32_t at(std::uint64_t number) const {
    std::uint32_t found = 0;
    visit(number, 1, [&](std::uint64_t, std::uint64_t, std::uint32_t count) { found = count; });
    return found;
  }

  /// The highest count in [first, first + n).
  std::uint32_t most(std::uint64_t first, std::uint64_t n) const {
    std::uint32_t found = 0;
    visit(first, n,
          [&](std::uint64_t, std::uint64_t, std::uint32_t count) { found = std::max(found, count); });
    return found;
  }

  /// Forgets everything from `first` on.
  void erase_from(std::uint64_t first);

  bool empty() const { return tail_.end == tail_.first && runs_.empty(); }
  /// One past the highest number ever counted (and not erased).
  std::uint64_t end() const { return tail_.end; }
  /// Runs held in memory; what a test of the memory price looks at.
  std::size_t runs() const { return runs_.size() + 1; }

  /// Reads counts at rising places, cheaper than a search for each.
  class Reader {
   public:
    explicit Reader(const RunCounts& counts) : counts_(&counts) {}
    struct Step {
      std::uint32_t count;
      std::uint64_t until;  ///< the count holds up to here
    };
    Step at(std::uint64_t number);

   private:
    const RunCounts* counts_;
    std::size_t next_ = 0;
  };

 private:
  /// Index of the first run that ends behind `number`.
  std::size_t run_behind(std::uint64_t number) const;
  void open_tail(std::uint64_t first);
  void raise(std::uint64_t first, std::uint64_t end);
  void reopen_tail();

  std::vector<Run> runs_;  ///< disjoint, rising, counts above 0; neighbours of equal count are merged
  Run tail_{0, 0, 1};      ///< the last run when its count is 1, else empty at the end of the last
};

/// Calls `each(first, n, counts)` for the maximal runs in [0, end) over which all of `sequences` keep their
/// counts.
template <std::size_t K, class Each>
void visit_jointly(const std::array<const RunCounts*, K>& sequences, std::uint64_t end, Each&& each) {
  std::vector<RunCounts::Reader> readers;
  readers.reserve(K);
  for (const RunCounts* sequence : sequences) readers.emplace_back(*sequence);
  std::array<std::uint32_t, K> counts{};
  for (std::uint64_t place = 0; place < end;) {
    std::uint64_t until = end;
    for (std::size_t k = 0; k < K; ++k) {
      const RunCounts::Reader::Step step = readers[k].at(place);
      counts[k] = step.count;
      until = std::min(until, step.until);
    }
    each(place, until - place, counts);
    place = until;
  }
}

}  // namespace models
