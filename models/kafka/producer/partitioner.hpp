// Which partition a message goes to: by its key's murmur2, by the sticky partitioner of KIP-794, or in turn
// (BuiltInPartitioner.java, RoundRobinPartitioner.java); with librdkafka by its key's CRC32 (rdkafka_msg.c).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/clients/workload.hpp"
#include "sim/random.hpp"

namespace models::kafka {

enum class KeyHash : std::uint8_t { murmur2, crc32 };
/// By which this producer places keys.
KeyHash key_hash(const ProducerConfig& config);

/// The partition of each key, hashed when the key is first met. Producers of one workload may share it.
class KeyPartitions {
 public:
  /// Requires partitions > 0.
  KeyPartitions(const KeyOptions& keys, std::uint32_t partitions, KeyHash by = KeyHash::murmur2);

  /// The same keys over another number of partitions.
  KeyPartitions over(std::uint32_t partitions) const;

  std::uint32_t operator()(std::uint32_t rank) {
    if (rank < known_.size()) [[likely]] {
      const std::uint16_t kept = known_[rank];
      if (kept != kUnknown) [[likely]]
        return kept;
    }
    return hash(rank);
  }

 private:
  static constexpr std::uint16_t kUnknown = 0xffff;
  static constexpr std::uint32_t kKeptMost = 1u << 24;  // ranks beyond are hashed each time

  std::uint32_t hash(std::uint32_t rank);

  std::string key_;  // prefix, then digits
  std::size_t prefix_;
  std::uint32_t partitions_;
  KeyHash by_;
  std::vector<std::uint16_t> known_;
};

/// What the sticky partitioner weighs a partition by.
struct PartitionLoad {
  std::uint32_t partition = 0;
  std::uint32_t queued = 0;      ///< batches in its queue
  std::uint32_t cumulative = 0;  ///< filled in by weigh()
};
/// Turns queue sizes into cumulative weights (queues 0, 3, 1 into 4, 5, 8). `partitions` counts all of the
/// topic's, left-out ones included. False when weighing makes no difference and the choice is uniform.
bool weigh(std::span<PartitionLoad> loads, std::size_t partitions);

/// Stays on a partition until enough bytes went there. Tells when to move; the producer, which knows the
/// queues, then picks.
class StickyPartitioner {
 public:
  /// `by_batch`: until a batch is done, however small (KIP-480).
  StickyPartitioner(std::int32_t batch_size, sim::Stream draws, bool by_batch = false)
      : enough_(by_batch         ? kNoEnd
                : batch_size > 0 ? batch_size
                                 : 1),
        by_batch_(by_batch),
        draws_(draws) {}

  bool chosen() const { return chosen_; }
  std::uint32_t partition() const { return partition_; }
  /// Moves on: enough bytes and a moment at which no batch is left unfinished, or twice as many in any case.
  bool may_move(bool batches_finished) const {
    if (by_batch_) return produced_ > 0 && batches_finished;
    return (produced_ >= enough_ && batches_finished) || produced_ >= 2 * enough_;
  }
  void add(std::int64_t bytes) { produced_ += bytes; }
  /// Bytes from which may_move(false).
  std::int64_t room() const { return 2 * enough_ - produced_; }

  /// One draw, uniform over `candidates`. Requires one at least.
  void pick(std::span<const std::uint32_t> candidates);
  /// One draw, by the weights that weigh() made. Requires one at least.
  void pick(std::span<const PartitionLoad> loads);
  void forget() {
    chosen_ = false;
    produced_ = 0;
  }

 private:
  void move_to(std::uint32_t partition) {
    partition_ = partition;
    chosen_ = true;
    produced_ = 0;
  }

  static constexpr std::int64_t kNoEnd = std::int64_t{1} << 60;

  std::int64_t enough_;
  bool by_batch_;
  std::int64_t produced_ = 0;
  sim::Stream draws_;
  std::uint32_t partition_ = 0;
  bool chosen_ = false;
};

}  // namespace models::kafka
