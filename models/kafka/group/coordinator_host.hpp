// What a group coordinator needs of the broker it lives in.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "models/context.hpp"
#include "models/kafka/config.hpp"
#include "models/kafka/group/assignor.hpp"
#include "models/kafka/protocol_rules.hpp"
#include "models/kafka/rpc.hpp"
#include "models/kafka/types.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class OffsetsStore;

class CoordinatorHost {
 public:
  virtual ~CoordinatorHost() = default;

  virtual Context& context() = 0;
  virtual Node& node() = 0;
  /// By its machine's clock (Time.milliseconds): what it stamps, and judges the age of, is as wrong as that. Timers, and the
  /// sessions of members and brokers, go by the monotonic one (SystemTimer: hiResClockMs; BrokerHeartbeatManager: nanoseconds).
  /// Model: quotas are measured by the true time.
  sim::Time wall_clock() { return context().now() + node().clock_ahead(); }
  virtual const BrokerConfig& config() = 0;
  virtual bool has(Rule) const { return true; }
  /// One for the whole cluster; made with keep_history where unclean.leader.election.enable is true.
  virtual OffsetsStore& offsets_store() = 0;

  /// The partition of __consumer_offsets that keeps this group (Cluster::offsets_partition).
  virtual PartitionIndex offsets_partition(std::string_view group) = 0;
  /// Who leads it as far as this broker knows; kNoBroker when nobody does.
  virtual BrokerId leader(PartitionIndex partition) = 0;
  /// The partition in trace records.
  virtual EntityId entity(PartitionIndex partition) = 0;

  /// Appends `records` records to a partition of __consumer_offsets as its leader.
  /// GroupCoordinator::appended(token, error) runs once the high watermark has passed them (acks=all), or
  /// with an error when leadership is lost or the in-sync replicas are too few; never inside this call.
  /// Returns the offset after the last record, or kNoOffset when the broker does not lead the partition or
  /// refuses the append (appended() then does not run).
  virtual Offset append(PartitionIndex partition, std::int32_t records, std::int32_t bytes,
                        std::uint64_t token) = 0;
  /// The same, after what has been gathered before and not together with it (transactional records).
  virtual Offset append_at_once(PartitionIndex partition, std::int32_t records, std::int32_t bytes,
                                std::uint64_t token) {
    return append(partition, records, bytes, token);
  }

  /// The topics of those numbers as assignors see them, in order of their names.
  virtual std::vector<AssignorTopic> assignor_topics(std::span<const TopicIndex> wanted) = 0;
  /// What the share group has set for itself, or null.
  virtual const ShareGroupConfig* share_group(std::string_view) { return nullptr; }
  /// One of a call's markers has been settled: the last one answers it.
  virtual void marker_settled(Ref<WriteTxnMarkersCall> call) = 0;
  /// Another one whenever assignor_topics() may give something else.
  virtual std::size_t metadata_version() = 0;

  /// Sends the response.
  virtual void answer(AnyCall call) = 0;
};

}  // namespace models::kafka
