// What a Metadata response says of partitions. A broker makes it once and gives it to all that ask until it hears of something
// new, and clients that know nothing newer keep it as their own view: with a thousand clients of thousands of partitions
// nearly all look at the same few.
#pragma once

#include <cstdint>
#include <vector>

#include "models/ids.hpp"
#include "models/kafka/types.hpp"

namespace models::kafka {

struct PartitionLeader {
  BrokerId leader = kNoBroker;
  LeaderEpoch epoch = kNoEpoch;
};

struct ClusterView {
  std::vector<PartitionLeader> leaders;  ///< by PartitionIndex; as default where the response names none
  std::vector<std::int32_t> partitions;  ///< by TopicIndex: how many there are
  std::uint32_t named = 0;               ///< partitions that the response names
};

}  // namespace models::kafka
