#include "models/kafka/group/simple_assignor.hpp"

#include <algorithm>

namespace models::kafka {
namespace {

/// Whole numbers in place of Math.ceil of a quotient.
std::size_t ceil_of(std::size_t number, std::size_t divisor) {
  return (number + divisor - 1) / divisor;
}

struct Sharing {
  std::span<const AssignorMember> members;
  std::vector<PartitionIndex> partitions;
  std::size_t each = 0;  ///< members of a partition
  TargetAssignment target{};
  std::vector<std::size_t> wanted{};  ///< partitions of a member
  std::vector<std::size_t> shared{};  ///< members of a partition so far, by its place in `partitions`

  std::size_t place(PartitionIndex p) const {
    const auto at = std::lower_bound(partitions.begin(), partitions.end(), p);
    return at != partitions.end() && *at == p ? static_cast<std::size_t>(at - partitions.begin())
                                              : partitions.size();
  }
  bool subscribes(std::size_t m, std::span<const AssignorTopic> topics, PartitionIndex p) const {
    for (const AssignorTopic& topic : topics) {
      const bool of_it = p.value >= topic.first.value &&
                         p.value < topic.first.value + static_cast<std::uint32_t>(topic.partitions);
      if (of_it) return std::binary_search(members[m].topics.begin(), members[m].topics.end(), topic.topic);
    }
    return false;
  }
};

/// What members have and may keep: what they still subscribe to, no partition shared more than wanted, no member with too many.
void keep(Sharing& s, std::span<const AssignorTopic> topics) {
  std::vector<bool> overfilled(s.members.size());
  for (std::size_t m = 0; m < s.members.size(); ++m) {
    for (const PartitionIndex p : s.members[m].assigned) {
      if (s.place(p) == s.partitions.size() || !s.subscribes(m, topics, p)) continue;
      s.target[m].push_back(p);
      ++s.shared[s.place(p)];
    }
    overfilled[m] = s.target[m].size() > s.wanted[m];
  }
  // Of members with too many first.
  for (const bool over : {true, false}) {
    for (std::size_t m = 0; m < s.members.size(); ++m) {
      if (overfilled[m] != over) continue;
      std::erase_if(s.target[m], [&](PartitionIndex p) {
        std::size_t& shared = s.shared[s.place(p)];
        if (shared <= s.each) return false;
        --shared;
        return true;
      });
    }
  }
  for (std::size_t m = 0; m < s.members.size(); ++m) {
    while (s.target[m].size() > s.wanted[m]) {
      --s.shared[s.place(s.target[m].front())];
      s.target[m].erase(s.target[m].begin());
    }
  }
}

/// What is shared too little goes to members that have too few, in turn.
void assign_remaining(Sharing& s, std::span<const AssignorTopic> topics) {
  std::size_t next = 0;
  const std::size_t count = s.members.size();
  for (std::size_t i = 0; i < s.partitions.size(); ++i) {
    const PartitionIndex p = s.partitions[i];
    for (std::size_t tried = 0; s.shared[i] < s.each && tried < count; ++tried) {
      const std::size_t m = next;
      next = (next + 1) % count;
      std::vector<PartitionIndex>& has = s.target[m];
      if (has.size() >= s.wanted[m] || !s.subscribes(m, topics, p)) continue;
      if (std::find(has.begin(), has.end(), p) != has.end()) continue;
      has.push_back(p);
      ++s.shared[i];
      tried = 0;
    }
  }
}

}  // namespace

TargetAssignment assign_shared(std::span<const AssignorMember> members,
                               std::span<const AssignorTopic> topics) {
  Sharing s{.members = members, .partitions = {}};
  for (const AssignorTopic& topic : topics) {
    for (std::int32_t n = 0; n < topic.partitions; ++n)
      s.partitions.push_back(PartitionIndex{topic.first.value + static_cast<std::uint32_t>(n)});
  }
  std::sort(s.partitions.begin(), s.partitions.end());
  s.target.resize(members.size());
  if (members.empty() || s.partitions.empty()) return s.target;
  s.each = ceil_of(members.size(), s.partitions.size());
  s.shared.resize(s.partitions.size());
  const std::size_t all = s.each * s.partitions.size();
  for (std::size_t m = 0; m < members.size(); ++m)
    s.wanted.push_back(ceil_of(all * (m + 1), members.size()) - ceil_of(all * m, members.size()));
  keep(s, topics);
  assign_remaining(s, topics);
  for (std::vector<PartitionIndex>& one : s.target) std::sort(one.begin(), one.end());
  return s.target;
}

}  // namespace models::kafka
