#include "models/kafka/group/server_assignor.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "sim/assert.hpp"

namespace models::kafka {
namespace {

constexpr std::array<std::string_view, 2> kNames{"uniform", "range"};

bool subscribes(const AssignorMember& member, TopicIndex topic) {
  return std::binary_search(member.topics.begin(), member.topics.end(), topic);
}

bool all_subscribe_to_the_same(std::span<const AssignorMember> members) {
  return std::all_of(members.begin(), members.end(), [&](const AssignorMember& member) {
    return std::equal(member.topics.begin(), member.topics.end(), members[0].topics.begin(),
                      members[0].topics.end());
  });
}

PartitionIndex partition(const AssignorTopic& topic, std::int32_t number) {
  return PartitionIndex{topic.first.value + static_cast<std::uint32_t>(number)};
}

void sort_all(TargetAssignment& target) {
  for (std::vector<PartitionIndex>& one : target) std::sort(one.begin(), one.end());
}

/// UniformHomogeneousAssignmentBuilder: whoever has more than its share gives the surplus up, whoever has less gets what
/// nobody has.
TargetAssignment assign_homogeneous(std::span<const AssignorMember> members,
                                    std::span<const AssignorTopic> topics) {
  std::vector<PartitionIndex> taken;
  for (const AssignorMember& member : members)
    taken.insert(taken.end(), member.assigned.begin(), member.assigned.end());
  std::sort(taken.begin(), taken.end());
  std::vector<PartitionIndex> unassigned;
  std::size_t total = 0;
  for (const AssignorTopic& topic : topics) {
    for (std::int32_t n = 0; n < topic.partitions; ++n) {
      const PartitionIndex p = partition(topic, n);
      if (!std::binary_search(taken.begin(), taken.end(), p)) unassigned.push_back(p);
    }
    total += static_cast<std::size_t>(topic.partitions);
  }
  const std::size_t share = total / members.size();
  const std::size_t one_more = total % members.size();
  TargetAssignment target(members.size());
  std::vector<std::size_t> wanting(members.size(), 0);
  for (std::size_t m = 0; m < members.size(); ++m) {
    std::size_t quota = share + (m < one_more ? 1 : 0);
    for (const AssignorTopic& topic : topics) {
      const std::span<const PartitionIndex> has = members[m].assigned;
      const auto begin = std::lower_bound(has.begin(), has.end(), topic.first);
      const auto end = std::lower_bound(begin, has.end(), partition(topic, topic.partitions));
      for (auto at = begin; at != end; ++at) {
        if (quota > 0) {
          --quota;
          target[m].push_back(*at);
        } else {
          unassigned.push_back(*at);
        }
      }
    }
    wanting[m] = quota;
  }
  std::size_t next = 0;
  for (std::size_t m = 0; m < members.size(); ++m) {
    for (; wanting[m] > 0 && next < unassigned.size(); --wanting[m]) target[m].push_back(unassigned[next++]);
  }
  MQLAB_ASSERT(next == unassigned.size(), "no partition is left unassigned");
  sort_all(target);
  return target;
}

/// Static members by instance id, then dynamic ones by member id.
std::vector<std::size_t> static_first(std::span<const AssignorMember> members) {
  std::vector<std::size_t> order(members.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const std::string_view one = members[a].instance_id, other = members[b].instance_id;
    if (one.empty() || other.empty()) return !one.empty() && other.empty();
    return one < other;
  });
  return order;
}

TargetAssignment assign_range(std::span<const AssignorMember> members,
                              std::span<const AssignorTopic> topics) {
  TargetAssignment target(members.size());
  const std::vector<std::size_t> order = static_first(members);
  for (const AssignorTopic& topic : topics) {
    const auto subscribed = [&](const AssignorMember& member) { return subscribes(member, topic.topic); };
    const auto subscribers =
        static_cast<std::int32_t>(std::count_if(members.begin(), members.end(), subscribed));
    if (subscribers == 0) continue;
    const std::int32_t share = topic.partitions / subscribers;
    std::int32_t one_more = topic.partitions % subscribers;
    std::int32_t next = 0;
    for (const std::size_t m : order) {
      if (!subscribed(members[m])) continue;
      const std::int32_t end = next + share + (one_more-- > 0 ? 1 : 0);
      for (; next < end; ++next) target[m].push_back(partition(topic, next));
    }
  }
  sort_all(target);
  return target;
}

}  // namespace

TargetAssignment assign(ServerAssignor assignor, std::span<const AssignorMember> members,
                        std::span<const AssignorTopic> topics) {
  if (members.empty()) return {};
  if (assignor == ServerAssignor::range) return assign_range(members, topics);
  return all_subscribe_to_the_same(members) ? assign_homogeneous(members, topics)
                                            : assign_heterogeneous(members, topics);
}

std::string_view server_assignor_name(ServerAssignor assignor) {
  return kNames[static_cast<std::size_t>(assignor)];
}

std::optional<ServerAssignor> find_server_assignor(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<ServerAssignor>(found - kNames.begin());
}

}  // namespace models::kafka
