// Distributions: what a scenario draws, as small immutable values made by named factories.
//
// A Distribution may stand for durations, bytes, ranks or plain numbers; the unit is its user's. Durations
// are held in nanoseconds: `exponential(2e6)` has a mean of 2 ms, and sample_duration() rounds the drawn
// nanoseconds to the nearest integer, halves upwards, never below zero. sample() and sample_duration() draw
// the same number of words.
//
// Guarantees: draws depend on the parameters and the stream alone, bit for bit with every compiler and
// processor (golden draws are tested). A Distribution never changes after it was made: copies share their
// tables, and threads may share it. A schedule keeps no place of its own; it takes the stream's ordinal (see
// Stream::keyed). A parameter that makes no sense throws std::invalid_argument whose text begins with the
// parameter's name as the catalogue spells it.
//
// To add one: a Kind, a factory, a case in sample_other(), a row in the catalogue, golden draws in the test.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "sim/catalogue.hpp"
#include "sim/random.hpp"
#include "sim/time.hpp"

namespace sim {

class Distribution {
 public:
  static Distribution constant(double value);
  /// Between low and high, low <= high.
  static Distribution uniform(double low, double high);
  /// 1 with probability p, else 0.
  static Distribution bernoulli(double p);
  static Distribution exponential(double mean);
  /// The sum of `k` exponentials, 1 <= k <= 1000; cv = 1/sqrt(k).
  static Distribution erlang(std::uint32_t k, double mean);
  /// Two exponential phases with balanced means; cv >= 1.
  static Distribution hyperexponential(double mean, double cv);
  /// An exponential with mean `mean1` with probability p, else one with mean `mean2`.
  static Distribution hyperexponential_phases(double p, double mean1, double mean2);
  /// `truncated`: given that it is not negative (drawn again below 0; needs mean >= 0).
  static Distribution normal(double mean, double sd, bool truncated = false);
  static Distribution lognormal(double mean, double cv);
  /// Density falls as x^-(shape+1) between low and high, 0 < low < high.
  static Distribution pareto_bounded(double shape, double low, double high);
  static Distribution weibull(double shape, double mean);
  /// A rank 0 .. n-1; rank r has probability proportional to 1/(r+1)^exponent. Set-up and memory do not grow
  /// with n.
  static Distribution zipf(std::uint64_t n, double exponent);
  /// One of the values, by weight; without weights all alike.
  static Distribution empirical(std::vector<double> values, std::vector<double> weights = {});
  /// The values in order, over and over.
  static Distribution schedule(std::vector<double> values);

  double sample(Stream& stream) const {
    if (kind_ == Kind::constant) return a_;
    if (kind_ == Kind::exponential) return a_ * stream.exponential();
    return sample_other(stream);
  }

  /// A draw in nanoseconds, rounded; 0 for a negative draw, at most kLongestDraw.
  Duration sample_duration(Stream& stream) const { return to_duration(sample(stream)); }

  /// A whole number (rank, bytes, count): the draw rounded as a duration is.
  std::uint64_t sample_count(Stream& stream) const {
    return static_cast<std::uint64_t>(to_duration(sample(stream)).count());
  }

  static constexpr Duration kLongestDraw{std::int64_t{1} << 62};
  static constexpr Duration to_duration(double nanoseconds) noexcept {
    if (!(nanoseconds > 0.0)) return Duration{0};
    if (nanoseconds >= 0x1p62) return kLongestDraw;
    const auto whole = static_cast<std::int64_t>(nanoseconds);
    const bool up = nanoseconds - static_cast<double>(whole) >= 0.5;
    return Duration{whole + (up ? 1 : 0)};
  }

  double mean() const noexcept { return mean_; }
  double variance() const noexcept { return variance_; }
  /// Standard deviation over mean; 0 for a mean of 0.
  double cv() const noexcept;
  bool is_constant() const noexcept { return kind_ == Kind::constant; }
  /// The catalogue's name.
  std::string_view name() const noexcept;

 private:
  enum class Kind : std::uint8_t {
    constant,
    uniform,
    bernoulli,
    exponential,
    erlang,
    hyperexponential,
    normal,
    normal_truncated,
    lognormal,
    pareto,
    weibull,
    zipf,
    empirical,
    schedule
  };
  struct Table;

  Distribution(Kind kind, std::array<double, 4> parameters, double mean, double variance);
  double sample_other(Stream& stream) const;

  Kind kind_;
  double a_, b_, c_, d_;  // parameters, by kind; see the factories
  double mean_, variance_;
  std::shared_ptr<const Table> table_;
};

/// Every distribution that a scenario can name, in the order of the documentation.
std::span<const CatalogueEntry> distribution_catalogue();

using DistributionInfo = CatalogueEntry;

}  // namespace sim
