// The assignor of share groups (SimpleAssignor.java, SimpleHomogeneousAssignmentBuilder.java of Kafka 4.2): every partition is
// assigned to as many members as it takes for each member to have one, and members' numbers of partitions differ by one at most.
//
// A plain function of its input. Where Kafka iterates over a hash map, the order here is that of member ids and of partitions.
//
// Model: members that subscribe to different topics each have all partitions of theirs shared in turn; Kafka's heterogeneous
// builder does about the same.
#pragma once

#include "models/kafka/group/server_assignor.hpp"

namespace models::kafka {

/// Requires: `members` in order of their ids, `topics` all that one of them subscribes to.
TargetAssignment assign_shared(std::span<const AssignorMember> members,
                               std::span<const AssignorTopic> topics);

}  // namespace models::kafka
