#include "models/kafka/consumer/work.hpp"

#include <algorithm>

#include "sim/assert.hpp"

namespace models::kafka {

void Work::clear() {
  ranges_.clear();
  finish_.clear();
  size_ = 0;
  step_ = 0;
  slowness_ = 1;
  from_ = turn_ = 0;
}

std::int64_t Work::reached(std::int64_t drawn) const {
  const double after = slowness_ * static_cast<double>(drawn - from_);
  const double most = static_cast<double>(kLongest - turn_);
  // Before the turn nothing is asked but where the record before ended, at the turn itself.
  const double ns = after < most ? after : most;
  return turn_ + static_cast<std::int64_t>(ns < 0 ? ns - 0.5 : ns + 0.5);
}

void Work::stretch(std::int64_t elapsed, double slowness) {
  from_ += static_cast<std::int64_t>(static_cast<double>(elapsed - turn_) / slowness_ + 0.5);
  turn_ = elapsed;
  slowness_ = slowness;
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
  if (stretched()) {
    std::int64_t done = 0;
    for (std::int64_t end = size_; done < end;) {
      const std::int64_t middle = done + (end - done) / 2;
      finish(middle) <= elapsed ? void(done = middle + 1) : void(end = middle);
    }
    return done;
  }
  if (constant()) return step_ == 0 ? size_ : std::min(size_, elapsed / step_);
  return std::upper_bound(finish_.begin(), finish_.end(), elapsed) - finish_.begin();
}

}  // namespace models::kafka
