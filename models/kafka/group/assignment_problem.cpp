#include "models/kafka/group/assignment_problem.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "sim/assert.hpp"

namespace models::kafka {

AssignmentProblem::AssignmentProblem(std::span<const JoinGroupCall::Member> members,
                                     std::span<const AssignorTopic> topics)
    : input_(members), input_of_(members.size()) {
  std::iota(input_of_.begin(), input_of_.end(), 0U);
  std::sort(input_of_.begin(), input_of_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return members[a].member_id < members[b].member_id; });
  for (std::size_t i = 1; i < input_of_.size(); ++i) {
    MQLAB_ASSERT(members[input_of_[i - 1]].member_id != members[input_of_[i]].member_id,
                 "a member.id is given once");
  }
  number_topics(topics);
  read_subscriptions(topics);
  read_racks(topics);
}

std::uint32_t AssignmentProblem::rack_number(std::string_view name) {
  const auto at = std::find(rack_names_.begin(), rack_names_.end(), name);
  if (at == rack_names_.end()) {
    rack_names_.push_back(name);
    return static_cast<std::uint32_t>(rack_names_.size() - 1);
  }
  return static_cast<std::uint32_t>(at - rack_names_.begin());
}

void AssignmentProblem::read_racks(std::span<const AssignorTopic> topics) {
  rack_.assign(members(), kNoRack);
  for (std::uint32_t rank = 0; rank < members(); ++rank) {
    const std::string& rack = input_[input_of_[rank]].subscription.rack;
    if (!rack.empty()) rack_[rank] = rack_number(rack);
  }
  if (rack_names_.empty()) return;
  racks_.resize(partitions_);
  for (const AssignorTopic& topic : topics) {
    const std::uint32_t at = topic.partitions > 0 ? dense(topic.first) : kNobody;
    if (at == kNobody) continue;
    for (std::size_t n = 0; n < topic.racks.size(); ++n) {
      std::vector<std::uint32_t>& racks = racks_[at + n];
      for (const std::string_view name : topic.racks[n]) racks.push_back(rack_number(name));
      std::sort(racks.begin(), racks.end());
      racks.erase(std::unique(racks.begin(), racks.end()), racks.end());
    }
  }
}

bool AssignmentProblem::has_replica_in(std::uint32_t partition, std::uint32_t rack) const {
  return !racks_.empty() && std::binary_search(racks_[partition].begin(), racks_[partition].end(), rack);
}

bool AssignmentProblem::racks_count(std::span<const std::uint32_t> members, std::uint32_t first,
                                    std::uint32_t count) const {
  if (racks_.empty()) return false;
  std::vector<std::uint32_t> all;
  for (std::uint32_t p = first; p < first + count; ++p)
    all.insert(all.end(), racks_[p].begin(), racks_[p].end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  const bool shared = std::any_of(members.begin(), members.end(), [&](std::uint32_t member) {
    return rack_[member] != kNoRack && std::binary_search(all.begin(), all.end(), rack_[member]);
  });
  if (!shared) return false;
  for (std::uint32_t p = first; p < first + count; ++p) {
    if (racks_[p].size() != all.size()) return true;
  }
  return false;
}

std::uint32_t AssignmentProblem::members_near(std::uint32_t partition) const {
  std::uint32_t sum = 0;
  for (const std::uint32_t rack : racks_[partition])
    sum += static_cast<std::uint32_t>(std::count(rack_.begin(), rack_.end(), rack));
  return sum;
}

void AssignmentProblem::number_topics(std::span<const AssignorTopic> topics) {
  std::vector<TopicIndex> wanted;
  for (const JoinGroupCall::Member& member : input_) {
    wanted.insert(wanted.end(), member.subscription.topics.begin(), member.subscription.topics.end());
  }
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());

  std::vector<const AssignorTopic*> known;
  for (const AssignorTopic& topic : topics) {
    if (topic.partitions > 0 && std::binary_search(wanted.begin(), wanted.end(), topic.topic))
      known.push_back(&topic);
  }
  std::sort(known.begin(), known.end(), [](auto* a, auto* b) { return a->name < b->name; });
  for (const AssignorTopic* topic : known) {
    const auto count = static_cast<std::uint32_t>(topic->partitions);
    first_index_.push_back(topic->first);
    first_.push_back(partitions_);
    count_.push_back(count);
    ranges_.push_back({topic->first.value, topic->first.value + count, partitions_});
    topic_of_.insert(topic_of_.end(), count, static_cast<std::uint32_t>(first_.size() - 1));
    partitions_ += count;
  }
  std::sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) { return a.index < b.index; });
}

void AssignmentProblem::read_subscriptions(std::span<const AssignorTopic> topics) {
  std::map<TopicIndex, std::uint32_t> number_of;
  for (const AssignorTopic& topic : topics) {
    const std::uint32_t at = topic.partitions > 0 ? dense(topic.first) : kNobody;
    if (at != kNobody) number_of.emplace(topic.topic, topic_of_[at]);
  }
  subscribed_.assign(static_cast<std::size_t>(members()) * this->topics(), false);
  owned_.resize(members());
  for (std::uint32_t rank = 0; rank < members(); ++rank) {
    const Subscription& subscription = input_[input_of_[rank]].subscription;
    for (const TopicIndex topic : subscription.topics) {
      const auto found = number_of.find(topic);
      if (found != number_of.end())
        subscribed_[static_cast<std::size_t>(rank) * this->topics() + found->second] = true;
    }
    for (const PartitionIndex partition : subscription.owned) {
      if (const std::uint32_t at = dense(partition); at != kNobody) owned_[rank].push_back(at);
    }
    std::vector<std::uint32_t>& owned = owned_[rank];
    std::sort(owned.begin(), owned.end());
    owned.erase(std::unique(owned.begin(), owned.end()), owned.end());
    for (std::uint32_t topic = 0; topic < this->topics() && rank > 0; ++topic) {
      all_equal_ = all_equal_ && subscribed(rank, topic) == subscribed(0, topic);
    }
  }
}

std::uint32_t AssignmentProblem::dense(PartitionIndex partition) const {
  auto at = std::upper_bound(ranges_.begin(), ranges_.end(), partition.value,
                             [](std::uint32_t value, const Range& range) { return value < range.index; });
  if (at == ranges_.begin()) return kNobody;
  --at;
  return partition.value < at->end ? at->dense + (partition.value - at->index) : kNobody;
}

std::int32_t AssignmentProblem::generation(std::uint32_t member) const {
  return input_[input_of_[member]].subscription.generation;
}

std::vector<std::uint32_t> AssignmentProblem::static_first() const {
  std::vector<std::uint32_t> ranks(members());
  std::iota(ranks.begin(), ranks.end(), 0U);
  std::stable_sort(ranks.begin(), ranks.end(), [this](std::uint32_t a, std::uint32_t b) {
    const std::string& left = input_[input_of_[a]].instance_id;
    const std::string& right = input_[input_of_[b]].instance_id;
    if (left.empty() != right.empty()) return right.empty();
    return left < right;
  });
  return ranks;
}

std::vector<SyncGroupCall::Assignment> AssignmentProblem::solved(const RankedAssignment& by_rank) const {
  std::vector<SyncGroupCall::Assignment> result(members());
  for (std::uint32_t rank = 0; rank < members(); ++rank) {
    SyncGroupCall::Assignment& one = result[input_of_[rank]];
    one.member_id = input_[input_of_[rank]].member_id;
    one.partitions.reserve(by_rank[rank].size());
    for (const std::uint32_t partition : by_rank[rank]) {
      one.partitions.push_back(PartitionIndex{first_index_[topic_of_[partition]].value + number(partition)});
    }
    std::sort(one.partitions.begin(), one.partitions.end());
  }
  return result;
}

}  // namespace models::kafka
