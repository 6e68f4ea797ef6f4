#include "models/kafka/consumer/work.hpp"

#include <algorithm>

#include "sim/assert.hpp"

namespace models::kafka {

void Work::clear() {
  ranges_.clear();
  finish_.clear();
  size_ = 0;
  step_ = 0;
}

Offset Work::lowest(PartitionIndex partition, Offset otherwise) const {
  for (const Range& range : ranges_) {
    if (range.partition == partition && range.from < otherwise) otherwise = range.from;
  }
  return otherwise;
}

void Work::add(PartitionIndex partition, Offset from, Offset to, LeaderEpoch epoch) {
  MQLAB_ASSERT(from < to, "a poll hands out at least one record of a partition");
  ranges_.push_back({partition, from, to, epoch, size_});
  size_ += to - from;
}

void Work::take_constant(sim::Duration step) {
  const std::int64_t most = size_ > 0 ? kLongest / size_ : kLongest;
  step_ = std::min(step.count(), most);
}

std::int64_t Work::finished_within(std::int64_t elapsed) const {
  if (elapsed < 0) return 0;
  if (constant()) return step_ == 0 ? size_ : std::min(size_, elapsed / step_);
  return std::upper_bound(finish_.begin(), finish_.end(), elapsed) - finish_.begin();
}

}  // namespace models::kafka
