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
#include "models/kafka/consumer/work.hpp"
#include "models/kafka/producer/producer.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

enum class TransformOutcome : std::uint8_t {
  done,    ///< all sent and acknowledged; in a transaction: committed, with the offsets
  failed,  ///< not all were sent, or the transaction was aborted: to be done again
  fatal,   ///< fenced, or worse: this application has ended
};

class TransformerOwner {
 public:
  virtual ~TransformerOwner() = default;
  virtual void transformed(TransformOutcome outcome) = 0;
};

class Transformer final : private ProducerApplication {
 public:
  Transformer(ConsumerGroup& group, Node& node, std::uint32_t index, TransformerOwner& owner);

  void start();
  void close();
  /// `work` has been processed; transformed() runs once, perhaps before this returns. `membership` signs the offsets.
  void take(const Work& work, const GroupMembership& membership);

  void crashed();
  void paused() { producer_.paused(); }
  void resumed() { producer_.resumed(); }

 private:
  enum class Step : std::uint8_t { idle, beginning, sending, flushing, adding_offsets, committing, aborting };

  void producer_moved() override;
  /// One step on; false when there is something to be waited for.
  bool step();
  bool step_in_transaction(TransactionManager& transactions);
  void make_messages(const Work& work);
  void finish(TransformOutcome outcome);

  ConsumerGroup& group_;
  Cluster& cluster_;
  TransformerOwner& owner_;
  ProducerOptions options_;
  bool in_transaction_;
  std::int32_t outputs_;  ///< partitions of the topic
  Producer producer_;
  bool started_ = false;
  bool stepping_ = false;
  Step step_ = Step::idle;
  std::uint64_t failures_before_ = 0;
  std::vector<Message> messages_;
  std::vector<OffsetCommitCall::Item> offsets_;
  GroupMembership membership_;
};

}  // namespace models::kafka
