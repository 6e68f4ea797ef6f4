// The files of a finished sweep or run.
#pragma once

#include <string>
#include <vector>

#include "experiments/results/store.hpp"
#include "experiments/scenario/experiment.hpp"
#include "experiments/sweep.hpp"

namespace experiments {

/// trials.csv, summary.csv, labelled.csv, timeseries.csv, anomalies.csv, datapackage.json and, last,
/// manifest.json: a folder with a manifest is complete. The same bytes for the same trials, whatever way they
/// came about. Returns the paths.
std::vector<std::string> write_results(const std::string& folder, const Experiment& experiment,
                                       const Grid& grid, ResultsStore& store);
/// Facts of the clock on the wall, beside the rest.
void write_wall_clock(const std::string& folder, double wall_s, unsigned threads, std::uint64_t events);

/// Removes the files of earlier results, the manifest first, so that no folder looks whole that is not.
void clear_results(const std::string& folder);

inline constexpr const char* kLabelledHeader = "run_id,point,variant,seed,metric,group,subject,value\n";
/// A trial's rows of labelled.csv.
std::string labelled_rows(const StoredTrial& trial, const std::string& variant);

/// A value of an axis as tables show it: texts without quotes.
std::string axis_value(const Value& value);

/// "mqlab replay …": pasted into a shell it runs that trial again.
std::string replay_line(const std::string& folder, const std::string& run_id);

std::string version_text();
/// The commit that the program was built from, "-dirty" behind it when the source had been changed; "unknown"
/// when it was no checkout. Defined in a file that the build writes: cmake/commit.cmake.
std::string source_commit();

}  // namespace experiments
