// The sticky assignors: as balanced as can be, and among the balanced assignments one that moves little.
// Source: AbstractStickyAssignor.java, CooperativeStickyAssignor.java; their racks are those of the problem.
#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "models/kafka/group/assignment_problem.hpp"
#include "sim/assert.hpp"

namespace models::kafka {
namespace {

/// Who may keep what, after members have told what they own.
struct Holders {
  /// By partition; kNobody: unclaimed, or claimed twice in one generation.
  std::vector<std::uint32_t> holder;
  std::vector<bool> disputed;  ///< by partition: claimed twice in one generation
};

/// The claim of the higher generation wins (KIP-792); two claims of one generation cancel each other.
Holders settle_claims(const AssignmentProblem& problem) {
  Holders claims{std::vector<std::uint32_t>(problem.partitions(), kNobody),
                 std::vector<bool>(problem.partitions(), false)};
  std::vector<std::uint32_t> last(problem.partitions(), kNobody);
  for (std::uint32_t member = 0; member < problem.members(); ++member) {
    for (const std::uint32_t partition : problem.owned(member)) {
      const std::uint32_t other = last[partition];
      if (other == kNobody || problem.generation(member) > problem.generation(other)) {
        claims.holder[partition] = last[partition] = member;
      } else if (problem.generation(member) == problem.generation(other)) {
        claims.disputed[partition] = true;
        claims.holder[partition] = kNobody;
        last[partition] = member;
      }
    }
  }
  return claims;
}

bool racks_count(const AssignmentProblem& problem) {
  std::vector<std::uint32_t> everybody(problem.members());
  std::iota(everybody.begin(), everybody.end(), 0U);
  return problem.racks_count(everybody, 0, problem.partitions());
}

/// All members subscribe to the same topics: quotas decide (ConstrainedAssignmentBuilder).
class EqualSubscriptions {
 public:
  EqualSubscriptions(const AssignmentProblem& problem, Holders holders, Claims claims)
      : problem_(problem),
        claims_(std::move(holders)),
        dated_(claims == Claims::dated),
        quota_(problem.partitions() / problem.members()),
        full_members_wanted_(problem.partitions() % problem.members()),
        result_(problem.members()),
        taken_(problem.partitions(), false),
        revoked_from_(problem.partitions(), kNobody),
        racks_(racks_count(problem)) {}

  std::optional<RankedAssignment> solve(bool cooperative) {
    keep_owned();
    if (!deal_out_rest(cooperative)) return std::nullopt;
    return std::move(result_);
  }

 private:
  /// quota + 1 where partitions do not divide evenly: as many as full_members_wanted_ members get that many.
  std::uint32_t most() const { return quota_ + (full_members_wanted_ > 0 ? 1 : 0); }

  void keep_owned() {
    std::vector<std::vector<std::uint32_t>> owned(problem_.members());
    for (std::uint32_t partition = 0; partition < problem_.partitions(); ++partition) {
      const std::uint32_t holder = claims_.holder[partition];
      if (dated_ && holder != kNobody && !claims_.disputed[partition]) owned[holder].push_back(partition);
    }
    // Without generations every member is believed (2.8: constrainedAssign over all of consumerToOwnedPartitions).
    for (std::uint32_t member = 0; !dated_ && member < problem_.members(); ++member)
      owned[member] = problem_.owned(member);
    for (std::uint32_t member = 0; racks_ && member < problem_.members(); ++member) {
      std::erase_if(owned[member], [this, member](std::uint32_t partition) {
        const bool far = !problem_.rack_matches(member, partition);
        if (far) revoked_from_[partition] = member;
        return far;
      });
    }
    for (std::uint32_t member = 0; member < problem_.members(); ++member) {
      // What is kept is chosen by partition number before topic, so that topics stay spread.
      std::stable_sort(owned[member].begin(), owned[member].end(), [this](std::uint32_t a, std::uint32_t b) {
        return problem_.number(a) < problem_.number(b);
      });
      if (owned[member].size() < quota_) {
        keep(member, owned[member], owned[member].size());
        below_quota_.push_back(member);
      } else if (owned[member].size() >= most() && full_members_ < full_members_wanted_) {
        keep(member, owned[member], most());
        if (++full_members_ == full_members_wanted_) at_quota_.clear();
      } else {
        keep(member, owned[member], quota_);
        if (full_members_ < full_members_wanted_) at_quota_.push_back(member);
      }
    }
  }

  void keep(std::uint32_t member, const std::vector<std::uint32_t>& owned, std::size_t count) {
    for (std::size_t i = 0; i < owned.size(); ++i) {
      if (i < count) {
        result_[member].push_back(owned[i]);
        taken_[owned[i]] = true;
      } else {
        revoked_from_[owned[i]] = member;
      }
    }
  }

  bool deal_out_rest(bool cooperative) {
    std::vector<std::uint32_t> rest;
    for (std::uint32_t partition = 0; partition < problem_.partitions(); ++partition) {
      if (!taken_[partition]) rest.push_back(partition);
    }
    if (racks_) {
      // Those that are near to few members first.
      std::stable_sort(rest.begin(), rest.end(), [this](std::uint32_t a, std::uint32_t b) {
        return problem_.members_near(a) < problem_.members_near(b);
      });
      deal_out_within_racks(rest);
    }
    if (!deal_out_in_turn(rest)) return false;
    if (!cooperative) return true;
    // Its old owner has to give it up first; it is assigned in the rebalance that follows.
    for (const auto& [member, partition] : transferring_) std::erase(result_[member], partition);
    return true;
  }

  /// Round robin over those below the quota, as long as there are any; then one more each for those at it. False when
  /// nobody is left to take a partition, as others are held twice ("No more unfilled consumers to be assigned").
  bool deal_out_in_turn(const std::vector<std::uint32_t>& rest) {
    std::vector<std::uint32_t> still_below;
    std::size_t turn = 0;
    std::size_t next_at_quota = 0;
    for (const std::uint32_t partition : rest) {
      if (turn == below_quota_.size()) {
        below_quota_.swap(still_below);
        still_below.clear();
        turn = 0;
      }
      std::uint32_t member = kNobody;
      if (turn < below_quota_.size()) {
        member = below_quota_[turn++];
        const bool reached = result_[member].size() + 1 == quota_;
        (reached ? at_quota_ : still_below).push_back(member);
      } else {
        MQLAB_ASSERT(!dated_ || next_at_quota < at_quota_.size(), "quotas add up to the partitions");
        if (next_at_quota == at_quota_.size()) return false;
        member = at_quota_[next_at_quota++];
      }
      give(member, partition);
    }
    return true;
  }

  /// What can go to a member near one of its replicas without upsetting the balance (assignRackAwareRoundRobin). Leaves the
  /// others in `rest`.
  void deal_out_within_racks(std::vector<std::uint32_t>& rest) {
    const auto near = [this](const std::vector<std::uint32_t>& members, std::uint32_t partition,
                             std::size_t from) {
      for (std::size_t i = 0; i < members.size(); ++i) {
        const std::size_t at = (from + i) % members.size();
        if (problem_.in_rack_of(members[at], partition)) return at;
      }
      return members.size();
    };
    std::size_t turn = 0;
    std::vector<std::uint32_t> far;
    for (const std::uint32_t partition : rest) {
      std::size_t at = near(below_quota_, partition, turn);
      std::uint32_t member = kNobody;
      if (at < below_quota_.size()) {
        member = below_quota_[at];
        const auto count = static_cast<std::uint32_t>(result_[member].size()) + 1;
        if (count >= quota_) {
          below_quota_.erase(below_quota_.begin() + static_cast<std::ptrdiff_t>(at));
          if (count < most() && full_members_ < full_members_wanted_) at_quota_.push_back(member);
        } else {
          ++at;
        }
        turn = below_quota_.empty() ? 0 : at % below_quota_.size();
      } else if (const std::size_t one = near(at_quota_, partition, 0); one < at_quota_.size()) {
        member = at_quota_[one];
        if (result_[member].size() + 1 == most()) {
          at_quota_.erase(at_quota_.begin() + static_cast<std::ptrdiff_t>(one));
          if (++full_members_ == full_members_wanted_) at_quota_.clear();
        }
      }
      if (member == kNobody)
        far.push_back(partition);
      else
        give(member, partition);
    }
    rest.swap(far);
  }

  void give(std::uint32_t member, std::uint32_t partition) {
    const bool moves = (revoked_from_[partition] != kNobody && revoked_from_[partition] != member) ||
                       (dated_ && claims_.disputed[partition]);
    if (moves) transferring_.emplace_back(member, partition);
    result_[member].push_back(partition);
  }

  const AssignmentProblem& problem_;
  const Holders claims_;
  const bool dated_;
  const std::uint32_t quota_;                ///< everybody gets at least so many
  const std::uint32_t full_members_wanted_;  ///< and so many members one more
  std::uint32_t full_members_ = 0;
  RankedAssignment result_;
  std::vector<bool> taken_;
  std::vector<std::uint32_t> revoked_from_;
  std::vector<std::uint32_t> below_quota_, at_quota_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> transferring_;  // members and partitions
  const bool racks_;                                                   ///< they make a difference
};

/// Which partitions of a topic have moved from whom to whom in this assignment: a movement in the opposite
/// direction of one that happened is better served by undoing that one (PartitionMovements).
class Movements {
 public:
  explicit Movements(const AssignmentProblem& problem)
      : problem_(problem), moved_(problem.partitions(), Pair{kNobody, kNobody}), by_pair_(problem.topics()) {}

  /// The partition to move in place of `partition`, which `from` holds and `to` shall get.
  std::uint32_t better(std::uint32_t partition, std::uint32_t from, std::uint32_t to) const {
    if (moved_[partition].first != kNobody) from = moved_[partition].first;
    const auto& pairs = by_pair_[problem_.topic_of(partition)];
    const auto opposite = pairs.find(Pair{to, from});
    return opposite == pairs.end() ? partition : *opposite->second.begin();
  }

  void move(std::uint32_t partition, std::uint32_t from, std::uint32_t to) {
    auto& pairs = by_pair_[problem_.topic_of(partition)];
    const Pair before = moved_[partition];
    if (before.first != kNobody) {
      const auto at = pairs.find(before);
      at->second.erase(partition);
      if (at->second.empty()) pairs.erase(at);
      from = before.first;
    }
    moved_[partition] = from == to ? Pair{kNobody, kNobody} : Pair{from, to};
    if (from != to) pairs[Pair{from, to}].insert(partition);
  }

 private:
  using Pair = std::pair<std::uint32_t, std::uint32_t>;
  const AssignmentProblem& problem_;
  std::vector<Pair> moved_;
  std::vector<std::map<Pair, std::set<std::uint32_t>>> by_pair_;  // by topic
};

/// Subscriptions differ: fill up, then move one by one while that evens things out
/// (GeneralAssignmentBuilder).
class MixedSubscriptions {
 public:
  MixedSubscriptions(const AssignmentProblem& problem, const Holders& claims)
      : problem_(problem),
        owner_(problem.partitions(), kNobody),
        size_(problem.members(), 0),
        subscribers_(problem.topics(), 0),
        previous_(problem.partitions(), kNobody),
        racks_(racks_count(problem)),
        movements_(problem) {
    for (std::uint32_t topic = 0; topic < problem_.topics(); ++topic) {
      for (std::uint32_t m = 0; m < problem_.members(); ++m)
        subscribers_[topic] += problem_.subscribed(m, topic) ? 1 : 0;
    }
    order_partitions();
    remember_older_owners();
    keep_owned(claims);
  }

  RankedAssignment solve(bool cooperative) {
    for (std::uint32_t m = 0; m < problem_.members(); ++m) by_size_.insert({size_[m], m});
    balance();
    if (cooperative) withhold_transfers();
    RankedAssignment result(problem_.members());
    for (std::uint32_t p = 0; p < problem_.partitions(); ++p) {
      if (owner_[p] != kNobody) result[owner_[p]].push_back(p);
    }
    return result;
  }

 private:
  /// Topics with the fewest subscribers first: they have the least choice.
  void order_partitions() {
    std::vector<std::uint32_t> topics(problem_.topics());
    std::iota(topics.begin(), topics.end(), 0U);
    std::stable_sort(topics.begin(), topics.end(),
                     [this](std::uint32_t a, std::uint32_t b) { return subscribers_[a] < subscribers_[b]; });
    for (const std::uint32_t topic : topics) {
      for (std::uint32_t i = 0; i < problem_.count(topic); ++i) ordered_.push_back(problem_.first(topic) + i);
    }
  }

  /// Claims of members that missed the newest generation: they do not own any more, but may have a partition
  /// back first.
  void remember_older_owners() {
    std::int32_t newest = -1;
    for (std::uint32_t m = 0; m < problem_.members(); ++m) newest = std::max(newest, problem_.generation(m));
    for (std::uint32_t m = 0; m < problem_.members(); ++m) {
      if (problem_.generation(m) >= newest) continue;
      for (const std::uint32_t p : problem_.owned(m)) {
        const std::uint32_t known = previous_[p];
        if (known == kNobody || problem_.generation(m) > problem_.generation(known)) previous_[p] = m;
      }
    }
  }

  void keep_owned(const Holders& claims) {
    for (std::uint32_t p = 0; p < problem_.partitions(); ++p) {
      const std::uint32_t holder = claims.holder[p];
      if (holder == kNobody) continue;
      if (!problem_.subscribed(holder, problem_.topic_of(p)) ||
          (racks_ && !problem_.rack_matches(holder, p))) {
        revocation_required_ = true;
        continue;
      }
      owner_[p] = holder;
      ++size_[holder];
    }
  }

  void balance() {
    const bool initializing = by_size_.rbegin()->first == 0;
    std::vector<std::uint32_t> unassigned;
    for (const std::uint32_t p : ordered_) {
      if (owner_[p] == kNobody) unassigned.push_back(p);
    }
    // Within racks first.
    for (const std::uint32_t p : unassigned) {
      if (const std::uint32_t near = racks_ ? smallest_near(p) : kNobody; near != kNobody) give(p, near);
    }
    for (const std::uint32_t p : unassigned) {
      if (owner_[p] == kNobody) give(p, smallest_subscriber(problem_.topic_of(p)));
    }

    const auto has_no_choice = [this](std::uint32_t p) { return subscribers_[problem_.topic_of(p)] < 2; };
    std::erase_if(unassigned, has_no_choice);
    std::erase_if(ordered_, has_no_choice);
    set_aside_members_without_choice();

    const std::vector<std::uint32_t> owner_before = owner_;
    const std::int64_t imbalance_before = imbalance();
    if (!revocation_required_) even_out(unassigned);
    const bool moved = even_out(ordered_);
    if (!initializing && moved && imbalance() >= imbalance_before) owner_ = owner_before;
  }

  /// Members that have all they can have, and nothing that anybody else could have.
  void set_aside_members_without_choice() {
    std::vector<std::uint32_t> most(problem_.members(), 0);
    std::vector<bool> shares(problem_.members(), false);
    for (std::uint32_t topic = 0; topic < problem_.topics(); ++topic) {
      for (std::uint32_t m = 0; m < problem_.members(); ++m) {
        if (problem_.subscribed(m, topic)) most[m] += problem_.count(topic);
      }
    }
    for (const std::uint32_t p : ordered_) shares[owner_[p]] = true;
    for (std::uint32_t m = 0; m < problem_.members(); ++m) {
      if (size_[m] == most[m] && !shares[m]) by_size_.erase({size_[m], m});
    }
  }

  /// Moves partitions from larger to smaller members until none can be moved. Kafka also asks before each
  /// partition whether all is balanced already; that only saves it work, as no partition would pass the test
  /// below.
  bool even_out(const std::vector<std::uint32_t>& movable) {
    bool moved_any = false;
    for (bool moved = true; moved;) {
      moved = false;
      for (const std::uint32_t p : movable) {
        const std::uint32_t topic = problem_.topic_of(p);
        const std::uint32_t back_to = previous_[p];
        std::uint32_t to = kNobody;
        if (back_to != kNobody && problem_.subscribed(back_to, topic) && gains(owner_[p], back_to)) {
          to = back_to;
        } else if (const std::uint32_t smallest = smallest_subscriber(topic); gains(owner_[p], smallest)) {
          to = smallest;
        }
        if (to == kNobody) continue;
        reassign(p, to);
        moved = moved_any = true;
      }
    }
    return moved_any;
  }

  bool gains(std::uint32_t from, std::uint32_t to) const { return size_[from] > size_[to] + 1; }

  std::uint32_t smallest_subscriber(std::uint32_t topic) const {
    for (const auto& [size, member] : by_size_) {
      if (problem_.subscribed(member, topic)) return member;
    }
    return kNobody;
  }

  std::uint32_t smallest_near(std::uint32_t partition) const {
    for (const auto& [size, member] : by_size_) {
      if (problem_.subscribed(member, problem_.topic_of(partition)) &&
          problem_.rack_matches(member, partition))
        return member;
    }
    return kNobody;
  }

  void reassign(std::uint32_t partition, std::uint32_t to) {
    std::uint32_t chosen = movements_.better(partition, owner_[partition], to);
    // Every move has to narrow a gap, or there might be no end: where undoing does not, the partition itself
    // moves.
    if (!gains(owner_[chosen], to)) chosen = partition;
    movements_.move(chosen, owner_[chosen], to);
    resize(owner_[chosen], -1);
    owner_[chosen] = kNobody;
    give(chosen, to);
  }

  void give(std::uint32_t partition, std::uint32_t member) {
    owner_[partition] = member;
    resize(member, 1);
  }

  void resize(std::uint32_t member, int by) {
    by_size_.erase({size_[member], member});
    size_[member] = by > 0 ? size_[member] + 1 : size_[member] - 1;
    by_size_.insert({size_[member], member});
  }

  /// The sum of the differences in size of all pairs of members that have a choice.
  std::int64_t imbalance() const {
    std::int64_t sum = 0;
    std::int64_t weight = 1 - static_cast<std::int64_t>(by_size_.size());
    for (const auto& [size, member] : by_size_) {
      sum += weight * static_cast<std::int64_t>(size);
      weight += 2;
    }
    return sum;
  }

  /// What one member is to get and another one still owns.
  void withhold_transfers() {
    std::vector<bool> owned_by_new(problem_.partitions(), false);
    std::vector<bool> owned_by_other(problem_.partitions(), false);
    for (std::uint32_t m = 0; m < problem_.members(); ++m) {
      for (const std::uint32_t p : problem_.owned(m))
        (owner_[p] == m ? owned_by_new : owned_by_other)[p] = true;
    }
    for (std::uint32_t p = 0; p < problem_.partitions(); ++p) {
      if (owned_by_other[p] && !owned_by_new[p]) owner_[p] = kNobody;
    }
  }

  const AssignmentProblem& problem_;
  std::vector<std::uint32_t> owner_;        // by partition
  std::vector<std::uint32_t> size_;         // by member
  std::vector<std::uint32_t> subscribers_;  // by topic
  std::vector<std::uint32_t> previous_;     // by partition: owner in an older generation
  std::vector<std::uint32_t> ordered_;      // partitions, least choice first
  const bool racks_;                        // they make a difference
  std::set<std::pair<std::uint32_t, std::uint32_t>> by_size_;
  Movements movements_;
  bool revocation_required_ = false;
};

}  // namespace

/// Model: undated claims make a difference where all subscribe to the same topics, as the members of one [[groups]] do.
std::optional<RankedAssignment> assign_sticky(const AssignmentProblem& problem, bool cooperative,
                                              Claims claims) {
  if (problem.members() == 0 || problem.partitions() == 0) return RankedAssignment(problem.members());
  Holders holders = settle_claims(problem);
  if (problem.all_subscriptions_equal())
    return EqualSubscriptions(problem, std::move(holders), claims).solve(cooperative);
  return MixedSubscriptions(problem, holders).solve(cooperative);
}

}  // namespace models::kafka
