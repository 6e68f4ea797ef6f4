// Whether a simulated mean agrees with what theory says of it: a mean over trials as a ratio of sums, its
// 95 % interval, and the distance from the expected value in standard errors (z).
//
// A trial of fixed length has a random number of customers, and busy trials have more of them: the mean of
// the trials' means is biased, the ratio of the sums is not to first order (Cochran,
// Sampling Techniques, 6.4). Its standard error comes from the residuals of the trials, which are
// independent.
//
// Figures of every comparison are shown by `test_proof -s`.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "sim/confidence.hpp"
#include "tests/catch.hpp"

namespace proof {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
inline constexpr bool kReduced = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kReduced = true;
#else
inline constexpr bool kReduced = false;
#endif
#else
inline constexpr bool kReduced = false;
#endif

/// Seeds 1 to 100. Builds with sanitizers or without optimisation run 15 of them, too few for the promised
/// width: there the interval may be four times as wide.
inline constexpr int kSeeds = kReduced ? 15 : 100;
inline constexpr double kWidth = kReduced ? 0.04 : 0.01;
inline constexpr double kZ = 4;

/// The mean of something over all trials.
class Ratio {
 public:
  /// One trial: the sum over its customers, and how many they were.
  void add(double sum, double count) {
    sums_.push_back(sum);
    counts_.push_back(count);
    sum_ += sum;
    count_ += count;
  }
  double count() const { return count_; }
  double value() const { return sum_ / count_; }
  double standard_error() const {
    return residuals().standard_deviation() / std::sqrt(trials()) / (count_ / trials());
  }
  double half_width() const { return sim::student_half_width(residuals()) / (count_ / trials()); }
  double z(double expected) const { return (value() - expected) / standard_error(); }

 private:
  double trials() const { return static_cast<double>(sums_.size()); }
  sim::MeanVariance residuals() const {
    sim::MeanVariance residuals;
    for (std::size_t i = 0; i < sums_.size(); ++i) residuals.add(sums_[i] - value() * counts_[i]);
    return residuals;
  }

  std::vector<double> sums_, counts_;
  double sum_ = 0, count_ = 0;
};

/// The simulated mean agrees with `expected`, and the comparison could have failed: its 95 % half-width is at
/// most `width` of the expected value.
inline void check_agrees(const std::string& what, const Ratio& simulated, double expected,
                         double width = kWidth) {
  const double share = simulated.half_width() / expected;
  INFO(what << ": simulated " << simulated.value() << ", expected " << expected << ", z "
            << simulated.z(expected) << ", half-width " << 100 * share << " %, over " << simulated.count());
  // What has no spread (a delay that is always linger.ms) has no z: it is equal.
  const bool equal = std::abs(simulated.value() - expected) <= 1e-9 * expected;
  CHECK((equal || std::abs(simulated.z(expected)) < kZ));
  CHECK(share <= width);
}

}  // namespace proof
