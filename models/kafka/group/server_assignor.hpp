// The assignors of the group coordinator (KIP-848): who is to read which partition, computed by the broker from what
// members subscribe to and from the target that they have.
//
// Plain functions of their input: same members and topics, same result. Where Kafka iterates over a hash map, the order
// here is that of member ids, and of topics' names (which also stand in for topic ids, random in Kafka). Sources:
// UniformAssignor, UniformHomogeneousAssignmentBuilder, UniformHeterogeneousAssignmentBuilder, RangeAssignor
// (group-coordinator/.../group/assignor/).
//
// uniform: members differ by at most one partition, and keep what they have as far as that goes. Where subscriptions
// differ it is as even as moving single partitions between the subscribers of a topic can make it. range: of each topic
// a run of partitions, so that members read the same numbers of topics of the same size; nothing is kept for its own sake.
//
// Model: racks are not looked at; neither assignor of Kafka's looks at them since 4.0.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "models/kafka/group/assignor.hpp"

namespace models::kafka {

struct AssignorMember {
  std::string_view id;
  std::string_view instance_id;              ///< empty: dynamic
  std::span<const TopicIndex> topics;        ///< ascending
  std::span<const PartitionIndex> assigned;  ///< its target so far, ascending
};

/// Of each member, ascending.
using TargetAssignment = std::vector<std::vector<PartitionIndex>>;

/// Requires: `members` in order of their ids, `topics` all that one of them subscribes to.
TargetAssignment assign(ServerAssignor assignor, std::span<const AssignorMember> members,
                        std::span<const AssignorTopic> topics);

/// "uniform", "range".
std::string_view server_assignor_name(ServerAssignor assignor);
std::optional<ServerAssignor> find_server_assignor(std::string_view name);

/// For members whose subscriptions differ (UniformHeterogeneousAssignmentBuilder).
TargetAssignment assign_heterogeneous(std::span<const AssignorMember> members,
                                      std::span<const AssignorTopic> topics);

}  // namespace models::kafka
