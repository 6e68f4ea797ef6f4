// The assignors of Kafka's consumer: who reads which partition, computed by the leader of a group from what
// all members told in JoinGroup.
//
// Plain functions of their input: same members and topics, same result, in whatever order they are given.
// Members are looked at in the order in which Kafka sorts them: range and round robin by group.instance.id
// (static members first), then member.id; the sticky ones by member.id. Where Kafka iterates over a hash map,
// the order here is that of member.id. Sources: RangeAssignor, RoundRobinAssignor, AbstractStickyAssignor,
// CooperativeStickyAssignor (clients/.../consumer/).
//
// Guarantees: each partition of a topic that somebody subscribes to is given to exactly one of its
// subscribers, except that cooperative-sticky withholds what one member owns and another is to get, until its
// owner has revoked it and joined again (KIP-429). Cost about O(P log M); the general sticky case
// (subscriptions that differ) about O(P M) at worst.
//
// Sticky assignors read Subscription::owned and ::generation: what the member was last assigned (sticky sends
// it along although it has revoked all) or still holds (cooperative-sticky). A partition claimed twice goes
// to the claim of the higher generation (KIP-792); claimed twice in one generation, it is nobody's.
//
// Racks (KIP-881): where members tell theirs, and not every rack has a replica of every partition, a partition goes to a member
// in whose rack it has one, as far as balance allows; range keeps topics of equal partitions and subscribers together first.
//
// Model: replicas are those that a partition was made with; one that is moved to other racks brings about no rebalance.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "models/kafka/config.hpp"
#include "models/kafka/protocol.hpp"

namespace models::kafka {

class Cluster;

/// A topic as the leader of a group knows it: its partitions are first, first+1, …
struct AssignorTopic {
  TopicIndex topic{};
  std::string_view name;  ///< topics are dealt with in order of their names
  PartitionIndex first{};
  std::int32_t partitions = 0;
  /// The racks of each partition's replicas; empty: none is known.
  std::vector<std::vector<std::string_view>> racks{};
};

/// The topics of those numbers, in order of their names.
std::vector<AssignorTopic> assignor_topics(const Cluster& cluster, std::span<const TopicIndex> wanted);

/// Every topic that one of `members` subscribes to.
std::vector<AssignorTopic> subscribed_topics(const Cluster& cluster,
                                             std::span<const JoinGroupCall::Member> members);

/// Whether members of cooperative-sticky groups tell the generation of what they own (Rule::generation_with_owned).
enum class Claims : std::uint8_t { dated, undated };

/// Puts in the racks of replicas, as brokers tell them.
void add_racks(const Cluster& cluster, std::span<AssignorTopic> topics);

/// One result for each member, in the order given, its partitions ascending: ready to be
/// SyncGroupCall::assignments. None at all where undated claims contradict each other so that the assignor throws
/// (IllegalStateException, KAFKA-12984). Requires: no member.id twice, no topic twice.
std::vector<SyncGroupCall::Assignment> assign(Assignor assignor,
                                              std::span<const JoinGroupCall::Member> members,
                                              std::span<const AssignorTopic> topics,
                                              Claims claims = Claims::dated);

/// The name under which a member offers it in JoinGroup: "range", "roundrobin", "sticky",
/// "cooperative-sticky".
std::string_view assignor_name(Assignor assignor);
std::optional<Assignor> find_assignor(std::string_view name);

/// True for cooperative-sticky: members keep what they own while they rebalance (KIP-429).
constexpr bool is_cooperative(Assignor assignor) {
  return assignor == Assignor::cooperative_sticky;
}

}  // namespace models::kafka
