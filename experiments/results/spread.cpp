#include "experiments/results/spread.hpp"

#include <algorithm>

#include "sim/confidence.hpp"
#include "sim/statistics.hpp"

namespace experiments {

double Spread::mean() const {
  double sum = 0;
  for (const double v : values_) sum += v;
  return sum / static_cast<double>(values_.size());
}

std::optional<double> Spread::half_width() const {
  if (values_.size() < 2) return std::nullopt;
  sim::MeanVariance spread;
  for (const double v : values_) spread.add(v);
  return sim::student_half_width(spread);
}

double Spread::quantile(double q) const {
  std::vector<double> sorted = values_;
  std::sort(sorted.begin(), sorted.end());
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

Spreads spreads_of(const std::vector<StoredTrial>& trials) {
  Spreads cells;
  for (const StoredTrial& t : trials) {
    auto& cell = cells[{t.key.point, t.key.variant}];
    cell.resize(t.result.metrics.size());
    for (std::size_t m = 0; m < t.result.metrics.size(); ++m) {
      if (t.result.metrics[m]) cell[m].add(*t.result.metrics[m]);
    }
  }
  return cells;
}

}  // namespace experiments
