// What an expectation looks at: one metric, or a sum or difference of several ("unavailability_mean_s -
// detection_mean_s - election_mean_s").
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "experiments/scenario/value.hpp"

namespace experiments {

struct MetricSum {
  struct Term {
    std::size_t metric = 0;  ///< index into models::metric_catalogue()
    bool minus = false;
  };
  std::string text;  ///< as the file has it
  std::vector<Term> terms;

  /// `value` gives a metric's. Missing when a term is.
  std::optional<double> of(const std::function<std::optional<double>(std::size_t metric)>& value) const;
};

/// Names joined by " + " and " - ". Throws BadScenario, naming `path`, for what is no metric, and for metrics of
/// different units.
MetricSum read_metric_sum(const Value& text, const std::string& path);

}  // namespace experiments
