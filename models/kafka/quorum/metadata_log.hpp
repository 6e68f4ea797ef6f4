// What the metadata log says: the partitions' states and who of the brokers is fenced, as far as it is committed, and each change
// on its way there. Brokers, invariants and faults look here; who may write is the active controller (broker/controller.hpp).
//
// A change is stored once and never moves; the logs of a quorum's voters (raft_voter.hpp), brokers' images and the states here
// point to it. What is committed, and all brokers and voters have, is let go where a newer change has superseded it, as a
// snapshot would: memory does not grow with history. A snapshot of a voter's log has the last change that is let go at its end.
// Model: what a broker or a voter lacks that is away is kept until it has it; Kafka would send it a snapshot. What a deposed
// controller wrote and nobody committed is kept, too.
//
// What a change brings about is told in the trace when it is committed: what a controller without a majority writes takes no
// effect.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/trace_kinds.hpp"

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

enum class Election : std::uint8_t { kept, clean, unclean, none };

/// Topics whose settings are not those of the start.
using AlteredConfigs = std::vector<std::pair<TopicIndex, std::shared_ptr<const TopicConfig>>>;
/// Null: as at the start.
const TopicConfig* find_altered(const AlteredConfigs& altered, TopicIndex topic);
void alter(AlteredConfigs& altered, TopicIndex topic, std::shared_ptr<const TopicConfig> config);

/// A partition's new state, a topic's new settings, a broker that was registered, fenced or unfenced, or the start of a
/// controller's reign.
struct MetadataChange {
  PartitionIndex partition{};
  PartitionState state{};
  Election election = Election::kept;  ///< how the partition came by another leader
  BrokerId broker = kNoBroker;         ///< kNoBroker: the change is about the partition
  BrokerCode code{};                   ///< what befell the broker
  bool fenced = false;
  bool shutting_down = false;
  std::int64_t broker_epoch = -1;
  std::uint32_t incarnation = 0;  ///< with BrokerCode::registered
  bool control = false;           ///< LeaderChangeMessage: says nothing about brokers and partitions
  std::shared_ptr<const TopicConfig> config{};  ///< not null: the change is about `topic` (ConfigRecord)
  TopicIndex topic{};
};

/// What the log says of a broker (BrokerRegistration).
struct RegisteredBroker {
  std::int64_t epoch = -1;
  std::uint32_t incarnation = 0;
  bool fenced = true;
  bool shutting_down = false;
};

/// Who holds on to changes, beside brokers that read them.
class MetadataKeeper {
 public:
  virtual ~MetadataKeeper() = default;
  /// Its log, if it has one, begins with all that is committed up to change `n`, that one included.
  virtual bool holds(std::size_t) const { return true; }
  /// What lies below `n` is in a snapshot. Requires: holds(n).
  virtual void forget_below(std::size_t) {}
  /// It points to that change still, outside of its log.
  virtual bool uses(const MetadataChange&) const { return false; }
};

class MetadataLog {
 public:
  explicit MetadataLog(Cluster& cluster) : cluster_(cluster) {}

  /// First leaders: the first replica of each partition; everybody in sync, registered and unfenced.
  void start();

  const PartitionState& state(PartitionIndex p) const { return *states_[p.value]; }
  /// By partition: states never move, so that a new controller begins with a copy of the pointers.
  const std::vector<const PartitionState*>& states() const { return states_; }
  const RegisteredBroker& broker(BrokerId b) const { return brokers_[static_cast<std::size_t>(b.value)]; }
  const AlteredConfigs& altered() const { return altered_; }
  /// As start() left it; like the changes it never moves.
  const PartitionState& first(PartitionIndex p) const { return first_[p.value]; }
  /// Changes committed since start(); change n never alters. Requires: some broker may not have read it.
  const MetadataChange& change(std::size_t n) const { return *committed_[n - forgotten_]; }
  std::size_t committed() const { return forgotten_ + committed_.size(); }
  /// For the life of the cluster.
  void keep(MetadataKeeper& keeper) { keepers_.push_back(&keeper); }
  /// That broker has read all changes below `n`, and points to none that another has superseded there.
  void read(BrokerId broker, std::size_t n);
  /// Changes held in memory; what a test of the memory price looks at.
  std::size_t kept() const { return changes_.size() - free_.size(); }

  /// Keeps a change that is not committed yet.
  const MetadataChange& store(MetadataChange change);
  /// Requires: `change` is of store(), and follows all that has been committed.
  void commit(const MetadataChange& change);

 private:
  void tell_election(PartitionIndex p, const PartitionState& next, Election election);
  void tell_in_sync(PartitionIndex p, const PartitionState& state);

  Cluster& cluster_;
  std::vector<PartitionState> first_;
  void forget_first();
  void release(const MetadataChange* gone);

  std::deque<MetadataChange> changes_;  // where each is it stays
  std::vector<MetadataChange*> free_;   // of these, to be used again
  std::deque<const MetadataChange*> committed_;
  std::size_t forgotten_ = 0;      // changes that were committed before the first of these
  std::vector<std::size_t> read_;  // by broker
  std::vector<MetadataKeeper*> keepers_;
  std::vector<const MetadataChange*> retry_;
  std::vector<const MetadataChange*> in_use_;  // superseded, and some keeper points to them
  std::vector<const MetadataChange*> newest_;  // of each partition, of those forgotten
  std::vector<const PartitionState*> states_;
  std::vector<RegisteredBroker> brokers_;
  AlteredConfigs altered_;
};

}  // namespace models::kafka
