#include "sim/distributions.hpp"

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "sim/digest.hpp"
#include "sim/zipf.hpp"
#include "tests/catch.hpp"
#include "tests/sim/fit.hpp"

using sim::Distribution;
using sim::Stream;

namespace {

struct Row {
  std::string label;
  Distribution distribution;
  const char* golden;                 // digest of 10,000 draws from Stream(1, "golden")
  std::function<double(double)> cdf;  // empty for discrete ones
};

double phi(double z) {
  return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

std::function<double(double)> lognormal_cdf(double mean, double cv) {
  const double s2 = std::log(1.0 + cv * cv);
  return [=](double x) { return phi((std::log(x) - std::log(mean) + s2 / 2.0) / std::sqrt(s2)); };
}

std::vector<Row> rows() {
  const auto pareto = [](double x) { return (1.0 - std::pow(x, -1.5)) / (1.0 - std::pow(100.0, -1.5)); };
  const double weibull_scale = 3.0 / std::tgamma(1.0 + 1.0 / 0.7);
  return {
      {"constant", Distribution::constant(7.5), "09552ff5c6dd7cf22ab36e2fedb8191d", {}},
      {"uniform", Distribution::uniform(-1, 3), "e6e13e56aaa86413ee658e51f007d312",
       [](double x) { return (x + 1.0) / 4.0; }},
      {"bernoulli", Distribution::bernoulli(0.25), "2eff4eab51247a06408a017d82d93b30", {}},
      {"exponential", Distribution::exponential(2), "496230d5705c4c2cc84ee92bf1fc05ef",
       [](double x) { return 1.0 - std::exp(-x / 2.0); }},
      {"erlang", Distribution::erlang(3, 6), "2b7f2a2ef1b8ec9605dad6a2aca56a0e",
       [](double x) { return 1.0 - std::exp(-x / 2.0) * (1.0 + x / 2.0 + x * x / 8.0); }},
      {"hyperexponential", Distribution::hyperexponential(1, 2), "13eed5b5defd5b4e5de9d7a7cebf1104",
       [](double x) {
         const double p = 0.5 * (1.0 + std::sqrt(3.0 / 5.0));
         return 1.0 - p * std::exp(-2.0 * p * x) - (1.0 - p) * std::exp(-2.0 * (1.0 - p) * x);
       }},
      {"hyperexponential_phases", Distribution::hyperexponential_phases(0.9, 1, 20),
       "853f05e8b88c6f8baefbb1438a90a0e4",
       [](double x) { return 1.0 - 0.9 * std::exp(-x) - 0.1 * std::exp(-x / 20.0); }},
      {"normal", Distribution::normal(10, 3), "6688f8c9d2d0ce1efec1a26031e43124",
       [](double x) { return phi((x - 10.0) / 3.0); }},
      {"normal truncated", Distribution::normal(1, 2, true), "79175c162ab8d5a8a63c3ecd966a77d8",
       [](double x) { return (phi((x - 1.0) / 2.0) - phi(-0.5)) / (1.0 - phi(-0.5)); }},
      {"lognormal", Distribution::lognormal(5, 0.5), "5690b5f0d810fe5c8cf5a9cc09de1944",
       lognormal_cdf(5, 0.5)},
      {"pareto_bounded", Distribution::pareto_bounded(1.5, 1, 100), "1249ed3257316e042f1c71b67a0b87a6",
       pareto},
      {"weibull", Distribution::weibull(0.7, 3), "c495e8a24ab7ec45e7434d83be6753d6",
       [=](double x) { return 1.0 - std::exp(-std::pow(x / weibull_scale, 0.7)); }},
      {"zipf", Distribution::zipf(10000, 1.1), "347969dd836e1298c170bf5ea104a642", {}},
      {"empirical", Distribution::empirical({1, 10, 100}, {5, 3, 2}), "3e75df973d3b00ea9cb192293cc2511d", {}},
      {"schedule", Distribution::schedule({3, 1, 4, 1, 5}), "68292b61de4c4bb74b8d9ac8e5eb5c43", {}},
  };
}

std::vector<double> draws(const Distribution& distribution, int count, const char* name = "fit") {
  Stream stream(42, name);
  std::vector<double> out;
  for (int i = 0; i < count; ++i) out.push_back(distribution.sample(stream));
  return out;
}

std::string error_of(const std::function<void()>& make) {
  try {
    make();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("every distribution draws the recorded bits") {
  for (const Row& row : rows()) {
    Stream stream(1, "golden");
    sim::Digest digest;
    for (int i = 0; i < 10000; ++i) {
      digest.add(std::bit_cast<std::uint64_t>(row.distribution.sample(stream)));
    }
    CAPTURE(row.label);
    CHECK(digest.hex() == row.golden);
  }
}

TEST_CASE("every continuous distribution fits its distribution function") {
  for (const Row& row : rows()) {
    if (!row.cdf) continue;
    CAPTURE(row.label);
    CHECK(fit::kolmogorov(draws(row.distribution, 30000), row.cdf) < fit::kKolmogorovLimit);
  }
}

TEST_CASE("the fit test would notice values 4 % too large") {
  for (const Row& row : rows()) {
    if (!row.cdf || row.label == "hyperexponential_phases") continue;
    CAPTURE(row.label);
    const auto wrong = [&](double x) { return row.cdf(x * 1.04); };
    CHECK(fit::kolmogorov(draws(row.distribution, 30000), wrong) > fit::kKolmogorovLimit);
  }
}

TEST_CASE("every distribution has the mean and variance it states") {
  for (const Row& row : rows()) {
    const std::vector<double> x = draws(row.distribution, 400000, "moments");
    double mean = 0.0;
    for (const double v : x) mean += v / static_cast<double>(x.size());
    double variance = 0.0;
    for (const double v : x) variance += (v - mean) * (v - mean) / static_cast<double>(x.size());
    const double half_width = 4.5 * std::sqrt(row.distribution.variance() / static_cast<double>(x.size()));
    CAPTURE(row.label);
    CHECK(std::abs(mean - row.distribution.mean()) <= half_width + 1e-9);
    CHECK(variance == Approx(row.distribution.variance()).epsilon(0.08).margin(1e-9));
  }
}

TEST_CASE("coefficients of variation are as asked for") {
  CHECK(Distribution::exponential(3).cv() == Approx(1.0));
  CHECK(Distribution::erlang(4, 3).cv() == Approx(0.5));
  CHECK(Distribution::hyperexponential(3, 2.5).cv() == Approx(2.5));
  CHECK(Distribution::hyperexponential(3, 1).cv() == Approx(1.0));
  CHECK(Distribution::lognormal(3, 0.3).cv() == Approx(0.3));
  CHECK(Distribution::constant(3).cv() == 0.0);
  CHECK(Distribution::constant(0).cv() == 0.0);
  CHECK(Distribution::weibull(1, 3).cv() == Approx(1.0));
}

TEST_CASE("only a constant says that it is one") {
  for (const Row& row : rows()) CHECK(row.distribution.is_constant() == (row.label == "constant"));
}

TEST_CASE("degenerate parameters give their only value") {
  Stream stream(1, "degenerate");
  CHECK(Distribution::uniform(4, 4).sample(stream) == 4.0);
  CHECK(Distribution::normal(4, 0).sample(stream) == 4.0);
  CHECK(Distribution::normal(4, 0, true).mean() == 4.0);
  CHECK(Distribution::lognormal(4, 0).sample(stream) == Approx(4.0).epsilon(1e-14));
  CHECK(Distribution::zipf(1, 1.1).sample(stream) == 0.0);
  CHECK(Distribution::empirical({4}).sample(stream) == 4.0);
}

TEST_CASE("a bounded Pareto stays within its bounds and a truncated normal above 0") {
  for (const double x : draws(Distribution::pareto_bounded(0.5, 2, 50), 50000))
    REQUIRE((x >= 2.0 && x <= 50.0));
  for (const double x : draws(Distribution::normal(0, 5, true), 50000)) REQUIRE(x >= 0.0);
}

TEST_CASE("Zipf ranks have their probabilities, alone at the head and in groups along the tail") {
  for (const double exponent : {0.0, 0.8, 1.0, 1.1, 2.0}) {
    constexpr std::uint64_t n = 20000;
    constexpr int count = 1'000'000;
    const double total = sim::harmonic(n, exponent);
    std::vector<double> observed, expected;
    std::vector<std::size_t> cell_of(n);
    for (std::uint64_t rank = 1; rank <= n; ++rank) {
      const double share = std::pow(static_cast<double>(rank), -exponent) / total * count;
      if (expected.empty() || expected.back() >= 200.0) {
        expected.push_back(0.0);
        observed.push_back(0.0);
      }
      expected.back() += share;
      cell_of[rank - 1] = expected.size() - 1;
    }
    if (expected.back() < 5.0) {  // too few for a cell of its own
      for (std::size_t& cell : cell_of) cell = std::min(cell, expected.size() - 2);
      expected[expected.size() - 2] += expected.back();
      expected.pop_back();
      observed.pop_back();
    }
    const sim::ZipfTable zipf(n, exponent);
    Stream stream(5, "zipf");
    for (int i = 0; i < count; ++i) observed[cell_of[zipf.sample(stream)]] += 1.0;
    CAPTURE(exponent);
    CHECK(std::abs(fit::chi_square_score(observed, expected)) < fit::kChiSquareLimit);
  }
}

TEST_CASE("the Zipf test would notice a slightly wrong exponent") {
  const sim::ZipfTable zipf(1000, 1.12);
  std::vector<double> observed(100, 0.0), expected(100, 0.0);
  for (std::size_t r = 0; r < 1000; ++r)
    expected[std::min<std::size_t>(r, 99)] += std::pow(static_cast<double>(r + 1), -1.1);
  for (double& e : expected) e *= 200000.0 / sim::harmonic(1000, 1.1);
  Stream stream(5, "zipf");
  for (int i = 0; i < 200000; ++i) observed[std::min<std::size_t>(zipf.sample(stream), 99)] += 1.0;
  CHECK(fit::chi_square_score(observed, expected) > fit::kChiSquareLimit);
}

TEST_CASE("Zipf ranks of a very large set stay in range and keep their mean") {
  const Distribution zipf = Distribution::zipf(std::uint64_t{1} << 40, 1.5);
  Stream stream(9, "large");
  int first = 0;
  for (int i = 0; i < 200000; ++i) {
    const std::uint64_t rank = zipf.sample_count(stream);
    REQUIRE(rank < std::uint64_t{1} << 40);
    first += rank == 0 ? 1 : 0;
  }
  CHECK(first / 200000.0 == Approx(1.0 / 2.612375).epsilon(0.02));
}

TEST_CASE("empirical values come by weight, and a weight of 0 never") {
  std::vector<double> seen(4, 0.0);
  const Distribution d = Distribution::empirical({0, 1, 2, 3}, {1, 0, 2, 7});
  for (const double x : draws(d, 100000)) seen[static_cast<std::size_t>(x)] += 1.0;
  CHECK(seen[1] == 0.0);
  CHECK(std::abs(fit::chi_square_score({seen[0], seen[2], seen[3]}, {10000, 20000, 70000})) <
        fit::kChiSquareLimit);
}

TEST_CASE("a schedule goes through its values in order, by the stream's place") {
  const Distribution schedule = Distribution::schedule({3, 1, 4});
  CHECK(draws(schedule, 7) == std::vector<double>{3, 1, 4, 3, 1, 4, 3});
  Stream fifth = Stream::keyed({1, 2}, 0, 5);
  CHECK(schedule.sample(fifth) == 4.0);
  Stream other(1, "words");
  Stream untouched(1, "words");
  schedule.sample(other);
  CHECK(other.next() == untouched.next());
}

TEST_CASE("durations are nanoseconds, rounded to the nearest, never negative, never beyond the longest") {
  using std::chrono::nanoseconds;
  CHECK(Distribution::to_duration(1.49) == nanoseconds(1));
  CHECK(Distribution::to_duration(1.5) == nanoseconds(2));
  CHECK(Distribution::to_duration(2.5) == nanoseconds(3));
  CHECK(Distribution::to_duration(0.49999999999999994) == nanoseconds(0));
  CHECK(Distribution::to_duration(-5.0) == nanoseconds(0));
  CHECK(Distribution::to_duration(4503599627370497.5) == nanoseconds(4503599627370498));
  CHECK(Distribution::to_duration(1e300) == Distribution::kLongestDraw);
  CHECK(Distribution::to_duration(std::nan("")) == nanoseconds(0));
  Stream stream(1, "x");
  CHECK(Distribution::constant(2e6).sample_duration(stream) == std::chrono::milliseconds(2));
}

TEST_CASE("impossible parameters are refused by name") {
  const double nan = std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(error_of([] { Distribution::exponential(0); }) == "mean must be above 0 and finite, not 0");
  CHECK(error_of([] { Distribution::exponential(-3.5); }) == "mean must be above 0 and finite, not -3.5");
  CHECK(error_of([=] { Distribution::constant(nan); }) == "value must be a finite number, not nan");
  CHECK(error_of([=] { Distribution::lognormal(infinity, 1); }) ==
        "mean must be above 0 and finite, not inf");
  CHECK(error_of([] { Distribution::lognormal(1, -0.1); }) == "cv must be between 0 and 10000, not -0.1");
  CHECK(error_of([] { Distribution::uniform(3, 2); }) == "high must be at least low (3), not 2");
  CHECK(error_of([] { Distribution::bernoulli(1.5); }) == "p must be between 0 and 1, not 1.5");
  CHECK(error_of([] { Distribution::erlang(0, 1); }) == "k must be between 1 and 1000, not 0");
  CHECK(error_of([] { Distribution::hyperexponential(1, 0.5); }) ==
        "cv must be between 1 and 10000, not 0.5");
  CHECK(error_of([] { Distribution::hyperexponential(1, 1e200); }) ==
        "cv must be between 1 and 10000, not 1e+200");
  CHECK(error_of([] { Distribution::lognormal(1, 1e8); }) == "cv must be between 0 and 10000, not 1e+08");
  CHECK(error_of([] { Distribution::exponential(1e200); }) == "variance must be a finite number, not inf");
  CHECK(error_of([] { Distribution::hyperexponential_phases(0.5, 1, 0); }) ==
        "mean2 must be above 0 and finite, not 0");
  CHECK(error_of([] { Distribution::normal(1, -1); }) == "sd must be 0 or more and finite, not -1");
  CHECK(error_of([] { Distribution::normal(-1, 1, true); }) == "mean must be 0 or more and finite, not -1");
  CHECK(error_of([] { Distribution::pareto_bounded(1, 5, 5); }) == "high must be above low (5), not 5");
  CHECK(error_of([] { Distribution::weibull(0.05, 1); }) == "shape must be at least 0.1, not 0.05");
  CHECK(error_of([] { Distribution::zipf(0, 1); }) == "count must be between 1 and 2^40, not 0");
  CHECK(error_of([] { Distribution::zipf(10, -1); }) == "exponent must be between 0 and 20, not -1");
  CHECK(error_of([] { Distribution::empirical({}); }) == "values must not be empty");
  CHECK(error_of([] {
          Distribution::empirical({1, 2}, {1});
        }) == "weights must be as many as values (2), not 1");
  CHECK(error_of([] {
          Distribution::empirical({1, 2}, {0, 0});
        }) == "weights must be of a positive finite sum, not 0");
  CHECK(error_of([] { Distribution::schedule({}); }) == "values must not be empty");
}

TEST_CASE("the catalogue of distributions has a row for every name and says what each parameter is") {
  std::set<std::string_view> names;
  for (const sim::DistributionInfo& entry : sim::distribution_catalogue()) {
    CHECK(names.insert(entry.name).second);
    CHECK_FALSE(entry.doc.empty());
    CHECK_FALSE(entry.parameters.empty());
    for (const sim::ParameterInfo& p : entry.parameters) {
      CHECK_FALSE((p.name.empty() || p.unit.empty() || p.doc.empty()));
    }
  }
  for (const Row& row : rows()) CHECK(names.count(row.distribution.name()) == 1);
}
