// A member's side of its group: the coordinator and where it is, and what every group protocol answers of a membership.
//
// There are two protocols (group.protocol). Under both a member is taken from one assignment to the next inside poll()
// only, and heartbeats do not depend on poll(); a member whose application has not called poll() for max.poll.interval.ms
// leaves. How members join, learn their assignment and are thrown out is the protocol's: ClassicMembership,
// ConsumerMembership.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/kafka/consumer/connections.hpp"
#include "models/kafka/consumer/group.hpp"
#include "models/kafka/metadata.hpp"
#include "models/kafka/timer_clock.hpp"

namespace models::kafka {

/// The member that a Membership serves.
class MembershipOwner {
 public:
  virtual ~MembershipOwner() = default;
  virtual bool inside_poll() const = 0;
  /// The coordinator was found, a step of a rebalance is done, or one is needed: poll() or a commit may go on.
  virtual void membership_changed() = 0;

  // ---- the classic protocol ----
  /// What is told to the assignor.
  virtual void describe(Subscription& subscription) const = 0;
  /// Deals with what is held before a join (onJoinPrepare). False while a commit comes first.
  virtual bool prepare_rejoin() = 0;
  enum class Taken : std::uint8_t { not_yet, as_it_was, to_join_again };
  /// Takes up assigned(); not yet while a commit comes first.
  virtual Taken take_assignment() = 0;

  // ---- the consumer protocol ----
  /// Gives up what is not in `target` and takes up what is new in it. False while a commit comes first.
  virtual bool reconcile(const std::vector<PartitionIndex>& target) = 0;
  /// The member is none any more: what it held is lost (onPartitionsLost).
  virtual void lose_assignment() = 0;
};

enum class MemberState : std::uint8_t {
  unjoined,
  preparing_rebalance,   ///< classic: JoinGroup is under way
  completing_rebalance,  ///< classic: SyncGroup is under way
  stable,
  // Of the consumer protocol (MemberState.java), besides unjoined (UNSUBSCRIBED) and stable:
  joining,        ///< its first heartbeat is due, or under way
  reconciling,    ///< poll() is to take it to its new assignment
  acknowledging,  ///< poll() has done so, and the next heartbeat says it
  fenced,         ///< thrown out: poll() gives up what it held, then it joins again
  stale,          ///< it left, because poll() had not been called: likewise
  fatal,
};

class Membership {
 public:
  enum class Progress : std::uint8_t {
    ready,    ///< poll() may go on
    waiting,  ///< membership_changed() says when to look again
    ended,    ///< fatal_error() ends the application
  };

  Membership(ConsumerGroup& group, Node& node, std::string instance_id, Connections& connections,
             Metadata& metadata, MembershipOwner& owner);
  virtual ~Membership() = default;
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  virtual void start();
  /// A crash, or the end of a clean close.
  virtual void forget();

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
  /// Or member epoch; -1 of no member.
  std::int32_t generation() const { return generation_; }
  const std::string& member_id() const { return member_id_; }
  const std::string& instance_id() const { return instance_id_; }
  bool is_static() const { return !instance_id_.empty(); }
  /// The group has let this member go, or it has left: what it held is lost.
  bool is_out() const { return generation_ < 0 || member_id_.empty(); }
  bool rebalancing() const {
    return state_ == MemberState::preparing_rebalance || state_ == MemberState::completing_rebalance;
  }
  /// In the group, with nothing of a rebalance left to do.
  virtual bool settled() const = 0;
  /// Has asked to join, and the application has not heard the end of that rebalance (TaskManager.rebalanceInProgress).
  virtual bool mid_rebalance() const { return !settled(); }
  /// The assignment to be taken up, or taken up last.
  const std::vector<PartitionIndex>& assigned() const { return assigned_; }
  /// The metadata were read again: topics may have come to have more partitions.
  virtual void partitions_seen() {}
  ErrorCode fatal_error() const { return fatal_; }

  // ---- the application's thread ----
  virtual void entered_poll() = 0;
  virtual void left_poll() = 0;
  /// Inside poll(): does what is due of a rebalance.
  virtual Progress advance() = 0;
  /// poll() does not hand out records while the coordinator is unknown.
  virtual bool poll_needs_coordinator() const = 0;

  // ---- offsets ----
  /// Whether a commit would be sent at all.
  virtual ErrorCode may_commit() const = 0;
  /// Draws the conclusions from a commit's error; returns it as the application sees it.
  virtual ErrorCode commit_failed(ErrorCode error, const OffsetCommitCall& call) = 0;
  /// Says who asks for committed offsets.
  virtual void sign(OffsetFetchCall& call) const = 0;

  // ---- leaving ----
  /// Tells the coordinator that the member goes, as its protocol has it; forgets the membership in any case. True when a
  /// request was sent: membership_changed() runs when it has been answered.
  virtual bool leave() = 0;
  bool leaving() const { return leaving_; }
  /// After leave(): the member is to become one again, by what poll() does next (unsubscribe() and subscribe()).
  virtual void join_again() {}
  /// The heartbeat thread ends: close.
  virtual void stop_heartbeats() = 0;

 protected:
  virtual void coordinator_found() = 0;
  virtual void coordinator_lost() = 0;
  void report(MemberCode code);

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
  MemberState state_ = MemberState::unjoined;
  std::int32_t generation_ = -1;
  std::string member_id_;
  std::vector<PartitionIndex> assigned_;
  ErrorCode fatal_ = ErrorCode::none;
  bool leaving_ = false;
  StepCell& heartbeat_step_;
  sim::Stream jitter_;
  TimerClock clock_;  ///< of sessions, heartbeats and max.poll.interval.ms

 private:
  void look_up();
  void on_found(BrokerId from, Ref<FindCoordinatorCall> call);
  void group_connection_changed(BrokerId broker);

  bool looking_up_ = false;
  std::uint32_t lookups_failed_ = 0;
  sim::Time lookup_not_before_{};
  NodeTimer<std::function<void()>> lookup_timer_;
};

/// As group.protocol says.
std::unique_ptr<Membership> make_membership(ConsumerGroup& group, Node& node, std::string instance_id,
                                            Connections& connections, Metadata& metadata,
                                            MembershipOwner& owner);

}  // namespace models::kafka
