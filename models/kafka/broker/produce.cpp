// How a leader appends, advances its high watermark and acknowledges (ReplicaManager.appendRecords,
// Partition.scala, DelayedProduce.scala).
#include <algorithm>
#include <utility>

#include "models/kafka/broker/broker.hpp"
#include "models/kafka/group/group_coordinator.hpp"
#include "models/kafka/share/share_coordinator.hpp"
#include "models/kafka/transaction/transaction_coordinator.hpp"

namespace models::kafka {

void Broker::handle_produce(Ref<ProduceCall> call) {
  if (verify(call, context().now())) return;
  call->awaiting = 0;
  for (std::uint32_t i = 0; i < call->batches.size(); ++i) {
    append_batch(call, call->batches[i], i);
    if (!node_.up()) return;  // a fault struck at a named step
  }
  if (call->acks == 0) {
    // No answer: the connection is free for the next request; an error is told by closing it (KafkaApis: "the server will
    // close socket server so that the producer client will know that some error has happened").
    const bool failed = std::any_of(call->batches.begin(), call->batches.end(),
                                    [](const ProduceBatch& batch) { return batch.error != ErrorCode::none; });
    if (failed) return hang_up(context().network, *call);
    if (quotas_.any()) {
      call->throttle =
          quotas_.produced(call->origin->client().entity(), call->request_bytes, call->service, false);
    }
    return read_on(*call);
  }
  if (call->awaiting > 0) return park(call);
  std::int64_t unreplicated = 0;
  if (call->acks == 1) {
    for (const ProduceBatch& batch : call->batches) unreplicated += unsent_records(batch);
  }
  answer(std::move(call));
  // The answer has left; followers have not fetched the batch yet.
  while (unreplicated > 0 && node_.up()) {
    const std::int64_t part = std::min(unreplicated, unreplicated_step_.until_next());
    unreplicated_step_.advance(part);
    unreplicated -= part;
  }
}

std::int64_t Broker::unsent_records(const ProduceBatch& batch) const {
  if (batch.error != ErrorCode::none) return 0;
  const Offset end = batch.base_offset + batch.count;
  return std::clamp<std::int64_t>(end - replicas_[batch.partition.value]->sent_to_followers(), 0,
                                  batch.count);
}

void Broker::append_batch(Ref<ProduceCall>& call, ProduceBatch& batch, std::uint32_t index) {
  if (batch.error != ErrorCode::none) return;  // the transaction coordinator's answer
  Replica* replica = replicas_[batch.partition.value];
  if (replica == nullptr || !replica->leads) {
    batch.error = ErrorCode::not_leader_or_follower;
    batch.current_leader = hint(batch.partition);
    return;
  }
  // Partition.appendRecordsToLeader: before the records are looked at.
  if (call->acks == -1 && replica->under_min_isr()) {
    batch.error = ErrorCode::not_enough_replicas;
    return;
  }
  // LogValidator.validateKey: "Compacted topic cannot accept message without key in topic partition"
  if (replica->disk.cleanup.compacts && !cluster_.record_keys().keyed(batch.lane)) {
    batch.error = ErrorCode::invalid_record;
    return;
  }
  batch.error = stamp(*replica->disk.topic, batch.max_timestamp);
  if (batch.error != ErrorCode::none) return;
  const std::int32_t largest = replica->disk.topic->max_message_bytes.value_or(config().message_max_bytes);
  if (batch.bytes > largest) {
    batch.error = ErrorCode::message_too_large;
    return;
  }
  // UnifiedLog.append: "exceeds the maximum configured segment size". Clients do not split such a batch.
  if (batch.bytes > replica->disk.segment_bytes) {
    batch.error = ErrorCode::record_list_too_large;
    return;
  }
  if (batch.producer_id != kNoProducerId) {
    const ProducerStates::Verdict verdict =
        replica->producers.check(batch.producer_id, batch.producer_epoch, batch.base_sequence, batch.count);
    batch.error = verdict.error;
    // ProduceResponse.logStartOffset
    if (verdict.error == ErrorCode::unknown_producer_id) batch.base_offset = replica->log.start();
    if (verdict.error != ErrorCode::none) return;
    if (verdict.duplicate) {
      // Appended before: acknowledged like the first time, once it is replicated.
      batch.base_offset = verdict.base_offset;
      if (call->acks == -1 && verdict.base_offset + batch.count > replica->high_watermark) {
        ++call->awaiting;
        replica->waiting.push({verdict.base_offset + batch.count, call, index});
      }
      return;
    }
  }
  if (batch.transactional && !may_open_transaction(*replica, batch)) {
    batch.error = ErrorCode::invalid_txn_state;
    return;
  }
  if (!can_write(batch.bytes)) {
    batch.error = ErrorCode::kafka_storage_error;
    return;
  }
  batch.base_offset =
      append_extent(*replica, {.first_seq = batch.first_seq,
                               .max_timestamp = batch.max_timestamp,
                               .producer_id = batch.producer_id,
                               .count = batch.count,
                               .base_sequence = batch.base_sequence,
                               .bytes = batch.bytes,
                               .lane = batch.lane,
                               .producer_epoch = batch.producer_epoch,
                               .kind = batch.transactional ? BatchKind::transactional : BatchKind::plain});
  if (call->acks == -1 && replica->log.end() > replica->high_watermark) {
    ++call->awaiting;
    replica->waiting.push({replica->log.end(), call, index});
  }
  for (std::int64_t left = batch.count; left > 0 && node_.up();) {
    const std::int64_t part = std::min(left, appended_step_.until_next());
    appended_step_.advance(part);
    left -= part;
  }
}

/// LogValidator.validateTimestamp: the producer's time of creation is refused if it is too far from the broker's clock, or
/// replaced by the time of the append.
/// Model: the newest record of a batch is looked at, the others are as old or older.
ErrorCode Broker::stamp(const TopicConfig& topic, sim::Time& created) {
  const TimestampConfig& own = topic.message_timestamp;
  const TimestampConfig& common = config().log_message_timestamp;
  const sim::Time now = wall_clock();
  if (own.log_append_time.value_or(*common.log_append_time)) {
    created = now;
    return ErrorCode::none;
  }
  const bool early = now - created > own.before_max.value_or(*common.before_max);
  const bool late = created - now > own.after_max.value_or(*common.after_max);
  return early || late ? ErrorCode::invalid_timestamp : ErrorCode::none;
}

Offset Broker::append_extent(Replica& replica, Extent extent) {
  const Offset end_before = replica.log.end();
  for (Follower& f : replica.followers) {
    // A session that had nothing to fetch was caught up as long as it kept asking (see note_follower_fetch).
    if (f.log_end == end_before && f.session != nullptr) {
      f.last_caught_up = std::max(f.last_caught_up, f.session->last_fetch);
      f.ever_fetched = true;
    }
    if (f.session != nullptr && f.seen_fetches != f.session->fetches) {
      f.seen_fetches = f.session->fetches;
      f.leader_end_at_last_fetch = end_before;
      f.last_fetch = f.session->last_fetch;
    }
  }
  const Offset base = replica.log.append(extent);
  logs_.appended(replica, base, extent.bytes, extent.max_timestamp);
  if (!cluster_.topic_of(replica.partition).internal) {
    replica.producers.appended(replica.log.at(base));
    if (replica.producers.has_transactions()) replica.shared->transactional = true;
    const std::int64_t epoch = replica.leader_epoch;
    const bool on_line = replica.shared->line == &replica.log;
    if (!extent.is_marker()) {
      context().emit(
          Kind::stored,
          {.code = static_cast<std::uint16_t>((on_line ? 0 : kOffLine) |
                                              (extent.kind == BatchKind::transactional ? kTransactional : 0)),
           .actor = node_.entity().value,
           .place = cluster_.partition(replica.partition).entity.value,
           .peer = extent.lane.value,
           .a = extent.first_seq,
           .b = extent.count,
           .c = base},
          {&epoch, 1});
    } else if (on_line) {
      emit_marker(replica, replica.log.at(base));
    }
  }
  advance_high_watermark(replica);
  wake(replica, true);
  return base;
}

Offset Broker::append(PartitionIndex partition, std::int32_t records, std::int32_t bytes,
                      std::uint64_t token) {
  Replica* replica = replicas_[partition.value];
  if (replica == nullptr || !replica->leads || replica->under_min_isr()) return kNoOffset;
  const sim::Duration linger = append_linger(partition);
  if (linger > sim::Duration{}) {
    const Offset end = gathered_.add(partition, replica->log.end(), context().simulation.after(linger),
                                     records, bytes, token);
    if (!gather_timer_.armed()) gather_timer_.arm_at(*gathered_.next_due());
    return end;
  }
  append_extent(*replica, {.count = records, .bytes = bytes});
  await_replicas(*replica, replica->log.end(), token);
  return replica->log.end();
}

Offset Broker::append_at_once(PartitionIndex partition, std::int32_t records, std::int32_t bytes,
                              std::uint64_t token) {
  Replica* replica = replicas_[partition.value];
  if (replica == nullptr || !replica->leads || replica->under_min_isr()) return kNoOffset;
  if (const auto before = gathered_.take(partition)) append_gathered(*before);
  append_extent(*replica, {.count = records, .bytes = bytes});
  await_replicas(*replica, replica->log.end(), token);
  return replica->log.end();
}

void Broker::await_replicas(Replica& replica, Offset required, std::uint64_t token) {
  replica.waiting.push({.required = required, .call = {}, .token = token});
  if (replica.high_watermark < required) return;
  context().simulation.post([this, &replica, life = node_.incarnation()] {
    if (life == node_.incarnation() && replica.leads) complete_waiting(replica);
  });
}

/// Of the coordinator that writes this partition. A negative one (adaptive) ends when the coordinator has nothing else to do,
/// which here takes no time.
sim::Duration Broker::append_linger(PartitionIndex partition) {
  if (cluster_.is_offsets(partition)) return config().group_coordinator_append_linger;
  if (cluster_.is_share_state(partition)) return config().share_coordinator_append_linger;
  return {};
}

void Broker::append_gathered() {
  const sim::Time now = context().now();
  while (auto batch = gathered_.take_due(now)) {
    if (replicas_[batch->partition.value]->under_min_isr())
      fail_gathered(*batch);
    else
      append_gathered(*batch);
    if (!node_.up()) return;
  }
  if (const auto due = gathered_.next_due()) gather_timer_.arm_at(*due);
}

void Broker::append_gathered(const GatheredAppends::Batch& batch) {
  Replica& replica = *replicas_[batch.partition.value];
  append_extent(replica, {.count = batch.records, .bytes = batch.bytes});
  for (const GatheredAppends::Batch::Part& part : batch.parts) await_replicas(replica, part.end, part.token);
}

/// NOT_ENOUGH_REPLICAS: the log refuses it, and what it has changed is undone (CoordinatorRuntime.failCurrentBatch).
void Broker::fail_gathered(const GatheredAppends::Batch& batch) {
  const Offset end = replicas_[batch.partition.value]->log.end();
  const std::uint64_t first = batch.parts.front().token;
  if ((first & ShareCoordinator::kTokenBit) != 0)
    share_coordinator_->refused(batch.partition, first, end);
  else
    coordinator_->refused(batch.partition, first, end);
}

/// Partition.deleteRecordsOnLeader (KIP-107). Followers hear of the new start with their next fetch; segments go when retention
/// next looks.
/// Model: the operator's request takes no time, and does not wait until all replicas have heard (DelayedDeleteRecords).
ErrorCode Broker::delete_records(PartitionIndex p, Offset offset) {
  Replica* const replica = replicas_[p.value];
  if (replica == nullptr || !replica->leads || !node_.up()) return ErrorCode::not_leader_or_follower;
  if (!replica->disk.cleanup.deletes) return ErrorCode::policy_violation;
  if (offset == kNoOffset) offset = replica->high_watermark;
  if (offset > replica->high_watermark) return ErrorCode::offset_out_of_range;
  if (offset > replica->log.start()) logs_.raise_start(*replica, offset);
  return ErrorCode::none;
}

void Broker::advance_high_watermark(Replica& replica) {
  const Offset allowed = replica.allowed_high_watermark(wall_clock(), config().replica_lag_time_max,
                                                        ineligible_, rules().has(Rule::strict_min_isr));
  if (allowed == replica.high_watermark) return;
  replica.high_watermark_before = std::exchange(replica.high_watermark, allowed);
  replica.high_watermark_rose_at = context().now();
  if (replica.producers.has_transactions()) replica.producers.replicated(allowed);
  if (replica.shared->line == &replica.log && !cluster_.topic_of(replica.partition).internal) {
    context().emit(Kind::high_watermark, {.actor = node_.entity().value,
                                          .place = cluster_.partition(replica.partition).entity.value,
                                          .a = allowed});
  }
  complete_waiting(replica);
  if (node_.up()) wake(replica, false);
}

void Broker::complete_waiting(Replica& replica) {
  while (!replica.waiting.empty() && replica.waiting.front().required <= replica.high_watermark) {
    WaitingAppend done = replica.waiting.pop();
    // The record is in the log either way; the producer cannot know (Partition.checkEnoughReplicasReachOffset).
    settle(done, replica.under_min_isr() ? ErrorCode::not_enough_replicas_after_append : ErrorCode::none);
    if (!node_.up()) return;
  }
}

void Broker::settle(WaitingAppend& append, ErrorCode error) {
  if (append.markers) {
    append.markers->items[append.batch].error = error;
    return marker_settled(std::move(append.markers));
  }
  if (!append.call) {
    if ((append.token & TransactionCoordinator::kTokenBit) != 0)
      return transactions_->appended(append.token, error);
    if ((append.token & ShareCoordinator::kTokenBit) != 0)
      return share_coordinator_->appended(append.token, error);
    return coordinator_->appended(append.token, error);
  }
  ProduceCall& call = *append.call;
  if (call.awaiting == 0) return;  // answered by its time-out
  call.batches[append.batch].error = error;
  if (error == ErrorCode::not_leader_or_follower)
    call.batches[append.batch].current_leader = hint(call.batches[append.batch].partition);
  if (--call.awaiting > 0) return;
  answer(std::move(append.call));
  forget_answered();
}

/// KafkaApis.getCurrentLeader
PartitionLeader Broker::hint(PartitionIndex p) const {
  const PartitionState& known = image(p);
  if (!rules().has(Rule::leader_hints) || known.leader == id_) return {};
  return {known.leader, known.leader_epoch};
}

void Broker::fail_waiting(Replica& replica, ErrorCode error) {
  while (!replica.waiting.empty()) {
    WaitingAppend failed = replica.waiting.pop();
    settle(failed, error);
  }
}

void Broker::forget_answered() {
  while (!produce_purgatory_.empty() && produce_purgatory_.front().call->awaiting == 0)
    produce_purgatory_.pop();
}

void Broker::park(const Ref<ProduceCall>& call) {
  produce_purgatory_.push({call, context().simulation.after(call->timeout)});
  // A broker that was paused may find the oldest overdue.
  if (!produce_timer_.armed())
    produce_timer_.arm_at(std::max(produce_purgatory_.front().deadline, context().now()));
}

/// Who has not written for producer.id.expiration.ms is a stranger: any sequence number of his is taken.
void Broker::expire_producers() {
  for (const auto& replica : owned_)
    replica->producers.expire(wall_clock() - config().producer_id_expiration);
  producer_timer_.arm_after(config().producer_id_expiration_check_interval);
}

void Broker::expire_produce() {
  // Producers give one time-out each; calls of others behind a longer one expire late by the difference at most.
  while (!produce_purgatory_.empty()) {
    const ParkedProduce& oldest = produce_purgatory_.front();
    if (oldest.call->awaiting > 0 && oldest.deadline > context().now()) break;
    ParkedProduce expired = produce_purgatory_.pop();
    if (expired.call->awaiting == 0) continue;
    expired.call->awaiting = 0;
    for (ProduceBatch& batch : expired.call->batches) {
      const Replica* replica = replicas_[batch.partition.value];
      const bool replicated = replica != nullptr && batch.base_offset >= 0 &&
                              batch.base_offset + batch.count <= replica->high_watermark;
      if (batch.error == ErrorCode::none && !replicated) batch.error = ErrorCode::request_timed_out;
    }
    answer(std::move(expired.call));
  }
  if (!produce_purgatory_.empty()) produce_timer_.arm_at(produce_purgatory_.front().deadline);
}

}  // namespace models::kafka
