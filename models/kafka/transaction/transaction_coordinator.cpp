#include "models/kafka/transaction/transaction_coordinator.hpp"

#include <utility>

#include "models/faults/step_then.hpp"
#include "models/kafka/transaction/transaction_store.hpp"
#include "sim/assert.hpp"

namespace models::kafka {
namespace {

/// A token names its partition, so that appended() finds the shard.
constexpr unsigned kPartitionBits = 24;
constexpr std::uint64_t kPartitionMask = (std::uint64_t{1} << kPartitionBits) - 1;

// Model: an id's record on disk has about the size of a TransactionLogValue.
constexpr std::int32_t kRecordBytes = 150;

/// Model: markers that found no leader, or were refused, are sent again after 100 ms; Kafka's sender tries again whenever it
/// wakes.
constexpr sim::Duration kMarkerRetry = std::chrono::milliseconds{100};

/// TransactionStateManager.appendTransactionToLog: what an append's error becomes in a response.
ErrorCode response_error(ErrorCode error) {
  switch (error) {
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::not_enough_replicas:
    case ErrorCode::not_enough_replicas_after_append:
    case ErrorCode::request_timed_out:
      return ErrorCode::coordinator_not_available;
    case ErrorCode::not_leader_or_follower:
      return ErrorCode::not_coordinator;
    default:
      return error;
  }
}

}  // namespace

TransactionCoordinator::TransactionCoordinator(CoordinatorHost& host, Cluster& cluster)
    : host_(host),
      cluster_(cluster),
      channels_(static_cast<std::size_t>(cluster.broker_count())),
      prepared_step_(host.context().steps.cell(host.node().entity(), Step::transaction_prepared)),
      abort_timer_(host.context().simulation, host.node(), [this] { abort_timed_out(); }),
      retry_timer_(host.context().simulation, host.node(), [this] { retry_markers(); }),
      expiry_timer_(host.context().simulation, host.node(), [this] { remove_expired(); }) {}

// ---- finding, loading ---------------------------------------------------------------------------------------------

TransactionCoordinator::Shard* TransactionCoordinator::shard_of(std::string_view id) {
  const auto found = shards_.find(cluster_.transaction_partition(id));
  return found == shards_.end() ? nullptr : &found->second;
}

TransactionCoordinator::Entry* TransactionCoordinator::entry_of(std::string_view id) {
  Shard* const shard = shard_of(id);
  if (shard == nullptr) return nullptr;
  const auto found = shard->entries.find(id);
  return found == shard->entries.end() ? nullptr : &found->second;
}

const TransactionMetadata* TransactionCoordinator::transaction(std::string_view id) const {
  const auto shard = shards_.find(cluster_.transaction_partition(id));
  if (shard == shards_.end()) return nullptr;
  const auto found = shard->second.entries.find(id);
  return found == shard->second.entries.end() ? nullptr : &found->second.now;
}

BrokerId TransactionCoordinator::find(std::string_view transactional_id) {
  return host_.leader(cluster_.transaction_partition(transactional_id));
}

void TransactionCoordinator::elected(PartitionIndex partition, LeaderEpoch epoch, Offset log_end) {
  cluster_.transaction_store().elected(partition, epoch, log_end);
  const auto [at, is_new] = shards_.try_emplace(partition);
  Shard& shard = at->second;
  shard.epoch = epoch;
  if (!abort_timer_.armed()) abort_timer_.arm_after(host_.config().transaction_abort_timed_out_interval);
  if (!expiry_timer_.armed()) expiry_timer_.arm_after(host_.config().transaction_remove_expired_interval);
  if (!is_new) return;
  for (auto& [id, metadata] : cluster_.transaction_store().load(partition)) {
    Entry& entry = shard.entries[id];
    entry.id = id;
    entry.now = std::move(metadata);
    // What was decided is carried out (loadTransactionsForTxnTopicPartition, addTxnMarkersToSend).
    if (entry.now.preparing()) prepare_markers(entry);
  }
  for (auto& [id, entry] : shard.entries) send_markers(shard, entry);
}

void TransactionCoordinator::resigned(PartitionIndex partition) {
  const auto found = shards_.find(partition);
  if (found == shards_.end()) return;
  auto shard = shards_.extract(found);
  for (auto& [id, entry] : shard.mapped().entries) {
    follow(entry, std::exchange(entry.then, {}), ErrorCode::not_coordinator);
  }
}

void TransactionCoordinator::crashed() {
  shards_.clear();
  for (const auto& channel : channels_) {
    if (channel) channel->abandon();
  }
  abort_timer_.disarm();
  retry_timer_.disarm();
  expiry_timer_.disarm();
}

// ---- the log ------------------------------------------------------------------------------------------------------

void TransactionCoordinator::write(PartitionIndex partition, Shard& shard, Entry& entry,
                                   TransactionMetadata next, Follow then) {
  MQLAB_ASSERT(!entry.pending, "one change of a transactional id at a time");
  const std::uint64_t token = kTokenBit | next_number_++ << kPartitionBits | partition.value;
  const std::uint32_t life = host_.node().incarnation();
  const Offset end = host_.append(partition, 1, kRecordBytes, token);
  // An earlier record of this log may have become replicated by that, and this broker died of what followed.
  if (host_.node().incarnation() != life) return;
  if (end == kNoOffset) {
    if (entry.fencing) entry.failed_epoch_fence = true;
    entry.fencing = false;
    return follow(entry, std::move(then), ErrorCode::coordinator_not_available);
  }
  next.updated = host_.wall_clock();
  entry.next = std::move(next);
  entry.pending = true;
  entry.end = end;
  entry.token = token;
  entry.then = std::move(then);
  cluster_.transaction_store().append(partition, shard.epoch, end, entry.id, entry.next);
}

void TransactionCoordinator::appended(std::uint64_t token, ErrorCode error) {
  const PartitionIndex partition{static_cast<std::uint32_t>(token & kPartitionMask)};
  const auto found = shards_.find(partition);
  if (found == shards_.end()) return;
  if (error == ErrorCode::not_leader_or_follower) return resigned(partition);
  for (auto& [id, entry] : found->second.entries) {
    // Any other error means that the record was stored all the same, on fewer replicas than wanted.
    if (entry.pending && entry.token == token)
      return written(partition, found->second, entry, ErrorCode::none);
  }
}

void TransactionCoordinator::written(PartitionIndex partition, Shard& shard, Entry& entry, ErrorCode error) {
  cluster_.transaction_store().replicated(partition, shard.epoch, entry.end);
  entry.now = entry.next;
  entry.pending = false;
  entry.fencing = false;
  entry.failed_epoch_fence = false;
  Follow then = std::exchange(entry.then, {});
  if (entry.now.state == TransactionState::dead) {
    shard.entries.erase(shard.entries.find(entry.id));
    return;
  }
  if (!entry.now.preparing()) return follow(entry, std::move(then), error);
  host_.context().emit(Kind::transaction_state,
                       {.code = entry.now.state == TransactionState::prepare_commit ? kCommitted : kAborted,
                        .actor = host_.node().entity().value,
                        .b = entry.now.producer_id,
                        .c = entry.now.epoch});
  // Nothing else happens to the entry while the broker stands still.
  step_then(prepared_step_, host_.node(), [this, &shard, &entry, then = std::move(then), error]() mutable {
    follow(entry, std::move(then), error);
    prepare_markers(entry);
    send_markers(shard, entry);
  });
}

void TransactionCoordinator::follow(Entry& entry, Follow then, ErrorCode error) {
  error = response_error(error);
  if (auto* init = std::get_if<Ref<InitProducerIdCall>>(&then)) {
    // Had a transaction to be aborted first, the client asks again until its markers are written.
    if (error == ErrorCode::none && entry.now.preparing()) error = ErrorCode::concurrent_transactions;
    (*init)->producer_id = entry.now.producer_id;
    (*init)->producer_epoch = entry.now.epoch;
    reply(std::move(*init), error);
  } else if (auto* add = std::get_if<Ref<AddPartitionsToTxnCall>>(&then)) {
    reply(std::move(*add), error);
  } else if (auto* offsets = std::get_if<Ref<AddOffsetsToTxnCall>>(&then)) {
    reply(std::move(*offsets), error);
  } else if (auto* end = std::get_if<Ref<EndTxnCall>>(&then)) {
    if (error == ErrorCode::none) {
      const bool rotated = entry.now.next_producer_id != kNoProducerId;
      (*end)->producer_id = rotated ? entry.now.next_producer_id : entry.now.producer_id;
      (*end)->producer_epoch = rotated ? std::int16_t{0} : entry.now.epoch;
    }
    reply(std::move(*end), error);
  }
}

// ---- requests -----------------------------------------------------------------------------------------------------

void TransactionCoordinator::receive(Ref<InitProducerIdCall> call) {
  const PartitionIndex partition = cluster_.transaction_partition(call->transactional_id);
  Shard* const shard = shard_of(call->transactional_id);
  if (shard == nullptr) return reply(std::move(call), ErrorCode::not_coordinator);
  if (call->transaction_timeout > host_.config().transaction_max_timeout)
    return reply(std::move(call), ErrorCode::invalid_transaction_timeout);
  Entry& entry = shard->entries[call->transactional_id];
  if (entry.id.empty()) {
    entry.id = call->transactional_id;
    entry.now.producer_id = cluster_.new_producer_id();
  }
  // prepareInitProducerIdTransit
  const bool names_itself = call->producer_id != kNoProducerId;
  const TransactionMetadata& now = entry.now;
  if (entry.pending) return reply(std::move(call), ErrorCode::concurrent_transactions);
  if (names_itself && now.epoch >= 0 && call->producer_id != now.producer_id)
    return reply(std::move(call), ErrorCode::producer_fenced);
  if (now.preparing()) return reply(std::move(call), ErrorCode::concurrent_transactions);
  if (now.state == TransactionState::ongoing) return fence(partition, *shard, entry, std::move(call));
  TransactionMetadata next = now;
  next.state = TransactionState::empty;
  next.timeout = call->transaction_timeout;
  next.partitions.clear();
  next.v2 = false;
  if (now.epoch_exhausted()) {
    next.previous_producer_id = now.producer_id;
    next.producer_id = cluster_.new_producer_id();
    next.last_epoch = names_itself ? now.epoch : std::int16_t{-1};
    next.epoch = 0;
  } else if (!names_itself || now.epoch < 0 || call->producer_epoch == now.epoch) {
    next.last_epoch = names_itself ? now.epoch : std::int16_t{-1};
    next.epoch = static_cast<std::int16_t>(now.epoch + 1);
  } else if (call->producer_epoch != now.last_epoch) {
    return reply(std::move(call), ErrorCode::producer_fenced);
  }
  write(partition, *shard, entry, std::move(next), std::move(call));
}

void TransactionCoordinator::fence(PartitionIndex partition, Shard& shard, Entry& entry, Follow then) {
  TransactionMetadata fenced = entry.now;
  if (!entry.failed_epoch_fence) fenced.epoch = static_cast<std::int16_t>(fenced.epoch + 1);
  fenced.last_epoch = -1;
  // endTransaction(isFromClient = false) with the version of the server: the markers go out under an epoch above that of the
  // producer that is fenced.
  const bool v2 = cluster_.transactions_v2();
  const bool rotate = v2 && fenced.epoch_exhausted();
  entry.fencing = true;
  const TransactionMetadata next =
      fenced.ending(false, v2, rotate ? cluster_.new_producer_id() : kNoProducerId);
  entry.now.epoch = fenced.epoch;
  entry.now.last_epoch = fenced.last_epoch;
  write(partition, shard, entry, next, std::move(then));
}

template <class CallT>
TransactionCoordinator::Entry* TransactionCoordinator::checked_entry(const CallT& call, ErrorCode& error) {
  error = ErrorCode::none;
  if (shard_of(call.transactional_id) == nullptr) {
    error = ErrorCode::not_coordinator;
    return nullptr;
  }
  Entry* const entry = entry_of(call.transactional_id);
  if (entry == nullptr || entry->now.producer_id != call.producer_id)
    error = ErrorCode::invalid_producer_id_mapping;
  else if (entry->now.epoch != call.producer_epoch)
    error = ErrorCode::producer_fenced;
  return entry;
}

template <class CallT>
void TransactionCoordinator::add(Ref<CallT> call, const std::vector<PartitionIndex>& partitions) {
  ErrorCode error{};
  Entry* const entry = checked_entry(*call, error);
  if (error == ErrorCode::none && (entry->pending || entry->now.preparing()))
    error = ErrorCode::concurrent_transactions;
  if (error != ErrorCode::none) return reply(std::move(call), error);
  const bool known = std::all_of(partitions.begin(), partitions.end(),
                                 [entry](PartitionIndex p) { return entry->now.holds(p); });
  if (entry->now.state == TransactionState::ongoing && known) return reply(std::move(call), ErrorCode::none);
  TransactionMetadata next = entry->now.with_partitions(partitions, host_.wall_clock());
  const PartitionIndex partition = cluster_.transaction_partition(call->transactional_id);
  Shard& shard = *shard_of(call->transactional_id);
  write(partition, shard, *entry, std::move(next), std::move(call));
}

void TransactionCoordinator::receive(Ref<AddPartitionsToTxnCall> call) {
  if (call->verify_only) return verify(std::move(call));
  scratch_ = call->partitions;
  add(std::move(call), scratch_);
}

/// handleVerifyPartitionsInTransaction
void TransactionCoordinator::verify(Ref<AddPartitionsToTxnCall> call) {
  ErrorCode error{};
  const Entry* const entry = checked_entry(*call, error);
  if (error == ErrorCode::none && entry->now.preparing()) error = ErrorCode::concurrent_transactions;
  if (error == ErrorCode::none) {
    for (const PartitionIndex p : call->partitions) {
      if (!entry->now.holds(p)) error = ErrorCode::transaction_abortable;
    }
  }
  reply(std::move(call), error);
}

void TransactionCoordinator::receive(Ref<AddOffsetsToTxnCall> call) {
  scratch_.assign(1, cluster_.offsets_partition(call->group));
  add(std::move(call), scratch_);
}

void TransactionCoordinator::receive(Ref<EndTxnCall> call) {
  if (shard_of(call->transactional_id) == nullptr) return reply(std::move(call), ErrorCode::not_coordinator);
  Entry* const entry = entry_of(call->transactional_id);
  if (entry == nullptr) return reply(std::move(call), ErrorCode::invalid_producer_id_mapping);
  const TransactionMetadata& now = entry->now;
  const bool v2 = cluster_.transactions_v2();
  // endTransaction: a client of KIP-890 that asks again does so with the epoch before the one that its end has raised.
  const bool again = now.v2 && now.epoch == call->producer_epoch + 1;
  const bool again_rotated = now.v2 && now.previous_producer_id == call->producer_id && now.epoch == 0 &&
                             call->producer_epoch == std::numeric_limits<std::int16_t>::max() - 1;
  const bool valid_epoch =
      call->producer_epoch == now.epoch || (now.v2 && now.complete() && (again || again_rotated));
  // pendingTransitionInProgress: from the moment of its decision to that of its last marker. With KIP-890 it comes before the
  // epoch, or who aborts the next transaction before it has written anything would fence itself (KAFKA-18464).
  const bool in_transition = entry->pending || now.preparing();
  if (now.producer_id != call->producer_id && !again_rotated)
    return reply(std::move(call), ErrorCode::invalid_producer_id_mapping);
  if (!valid_epoch && !(now.v2 && in_transition)) return reply(std::move(call), ErrorCode::producer_fenced);
  if (in_transition) return reply(std::move(call), ErrorCode::concurrent_transactions);

  const PartitionIndex partition = cluster_.transaction_partition(call->transactional_id);
  Shard& shard = *shard_of(call->transactional_id);
  const auto next_id = [&] {
    return v2 && now.epoch_exhausted() ? cluster_.new_producer_id() : kNoProducerId;
  };
  const bool committed = now.state == TransactionState::complete_commit;
  switch (now.state) {
    case TransactionState::ongoing: {
      TransactionMetadata next = now.ending(call->commit, v2, next_id());
      return write(partition, shard, *entry, std::move(next), std::move(call));
    }
    case TransactionState::complete_commit:
    case TransactionState::complete_abort:
      if (committed == call->commit && (again || again_rotated || !now.v2)) {
        call->producer_id = now.producer_id;
        call->producer_epoch = now.epoch;
        return reply(std::move(call), ErrorCode::none);
      }
      [[fallthrough]];
    default:
      // KIP-890: a transaction without partitions may be aborted, which raises the epoch all the same.
      if (!v2 || call->commit) return reply(std::move(call), ErrorCode::invalid_txn_state);
      return write(partition, shard, *entry, now.ending(false, v2, next_id()), Follow(std::move(call)));
  }
}

// ---- markers ------------------------------------------------------------------------------------------------------

void TransactionCoordinator::prepare_markers(Entry& entry) {
  entry.number = next_number_++;
  entry.unmarked = entry.now.partitions;
  entry.unaddressed = entry.now.partitions;
}

void TransactionCoordinator::send_markers(Shard& shard, Entry& entry) {
  if (!entry.now.preparing() || entry.pending) return;
  const PartitionIndex home = cluster_.transaction_partition(entry.id);
  if (entry.unmarked.empty()) return complete(home, shard, entry);
  for (std::int32_t b = 0; b < cluster_.broker_count(); ++b) {
    Ref<WriteTxnMarkersCall> call;
    std::erase_if(entry.unaddressed, [&](PartitionIndex p) {
      if (host_.leader(p) != BrokerId{b}) return false;
      if (!call) call = cluster_.take<WriteTxnMarkersCall>();
      call->items.push_back({p});
      return true;
    });
    if (!call) continue;
    call->producer_id = entry.now.producer_id;
    call->producer_epoch = entry.now.epoch;
    call->coordinator_epoch = shard.epoch;
    call->commit = entry.now.state == TransactionState::prepare_commit;
    call->transaction = entry.number;
    channel(BrokerId{b}).call<&TransactionCoordinator::on_markers>(*this, std::move(call));
  }
  if (!entry.unaddressed.empty() && !retry_timer_.armed()) retry_timer_.arm_after(kMarkerRetry);
}

/// What the log does not take for want of replicas in sync is tried again
/// (TransactionMarkerChannelManager.tryAppendToLog, txnLogAppendRetryQueue).
void TransactionCoordinator::complete(PartitionIndex home, Shard& shard, Entry& entry) {
  const std::uint32_t life = host_.node().incarnation();
  write(home, shard, entry, entry.now.completed(), {});
  if (host_.node().incarnation() != life) return;
  const bool refused = entry.now.preparing() && !entry.pending;
  if (refused && !retry_timer_.armed()) retry_timer_.arm_after(kMarkerRetry);
}

/// TransactionMarkerRequestCompletionHandler
void TransactionCoordinator::on_markers(BrokerId, Ref<WriteTxnMarkersCall> call) {
  for (auto& [partition, shard] : shards_) {
    for (auto& [id, entry] : shard.entries) {
      if (entry.number != call->transaction || !entry.now.preparing()) continue;
      for (const WriteTxnMarkersCall::Item& item : call->items) {
        const ErrorCode error = call->error != ErrorCode::none ? call->error : item.error;
        // Fenced: another coordinator, or a later transaction, has taken this one's place.
        if (error == ErrorCode::invalid_producer_epoch || error == ErrorCode::transaction_coordinator_fenced)
          return;
        if (error == ErrorCode::none)
          std::erase(entry.unmarked, item.partition);
        else
          entry.unaddressed.push_back(item.partition);
      }
      if (entry.unmarked.empty()) return send_markers(shard, entry);
      if (!entry.unaddressed.empty() && !retry_timer_.armed()) retry_timer_.arm_after(kMarkerRetry);
      return;
    }
  }
}

void TransactionCoordinator::retry_markers() {
  each_entry([this](PartitionIndex, Shard& shard, Entry& entry) { send_markers(shard, entry); });
}

template <class Visit>
void TransactionCoordinator::each_entry(Visit&& visit) {
  const std::uint32_t life = host_.node().incarnation();
  for (auto& [partition, shard] : shards_) {
    for (auto& [id, entry] : shard.entries) {
      visit(partition, shard, entry);
      if (host_.node().incarnation() != life) return;
    }
  }
}

RpcChannel& TransactionCoordinator::channel(BrokerId broker) {
  auto& channel = channels_[static_cast<std::size_t>(broker.value)];
  if (!channel) {
    channel = std::make_unique<RpcChannel>(cluster_, host_.node(), broker,
                                           RpcOptions{.request_timeout = std::chrono::seconds{30}});
  }
  return *channel;
}

// ---- transaction.timeout.ms ---------------------------------------------------------------------------------------

void TransactionCoordinator::abort_timed_out() {
  const sim::Time now = host_.wall_clock();
  each_entry([this, now](PartitionIndex partition, Shard& shard, Entry& entry) {
    const bool open = entry.now.state == TransactionState::ongoing && !entry.pending;
    if (open && entry.now.started + entry.now.timeout < now) fence(partition, shard, entry, {});
  });
  if (!shards_.empty()) abort_timer_.arm_after(host_.config().transaction_abort_timed_out_interval);
}

// ---- transactional.id.expiration.ms -------------------------------------------------------------------------------

/// TransactionStateManager.removeExpiredTransactionalIds. A tombstone that the log refuses is written the next time.
void TransactionCoordinator::remove_expired() {
  const sim::Time now = host_.wall_clock();
  each_entry([this, now](PartitionIndex partition, Shard& shard, Entry& entry) {
    const bool unused = entry.now.state == TransactionState::empty || entry.now.complete();
    if (!unused || entry.pending || now - entry.now.updated < host_.config().transactional_id_expiration)
      return;
    TransactionMetadata dead = entry.now;
    dead.state = TransactionState::dead;
    write(partition, shard, entry, std::move(dead), {});
  });
  if (!shards_.empty()) expiry_timer_.arm_after(host_.config().transaction_remove_expired_interval);
}

}  // namespace models::kafka
