#include "models/kafka/consumer/poison.hpp"

namespace models::kafka {

PoisonedRecords::PoisonedRecords(std::uint64_t seed, const GroupOptions& group)
    : options_(group.poison.value_or(PoisonOptions{})), key_(sim::stream_key(seed, "poison/" + group.name)) {}

Offset PoisonedRecords::first(PartitionIndex partition, Offset from, Offset to) const {
  for (Offset at = from; at < to; ++at) {
    sim::Stream draw = sim::Stream::keyed(key_, partition.value, static_cast<std::uint64_t>(at));
    if (draw.uniform() >= options_.share) continue;
    const auto known = failures_.find({partition, at});
    if (options_.failures == 0 || known == failures_.end() || known->second < options_.failures) return at;
  }
  return to;
}

void PoisonedRecords::failed(PartitionIndex partition, Offset offset) {
  if (options_.failures > 0) ++failures_[{partition, offset}];
}

}  // namespace models::kafka
