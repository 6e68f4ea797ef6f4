// One partition on one broker: its log, its high watermark and, while it leads, its followers and in-sync set.
//
// Rules: Partition.scala, Replica.scala. The high watermark is the least log end of the maximal in-sync set (the granted one
// together with one that has been asked for) and of caught-up replicas about to join it; it does not advance while the
// in-sync set is smaller than min.insync.replicas.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "models/kafka/broker/controller.hpp"
#include "models/kafka/broker/log.hpp"
#include "models/kafka/broker/producer_state.hpp"
#include "models/kafka/protocol.hpp"
#include "sim/ring.hpp"

namespace models::kafka {

class FetchSession;

/// What a partition's replicas have in common.
struct SharedPartition {
  PartitionStore store;
  /// Log of the newest leader: the one that counts as "the log" for verdicts.
  const ReplicaLog* line = nullptr;
  LeaderEpoch line_epoch = kNoEpoch;  ///< of that leader
  bool transactional = false;         ///< a leader has appended to it in a transaction
};

/// A leader's view of a replica elsewhere.
struct Follower {
  BrokerId broker;
  std::int64_t broker_epoch = -1;  ///< of its last fetch; -1 before
  Offset log_end = kNoOffset;      ///< kNoOffset until its first fetch in this epoch
  sim::Time last_caught_up{};
  Offset leader_end_at_last_fetch = 0;
  sim::Time last_fetch{};
  bool ever_fetched = false;
  Offset sent_end = 0;              ///< how far fetch responses sent to it reach
  FetchSession* session = nullptr;  ///< through which it fetches
  std::uint64_t seen_fetches = 0;   ///< of that session, when the two fields above were last set
};

/// An acks=all batch that waits for the high watermark, or an internal append of the group coordinator (token).
struct WaitingAppend {
  Offset required;
  Ref<ProduceCall> call;
  std::uint32_t batch = 0;  ///< of the call, or of the markers
  std::uint64_t token = 0;
  Ref<WriteTxnMarkersCall> markers{};
};

/// A fetch session that reads this partition: to be told when there is more.
struct Watcher {
  FetchSession* session;
  std::uint32_t entry;
};

struct Replica {
  Replica(PartitionIndex p, SharedPartition& shared_partition)
      : partition(p), shared(&shared_partition), log(shared_partition.store) {}

  PartitionIndex partition;
  SharedPartition* shared;
  ReplicaLog log;
  Offset high_watermark = 0;
  BrokerId leader = kNoBroker;
  LeaderEpoch leader_epoch = kNoEpoch;
  bool leads = false;

  // ---- while it leads ----
  std::int32_t partition_epoch = 0;
  std::int32_t min_insync = 1;
  std::vector<BrokerId> isr;
  std::optional<std::vector<BrokerId>> asked_isr;  ///< AlterPartition under way
  std::vector<Follower> followers;
  Offset epoch_start = 0;
  ProducerStates producers;
  sim::Ring<WaitingAppend> waiting;
  std::vector<Watcher> watchers;
  /// Producers for which the coordinator is being asked, or has been and nothing was appended since: a marker takes them
  /// out, so that what was asked for the transaction before counts for nothing (VerificationStateEntry.java).
  std::vector<ProducerId> verifying;

  /// Offsets from here on have been sent to no follower.
  Offset sent_to_followers() const;
  bool in_sync(BrokerId b) const;
  bool in_maximal_isr(BrokerId b) const;
  Follower* follower(BrokerId b);
  /// How far readers of committed data may read (UnifiedLog.fetchLastStableOffsetMetadata). Only where it leads.
  Offset last_stable_offset() const { return std::min(high_watermark, producers.first_unstable()); }
  /// The answer to "where is the end", or nothing: a new leader whose high watermark has yet to catch up with its log would
  /// send a consumer back (Partition.fetchOffsetForTimestamp, OFFSET_NOT_AVAILABLE). Only where it leads.
  std::optional<Offset> latest_offset(bool read_committed) const {
    if (high_watermark < epoch_start) return std::nullopt;
    return read_committed ? last_stable_offset() : high_watermark;
  }
  bool under_min_isr() const { return static_cast<std::int32_t>(isr.size()) < min_insync; }
  /// Caught up: at the leader's end, or was so less than replica.lag.time.max.ms ago.
  bool caught_up(const Follower& f, sim::Time now, sim::Duration lag_max) const;
  /// The high watermark that the present state of all replicas allows, at least the present one.
  /// `ineligible` says of each broker whether it is fenced or shutting down: such a replica cannot join the in-sync set.
  Offset allowed_high_watermark(sim::Time now, sim::Duration lag_max,
                                const std::vector<bool>& ineligible) const;
};

}  // namespace models::kafka
