// A leader's part in transactions: what it asks the coordinator before it appends, and the markers that end them
// (ReplicaManager.maybeStartTransactionVerificationForPartitions, KafkaApis.handleWriteTxnMarkersRequest).
#include <algorithm>

#include "models/kafka/broker/broker.hpp"
#include "models/kafka/broker/transaction_verifier.hpp"
#include "models/kafka/group/group_coordinator.hpp"
#include "models/kafka/transaction/transaction_coordinator.hpp"

namespace models::kafka {
namespace {

/// A control batch of one record (MemoryRecords.writeEndTransactionalMarker).
constexpr std::int32_t kMarkerBytes = 78;

}  // namespace

TransactionVerifier& Broker::verifier() {
  if (!verifier_) {
    verifier_ = std::make_unique<TransactionVerifier>(
        cluster_, node_, config(), [this](PartitionIndex p) { return leader(p); },
        [this](AnyCall call, ErrorCode error) { verified(std::move(call), error); });
  }
  return *verifier_;
}

/// The first batch of a transaction in a partition is not taken on the producer's word: a late one of a transaction that has
/// ended would open another that nobody ends (KAFKA-12671). True when the call waits for the coordinator's answer.
/// `since`: when the call was first looked at.
bool Broker::verify(Ref<ProduceCall>& call, sim::Time since) {
  if (call->transactional_id.empty() || call->verified) return false;
  if (!config().transaction_partition_verification_enable && !cluster_.transactions_v2()) return false;
  if (wait_for_marker(call, since)) return true;
  unverified_.clear();
  for (const ProduceBatch& batch : call->batches) {
    if (batch.error != ErrorCode::none) continue;
    Replica* replica = replicas_[batch.partition.value];
    if (replica == nullptr || !replica->leads ||
        replica->producers.has_open_transaction(batch.producer_id, batch.producer_epoch))
      continue;
    unverified_.push_back(batch.partition);
    if (std::find(replica->verifying.begin(), replica->verifying.end(), batch.producer_id) ==
        replica->verifying.end()) {
      replica->verifying.push_back(batch.producer_id);
    }
  }
  call->verified = true;
  if (unverified_.empty()) return false;
  const ProduceBatch& first = call->batches.front();
  verifier().ask(AnyCall(call), call->transactional_id, first.producer_id, first.producer_epoch, unverified_);
  return true;
}

/// With KIP-890 the first batch of the next transaction may come before the marker of the one before: it must not be taken for a
/// part of that one, and what the coordinator says of it would not outlive the marker (KAFKA-18575). CONCURRENT_TRANSACTIONS,
/// which the broker itself retries a few times before the producer does.
bool Broker::wait_for_marker(const Ref<ProduceCall>& call, sim::Time since) {
  if (!cluster_.transactions_v2()) return false;
  bool completing = false;
  for (const ProduceBatch& batch : call->batches) {
    const Replica* replica = replicas_[batch.partition.value];
    completing =
        completing || (replica != nullptr && replica->leads &&
                       replica->producers.has_older_transaction(batch.producer_id, batch.producer_epoch));
  }
  if (!completing) return false;
  const sim::Duration backoff = config().add_partitions_to_txn_retry_backoff;
  if (context().simulation.after(backoff) > since + config().add_partitions_to_txn_retry_backoff_max) {
    for (ProduceBatch& batch : call->batches) batch.error = ErrorCode::not_enough_replicas;
    call->verified = true;
    return false;
  }
  context().simulation.schedule_after(backoff,
                                      [this, since, life = node_.incarnation(), held = call]() mutable {
                                        if (life != node_.incarnation()) return;
                                        node_.run_or_hold([this, since, again = std::move(held)]() mutable {
                                          if (!verify(again, since)) handle_produce(std::move(again));
                                        });
                                      });
  return true;
}

bool Broker::verify(Ref<TxnOffsetCommitCall>& call) {
  if (!config().transaction_partition_verification_enable && !cluster_.transactions_v2()) return false;
  unverified_.assign(1, cluster_.offsets_partition(call->group));
  verifier().ask(AnyCall(call), call->transactional_id, call->producer_id, call->producer_epoch, unverified_);
  return true;
}

void Broker::verified(AnyCall call, ErrorCode error) {
  if (auto* produce = call.get_if<ProduceCall>()) {
    for (ProduceBatch& batch : produce->batches) {
      const Replica* replica = replicas_[batch.partition.value];
      const bool open = replica != nullptr &&
                        replica->producers.has_open_transaction(batch.producer_id, batch.producer_epoch);
      if (error != ErrorCode::none && !open) batch.error = error;
    }
    return handle_produce(std::move(call).take<ProduceCall>());
  }
  Ref<TxnOffsetCommitCall> commit = std::move(call).take<TxnOffsetCommitCall>();
  if (error == ErrorCode::none) return coordinate(std::move(commit));
  // GroupCoordinatorService: what a retry may cure is told as COORDINATOR_NOT_AVAILABLE's kin.
  commit->error = error == ErrorCode::not_enough_replicas ? ErrorCode::coordinator_load_in_progress : error;
  answer(std::move(commit));
}

/// Whether the transaction that this batch would open here is one that the coordinator knows.
bool Broker::may_open_transaction(Replica& replica, const ProduceBatch& batch) {
  if (replica.producers.has_open_transaction(batch.producer_id, batch.producer_epoch)) return true;
  const bool asked = std::erase(replica.verifying, batch.producer_id) > 0;
  if (!config().transaction_partition_verification_enable && !cluster_.transactions_v2()) return true;
  return asked;
}

// ---- markers ------------------------------------------------------------------------------------------------------

void Broker::handle_markers(Ref<WriteTxnMarkersCall> call) {
  call->awaiting = 1;  // so that nothing answers before all have been looked at
  for (std::uint32_t i = 0; i < call->items.size(); ++i) {
    const PartitionIndex p = call->items[i].partition;
    if (cluster_.is_offsets(p))
      coordinator_->end_transaction(call, i);
    else
      write_marker(call, i);
    if (!node_.up()) return;
  }
  marker_settled(std::move(call));
}

void Broker::write_marker(const Ref<WriteTxnMarkersCall>& call, std::uint32_t index) {
  WriteTxnMarkersCall::Item& item = call->items[index];
  Replica* replica = replicas_[item.partition.value];
  if (replica == nullptr || !replica->leads) {
    item.error = ErrorCode::not_leader_or_follower;
    return;
  }
  if (replica->under_min_isr()) {
    item.error = ErrorCode::not_enough_replicas;
    return;
  }
  item.error =
      replica->producers.check_marker(call->producer_id, call->producer_epoch, call->coordinator_epoch);
  if (item.error != ErrorCode::none) return;
  std::erase(replica->verifying, call->producer_id);
  const Offset marker =
      append_extent(*replica, {.producer_id = call->producer_id,
                               .count = 1,
                               .bytes = kMarkerBytes,
                               .producer_epoch = call->producer_epoch,
                               .kind = call->commit ? BatchKind::commit_marker : BatchKind::abort_marker});
  replica->producers.coordinator_is(call->producer_id, call->coordinator_epoch);
  if (replica->high_watermark > marker) return;
  ++call->awaiting;
  WaitingAppend waiting{.required = marker + 1, .call = {}, .batch = index};
  waiting.markers = call;
  replica->waiting.push(std::move(waiting));
}

void Broker::marker_settled(Ref<WriteTxnMarkersCall> call) {
  if (--call->awaiting == 0) answer(std::move(call));
}

void Broker::emit_marker(const Replica& replica, const Extent& marker) {
  const ProducerStates::Transaction& ended = replica.producers.last_ended();
  context().emit(Kind::transaction_marker,
                 {.code = marker.kind == BatchKind::abort_marker ? kAborted : kCommitted,
                  .actor = node_.entity().value,
                  .place = cluster_.partition(replica.partition).entity.value,
                  .peer = ended.lane.value,
                  .a = ended.first,
                  .b = marker.base - ended.first,
                  .c = marker.base});
}

}  // namespace models::kafka
