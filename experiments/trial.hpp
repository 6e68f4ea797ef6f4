// One trial: a resolved scenario and a seed in, everything that is kept of it out. The main path of the
// program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "experiments/scenario/experiment.hpp"
#include "models/entities.hpp"
#include "models/world.hpp"
#include "sim/trace.hpp"

namespace experiments {

/// Sees the trace of a run, and knows the names in it.
class TrialWatcher : public sim::TraceSink {
 public:
  /// Before the first record; `entities` outlive the run.
  virtual void attach(const models::Entities&) {}
};

struct TrialOptions {
  bool all_series = false;  ///< time series of single partitions too, not only of groups and the whole run
  std::string* trace_csv = nullptr;  ///< filled with trace.csv
  std::vector<TrialWatcher*> watchers = {};
  models::WorldOptions world = {};
};

/// A metric of one group, or of one partition or member.
struct LabelledValue {
  std::size_t metric = 0;  ///< index into models::metric_catalogue()
  std::string group;       ///< empty: of no group
  std::string subject;     ///< partition or member; empty: the group as a whole
  double value = 0;
  bool operator==(const LabelledValue&) const = default;
};

struct TrialResult {
  std::string run_id;
  std::uint64_t seed = 0;
  std::string digest;  ///< 32 hex digits
  sim::DigestChain chain;
  std::vector<std::optional<double>> metrics;  ///< by models::metric_catalogue()
  std::vector<LabelledValue> labelled;
  std::string timeseries;  ///< rows of timeseries.csv
  std::string anomalies;   ///< rows of anomalies.csv
  models::RunOutcome outcome;

  /// Lets go of what is large and no expectation reads: digests, time series, anomalies.
  void forget_tables() {
    chain = {};
    timeseries.clear();
    anomalies.clear();
  }
};

/// An assertion or a livelock inside a model leaves as TrialError that says in which run and where in it: seed,
/// time and sequence number; a run that the user stops as Interrupted.
TrialResult run_trial(const Resolved& resolved, std::uint64_t seed, const TrialOptions& options = {});

inline constexpr const char* kTimeseriesHeader = "run_id,time_s,metric,subject,value\n";
inline constexpr const char* kAnomaliesHeader =
    "run_id,time_s,verdict,place,other,lane_producer,first_seq,offset,count,record\n";
inline constexpr const char* kTraceHeader = "record,time_s,kind,code,actor,place,peer,a,b,c,payload,cause\n";

}  // namespace experiments
