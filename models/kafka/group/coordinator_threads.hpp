// The threads of a group coordinator since 4.0 (CoordinatorRuntime, MultiThreadedEventProcessor, EventAccumulator.java): a
// request handler thread only puts a group's request down, and goes on. group.coordinator.threads of them do the work: of one
// partition of __consumer_offsets one thing at a time, in order of arrival, and whichever waiting partition is next by chance.
//
// Model: what is done of itself takes no time (timers, the log's high watermark, markers of transactions), nor does a load.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include "models/kafka/group/coordinator_host.hpp"
#include "models/kafka/rpc.hpp"
#include "sim/distributions.hpp"
#include "sim/random.hpp"
#include "sim/ring.hpp"

namespace models::kafka {

/// The group that the call is for, where its coordinator works on it; null for any other call.
const std::string* coordinated_group(const AnyCall& call);

class CoordinatorThreads {
 public:
  /// `work` gets each call when its time is over.
  CoordinatorThreads(CoordinatorHost& host, const sim::Distribution& time, sim::Stream times,
                     sim::Stream order, std::function<void(AnyCall)> work);

  /// Requires coordinated_group(call).
  void add(AnyCall call);
  /// The process died.
  void crashed();

 private:
  struct Queue {
    sim::Ring<AnyCall> calls;
    bool in_flight = false;
  };
  void take_up();
  void begin(std::size_t partition);
  void finish(std::size_t partition, AnyCall call);

  CoordinatorHost& host_;
  const sim::Distribution& time_;
  sim::Stream times_;
  sim::Stream order_;
  std::function<void(AnyCall)> work_;
  std::size_t busy_ = 0;
  std::deque<Queue> queues_;            // by PartitionIndex; empty ones of what is no partition of groups
  std::vector<std::size_t> available_;  // have calls, and none in flight
};

}  // namespace models::kafka
