#include "sim/statistics.hpp"

#include <algorithm>
#include <cmath>  // sqrt only

#include "sim/assert.hpp"

namespace sim {

void TimeAverage::set(Time now, std::int64_t level) {
  integral_ = integral(now);
  last_ = now;
  level_ = level;
  min_ = std::min(min_, level);
  max_ = std::max(max_, level);
}

void TimeAverage::restart(Time now) {
  MQLAB_ASSERT(now >= last_, "time does not go back");
  *this = TimeAverage(now, level_);
}

WideSum TimeAverage::integral(Time until) const {
  MQLAB_ASSERT(until >= last_, "time does not go back");
  return integral_ + static_cast<WideSum>(level_) * (until - last_).count();
}

double TimeAverage::mean(Time until) const {
  const WideSum total = integral(until);
  if (until == start_) return static_cast<double>(level_);
  return static_cast<double>(total) / static_cast<double>((until - start_).count());
}

void MeanVariance::add(double x) noexcept {
  if (count_ == 0 || x < min_) min_ = x;
  if (count_ == 0 || x > max_) max_ = x;
  ++count_;
  const double before = x - mean_;
  mean_ += before / static_cast<double>(count_);
  squares_ += before * (x - mean_);
}

double MeanVariance::standard_deviation() const noexcept {
  return std::sqrt(variance());
}

}  // namespace sim
