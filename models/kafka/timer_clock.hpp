// The time by which a Kafka client's timers go (common/utils/Timer.java): its machine's wall clock. It may jump ahead; set back
// it stands still, for them, until it has caught up with itself.
//
// Model: a jump ahead is noticed with the next timer that is due anyway; Kafka's heartbeat thread looks every retry.backoff.ms.
// Time-outs of requests, back-offs and the accumulator's deadlines go by the true time.
#pragma once

#include <algorithm>

#include "models/network/node.hpp"
#include "sim/simulation.hpp"

namespace models::kafka {

class TimerClock {
 public:
  TimerClock(const sim::Simulation& simulation, const Node& node) : simulation_(simulation), node_(node) {}

  /// Another process has other timers.
  void forget() { latest_ = {}; }
  sim::Time now() { return latest_ = std::max(latest_, simulation_.now() + node_.clock_ahead()); }
  sim::Time after(sim::Duration d) { return now() + d; }
  /// The true time at which to look at a timer that ends at `end` by this clock.
  sim::Time due(sim::Time end) const {
    return end == sim::kNever ? end : std::max(simulation_.now(), end - node_.clock_ahead());
  }

 private:
  const sim::Simulation& simulation_;
  const Node& node_;
  sim::Time latest_{};
};

}  // namespace models::kafka
