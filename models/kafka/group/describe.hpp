// What `kafka-consumer-groups --describe --group G` would show at this moment: the committed offset, the log end offset and
// the lag of each partition, and who reads it. For people who look at a run; a look changes nothing.
//
// As the tool sees it: members have the partitions that they were given last, also while the group rebalances, until the
// coordinator takes them back (GroupMetadataManager.describeGroups, ClassicGroupMember.describeNoMetadata); the log end
// offset is the high watermark, the offset that ListOffsets gives (ConsumerGroupCommand.collectGroupsOffsets).
//
// Model: the tool's requests take no time and do not fail; a broker is asked that the controller holds to be the
// leader, and what the tool would ask for again shows as absent.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/kafka/cluster.hpp"

namespace models::kafka {

class Broker;
class Group;

struct GroupDescription {
  struct Row {
    std::string topic;
    std::int32_t partition = 0;
    std::optional<Offset> current_offset;  ///< nothing committed: none
    std::optional<Offset> log_end_offset;  ///< none: see log_end_offset()
    std::string consumer_id;               ///< empty: nobody's
    std::string host;
    std::string client_id;

    /// Of a share group: of the records from its start offset on, those not done.
    std::optional<Offset> in_start_lag{};

    /// Below 0 when more was committed than the log holds, as after an unclean election: the tool subtracts and prints
    /// (ConsumerGroupCommand.getLag).
    std::optional<Offset> lag() const {
      if (in_start_lag) return in_start_lag;
      if (!current_offset || !log_end_offset) return std::nullopt;
      return *log_end_offset - *current_offset;
    }
  };
  std::string group;
  bool share = false;                  ///< a share group: current_offset is its start offset
  bool coordinator_available = false;  ///< else the rest is empty
  std::string state;  ///< "Stable", …; "Dead" for a group that the coordinator does not know
  /// Of members, those with most partitions first; then committed partitions of nobody.
  std::vector<Row> rows;
};

/// Who leads the partition, as the controller has it, or nullptr when nobody does or that broker is down.
Broker* leader_of(Cluster& cluster, PartitionIndex p);

/// What ListOffsets answers for "latest"; nothing without a leader that is up, and none while that cannot say yet.
std::optional<Offset> log_end_offset(Cluster& cluster, PartitionIndex p);

/// The group as the coordinator has it that the controller holds to be the group's; nullptr when that is away or knows none.
const Group* find_group(Cluster& cluster, std::string_view group);

/// Of a share group what `kafka-share-groups --describe --group G` shows: the start offsets that share coordinators have stored,
/// and as lag the records from there to the end that are not done (KIP-1226).
GroupDescription describe_group(Cluster& cluster, std::string_view group);

/// The tool's table and its warnings, as it prints them.
std::string as_table(const GroupDescription& description);

}  // namespace models::kafka
