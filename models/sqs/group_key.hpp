// MessageGroupId, as SQS's FIFO queues and SNS's FIFO topics know it.
#pragma once

#include <cstdint>
#include <string_view>

#include "models/sqs/flat_map.hpp"

namespace models::sqs {

/// MessageGroupId, as a number: a key, or what stands for a text. The same of SNS's messages and of SQS's: what a topic delivers
/// to a queue is in one group with what is sent to that with the same MessageGroupId.
struct GroupKey {
  std::uint64_t id = 0;
  bool operator==(const GroupKey&) const = default;
  std::uint64_t hash() const { return mixed(id); }
};

/// What a text is as a number; keys, which have 32 bits, are below.
constexpr GroupKey group_of(std::string_view text) {
  constexpr std::uint64_t kText = 1ULL << 63;
  std::uint64_t h = 0xcbf29ce484222325ULL;  // FNV-1a
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return {h | kText};
}

}  // namespace models::sqs
