// Threads of an application that work on records while its poll loop goes on.
#pragma once

#include "models/kafka/consumer/work.hpp"

namespace models::kafka {

class WorkPool {
 public:
  virtual ~WorkPool() = default;
  /// Takes the records of `work`, which is emptied.
  virtual void take(Work& work) = 0;
  /// Says what has been done until now.
  virtual void tell() {}
  virtual bool idle() const = 0;
  /// It wants no more for now: the application has paused its consumption (KafkaConsumer.pause()).
  virtual bool full() const { return false; }
  /// The lowest offset of `partition` in it; `otherwise` when it has none.
  virtual Offset lowest(PartitionIndex partition, Offset otherwise) const = 0;
  /// The member does not hold `partition` any more.
  virtual void revoked(PartitionIndex) {}

  /// Node::slowness() is another one.
  /// Model: a thread that works on one record at a time ends with that one as it was to end.
  virtual void slowed() {}
  virtual void paused() = 0;
  virtual void resumed() = 0;
  /// Says what was done until now and forgets the rest.
  virtual void crashed() = 0;
  /// The process starts.
  virtual void started() {}
};

}  // namespace models::kafka
