#include "sim/histogram.hpp"

#include <algorithm>

#include "sim/assert.hpp"

namespace sim {

std::int64_t Histogram::lowest_of(std::size_t bucket) noexcept {
  constexpr std::size_t kExact = std::size_t{2} << kSubBits;
  if (bucket < kExact) return static_cast<std::int64_t>(bucket);
  const std::size_t shift = (bucket >> kSubBits) - 1;
  return static_cast<std::int64_t>((bucket - (shift << kSubBits)) << shift);
}

std::int64_t Histogram::highest_of(std::size_t bucket) noexcept {
  constexpr std::size_t kExact = std::size_t{2} << kSubBits;
  const std::size_t shift = bucket < kExact ? 0 : (bucket >> kSubBits) - 1;
  // Unsigned: the highest bucket ends at the largest value there is.
  const std::uint64_t width = std::uint64_t{1} << shift;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(lowest_of(bucket)) + (width - 1));
}

void Histogram::widen(std::int64_t value) {
  MQLAB_ASSERT(value >= 0, "a histogram takes no negative values");
  const std::size_t bucket = bucket_of(value);
  widen_to(bucket, bucket);
}

void Histogram::widen_to(std::size_t low, std::size_t high) {
  // Half an octave of room on both sides, so that a distribution settles after a few calls.
  constexpr std::size_t kRoom = std::size_t{1} << (kSubBits - 1);
  if (counts_.empty()) {
    first_ = low > kRoom ? low - kRoom : 0;
    counts_.resize(std::min(high + kRoom, kBuckets) - first_);
    return;
  }
  if (low < first_) {
    const std::size_t new_first = low > kRoom ? low - kRoom : 0;
    counts_.insert(counts_.begin(), first_ - new_first, 0);
    first_ = new_first;
  }
  if (high >= first_ + counts_.size()) counts_.resize(std::min(high + kRoom, kBuckets) - first_);
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ == 0) return;
  widen_to(bucket_of(other.min_), bucket_of(other.max_));
  const std::size_t used = bucket_of(other.max_) - other.first_ + 1;
  for (std::size_t i = bucket_of(other.min_) - other.first_; i < used; ++i) {
    counts_[other.first_ + i - first_] += other.counts_[i];
  }
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

std::int64_t Histogram::quantile(double q) const {
  if (count_ == 0) return 0;
  if (!(q > 0.0)) return min_;
  if (q >= 1.0) return max_;
  const double exact = q * static_cast<double>(count_);
  auto rank = static_cast<std::uint64_t>(exact);
  if (static_cast<double>(rank) < exact || rank == 0) ++rank;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen < rank) continue;
    const std::int64_t low = lowest_of(first_ + i);
    const std::int64_t middle = low + (highest_of(first_ + i) - low) / 2;
    return std::clamp(middle, min_, max_);
  }
  return max_;
}

std::uint64_t Histogram::count_at_most(std::int64_t value) const {
  if (count_ == 0 || value < min_) return 0;
  const std::size_t last = bucket_of(value);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size() && first_ + i <= last; ++i) seen += counts_[i];
  return seen;
}

void Histogram::clear() {
  std::fill(counts_.begin(), counts_.end(), 0);
  count_ = 0;
  sum_ = 0;
  min_ = std::numeric_limits<std::int64_t>::max();
  max_ = std::numeric_limits<std::int64_t>::min();
}

bool operator==(const Histogram& a, const Histogram& b) {
  if (a.count_ != b.count_ || a.sum_ != b.sum_) return false;
  if (a.count_ == 0) return true;
  if (a.min_ != b.min_ || a.max_ != b.max_) return false;
  const std::size_t low = Histogram::bucket_of(a.min_);
  const std::size_t high = Histogram::bucket_of(a.max_);
  for (std::size_t bucket = low; bucket <= high; ++bucket) {
    if (a.counts_[bucket - a.first_] != b.counts_[bucket - b.first_]) return false;
  }
  return true;
}

}  // namespace sim
