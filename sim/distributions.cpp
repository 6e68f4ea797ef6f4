#include "sim/distributions.hpp"

#include <charconv>
#include <cmath>  // sqrt only
#include <optional>
#include <stdexcept>
#include <string>

#include "sim/alias_table.hpp"
#include "sim/math.hpp"
#include "sim/zipf.hpp"

namespace sim {

/// What does not fit into four parameters.
struct Distribution::Table {
  std::vector<double> values;       // empirical, schedule
  std::optional<AliasTable> alias;  // empirical
  std::optional<ZipfTable> zipf;
};

namespace {

std::string text(double x) {
  char buffer[40];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, x).ptr);
}

void require(bool ok, std::string_view parameter, std::string_view rule, double value) {
  if (!ok)
    throw std::invalid_argument(std::string(parameter) + " must be " + std::string(rule) + ", not " +
                                text(value));
}

bool finite(double x) {
  return x - x == 0.0;
}
double square(double x) {
  return x * x;
}

void require_finite(std::string_view parameter, double x) {
  require(finite(x), parameter, "a finite number", x);
}
void require_positive(std::string_view parameter, double x) {
  require(finite(x) && x > 0.0, parameter, "above 0 and finite", x);
}
void require_not_negative(std::string_view parameter, double x) {
  require(finite(x) && x >= 0.0, parameter, "0 or more and finite", x);
}
void require_probability(std::string_view parameter, double p) {
  require(p >= 0.0 && p <= 1.0, parameter, "between 0 and 1", p);
}

/// Coefficients of variation beyond this are slips of the pen, and lose the digits of what is computed from them.
constexpr double kMostCv = 10'000.0;

double gamma(double x) {
  return math::exp(math::log_gamma(x));
}

}  // namespace

Distribution::Distribution(Kind kind, std::array<double, 4> parameters, double mean, double variance)
    : kind_(kind),
      a_(parameters[0]),
      b_(parameters[1]),
      c_(parameters[2]),
      d_(parameters[3]),
      mean_(mean),
      variance_(variance) {
  require_finite("mean", mean);
  require_finite("variance", variance);
}

Distribution Distribution::constant(double value) {
  require_finite("value", value);
  return {Kind::constant, {value, 0, 0, 0}, value, 0.0};
}

Distribution Distribution::uniform(double low, double high) {
  require_finite("low", low);
  require_finite("high", high);
  require(low <= high, "high", "at least low (" + text(low) + ")", high);
  return {Kind::uniform, {low, high - low, 0, 0}, low + (high - low) / 2.0, square(high - low) / 12.0};
}

Distribution Distribution::bernoulli(double p) {
  require_probability("p", p);
  return {Kind::bernoulli, {p, 0, 0, 0}, p, p * (1.0 - p)};
}

Distribution Distribution::exponential(double mean) {
  require_positive("mean", mean);
  return {Kind::exponential, {mean, 0, 0, 0}, mean, square(mean)};
}

Distribution Distribution::erlang(std::uint32_t k, double mean) {
  require(k >= 1 && k <= 1000, "k", "between 1 and 1000", k);
  require_positive("mean", mean);
  return {Kind::erlang, {mean / k, static_cast<double>(k), 0, 0}, mean, square(mean) / k};
}

Distribution Distribution::hyperexponential(double mean, double cv) {
  require_positive("mean", mean);
  require(cv >= 1.0 && cv <= kMostCv, "cv", "between 1 and 10000", cv);
  // Balanced means: both phases carry half of the mean.
  const double p = 0.5 * (1.0 + std::sqrt((cv * cv - 1.0) / (cv * cv + 1.0)));
  return {
      Kind::hyperexponential, {p, mean / (2.0 * p), mean / (2.0 * (1.0 - p)), 0}, mean, square(mean * cv)};
}

Distribution Distribution::hyperexponential_phases(double p, double mean1, double mean2) {
  require_probability("p", p);
  require_positive("mean1", mean1);
  require_positive("mean2", mean2);
  const double mean = p * mean1 + (1.0 - p) * mean2;
  const double second = 2.0 * (p * square(mean1) + (1.0 - p) * square(mean2));
  return {Kind::hyperexponential, {p, mean1, mean2, 0}, mean, second - square(mean)};
}

Distribution Distribution::normal(double mean, double sd, bool truncated) {
  require_finite("mean", mean);
  require_not_negative("sd", sd);
  if (!truncated) return {Kind::normal, {mean, sd, 0, 0}, mean, square(sd)};
  require_not_negative("mean", mean);
  if (sd == 0.0) return {Kind::normal_truncated, {mean, sd, 0, 0}, mean, 0.0};
  const double edge = -mean / sd;
  const double lift = math::normal_density(edge) / math::normal_cdf(-edge);
  return {Kind::normal_truncated,
          {mean, sd, 0, 0},
          mean + sd * lift,
          square(sd) * (1.0 + edge * lift - square(lift))};
}

Distribution Distribution::lognormal(double mean, double cv) {
  require_positive("mean", mean);
  require(cv >= 0.0 && cv <= kMostCv, "cv", "between 0 and 10000", cv);
  const double sigma_squared = math::log(1.0 + cv * cv);
  const double mu = math::log(mean) - sigma_squared / 2.0;
  return {Kind::lognormal, {mu, std::sqrt(sigma_squared), 0, 0}, mean, square(mean * cv)};
}

Distribution Distribution::pareto_bounded(double shape, double low, double high) {
  require_positive("shape", shape);
  require_positive("low", low);
  require_finite("high", high);
  require(high > low, "high", "above low (" + text(low) + ")", high);
  const double inside = 1.0 - math::pow(low / high, shape);
  const double density_factor = shape / (inside * low);
  // Moments of x/low, whose density is density_factor * low * y^-(shape+1) on [1, high/low].
  const double first = density_factor * low * math::power_integral(-shape, 1.0, high / low);
  const double second = density_factor * low * math::power_integral(1.0 - shape, 1.0, high / low);
  return {
      Kind::pareto, {low, inside, -1.0 / shape, high}, low * first, square(low) * (second - square(first))};
}

Distribution Distribution::weibull(double shape, double mean) {
  require(finite(shape) && shape >= 0.1, "shape", "at least 0.1", shape);
  require_positive("mean", mean);
  const double scale = mean / gamma(1.0 + 1.0 / shape);
  const double second = square(scale) * gamma(1.0 + 2.0 / shape);
  return {Kind::weibull, {scale, 1.0 / shape, 0, 0}, mean, second - square(mean)};
}

Distribution Distribution::zipf(std::uint64_t n, double exponent) {
  require(n >= 1 && n <= std::uint64_t{1} << 40, "count", "between 1 and 2^40", static_cast<double>(n));
  require(exponent >= 0.0 && exponent <= 20.0, "exponent", "between 0 and 20", exponent);
  auto table = std::make_shared<Table>();
  table->zipf.emplace(n, exponent);
  Distribution d(Kind::zipf, {static_cast<double>(n), exponent, 0, 0}, table->zipf->mean(),
                 table->zipf->variance());
  d.table_ = std::move(table);
  return d;
}

Distribution Distribution::empirical(std::vector<double> values, std::vector<double> weights) {
  if (values.empty()) throw std::invalid_argument("values must not be empty");
  if (weights.empty()) weights.assign(values.size(), 1.0);
  if (weights.size() != values.size()) {
    throw std::invalid_argument("weights must be as many as values (" + std::to_string(values.size()) +
                                "), not " + std::to_string(weights.size()));
  }
  double total = 0.0;
  for (const double w : weights) {
    require_not_negative("weights", w);
    total += w;
  }
  require(total > 0.0 && total < 0x1p1000, "weights", "of a positive finite sum", total);
  double mean = 0.0;
  double variance = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    require_finite("values", values[i]);
    mean += values[i] * (weights[i] / total);
  }
  for (std::size_t i = 0; i < values.size(); ++i) variance += square(values[i] - mean) * (weights[i] / total);
  auto table = std::make_shared<Table>();
  table->values = std::move(values);
  table->alias.emplace(weights);
  Distribution d(Kind::empirical, {}, mean, variance);
  d.table_ = std::move(table);
  return d;
}

Distribution Distribution::schedule(std::vector<double> values) {
  Distribution d = empirical(std::move(values));
  d.kind_ = Kind::schedule;
  return d;
}

double Distribution::cv() const noexcept {
  return mean_ == 0.0 ? 0.0 : std::sqrt(variance_) / std::abs(mean_);
}

double Distribution::sample_other(Stream& stream) const {
  switch (kind_) {
    case Kind::constant:
      return a_;
    case Kind::uniform:
      return a_ + b_ * stream.uniform();
    case Kind::bernoulli:
      return stream.bernoulli(a_) ? 1.0 : 0.0;
    case Kind::exponential:
      return a_ * stream.exponential();
    case Kind::erlang: {
      double sum = 0.0;
      for (double i = 0.0; i < b_; i += 1.0) sum += stream.exponential();
      return a_ * sum;
    }
    case Kind::hyperexponential: {
      const double phase_mean = stream.bernoulli(a_) ? b_ : c_;
      return phase_mean * stream.exponential();
    }
    case Kind::normal:
      return a_ + b_ * stream.normal();
    case Kind::normal_truncated:
      for (;;) {
        const double x = a_ + b_ * stream.normal();
        if (x >= 0.0) return x;
      }
    case Kind::lognormal:
      return math::exp(a_ + b_ * stream.normal());
    case Kind::pareto: {
      const double x = a_ * math::exp(c_ * math::log(1.0 - stream.uniform() * b_));
      return x < d_ ? x : d_;
    }
    case Kind::weibull:
      return a_ * math::exp(b_ * math::log(stream.exponential()));
    case Kind::zipf:
      return static_cast<double>(table_->zipf->sample(stream));
    case Kind::empirical:
      return table_->values[table_->alias->pick(stream.next())];
    case Kind::schedule:
      return table_->values[stream.next_ordinal() % table_->values.size()];
  }
  return a_;
}

std::string_view Distribution::name() const noexcept {
  switch (kind_) {
    case Kind::constant:
      return "constant";
    case Kind::uniform:
      return "uniform";
    case Kind::bernoulli:
      return "bernoulli";
    case Kind::exponential:
      return "exponential";
    case Kind::erlang:
      return "erlang";
    case Kind::hyperexponential:
      return "hyperexponential";
    case Kind::normal:
    case Kind::normal_truncated:
      return "normal";
    case Kind::lognormal:
      return "lognormal";
    case Kind::pareto:
      return "pareto_bounded";
    case Kind::weibull:
      return "weibull";
    case Kind::zipf:
      return "zipf";
    case Kind::empirical:
      return "empirical";
    case Kind::schedule:
      return "schedule";
  }
  return "";
}

}  // namespace sim
