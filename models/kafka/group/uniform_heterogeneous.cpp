// The uniform assignor where subscriptions differ (UniformHeterogeneousAssignmentBuilder.java): what nobody has goes to the
// least loaded subscribers, then single partitions move from the most to the least loaded subscribers of each topic.
#include <algorithm>
#include <numeric>

#include "models/kafka/group/server_assignor.hpp"

namespace models::kafka {
namespace {

constexpr std::int32_t kNobodys = -1;
/// MAX_ITERATION_COUNT
constexpr int kMostRounds = 16;

using MemberNumber = std::int32_t;

/// Chooses, among the subscribers of one topic, to whom the next partition goes and from whom it comes
/// (MemberAssignmentBalancer). Members in order of their load: the range of the least loaded grows from the left, that of
/// the most loaded from the right, each by a level whenever all of it have been given, or have given, one.
class Balancer {
 public:
  explicit Balancer(const std::vector<std::int32_t>& loads) : loads_(loads) {}

  /// Returns how much the most and the least loaded differ.
  std::int32_t begin(const std::vector<MemberNumber>& subscribers) {
    sorted_ = subscribers;
    std::sort(sorted_.begin(), sorted_.end(), [this](MemberNumber a, MemberNumber b) {
      return load(a) != load(b) ? load(a) < load(b) : a < b;
    });
    least_end_ = 0;
    least_level_ = load(sorted_.front()) - 1;
    next_least_ = 0;
    most_begin_ = most_end_ = size();
    most_level_ = load(sorted_.back()) + 1;
    next_most_ = size() - 1;
    return load(sorted_.back()) - load(sorted_.front());
  }

  MemberNumber next_least_loaded() {
    if (next_least_ >= least_end_) {
      ++least_level_;
      while (least_end_ < size() && load(at(least_end_)) == least_level_) ++least_end_;
      next_least_ = 0;
    }
    return at(next_least_++);
  }

  /// kNobodys when none has anything to give.
  MemberNumber next_most_loaded() {
    if (next_most_ < most_begin_) {
      // Emptied by exclude(): go on at the level of whoever comes next.
      const bool emptied = most_end_ <= most_begin_ && most_begin_ > 0;
      most_level_ = emptied ? load(at(most_begin_ - 1)) : most_level_ - 1;
      while (most_begin_ > 0 && load(at(most_begin_ - 1)) == most_level_) --most_begin_;
      next_most_ = most_end_ - 1;
    }
    return next_most_ < 0 ? kNobodys : at(next_most_--);
  }
  /// The member last returned has nothing to give.
  void exclude() { std::swap(at(next_most_ + 1), at(--most_end_)); }

  bool balanced() const { return most_level_ - least_level_ <= 1; }

 private:
  std::int32_t load(MemberNumber m) const { return loads_[static_cast<std::size_t>(m)]; }
  MemberNumber& at(std::int32_t i) { return sorted_[static_cast<std::size_t>(i)]; }
  std::int32_t size() const { return static_cast<std::int32_t>(sorted_.size()); }

  const std::vector<std::int32_t>& loads_;
  std::vector<MemberNumber> sorted_;
  std::int32_t least_end_ = 0, least_level_ = 0, next_least_ = 0;
  std::int32_t most_begin_ = 0, most_end_ = 0, most_level_ = 0, next_most_ = 0;
};

class Builder {
 public:
  Builder(std::span<const AssignorMember> members, std::span<const AssignorTopic> topics)
      : members_(members), topics_(topics), loads_(members.size(), 0) {
    for (const AssignorTopic& topic : topics) {
      std::vector<MemberNumber> subscribers;
      std::vector<MemberNumber> owners(static_cast<std::size_t>(topic.partitions), kNobodys);
      for (std::size_t m = 0; m < members.size(); ++m) {
        const std::span<const TopicIndex> wanted = members[m].topics;
        if (!std::binary_search(wanted.begin(), wanted.end(), topic.topic)) continue;
        subscribers.push_back(static_cast<MemberNumber>(m));
        keep(static_cast<MemberNumber>(m), topic, owners);
      }
      subscribers_.push_back(std::move(subscribers));
      owners_.push_back(std::move(owners));
    }
  }

  TargetAssignment build() {
    Balancer balancer(loads_);
    for (const std::size_t t : in_order_of_demand(1)) {
      const bool complete = std::find(owners_[t].begin(), owners_[t].end(), kNobodys) == owners_[t].end();
      if (complete) continue;
      balancer.begin(subscribers_[t]);
      for (MemberNumber& owner : owners_[t]) {
        if (owner == kNobodys) give(owner, balancer.next_least_loaded());
      }
    }
    balance(balancer);
    return result();
  }

 private:
  void keep(MemberNumber m, const AssignorTopic& topic, std::vector<MemberNumber>& owners) {
    for (const PartitionIndex p : members_[static_cast<std::size_t>(m)].assigned) {
      if (p.value < topic.first.value || p.value - topic.first.value >= owners.size()) continue;
      give(owners[p.value - topic.first.value], m);
    }
  }
  void give(MemberNumber& owner, MemberNumber to) {
    if (owner != kNobodys) --loads_[static_cast<std::size_t>(owner)];
    owner = to;
    ++loads_[static_cast<std::size_t>(to)];
  }

  /// Topics of at least so many subscribers: those of most partitions a subscriber first, then of fewest subscribers.
  std::vector<std::size_t> in_order_of_demand(std::size_t subscribers_min) const {
    std::vector<std::size_t> order;
    for (std::size_t t = 0; t < topics_.size(); ++t) {
      if (subscribers_[t].size() >= subscribers_min) order.push_back(t);
    }
    std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
      const std::size_t one = owners_[a].size() * subscribers_[b].size();
      const std::size_t other = owners_[b].size() * subscribers_[a].size();
      return one != other ? one > other : subscribers_[a].size() < subscribers_[b].size();
    });
    return order;
  }

  /// Round and round, until a whole round has moved nothing.
  void balance(Balancer& balancer) {
    const std::vector<std::size_t> order = in_order_of_demand(2);
    constexpr std::size_t kNone = static_cast<std::size_t>(-1);
    std::size_t last_moved = kNone;
    for (int round = 0; round < kMostRounds; ++round) {
      for (std::size_t i = 0; i < order.size(); ++i) {
        if (i == last_moved) return;
        if (balance_topic(balancer, order[i]) > 0 || last_moved == kNone) last_moved = i;
      }
    }
  }

  std::int32_t balance_topic(Balancer& balancer, std::size_t t) {
    if (balancer.begin(subscribers_[t]) <= 1) return 0;
    // What each member has of the topic; its last partition goes first.
    std::vector<std::vector<std::size_t>> held(members_.size());
    for (std::size_t p = 0; p < owners_[t].size(); ++p)
      held[static_cast<std::size_t>(owners_[t][p])].push_back(p);
    std::int32_t moved = 0;
    while (!balancer.balanced()) {
      MemberNumber from = balancer.next_most_loaded();
      while (from != kNobodys && held[static_cast<std::size_t>(from)].empty()) {
        balancer.exclude();
        from = balancer.next_most_loaded();
      }
      if (from == kNobodys) break;
      const std::size_t p = held[static_cast<std::size_t>(from)].back();
      held[static_cast<std::size_t>(from)].pop_back();
      const MemberNumber to = balancer.next_least_loaded();
      if (balancer.balanced()) break;
      give(owners_[t][p], to);
      ++moved;
    }
    return moved;
  }

  TargetAssignment result() const {
    TargetAssignment target(members_.size());
    for (std::size_t t = 0; t < topics_.size(); ++t) {
      for (std::size_t p = 0; p < owners_[t].size(); ++p) {
        if (owners_[t][p] == kNobodys) continue;
        target[static_cast<std::size_t>(owners_[t][p])].push_back(
            PartitionIndex{topics_[t].first.value + static_cast<std::uint32_t>(p)});
      }
    }
    for (std::vector<PartitionIndex>& one : target) std::sort(one.begin(), one.end());
    return target;
  }

  std::span<const AssignorMember> members_;
  std::span<const AssignorTopic> topics_;
  std::vector<std::int32_t> loads_;
  std::vector<std::vector<MemberNumber>> subscribers_;  // by topic
  std::vector<std::vector<MemberNumber>> owners_;       // by topic and number
};

}  // namespace

TargetAssignment assign_heterogeneous(std::span<const AssignorMember> members,
                                      std::span<const AssignorTopic> topics) {
  return Builder(members, topics).build();
}

}  // namespace models::kafka
