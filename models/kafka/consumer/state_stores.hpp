// The state stores of a Streams application: who holds which partition's, and how long a member takes to bring one up to date
// before it reads on (StoreChangelogReader, TaskManager).
//
// A task's store is a sum of its changelog, a topic to which each of its changes is written. Who owns the partition has it whole;
// who had it before has what it held then; a standby replica follows the changelog all the time. With exactly_once_v2 the store
// of an instance that crashed is wiped: its file may hold changes of a transaction that was aborted.
//
// Model: restoring takes so long for each record that is missing; it is no reading of the changelog, and no load on the brokers.
// Standby replicas of partition p are on the members after member p (mod members), are up to date while these run, and the
// assignor does not look at them; warm-up replicas and probing rebalances (KIP-441) there are not. With at_least_once the store
// on disk is that of the crash.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "models/clients/workload.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/consumer/window_counts.hpp"

namespace models::kafka {

class StateStores {
 public:
  /// Requires options.streams and options.transform.
  StateStores(Cluster& cluster, const GroupOptions& options);

  /// The member is given partition `p` now: how long it takes until it can read on.
  sim::Duration open(std::uint32_t member, PartitionIndex p);
  /// How often it has been given to a member.
  std::uint64_t times_opened(PartitionIndex p) const { return stores_[p.value].opened; }
  /// With windows, what the changelog says; else null.
  ChangeBook* changes() { return changes_.get(); }
  /// The changes of `p`'s tasks that count, oldest first: a restore. Requires changes().
  void for_each_change(PartitionIndex p, const std::function<void(const CountChange&)>& visit) const;
  /// Compares what the changelog counts with what was counted. Once, when the run ends.
  void tell_counts(const Context& context, EntityId group, const std::vector<TopicIndex>& topics) const;
  /// The member's process has died, or it has lost its tasks: with exactly_once_v2 their stores are wiped
  /// (StateManagerUtil.closeStateManager).
  void closed_dirty(std::uint32_t member);
  /// What the member has is to be restored from the beginning.
  void corrupted(std::uint32_t member);

 private:
  static constexpr std::uint32_t kNobody = 0xffffffff;
  static constexpr Offset kNothing = 0;
  struct Store {
    std::uint32_t owner = kNobody;
    std::uint64_t opened = 0;
    std::vector<Offset> held;  ///< by member: up to which offset of the changelog
  };

  const ReplicaLog* changelog(PartitionIndex p) const;
  Offset changelog_end(PartitionIndex p) const;
  bool is_standby(std::uint32_t member, PartitionIndex p) const;
  /// The owner's store is as far as the changelog.
  void note_owner(PartitionIndex p);

  Cluster& cluster_;
  const StreamsOptions& options_;
  TopicIndex changelog_;
  std::uint32_t members_;
  std::vector<Store> stores_;  // by partition of the cluster
  std::unique_ptr<ChangeBook> changes_;
};

}  // namespace models::kafka
