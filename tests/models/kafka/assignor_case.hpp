// An assignment problem and its solution written as people write them: "t1:0,2 t2:1".
#pragma once

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "models/kafka/group/assignor.hpp"
#include "tests/catch.hpp"

namespace models::kafka {

/// What each member got, "t1:0,2 t2:1": topics by name, partitions ascending.
using Solution = std::map<std::string, std::string>;

class AssignorCase {
 public:
  struct Topic {
    std::string name;
    std::int32_t partitions;
  };

  explicit AssignorCase(std::vector<Topic> topics) : declared_(std::move(topics)) {
    std::uint32_t first = 1000;  // partitions of other topics come before
    for (const Topic& topic : declared_) {
      topics_.push_back({TopicIndex{static_cast<std::uint32_t>(topics_.size() + 5)}, topic.name,
                         PartitionIndex{first}, topic.partitions});
      first += static_cast<std::uint32_t>(topic.partitions);
    }
  }
  AssignorCase(const AssignorCase&) = delete;
  AssignorCase& operator=(const AssignorCase&) = delete;

  /// Adds the member, or replaces the one of that id.
  AssignorCase& member(const std::string& id, const std::string& topics, const std::string& owned = "",
                       std::int32_t generation = -1, const std::string& instance = "") {
    leave(id);
    JoinGroupCall::Member member;
    member.member_id = id;
    member.instance_id = instance;
    member.subscription.topics = topics_named(topics);
    member.subscription.owned = partitions_named(owned);
    member.subscription.generation = generation;
    members_.push_back(member);
    return *this;
  }
  /// The member's client.rack.
  AssignorCase& near(const std::string& id, const std::string& rack) {
    for (JoinGroupCall::Member& member : members_) {
      if (member.member_id == id) member.subscription.rack = rack;
    }
    return *this;
  }
  /// A broker in each of these racks: replica j of partition i is at broker i + j, counted on from topic to topic.
  AssignorCase& spread(std::size_t copies, std::vector<std::string> racks) {
    racks_ = std::move(racks);
    std::size_t next = 0;
    for (AssignorTopic& topic : topics_) {
      topic.racks.clear();
      for (std::int32_t i = 0; i < topic.partitions; ++i, ++next) {
        topic.racks.emplace_back();
        for (std::size_t j = 0; j < copies; ++j)
          topic.racks.back().push_back(racks_[(next + j) % racks_.size()]);
      }
    }
    return *this;
  }
  AssignorCase& leave(const std::string& id) {
    std::erase_if(members_, [&](const auto& m) { return m.member_id == id; });
    return *this;
  }

  std::vector<SyncGroupCall::Assignment> raw(Assignor assignor, Claims claims = Claims::dated) const {
    return assign(assignor, members_, topics_, claims);
  }

  Solution solve(Assignor assignor, Claims claims = Claims::dated) const {
    Solution solution;
    for (const SyncGroupCall::Assignment& one : raw(assignor, claims))
      solution[one.member_id] = text(one.partitions);
    return solution;
  }

  /// Every member now owns what `assignor` gives it, in `generation`.
  Solution adopt(Assignor assignor, std::int32_t generation) {
    const std::vector<SyncGroupCall::Assignment> result = raw(assignor);
    for (std::size_t i = 0; i < members_.size(); ++i) {
      members_[i].subscription.owned = result[i].partitions;
      members_[i].subscription.generation = generation;
    }
    Solution solution;
    for (const SyncGroupCall::Assignment& one : result) solution[one.member_id] = text(one.partitions);
    return solution;
  }

  std::vector<JoinGroupCall::Member>& members() { return members_; }
  const std::vector<AssignorTopic>& topics() const { return topics_; }

  std::string text(std::vector<PartitionIndex> partitions) const {
    std::sort(partitions.begin(), partitions.end());
    std::map<std::string, std::string> by_topic;
    for (const PartitionIndex p : partitions) {
      for (const AssignorTopic& topic : topics_) {
        const std::uint32_t number = p.value - topic.first.value;
        if (p < topic.first || number >= static_cast<std::uint32_t>(topic.partitions)) continue;
        std::string& list = by_topic[std::string(topic.name)];
        list += (list.empty() ? "" : ",") + std::to_string(number);
      }
    }
    std::string all;
    for (const auto& [name, list] : by_topic) all += (all.empty() ? "" : " ") + name + ":" + list;
    return all;
  }

 private:
  std::vector<TopicIndex> topics_named(const std::string& names) const {
    std::vector<TopicIndex> found;
    std::istringstream words(names);
    for (std::string word; words >> word;) {
      const auto topic =
          std::find_if(topics_.begin(), topics_.end(), [&](const auto& t) { return t.name == word; });
      found.push_back(topic == topics_.end() ? TopicIndex{999} : topic->topic);
    }
    return found;
  }

  std::vector<PartitionIndex> partitions_named(const std::string& text) const {
    std::vector<PartitionIndex> found;
    std::istringstream words(text);
    for (std::string word; words >> word;) {
      const std::size_t colon = word.find(':');
      const auto topic = std::find_if(topics_.begin(), topics_.end(),
                                      [&](const auto& t) { return t.name == word.substr(0, colon); });
      REQUIRE(topic != topics_.end());
      std::istringstream numbers(word.substr(colon + 1));
      for (std::string number; std::getline(numbers, number, ',');) {
        found.push_back(PartitionIndex{topic->first.value + static_cast<std::uint32_t>(std::stoi(number))});
      }
    }
    return found;
  }

  std::vector<Topic> declared_;
  std::vector<std::string> racks_;
  std::vector<AssignorTopic> topics_;
  std::vector<JoinGroupCall::Member> members_;
};

}  // namespace models::kafka
