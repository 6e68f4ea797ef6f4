// A member's side of the classic group protocol: joining, synchronising, heartbeats, leaving (AbstractCoordinator.java,
// Heartbeat.java).
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

#include "models/kafka/consumer/membership.hpp"

namespace models::kafka {

class ClassicMembership final : public Membership {
 public:
  ClassicMembership(ConsumerGroup& group, Node& node, std::string instance_id, Connections& connections,
                    Metadata& metadata, MembershipOwner& owner);

  void forget() override;
  bool settled() const override { return state_ == MemberState::stable && !rejoin_needed_or_pending(); }
  bool mid_rebalance() const override { return join_pending_; }

  /// The leader of a group rejoins where a topic has come to have more partitions than it has assigned
  /// (ConsumerCoordinator.rejoinNeededOrPending: assignmentSnapshot).
  void partitions_seen() override;

  void entered_poll() override;
  void left_poll() override;
  Progress advance() override;
  bool poll_needs_coordinator() const override { return true; }

  /// generationIfStable: outside of a stable membership the commit fails without being sent.
  ErrorCode may_commit() const override;
  ErrorCode commit_failed(ErrorCode error, const OffsetCommitCall& call) override;
  void sign(OffsetFetchCall&) const override {}

  bool leave() override;
  void stop_heartbeats() override;

 private:
  enum class Join : std::uint8_t {
    pending,  ///< membership_changed() will say when to ask again
    joined,   ///< assigned() is new; call joined_complete() once it has been taken up
    retry,    ///< look at everything again, at once
    fatal,    ///< fatal_error() ends the application
  };

  void coordinator_found() override;
  void coordinator_lost() override { heartbeat_timer_.disarm(); }
  bool rejoin_needed_or_pending() const { return rejoin_needed_ || join_pending_; }
  void request_rejoin() { rejoin_needed_ = true; }
  void joined_complete();
  /// Sends JoinGroup, or says how far the one under way has come.
  Join advance_join();
  /// Generation and member id as `call` sent them: its error concerns the present membership.
  template <class CallT>
  bool unchanged_since(const CallT& call) const {
    return call.generation == generation_ && call.member_id == member_id_;
  }
  /// `error` says that this member is none: a new one begins (ILLEGAL_GENERATION keeps the member id).
  void fenced(ErrorCode error);
  /// FENCED_INSTANCE_ID: another instance runs under the same name.
  void fenced_for_good();

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
  void report_joining();

  std::string protocol_;
  bool rejoin_needed_ = true;
  bool needs_prepare_ = true;  // once before each rebalance: what is held must be dealt with
  bool joining_reported_ = false;
  bool join_pending_ = false;
  std::optional<Join> join_outcome_;
  sim::Time join_not_before_{};
  Ref<JoinGroupCall> held_join_;  // arrived while the application was not inside poll()
  BrokerId held_from_ = kNoBroker;
  std::vector<std::int32_t>
      assigned_counts_;  // partitions of each topic, as the leader assigned them; else empty

  sim::Time next_heartbeat_{};
  sim::Time session_deadline_{};
  sim::Time poll_deadline_ = sim::kNever;  // never while inside poll()
  std::uint32_t heartbeats_failed_ = 0;
  bool heartbeats_stopped_ = false;

  NodeTimer<std::function<void()>> join_timer_;
  NodeTimer<std::function<void()>> heartbeat_timer_;
};

}  // namespace models::kafka
