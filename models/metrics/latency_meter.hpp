// Latencies of messages created in the steady state: to the acknowledgement, and to their first processing by
// each group.
//
// A message counts by its creation, however late it is processed: what waits through an outage is measured in
// full.
#pragma once

#include <cstdint>
#include <vector>

#include "models/checkers/ledger.hpp"
#include "models/metrics/catalogue.hpp"
#include "models/metrics/entity_table.hpp"
#include "sim/histogram.hpp"

namespace models {

class LatencyMeter {
 public:
  explicit LatencyMeter(sim::Time warm) : warm_(sim::nanoseconds(warm)) {}

  void acknowledged(const MessageRun& run);
  void processed(const MessageRun& run, const FinishTimes& finish);

  void report(MetricValues& values, std::vector<Labelled>& labelled) const;

 private:
  std::int64_t warm_;
  sim::Histogram publish_;
  EntityTable<sim::Histogram> e2e_;  ///< by group
};

}  // namespace models
