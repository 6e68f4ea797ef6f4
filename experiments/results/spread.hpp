// What many trials say of one metric: mean, interval, quantiles over the trials that measured it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "experiments/results/store.hpp"

namespace experiments {

class Spread {
 public:
  /// Values are added in order of seeds, so that sums come out the same to the last bit.
  void add(double value) { values_.push_back(value); }
  std::size_t trials() const { return values_.size(); }
  /// Of at least one value; so are the quantiles.
  double mean() const;
  /// Half the width of Student's 95 % interval; none for fewer than two trials.
  std::optional<double> half_width() const;
  /// Linear between order statistics, as numpy does by default. 0 is the least value, 1 the greatest.
  double quantile(double q) const;

 private:
  std::vector<double> values_;
};

/// (point, variant).
using Cell = std::pair<std::uint64_t, std::uint64_t>;
/// By metric of models::metric_catalogue().
using Spreads = std::map<Cell, std::vector<Spread>>;

Spreads spreads_of(const std::vector<StoredTrial>& trials);

}  // namespace experiments
