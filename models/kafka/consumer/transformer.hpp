// The producing half of an application that consumes, transforms and produces (TransactionalMessageCopier.java): what it does
// with a poll's records once they have been processed.
//
// Without a transaction: send(), flush(). With CommitMode::in_transaction: beginTransaction(), send(),
// sendOffsetsToTransaction(), commitTransaction(); after an error that allows it, abortTransaction(). The transactional id is the
// group's name and the member's number unless the producer's configuration names one.
//
// Model: initTransactions() and the first polls run side by side; such an application calls the one before the other. The first
// poll's records wait for it all the same.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/kafka/consumer/group.hpp"
#include "models/kafka/consumer/outlet.hpp"
#include "models/kafka/producer/producer.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class Transformer final : public Outlet, private ProducerApplication {
 public:
  Transformer(ConsumerGroup& group, Node& node, std::uint32_t index, OutletOwner& owner);

  void start() override;
  void close() override;
  void take(const Work& work, const GroupMembership& membership) override;
  void crashed() override;
  void paused() override { producer_.paused(); }
  void resumed() override { producer_.resumed(); }

 private:
  enum class Step : std::uint8_t { idle, beginning, sending, flushing, adding_offsets, committing, aborting };

  void producer_moved() override;
  /// One step on; false when there is something to be waited for.
  bool step();
  bool step_in_transaction(TransactionManager& transactions);
  void make_messages(const Work& work);
  bool aborts();
  void finish(TransformOutcome outcome);

  ConsumerGroup& group_;
  Cluster& cluster_;
  OutletOwner& owner_;
  ProducerOptions options_;
  bool in_transaction_;
  std::int32_t outputs_;  ///< partitions of the topic
  Producer producer_;
  bool started_ = false;
  bool stepping_ = false;
  Step step_ = Step::idle;
  std::uint64_t failures_before_ = 0;
  sim::Stream abort_draws_;
  std::vector<Message> messages_;
  std::vector<OffsetCommitCall::Item> offsets_;
  GroupMembership membership_;
};

}  // namespace models::kafka
