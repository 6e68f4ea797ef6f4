// The steady state of a run: from the end of the warm-up to the end of arrivals.
#pragma once

#include <algorithm>

#include "sim/time.hpp"

namespace models {

struct Window {
  sim::Time warm{};              ///< end of the warm-up
  sim::Time stop = sim::kNever;  ///< end of arrivals, once known

  bool holds(sim::Time t) const { return t >= warm && t <= stop; }
  /// The part of [from, to] inside the window.
  sim::Duration part(sim::Time from, sim::Time to) const {
    return std::max(sim::Duration{}, std::min(to, stop) - std::max(from, warm));
  }
};

}  // namespace models
