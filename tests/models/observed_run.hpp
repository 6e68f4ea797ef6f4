// A scenario that has run once, with seed 1, and what was observed.
#pragma once

#include "models/metrics/observers.hpp"
#include "models/world.hpp"

struct ObservedRun {
  models::RunOutcome outcome;
  models::MetricValues values;
};

/// `sink` sees the records, too.
inline ObservedRun observed_run(const models::Scenario& scenario, sim::TraceSink* sink = nullptr) {
  models::World world(scenario, 1);
  models::Observers observers;
  if (sink != nullptr) world.trace().add_sink(*sink);
  world.trace().add_sink(observers);
  const models::RunOutcome outcome = world.run();
  return {outcome, observers.values()};
}

/// One metric of it; 0 where there is none.
inline double observed(const models::Scenario& scenario, models::Metric metric) {
  return observed_run(scenario).values[metric].value_or(0);
}
