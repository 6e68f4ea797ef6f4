#include "sim/math.hpp"

#include <bit>
#include <cstdint>
#include <limits>

namespace sim::math {
namespace {

struct HighLow {
  double high;
  double low;
};

#include "sim/math_tables.inc"

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kFirstLogRow = 90;

double power_of_two(std::int64_t exponent) noexcept {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

double absolute(double x) noexcept {
  return x < 0.0 ? -x : x;
}

}  // namespace

double log(double x) {
  if (!(x > 0.0)) return x == 0.0 ? -kInfinity : kNotANumber;
  if (x == kInfinity) return x;
  std::int64_t exponent = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    exponent = -54;
  }
  // x = 2^exponent * m with m in [sqrt(1/2), sqrt(2)): 1 lies inside a row of the table, so nothing cancels
  // near it.
  constexpr std::uint64_t kSqrtHalf = 0x3fe6a09e667f3bcdULL;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const std::int64_t octave = static_cast<std::int64_t>(bits - kSqrtHalf) >> 52;
  const double m = std::bit_cast<double>(bits - (static_cast<std::uint64_t>(octave) << 52));
  exponent += octave;
  const auto row = static_cast<std::int64_t>(m * 128.0 + 0.5);
  const double center = static_cast<double>(row) * 0x1p-7;
  const HighLow& table = kLogTable[row - kFirstLogRow];
  // log(m / center) = 2 atanh(s), |s| <= 1/360.
  const double s = (m - center) / (m + center);
  const double z = s * s;
  const double series = s * z * (2.0 / 3.0 + z * (2.0 / 5.0 + z * (2.0 / 7.0)));
  const auto n = static_cast<double>(exponent);
  return (n * kLn2.high + table.high) + (2.0 * s + (series + (n * kLn2.low + table.low)));
}

double exp(double x) {
  if (x != x) return x;
  if (x > 709.79) return kInfinity;
  if (x < -745.14) return 0.0;
  // x = n ln2/64 + r with |r| <= ln2/128; n has at most 17 bits, so n * high is exact.
  const double scaled = x * k64OverLn2;
  const auto n = static_cast<std::int64_t>(scaled + (scaled < 0.0 ? -0.5 : 0.5));
  const auto k = static_cast<double>(n);
  const double r = (x - k * kLn2Over64.high) - k * kLn2Over64.low;
  const double series =
      r + r * r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0)))));
  const HighLow& table = kExpTable[n & 63];
  const double mantissa = table.high + (table.high * series + table.low);
  const std::int64_t octave = n >> 6;
  if (octave >= -1021 && octave <= 1022) return mantissa * power_of_two(octave);
  const std::int64_t half = octave / 2;
  return mantissa * power_of_two(half) * power_of_two(octave - half);
}

double pow(double x, double y) {
  if (y == 0.0 || x == 1.0) return 1.0;
  if (x == 0.0) return y > 0.0 ? 0.0 : kInfinity;
  return exp(y * log(x));
}

double log_gamma(double x) {
  // Upwards by the recurrence until Stirling's series is exact enough.
  double product = 1.0;
  while (x < 16.0) {
    product *= x;
    x += 1.0;
  }
  const double inverse = 1.0 / x;
  const double z = inverse * inverse;
  const double series =
      inverse * (1.0 / 12.0 +
                 z * (-1.0 / 360.0 + z * (1.0 / 1260.0 + z * (-1.0 / 1680.0 +
                                                              z * (1.0 / 1188.0 - z * (691.0 / 360360.0))))));
  return (x - 0.5) * log(x) - x + kHalfLnTwoPi + series - log(product);
}

double power_integral(double power, double low, double high) {
  const double width = log(high / low);
  const double t = (power + 1.0) * width;
  // (e^t - 1) / t, by its series where the difference would cancel.
  const double growth =
      absolute(t) < 0.01
          ? 1.0 + t * (1.0 / 2.0 + t * (1.0 / 6.0 + t * (1.0 / 24.0 + t * (1.0 / 120.0 + t / 720.0))))
          : (exp(t) - 1.0) / t;
  return pow(low, power + 1.0) * width * growth;
}

double normal_density(double z) {
  return kInverseSqrtTwoPi * exp(-0.5 * z * z);
}

double normal_cdf(double z) {
  const double x = absolute(z);
  if (x < 3.0) {
    // Phi(x) = 1/2 + density(x) * (x + x^3/3 + x^5/15 + ...)
    double term = x;
    double sum = x;
    for (double k = 3.0; term > sum * 0x1p-60; k += 2.0) {
      term *= x * x / k;
      sum += term;
    }
    const double inner = normal_density(x) * sum;
    return z < 0.0 ? 0.5 - inner : 0.5 + inner;
  }
  double fraction = x;
  for (double k = 120.0; k >= 1.0; k -= 1.0) fraction = x + k / fraction;
  const double tail = normal_density(x) / fraction;
  return z < 0.0 ? tail : 1.0 - tail;
}

namespace {

/// The continued fraction of the incomplete beta function by Lentz's method; quick for
/// x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 0x1p-1000;
  const auto away_from_zero = [](double v) { return absolute(v) < kTiny ? kTiny : v; };
  double c = 1.0;
  double d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
  double h = d;
  for (double m = 1.0; m < 100000.0; m += 1.0) {
    const double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
    d = 1.0 / away_from_zero(1.0 + even * d);
    c = away_from_zero(1.0 + even / c);
    h *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
    d = 1.0 / away_from_zero(1.0 + odd * d);
    c = away_from_zero(1.0 + odd / c);
    h *= d * c;
    if (absolute(d * c - 1.0) < 0x1p-51) break;
  }
  return h;
}

}  // namespace

double incomplete_beta(double a, double b, double x) {
  if (x <= 0.0) return 0.0;
  if (x >= 1.0) return 1.0;
  const double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log(1.0 - x));
  if (x < (a + 1.0) / (a + b + 2.0)) return front * beta_fraction(a, b, x) / a;
  return 1.0 - front * beta_fraction(b, a, 1.0 - x) / b;
}

}  // namespace sim::math
