// What a partition's leader remembers of idempotent producers: their epoch and their last five batches
// (ProducerStateEntry.java, ProducerAppendInfo.java, ProducerStateManager.java).
//
// The state is a function of the log, so it survives failover: a new leader rebuilds it from its own log. It need not read
// all of it: what it knew when it last led still holds as far as the log is still the same (log matching: the same offset in
// the same epoch), and where a truncation has cut behind that, one of the snapshots does that were taken on the way. So each
// batch is read about once, however many elections there are.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "models/kafka/broker/log.hpp"
#include "models/kafka/types.hpp"

namespace models::kafka {

class ProducerStates {
 public:
  static constexpr std::size_t kBatches = 5;

  /// Rule::sequence_window: without, no batch is known again.
  void know_repeated(bool on) { knows_repeated_ = on; }

  /// Rule::recovery_by_epoch: without, a producer of whom nothing is known begins at 0.
  void accept_unknown(bool on) { accepts_unknown_ = on; }

  struct Verdict {
    ErrorCode error = ErrorCode::none;
    bool duplicate = false;  ///< already in the log: acknowledge with `base_offset`, append nothing
    Offset base_offset = kNoOffset;
  };

  /// Whether a batch of this producer may be appended now. A producer without state may start with any sequence
  /// (accept_unknown()).
  Verdict check(ProducerId id, std::int16_t epoch, std::int32_t base_sequence, std::int32_t count) const;
  /// Whether a marker of this producer may be written now.
  ErrorCode check_marker(ProducerId id, std::int16_t epoch, std::int32_t coordinator_epoch) const;
  /// The batch has been appended.
  void appended(const Extent& extent);
  /// The state that `log` leads to. What is appended from now on is of its latest epoch.
  void rebuild(const ReplicaLog& log);
  /// Forgets producers without an open transaction whose newest record is not younger than `limit`
  /// (ProducerStateManager.removeExpiredProducers).
  void expire(sim::Time limit);
  /// The log begins at `start`: what aborted transactions held below it nobody will ask.
  void forget_below(Offset start);

  // ---- transactions ----
  /// A producer's transaction in this partition, from its first record to its marker.
  struct Transaction {
    ProducerId producer_id = kNoProducerId;
    Offset first = 0;
    Offset marker = 0;
    LaneId lane{};
    Offset last_stable = 0;  ///< nothing below was undecided once it was completed
  };
  bool has_transactions() const { return has_transactions_; }
  /// Of this epoch: with KIP-890 the next transaction has another, and may come while the marker of this one is on its way.
  bool has_open_transaction(ProducerId id, std::int16_t epoch) const {
    const State* state = find(id);
    return state != nullptr && state->txn_first != kNoOffset && state->epoch == epoch;
  }
  /// One of an epoch before is open.
  bool has_older_transaction(ProducerId id, std::int16_t epoch) const {
    const State* state = find(id);
    return state != nullptr && state->txn_first != kNoOffset && state->epoch < epoch;
  }
  /// The first record whose transaction is open, or whose marker not all in-sync replicas are known to hold; past every
  /// offset when there is none (UnifiedLog.maybeIncrementFirstUnstableOffset).
  Offset first_unstable() const;
  /// The high watermark has moved.
  void replicated(Offset high_watermark);
  /// Aborted transactions that reach into [from, to), in order of their markers (TransactionIndex.collectAbortedTxns).
  template <class Each>
  void aborted_in(Offset from, Offset to, Each&& each) const {
    const auto first = std::partition_point(aborted_.begin(), aborted_.end(),
                                            [from](const Transaction& t) { return t.marker < from; });
    for (auto t = first; t != aborted_.end(); ++t) {
      if (t->first < to) each(*t);
      if (t->last_stable >= to) break;
    }
  }
  /// The transaction that the last appended marker has ended; its first offset is the marker's own when it held nothing.
  const Transaction& last_ended() const { return last_ended_; }
  void coordinator_is(ProducerId id, std::int32_t coordinator_epoch);

  /// Batches that rebuild() has read so far; what a test of its price looks at.
  std::uint64_t batches_read() const { return batches_read_; }

 private:
  struct Batch {
    std::int32_t first = 0, last = 0;
    Offset base = 0;
  };
  struct State {
    ProducerId id = kNoProducerId;
    std::int16_t epoch = -1;
    std::uint8_t size = 0;
    std::array<Batch, kBatches> batches{};  // the last `size`, oldest first
    Offset txn_first = kNoOffset;           // of the transaction that is open here
    LaneId lane{};                          // of its records
    std::int32_t coordinator_epoch = -1;    // of the coordinator that wrote the last marker
    sim::Time newest{};                     // of its records
  };
  /// States after the records up to `end`, the last of which is of `epoch`.
  struct Snapshot {
    Offset end = 0;
    LeaderEpoch epoch = kNoEpoch;
    std::vector<State> states;  // by id
    bool holds(const ReplicaLog& log) const {
      // Below the log's start nobody can say what else there was, as of a producer that came and went.
      return end == 0 || (end >= log.start() && end <= log.end() &&
                          (end == log.start() || log.epoch_at(end - 1) == epoch));
    }
  };
  static constexpr std::size_t kSnapshotEvery = 512;  ///< batches
  static constexpr std::size_t kSnapshots = 4;

  const State* find(ProducerId id) const;
  State& state_of(ProducerId id);
  void add(const Extent& extent);
  void end_transaction(State& state, const Extent& marker);
  void forget_beyond(Offset end);
  void take_snapshot();

  Snapshot now_;
  LeaderEpoch leading_ = kNoEpoch;   // epoch of what is appended
  std::vector<Snapshot> snapshots_;  // oldest first
  std::size_t since_snapshot_ = 0;   // batches
  std::uint64_t batches_read_ = 0;
  bool has_transactions_ = false;
  bool knows_repeated_ = true;
  bool accepts_unknown_ = true;
  std::vector<Transaction> open_;          // by rising first offset; no markers yet
  std::vector<Transaction> unreplicated_;  // ended, by rising marker, which the high watermark has not passed
  std::vector<Transaction> aborted_;       // by rising marker; Kafka's .txnindex
  Transaction last_ended_;
};

}  // namespace models::kafka
