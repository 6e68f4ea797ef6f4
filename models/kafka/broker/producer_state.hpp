// What a partition's leader remembers of idempotent producers: their epoch and their last five batches
// (ProducerStateEntry.java, ProducerAppendInfo.java, ProducerStateManager.java).
//
// The state is a function of the log, so it survives failover: a new leader rebuilds it from its own log. It need not read
// all of it: what it knew when it last led still holds as far as the log is still the same (log matching: the same offset in
// the same epoch), and where a truncation has cut behind that, one of the snapshots does that were taken on the way. So each
// batch is read about once, however many elections there are.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "models/kafka/broker/log.hpp"
#include "models/kafka/types.hpp"

namespace models::kafka {

class ProducerStates {
 public:
  static constexpr std::size_t kBatches = 5;

  struct Verdict {
    ErrorCode error = ErrorCode::none;
    bool duplicate = false;  ///< already in the log: acknowledge with `base_offset`, append nothing
    Offset base_offset = kNoOffset;
  };

  /// Whether a batch of this producer may be appended now. A producer without state may start with any sequence.
  Verdict check(ProducerId id, std::int16_t epoch, std::int32_t base_sequence, std::int32_t count) const;
  /// The batch has been appended.
  void appended(const Extent& extent);
  /// The state that `log` leads to. What is appended from now on is of its latest epoch.
  void rebuild(const ReplicaLog& log);
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
  };
  /// States after the records up to `end`, the last of which is of `epoch`.
  struct Snapshot {
    Offset end = 0;
    LeaderEpoch epoch = kNoEpoch;
    std::vector<State> states;  // by id
    bool holds(const ReplicaLog& log) const {
      return end == 0 || (end <= log.end() && (end <= log.start() || log.epoch_at(end - 1) == epoch));
    }
  };
  static constexpr std::size_t kSnapshotEvery = 512;  ///< batches
  static constexpr std::size_t kSnapshots = 4;

  const State* find(ProducerId id) const;
  void add(const Extent& extent);
  void take_snapshot();

  Snapshot now_;
  LeaderEpoch leading_ = kNoEpoch;   // epoch of what is appended
  std::vector<Snapshot> snapshots_;  // oldest first
  std::size_t since_snapshot_ = 0;   // batches
  std::uint64_t batches_read_ = 0;
};

}  // namespace models::kafka
