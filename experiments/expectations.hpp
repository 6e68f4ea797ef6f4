// Judges trials against a scenario's [[expect]] rows.
#pragma once

#include <string>
#include <vector>

#include "experiments/results/store.hpp"
#include "experiments/scenario/experiment.hpp"

namespace experiments {

struct Judgement {
  std::string expectation;
  std::string where;  ///< point and variant
  bool met = false;
  std::uint64_t held = 0;  ///< trials (or pairs) in which it held
  std::uint64_t of = 0;
  std::string skipped;     ///< why it was not judged; not met then, and no failure of what ran
  std::string failure;     ///< what was seen instead, of the first that failed
  std::uint64_t seed = 0;  ///< of the first that failed
  std::uint64_t point = 0;
  std::uint64_t variant = 0;
  bool is_fault = false;  ///< not an expectation: a fault that did not strike
};

/// One judgement per expectation, point and variant. A comparison of nothing with nothing (0 against 0) does
/// not hold. A fault that struck in no trial of a point and variant is a judgement of its own that failed:
/// nothing was tested there.
std::vector<Judgement> judge(const Experiment& experiment, const std::vector<StoredTrial>& trials);

/// "session.timeout.ms=6000, …": the axes' values at a point; empty without axes.
std::string point_text(const Experiment& experiment, std::uint64_t point);

}  // namespace experiments
