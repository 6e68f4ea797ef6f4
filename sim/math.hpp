// Elementary functions made of + - * /, sqrt, tables and integers only.
//
// libm's exp and log differ in the last bit between processors with and without fused multiply-add, and
// between libraries; these do not. Errors are measured in tests: log and exp within 2 units in the last
// place.
#pragma once

namespace sim::math {

/// Natural logarithm; -infinity at 0, not a number below 0.
double log(double x);
/// e^x; 0 and infinity outside the range of double, gradual below its smallest normal number.
double exp(double x);
/// x^y for x >= 0, as exp(y log x): relative error about |y log x| units in the last place; 0^0 is 1.
double pow(double x, double y);
/// Logarithm of the gamma function for x > 0; absolute error about 1e-15 * max(1, |result|).
double log_gamma(double x);
/// P(Z <= z) for a standard normal; relative error about 1e-14 in both tails.
double normal_cdf(double z);
/// Density of the standard normal.
double normal_density(double z);
/// The integral of x^power from low to high, 0 < low <= high; no cancellation near power = -1.
double power_integral(double power, double low, double high);
/// Regularised incomplete beta function I_x(a, b), a, b > 0, 0 <= x <= 1.
double incomplete_beta(double a, double b, double x);

}  // namespace sim::math
