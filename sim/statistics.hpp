// Small accumulators: a counter, a time-weighted average, and mean with variance.
//
// Counter and TimeAverage are exact integers. MeanVariance works on doubles: its result depends on the order
// of the values in the last bits, so feed it in a fixed order (by trial number, never by completion).
#pragma once

#include <cstdint>

#include "sim/histogram.hpp"
#include "sim/time.hpp"

namespace sim {

class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_ += n; }
  std::uint64_t value() const noexcept { return value_; }
  void merge(const Counter& other) noexcept { value_ += other.value_; }
  /// Events per second over `span`; 0 for an empty span.
  double rate(Duration span) const noexcept {
    return span.count() <= 0 ? 0.0 : static_cast<double>(value_) / seconds(span);
  }

 private:
  std::uint64_t value_ = 0;
};

/// The average over time of a level that jumps: queue length, busy servers. The integral (level x ns) is an
/// exact integer.
class TimeAverage {
 public:
  explicit TimeAverage(Time start = Time{}, std::int64_t level = 0) noexcept
      : start_(start), last_(start), level_(level), min_(level), max_(level) {}

  /// The level is `level` from `now` on. Times must not decrease (an assertion).
  void set(Time now, std::int64_t level);
  void add(Time now, std::int64_t change) { set(now, level_ + change); }
  /// Forgets what was before `now` (the end of a warm-up); the level stays.
  void restart(Time now);

  std::int64_t level() const noexcept { return level_; }
  /// Lowest and highest level since the start.
  std::int64_t min() const noexcept { return min_; }
  std::int64_t max() const noexcept { return max_; }
  /// Level x nanoseconds from the start to `until`, which must not lie before the last change.
  WideSum integral(Time until) const;
  /// The integral over the time; the level itself when no time has passed.
  double mean(Time until) const;

 private:
  Time start_;
  Time last_;
  std::int64_t level_;
  std::int64_t min_;
  std::int64_t max_;
  WideSum integral_ = 0;
};

/// Mean and variance of a sequence, in one pass (Welford).
class MeanVariance {
 public:
  void add(double x) noexcept;

  std::uint64_t count() const noexcept { return count_; }
  double mean() const noexcept { return mean_; }
  /// Of the sample, by n - 1; 0 for fewer than two values.
  double variance() const noexcept { return count_ < 2 ? 0.0 : squares_ / static_cast<double>(count_ - 1); }
  double standard_deviation() const noexcept;
  double min() const noexcept { return min_; }
  double max() const noexcept { return max_; }

 private:
  std::uint64_t count_ = 0;
  double mean_ = 0;
  double squares_ = 0;
  double min_ = 0;
  double max_ = 0;
};

}  // namespace sim
