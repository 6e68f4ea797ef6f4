#include "models/kafka/broker/gathered_appends.hpp"

#include <algorithm>
#include <utility>

namespace models::kafka {

Offset GatheredAppends::add(PartitionIndex partition, Offset log_end, sim::Time due, std::int32_t records,
                            std::int32_t bytes, std::uint64_t token) {
  auto at = std::find_if(batches_.begin(), batches_.end(),
                         [partition](const Batch& batch) { return batch.partition == partition; });
  if (at == batches_.end())
    at = batches_.insert(at, {.partition = partition, .due = due, .end = log_end, .parts = {}});
  at->end += records;
  at->records += records;
  at->bytes += bytes;
  at->parts.push_back({at->end, token});
  return at->end;
}

std::optional<sim::Time> GatheredAppends::next_due() const {
  const auto first = std::min_element(batches_.begin(), batches_.end(),
                                      [](const Batch& a, const Batch& b) { return a.due < b.due; });
  if (first == batches_.end()) return std::nullopt;
  return first->due;
}

std::optional<GatheredAppends::Batch> GatheredAppends::take_due(sim::Time now) {
  const auto at =
      std::find_if(batches_.begin(), batches_.end(), [now](const Batch& batch) { return batch.due <= now; });
  if (at == batches_.end()) return std::nullopt;
  return take(at->partition);
}

std::optional<GatheredAppends::Batch> GatheredAppends::take(PartitionIndex partition) {
  const auto at = std::find_if(batches_.begin(), batches_.end(),
                               [partition](const Batch& batch) { return batch.partition == partition; });
  if (at == batches_.end()) return std::nullopt;
  Batch taken = std::move(*at);
  batches_.erase(at);
  return taken;
}

}  // namespace models::kafka
