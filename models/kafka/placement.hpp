// Which brokers keep the replicas of a new partition: racks in turn, and the brokers of a rack in turn
// (StripedReplicaPlacer.java). A partition's replicas are in as many racks as can be; without racks its leaders go round the
// brokers, and its followers are the next ones.
//
// Model: Kafka begins at a random rack and broker, and shuffles both when it has gone round; here the first comes first, and
// every round is like the one before.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/kafka/types.hpp"

namespace models::kafka {

/// "{rack}" in `pattern` replaced.
std::string with_rack(std::string_view pattern, std::string_view rack);

class StripedPlacer {
 public:
  /// The rack of each broker, numbered in order of their names; -1: none.
  explicit StripedPlacer(const std::vector<std::int32_t>& rack_of);
  /// Replicas of the next partition, preferred leader first. Requires 1 <= count <= brokers.
  std::vector<BrokerId> place(std::int32_t count);

 private:
  struct Rack {
    std::vector<BrokerId> brokers;
    std::size_t index = 0;
    std::size_t offset = 0;
    std::uint64_t epoch = 0;
    /// kNoBroker when each has been given in this epoch.
    BrokerId next(std::uint64_t now);
  };
  std::vector<Rack> racks_;
  std::uint64_t epoch_ = 0;
  std::size_t offset_ = 0;
};

}  // namespace models::kafka
