#include "models/theory/batching.hpp"

#include <cmath>

namespace theory {
namespace {

/// P(Poisson(mean) >= k).
double at_least(double mean, std::uint32_t k) {
  double below = 0;
  for (std::uint32_t i = 0; i < k; ++i) below += std::exp(i * std::log(mean) - mean - std::lgamma(i + 1.0));
  return below < 1 ? 1 - below : 0;
}

}  // namespace

Batching batching(double records_per_s, double linger_s, std::uint32_t records_per_batch) {
  const double mean = records_per_s * linger_s;
  Batching b;
  b.full = at_least(mean, records_per_batch - 1);
  b.size = 1;
  for (std::uint32_t j = 1; j < records_per_batch; ++j) b.size += at_least(mean, j);
  double weighted = 0;
  for (std::uint32_t k = 0; k + 2 <= records_per_batch; ++k) {
    const double f = at_least(mean, k + 1);
    b.batch_delay_s += f / records_per_s;
    weighted += (k + 1) * f;
  }
  b.record_linger_s = weighted / (records_per_s * b.size);
  return b;
}

}  // namespace theory
