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
// Model: one controller, on a host of its own called "controller"; the quorum and its elections are not modelled. A write to
// the metadata log is durable at once. While the controller is down nobody is fenced and nobody elected; back again it gives
// every broker a full session, as a newly elected one does.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "models/kafka/cluster.hpp"

namespace models::kafka {

/// Where a partition's replicas are, once an operator has moved them (PartitionRegistration: replicas, addingReplicas,
/// removingReplicas).
struct Reassignment {
  std::vector<BrokerId>
      replicas;  ///< preferred leader first; while it is under way those to be removed come last
  std::vector<BrokerId> adding;  ///< empty when it is complete
  std::vector<BrokerId> removing;
  double throttle = 0;  ///< bytes a second that a broker sends to those that are added; 0: no bound
};

/// What the metadata log says about a partition (PartitionRegistration).
struct PartitionState {
  BrokerId leader = kNoBroker;
  LeaderEpoch leader_epoch = 0;
  std::int32_t partition_epoch = 0;
  std::vector<BrokerId> isr;
  std::vector<BrokerId> elr{};                  ///< eligible leader replicas
  BrokerId last_known_leader = kNoBroker;       ///< while nobody is in sync
  std::shared_ptr<const Reassignment> moved{};  ///< null: the replicas are where they were at the start
  bool exists() const { return partition_epoch >= 0; }
};

/// A partition's new state, or a broker that was fenced or unfenced.
struct MetadataChange {
  PartitionIndex partition{};
  PartitionState state{};
  BrokerId broker = kNoBroker;  ///< kNoBroker: the change is about the partition
  bool fenced = false;
  bool shutting_down = false;
  std::int64_t broker_epoch = -1;
};

class Controller final : public RpcServer, public NodeProgram {
 public:
  Controller(Cluster& cluster, Node& node);

  /// First leaders: the first replica of each partition; everybody in sync, registered and unfenced.
  void start();
  void receive(AnyCall call) override;
  Node& node() { return node_; }

  // NodeProgram
  void crashed() override;
  void restarted() override;

  const PartitionState& state(PartitionIndex p) const { return partitions_[p.value]; }
  /// A partition that is yet to be created has no state (PartitionState::exists).
  bool exists(PartitionIndex p) const { return partitions_[p.value].exists(); }
  /// The topic has `count` partitions from now on (CreatePartitions). False, and nothing happens, when it has as many
  /// already or no broker could lead.
  /// Model: the operator's request takes no time.
  bool create_partitions(TopicIndex topic, std::int32_t count);
  /// Begins to move the topic's replicas: partition n to target[n], target[n + 1] … (AlterPartitionReassignments,
  /// reassignment.cpp). False when nothing moves.
  bool reassign(TopicIndex topic, const std::vector<BrokerId>& target, double throttle);
  const std::vector<BrokerId>& replicas(PartitionIndex p, const PartitionState& state) const {
    return state.moved ? state.moved->replicas : cluster_.partition(p).replicas;
  }
  /// As start() left it; like the changes it never moves.
  const PartitionState& first(PartitionIndex p) const { return first_[p.value]; }
  /// Changes since start(); change n never alters once written.
  const MetadataChange& change(std::size_t n) const { return changes_[n]; }
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

  void handle(Ref<BrokerHeartbeatCall> call);
  void handle(Ref<AlterPartitionCall> call);
  void handle(Ref<MetadataLogCall> call);
  void dispatch(AnyCall call);
  void answer(AnyCall call);

  void watch_brokers();
  void fence(BrokerId b);
  void begin_shutdown(BrokerId b);
  bool may_shut_down(BrokerId b);
  bool leads_any(BrokerId b) const;
  void leave_in_sync_sets(BrokerId b);
  void unfence(BrokerId b);
  /// Brings the partition to this in-sync set: who remains eligible, who leads; writes the change, if any. `unclean` has
  /// registered after a crash (PartitionChangeBuilder.build).
  void change(PartitionIndex p, std::vector<BrokerId> isr, BrokerId unclean = kNoBroker);
  void retain_eligible(PartitionIndex p, PartitionState& next, BrokerId unclean) const;
  enum class Election : std::uint8_t { kept, clean, unclean, none };
  Election elect(PartitionIndex p, PartitionState& next) const;
  void tell_election(PartitionIndex p, const PartitionState& next, Election election);
  void shut_down_uncleanly(BrokerId b);
  bool has_elr() const { return cluster_.options().rules.has(Rule::eligible_leader_replicas); }
  void write(PartitionIndex p, PartitionState next);
  void tell_in_sync(PartitionIndex p, const PartitionState& state);
  /// Neither fenced nor in controlled shutdown (ClusterControlManager.isActive): may lead and be in sync.
  bool active(BrokerId b) const {
    return b != kNoBroker && !brokers_[index(b)].fenced && !brokers_[index(b)].shutdown_at;
  }
  bool eligible(const AlterPartitionCall& call) const;
  bool unclean_allowed(PartitionIndex p) const;
  bool complete_reassignment(PartitionIndex p, PartitionState& next);
  void rebalance_preferred_leaders();
  void write(BrokerId b, BrokerCode code);
  void wake_followers();

  Cluster& cluster_;
  Node& node_;
  std::vector<PartitionState> partitions_;
  std::vector<BrokerRegistration> brokers_;
  std::vector<PartitionState> first_;   // as they were at the start, for brokers that have read of no change
  std::deque<MetadataChange> changes_;  // where each is it stays
  std::vector<Ref<MetadataLogCall>> parked_;
  std::int64_t next_broker_epoch_ = 1;
  bool waking_ = false;
  NodeTimer<std::function<void()>> rebalance_timer_;
};

}  // namespace models::kafka
