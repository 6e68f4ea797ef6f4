// A batch of records on its way from the application to a log (ProducerBatch.java), the pool it comes from,
// and the queue of one partition. Batches never move; their vectors keep their capacity from one life to the
// next, so that steady state allocates nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "models/ids.hpp"
#include "models/kafka/producer/record_size.hpp"
#include "models/kafka/types.hpp"
#include "sim/assert.hpp"
#include "sim/time.hpp"

namespace models::kafka {

/// `count` messages of a batch, from its `at`-th on, are the application's resend of others, or were made of others.
struct ResendRange {
  std::int32_t at = 0;
  std::int32_t count = 0;
  LaneId old_lane{};
  std::int64_t old_seq = 0;
};

struct Batch {
  std::uint32_t token = 0;      ///< names it in requests
  std::uint32_t partition = 0;  ///< number within the topic
  std::int64_t first_seq = 0;   ///< in the partition's lane
  std::int32_t count = 0;       ///< messages whose fate is open; fill.count keeps how many were added
  BatchFill fill;
  std::int32_t held = 0;          ///< of queue.buffering.max.messages; 0 for the parts of a split batch
  std::int64_t buffer_bytes = 0;  ///< taken from buffer.memory; 0 for the parts of a split batch
  sim::Time created{};            ///< delivery.timeout.ms runs from here
  sim::Time last_append{};        ///< before KIP-91 request.timeout.ms runs from here
  sim::Time last_attempt{};       ///< linger.ms and retry.backoff.ms run from here
  sim::Time retry_at{};           ///< backing off until then
  sim::Time newest{};             ///< creation time of the newest message

  bool closed = false;  ///< no more records are added; its messages have been reported as offered
  bool retry = false;   ///< it was sent and came back
  bool on_the_wire = false;
  bool done = false;           ///< its fate has been reported
  bool maybe_written = false;  ///< an attempt ended without a word on whether the broker appended it
  std::int32_t attempts = 0;   ///< that have failed
  LeaderEpoch leader_epoch = kNoEpoch;
  std::int32_t attempts_at_leader_change = 0;

  ProducerId producer_id = kNoProducerId;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
  bool sequence_reset = false;  ///< numbered anew after an epoch bump, and not sent again since

  std::vector<std::int64_t> created_at;  ///< ns, per message; spent once offered
  std::vector<std::int64_t> keys;        ///< per message, where the application has keys; with kTombstone
  std::vector<std::uint32_t> sizes;      ///< per message, where the accumulator was told to keep them
  std::vector<ResendRange> resends;

  Batch* next = nullptr;
  Batch* previous = nullptr;

  bool has_sequence() const { return base_sequence >= 0; }
  /// It has failed before, and meanwhile another leader is known: no need to wait (ProducerBatch.java).
  bool leader_changed_since_failure() const { return attempts > 0 && attempts == attempts_at_leader_change; }
  void see_leader_epoch(LeaderEpoch epoch) {
    if (epoch <= leader_epoch) return;
    attempts_at_leader_change = attempts;
    leader_epoch = epoch;
  }
  bool backing_off(sim::Time now) const {
    return attempts > 0 && now < retry_at && !leader_changed_since_failure();
  }
};

class BatchPool {
 public:
  Batch& take() {
    ++taken_;
    if (free_.empty()) {
      Batch& made = all_.emplace_back();
      made.token = static_cast<std::uint32_t>(all_.size() - 1);
      return made;
    }
    Batch& batch = *free_.back();
    free_.pop_back();
    clear(batch);
    return batch;
  }
  void put_back(Batch& batch) {
    --taken_;
    free_.push_back(&batch);
  }
  Batch& operator[](std::uint32_t token) { return all_[token]; }
  std::size_t taken() const { return taken_; }

 private:
  static void clear(Batch& batch) {
    Batch fresh;
    fresh.token = batch.token;
    for (auto keep : {&Batch::created_at, &Batch::keys}) {
      (batch.*keep).clear();
      (fresh.*keep).swap(batch.*keep);
    }
    batch.sizes.clear();
    fresh.sizes.swap(batch.sizes);
    batch.resends.clear();
    fresh.resends.swap(batch.resends);
    batch = std::move(fresh);
  }

  std::deque<Batch> all_;
  std::vector<Batch*> free_;
  std::size_t taken_ = 0;
};

/// The batches of a partition that wait to be sent, oldest first.
class BatchQueue {
 public:
  bool empty() const { return first_ == nullptr; }
  std::size_t size() const { return size_; }
  Batch* front() const { return first_; }
  Batch* back() const { return last_; }

  void push_back(Batch& batch) { insert_before(nullptr, batch); }
  void push_front(Batch& batch) { insert_before(first_, batch); }
  /// Before `place`, or at the end when that is null.
  void insert_before(Batch* place, Batch& batch) {
    batch.next = place;
    batch.previous = place != nullptr ? place->previous : last_;
    (batch.previous != nullptr ? batch.previous->next : first_) = &batch;
    (place != nullptr ? place->previous : last_) = &batch;
    ++size_;
  }
  /// Requires: not empty.
  Batch& pop_front() {
    Batch& batch = *first_;
    first_ = batch.next;
    (first_ != nullptr ? first_->previous : last_) = nullptr;
    batch.next = nullptr;
    --size_;
    return batch;
  }

 private:
  Batch* first_ = nullptr;
  Batch* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace models::kafka
