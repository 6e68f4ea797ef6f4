#include "models/kafka/group/describe.hpp"

#include <algorithm>

#include "models/kafka/broker/broker.hpp"
#include "models/kafka/broker/controller.hpp"
#include "models/kafka/group/group_coordinator.hpp"
#include "models/kafka/group/modern_group.hpp"
#include "models/kafka/share/share_coordinator.hpp"

namespace models::kafka {
namespace {

using Row = GroupDescription::Row;

/// The broker that coordinates the group.
Broker* coordinator_of(Cluster& cluster, std::string_view group) {
  return leader_of(cluster, cluster.offsets_partition(group));
}

Row row_of(Cluster& cluster, const Group& group, PartitionIndex p) {
  Row row;
  row.topic = cluster.topic_of(p).name;
  row.partition = cluster.partition(p).number;
  if (const CommittedOffset* committed = group.offsets.find(p)) row.current_offset = committed->offset;
  row.log_end_offset = log_end_offset(cluster, p);
  return row;
}

void add_sorted(std::vector<Row>& rows, std::vector<Row> more) {
  std::sort(more.begin(), more.end(), [](const Row& a, const Row& b) {
    return a.topic != b.topic ? a.topic < b.topic : a.partition < b.partition;
  });
  rows.insert(rows.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// A member of either protocol, as far as the tool shows it.
struct ShownMember {
  std::string id, instance_id;
  std::string_view client_id;
  EntityId entity{};
  std::vector<PartitionIndex> assignment;
};

/// ConsumerConfig.maybeOverrideClientId, one consumer a process; others' clients say who they are.
std::string client_id(const Group& group, const ShownMember& member) {
  if (!member.client_id.empty()) return std::string(member.client_id);
  return "consumer-" + group.name + "-" + (member.instance_id.empty() ? "1" : member.instance_id);
}

std::vector<ShownMember> assigned_members(const Group& group) {
  std::vector<ShownMember> members;
  for (const auto& [id, member] : group.members())
    members.push_back({id, member.instance_id, member.client_id, member.entity, member.assignment});
  if (group.modern) {
    for (const ModernMember& member : group.modern->image().members) {
      members.push_back({member.id, member.instance_id, member.client_id, member.entity, {}});
      for (const AssignedPartition& one : member.assigned) members.back().assignment.push_back(one.partition);
    }
  }
  std::erase_if(members, [](const ShownMember& member) { return member.assignment.empty(); });
  std::stable_sort(members.begin(), members.end(), [](const ShownMember& a, const ShownMember& b) {
    return a.assignment.size() > b.assignment.size();
  });
  return members;
}

std::vector<Row> rows_of(Cluster& cluster, const Group& group) {
  std::vector<Row> rows;
  std::vector<PartitionIndex> assigned;
  for (const ShownMember& member : assigned_members(group)) {
    std::vector<Row> own;
    for (const PartitionIndex p : member.assignment) {
      own.push_back(row_of(cluster, group, p));
      own.back().consumer_id = member.id;
      own.back().host = "/" + cluster.context().entities[member.entity].name;
      own.back().client_id = client_id(group, member);
    }
    assigned.insert(assigned.end(), member.assignment.begin(), member.assignment.end());
    add_sorted(rows, std::move(own));
  }
  std::vector<Row> of_nobody;
  for (const CommittedOffset& committed : group.offsets.entries()) {
    if (std::find(assigned.begin(), assigned.end(), committed.partition) == assigned.end())
      of_nobody.push_back(row_of(cluster, group, committed.partition));
  }
  add_sorted(rows, std::move(of_nobody));
  return rows;
}

/// DescribeShareGroupOffsets: every partition that the group has been given (ShareGroupCommand.java).
std::vector<Row> shared_rows(Cluster& cluster, const Group& group) {
  std::vector<Row> rows;
  if (!group.modern) return rows;
  for (std::uint32_t n = 0; n < cluster.partitions().size(); ++n) {
    const PartitionIndex p{n};
    Broker* const keeper = leader_of(cluster, cluster.share_state_partition(group.entity, p));
    const ShareGroupState* const state =
        keeper == nullptr ? nullptr : keeper->share_coordinator()->state({group.entity, p});
    if (state == nullptr) continue;
    Row row;
    row.topic = cluster.topic_of(p).name;
    row.partition = cluster.partition(p).number;
    row.log_end_offset = log_end_offset(cluster, p);
    if (state->start_offset != kNoOffset) row.current_offset = state->start_offset;
    if (row.current_offset && row.log_end_offset) {
      Offset done = 0;
      for (const ShareStateBatch& batch : state->batches)
        done += batch.state == ShareRecordState::available ? 0 : batch.end - batch.first;
      row.in_start_lag = *row.log_end_offset - *row.current_offset - done;
    }
    rows.push_back(std::move(row));
  }
  std::vector<Row> sorted;
  add_sorted(sorted, std::move(rows));
  return sorted;
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string or_dash(std::optional<Offset> number) {
  return number ? std::to_string(*number) : "-";
}

/// printf's %-WIDTHs and a space.
std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text + ' ';
}

}  // namespace

Broker* leader_of(Cluster& cluster, PartitionIndex p) {
  const BrokerId leader = cluster.metadata_log().state(p).leader;
  return leader == kNoBroker || !cluster.node(leader).up() ? nullptr : &cluster.broker(leader);
}

std::optional<Offset> log_end_offset(Cluster& cluster, PartitionIndex p) {
  const Broker* const leader = leader_of(cluster, p);
  const Replica* const replica = leader == nullptr ? nullptr : leader->replica(p);
  return replica == nullptr || !replica->leads ? std::nullopt : replica->latest_offset(false);
}

const Group* find_group(Cluster& cluster, std::string_view name) {
  Broker* const coordinator = coordinator_of(cluster, name);
  return coordinator == nullptr ? nullptr : coordinator->coordinator().group(name);
}

GroupDescription describe_group(Cluster& cluster, std::string_view name) {
  GroupDescription d;
  d.group = name;
  d.coordinator_available = coordinator_of(cluster, name) != nullptr;
  if (!d.coordinator_available) return d;
  const Group* const group = find_group(cluster, name);
  d.state = group_state_name(group == nullptr ? GroupState::dead : group->state);
  d.share = cluster.share_group(name) != nullptr;
  if (group != nullptr) d.rows = d.share ? shared_rows(cluster, *group) : rows_of(cluster, *group);
  return d;
}

namespace {

/// ShareGroupCommand.printOffsets, which does not say whether anybody is there.
std::string as_shared_table(const GroupDescription& d) {
  if (d.state == "Dead") return "\nError: Share group '" + d.group + "' does not exist.\n";
  if (d.rows.empty()) return "\nShare group '" + d.group + "' has no offset information.\n";
  std::string text;
  std::size_t topic = 15;
  for (const Row& row : d.rows) topic = std::max(topic, row.topic.size());
  const auto line = [&, group = std::max<std::size_t>(15, d.group.size())](
                        const std::string& g, const std::string& t, const std::string& p,
                        const std::string& start, const std::string& lag) {
    text += "\n" + padded(g, group) + padded(t, topic) + padded(p, 10) + padded(start, 13) + lag;
  };
  line("GROUP", "TOPIC", "PARTITION", "START-OFFSET", "LAG");
  for (const Row& row : d.rows)
    line(d.group, row.topic, std::to_string(row.partition), or_dash(row.current_offset), or_dash(row.lag()));
  return text + "\n";
}

}  // namespace

std::string as_table(const GroupDescription& d) {
  const std::string name = "group '" + d.group + "'";
  if (!d.coordinator_available)
    return "\nError: the coordinator of consumer " + name + " is not available.\n";
  if (d.share) return as_shared_table(d);
  if (d.state == "Dead") return "\nError: Consumer " + name + " does not exist.\n";
  std::string text;
  if (d.state == "Empty") text += "\nConsumer " + name + " has no active members.\n";
  if (d.state == "PreparingRebalance" || d.state == "CompletingRebalance" || d.state == "Assigning" ||
      d.state == "Reconciling")
    text += "\nWarning: Consumer " + name + " is rebalancing.\n";
  if (d.rows.empty()) return text;
  std::size_t topic = 15, id = 15, host = 15;
  for (const Row& row : d.rows) {
    topic = std::max(topic, row.topic.size());
    id = std::max(id, row.consumer_id.size());
    host = std::max(host, row.host.size());
  }
  const auto line = [&, group = std::max<std::size_t>(15, d.group.size())](
                        const std::string& g, const std::string& t, const std::string& p,
                        const std::string& current, const std::string& end, const std::string& lag,
                        const std::string& consumer, const std::string& h, const std::string& client) {
    text += "\n" + padded(g, group) + padded(t, topic) + padded(p, 10) + padded(current, 15) +
            padded(end, 15) + padded(lag, 15) + padded(consumer, id) + padded(h, host) + client;
  };
  line("GROUP", "TOPIC", "PARTITION", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG", "CONSUMER-ID", "HOST",
       "CLIENT-ID");
  for (const Row& row : d.rows) {
    line(d.group, row.topic, std::to_string(row.partition), or_dash(row.current_offset),
         or_dash(row.log_end_offset), or_dash(row.lag()), or_dash(row.consumer_id), or_dash(row.host),
         or_dash(row.client_id));
  }
  return text + "\n";
}

}  // namespace models::kafka
