#include "models/kafka/broker/transaction_verifier.hpp"

#include <algorithm>
#include <utility>

namespace models::kafka {
namespace {

/// What a producer is told (ReplicaManager.handleProduceAppend, AddPartitionsToTxnHandler): NOT_ENOUGH_REPLICAS makes it
/// ask again without looking for another leader.
ErrorCode told(ErrorCode error) {
  switch (error) {
    case ErrorCode::producer_fenced:
      return ErrorCode::invalid_producer_epoch;
    case ErrorCode::concurrent_transactions:
    case ErrorCode::disconnected:
    case ErrorCode::coordinator_load_in_progress:
    case ErrorCode::coordinator_not_available:
    case ErrorCode::not_coordinator:
      return ErrorCode::not_enough_replicas;
    default:
      return error;
  }
}

}  // namespace

TransactionVerifier::TransactionVerifier(Cluster& cluster, Node& node, const BrokerConfig& config,
                                         std::function<BrokerId(PartitionIndex)> leader, Verified verified)
    : cluster_(cluster),
      node_(node),
      config_(config),
      leader_(std::move(leader)),
      verified_(std::move(verified)),
      channels_(static_cast<std::size_t>(cluster.broker_count())),
      retry_timer_(cluster.context().simulation, node, [this] { retry(); }) {}

void TransactionVerifier::crashed() {
  questions_.clear();
  retry_timer_.disarm();
  for (const auto& channel : channels_) {
    if (channel) channel->abandon();
  }
}

void TransactionVerifier::ask(AnyCall waiting, const std::string& transactional_id, ProducerId id,
                              std::int16_t epoch, const std::vector<PartitionIndex>& partitions) {
  Question question;
  question.waiting = std::move(waiting);
  question.since = cluster_.context().now();
  question.call = cluster_.take<AddPartitionsToTxnCall>();
  question.call->transactional_id = transactional_id;
  question.call->producer_id = id;
  question.call->producer_epoch = epoch;
  question.call->verify_only = !cluster_.transactions_v2();
  question.call->partitions = partitions;
  questions_.push_back(std::move(question));
  send(questions_.back());
}

void TransactionVerifier::send(Question& question) {
  const BrokerId coordinator = leader_(cluster_.transaction_partition(question.call->transactional_id));
  if (coordinator == kNoBroker) return settle(question.call.get(), ErrorCode::coordinator_not_available);
  auto& channel = channels_[static_cast<std::size_t>(coordinator.value)];
  if (!channel) {
    channel = std::make_unique<RpcChannel>(cluster_, node_, coordinator,
                                           RpcOptions{.request_timeout = std::chrono::seconds{30}});
  }
  question.retry_at = sim::kNever;
  question.call->error = ErrorCode::none;
  channel->call<&TransactionVerifier::on_answer>(*this, question.call);
}

/// With KIP-890 the transaction before is often still being completed when the next one's first batch comes: the broker
/// itself waits a little for that.
void TransactionVerifier::on_answer(BrokerId, Ref<AddPartitionsToTxnCall> call) {
  const auto asked = std::find_if(questions_.begin(), questions_.end(),
                                  [&call](const Question& q) { return q.call.get() == call.get(); });
  if (asked == questions_.end()) return;
  const sim::Time retry_at = cluster_.context().simulation.after(config_.add_partitions_to_txn_retry_backoff);
  if (call->error == ErrorCode::concurrent_transactions && !call->verify_only &&
      retry_at <= asked->since + config_.add_partitions_to_txn_retry_backoff_max) {
    asked->retry_at = retry_at;
    return arm();
  }
  settle(call.get(), call->error);
}

void TransactionVerifier::settle(const AddPartitionsToTxnCall* call, ErrorCode error) {
  const auto asked = std::find_if(questions_.begin(), questions_.end(),
                                  [call](const Question& q) { return q.call.get() == call; });
  AnyCall waiting = std::move(asked->waiting);
  questions_.erase(asked);
  verified_(std::move(waiting), told(error));
}

void TransactionVerifier::retry() {
  const sim::Time now = cluster_.context().now();
  for (std::size_t i = 0; i < questions_.size(); ++i) {
    if (questions_[i].retry_at > now) continue;
    // Sent as a call of its own: the one before is still named by the connection that brought its answer.
    Ref<AddPartitionsToTxnCall> again = cluster_.take<AddPartitionsToTxnCall>();
    again->transactional_id = questions_[i].call->transactional_id;
    again->producer_id = questions_[i].call->producer_id;
    again->producer_epoch = questions_[i].call->producer_epoch;
    again->verify_only = questions_[i].call->verify_only;
    again->partitions = questions_[i].call->partitions;
    questions_[i].call = std::move(again);
    send(questions_[i]);
    if (!node_.up()) return;
  }
  arm();
}

void TransactionVerifier::arm() {
  sim::Time next = sim::kNever;
  for (const Question& question : questions_) next = std::min(next, question.retry_at);
  if (next != sim::kNever) retry_timer_.arm_at(std::max(next, cluster_.context().now()));
}

}  // namespace models::kafka
