#include "models/kafka/broker/survivors.hpp"

#include <algorithm>

#include "sim/assert.hpp"

namespace models::kafka {

std::size_t Survivors::find(Offset offset) const {
  const auto at = std::partition_point(runs_.begin(), runs_.end(),
                                       [offset](const Surviving& run) { return run.to <= offset; });
  return static_cast<std::size_t>(at - runs_.begin());
}

void Survivors::add(const Surviving& run) {
  MQLAB_ASSERT(run.from >= end_ && run.from < run.to, "what survives is added in order of offsets");
  sums_.push_back(bytes_before(runs_.size()) + run.bytes);
  runs_.push_back(run);
  end_ = run.to;
}

void Survivors::truncate(Offset end) {
  if (end >= end_) return;
  while (!runs_.empty() && runs_.back().from >= end) {
    runs_.pop_back();
    sums_.pop_back();
  }
  if (!runs_.empty()) runs_.back().to = std::min(runs_.back().to, end);
  end_ = end;
}

void Survivors::raise_start(Offset start) {
  const std::size_t n = find(start);
  dropped_ = bytes_before(n);
  runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(n));
  sums_.erase(sums_.begin(), sums_.begin() + static_cast<std::ptrdiff_t>(n));
  if (!runs_.empty()) runs_.front().from = std::max(runs_.front().from, start);
  end_ = std::max(end_, start);
}

}  // namespace models::kafka
