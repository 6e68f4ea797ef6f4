// What a finished run or sweep looks like on the screen.
#pragma once

#include <string>
#include <vector>

#include "experiments/results/store.hpp"
#include "experiments/scenario/experiment.hpp"

namespace experiments {

/// One trial on one screen: verdicts, rates, latencies, lag, and what happened of the rest; with `all` every
/// metric that was measured.
std::string trial_text(const TrialResult& trial, bool all);

/// The metrics that matter most, a row per point and variant, mean and half-width of the 95 % interval.
std::string summary_table(const Experiment& experiment, const std::vector<StoredTrial>& trials);

/// Six digits; whole numbers in full; "-" for missing.
std::string short_number(const std::optional<double>& value);

}  // namespace experiments
