// Asynchronous mirroring of topics to another cluster, as MirrorMaker 2 does it (connect/mirror).
//
// A mirror's tasks read the source as a group of consumers and write what they read to the remote topics, partition by
// partition, with acks=all, one request at a time and no idempotence (Worker.baseProducerConfigs); source offsets are committed
// every offset.flush.interval.ms, so that a task that begins again copies some records twice. Records keep their identity
// (lane, seq): the ledger knows what of a region's data is elsewhere when it fails.
//
// The parts: MirrorTask (what a task does with a poll's records), OffsetSyncs (which offset stands for which), Checkpoints
// (groups' offsets, translated and written to the target).
//
// Model: tasks are members of a consumer group at the source, named as the mirror; in Connect a worker group spreads partitions
// over tasks, and offsets are kept in a topic of the target. The remote topics are there from the beginning, with as many
// partitions as the source's will come to have; tasks find those that are added with their metadata. A task that has
// written waits for the answers before it polls again, where Connect's goes on; near the target that is a short while.
#pragma once

#include <memory>
#include <vector>

#include "models/clients/workload.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/consumer/outlet.hpp"
#include "models/kafka/mirror/offset_syncs.hpp"
#include "models/kafka/mirror/options.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class Mirror {
 public:
  /// `groups`: consumer groups of the source whose offsets are translated. Requires the remote topics at the target.
  Mirror(Cluster& from, Cluster& to, MirrorOptions options, std::vector<std::string> groups);

  /// Of the group that its tasks are.
  static GroupOptions group_options(const MirrorOptions& options);

  /// Its tasks are the members of that group. Before tell().
  void served_by(EntityId group) { group_ = group; }
  /// Says which partitions are copies of which. Before any subscription.
  void tell() const;
  /// The task that runs on `node`; the first of them is the checkpoint task, too.
  std::unique_ptr<Outlet> make_task(Node& node, OutletOwner& owner);

  Cluster& from() { return from_; }
  Cluster& to() { return to_; }
  const MirrorOptions& options() const { return options_; }
  const std::vector<std::string>& groups() const { return groups_; }
  /// Partitions of the source that are copied, rising.
  const std::vector<PartitionIndex>& partitions() const { return partitions_; }
  /// Topics of the target that hold copies.
  const std::vector<TopicIndex>& remote_topics() const { return remote_topics_; }
  /// Requires: one of partitions().
  PartitionIndex copy_of(PartitionIndex source) const { return copies_[source.value]; }
  OffsetSyncs& syncs(PartitionIndex source) { return syncs_[source.value]; }

 private:
  Cluster& from_;
  Cluster& to_;
  MirrorOptions options_;
  EntityId group_{};
  std::vector<std::string> groups_;
  std::vector<PartitionIndex> partitions_;
  std::vector<TopicIndex> remote_topics_;
  std::vector<PartitionIndex> copies_;  // by partition of the source
  std::vector<OffsetSyncs> syncs_;      // by partition of the source
  bool has_checkpoints_ = false;
};

}  // namespace models::kafka
