// The producer of an application that hands on what it could not process: to a retry topic, from which it is tried again later,
// or to a dead letter topic (Spring Kafka's @RetryableTopic and DeadLetterPublishingRecoverer).
//
// The record stays the same message with its key, in the partition of the same number: the ledger knows what becomes of it
// there. The thread that hands it on waits for the answer (waitForSendResultTimeout); what fails is sent again.
//
// Model: sent one at a time with acks=all and without idempotence, so that an answer that is lost leaves two copies.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/kafka/metadata.hpp"
#include "models/kafka/rpc.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class RetryWriter {
 public:
  /// `written` runs when the copy is there.
  RetryWriter(Cluster& cluster, Node& node, TopicIndex to, std::function<void()> written);

  void start();
  void crashed();
  bool busy() const { return busy_; }
  /// Requires !busy().
  void put(PartitionIndex from, LeaderEpoch epoch, Offset offset);

 private:
  void send();
  void on_produced(BrokerId from, Ref<ProduceCall> call);

  Cluster& cluster_;
  TopicIndex to_;
  std::function<void()> written_;
  Metadata metadata_;
  std::vector<std::unique_ptr<RpcChannel>> channels_;  // by broker
  ProduceBatch batch_;
  bool started_ = false;
  bool busy_ = false;
  bool in_flight_ = false;
  NodeTimer<std::function<void()>> retry_timer_;
};

}  // namespace models::kafka
