// The application's thread at work on the records of one poll, one after the other.
//
// It runs ahead in virtual time: the service times of a poll are prefix sums, and one event ends it. What was done is said
// when the poll's work completes, or when something cuts into it: a crash or a pause finds its place by binary search, a fault
// on the n-th step ends the run-ahead exactly there. A node that was paused takes up its work where it stood. The times said of
// each record are the same as if there had been an event for each.
//
// A record that is poison ends the run-ahead, too: its failure is an event of its own. So does one whose schema the process
// does not know yet: the thread waits for the registry before it begins with it.
//
// A record's effect is applied at the instant its processing ends: both are said before either step is counted.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "models/clients/supervisor.hpp"
#include "models/kafka/consumer/recorder.hpp"
#include "models/kafka/consumer/retry_writer.hpp"
#include "models/kafka/consumer/schema_reader.hpp"
#include "models/kafka/consumer/work.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

/// Draws the service times of all of `work`'s records.
void draw_service(ConsumerGroup& group, Work& work);

class ProcessorOwner {
 public:
  virtual ~ProcessorOwner() = default;
  /// All records are done; or, record by record, one is.
  virtual void processed() = 0;
  /// This record could not be processed and is left behind.
  virtual void gave_up(PartitionIndex, Offset) {}
};

class Processor {
 public:
  Processor(ConsumerGroup& group, Node& node, Recorder& recorder, ProcessorOwner& owner);

  /// The records to work on; filled by poll() while nothing is being worked on.
  Work& work() { return work_; }
  const Work& work() const { return work_; }
  bool busy() const { return busy_; }
  /// The process has died of a record, and a supervisor is about to start it again.
  bool restarting() const { return supervisor_.restarting(); }

  /// The process starts.
  void started();
  /// Tells that poll() has handed its records out, and counts the steps. False when the node did not survive one of them.
  bool handed_out();
  /// Begins now. With `record_by_record` processed() runs after each record, and go_on() begins the next.
  void begin(bool record_by_record);
  void go_on();
  bool all_done() const { return done_ == work_.size(); }
  /// The record last done: its partition and the offset after it.
  OffsetCommitCall::Item last_done() const;

  void paused();
  void resumed();
  /// Node::slowness() is another one: what is left of the work takes so long.
  void slowed();
  /// What can be processed has changed: what was planned is thought over.
  void reconsider();
  /// Says what was done until now and forgets the rest.
  void crashed();

 private:
  void plan();
  void segment_ended();
  void move_on();
  std::int64_t next_poison(std::int64_t begin, std::int64_t end) const;
  /// The first of records [begin, end) that cannot be read, as far as is known; or `end`.
  std::int64_t next_unread(std::int64_t begin, std::int64_t end) const;
  /// The next record's schema is not known, and is asked for.
  bool asks_for_schema();
  void schema_answered();
  void failed();
  void hand_on();
  void handed_on();
  void wait_for_age();
  /// Records up to `end` are done: says so and counts the steps. False when the node did not survive one of them.
  bool settle(std::int64_t end);
  /// The same for the last record before `end` alone, of whose effect and entry in the table of processed messages one comes
  /// first. False when the node did not survive the moment between.
  bool settle_in_two(std::int64_t end);
  void settle_until_now();
  /// Waiting for go_on(); a step's action may still be at work.
  bool between_records() const { return done_ == segment_end_ && !stepping_; }

  ConsumerGroup& group_;
  Context& context_;
  Node& node_;
  Recorder& recorder_;
  ProcessorOwner& owner_;
  Work work_;
  Supervisor supervisor_;
  bool busy_ = false;
  bool record_by_record_ = false;
  bool counts_uncommitted_;  // a record done is not committed yet
  bool stepping_ = false;    // inside a step's action: nothing beyond it has happened
  bool frozen_ = false;
  bool failing_ = false;      // what ends next is an attempt at record done_ that fails
  std::int32_t retries_ = 0;  // of that record
  bool unreadable_ = false;   // it fails because it cannot be read
  std::int64_t start_ = 0;    // ns; moved by pauses and by waiting between records
  std::int64_t frozen_at_ = 0;
  std::int64_t done_ = 0;  // records done and said
  std::int64_t segment_end_ = 0;
  StepCell& delivered_step_;
  StepCell& effect_step_;
  StepCell& id_step_;
  StepCell& uncommitted_step_;
  NodeTimer<std::function<void()>> timer_;
  std::unique_ptr<SchemaReader> schemas_;  // null: what it reads has none
  std::unique_ptr<RetryWriter> writer_;    // null: what fails is not handed on
  std::int64_t asked_at_ = 0;              // ns: waiting for the registry since
};

}  // namespace models::kafka
