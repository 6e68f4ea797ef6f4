// datapackage.json: what stands in each column of a sweep's CSV files, in the form that data tools read
// (Frictionless' Tabular Data Package). notebooks/mqlab_results.py takes its types from it, and
// docs/RESULTS.md is made from it.
#pragma once

#include <string>

#include "experiments/scenario/experiment.hpp"

namespace experiments {

/// JSON text with a line feed at its end.
std::string datapackage_json(const Experiment& experiment);

}  // namespace experiments
