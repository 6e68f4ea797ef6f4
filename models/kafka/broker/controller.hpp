// The controller: registers brokers, notices dead ones by their sessions, elects leaders, grants changes of the in-sync
// set, and writes all of it to a metadata log that the brokers follow.
//
// Rules: PartitionChangeBuilder.java (election), ReplicationControlManager.java (AlterPartition, fencing),
// BrokerHeartbeatManager.java (sessions), ClusterControlManager.java (registration). A session lasts
// broker.session.timeout.ms from the last heartbeat received; a process that comes back within the session of the one
// before is refused until that has ended, so that a quick restart shortens no outage.
//
// With eligible leader replicas (KIP-966) a partition also knows who has left an in-sync set that was too small to let the high
// watermark rise, and so holds all that it covers: any of them may be elected cleanly when nobody is in sync, but a broker that
// registers without having shut down cleanly leaves both sets. When both are empty the last known leader alone is elected, and
// that counts as unclean. Without, the last in-sync replica stays in the set, and leads again whatever it has lost.
//
// Controlled shutdown (BrokerHeartbeatManager.calculateNextBrokerState): a broker that wants to shut down is taken out of all
// in-sync sets and leaderships. It may end once every active broker's heartbeat has shown that it has read so much of the
// metadata log; it is then fenced at once, so that its next process is let in without delay. A broker may join an in-sync set
// only if neither fenced nor shutting down (KIP-841) and in the process that its leader knows from its fetches (broker epochs,
// KIP-903).
//
// Several controllers are a quorum (quorum/raft_voter.hpp), each on a host of its own: the one that leads it is active and
// answers; the others refuse (NOT_CONTROLLER). What it writes takes effect when a majority holds it, and what it answers waits
// for that (QuorumController.ControllerWriteEvent). A new one begins with what is committed and gives every broker a full
// session.
//
// Model: one controller alone, on a host called "controller", writes durably at once. While it is down nobody is fenced and
// nobody elected; back again it gives every broker a full session, as a newly elected one does.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "models/kafka/broker/mutation_quotas.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/quorum/metadata_log.hpp"
#include "models/kafka/quorum/metadata_writer.hpp"
#include "models/kafka/quorum/raft_voter.hpp"

namespace models::kafka {

/// Who asks for partitions: a client, or an operator (no name), who has no quota. `permissive`: MutationQuotas.
struct Asker {
  std::string client{};
  bool permissive = false;
};

class Controller final : public RpcServer, public NodeProgram, public RaftListener {
 public:
  /// The `number`th of ClusterOptions::controllers.
  Controller(Cluster& cluster, Node& node, MetadataLog& log, std::int32_t number);

  /// After MetadataLog::start().
  void start();
  void receive(AnyCall call) override;
  Node& node() { return node_; }
  /// Up, and the one that decides.
  bool active() const { return node_.up() && (writer_ == nullptr || writer_->claimed()); }
  /// Of its office, where there are several.
  std::int32_t epoch() const { return writer_ == nullptr ? 0 : writer_->epoch(); }
  /// Null where it is alone.
  const RaftVoter* raft() const { return raft_.get(); }

  // ---- of a broker that ZooKeeper may make the controller ----
  /// `writer` outlives the cluster's work.
  void use(MetadataWriter& writer) { writer_ = &writer; }
  void handle(Ref<BrokerHeartbeatCall> call);
  void handle(Ref<AlterPartitionCall> call);
  void note_alive(const std::vector<ZooKeeperCall::Alive>& alive);
  /// Some of what was written was overtaken by leaders.
  void read_again();

  // NodeProgram
  void crashed() override;
  void restarted() override;
  bool can_shut_down() const override { return raft_ != nullptr; }
  void shut_down() override;
  void start_up() override;

  // RaftListener
  void claimed() override;
  void renounced() override;
  void committed(std::size_t end) override;
  void answer(AnyCall call) override;
  void may_end() override;

  /// What it goes by, be it committed or not, is that change.
  bool uses(const MetadataChange& change) const {
    return change.partition.value < partitions_.size() &&
           partitions_[change.partition.value] == &change.state;
  }
  /// As committed.
  const PartitionState& state(PartitionIndex p) const { return log_.state(p); }
  /// How long what it asks for waits unread.
  sim::Duration muted(const Asker& asker) const;
  /// The topic exists from now on (CreateTopics). False, and nothing happens, when it does already or no broker could lead. A
  /// refusal is told (Kind::operation_refused), and true (creation.cpp).
  /// Model: the operator's or client's request takes no time.
  bool create_topic(TopicIndex topic, const Asker& asker = {});
  /// The topic has `count` partitions from now on (CreatePartitions). The same.
  bool create_partitions(TopicIndex topic, std::int32_t count, const Asker& asker = {});
  /// Begins to move the topic's replicas: partition n to target[n], target[n + 1] … (AlterPartitionReassignments,
  /// reassignment.cpp). False when nothing moves.
  bool reassign(TopicIndex topic, const std::vector<BrokerId>& target, double throttle);
  /// The preferred leader of each partition leads again, if it is alive and in sync (ElectLeaders). False when none changes.
  bool elect_preferred(TopicIndex topic);
  /// A replica that is alive leads each partition that has no leader, whatever it lacks (ElectLeaders, UNCLEAN, KIP-460). False
  /// when none changes.
  bool elect_unclean(TopicIndex topic);
  /// The topic has these settings from now on (IncrementalAlterConfigs, altering.cpp). False when there is no such topic.
  bool alter_config(TopicIndex topic, const TopicConfig& config);
  /// What was written of the topic's settings, be it committed or not.
  const TopicConfig& config(TopicIndex topic) const;
  /// The process that runs as this broker now is the one that is registered; false when it has died since.
  bool knows(BrokerId b) const { return brokers_[index(b)].incarnation == cluster_.node(b).incarnation(); }
  bool fenced(BrokerId b) const { return brokers_[index(b)].fenced; }

 private:
  struct BrokerRegistration {
    std::int64_t epoch = -1;
    std::uint32_t incarnation = 0;
    bool fenced = true;
    std::optional<std::size_t> shutdown_at{};  ///< in controlled shutdown since this end of the metadata log
    std::size_t metadata_offset = 0;           ///< how far it has read, as its last heartbeat said
    std::unique_ptr<NodeTimer<std::function<void()>>> session;
  };
  static std::size_t index(BrokerId b) { return static_cast<std::size_t>(b.value); }

  void handle(Ref<MetadataLogCall> call);
  void dispatch(AnyCall call);
  void answer_when_committed(AnyCall call);

  void watch_brokers();
  void retire();
  void tell_office(bool active);
  void fence(BrokerId b);
  void begin_shutdown(BrokerId b);
  bool may_shut_down(BrokerId b);
  bool leads_any(BrokerId b) const;
  void leave_in_sync_sets(BrokerId b);
  void unfence(BrokerId b);
  /// Brings the partition to this in-sync set: who remains eligible, who leads; writes the change, if any. `unclean` has
  /// registered after a crash (PartitionChangeBuilder.build).
  /// Who wants another in-sync set.
  enum class By : std::uint8_t { controller, leader };
  void change(PartitionIndex p, std::vector<BrokerId> isr, BrokerId unclean = kNoBroker,
              By by = By::controller);
  void retain_eligible(PartitionIndex p, PartitionState& next, BrokerId unclean) const;
  Election elect(PartitionIndex p, PartitionState& next, bool unclean_asked = false) const;
  const TopicConfig& config_of(PartitionIndex p) const { return config(cluster_.partition(p).topic); }
  std::int32_t min_insync(PartitionIndex p) const { return cluster_.min_insync(p, config_of(p)); }
  void shut_down_uncleanly(BrokerId b);
  void begin_to_end();
  bool has_elr() const { return cluster_.options().rules.has(Rule::eligible_leader_replicas); }
  bool begin_partitions(TopicIndex topic, std::int32_t from, std::int32_t to);
  bool within_quota(TopicIndex topic, const Asker& asker, std::int32_t partitions);
  void refuse(TopicIndex topic, const Asker& asker, std::int32_t partitions, RefusalCode code,
              ErrorCode error);
  void write(PartitionIndex p, PartitionState next, Election election = Election::kept);
  void write(MetadataChange change);
  void registered(BrokerId b);
  /// With what is written and not committed yet.
  const PartitionState& now(PartitionIndex p) const { return *partitions_[p.value]; }
  bool exists(PartitionIndex p) const { return now(p).exists(); }
  std::size_t end() const { return writer_ != nullptr ? writer_->end() : log_.committed(); }
  std::size_t done() const { return writer_ != nullptr ? writer_->done() : log_.committed(); }
  /// Neither fenced nor in controlled shutdown (ClusterControlManager.isActive): may lead and be in sync.
  bool active(BrokerId b) const {
    return b != kNoBroker && !brokers_[index(b)].fenced && !brokers_[index(b)].shutdown_at;
  }
  void alter_partition(const AlterPartitionCall& call, AlterPartitionCall::Item& item);
  bool eligible(const AlterPartitionCall& call, const AlterPartitionCall::Item& item) const;
  bool bumps_on_shrink(By by) const {
    if (cluster_.options().zookeeper) return by == By::controller;
    return !cluster_.options().rules.has(Rule::epoch_stays_on_shrink);
  }
  bool unclean_allowed(PartitionIndex p) const;
  bool complete_reassignment(PartitionIndex p, PartitionState& next);
  void rebalance_preferred_leaders();
  void rebalance_imbalanced();
  bool elect_preferred(PartitionIndex p);
  bool elect_unclean(PartitionIndex p);
  void forget_eligible(TopicIndex topic);
  void count_leaderless();
  void elect_leaderless();
  void write(BrokerId b, BrokerCode code);
  void wake_followers();

  Cluster& cluster_;
  Node& node_;
  MetadataLog& log_;
  std::vector<const PartitionState*> partitions_;  // by PartitionIndex
  std::vector<BrokerRegistration> brokers_;
  MutationQuotas mutations_;
  std::vector<Ref<MetadataLogCall>> parked_;
  struct Deferred {
    std::size_t end;  ///< of what was written before
    AnyCall call;
  };
  std::vector<Deferred> deferred_;  // rising
  std::int64_t next_broker_epoch_ = 1;
  bool waking_ = false;
  bool ending_ = false;       // its process has been told to end
  bool told_to_end_ = false;  // while it stood still
  bool start_again_ = false;  // once it has
  std::int32_t number_;
  std::unique_ptr<RaftVoter> raft_;
  MetadataWriter* writer_ = nullptr;  // null where it is alone
  NodeTimer<std::function<void()>> rebalance_timer_;
  AlteredConfigs altered_;        // with what is written and not committed yet
  std::int32_t leaderless_ = 0;   // partitions that exist and have no leader
  sim::Time leaderless_since_{};  // while there are such
  NodeTimer<std::function<void()>> unclean_timer_;
};

}  // namespace models::kafka
