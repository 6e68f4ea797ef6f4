// Asks transaction coordinators, in the name of a broker, whether partitions are part of a transaction, or to make them so
// (AddPartitionsToTxnManager.scala, KIP-890). A produce request or an offset commit waits here meanwhile.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class TransactionVerifier {
 public:
  /// `verified(call, error)` runs once for each call that was handed over, unless the broker crashes first. Errors come as a
  /// producer is told them.
  using Verified = std::function<void(AnyCall, ErrorCode)>;
  TransactionVerifier(Cluster& cluster, Node& node, const BrokerConfig& config,
                      std::function<BrokerId(PartitionIndex)> leader, Verified verified);

  /// `partitions` are those that the waiting call writes to as part of the transaction.
  void ask(AnyCall waiting, const std::string& transactional_id, ProducerId id, std::int16_t epoch,
           const std::vector<PartitionIndex>& partitions);
  void crashed();

 private:
  struct Question {
    AnyCall waiting;
    Ref<AddPartitionsToTxnCall> call;
    sim::Time since{};
    sim::Time retry_at = sim::kNever;
  };

  void send(Question& question);
  void on_answer(BrokerId from, Ref<AddPartitionsToTxnCall> call);
  void settle(const AddPartitionsToTxnCall* call, ErrorCode error);
  void retry();
  void arm();

  Cluster& cluster_;
  Node& node_;
  const BrokerConfig& config_;
  std::function<BrokerId(PartitionIndex)> leader_;
  Verified verified_;
  std::vector<std::unique_ptr<RpcChannel>> channels_;  // by broker, made when first needed
  std::vector<Question> questions_;
  NodeTimer<std::function<void()>> retry_timer_;
};

}  // namespace models::kafka
