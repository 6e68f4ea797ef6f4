#include "models/kafka/producer/partitioner.hpp"

#include <algorithm>

#include "models/kafka/producer/crc32.hpp"
#include "models/kafka/producer/murmur2.hpp"
#include "sim/assert.hpp"

namespace models::kafka {

KeyHash key_hash(const ProducerConfig& config) {
  const bool by_crc32 = config.partitioner_class == Partitioner::consistent ||
                        config.partitioner_class == Partitioner::consistent_random;
  return by_crc32 ? KeyHash::crc32 : KeyHash::murmur2;
}

KeyPartitions::KeyPartitions(const KeyOptions& keys, std::uint32_t partitions, KeyHash by)
    : key_(keys.prefix), prefix_(keys.prefix.size()), partitions_(partitions), by_(by) {
  MQLAB_ASSERT(partitions > 0, "a topic has partitions");
  if (keys.count <= kKeptMost && partitions < kUnknown) known_.assign(keys.count, kUnknown);
}

KeyPartitions KeyPartitions::over(std::uint32_t partitions) const {
  KeyPartitions other = *this;
  other.partitions_ = partitions;
  std::fill(other.known_.begin(), other.known_.end(), kUnknown);
  return other;
}

std::uint32_t KeyPartitions::hash(std::uint32_t rank) {
  key_.resize(prefix_);
  key_ += std::to_string(rank);
  const std::uint32_t partition =
      by_ == KeyHash::crc32 ? crc32(key_) % partitions_ : partition_for_key(key_, partitions_);
  if (rank < known_.size()) known_[rank] = static_cast<std::uint16_t>(partition);
  return partition;
}

bool weigh(std::span<PartitionLoad> loads, std::size_t partitions) {
  // With fewer than two partitions there is no choice; with all queues alike and none left out the choice is
  // uniform.
  if (loads.empty() || partitions < 2) return false;
  const auto [least, most] =
      std::minmax_element(loads.begin(), loads.end(),
                          [](const PartitionLoad& a, const PartitionLoad& b) { return a.queued < b.queued; });
  if (least->queued == most->queued && loads.size() == partitions) return false;
  const std::uint32_t above = most->queued + 1;
  std::uint32_t sum = 0;
  for (PartitionLoad& load : loads) load.cumulative = sum += above - load.queued;
  return true;
}

void StickyPartitioner::pick(std::span<const std::uint32_t> candidates) {
  move_to(candidates[draws_.uniform_int(candidates.size())]);
}

void StickyPartitioner::pick(std::span<const PartitionLoad> loads) {
  const auto at = static_cast<std::uint32_t>(draws_.uniform_int(loads.back().cumulative));
  const auto found =
      std::upper_bound(loads.begin(), loads.end(), at,
                       [](std::uint32_t n, const PartitionLoad& load) { return n < load.cumulative; });
  move_to(found->partition);
}

}  // namespace models::kafka
