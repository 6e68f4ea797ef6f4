// What a partition's leader remembers of idempotent producers: their epoch and their last five batches
// (ProducerStateEntry.java, ProducerAppendInfo.java, ProducerStateManager.java).
//
// The state is a function of the log, so it survives failover: a new leader rebuilds it from its own log.
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
    bool duplicate = false;          ///< already in the log: acknowledge with `base_offset`, append nothing
    Offset base_offset = kNoOffset;
  };

  /// Whether a batch of this producer may be appended now. A producer without state may start with any sequence.
  Verdict check(ProducerId id, std::int16_t epoch, std::int32_t base_sequence, std::int32_t count) const;
  /// The batch has been appended.
  void appended(const Extent& extent);
  /// Forgets everything, then reads the whole log again.
  void rebuild(const ReplicaLog& log);

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
  const State* find(ProducerId id) const;

  std::vector<State> states_;  // by id
};

}  // namespace models::kafka
