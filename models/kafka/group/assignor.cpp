#include "models/kafka/group/assignor.hpp"

#include <algorithm>
#include <array>

#include "models/kafka/cluster.hpp"
#include "models/kafka/group/assignment_problem.hpp"

namespace models::kafka {
namespace {

/// All partitions of all topics dealt out in turn; who does not subscribe to a topic is passed over
/// (RoundRobinAssignor.java).
RankedAssignment assign_round_robin(const AssignmentProblem& problem) {
  RankedAssignment result(problem.members());
  const std::vector<std::uint32_t> order = problem.static_first();
  std::size_t turn = 0;
  for (std::uint32_t partition = 0; partition < problem.partitions(); ++partition) {
    const std::uint32_t topic = problem.topic_of(partition);
    while (!problem.subscribed(order[turn], topic)) turn = (turn + 1) % order.size();
    result[order[turn]].push_back(partition);
    turn = (turn + 1) % order.size();
  }
  return result;
}

constexpr std::array<std::string_view, 4> kNames{"range", "roundrobin", "sticky", "cooperative-sticky"};

}  // namespace

std::vector<SyncGroupCall::Assignment> assign(Assignor assignor,
                                              std::span<const JoinGroupCall::Member> members,
                                              std::span<const AssignorTopic> topics, Claims claims) {
  const AssignmentProblem problem(members, topics);
  switch (assignor) {
    case Assignor::range:
      return problem.solved(assign_range(problem));  // range_assignor.cpp
    case Assignor::round_robin:
      return problem.solved(assign_round_robin(problem));
    case Assignor::sticky:
      return problem.solved(*assign_sticky(problem, false, Claims::dated));  // its user data always told
    case Assignor::cooperative_sticky:
      break;
  }
  const std::optional<RankedAssignment> found = assign_sticky(problem, true, claims);
  return found ? problem.solved(*found) : std::vector<SyncGroupCall::Assignment>{};
}

std::vector<AssignorTopic> assignor_topics(const Cluster& cluster, std::span<const TopicIndex> wanted) {
  std::vector<AssignorTopic> topics;
  for (const TopicIndex topic : wanted) {
    const TopicInfo& info = cluster.topic(topic);
    topics.push_back({topic, info.name, info.first, info.partitions});
  }
  std::sort(topics.begin(), topics.end(),
            [](const AssignorTopic& a, const AssignorTopic& b) { return a.name < b.name; });
  return topics;
}

std::vector<AssignorTopic> subscribed_topics(const Cluster& cluster,
                                             std::span<const JoinGroupCall::Member> members) {
  std::vector<TopicIndex> wanted;
  for (const JoinGroupCall::Member& member : members) {
    wanted.insert(wanted.end(), member.subscription.topics.begin(), member.subscription.topics.end());
  }
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  std::vector<AssignorTopic> topics;
  for (const TopicIndex topic : wanted) {
    const TopicInfo& info = cluster.topic(topic);
    topics.push_back({topic, info.name, info.first, info.partitions});
  }
  return topics;
}

void add_racks(const Cluster& cluster, std::span<AssignorTopic> topics) {
  for (AssignorTopic& topic : topics) {
    for (std::uint32_t n = 0; n < static_cast<std::uint32_t>(topic.partitions); ++n) {
      std::vector<std::string_view>& racks = topic.racks.emplace_back();
      for (const BrokerId b : cluster.partition(PartitionIndex{topic.first.value + n}).replicas) {
        if (const std::int32_t rack = cluster.rack_of(b); rack != Cluster::kNoRack)
          racks.push_back(cluster.rack_name(rack));
      }
    }
  }
}

std::string_view assignor_name(Assignor assignor) {
  return kNames[static_cast<std::size_t>(assignor)];
}

std::optional<Assignor> find_assignor(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Assignor>(found - kNames.begin());
}

}  // namespace models::kafka
