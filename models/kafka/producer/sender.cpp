#include "models/kafka/producer/sender.hpp"

#include <algorithm>

#include "models/kafka/backoff.hpp"
#include "sim/assert.hpp"

namespace models::kafka {
namespace {

/// What became of the request is not known: the broker may have appended the batch. A leader that resigns says
/// NOT_LEADER_OR_FOLLOWER of appends that wait for their replication, too.
bool leaves_doubt(ErrorCode error, std::int16_t acks) {
  if (acks == -1 && error == ErrorCode::not_leader_or_follower) return true;
  return error == ErrorCode::disconnected || error == ErrorCode::network_exception ||
         error == ErrorCode::request_timed_out || error == ErrorCode::not_enough_replicas_after_append;
}

}  // namespace

Sender::Sender(const ProducerConfig& config, Accumulator& accumulator, ProducerGateway& gateway,
               SenderClient& client, sim::Stream backoff, bool has_delivery_timeout)
    : config_(config),
      accumulator_(accumulator),
      gateway_(gateway),
      client_(client),
      sequences_(config.enable_idempotence, accumulator.size()),
      backoff_(backoff),
      one_in_flight_(config.max_in_flight_requests_per_connection == 1),
      one_partition_(config.client == Client::librdkafka),
      has_delivery_timeout_(has_delivery_timeout || config.client == Client::librdkafka),
      brokers_(static_cast<std::size_t>(gateway.broker_count())) {}

// ---- sending ----------------------------------------------------------------------------------------------

sim::Time Sender::run(sim::Time now, bool starved) {
  next_ = sim::kNever;
  sequences_.settle();
  ensure_producer_id(now);
  expire(now);
  if (transactions_ != nullptr && client_.alive()) {
    if (transactions_->drops_unsent()) drop_unsent();
    if (!client_.alive()) return sim::kNever;
    starved = starved || transactions_->completing();
  }
  if (!gateway_.metadata_known()) return next_;
  bool progress = true;
  while (progress && client_.alive()) {
    progress = false;
    if (!find_ready(now, starved)) break;
    for (std::size_t b = 0; b < brokers_.size(); ++b) {
      if (brokers_[b].ready) progress = send_to(b, now, starved) || progress;
      if (!client_.alive()) return sim::kNever;
    }
  }
  return next_;
}

/// RecordAccumulator.abortUndrainedBatches: what was sent before is waited for, the rest has failed.
void Sender::drop_unsent() {
  accumulator_.for_busy([this](std::uint32_t, PartitionQueue& queue) {
    while (!queue.batches.empty() && client_.alive()) {
      Batch& first = *queue.batches.front();
      if (first.has_sequence() && !transactions_->is(TransactionManager::State::fatal_error)) break;
      ++moves_;
      queue.batches.pop_front();
      accumulator_.close(first);
      give_up(first, ErrorCode::transaction_aborted, false);
    }
  });
}

void Sender::ensure_producer_id(sim::Time now) {
  if (transactions_ != nullptr || !sequences_.needs_producer_id() || id_requested_) return;
  if (now < id_retry_at_) return note_deadline(id_retry_at_);
  id_requested_ = true;
  gateway_.init_producer_id();
}

void Sender::producer_id_given(const InitProducerIdCall& call, sim::Time now) {
  id_requested_ = false;
  if (call.error != ErrorCode::none) {
    id_retry_at_ = now + config_.retry_backoff;
    gateway_.request_metadata();
    return;
  }
  sequences_.set_producer(call.producer_id, call.producer_epoch);
}

bool Sender::find_ready(sim::Time now, bool starved) {
  for (Destination& broker : brokers_) broker.ready = false;
  accumulator_.for_busy([&](std::uint32_t p, const PartitionQueue& queue) {
    if (!queue.batches.empty()) consider(p, now, starved);
  });
  return std::any_of(brokers_.begin(), brokers_.end(),
                     [](const Destination& broker) { return broker.ready; });
}

void Sender::consider(std::uint32_t partition, sim::Time now, bool starved) {
  PartitionQueue& queue = accumulator_[partition];
  if (queue.leader.leader == kNoBroker) return gateway_.request_metadata();
  Batch& first = *queue.batches.front();
  first.see_leader_epoch(queue.leader.epoch);
  Destination& broker = brokers_[static_cast<std::size_t>(queue.leader.leader.value)];
  if (broker.ready || queue.muted) return;
  if (transactions_ != nullptr && !transactions_->may_send(queue.index) && !first.has_sequence()) return;
  if (first.backing_off(now)) return note_deadline(first.retry_at);
  broker.ready = due(queue, now, starved);
}

bool Sender::due(const PartitionQueue& queue, sim::Time now, bool starved) {
  const Batch& first = *queue.batches.front();
  const bool full = first.closed || queue.batches.size() > 1;
  const sim::Time lingered = first.last_attempt + config_.linger;
  if (full || starved || now >= lingered) return true;
  note_deadline(lingered);
  return false;
}

bool Sender::send_to(std::size_t index, sim::Time now, bool starved) {
  Destination& broker = brokers_[index];
  const BrokerId id{static_cast<std::int32_t>(index)};
  if (!broker.looked_at) broker.drained = now;
  broker.looked_at = true;
  broker.stuck = !gateway_.ready(id);
  if (broker.stuck) {
    gateway_.connect(id);
    return false;
  }
  broker.drained = now;

  Ref<ProduceCall> call = gateway_.take_call();
  drain(broker, id, *call, now, starved);
  if (call->batches.empty()) return false;
  call->acks = config_.acks;
  if (transactions_ != nullptr) call->transactional_id = transactions_->transactional_id();
  call->timeout = config_.acks_timeout.value_or(config_.request_timeout);
  if (config_.acks != 0) {
    gateway_.produce(id, std::move(call));
  } else {
    gateway_.produce(id, call);
    complete_unanswered(call, now);
  }
  return true;
}

/// RecordAccumulator.drainBatchesForOneNode: once round the broker's partitions, from where its last drain ended. Of these,
/// which are in rising order, only those with batches are looked at.
void Sender::drain(Destination& broker, BrokerId id, ProduceCall& call, sim::Time now, bool starved) {
  const std::vector<std::uint32_t>& all = broker.partitions;
  const std::size_t begin = broker.drain_index % all.size();
  const std::uint32_t first = all[begin];
  broker.drain_index = (begin == 0 ? all.size() : begin) - 1;
  const std::uint32_t end = accumulator_.size();
  std::int64_t bytes = 0;
  for (std::uint32_t p = accumulator_.next_busy(first, end); p != end;
       p = accumulator_.next_busy(p + 1, end)) {
    if (!drain_partition(p, broker, id, call, bytes, now, starved)) return;
  }
  for (std::uint32_t p = accumulator_.next_busy(0, first); p != first;
       p = accumulator_.next_busy(p + 1, first)) {
    if (!drain_partition(p, broker, id, call, bytes, now, starved)) return;
  }
}

/// Takes its first batch if it may; false ends the request.
bool Sender::drain_partition(std::uint32_t partition, Destination& broker, BrokerId id, ProduceCall& call,
                             std::int64_t& bytes, sim::Time now, bool starved) {
  PartitionQueue& queue = accumulator_[partition];
  if (queue.leader.leader != id || queue.muted || queue.batches.empty()) return true;
  Batch& first = *queue.batches.front();
  first.see_leader_epoch(queue.leader.epoch);
  if (first.backing_off(now)) return true;
  if (transactions_ != nullptr && !transactions_->may_send(queue.index) && !first.has_sequence()) return true;
  const bool in_turn = sequences_.may_send(first);
  if (one_partition_ && !(in_turn && due(queue, now, starved))) return true;
  const auto index = [&] {
    return static_cast<std::size_t>(
        std::lower_bound(broker.partitions.begin(), broker.partitions.end(), partition) -
        broker.partitions.begin());
  };
  const bool full = bytes > 0 && bytes + first.fill.bytes > config_.max_request_size;
  // As in Kafka, a partition that must wait for earlier batches ends the request.
  if (full || !in_turn) {
    broker.drain_index = index();
    return false;
  }
  const Batch& batch = *take_first(queue);
  bytes += batch.fill.bytes;
  call.batches.push_back({.partition = queue.index,
                          .lane = queue.lane,
                          .first_seq = batch.first_seq,
                          .count = batch.count,
                          .bytes = batch.fill.bytes,
                          .producer_id = batch.producer_id,
                          .producer_epoch = batch.producer_epoch,
                          .base_sequence = batch.base_sequence,
                          .max_timestamp = batch.newest,
                          .token = batch.token,
                          .transactional = transactions_ != nullptr});
  if (!one_partition_) return true;
  // Each partition is served on its own (rd_kafka_toppar_producer_serve).
  broker.drain_index = index() + 1;
  return false;
}

Batch* Sender::take_first(PartitionQueue& queue) {
  ++moves_;
  Batch& batch = queue.batches.pop_front();
  accumulator_.close(batch);
  sequences_.assign(batch);
  batch.on_the_wire = true;
  queue.in_flight.push_back(&batch);
  queue.muted = one_in_flight_;
  return &batch;
}

void Sender::complete_unanswered(const Ref<ProduceCall>& call, sim::Time now) {
  // acks=0: written to the socket is all the producer ever learns.
  for (const ProduceBatch& sent : call->batches) {
    accumulator_[accumulator_.batch(sent.token).partition].muted = false;
    settle(accumulator_.batch(sent.token), ErrorCode::none, kNoOffset, now);
    if (!client_.alive()) return;
  }
}

// ---- delivery.timeout.ms ----------------------------------------------------------------------------------

void Sender::expire(sim::Time now) {
  accumulator_.for_busy([&](std::uint32_t, PartitionQueue& queue) {
    if (!queue.in_flight.empty() && has_delivery_timeout_) expire_in_flight(queue, now);
    // Before KIP-91 not while it is muted (RecordAccumulator.expiredBatches of 2.0).
    if (!queue.batches.empty() && (has_delivery_timeout_ || !queue.muted)) expire_queue(queue, now);
  });
}

void Sender::expire_queue(PartitionQueue& queue, sim::Time now) {
  while (!queue.batches.empty()) {
    Batch& first = *queue.batches.front();
    const sim::Time deadline = expires_unsent(queue, first);
    if (now < deadline) return note_deadline(deadline);
    ++moves_;
    queue.batches.pop_front();
    accumulator_.close(first);
    if (first.retry) sequences_.mark_unresolved(first);
    give_up(first, ErrorCode::delivery_timed_out, false);
  }
}

/// Before KIP-91: ProducerBatch.maybeExpire of 2.0.
sim::Time Sender::expires_unsent(const PartitionQueue& queue, const Batch& batch) const {
  if (has_delivery_timeout_) return batch.created + config_.delivery_timeout;
  if (batch.retry) return batch.last_attempt + config_.retry_backoff + config_.request_timeout;
  const sim::Time lingered = batch.created + config_.linger + config_.request_timeout;
  const bool full = batch.closed || queue.batches.size() > 1;
  return full ? std::min(lingered, batch.last_append + config_.request_timeout) : lingered;
}

void Sender::expire_in_flight(PartitionQueue& queue, sim::Time now) {
  while (!queue.in_flight.empty()) {
    Batch& first = *queue.in_flight.front();
    const sim::Time deadline = first.created + config_.delivery_timeout;
    if (now < deadline) return note_deadline(deadline);
    queue.in_flight.erase(queue.in_flight.begin());
    first.maybe_written = true;
    if (first.retry) sequences_.mark_unresolved(first);
    give_up(first, ErrorCode::delivery_timed_out, false);
  }
}

// ---- what comes back --------------------------------------------------------------------------------------

void Sender::produced(ProduceCall& call, sim::Time now) {
  for (const ProduceBatch& answered : call.batches) {
    Batch& batch = accumulator_.batch(answered.token);
    PartitionQueue& queue = accumulator_[batch.partition];
    const ErrorCode error = call.error != ErrorCode::none ? call.error : answered.error;
    settle(batch, error, answered.base_offset, now);
    if (!client_.alive()) return;
    if (one_in_flight_) queue.muted = false;
    if (means_stale_metadata(error)) gateway_.request_metadata();
  }
}

void Sender::settle(Batch& batch, ErrorCode error, Offset base_offset, sim::Time now) {
  std::vector<Batch*>& in_flight = accumulator_[batch.partition].in_flight;
  in_flight.erase(std::remove(in_flight.begin(), in_flight.end(), &batch), in_flight.end());
  batch.on_the_wire = false;
  if (batch.done) {
    // It expired meanwhile and its failure was reported: a late success only tells which numbers were used.
    if (error == ErrorCode::none) sequences_.acknowledged(batch, base_offset);
    expired_.erase(std::remove(expired_.begin(), expired_.end(), &batch), expired_.end());
    return accumulator_.release(batch);
  }
  if (leaves_doubt(error, config_.acks)) batch.maybe_written = true;
  if (error == ErrorCode::none || error == ErrorCode::duplicate_sequence_number) {
    succeed(batch, base_offset);
  } else if (error == ErrorCode::message_too_large && batch.count > 1) {
    send_in_halves(batch);
  } else if (can_retry(batch, error, base_offset, now)) {
    send_again(batch, now);
  } else {
    // Retries used up: whether its sequence numbers were used is not known, so they cannot be given again.
    give_up(batch, error, batch.attempts < config_.retries);
  }
}

void Sender::succeed(Batch& batch, Offset base_offset) {
  sequences_.acknowledged(batch, base_offset);
  client_.acknowledged(batch, base_offset);
  if (client_.alive()) accumulator_.release(batch);
}

bool Sender::can_retry(const Batch& batch, ErrorCode error, Offset log_start, sim::Time now) {
  const bool late = has_delivery_timeout_ && now >= batch.created + config_.delivery_timeout;
  return !late && batch.attempts < config_.retries && sequences_.can_retry(batch, error, log_start);
}

void Sender::send_again(Batch& batch, sim::Time now) {
  ++moves_;
  PartitionQueue& queue = accumulator_[batch.partition];
  batch.retry = true;
  batch.last_attempt = now;
  batch.retry_at = now + exponential_backoff(config_.retry_backoff, config_.retry_backoff_max,
                                             static_cast<std::uint32_t>(batch.attempts), backoff_);
  ++batch.attempts;
  // Without idempotence to the front, whatever was sent after it: this is where order is lost.
  queue.batches.insert_before(sequences_.place(queue.batches, batch), batch);
  accumulator_.mark_busy(batch.partition);
}

void Sender::send_in_halves(Batch& batch) {
  // Model: Kafka packs the records anew into batches of batch.size, which gives an uncompressed batch back
  // unchanged and repeats until delivery.timeout.ms (KAFKA-8350); half the batch at a time gets through.
  ++moves_;
  PartitionQueue& queue = accumulator_[batch.partition];
  const std::array<Batch*, 2> halves = accumulator_.halve(batch);
  sequences_.adopt_parts(batch, halves);
  for (std::size_t i = halves.size(); i-- > 0;) {
    queue.batches.insert_before(sequences_.place(queue.batches, *halves[i]), *halves[i]);
  }
  accumulator_.mark_busy(batch.partition);
  accumulator_.release(batch);
}

void Sender::give_up(Batch& batch, ErrorCode error, bool adjust) {
  batch.done = true;
  client_.failed(batch, error);
  if (!client_.alive()) return;
  sequences_.failed(batch, error, adjust);
  // On the wire its answer will still name it: only the memory goes back now.
  if (!batch.on_the_wire) return accumulator_.release(batch);
  accumulator_.free_memory(batch);
  expired_.push_back(&batch);
}

// ---- leaders ----------------------------------------------------------------------------------------------

void Sender::leaders_changed() {
  for (Destination& broker : brokers_) broker.partitions.clear();
  available_.clear();
  for (std::uint32_t p = 0; p < accumulator_.size(); ++p) {
    PartitionQueue& queue = accumulator_[p];
    queue.leader = gateway_.leader(queue.index);
    if (queue.leader.leader == kNoBroker) continue;
    brokers_[static_cast<std::size_t>(queue.leader.leader.value)].partitions.push_back(p);
    available_.push_back(p);
  }
  if (!available_.empty()) return;
  for (std::uint32_t p = 0; p < accumulator_.size(); ++p) available_.push_back(p);
}

std::span<PartitionLoad> Sender::loads(sim::Time now) {
  loads_.clear();
  for (std::uint32_t p = 0; p < accumulator_.size(); ++p) {
    const PartitionQueue& queue = accumulator_[p];
    if (!queue.used) return {};
    if (queue.leader.leader == kNoBroker) continue;
    const Destination& broker = brokers_[static_cast<std::size_t>(queue.leader.leader.value)];
    const bool late = config_.partitioner_availability_timeout > sim::Duration{} && !queue.batches.empty() &&
                      broker.stuck && now - broker.drained > config_.partitioner_availability_timeout;
    if (!late) loads_.push_back({p, static_cast<std::uint32_t>(queue.batches.size())});
  }
  return loads_;
}

void Sender::crashed() {
  sequences_.forget();
  id_requested_ = false;
  id_retry_at_ = {};
  for (Destination& broker : brokers_) broker = Destination{};
  available_.clear();
  for (Batch* batch : expired_) accumulator_.release(*batch);
  expired_.clear();
}

}  // namespace models::kafka
