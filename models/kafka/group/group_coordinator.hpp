// The group coordinator of a broker: the classic group protocol, the consumer protocol (KIP-848) and committed offsets,
// for the groups whose partition of __consumer_offsets this broker leads.
//
// Files: group_coordinator.cpp loads and unloads, and waits for the log; group_join.cpp runs rebalances;
// group_session.cpp answers sync, heartbeat and leave and runs the sessions; group_offsets.cpp commits,
// fetches and expires offsets; modern_heartbeat.cpp is the consumer protocol. Sources:
// GroupMetadataManager.java, OffsetMetadataManager.java,
// GroupCoordinatorService.java, CoordinatorRuntime.java (Apache Kafka 4.0). Where the table of states in
// ClassicGroupState.java and the code differ the code is followed: a heartbeat in CompletingRebalance is
// answered without an error and re-arms the session.
//
// What survives. A generation (with its assignments) and each commit are records of the offsets partition; a
// commit counts, is answered and is traced (`committed`) once the high watermark has passed its record. A new
// leader loads what its log holds (OffsetsStore): groups with members are Stable again in their last stored
// generation and all sessions start afresh; rebalances under way, pending members and parked calls are gone.
// Timers are lost in a crash.
//
// Trace: what only the coordinator knows. group_state at every transition (numbers of GroupState), also when
// a group is loaded (from Dead); member_state evicted; committed. What members are told they report
// themselves (joined, left, fenced, commit_refused), when they learn of it.
//
// Model: loading takes no time (no COORDINATOR_LOAD_IN_PROGRESS); protocol type is always "consumer"; offsets
// of a Stable group's abandoned topics do not expire; a member.id ends in 64 random bits where Kafka puts a
// UUID, so among dynamic members of one group the order of member ids says nothing, as with Kafka's default
// client ids.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "models/kafka/group/coordinator_host.hpp"
#include "models/kafka/group/group.hpp"
#include "models/kafka/group/offsets_store.hpp"
#include "sim/random.hpp"

namespace models::kafka {

class GroupCoordinator final : private GroupTimers {
 public:
  explicit GroupCoordinator(CoordinatorHost& host);
  GroupCoordinator(const GroupCoordinator&) = delete;
  GroupCoordinator& operator=(const GroupCoordinator&) = delete;
  ~GroupCoordinator();

  /// This broker now leads `partition`: its groups are loaded from what the log holds below `log_end`.
  void elected(PartitionIndex partition, LeaderEpoch epoch, Offset log_end);
  /// It no longer does: everything that waits is answered NOT_COORDINATOR. No effect when it did not.
  void resigned(PartitionIndex partition);
  /// The process died: everything is forgotten, nothing is answered.
  void crashed();
  /// The end of CoordinatorHost::append.
  void appended(std::uint64_t token, ErrorCode error);
  /// What CoordinatorHost::append has taken, from that of token `first` on, will never be in the log, which ends at `log_end`.
  void refused(PartitionIndex partition, std::uint64_t first, Offset log_end);

  /// Requires coordinated_group(call).
  void receive(AnyCall call);
  void receive(Ref<FindCoordinatorCall> call);
  void receive(Ref<JoinGroupCall> call);
  void receive(Ref<SyncGroupCall> call);
  void receive(Ref<HeartbeatCall> call);
  void receive(Ref<LeaveGroupCall> call);
  void receive(Ref<OffsetCommitCall> call);
  void receive(Ref<OffsetFetchCall> call);
  void receive(Ref<ConsumerGroupHeartbeatCall> call);
  /// The broker has asked the transaction coordinator already.
  void receive(Ref<TxnOffsetCommitCall> call);
  /// Writes the marker of the call's item to a partition of __consumer_offsets: what its transaction holds of offsets is
  /// committed, or forgotten, once that is replicated.
  void end_transaction(const Ref<WriteTxnMarkersCall>& call, std::uint32_t index);

  /// The group as this coordinator has it, or nullptr. For invariants and tests.
  const Group* group(std::string_view name) const;

  /// New members wait at most so long for their first generation (GroupCoordinatorConfig: 5 minutes).
  static constexpr sim::Duration kNewMemberJoinTimeout = std::chrono::minutes{5};

 private:
  /// A static member took over under a new id; what to go back to if that cannot be stored.
  struct Takeover {
    std::string new_id;
    std::string old_id;
    EntityId old_entity{};
    std::vector<std::string> old_protocols;
    Subscription old_subscription;
    sim::Duration old_session_timeout{};
    sim::Duration old_rebalance_timeout{};
  };
  /// The leader's assignments are on their way into the log.
  struct Assigning {
    std::shared_ptr<const GroupMetadata> metadata;
  };
  /// A commit that was answered with an error because it took too long; it still counts when it gets through.
  using LateCommit = std::vector<CommittedOffset>;
  /// The marker of one item of a call.
  struct MarkerWrite {
    Ref<WriteTxnMarkersCall> call;
    std::uint32_t index = 0;
  };
  using Follow =
      std::variant<std::monostate, Ref<OffsetCommitCall>, Ref<OffsetFetchCall>, Ref<LeaveGroupCall>,
                   Ref<TxnOffsetCommitCall>, MarkerWrite, std::unique_ptr<Assigning>,
                   std::unique_ptr<Takeover>, std::unique_ptr<LateCommit>, Ref<ConsumerGroupHeartbeatCall>>;
  /// Something that waits for the high watermark; reads wait for all writes before them (token 0).
  struct Waiting {
    std::uint64_t token = 0;
    Offset end = 0;
    Group* group = nullptr;
    sim::Time since{};
    Follow then;
    bool done = false;
    bool timed_out = false;
  };
  struct Shard {
    Shard(GroupCoordinator& coordinator, PartitionIndex of, LeaderEpoch leader_epoch);
    PartitionIndex partition;
    LeaderEpoch epoch;
    std::map<std::string, Group, std::less<>> groups;
    std::deque<Waiting> waiting;
    sim::Timer write_timer;  ///< offsets.commit.timeout.ms of the oldest
  };

  // ---- finding (group_coordinator.cpp) ----
  Shard* shard_of(std::string_view group_name);
  static Group* find(Shard& shard, std::string_view name);
  Group& create(Shard& shard, const std::string& name);
  Group* find_loaded(std::string_view name);

  // ---- loading, waiting for the log ----
  void load(Shard& shard);
  void load_group(Shard& shard, const LoadedGroup& loaded);
  /// False when the log refuses; `then` is left alone. Otherwise it follows when the high watermark has
  /// passed the records.
  bool begin_write(Shard& shard, Group* group, std::int32_t records, std::int32_t bytes, Follow& then,
                   Offset& end, bool transactional = false);
  bool write_metadata(Shard& shard, Group& group, std::shared_ptr<const GroupMetadata> metadata,
                      Follow& then);
  bool write_metadata(Shard& shard, Group& group, std::shared_ptr<const GroupMetadata> metadata);
  /// `then` follows when what is being written now has been stored: at once when that is nothing.
  void after_writes(Shard& shard, Group* group, Follow then);
  void drain(Shard& shard);
  void follow(Shard& shard, Group* group, sim::Time since, Follow& then, ErrorCode error);
  void time_out_writes(Shard& shard);
  void answer_not_coordinator(Group& group);

  // ---- rebalances (group_join.cpp) ----
  void join(Shard& shard, Group& group, Ref<JoinGroupCall> call);
  bool accepts(Group& group, const JoinGroupCall& call);
  void join_new_member(Shard& shard, Group& group, Ref<JoinGroupCall> call);
  void join_known_member(Shard& shard, Group& group, GroupMember& member, Ref<JoinGroupCall> call);
  void add_member(Shard& shard, Group& group, const std::string& member_id, Ref<JoinGroupCall> call);
  void update_member(Shard& shard, Group& group, GroupMember& member, Ref<JoinGroupCall> call);
  void take_over(Shard& shard, Group& group, GroupMember& member, const std::string& new_id,
                 Ref<JoinGroupCall> call);
  void taken_over(Group& group, Takeover& takeover, ErrorCode error);
  void prepare_or_complete(Shard& shard, Group& group);
  void prepare_rebalance(Shard& shard, Group& group);
  void complete_join_when_all_joined(Shard& shard, Group& group);
  void complete_join(Shard& shard, Group& group);
  void begin_generation(Shard& shard, Group& group);
  void answer_join(Group& group, GroupMember& member, bool skip_assignment, const std::string& leader);
  void fail_join(Group& group, GroupMember& member, ErrorCode error, const std::string& member_id);
  void answer_current(Group& group, GroupMember& member, Ref<JoinGroupCall> call, const std::string& leader);
  std::string new_member_id(const Group& group, const JoinGroupCall& call);

  // ---- sync, heartbeat, leave, sessions (group_session.cpp) ----
  void assign(Shard& shard, Group& group, GroupMember& leader);
  void assigned(Shard& shard, Group& group, const GroupMetadata& metadata, ErrorCode error);
  void propagate_assignments(Group& group, ErrorCode error);
  void sync_received(Group& group, GroupMember& member);
  void forget_member(Group& group, GroupMember& member);
  void evict(Group& group, GroupMember& member);
  void restart_session(GroupMember& member) { member.session.arm_after(member.session_timeout); }

  // ---- the consumer protocol (modern_heartbeat.cpp) ----
  /// A group as it is to become, and how many records say so.
  struct Change {
    std::shared_ptr<ModernGroupImage> image;
    std::int32_t records = 0;
  };
  /// What differs between consumer groups and share groups.
  struct ModernSettings {
    sim::Duration session_timeout, heartbeat_interval, assignment_interval;
    std::int32_t max_size;
  };
  ModernSettings settings_of(bool share, std::string_view group);
  void heartbeat_modern(Shard& shard, Group* group, Ref<ConsumerGroupHeartbeatCall> call);
  ErrorCode admit_modern(Change& change, const ConsumerGroupHeartbeatCall& call, std::int32_t max_size);
  std::int32_t count_partitions(const ModernGroupImage& image);
  bool topics_changed(ModernGroup& group);
  bool target_due(const ModernGroupImage& image, sim::Duration interval);
  void make_target(Change& change);
  void leave_modern(Shard& shard, Group& group, Ref<ConsumerGroupHeartbeatCall> call);
  static void remove_modern(Change& change, std::string_view member_id);
  bool fence_modern(Group& group, std::string_view member_id);
  bool write_modern(Shard& shard, Group& group, const Change& change, Follow&& then);
  Group* store_modern(Shard& shard, Group* group, Change change, Ref<ConsumerGroupHeartbeatCall> call);
  void adopt(Group& group, std::shared_ptr<const ModernGroupImage> image);
  void load_modern(Group& group, const GroupMetadata& metadata);
  void revert_modern(PartitionIndex partition, Group& group);

  // ---- offsets (group_offsets.cpp) ----
  ErrorCode may_commit(Group* group, const OffsetCommitCall& call);
  void refuse_commit(Ref<OffsetCommitCall> call, ErrorCode error);
  void apply_commit(Group& group, const CommittedOffset& commit);
  void committed(Group& group, sim::Time since, Ref<OffsetCommitCall> call);
  void answer_fetch(Group* group, Ref<OffsetFetchCall> call);
  void check_retention(Shard& shard, Group& group);
  void watch_retention(Group& group) {
    group.retention_timer.arm_after(host_.config().offsets_retention_check_interval);
  }

  // ---- transactions (group_transactions.cpp) ----
  ErrorCode may_commit(Group* group, const TxnOffsetCommitCall& call);
  static bool has_pending_offsets(const Group& group, const OffsetFetchCall& call);
  void pending_offsets_written(Group& group, sim::Time since, Ref<TxnOffsetCommitCall> call);
  void transaction_ended(Shard& shard, MarkerWrite marker);

  // ---- GroupTimers: held back while the broker is paused ----
  void session_expired(Group& group, GroupMember& member) override;
  void pending_expired(Group& group, const std::string& member_id) override;
  void join_due(Group& group) override;
  void sync_due(Group& group) override;
  void retention_due(Group& group) override;
  void modern_session_expired(Group& group, const std::string& member_id) override;
  void modern_revocation_expired(Group& group, const std::string& member_id, std::int32_t epoch) override;
  void expire_session(Group& group, GroupMember& member);
  void expire_pending(Group& group, const std::string& member_id);
  void try_complete_initial_join(Shard& shard, Group& group);
  void expire_sync(Group& group);
  template <class Due, class Work>
  void run_or_hold(const Group& group, Due still_due, Work work);

  // ---- telling ----
  void transition(Group& group, GroupState to);
  void emit_state(const Group& group, GroupState before);
  void emit_evicted(const Group& group, EntityId member);
  void emit_committed(const Group& group, const CommittedOffset& commit, Offset before);
  template <class Call>
  void reply(Ref<Call> call, ErrorCode error) {
    call->error = error;
    host_.answer(AnyCall(std::move(call)));
  }

  sim::Simulation& simulation() { return host_.context().simulation; }
  sim::Time now() { return host_.context().now(); }

  CoordinatorHost& host_;
  std::map<PartitionIndex, Shard> shards_;
  // By group; not volatile: ids never come twice.
  std::map<std::string, sim::Stream, std::less<>> member_ids_;
  std::uint64_t next_write_ = 1;
  std::vector<CommittedOffset> scratch_;
};

}  // namespace models::kafka
