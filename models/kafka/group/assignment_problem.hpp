// The input of an assignor as dense numbers: members by rank (order of member.id), topics by name, partitions
// numbered through in that order. Everything that an assignor compares is then an integer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "models/kafka/group/assignor.hpp"

namespace models::kafka {

inline constexpr std::uint32_t kNobody = 0xffffffff;

/// What each member gets: partitions by their dense numbers, by rank of the member.
using RankedAssignment = std::vector<std::vector<std::uint32_t>>;

class AssignmentProblem {
 public:
  AssignmentProblem(std::span<const JoinGroupCall::Member> members, std::span<const AssignorTopic> topics);

  std::uint32_t members() const { return static_cast<std::uint32_t>(input_of_.size()); }
  /// Only topics with partitions and a subscriber.
  std::uint32_t topics() const { return static_cast<std::uint32_t>(first_.size()); }
  std::uint32_t partitions() const { return partitions_; }

  /// Dense numbers of a topic's partitions: [first, first + count).
  std::uint32_t first(std::uint32_t topic) const { return first_[topic]; }
  std::uint32_t count(std::uint32_t topic) const { return count_[topic]; }
  std::uint32_t topic_of(std::uint32_t partition) const { return topic_of_[partition]; }
  /// A partition's number within its topic.
  std::uint32_t number(std::uint32_t partition) const { return partition - first_[topic_of_[partition]]; }

  bool subscribed(std::uint32_t member, std::uint32_t topic) const {
    return subscribed_[static_cast<std::size_t>(member) * first_.size() + topic];
  }
  bool all_subscriptions_equal() const { return all_equal_; }

  /// What a member says it owns: known partitions, ascending, none twice; and in which generation it got
  /// them.
  const std::vector<std::uint32_t>& owned(std::uint32_t member) const { return owned_[member]; }
  std::int32_t generation(std::uint32_t member) const;

  // ---- racks (AbstractPartitionAssignor) ----
  /// Whether racks make a difference to these members and partitions [first, first + count): some rack has both, and not every
  /// rack has all partitions (useRackAwareAssignment).
  bool racks_count(std::span<const std::uint32_t> members, std::uint32_t first, std::uint32_t count) const;
  /// The member tells no rack, or the partition has a replica there.
  bool rack_matches(std::uint32_t member, std::uint32_t partition) const {
    return rack_[member] == kNoRack || has_replica_in(partition, rack_[member]);
  }
  /// It tells one, and the partition has a replica there.
  bool in_rack_of(std::uint32_t member, std::uint32_t partition) const {
    return rack_[member] != kNoRack && has_replica_in(partition, rack_[member]);
  }
  /// How many members are in a rack of the partition, counted for each of its racks.
  std::uint32_t members_near(std::uint32_t partition) const;

  /// Ranks in the order of range and round robin: static members by instance id, then dynamic ones by
  /// member.id.
  std::vector<std::uint32_t> static_first() const;

  /// Back to partitions and member ids, in the order of the input.
  std::vector<SyncGroupCall::Assignment> solved(const RankedAssignment& by_rank) const;

 private:
  static constexpr std::uint32_t kNoRack = 0xffffffff;

  void read_racks(std::span<const AssignorTopic> topics);
  std::uint32_t rack_number(std::string_view name);
  bool has_replica_in(std::uint32_t partition, std::uint32_t rack) const;
  void number_topics(std::span<const AssignorTopic> topics);
  void read_subscriptions(std::span<const AssignorTopic> topics);
  std::uint32_t dense(PartitionIndex partition) const;

  struct Range {
    std::uint32_t index, end, dense;
  };

  std::span<const JoinGroupCall::Member> input_;
  std::vector<std::uint32_t> input_of_;  // rank -> place in the input
  std::vector<PartitionIndex> first_index_;
  std::vector<std::uint32_t> first_, count_, topic_of_;
  std::vector<Range> ranges_;  // by PartitionIndex
  std::vector<bool> subscribed_;
  std::vector<std::vector<std::uint32_t>> owned_;
  std::uint32_t partitions_ = 0;
  bool all_equal_ = true;
  std::vector<std::string_view> rack_names_;
  std::vector<std::uint32_t> rack_;  // by rank of the member
  std::vector<std::vector<std::uint32_t>>
      racks_;  // by partition, each once; empty where no member tells a rack
};

/// RangeAssignor.
RankedAssignment assign_range(const AssignmentProblem& problem);

/// AbstractStickyAssignor; with `cooperative` what changes its owner is withheld (CooperativeStickyAssignor). Nothing where
/// undated claims leave a partition to nobody.
std::optional<RankedAssignment> assign_sticky(const AssignmentProblem& problem, bool cooperative,
                                              Claims claims);

}  // namespace models::kafka
