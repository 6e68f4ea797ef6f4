// One partition on one broker: its log, its high watermark and, while it leads, its followers and in-sync set.
//
// Rules: Partition.scala, Replica.scala. The high watermark is the least log end of the maximal in-sync set (the granted one
// together with one that has been asked for) and of caught-up replicas about to join it; it does not advance while the
// in-sync set is smaller than min.insync.replicas.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "models/kafka/broker/controller.hpp"
#include "models/kafka/broker/log.hpp"
#include "models/kafka/broker/producer_state.hpp"
#include "models/kafka/broker/segments.hpp"
#include "models/kafka/protocol.hpp"
#include "models/kafka/tiers/remote_log.hpp"
#include "sim/ring.hpp"

namespace models::kafka {

class FetchSession;

/// What a partition's replicas have in common.
struct SharedPartition {
  PartitionStore store;
  std::unique_ptr<RemoteLog> remote;  ///< null without remote.storage.enable
  /// Log of the newest leader: the one that counts as "the log" for verdicts.
  const ReplicaLog* line = nullptr;
  LeaderEpoch line_epoch = kNoEpoch;  ///< of that leader
  bool transactional = false;         ///< a leader has appended to it in a transaction
  /// Records were given up that may have been covered by a high watermark: an unclean election, a power loss.
  bool gave_up = false;

  /// The end of `log` is about to be cut. Where it is the line that stays what it was, until a new leader's log tells what is
  /// lost of it: a power loss, and before KIP-101 an old leader that hears of the new one, cuts it first.
  void keep_line(const ReplicaLog& log) {
    if (line != &log) return;
    kept_line_ = log;
    line = &*kept_line_;
  }

 private:
  std::optional<ReplicaLog> kept_line_;
};

/// How much of a replica's log is where (LogManager).
struct ReplicaDisk {
  const TopicConfig* topic = nullptr;  ///< its topic's settings, as this broker knows them; outlives it
  CleanupPolicy cleanup{};             ///< by them, or the broker's
  Offset flushed = 0;  ///< the recovery point: nothing below needs to be looked at after a crash
  Offset written = 0;  ///< on disk: flushed, or written back by the kernel
  Offset checkpointed_recovery_point = 0;
  Offset checkpointed_high_watermark = 0;
  std::int64_t flush_messages = 0;  ///< flush.messages
  LogSegments segments;
  std::int64_t segment_bytes = 0;    ///< segment.bytes
  sim::Duration segment_interval{};  ///< segment.ms
  bool segmented = false;            ///< __consumer_offsets is not
  bool tiered = false;               ///< remote.storage.enable
  Offset local_start = 0;            ///< what lies below it is on this disk no more
  Offset remote_end = 0;             ///< tiered: what lies below it has been copied, as this broker knows
  bool compacted = false;            ///< cleanup.policy holds compact
  bool cleaning = false;             ///< by a thread of the cleaner, just now
  Offset first_dirty = 0;            ///< the cleaner's checkpoint: it has cleaned what lies below
  std::uint32_t cuts = 0;            ///< how often its end was cut: a cleaning under way is given up then
  sim::Time last_flush{};
  std::optional<sim::Time> dirty_since{};  ///< when the kernel first saw a page that is not on disk

  /// Nothing is left, at `offset`.
  void restarted(Offset offset) {
    flushed = written = checkpointed_recovery_point = offset;
    checkpointed_high_watermark = std::min(checkpointed_high_watermark, offset);
    local_start = offset;
    first_dirty = offset;
    ++cuts;
    dirty_since.reset();
  }
  /// The log now ends at `end` (UnifiedLog.truncateTo, LogManager.truncateTo).
  void truncated(Offset end) {
    for (Offset* offset : {&flushed, &written, &checkpointed_recovery_point, &first_dirty})
      *offset = std::min(*offset, end);
  }
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
  ReplicaDisk disk;
  Offset high_watermark = 0;
  Offset high_watermark_before = 0;    ///< its last rise
  sim::Time high_watermark_rose_at{};  ///< likewise; only where it leads
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

  /// It leads, and in the epoch that a request was made for; kNoEpoch asks for none (Partition.checkCurrentLeaderEpoch).
  bool speaks_in(LeaderEpoch epoch) const { return leads && in_epoch(epoch); }
  bool in_epoch(LeaderEpoch epoch) const { return epoch == kNoEpoch || epoch == leader_epoch; }
  /// From here on its disk holds the log (UnifiedLog.localLogStartOffset).
  Offset local_start() const { return std::max(log.start(), disk.local_start); }
  /// Offsets from here on have been sent to no follower.
  Offset sent_to_followers() const;
  bool in_sync(BrokerId b) const;
  bool in_maximal_isr(BrokerId b) const;
  Follower* follower(BrokerId b);
  /// How far readers of committed data may read (UnifiedLog.fetchLastStableOffsetMetadata); retention does not wait for open
  /// transactions (maybeIncrementFirstUnstableOffset). Only where it leads.
  Offset last_stable_offset() const {
    return std::min(high_watermark, std::max(log.start(), producers.first_unstable()));
  }
  /// The answer to "where is the end", or nothing: a new leader whose high watermark has yet to catch up with its log would
  /// send a consumer back (Partition.fetchOffsetForTimestamp, OFFSET_NOT_AVAILABLE). Only where it leads.
  std::optional<Offset> latest_offset(bool read_committed) const {
    if (high_watermark < epoch_start) return std::nullopt;
    return read_committed ? last_stable_offset() : high_watermark;
  }
  /// Cuts the log, and with it what is known of it (UnifiedLog.truncateTo; below what is on its disk: truncateFullyAndStartAt).
  void truncate(Offset to) {
    if (to < local_start()) return restart_at(to);
    if (to < log.end()) {
      shared->keep_line(log);
      ++disk.cuts;
    }
    log.reload(to);
    high_watermark = std::min(high_watermark, log.end());
    disk.truncated(log.end());
    if (disk.segmented) {
      disk.segments.truncate(log.end(), [this](Offset base) {
        if (log.survivors() != nullptr) return log.bytes_in(base, log.end());
        std::int64_t bytes = 0;
        log.for_each(base, [&bytes](const Extent& extent, LeaderEpoch) { bytes += extent.bytes; });
        return bytes;
      });
    }
  }
  /// Nothing is left, and the next record is that of `offset`.
  void restart_at(Offset offset) {
    shared->keep_line(log);
    log.restart_at(offset);
    high_watermark = offset;
    disk.restarted(offset);
    disk.segments.restart(offset);
  }
  bool under_min_isr() const { return static_cast<std::int32_t>(isr.size()) < min_insync; }
  /// Caught up: at the leader's end, or was so less than replica.lag.time.max.ms ago.
  bool caught_up(const Follower& f, sim::Time now, sim::Duration lag_max) const;
  /// The high watermark that the present state of all replicas allows, at least the present one.
  /// `ineligible` says of each broker whether it is fenced or shutting down: such a replica cannot join the in-sync set.
  /// `strict`: it stands while the in-sync set is too small.
  Offset allowed_high_watermark(sim::Time now, sim::Duration lag_max, const std::vector<bool>& ineligible,
                                bool strict) const;
};

}  // namespace models::kafka
