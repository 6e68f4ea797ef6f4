#include "models/kafka/consumer/window_counts.hpp"

#include <algorithm>

namespace models::kafka {
namespace {

std::int64_t milliseconds(sim::Duration duration) {
  return duration.count() / 1'000'000;
}

/// Stores.persistentWindowStore: defaultSegmentInterval.
constexpr std::int64_t kLeastSegment = 60'000;

}  // namespace

WindowStore::WindowStore(const WindowOptions& options)
    : size_(milliseconds(options.size)),
      grace_(milliseconds(options.grace)),
      retention_(milliseconds(options.retention.value_or(options.size + options.grace))),
      segment_(std::max(retention_ / 2, kLeastSegment)) {}

WindowStore::Counted WindowStore::count(std::uint32_t key, sim::Time timestamp) {
  // A clock that is behind does not say a time before the run.
  const std::int64_t at = std::max<std::int64_t>(0, milliseconds(timestamp.time_since_epoch()));
  stream_time_ = std::max(stream_time_, at);
  Counted counted;
  counted.window = at / size_ * size_;
  counted.dropped = counted.window + size_ <= stream_time_ - grace_;
  if (counted.dropped) return counted;
  counted.count = find(key, counted.window) + 1;
  counted.dropped = !put(key, counted.window, counted.count);
  return counted;
}

std::int64_t WindowStore::find(std::uint32_t key, std::int64_t window) const {
  if (window < stored_time_ - retention_ + 1) return 0;
  const auto found = counts_.find({window, key});
  return found == counts_.end() ? 0 : found->second;
}

/// Segments.getOrCreateSegmentIfLive
bool WindowStore::put(std::uint32_t key, std::int64_t window, std::int64_t count) {
  stored_time_ = std::max(stored_time_, window);
  const std::int64_t oldest = std::max<std::int64_t>(0, stored_time_ - retention_) / segment_ * segment_;
  if (window < oldest) return false;
  counts_[{window, key}] = count;
  counts_.erase(counts_.begin(), counts_.lower_bound({oldest, 0}));
  return true;
}

}  // namespace models::kafka
