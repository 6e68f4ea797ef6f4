// A member of a consumer group: a Kafka consumer and the application around it.
//
//     while (running) {
//       records = poll();            // joins and rejoins the group, finds positions, commits when due, hands out records
//       for (record : records) process(record);
//       commit, as the group's CommitMode says
//     }
//
// The parts: Membership (coordinator, joining, heartbeats), Positions (where to read), Fetcher (records), Committer (commits),
// Processor or a WorkPool (the application at work). This class is the loop: what poll() does and in which order
// (ClassicKafkaConsumer.poll, ConsumerCoordinator.poll), and what happens around a rebalance.
//
// poll() is re-entered at every event that it could be waiting for; outside of it, while the application works or waits
// for a commit, nothing of a rebalance happens and nothing is handed out, as in Kafka. An application calls poll() with a
// timeout and again at once, so that its idling never breaches max.poll.interval.ms.
//
// What the application does besides: in the manual commit modes it commits in onPartitionsRevoked what it has processed and
// not committed, retries a commit that a rebalance refused once the rebalance is over, and commits before it closes. When a
// commit fails for good (the member was fenced) the poll's work stands, done and not settled. An exception without a cure
// (fenced group.instance.id, no offset and auto.offset.reset=none) closes the consumer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "models/kafka/consumer/assignment.hpp"
#include "models/kafka/consumer/committer.hpp"
#include "models/kafka/consumer/connections.hpp"
#include "models/kafka/consumer/fetcher.hpp"
#include "models/kafka/consumer/group.hpp"
#include "models/kafka/consumer/membership.hpp"
#include "models/kafka/consumer/outlet.hpp"
#include "models/kafka/consumer/positions.hpp"
#include "models/kafka/consumer/processor.hpp"
#include "models/kafka/consumer/recorder.hpp"
#include "models/kafka/consumer/stored_offsets.hpp"
#include "models/kafka/consumer/work_pool.hpp"
#include "models/kafka/metadata.hpp"
#include "models/kafka/producer/transaction_manager.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class Consumer final : public NodeProgram,
                       private MembershipOwner,
                       private PositionsOwner,
                       private FetcherOwner,
                       private CommitterOwner,
                       private ProcessorOwner,
                       private OutletOwner,
                       private AssignmentListener {
 public:
  /// Member `index` of `group`, on `node`, whose entity is the member's. Use ConsumerGroup::add_member().
  Consumer(ConsumerGroup& group, Node& node, std::uint32_t index);

  /// Starts now; on a node that is down, when it comes back.
  void start();
  /// A clean close: the work in hand is finished, what was consumed is committed, a dynamic member leaves the group.
  void stop();
  /// Nothing fetched and not processed, nothing processed and not committed, no rebalance under way. A member that is down
  /// or closed is idle.
  bool idle() const;

  /// As LogReader says: what is fetched, or being fetched, from its position on, and what its application works on.
  Offset lowest_in_hand(PartitionIndex p) const;

  /// Started, not closed, and its node is up.
  bool running() const { return phase_ != Phase::stopped; }
  const Assignment& assignment() const { return assignment_; }
  const Node& node() const { return node_; }
  const Membership& membership() const { return membership_; }

  /// What its application can process has changed.
  void reconsider() { processor_.reconsider(); }

  // NodeProgram
  void crashed() override;
  void restarted() override;
  void paused() override;
  bool takes_time() const override { return group_.options().service.mean() > 0; }
  bool reads_wall_clock() const override { return true; }
  void slowed() override;
  void resumed() override;
  bool can_withdraw() const override { return true; }
  void take_part() override { start(); }
  void withdraw() override { stop(); }
  bool can_shut_down() const override { return true; }
  void shut_down() override { stop(); }
  void start_up() override { start(); }

 private:
  bool commits_to_come() const;
  GroupMembership group_metadata() const;
  enum class Phase : std::uint8_t {
    stopped,
    polling,       ///< inside poll()
    processing,    ///< the application works on what poll() returned
    transforming,  ///< it sends what it has made of that
    committing,    ///< inside commitSync()
    closing,
  };
  /// What the blocking commit under way is for.
  enum class CommitFor : std::uint8_t {
    nothing,
    work_ahead,
    work_done,
    record_done,
    rejoin,
    revocation,
    close
  };

  void enter(Phase phase);

  // ---- inside poll() (consumer.cpp) ----
  void turn();
  bool turn_once();
  bool coordinate();
  bool waits_for_coordinator() const;
  bool held_up_by_coordinator();
  void arm_turn_timer();
  void hand_over();
  void back_to_poll();

  // ---- rebalances (rebalance.cpp) ----
  bool prepare_rejoin() override;
  Taken take_assignment() override;
  bool reconcile(const std::vector<PartitionIndex>& target) override;
  void lose_assignment() override;
  /// What is held and not in `assigned` (ascending).
  std::vector<PartitionIndex> held_besides(const std::vector<PartitionIndex>& assigned) const;
  void take_up(const std::vector<PartitionIndex>& revoked, const std::vector<PartitionIndex>& assigned);
  bool commit_revoked();
  void lose_tasks();
  void sign();
  bool commits_before_revocation() const;
  void assignment_changed();

  // ---- the application (application.cpp) ----
  void begin_work();
  void work();
  void next_record();
  void work_done();
  void work_taken();
  void commit_work();
  void rewind();
  void restore_anew();
  void migrate();
  void commit_blocking(CommitFor why, sim::Duration limit);
  /// Runs `next` now, or when a paused node goes on.
  void when_running(void (Consumer::*next)());
  /// A Streams thread has something open: it is committed first. True when that has begun. `again_later`: if it fails.
  bool commit_open(bool again_later = false);
  /// An exception that the application does not catch: it closes its consumer and ends.
  void end_application();
  bool ready_to_close() const;
  void begin_close();
  void leave();
  void finish_close();
  void forget();

  // ---- from the parts ----
  bool inside_poll() const override { return phase_ == Phase::polling; }
  void describe(Subscription& subscription) const override;
  void membership_changed() override;
  void positions_changed() override { turn(); }
  void fetched() override { turn(); }
  void commit_finished(ErrorCode error) override;
  void processed() override;
  void transformed(TransformOutcome outcome) override;
  void assigned(PartitionIndex p) override;
  void revoked(PartitionIndex p) override;

  void add_pool();

  void report(MemberCode code);

  ConsumerGroup& group_;
  const GroupOptions& options_;
  Cluster& cluster_;
  Context& context_;
  Node& node_;
  bool cooperative_;
  bool automatic_;
  std::uint32_t index_;
  std::string rack_;  // as its assignor is told

  Phase phase_ = Phase::stopped;
  bool wanted_ = false;       // started and not stopped: it comes back after a crash
  bool start_again_ = false;  // told to take part while it closes
  bool close_asked_ = false;
  bool turning_ = false;
  bool turn_again_ = false;
  bool rejoin_commit_begun_ = false;
  bool revocation_commit_begun_ = false;
  bool commit_owed_ = false;  // a rebalance refused it
  bool commit_again_ = false;
  CommitFor commit_for_ = CommitFor::nothing;
  sim::Time poll_began_{};
  std::vector<PartitionIndex> last_assigned_;  // what a sticky assignor is told, revoked or not
  std::int32_t last_generation_ = -1;

  Connections connections_;
  Metadata metadata_;
  Assignment assignment_;
  std::unique_ptr<Membership> own_membership_;
  Membership& membership_;
  Positions positions_;
  Fetcher fetcher_;
  Committer committer_;
  Recorder recorder_;
  Processor processor_;
  std::unique_ptr<WorkPool> pool_;
  std::optional<StoredOffsets> stored_;
  std::unique_ptr<Outlet> outlet_;
  GroupMembership signature_;  // of the last complete membership (ConsumerCoordinator.groupMetadata)
  NodeTimer<std::function<void()>> turn_timer_;
  NodeTimer<std::function<void()>> close_timer_;
};

}  // namespace models::kafka
