// What `kafka-consumer-groups --describe --group G` would show at this moment: the committed offset, the log end offset and
// the lag of each partition, and who reads it. For people who look at a run; a look changes nothing.
//
// As the tool sees it: members and their partitions are those of a Stable group, since the coordinator describes members
// without their partitions while a rebalance is under way; the log end offset is the high watermark, the offset that
// ListOffsets gives (ConsumerGroupCommand.collectGroupsOffsets, ClassicGroup.asDescribedGroup).
//
// Model: the tool's requests take no time and do not fail; a broker is asked that the controller holds to be the leader.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/kafka/group/committed_offsets.hpp"

namespace models::kafka {

struct GroupDescription {
  struct Row {
    std::string topic;
    std::int32_t partition = 0;
    std::optional<Offset> current_offset;  ///< nothing committed: none
    std::optional<Offset> log_end_offset;  ///< without a leader: none
    std::string consumer_id;               ///< empty: nobody's
    std::string host;
    std::string client_id;

    std::optional<Offset> lag() const {
      if (!current_offset || !log_end_offset) return std::nullopt;
      return *log_end_offset - *current_offset;
    }
  };
  std::string group;
  bool coordinator_available = false;  ///< else the rest is empty
  std::string state;  ///< "Stable", …; "Dead" for a group that the coordinator does not know
  std::vector<Row>
      rows;  ///< of members, those with most partitions first; then committed partitions of nobody
};

/// What ListOffsets answers for "latest"; without a leader that is up, nothing.
std::optional<Offset> log_end_offset(Cluster& cluster, PartitionIndex p);

/// What a group has committed, as its coordinator has it.
struct GroupOffsets {
  bool exists = false;  ///< the coordinator is up and knows the group
  std::size_t members = 0;
  CommittedOffsets offsets;
};
GroupOffsets group_offsets(Cluster& cluster, std::string_view group);

GroupDescription describe_group(Cluster& cluster, std::string_view group);

/// The tool's table and its warnings, as it prints them.
std::string as_table(const GroupDescription& description);

}  // namespace models::kafka
