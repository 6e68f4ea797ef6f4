// One consumer group as its coordinator keeps it in memory: of the classic protocol, with members, votes, parked
// calls, timers; or of the consumer protocol (modern_group.hpp). Name, state and offsets are alike.
//
// The group keeps its own books straight (who waits, who is pending, which protocols all support); what
// happens when is decided by GroupCoordinator. Members are held in order of member.id, and wherever Kafka
// picks "any" member the first is picked. Source: ClassicGroup.java, ClassicGroupMember.java,
// ClassicGroupState.java.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/kafka/group/committed_offsets.hpp"
#include "models/kafka/group/name_index.hpp"
#include "models/kafka/group/offsets_store.hpp"
#include "models/kafka/protocol.hpp"
#include "sim/simulation.hpp"
#include "sim/timer.hpp"

namespace models::kafka {

/// The numbers in group_state records.
enum class GroupState : std::uint8_t {
  empty,                 ///< no members; lives on while it has offsets
  preparing_rebalance,   ///< waits for members to join
  completing_rebalance,  ///< waits for the leader's assignment
  stable,
  dead,  ///< forgotten, or not loaded yet
  // Of the consumer protocol (KIP-848), besides empty, stable and dead:
  assigning,    ///< its target is older than its members
  reconciling,  ///< some member has not been taken to the target
};
/// "Empty", "PreparingRebalance", … as Kafka writes them.
std::string_view group_state_name(GroupState state);
/// The arrows of the classic state machine.
bool may_follow(GroupState before, GroupState after);

class Group;
class ModernGroup;
struct GroupMember;

/// Who hears of a group's timers.
class GroupTimers {
 public:
  virtual void session_expired(Group& group, GroupMember& member) = 0;
  /// Someone who was given a member.id has not come back with it.
  virtual void pending_expired(Group& group, const std::string& member_id) = 0;
  virtual void join_due(Group& group) = 0;
  virtual void sync_due(Group& group) = 0;
  virtual void retention_due(Group& group) = 0;
  virtual void modern_session_expired(Group& group, const std::string& member_id) = 0;
  /// A member has not confirmed in time that it has given up what it should, at this epoch.
  virtual void modern_revocation_expired(Group& group, const std::string& member_id, std::int32_t epoch) = 0;

 protected:
  ~GroupTimers() = default;
};

struct GroupMember {
  GroupMember(sim::Simulation& simulation, GroupTimers& timers, Group& group);

  bool is_static() const { return !instance_id.empty(); }
  /// A new member is not heard of until its first generation is complete: its join may time out. Others that
  /// wait for an answer cannot send heartbeats and are spared.
  bool heartbeat_satisfied() const { return !is_new && (join || sync); }
  /// The same request again: its answer must have been lost.
  bool matches(const JoinGroupCall& call) const;

  std::string id;
  std::string instance_id;
  std::string_view client_id{};  ///< as in JoinGroupCall
  EntityId entity{};
  sim::Duration session_timeout{};
  sim::Duration rebalance_timeout{};
  std::vector<std::string> protocols;  ///< assignors, most preferred first
  Subscription subscription;
  std::vector<PartitionIndex> assignment;
  Ref<JoinGroupCall> join;  ///< parked until the join phase is complete
  Ref<SyncGroupCall> sync;  ///< parked until the leader's assignment is stored
  bool is_new = false;
  bool sync_expected = false;
  std::shared_ptr<const GroupMetadata::Member>
      record;  ///< for the log; null when something in it has changed
  sim::Timer session;
};

class Group {
 public:
  using Members = std::map<std::string, GroupMember, std::less<>>;

  Group(sim::Simulation& simulation, GroupTimers& timers, std::string name, EntityId entity);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group();

  const std::string name;
  const EntityId entity;

  // ---- state ------------------------------------------------------------------------------------------------------
  GroupState state = GroupState::empty;
  GroupState previous_state = GroupState::dead;
  sim::Time state_since{};
  std::int32_t generation = 0;
  bool had_members = false;  ///< Kafka: the protocol type is known
  std::string protocol;      ///< the assignor of this generation
  std::string leader;        ///< member.id, empty without members
  CommittedOffsets offsets;
  std::vector<PendingTxnOffset> pending_offsets;  ///< of open transactions, in order of their records

  /// Set for a group of the consumer protocol: its members and timers are there, and none of the classic ones here; its
  /// epoch is the generation.
  std::unique_ptr<ModernGroup> modern;
  void become_modern();
  void become_classic();

  bool is(GroupState s) const { return state == s; }
  /// A rebalance may begin.
  bool can_rebalance() const { return may_follow(state, GroupState::preparing_rebalance); }

  // ---- members ----------------------------------------------------------------------------------------------------
  /// Fields of a member that are in the log are changed by this group alone.
  Members& members() { return members_; }
  const Members& members() const { return members_; }
  GroupMember* find(std::string_view member_id);
  bool is_leader(const GroupMember& member) const { return leader == member.id; }
  /// The member.id that holds this instance id, or nullptr.
  const std::string* static_member(std::string_view instance_id) const;
  /// none, unknown_member_id or fenced_instance_id.
  ErrorCode validate(std::string_view member_id, std::string_view instance_id);

  /// A new member from its join, which is not parked yet.
  GroupMember& add(const std::string& member_id, const JoinGroupCall& call);
  /// A member as the log has it.
  GroupMember& restore(const GroupMetadata::Member& record);
  /// Takes over what the join says anew.
  void update(GroupMember& member, const JoinGroupCall& call);
  /// Forgets the member or pending member of that id, calls it had parked unanswered.
  void remove(const std::string& member_id);
  void assign(GroupMember& member, std::vector<PartitionIndex> partitions);
  /// The member goes on under a new id, which it was given at a join with its instance id.
  void rename(GroupMember& member, const std::string& new_id);
  /// The longest time that a member wants to be waited for.
  sim::Duration rebalance_timeout() const;

  // ---- the join phase ---------------------------------------------------------------------------------------------
  void add_pending(const std::string& member_id, sim::Duration timeout);
  bool is_pending(std::string_view member_id) const { return pending_.find(member_id) != pending_.end(); }
  bool pending_timer_armed(std::string_view member_id) const;
  void park(GroupMember& member, Ref<JoinGroupCall> call);
  /// Empty when none was parked.
  Ref<JoinGroupCall> unpark(GroupMember& member);
  std::size_t awaiting_join() const { return awaiting_join_; }
  bool all_joined() const { return awaiting_join_ == members_.size() && pending_.empty(); }
  /// Keeps or moves the leadership to a member that has joined; false when there is none.
  bool elect_joined_leader();

  bool supports(const std::vector<std::string>& protocols) const;
  /// Each member votes for its first choice among those that all support; ties go to the first by name.
  std::string select_protocol() const;
  /// For the leader.
  std::vector<JoinGroupCall::Member> joined_members() const;

  // ---- the sync phase ---------------------------------------------------------------------------------------------
  void expect_sync(GroupMember& member, bool expected);
  void expect_no_sync();
  bool all_synced() const { return syncs_expected_ == 0; }

  /// For the log.
  std::shared_ptr<GroupMetadata> metadata();

  // ---- timers -----------------------------------------------------------------------------------------------------
  bool initial_delay = false;  ///< the join timer counts the delay of a group that was empty
  bool new_member_added = false;
  sim::Duration initial_step{};       ///< how long it was last armed for
  sim::Duration initial_remaining{};  ///< what may still be added to it
  sim::Timer join_timer;
  sim::Timer sync_timer;
  sim::Timer retention_timer;

 private:
  struct Pending {
    Pending(sim::Simulation& simulation, GroupTimers& timers, Group& group, std::string member_id);
    std::string id;
    sim::Timer timer;
  };

  GroupMember& emplace(const std::string& member_id, const std::string& instance_id);
  void count_protocols(const GroupMember& member, int by);

  sim::Simulation& simulation_;
  GroupTimers& timers_;
  Members members_;
  NameIndex<GroupMember> by_id_;
  std::map<std::string, std::string, std::less<>> static_members_;  // instance id -> member.id
  std::map<std::string, Pending, std::less<>> pending_;
  std::map<std::string, std::size_t, std::less<>> supporters_;  // protocol -> members
  std::size_t awaiting_join_ = 0;
  std::size_t syncs_expected_ = 0;
};

}  // namespace models::kafka
