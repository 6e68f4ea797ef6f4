// The files of a finished sweep or run, and its table on the screen.
#pragma once

#include <string>
#include <vector>

#include "experiments/results/store.hpp"
#include "experiments/scenario/experiment.hpp"
#include "experiments/sweep.hpp"

namespace experiments {

/// trials.csv, summary.csv, timeseries.csv, anomalies.csv, datapackage.json and, last, manifest.json: a
/// folder with a manifest is complete. The same bytes for the same trials, whatever way they came about.
/// Returns the paths.
std::vector<std::string> write_results(const std::string& folder, const Experiment& experiment,
                                       const Grid& grid, ResultsStore& store);
/// Facts of the clock on the wall, beside the rest.
void write_wall_clock(const std::string& folder, double wall_s, unsigned threads, std::uint64_t events);

/// The metrics that matter most, a row per point and variant, mean and half-width of the 95 % interval.
std::string summary_table(const Experiment& experiment, const std::vector<StoredTrial>& trials);

/// "mqlab replay …": pasted into a shell it runs that trial again.
std::string replay_line(const std::string& folder, const std::string& run_id);

std::string version_text();

}  // namespace experiments
