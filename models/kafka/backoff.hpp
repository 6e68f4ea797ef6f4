// Exponential back-off with jitter, as all of Kafka's clients do it (ExponentialBackoff.java): initial * 2^attempts, at most
// `most`, times a uniform factor in [1 - spread, 1 + spread). With a `most` that is not above `initial` it is `most` each time.
#pragma once

#include <algorithm>
#include <cstdint>

#include "sim/random.hpp"
#include "sim/time.hpp"

namespace models::kafka {

/// `attempts` counts from 0. No draw when there is nothing to vary.
inline sim::Duration exponential_backoff(sim::Duration initial, sim::Duration most, std::uint32_t attempts,
                                         sim::Stream& jitter, double spread = 0.2) {
  if (initial <= sim::Duration{}) return sim::Duration{};
  if (most <= initial) return most;
  const double doubled =
      static_cast<double>(initial.count()) * static_cast<double>(1ull << std::min(attempts, 40u));
  const double limit = static_cast<double>(most.count());
  const double jittered = (1 - spread + 2 * spread * jitter.uniform()) * std::min(doubled, limit);
  return sim::Duration{static_cast<std::int64_t>(std::min(jittered, limit))};
}

}  // namespace models::kafka
