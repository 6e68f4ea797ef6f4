// What a group coordinator needs of the broker it lives in.
#pragma once

#include <cstdint>

#include "models/context.hpp"
#include "models/kafka/config.hpp"
#include "models/kafka/rpc.hpp"
#include "models/kafka/types.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class Cluster;

class CoordinatorHost {
 public:
  virtual ~CoordinatorHost() = default;

  virtual Context& context() = 0;
  virtual Cluster& cluster() = 0;
  virtual Node& node() = 0;
  virtual const BrokerConfig& config() = 0;

  /// Appends `records` records to a partition of __consumer_offsets as its leader. GroupCoordinator::appended(token, error)
  /// runs once the high watermark has passed them (acks=all), or with an error when leadership is lost or the in-sync
  /// replicas are too few; never inside this call. Returns the offset after the last record, or kNoOffset when the broker
  /// does not lead the partition or refuses the append (appended() then does not run).
  virtual Offset append(PartitionIndex partition, std::int32_t records, std::int32_t bytes, std::uint64_t token) = 0;

  /// Sends the response.
  virtual void answer(AnyCall call) = 0;
};

}  // namespace models::kafka
