// A log-linear histogram of non-negative integers: nanoseconds, bytes, counts.
//
// Values below 256 have a bucket each; above, every power of two is split into 128 buckets, so that a bucket
// is at most 1/128 of its values wide and quantile() is within 1/256 of the true order statistic. Count, sum,
// minimum and maximum are exact. Everything is held in integers, so merging is exact and the order of merging
// leaves no trace. Storage is one block of counters from the lowest to the highest bucket seen; recording
// into it costs about 2 ns.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "sim/wide.hpp"

namespace sim {

class Histogram {
 public:
  static constexpr int kSubBits = 7;  // 128 buckets to a power of two

  /// Requires value >= 0 (an assertion).
  void record(std::int64_t value, std::uint64_t count = 1) {
    const std::size_t bucket = bucket_of(value);
    if (bucket - first_ >= counts_.size()) [[unlikely]]
      widen(value);
    counts_[bucket - first_] += count;
    count_ += count;
    sum_ += static_cast<WideSum>(value) * static_cast<WideSum>(count);
    // A count of 0 leaves no trace.
    if (value < min_ && count != 0) min_ = value;
    if (value > max_ && count != 0) max_ = value;
  }

  void merge(const Histogram& other);

  std::uint64_t count() const noexcept { return count_; }
  WideSum sum() const noexcept { return sum_; }
  /// Smallest and largest value; 0 when empty.
  std::int64_t min() const noexcept { return count_ == 0 ? 0 : min_; }
  std::int64_t max() const noexcept { return count_ == 0 ? 0 : max_; }
  /// 0 when empty.
  double mean() const noexcept {
    return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_);
  }

  /// The value of rank ceil(q * count) (at least 1), within 1/256; exact for q <= 0 (minimum) and q >= 1
  /// (maximum). 0 when empty.
  std::int64_t quantile(double q) const;
  /// How many values were at most `value`; those in value's own bucket all count.
  std::uint64_t count_at_most(std::int64_t value) const;

  /// Calls visit(lowest, highest, count) for each bucket in use, in ascending order; bounds are inclusive.
  template <class Visit>
  void for_each_bucket(Visit&& visit) const {
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] != 0) visit(lowest_of(first_ + i), highest_of(first_ + i), counts_[i]);
    }
  }

  /// Forgets everything and keeps the storage.
  void clear();

  /// Equal contents; how the storage came about does not matter.
  friend bool operator==(const Histogram& a, const Histogram& b);

 private:
  /// Every value has a bucket below this; what a negative one would get lies at or beyond it.
  static constexpr std::size_t kBuckets =
      (std::size_t{63 - kSubBits} << kSubBits) + (std::size_t{1} << kSubBits);

  static std::size_t bucket_of(std::int64_t value) noexcept {
    const auto v = static_cast<std::uint64_t>(value);
    const int shift = static_cast<int>(std::bit_width(v | 255U)) - (kSubBits + 1);  // 0 for values below 256
    return (static_cast<std::size_t>(shift) << kSubBits) + static_cast<std::size_t>(v >> shift);
  }
  static std::int64_t lowest_of(std::size_t bucket) noexcept;
  static std::int64_t highest_of(std::size_t bucket) noexcept;
  void widen(std::int64_t value);
  void widen_to(std::size_t low, std::size_t high);

  std::vector<std::uint64_t> counts_;
  std::size_t first_ = 0;  // bucket of counts_[0]
  std::uint64_t count_ = 0;
  WideSum sum_ = 0;
  std::int64_t min_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t max_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace sim
