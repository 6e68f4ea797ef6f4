// What a thread of a Streams application does with records that it has counted (StreamThread, TaskManager, StreamsProducer):
// changes of counts are sent to the changelog as they come, and everything is committed every commit.interval.ms, before
// partitions are given up, and at the end.
//
// exactly_once_v2: what was sent between two commits is one transaction, with the offsets it came from. at_least_once: at a
// commit the producer is flushed, and the offsets are committed then.
//
// A thread that is fenced goes on: it closes its tasks, makes a new producer, which ends the transaction of the one before, and
// joins its group anew (StreamThread.handleTaskMigrated).
//
// With windows the thread keeps the stores of its tasks (WindowStore), which are restored from the changelog when it is given a
// partition, or has failed; records that come too late for their window change nothing.
//
// Model: the transaction of a producer that is replaced is ended by its successor's InitProducerId alone; Kafka tries to abort it
// before (StreamsProducer.abortTransaction). With at_least_once a failed batch is a corrupted task, whatever its error.
//
// Model: a commit falls between two polls, and changes are sent when all records of a poll have been processed; in Kafka both may
// happen within. The changelog is the output, too. A record's timestamp is the producer's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/kafka/consumer/group.hpp"
#include "models/kafka/consumer/outlet.hpp"
#include "models/kafka/consumer/state_stores.hpp"
#include "models/kafka/consumer/window_counts.hpp"
#include "models/kafka/producer/producer.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class StreamThread final : public Outlet, private ProducerApplication {
 public:
  StreamThread(ConsumerGroup& group, Node& node, std::uint32_t index, OutletOwner& owner);

  void start() override;
  void close() override;
  void take(const Work& work, const GroupMembership& membership) override;
  bool open() const override { return open_; }
  sim::Time commit_due() const override { return due_; }
  void commit(const GroupMembership& membership) override;
  void not_committed() override;
  void drop() override;
  void crashed() override;
  void paused() override { producer_.paused(); }
  void resumed() override { producer_.resumed(); }

 private:
  enum class Step : std::uint8_t { idle, beginning, sending, flushing, adding_offsets, committing, aborting };
  struct Task {
    std::uint64_t opened = 0;  ///< StateStores::times_opened() when the store was restored
    WindowStore store;
  };

  void producer_moved() override;
  /// One step on; false when there is something to be waited for.
  bool step();
  bool step_in_transaction(TransactionManager& transactions);
  void finish(TransformOutcome outcome);
  void begin_interval();
  void forget();
  void new_producer();

  void make_messages(const Work& work);
  /// The message that says what counting that input has changed; `partition` of the changelog.
  void add_change(const Work::Range& range, Offset offset, LaneId lane, std::int64_t seq,
                  std::int32_t partition);
  WindowStore& store_of(PartitionIndex p);
  void tell_late(const Work::Range& range, Offset offset);

  ConsumerGroup& group_;
  Cluster& cluster_;
  Node& node_;
  OutletOwner& owner_;
  StateStores& stores_;
  ProducerOptions options_;
  bool in_transaction_;
  sim::Duration interval_;
  std::int32_t outputs_;  ///< partitions of the changelog
  Producer producer_;
  sim::StreamKey sizes_;
  bool started_ = false;
  bool stepping_ = false;
  Step step_ = Step::idle;
  bool used_ = false;  // something was taken since the producer was made
  bool open_ = false;  // something was taken and is not committed
  sim::Time due_ = sim::kNever;
  sim::Time last_commit_{};
  std::uint64_t failures_before_ = 0;
  std::vector<Message> messages_;
  std::vector<OffsetCommitCall::Item> offsets_;  // of all that is open
  GroupMembership membership_;
  std::map<PartitionIndex, Task> tasks_;  // with windows
};

}  // namespace models::kafka
