// A member's side of the consumer protocol (KIP-848): one request, ConsumerGroupHeartbeat, by which it joins, is given its
// assignment and its epoch, says that it has taken the assignment up, and leaves (AbstractMembershipManager.java,
// ConsumerMembershipManager.java, AbstractHeartbeatRequestManager.java, ConsumerHeartbeatRequestManager.java).
//
// Heartbeats go on whatever the application does. An assignment is taken up inside poll(): until then the coordinator
// counts what is to be given up as this member's. Nobody waits for this member but those who are to get it.
//
// Model: answers are handled as they arrive and requests leave as they are due; Kafka's background thread does both in
// turns of a few milliseconds. A heartbeat that has just failed waits for its back-off also where Kafka's would leave at
// once (JOINING, ACKNOWLEDGING).
#pragma once

#include "models/kafka/consumer/membership.hpp"

namespace models::kafka {

class ConsumerMembership final : public Membership {
 public:
  ConsumerMembership(ConsumerGroup& group, Node& node, std::string instance_id, Connections& connections,
                     Metadata& metadata, MembershipOwner& owner, bool share = false);

  void start() override;
  void forget() override;
  bool settled() const override { return state_ == MemberState::stable; }

  void entered_poll() override;
  void left_poll() override;
  Progress advance() override;
  /// Records already fetched are handed out without it.
  bool poll_needs_coordinator() const override { return false; }

  /// A commit is sent in any case, without an epoch if there is none: the coordinator says what it is worth.
  ErrorCode may_commit() const override { return ErrorCode::none; }
  /// Only a heartbeat tells a member that it is none any more.
  ErrorCode commit_failed(ErrorCode error, const OffsetCommitCall&) override { return error; }
  void sign(OffsetFetchCall& call) const override;

  bool leave() override;
  void join_again() override;
  void stop_heartbeats() override;

 private:
  /// An assignment and which one it is: what is told to the coordinator is told once of each.
  struct Local {
    std::int64_t epoch = kNone;
    std::vector<PartitionIndex> partitions;
    static constexpr std::int64_t kNone = -1;
    bool is_none() const { return epoch == kNone; }
    friend bool operator==(const Local&, const Local&) = default;
  };
  /// What the coordinator has been told, and is not told again.
  struct Told {
    bool constants = false;  ///< rebalance timeout, topics, assignor
    std::optional<std::int64_t> assignment;
  };

  void coordinator_found() override { arm(); }
  void coordinator_lost() override { timer_.disarm(); }

  bool in_group() const {
    return state_ == MemberState::joining || state_ == MemberState::reconciling ||
           state_ == MemberState::acknowledging || state_ == MemberState::stable;
  }
  void arm();
  void due();
  sim::Time next_request() const;
  void send_heartbeat();
  Ref<ConsumerGroupHeartbeatCall> new_call(std::int32_t epoch);
  void fill(ConsumerGroupHeartbeatCall& call);
  void on_heartbeat(BrokerId from, Ref<ConsumerGroupHeartbeatCall> call);
  void accepted(ConsumerGroupHeartbeatCall& call);
  void failed(BrokerId from, ErrorCode error);
  void retry_after_backoff();
  void take_target(const std::vector<PartitionIndex>& assigned);
  void release_and_rejoin();
  void leave_unpolled();
  void on_left(BrokerId from, Ref<ConsumerGroupHeartbeatCall> call);
  void on_ignored(BrokerId, Ref<ConsumerGroupHeartbeatCall>) {}

  bool share_;  ///< ShareGroupHeartbeat (ShareMembershipManager.java, ShareHeartbeatRequestManager.java)
  sim::Stream ids_;
  Local target_;
  Local current_;
  std::optional<Local> reconciling_to_;  // poll() is at it
  Told told_;
  bool joined_ = false;
  const ConsumerGroupHeartbeatCall* awaited_ = nullptr;  // one is in flight at a time
  bool stopped_ = false;
  sim::Duration interval_{};
  sim::Time next_heartbeat_{};
  sim::Time retry_at_{};
  std::uint32_t failures_ = 0;
  sim::Time poll_deadline_ = sim::kNever;  // never while inside poll()
  NodeTimer<std::function<void()>> timer_;
};

}  // namespace models::kafka
