// Goodness of fit for tests: how far draws lie from the distribution they claim.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace fit {

/// Kolmogorov and Smirnov's distance times sqrt(n); above 1.95 happens to one honest sample in a thousand.
template <class Cdf>
double kolmogorov(std::vector<double> draws, Cdf&& cdf) {
  std::sort(draws.begin(), draws.end());
  const auto n = static_cast<double>(draws.size());
  double distance = 0.0;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const double expected = cdf(draws[i]);
    distance = std::max(distance, std::abs(expected - static_cast<double>(i) / n));
    distance = std::max(distance, std::abs(expected - static_cast<double>(i + 1) / n));
  }
  return distance * std::sqrt(n);
}
inline constexpr double kKolmogorovLimit = 1.95;

/// Pearson's chi-square as a standard score: (chi2 - degrees) / sqrt(2 degrees). Cells expect at least 5
/// each.
inline double chi_square_score(const std::vector<double>& observed, const std::vector<double>& expected) {
  double chi2 = 0.0;
  for (std::size_t i = 0; i < observed.size(); ++i) {
    chi2 += (observed[i] - expected[i]) * (observed[i] - expected[i]) / expected[i];
  }
  const auto degrees = static_cast<double>(observed.size() - 1);
  return (chi2 - degrees) / std::sqrt(2.0 * degrees);
}
inline constexpr double kChiSquareLimit = 4.0;

}  // namespace fit
