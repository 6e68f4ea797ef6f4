// A member's side of the classic group protocol: finding the coordinator, joining, synchronising, heartbeats,
// leaving (AbstractCoordinator.java, Heartbeat.java).
//
// Two threads of a Kafka consumer meet here. The application's thread joins, and does so only inside poll(): a group that
// rebalances waits for members that are processing. The heartbeat thread is independent of it: it sends heartbeats, looks
// for a lost coordinator, and leaves the group when poll() has not been called for max.poll.interval.ms (a static member
// merely falls silent, KIP-345).
//
// Model: the heartbeat thread acts exactly when something is due; Kafka's looks every retry.backoff.ms (100 ms), so that
// what it does comes up to 100 ms later. Answers are handled as they arrive, except JoinGroup's, which wait for poll():
// while a member waits to be let in its heartbeat thread sleeps, and nobody reads the socket.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/kafka/consumer/connections.hpp"
#include "models/kafka/consumer/group.hpp"
#include "models/kafka/metadata.hpp"

namespace models::kafka {

/// The member that a Membership serves.
class MembershipOwner {
 public:
  virtual ~MembershipOwner() = default;
  virtual bool inside_poll() const = 0;
  /// What is told to the assignor.
  virtual void describe(Subscription& subscription) const = 0;
  /// The coordinator was found, a step of a rebalance is done, or one is needed: poll() or a commit may go on.
  virtual void membership_changed() = 0;
};

enum class MemberState : std::uint8_t { unjoined, preparing_rebalance, completing_rebalance, stable };

class Membership {
 public:
  enum class Join : std::uint8_t {
    pending,  ///< membership_changed() will say when to ask again
    joined,   ///< assigned() is new; call joined_complete() once it has been taken up
    retry,    ///< look at everything again, at once
    fatal,    ///< fatal_error() ends the application
  };

  Membership(ConsumerGroup& group, Node& node, std::string instance_id, Connections& connections,
             Metadata& metadata, MembershipOwner& owner);

  void start();
  /// A crash, or the end of a clean close.
  void forget();

  // ---- the coordinator ----
  bool coordinator_known() const { return coordinator_ != kNoBroker; }
  /// The connection to it, or null. Asks for its whereabouts when they are unknown.
  RpcChannel* coordinator();
  /// `from` answered that it is not the coordinator, or was cut off: another look-up follows.
  void lose_coordinator(BrokerId from, bool disconnect);
  /// Any good answer: the next look-up, should one be needed, is made at once.
  void coordinator_answered() { lookups_failed_ = 0; }

  // ---- state ----
  MemberState state() const { return state_; }
  std::int32_t generation() const { return generation_; }
  const std::string& member_id() const { return member_id_; }
  const std::string& instance_id() const { return instance_id_; }
  bool is_static() const { return !instance_id_.empty(); }
  /// The group has let this member go, or it has left: what it held is lost.
  bool is_out() const { return generation_ < 0 || member_id_.empty(); }
  bool rebalancing() const {
    return state_ == MemberState::preparing_rebalance || state_ == MemberState::completing_rebalance;
  }
  /// Generation and member id as `call` sent them: its error concerns the present membership.
  template <class CallT>
  bool unchanged_since(const CallT& call) const {
    return call.generation == generation_ && call.member_id == member_id_;
  }

  // ---- the application's thread ----
  void entered_poll();
  void left_poll();
  bool rejoin_needed_or_pending() const { return rejoin_needed_ || join_pending_; }
  void request_rejoin() { rejoin_needed_ = true; }
  /// True once before each rebalance: what is held must be dealt with (onJoinPrepare), then prepared() called.
  bool needs_prepare() const { return needs_prepare_; }
  void prepared() { needs_prepare_ = false; }
  /// Sends JoinGroup, or says how far the one under way has come.
  Join advance_join();
  const std::vector<PartitionIndex>& assigned() const { return assigned_; }
  void joined_complete();
  /// The metadata were read again: the leader of a group rejoins where a topic has come to have more partitions than it has
  /// assigned (ConsumerCoordinator.rejoinNeededOrPending: assignmentSnapshot).
  void partitions_seen();
  ErrorCode fatal_error() const { return fatal_; }

  /// Tells the coordinator that a dynamic member goes; forgets the membership in any case. True when a request was sent:
  /// membership_changed() runs when it has been answered.
  bool leave();
  bool leaving() const { return leaving_; }
  /// The heartbeat thread ends: close.
  void stop_heartbeats();
  /// `error` says that this member is none: a new one begins (ILLEGAL_GENERATION keeps the member id).
  void fenced(ErrorCode error);
  /// FENCED_INSTANCE_ID: another instance runs under the same name.
  void fenced_for_good();

 private:
  void look_up();
  void on_found(BrokerId from, Ref<FindCoordinatorCall> call);
  void group_connection_changed(BrokerId broker);

  void send_join();
  void on_join(BrokerId from, Ref<JoinGroupCall> call);
  void take_join(BrokerId from, Ref<JoinGroupCall> call);
  void become_member(JoinGroupCall& call);
  void send_sync(const JoinGroupCall& joined);
  std::int32_t known_partitions(TopicIndex topic) const;
  void on_sync(BrokerId from, Ref<SyncGroupCall> call);
  void finish_join(Join outcome);
  void retry_join_later();
  void reset(bool forget_member_id);

  bool heartbeats_enabled() const {
    return state_ == MemberState::completing_rebalance || state_ == MemberState::stable;
  }
  void arm_heartbeat();
  void heartbeat_due();
  void send_heartbeat();
  void on_heartbeat(BrokerId from, Ref<HeartbeatCall> call);
  void heartbeat_failed();
  void on_left(BrokerId from, Ref<LeaveGroupCall> call);
  void report(MemberCode code);
  void report_joining();

  ConsumerGroup& group_;
  const ConsumerConfig& config_;
  Cluster& cluster_;
  Context& context_;
  Node& node_;
  std::string instance_id_;
  Connections& connections_;
  Metadata& metadata_;
  MembershipOwner& owner_;

  bool running_ = false;
  BrokerId coordinator_ = kNoBroker;
  bool looking_up_ = false;
  std::uint32_t lookups_failed_ = 0;
  sim::Time lookup_not_before_{};

  MemberState state_ = MemberState::unjoined;
  std::int32_t generation_ = -1;
  std::string member_id_;
  std::string protocol_;
  bool rejoin_needed_ = true;
  bool needs_prepare_ = true;
  bool joining_reported_ = false;
  bool join_pending_ = false;
  std::optional<Join> join_outcome_;
  sim::Time join_not_before_{};
  Ref<JoinGroupCall> held_join_;  // arrived while the application was not inside poll()
  BrokerId held_from_ = kNoBroker;
  std::vector<PartitionIndex> assigned_;
  std::vector<std::int32_t>
      assigned_counts_;  // partitions of each topic, as the leader has assigned them; else empty
  ErrorCode fatal_ = ErrorCode::none;
  bool leaving_ = false;

  sim::Time next_heartbeat_{};
  sim::Time session_deadline_{};
  sim::Time poll_deadline_ = sim::kNever;  // never while inside poll()
  std::uint32_t heartbeats_failed_ = 0;
  bool heartbeats_stopped_ = false;
  StepCell& heartbeat_step_;

  sim::Stream jitter_;
  NodeTimer<std::function<void()>> lookup_timer_;
  NodeTimer<std::function<void()>> join_timer_;
  NodeTimer<std::function<void()>> heartbeat_timer_;
};

}  // namespace models::kafka
