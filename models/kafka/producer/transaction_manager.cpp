#include "models/kafka/producer/transaction_manager.hpp"

#include <algorithm>
#include <utility>

#include "models/faults/step_then.hpp"
#include "models/transaction_codes.hpp"
#include "sim/assert.hpp"

namespace models::kafka {
namespace {

/// TransactionManager.ADD_PARTITIONS_RETRY_BACKOFF_MS: the transaction before is being completed, which is soon over.
constexpr sim::Duration kAddPartitionsRetry = std::chrono::milliseconds{20};

template <class Set>
bool contains(const Set& set, PartitionIndex p) {
  return std::find(set.begin(), set.end(), p) != set.end();
}

}  // namespace

TransactionManager::TransactionManager(Cluster& cluster, Node& node, const ProducerConfig& config,
                                       std::string transactional_id, Sequences& sequences,
                                       TransactionOwner& owner)
    : cluster_(cluster),
      node_(node),
      config_(config),
      id_(std::move(transactional_id)),
      sequences_(sequences),
      owner_(owner),
      v2_(cluster.transactions_v2()),
      bumps_(cluster.options().rules.has(Rule::recovery_by_epoch)),
      next_broker_(node.entity().value % static_cast<std::size_t>(cluster.broker_count())),
      offsets_step_(cluster.context().steps.cell(node.entity(), Step::offsets_added)),
      end_sent_step_(cluster.context().steps.cell(node.entity(), Step::end_txn_sent)),
      ended_step_(cluster.context().steps.cell(node.entity(), Step::transaction_ended)),
      timer_(cluster.context().simulation, node, [this] { moved(); }) {
  sequences_.use_transactions(!cluster.options().rules.has(Rule::abort_before_new_epoch));
  for (std::int32_t b = 0; b < cluster.broker_count(); ++b) {
    channels_.push_back(
        std::make_unique<RpcChannel>(cluster, node, BrokerId{b},
                                     RpcOptions{config.request_timeout, config.reconnect_backoff,
                                                config.reconnect_backoff_max, config.connections_max_idle}));
  }
}

// ---- the application ----------------------------------------------------------------------------------------------

void TransactionManager::start() {
  state_ = State::initializing;
  run(false);
}

void TransactionManager::forget() {
  state_ = State::uninitialized;
  last_error_ = ErrorCode::none;
  started_ = end_requested_ = commits_ = epoch_bump_required_ = bumping_ = midway_ = group_added_ = false;
  under_way_ = Request::none;
  not_before_ = {};
  coordinator_ = group_coordinator_ = kNoBroker;
  partitions_.clear();
  new_partitions_.clear();
  offsets_.clear();
  for (const auto& channel : channels_) channel->abandon();
  timer_.disarm();
}

void TransactionManager::begin() {
  MQLAB_ASSERT(state_ == State::ready, "a transaction begins when the one before has ended");
  state_ = State::in_transaction;
  cluster_.context().emit(Kind::transaction_state, {.code = kBegun, .actor = node_.entity().value});
}

void TransactionManager::add_offsets(const GroupMembership& group,
                                     std::vector<OffsetCommitCall::Item> offsets) {
  group_ = group;
  offsets_ = std::move(offsets);
  run(true);
}

void TransactionManager::end(bool commit) {
  MQLAB_ASSERT(state_ == State::in_transaction || (!commit && state_ == State::abortable_error),
               "after an error a transaction can only be aborted");
  state_ = commit ? State::committing : State::aborting;
  commits_ = commit;
  end_requested_ = true;
  if (!commit) {
    new_partitions_.clear();
    offsets_.clear();
  }
}

// ---- the sender ---------------------------------------------------------------------------------------------------

bool TransactionManager::may_send(PartitionIndex partition) {
  if (drops_unsent() || state_ == State::uninitialized || state_ == State::initializing) return false;
  if (contains(partitions_, partition)) return true;
  if (v2_) {
    partitions_.push_back(partition);
    return started_ = true;
  }
  if (!contains(new_partitions_, partition)) new_partitions_.push_back(partition);
  return false;
}

void TransactionManager::batch_failed(ErrorCode error) {
  if (error == ErrorCode::transaction_aborted || error == ErrorCode::client_closed) return;
  if (state_ == State::fatal_error || state_ == State::aborting) return;
  // maybeTransitionToErrorState: with KIP-890 the end of the transaction brings the new epoch.
  if (!completing() && !v2_ && bumps_) epoch_bump_required_ = true;
  fail(error, error == ErrorCode::producer_fenced);
}

void TransactionManager::run(bool batches_open) {
  // Sender.runOnce before KIP-360
  if (sequences_.lost_for_good() && state_ != State::uninitialized && state_ != State::fatal_error)
    fail(ErrorCode::out_of_order_sequence_number, true);
  if (under_way_ != Request::none) return;
  const sim::Time now = cluster_.context().now();
  const Request request = next_request(batches_open);
  if (request == Request::none) return;
  if (now < not_before_) {
    if (!timer_.armed()) timer_.arm_at(not_before_);
    return;
  }
  if (request == Request::end && !started_) {
    // endTxn without a partition: there is nothing to be ended.
    finish_transaction();
    return run(batches_open);
  }
  send(request);
}

TransactionManager::Request TransactionManager::next_request(bool batches_open) const {
  if (state_ == State::fatal_error || state_ == State::uninitialized) return Request::none;
  Request wanted = Request::none;
  if (state_ == State::initializing || (sequences_.awaits_epoch() && !midway_))
    wanted = Request::init_producer_id;
  else if (state_ == State::abortable_error)
    return Request::none;
  else if (!new_partitions_.empty())
    wanted = Request::add_partitions;
  else if (!offsets_.empty() && !v2_ && !group_added_)
    wanted = Request::add_offsets;
  else if (!offsets_.empty())
    return group_coordinator_ == kNoBroker ? Request::find_group : Request::offsets;
  else if (end_requested_ && !batches_open)
    wanted = Request::end;
  if (wanted == Request::end && !started_) return wanted;
  return wanted != Request::none && coordinator_ == kNoBroker ? Request::find_coordinator : wanted;
}

void TransactionManager::send(Request request) {
  under_way_ = request;
  const auto sign = [this](auto& call) {
    call.transactional_id = id_;
    call.producer_id = sequences_.producer_id();
    call.producer_epoch = sequences_.producer_epoch();
  };
  switch (request) {
    case Request::none:
      return;
    case Request::find_coordinator:
      return look_up(false);
    case Request::find_group:
      return look_up(true);
    case Request::init_producer_id: {
      Ref<InitProducerIdCall> call = cluster_.take<InitProducerIdCall>();
      sign(*call);
      midway_ = state_ != State::initializing;
      if (!bumping_) {
        call->producer_id = kNoProducerId;
        call->producer_epoch = -1;
      }
      call->transaction_timeout = config_.transaction_timeout;
      return channel(coordinator_).call<&TransactionManager::on_producer_id>(*this, std::move(call));
    }
    case Request::add_partitions: {
      Ref<AddPartitionsToTxnCall> call = cluster_.take<AddPartitionsToTxnCall>();
      sign(*call);
      call->partitions = new_partitions_;
      return channel(coordinator_).call<&TransactionManager::on_partitions_added>(*this, std::move(call));
    }
    case Request::add_offsets: {
      Ref<AddOffsetsToTxnCall> call = cluster_.take<AddOffsetsToTxnCall>();
      sign(*call);
      call->group = group_.group;
      return channel(coordinator_).call<&TransactionManager::on_offsets_added>(*this, std::move(call));
    }
    case Request::offsets: {
      Ref<TxnOffsetCommitCall> call = cluster_.take<TxnOffsetCommitCall>();
      sign(*call);
      call->group = group_.group;
      call->member_id = group_.member_id;
      call->instance_id = group_.instance_id;
      call->member = group_.member;
      call->generation = group_.generation;
      call->items = offsets_;
      started_ = true;
      return channel(group_coordinator_)
          .call<&TransactionManager::on_offsets_committed>(*this, std::move(call));
    }
    case Request::end: {
      Ref<EndTxnCall> call = cluster_.take<EndTxnCall>();
      sign(*call);
      call->commit = commits_;
      channel(coordinator_).call<&TransactionManager::on_ended>(*this, std::move(call));
      end_sent_step_.advance(1);
      return;
    }
  }
}

RpcChannel& TransactionManager::channel(BrokerId broker) {
  return *channels_[static_cast<std::size_t>(broker.value)];
}

void TransactionManager::look_up(bool of_group) {
  Ref<FindCoordinatorCall> call = cluster_.take<FindCoordinatorCall>();
  (of_group ? call->group : call->transactional_id) = of_group ? group_.group : id_;
  // NetworkClient.leastLoadedNode, without a draw: the next one that is not backing off.
  std::size_t choice = next_broker_;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    choice = (next_broker_ + i) % channels_.size();
    if (!channels_[choice]->backing_off()) break;
  }
  next_broker_ = choice;
  channels_[choice]->call<&TransactionManager::on_found>(*this, std::move(call));
}

// ---- answers ------------------------------------------------------------------------------------------------------

void TransactionManager::wait(sim::Duration backoff) {
  not_before_ = cluster_.context().simulation.after(backoff);
}

bool TransactionManager::again(ErrorCode error, BrokerId& coordinator) {
  const bool lost = error == ErrorCode::disconnected || error == ErrorCode::not_coordinator ||
                    error == ErrorCode::coordinator_not_available || error == ErrorCode::request_timed_out;
  if (lost) coordinator = kNoBroker;
  if (!lost && !is_retriable(error)) return false;
  wait(config_.retry_backoff);
  return true;
}

void TransactionManager::on_found(BrokerId, Ref<FindCoordinatorCall> call) {
  under_way_ = Request::none;
  if (call->error != ErrorCode::none) {
    next_broker_ = (next_broker_ + 1) % channels_.size();
    wait(config_.retry_backoff);
  } else {
    (call->group.empty() ? coordinator_ : group_coordinator_) = call->coordinator;
  }
  moved();
}

void TransactionManager::on_producer_id(BrokerId, Ref<InitProducerIdCall> call) {
  under_way_ = Request::none;
  const bool midway = std::exchange(midway_, false);
  if (call->error == ErrorCode::none && midway) {
    go_on_in_new_epoch(*call);
  } else if (call->error == ErrorCode::none) {
    sequences_.begin_anew(call->producer_id, call->producer_epoch);
    state_ = State::ready;
    last_error_ = ErrorCode::none;
    bumping_ = false;
  } else if (!again(call->error, coordinator_)) {
    fail(fences(call->error) ? ErrorCode::producer_fenced : call->error, true);
  }
  moved();
}

/// librdkafka before 1.8.2: the coordinator has aborted the transaction, of which the client still believes that it is in.
/// Model: the partitions are named to the coordinator again; there, what is sent to them later would be of no transaction until
/// the next one.
void TransactionManager::go_on_in_new_epoch(const InitProducerIdCall& call) {
  sequences_.renumber(call.producer_id, call.producer_epoch);
  if (v2_ || partitions_.empty()) return sequences_.epoch_known();
  midway_ = true;
  new_partitions_.insert(new_partitions_.end(), partitions_.begin(), partitions_.end());
  partitions_.clear();
  group_added_ = false;
}

void TransactionManager::on_partitions_added(BrokerId, Ref<AddPartitionsToTxnCall> call) {
  under_way_ = Request::none;
  if (call->error == ErrorCode::none) {
    for (const PartitionIndex p : call->partitions) {
      std::erase(new_partitions_, p);
      if (!contains(partitions_, p)) partitions_.push_back(p);
    }
    if (std::exchange(midway_, false)) sequences_.epoch_known();
    started_ = true;
  } else if (again(call->error, coordinator_)) {
    if (call->error == ErrorCode::concurrent_transactions && partitions_.empty())
      wait(std::min(config_.retry_backoff, kAddPartitionsRetry));
  } else {
    // abortableErrorIfPossible: what the coordinator knows of this id is of another producer id.
    const bool abortable = (bumps_ && call->error == ErrorCode::invalid_producer_id_mapping) ||
                           call->error == ErrorCode::transaction_abortable;
    if (abortable) epoch_bump_required_ = !v2_ && bumps_;
    fail(fences(call->error) ? ErrorCode::producer_fenced : call->error, !abortable);
  }
  moved();
}

void TransactionManager::on_offsets_added(BrokerId, Ref<AddOffsetsToTxnCall> call) {
  under_way_ = Request::none;
  if (call->error == ErrorCode::none) {
    group_added_ = started_ = true;
  } else if (!again(call->error, coordinator_)) {
    const bool abortable = (bumps_ && call->error == ErrorCode::invalid_producer_id_mapping) ||
                           call->error == ErrorCode::transaction_abortable;
    fail(fences(call->error) ? ErrorCode::producer_fenced : call->error, !abortable);
  }
  moved();
}

void TransactionManager::on_offsets_committed(BrokerId, Ref<TxnOffsetCommitCall> call) {
  under_way_ = Request::none;
  if (call->error == ErrorCode::none) {
    offsets_.clear();
    return step_then(offsets_step_, node_, [this] { moved(); });
  } else if (!again(call->error, group_coordinator_)) {
    const bool abortable =
        call->error == ErrorCode::unknown_member_id || call->error == ErrorCode::illegal_generation ||
        call->error == ErrorCode::fenced_instance_id || call->error == ErrorCode::transaction_abortable;
    fail(fences(call->error) ? ErrorCode::producer_fenced : call->error, !abortable);
  }
  moved();
}

void TransactionManager::on_ended(BrokerId, Ref<EndTxnCall> call) {
  under_way_ = Request::none;
  if (call->error == ErrorCode::none) {
    if (v2_) sequences_.begin_anew(call->producer_id, call->producer_epoch);
    finish_transaction();
    return step_then(ended_step_, node_, [this] { moved(); });
  } else if (!again(call->error, coordinator_)) {
    const bool abortable = (bumps_ && call->error == ErrorCode::invalid_producer_id_mapping) ||
                           call->error == ErrorCode::transaction_abortable;
    fail(fences(call->error) ? ErrorCode::producer_fenced : call->error, !abortable || !commits_);
  }
  moved();
}

void TransactionManager::finish_transaction() {
  if (!commits_) {
    cluster_.context().emit(Kind::transaction_state, {.code = kAbortReturned, .actor = node_.entity().value});
  }
  const bool bump = epoch_bump_required_;
  started_ = end_requested_ = epoch_bump_required_ = group_added_ = false;
  partitions_.clear();
  new_partitions_.clear();
  offsets_.clear();
  state_ = State::ready;
  last_error_ = ErrorCode::none;
  if (!bump) return;
  // initializeTransactions(producerIdAndEpoch): what failed may still be on its way under the old epoch.
  bumping_ = true;
  state_ = State::initializing;
}

void TransactionManager::fail(ErrorCode error, bool fatal) {
  // What fails while it is being aborted changes nothing.
  if (!fatal && (state_ == State::aborting || state_ == State::fatal_error)) return;
  last_error_ = error;
  state_ = fatal ? State::fatal_error : State::abortable_error;
  end_requested_ = false;
  new_partitions_.clear();
  offsets_.clear();
}

}  // namespace models::kafka
