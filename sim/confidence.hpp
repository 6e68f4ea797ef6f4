// Student's t and the normal distribution: quantiles for confidence intervals, by our own arithmetic
// (bit-equal everywhere).
#pragma once

#include <cstdint>

#include "sim/statistics.hpp"

namespace sim {

/// P(T <= t) for Student's t with `degrees` > 0 degrees of freedom; within 1e-12.
double student_cdf(double t, double degrees);

/// The t with P(T <= t) = p, 0 < p < 1 (an assertion); relative error about 1e-11.
double student_quantile(double p, double degrees);

/// Half the width of the two-sided interval for the mean of `count` values with this sample standard
/// deviation, e.g. for confidence 0.95. Infinite for fewer than two values: they say nothing about the
/// spread.
double student_half_width(double standard_deviation, std::uint64_t count, double confidence = 0.95);
double student_half_width(const MeanVariance& values, double confidence = 0.95);

}  // namespace sim
