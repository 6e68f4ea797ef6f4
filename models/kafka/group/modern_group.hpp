// A group of the consumer protocol (KIP-848) as its coordinator keeps it: what is in the log, and the timers.
//
// What is in the log is one value, an image, that is never changed: a heartbeat that changes something makes another,
// which takes the place of the old one once the log has taken its records. So a record that the log refuses leaves no
// trace, as when Kafka's coordinator reverts to its last snapshot, and a new coordinator begins from the last image that
// its log holds. Sources: ConsumerGroup.java, ModernGroup.java, ConsumerGroupMember.java (modern/consumer/).
//
// Epochs. The group's rises with every change of its members or of what they subscribe to; the target's is the group epoch
// that the target was made for; a member's is that of the target it has been taken to. A partition belongs to one member
// at most: from the heartbeat that is answered with it until one that does not name it any more (checked by
// models/kafka/invariants).
//
// Model: the image is written as a whole, and its size on disk reckoned by the records that Kafka would write.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/kafka/group/copy_on_write.hpp"
#include "models/kafka/group/group.hpp"
#include "models/kafka/group/name_index.hpp"
#include "models/kafka/group/server_assignor.hpp"

namespace models::kafka {

/// ConsumerGroupHeartbeatRequest: JOIN_GROUP_MEMBER_EPOCH and its like.
inline constexpr std::int32_t kJoinEpoch = 0;
inline constexpr std::int32_t kLeaveEpoch = -1;
inline constexpr std::int32_t kStaticLeaveEpoch = -2;

/// How far a member has been taken to its target (MemberState.java).
enum class Reconciliation : std::uint8_t {
  stable,
  unrevoked_partitions,   ///< it has not confirmed yet that it has given some up
  unreleased_partitions,  ///< it waits for some that others have not given up
};

struct AssignedPartition {
  PartitionIndex partition{};
  std::int32_t epoch =
      0;  ///< the member epoch in which it was assigned: commits of older ones are stale (KIP-1251)
  friend bool operator==(const AssignedPartition&, const AssignedPartition&) = default;
};
/// In order of partition.
using AssignedPartitions = std::vector<AssignedPartition>;
const AssignedPartition* find(const AssignedPartitions& partitions, PartitionIndex p);

struct ModernMember {
  std::string id;
  std::string instance_id;
  std::string_view client_id{};  ///< as in JoinGroupCall
  EntityId entity{};
  sim::Duration rebalance_timeout{};
  std::vector<TopicIndex> topics;  ///< ascending
  std::optional<ServerAssignor> assignor;
  std::int32_t epoch = kJoinEpoch;
  std::int32_t previous_epoch = -1;
  Reconciliation state = Reconciliation::stable;
  AssignedPartitions assigned;
  AssignedPartitions pending_revocation;
  std::vector<PartitionIndex> target;  ///< ascending

  bool is_static() const { return !instance_id.empty(); }
  bool is_reconciled_to(std::int32_t target_epoch) const {
    return state == Reconciliation::stable && epoch == target_epoch;
  }
  friend bool operator==(const ModernMember&, const ModernMember&) = default;
};

struct ModernGroupImage {
  // A new group is at epoch 1 and so is its target, of nothing: the first member's join takes it to 2 (since 4.3).
  std::int32_t epoch = 1;
  std::int32_t target_epoch = 1;
  std::optional<sim::Time> target_made_at;
  std::int32_t partitions = 0;  ///< of the topics subscribed to; Kafka keeps a hash of the topics (KIP-1101)
  std::vector<CopyOnWrite<ModernMember>> members;  ///< in order of their ids
  bool share = false;  ///< a share group (KIP-932): several members may have one partition

  /// Where it stands in `members`, whose size it is when it is not there.
  std::size_t place(std::string_view id) const;
  const ModernMember* find(std::string_view id) const;
  /// The same, to be changed in this image alone.
  ModernMember* edit(std::string_view id);
  const ModernMember* find_static(std::string_view instance_id) const;
  /// What members subscribe to, ascending.
  std::vector<TopicIndex> topics() const;
  ModernMember& insert(ModernMember member);
  /// With its target and all that it held.
  void remove(std::string_view id);
  bool has_members_of(const ModernGroupImage& other) const;
  /// What `member`, one of this image's, lacks of its target because some other member holds it, still to be revoked included;
  /// ascending (currentPartitionEpoch != -1).
  std::vector<PartitionIndex> held_by_others(const ModernMember& member) const;
  /// The members' targets, in their order, for the group's epoch. Returns how many records say so: one for each member
  /// whose target is another, one for the epoch (TargetAssignmentBuilder.build).
  std::int32_t set_target(TargetAssignment target, sim::Time now);
  /// Empty, Assigning, Reconciling or Stable.
  GroupState state() const;
  /// The assignor that most members name; the first by name of several; none if nobody names one.
  std::optional<ServerAssignor> preferred_assignor() const;
  friend bool operator==(const ModernGroupImage&, const ModernGroupImage&) = default;
};

/// The next state of a member on its way to its target (CurrentAssignmentBuilder.java), or the present one when it cannot
/// move on. `owned` is what it says it holds, null when it says nothing; `held_by_others` are not to be had yet.
ModernMember reconcile(const ModernMember& member, std::int32_t target_epoch,
                       const std::vector<PartitionIndex>* owned,
                       const std::vector<PartitionIndex>& held_by_others);

/// none, fenced_member_epoch: may a member come with this epoch, and with these partitions?
ErrorCode check_member_epoch(const ModernMember& member, const ConsumerGroupHeartbeatCall& call);

class ModernGroup {
 public:
  ModernGroup(sim::Simulation& simulation, GroupTimers& timers, Group& group)
      : simulation_(simulation), timers_(timers), group_(group) {}

  const ModernGroupImage& image() const { return *image_; }
  /// Of the image; null when there is none of that id.
  const ModernMember* member(std::string_view member_id) const;
  const std::shared_ptr<const ModernGroupImage>& shared_image() const { return image_; }
  /// Timers of members that are gone go with them.
  void adopt(std::shared_ptr<const ModernGroupImage> image);

  /// The metadata in which the topics' partitions were last counted.
  std::size_t metadata_version = 0;

  /// ConsumerGroup.validateOffsetCommit, validateOffsetFetch
  /// `epoch` is the one that the member signs with.
  ErrorCode may_commit(const std::string& member_id, std::int32_t epoch,
                       std::span<const OffsetCommitCall::Item> items) const;
  /// True of the member's epoch, and of members that are not there.
  bool is_current(const std::string& member_id, std::int32_t epoch) const;
  ErrorCode may_fetch(const OffsetFetchCall& call) const;

  void restart_session(const std::string& member_id, sim::Duration timeout);
  /// To revoke within its rebalance timeout, or no more.
  void watch_revocation(const ModernMember& member);
  bool session_armed(const std::string& member_id) const;
  bool revocation_armed(const std::string& member_id) const;

 private:
  struct Timers {
    Timers(sim::Simulation& simulation, GroupTimers& timers, Group& group, const std::string& member_id);
    std::string id;         ///< the member's
    std::size_t place = 0;  ///< in the image
    std::int32_t revoking_epoch = 0;
    sim::Timer session;
    sim::Timer revocation;
  };
  Timers& timers_of(const std::string& member_id);

  sim::Simulation& simulation_;
  GroupTimers& timers_;
  Group& group_;
  std::shared_ptr<const ModernGroupImage> image_ = std::make_shared<const ModernGroupImage>();
  std::map<std::string, Timers, std::less<>> by_member_;
  NameIndex<Timers> by_id_;  ///< of the same
};

}  // namespace models::kafka
