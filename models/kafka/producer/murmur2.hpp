// The hash by which Kafka's clients place keys: MurmurHash2, 32 bits, in Kafka's variant (Utils.murmur2 in
// clients/src/main/java/org/apache/kafka/common/utils/Utils.java: seed 0x9747b28c, little-endian words).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace models::kafka {

/// Java's int is the same 32 bits with a sign.
constexpr std::uint32_t murmur2(std::string_view bytes) noexcept {
  constexpr std::uint32_t kSeed = 0x9747b28c;
  constexpr std::uint32_t kMultiplier = 0x5bd1e995;
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
  };
  const std::size_t length = bytes.size();
  std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(length);
  std::size_t i = 0;
  for (; i + 4 <= length; i += 4) {
    std::uint32_t word = byte(i) | byte(i + 1) << 8 | byte(i + 2) << 16 | byte(i + 3) << 24;
    word *= kMultiplier;
    word ^= word >> 24;
    word *= kMultiplier;
    hash = (hash * kMultiplier) ^ word;
  }
  if (const std::size_t rest = length - i; rest > 0) {
    if (rest > 2) hash ^= byte(i + 2) << 16;
    if (rest > 1) hash ^= byte(i + 1) << 8;
    hash ^= byte(i);
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return hash;
}

/// BuiltInPartitioner.partitionForKey. Requires partitions > 0.
constexpr std::uint32_t partition_for_key(std::string_view key, std::uint32_t partitions) noexcept {
  return (murmur2(key) & 0x7fffffffu) % partitions;
}

}  // namespace models::kafka
