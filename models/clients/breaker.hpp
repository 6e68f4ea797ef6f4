// A circuit breaker: counts how calls end, and permits none for a while when too many fail (Resilience4j's CircuitBreaker with a
// window of calls; CircuitBreakerStateMachine.java, CircuitBreakerMetrics.java, FixedSizeSlidingWindowMetrics.java).
//
// Closed, it counts the last `window` calls, and opens when at least `min_calls` were counted and the share that failed has
// reached `failure_rate`. Open, it permits nothing until its time is over. Half-open, it permits `half_open_calls`, and closes or
// opens again by the share of these that failed.
//
// It knows no clock: its owner says when its time is over.
#pragma once

#include <cstdint>
#include <vector>

#include "models/clients/workload.hpp"
#include "models/trace_kinds.hpp"

namespace models {

class Breaker {
 public:
  explicit Breaker(const BreakerOptions& options) : options_(options) { close(); }

  BreakerCode state() const { return state_; }
  /// Asks for leave to call; in the half-open state it is used up by that.
  bool permits() {
    if (state_ == BreakerCode::half_open) return permitted_ < options_.half_open_calls && ++permitted_ > 0;
    return state_ == BreakerCode::closed;
  }
  /// A call that was permitted in the present state has ended. True when the state has changed for that.
  bool ended(bool answered);
  /// Its time is over. Requires: open.
  void half_open() { begin(BreakerCode::half_open, options_.half_open_calls); }
  /// The process has ended; another begins.
  void close() { begin(BreakerCode::closed, options_.window); }

 private:
  void begin(BreakerCode state, std::uint32_t window);

  BreakerOptions options_;
  BreakerCode state_ = BreakerCode::closed;
  std::vector<bool> failed_;  ///< of the last calls, a ring
  std::size_t at_ = 0;
  std::uint32_t counted_ = 0;
  std::uint32_t failures_ = 0;
  std::uint32_t permitted_ = 0;
};

}  // namespace models
