#include "sim/confidence.hpp"

#include <cmath>  // sqrt only
#include <limits>

#include "sim/assert.hpp"
#include "sim/math.hpp"

namespace sim {
namespace {

/// P(T > t) for t >= 0: half the incomplete beta function, without cancellation in the tail.
double upper_tail(double t, double degrees) {
  return 0.5 * math::incomplete_beta(0.5 * degrees, 0.5, degrees / (degrees + t * t));
}

}  // namespace

double student_cdf(double t, double degrees) {
  MQLAB_ASSERT(degrees > 0.0, "Student's t has degrees of freedom above 0");
  return t < 0.0 ? upper_tail(-t, degrees) : 1.0 - upper_tail(t, degrees);
}

double student_quantile(double p, double degrees) {
  MQLAB_ASSERT(degrees > 0.0, "Student's t has degrees of freedom above 0");
  MQLAB_ASSERT(p > 0.0 && p < 1.0, "a quantile is asked for between 0 and 1");
  const double tail = p < 0.5 ? p : 1.0 - p;
  double high = 1.0;
  while (high < 0x1p500 && upper_tail(high, degrees) > tail) high *= 2.0;
  double low = 0.0;
  for (int i = 0; i < 100; ++i) {
    const double middle = low + (high - low) / 2.0;
    (upper_tail(middle, degrees) > tail ? low : high) = middle;
  }
  const double t = low + (high - low) / 2.0;
  return p < 0.5 ? -t : t;
}

double student_half_width(double standard_deviation, std::uint64_t count, double confidence) {
  if (count < 2) return std::numeric_limits<double>::infinity();
  const double t = student_quantile(0.5 + confidence / 2.0, static_cast<double>(count - 1));
  return t * standard_deviation / std::sqrt(static_cast<double>(count));
}

double student_half_width(const MeanVariance& values, double confidence) {
  return student_half_width(values.standard_deviation(), values.count(), confidence);
}

}  // namespace sim
