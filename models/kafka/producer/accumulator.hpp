// The producer's buffer: a queue of batches per partition inside one bound of memory (RecordAccumulator.java,
// BufferPool.java). It knows bytes and queues, nothing of leaders, requests or why the sender sends.
//
// Guarantees: messages of a lane get dense seqs in the order of appending; a batch that stops taking messages
// is reported as offered at that moment, in order of seq; memory in use never exceeds buffer.memory. A batch
// takes batch.size of it (more for one larger record) from its creation to its end, full or not.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "models/kafka/config.hpp"
#include "models/kafka/producer/batch.hpp"
#include "models/kafka/producer/busy_set.hpp"
#include "models/kafka/producer/report.hpp"
#include "models/kafka/protocol.hpp"
#include "models/kafka/record_keys.hpp"

namespace models::kafka {

/// A partition as the producer sees it.
struct PartitionQueue {
  PartitionIndex index{};
  EntityId entity{};
  LaneId lane{};  ///< 0 until the first message is routed here
  std::int64_t next_seq = 0;
  BatchQueue batches;
  std::vector<Batch*> in_flight;  ///< on the wire, in order of sending; those that expired there are left out
  bool muted = false;             ///< in-flight limit 1: a batch is on the wire
  bool used = false;              ///< had a batch in this life of the producer
  PartitionLeader leader;         ///< as last heard
};

/// One message on its way into a batch.
struct Message {
  sim::Time created{};
  std::uint32_t key = 0;
  std::uint32_t size = 0;
  std::int32_t fixed = 0;  ///< RecordSizer::fixed_bytes
  LaneId old_lane{};       ///< of the message it resends, or is made of; 0: none
  std::int64_t old_seq = 0;
  std::int32_t partition = -1;  ///< that the application names; -1: routed
  bool tombstone = false;       ///< it has no value
};

class Accumulator {
 public:
  struct Options {
    std::int32_t batch_size = 16384;
    std::int64_t buffer_memory = 33554432;
    std::int32_t max_request_size = 1048576;
    std::int32_t batch_num_messages = std::numeric_limits<std::int32_t>::max();
    std::int64_t max_messages = std::numeric_limits<std::int64_t>::max();
    bool keep_keys = false;   ///< the application has keys
    bool keep_sizes = false;  ///< the application may send messages again
    /// Where what is sent writes its keys; null: the topic is not compacted.
    RecordKeys* record_keys = nullptr;
    RecordTimes* record_times = nullptr;  ///< and its timestamps, by a clock that is …
    const Node* node = nullptr;           ///< whose clock a fault may have set wrong
    sim::Duration clock_ahead{};          ///< … so far ahead
  };
  struct Outcome {
    bool appended = false;   ///< false: out of memory, nothing was added (but a batch may have been closed)
    bool closed = false;     ///< a batch has become sendable
    bool opened = false;     ///< a batch was created
    std::int32_t bytes = 0;  ///< the batch's growth, header included
  };
  /// Messages by column, as a MessageSource hands them out.
  struct Columns {
    const sim::Time* times = nullptr;
    const std::uint32_t* keys = nullptr;   ///< null: none
    const std::uint32_t* sizes = nullptr;  ///< null: `size` each
    std::uint32_t size = 0;
    std::size_t count = 0;
    std::uint32_t size_of(std::size_t i) const { return sizes != nullptr ? sizes[i] : size; }
    std::uint32_t key_of(std::size_t i) const { return keys != nullptr ? keys[i] : 0; }
  };
  struct Run {
    std::size_t appended = 0;
    std::int64_t bytes = 0;
  };

  Accumulator(const Context& context, EntityId producer, const Options& options,
              std::vector<PartitionQueue> partitions);

  std::span<PartitionQueue> partitions() { return partitions_; }
  PartitionQueue& operator[](std::uint32_t partition) { return partitions_[partition]; }
  const PartitionQueue& operator[](std::uint32_t partition) const { return partitions_[partition]; }
  /// Calls visit(partition, queue) for those with batches, waiting or on the wire, in rising order.
  template <class Visit>
  void for_busy(Visit&& visit) {
    const auto end = static_cast<std::uint32_t>(partitions_.size());
    for (std::uint32_t p = busy_.next(0, end); p != end; p = busy_.next(p + 1, end)) {
      PartitionQueue& queue = partitions_[p];
      if (queue.batches.empty() && queue.in_flight.empty())
        busy_.erase(p);
      else
        visit(p, queue);
    }
  }
  /// The first in [from, end) that may have batches, or `end`: one that was busy lately may be idle.
  std::uint32_t next_busy(std::uint32_t from, std::uint32_t end) const { return busy_.next(from, end); }
  /// A batch has been put into its queue.
  void mark_busy(std::uint32_t partition) { busy_.insert(partition); }
  /// Partitions that the topic is known to have: messages are routed to these.
  std::uint32_t size() const { return size_; }
  /// Requires at most as many as there are queues.
  void show(std::uint32_t partitions) { size_ = partitions; }

  /// Appends one message stamped `at`; opens a batch for it where need be.
  Outcome append(std::uint32_t partition, const Message& message, sim::Time at);
  /// Appends to the open batch. Returns the batch's growth, or 0 when there is none or the message does not
  /// fit.
  std::int32_t append_to_open(std::uint32_t partition, const Message& message, sim::Time at) {
    PartitionQueue& queue = partitions_[partition];
    Batch* const last = queue.batches.back();
    if (last == nullptr || last->closed || room() <= 0) return 0;
    const std::int32_t bytes = last->fill.record_bytes(message.fixed, at);
    if (!fits(last->fill, bytes)) return 0;
    add(queue, *last, message, bytes);
    return bytes;
  }
  /// The main path of keyless messages: appends those that arose until `now` to the open batch while they
  /// fit, are accepted, and until `most_bytes` have been added. A message is stamped when it arose, but not
  /// before `free`. `fixed` is RecordSizer::fixed_bytes where that is the same for all, else 0. Requires an
  /// open batch.
  Run append_run(std::uint32_t partition, const Columns& messages, const RecordSizer& sizer,
                 std::int32_t fixed, sim::Time free, sim::Time now, std::int64_t most_bytes);

  /// The open batch, or null.
  const Batch* open_batch(std::uint32_t partition) const {
    const Batch* last = partitions_[partition].batches.back();
    return last != nullptr && !last->closed ? last : nullptr;
  }
  /// No batch of the queue would take another message (allBatchesFull).
  bool all_full(std::uint32_t partition) const { return open_batch(partition) == nullptr; }

  /// No more messages; reported as offered. No effect on a closed batch.
  void close(Batch& batch);
  /// Puts the batch's memory back; the batch stays.
  void free_memory(Batch& batch);
  /// Memory and batch go back.
  void release(Batch& batch);
  /// Two batches of half its messages each, in no queue and without memory of their own; the given one stays
  /// as it is. Requires a closed batch of several messages.
  std::array<Batch*, 2> halve(const Batch& batch);

  Batch& batch(std::uint32_t token) { return pool_[token]; }
  std::size_t batches() const { return pool_.taken(); }
  /// A larger record is refused (KafkaProducer.ensureValidRecordSize).
  bool accepts(std::int32_t fixed) const {
    const std::int32_t most = RecordSizer::upper_bound(fixed);
    return most <= options_.max_request_size && most <= options_.buffer_memory;
  }
  std::int64_t available_memory() const { return available_; }
  /// So many messages more may be held (queue.buffering.max.messages).
  std::int64_t room() const { return options_.max_messages - held_; }
  bool fits(const BatchFill& fill, std::int32_t record) const {
    return fill.fits(record) && fill.count < options_.batch_num_messages;
  }
  bool full(const BatchFill& fill) const { return fill.full() || fill.count >= options_.batch_num_messages; }
  /// Memory that a new batch for a message of that size takes.
  std::int32_t buffer_for(std::int32_t fixed) const {
    return std::max(options_.batch_size, RecordSizer::upper_bound(fixed));
  }
  ProducerReport& report() { return report_; }

 private:
  void add(PartitionQueue& queue, Batch& batch, const Message& message, std::int32_t bytes);

  const Context& context_;
  EntityId producer_;
  Options options_;
  std::int64_t available_;
  std::int64_t held_ = 0;  ///< messages in batches that take memory
  std::vector<PartitionQueue> partitions_;
  BusySet busy_;
  std::uint32_t size_;
  BatchPool pool_;
  ProducerReport report_;
};

}  // namespace models::kafka
