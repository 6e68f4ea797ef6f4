// One transactional id as its coordinator keeps it, and how its state may change (TransactionMetadata.scala).
//
// A change is prepared as the whole metadata that will hold when its record is in the log: it takes effect only then. Until
// then nothing else may change (pending). PrepareCommit in the log is the decision; everything after it only carries it out.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "models/ids.hpp"
#include "models/kafka/types.hpp"
#include "sim/time.hpp"

namespace models::kafka {

enum class TransactionState : std::uint8_t {
  empty,
  ongoing,
  prepare_commit,
  prepare_abort,
  complete_commit,
  complete_abort,
  dead,
  prepare_epoch_fence,
};

struct TransactionMetadata {
  ProducerId producer_id = kNoProducerId;
  ProducerId previous_producer_id = kNoProducerId;
  ProducerId next_producer_id =
      kNoProducerId;  ///< used once the transaction has ended: the epochs are used up
  std::int16_t epoch = -1;
  std::int16_t last_epoch = -1;
  TransactionState state = TransactionState::empty;
  bool v2 = false;  ///< the client, or who ended it in its place, speaks KIP-890
  sim::Duration timeout{};
  sim::Time started{};
  sim::Time updated{};
  std::vector<PartitionIndex> partitions;

  /// The last epoch is kept for the coordinator, so that it can always fence.
  bool epoch_exhausted() const { return epoch >= std::numeric_limits<std::int16_t>::max() - 1; }
  bool holds(PartitionIndex p) const {
    return std::find(partitions.begin(), partitions.end(), p) != partitions.end();
  }
  bool preparing() const {
    return state == TransactionState::prepare_commit || state == TransactionState::prepare_abort;
  }
  bool complete() const {
    return state == TransactionState::complete_commit || state == TransactionState::complete_abort;
  }

  TransactionMetadata with_partitions(const std::vector<PartitionIndex>& added, sim::Time now) const {
    TransactionMetadata next = *this;
    if (state != TransactionState::ongoing) next.started = now;
    next.state = TransactionState::ongoing;
    for (const PartitionIndex p : added) {
      if (!holds(p)) next.partitions.push_back(p);
    }
    return next;
  }
  /// prepareAbortOrCommit: with KIP-890 the epoch rises with every transaction, so that what is late belongs to none.
  TransactionMetadata ending(bool commit, bool with_v2, ProducerId next_id) const {
    TransactionMetadata next = *this;
    next.state = commit ? TransactionState::prepare_commit : TransactionState::prepare_abort;
    next.v2 = with_v2;
    next.next_producer_id = next_id;
    if (!with_v2) return next;
    next.last_epoch = epoch;
    next.epoch = static_cast<std::int16_t>(epoch + 1);
    return next;
  }
  /// prepareComplete
  TransactionMetadata completed() const {
    TransactionMetadata next = *this;
    next.state = state == TransactionState::prepare_commit ? TransactionState::complete_commit
                                                           : TransactionState::complete_abort;
    next.partitions.clear();
    if (v2 && next_producer_id != kNoProducerId) {
      next.previous_producer_id = producer_id;
      next.producer_id = next_producer_id;
      next.last_epoch = epoch;
      next.epoch = 0;
    }
    next.next_producer_id = kNoProducerId;
    return next;
  }
};

}  // namespace models::kafka
