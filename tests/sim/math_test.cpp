#include "sim/math.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "sim/digest.hpp"
#include "sim/random.hpp"
#include "sim/zipf.hpp"
#include "tests/catch.hpp"

namespace {

struct Point {
  double x;
  double value;  // from 40-digit arithmetic, rounded once
};

/// Distance in units of the last place; both finite and of one sign.
double ulps(double a, double b) {
  const auto x = std::bit_cast<std::int64_t>(a);
  const auto y = std::bit_cast<std::int64_t>(b);
  return std::abs(static_cast<double>(x - y));
}

constexpr Point kLogs[] = {
    {0x0.012688b70e62bp-1022, -0x1.64e69394d9508p+9}, {0x1.0000000000000p-1022, -0x1.6232bdd7abcd2p+9},
    {0x1.999999999999ap-4, -0x1.26bb1bbb55515p+1},    {0x1.0000000000000p-1, -0x1.62e42fefa39efp-1},
    {0x1.6666666666666p-1, -0x1.6d3c324e13f50p-2},    {0x1.ff7ced916872bp-1, -0x1.064670d979b73p-10},
    {0x1.fffffca501acbp-1, -0x1.ad7f2b1049b9fp-24},   {0x1.000001ad7f29bp+0, 0x1.ad7f2847b6492p-24},
    {0x1.004189374bc6ap+0, 0x1.060354f8c3cc4p-10},    {0x1.4cccccccccccdp+0, 0x1.0ca937be1b9dcp-2},
    {0x1.0000000000000p+1, 0x1.62e42fefa39efp-1},     {0x1.8000000000000p+1, 0x1.193ea7aad030bp+0},
    {0x1.4000000000000p+3, 0x1.26bb1bbb55516p+1},     {0x1.86a0000000000p+16, 0x1.7069e2aa2aa5bp+3},
    {0x1.7e43c8800759cp+996, 0x1.5963447f87fb5p+9},
};

constexpr Point kExps[] = {
    {-0x1.7440000000000p+9, 0x0.0000000000001p-1022}, {-0x1.6800000000000p+9, 0x0.0000993b4dc95p-1022},
    {-0x1.5e20000000000p+9, 0x1.af5fe9a485c8ep-1011}, {-0x1.9000000000000p+6, 0x1.a8c1f14e2af5dp-145},
    {-0x1.4000000000000p+3, 0x1.7cd79b5647c9bp-15},   {-0x1.0000000000000p+0, 0x1.78b56362cef38p-2},
    {-0x1.999999999999ap-4, 0x1.cf46d99d52b3ap-1},    {-0x1.12e0be826d695p-30, 0x1.fffffff768fa1p-1},
    {0x1.19799812dea11p-40, 0x1.0000000001198p+0},    {0x1.0624dd2f1a9fcp-10, 0x1.0041919b7ee34p+0},
    {0x1.0000000000000p-1, 0x1.a61298e1e069cp+0},     {0x1.0000000000000p+0, 0x1.5bf0a8b145769p+1},
    {0x1.4000000000000p+1, 0x1.85d6fd931e0bbp+3},     {0x1.4000000000000p+3, 0x1.5829dcf950560p+14},
    {0x1.9000000000000p+6, 0x1.3494a9b171bf5p+144},   {0x1.f420000000000p+8, 0x1.7118e7d39646dp+721},
    {0x1.62e0000000000p+9, 0x1.ef85a11e73f2dp+1023},
};

}  // namespace

TEST_CASE("log agrees with 40-digit arithmetic to 2 units in the last place") {
  for (const Point& p : kLogs) {
    CAPTURE(p.x);
    CHECK(ulps(sim::math::log(p.x), p.value) <= 2.0);
  }
}

TEST_CASE("exp agrees with 40-digit arithmetic to 2 units in the last place") {
  for (const Point& p : kExps) {
    CAPTURE(p.x);
    CHECK(ulps(sim::math::exp(p.x), p.value) <= 2.0);
  }
}

TEST_CASE("log and exp stay within 3 units of libm on random arguments, and their bits never change") {
  sim::Stream stream(1, "arguments");
  sim::Digest bits;
  double worst_log = 0.0;
  double worst_exp = 0.0;
  for (int i = 0; i < 200000; ++i) {
    const double near_one = 0.5 + 1.5 * stream.uniform();
    const double anywhere = std::bit_cast<double>((stream.next() >> 2) + 0x0010000000000000ULL);
    const double exponent = (stream.uniform() - 0.5) * (i % 2 == 0 ? 2.0 : 1400.0);
    worst_log = std::max(worst_log, ulps(sim::math::log(near_one), std::log(near_one)));
    worst_log = std::max(worst_log, ulps(sim::math::log(anywhere), std::log(anywhere)));
    worst_exp = std::max(worst_exp, ulps(sim::math::exp(exponent), std::exp(exponent)));
    bits.add(std::bit_cast<std::uint64_t>(sim::math::log(near_one)));
    bits.add(std::bit_cast<std::uint64_t>(sim::math::log(anywhere)));
    bits.add(std::bit_cast<std::uint64_t>(sim::math::exp(exponent)));
  }
  CHECK(worst_log <= 3.0);
  CHECK(worst_exp <= 3.0);
  CHECK(bits.hex() == "3eed5fa0a536c98fffca2d2b464c322a");
}

TEST_CASE("log and exp answer at the ends of their range") {
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(sim::math::log(0.0) == -infinity);
  CHECK(sim::math::log(infinity) == infinity);
  CHECK(std::isnan(sim::math::log(-1.0)));
  CHECK(std::isnan(sim::math::log(std::nan(""))));
  CHECK(sim::math::log(1.0) == 0.0);
  CHECK(sim::math::exp(0.0) == 1.0);
  CHECK(sim::math::exp(-infinity) == 0.0);
  CHECK(sim::math::exp(infinity) == infinity);
  CHECK(sim::math::exp(710.0) == infinity);
  CHECK(sim::math::exp(-746.0) == 0.0);
  CHECK(std::isnan(sim::math::exp(std::nan(""))));
  CHECK(sim::math::exp(-708.5) == Approx(std::exp(-708.5)).epsilon(1e-12));
}

TEST_CASE("pow is exp of y log x, with its corners") {
  CHECK(sim::math::pow(0.0, 0.0) == 1.0);
  CHECK(sim::math::pow(0.0, 2.0) == 0.0);
  CHECK(sim::math::pow(0.0, -2.0) == std::numeric_limits<double>::infinity());
  CHECK(sim::math::pow(2.0, 10.0) == Approx(1024.0).epsilon(1e-14));
  CHECK(sim::math::pow(10000.0, -1.1) == Approx(std::pow(10000.0, -1.1)).epsilon(1e-13));
}

TEST_CASE("the logarithm of gamma agrees with reference values") {
  constexpr Point points[] = {
      {0.01, 4.5994798780420219},
      {0.5, 0.57236494292470008},
      {1, 0},
      {1.5, -0.12078223763524522},
      {2, 0},
      {3.7, 1.4280723266653881},
      {10, 12.801827480081469},
      {15.9, 27.625493215168692},
      {16.5, 29.277754515040815},
      {100, 359.1342053695754},
      {1000, 5905.2204232091808},
  };
  for (const Point& p : points) {
    CAPTURE(p.x);
    CHECK(std::abs(sim::math::log_gamma(p.x) - p.value) <= 2e-14 * std::max(1.0, std::abs(p.value)));
  }
}

TEST_CASE("the normal distribution agrees with reference values in both tails") {
  constexpr Point points[] = {
      {-37, 5.7255712225245e-300},   {-10, 7.6198530241605255e-24},
      {-5, 2.8665157187919391e-07},  {-3.1, 0.00096760321321835664},
      {-2.9, 0.0018658133003840384}, {-1, 0.15865525393145705},
      {-0.1, 0.46017216272297101},   {0, 0.5},
      {0.3, 0.61791142218895267},    {1.96, 0.97500210485177952},
      {3.5, 0.99976737092096446},    {8, 0.99999999999999933},
  };
  for (const Point& p : points) {
    CAPTURE(p.x);
    CHECK(sim::math::normal_cdf(p.x) == Approx(p.value).epsilon(2e-13).margin(0));
  }
}

TEST_CASE("the incomplete beta function agrees with reference values") {
  CHECK(sim::math::incomplete_beta(0.5, 0.5, 0.3) == Approx(0.36901011956554536).epsilon(1e-12));
  CHECK(sim::math::incomplete_beta(2, 3, 0.4) == Approx(0.5248).epsilon(1e-12));
  CHECK(sim::math::incomplete_beta(10, 0.5, 0.9) == Approx(0.15164090963470997).epsilon(1e-12));
  CHECK(sim::math::incomplete_beta(500, 0.5, 0.99) == Approx(0.0015273578790529891).epsilon(1e-11));
  CHECK(sim::math::incomplete_beta(0.5, 20, 0.01) == Approx(0.47136993548501555).epsilon(1e-12));
  CHECK(sim::math::incomplete_beta(2, 3, 0.0) == 0.0);
  CHECK(sim::math::incomplete_beta(2, 3, 1.0) == 1.0);
}

TEST_CASE("the integral of a power does not cancel near power -1") {
  CHECK(sim::math::power_integral(2.0, 1.0, 3.0) == Approx(26.0 / 3.0).epsilon(1e-13));
  CHECK(sim::math::power_integral(-1.0, 2.0, 5.0) == Approx(std::log(2.5)).epsilon(1e-14));
  CHECK(sim::math::power_integral(-1.0 + 1e-9, 1.0, 10.0) == Approx(std::log(10.0)).epsilon(2e-9));
}

TEST_CASE("generalised harmonic numbers agree with reference values") {
  CHECK(sim::harmonic(10, 1.0) == Approx(2.928968253968254).epsilon(1e-13));
  CHECK(sim::harmonic(100, 1.1) == Approx(4.278024023158371).epsilon(1e-13));
  CHECK(sim::harmonic(10000, 1.1) == Approx(6.603396664409432).epsilon(1e-13));
  CHECK(sim::harmonic(1000000, 0.9) == Approx(30.38060502648302).epsilon(1e-12));
  CHECK(sim::harmonic(1000000, 1.0) == Approx(14.39272672286572).epsilon(1e-13));
  CHECK(sim::harmonic(1000000000, 1.2) == Approx(5.51233778156262).epsilon(1e-12));
  CHECK(sim::harmonic(1000, -1.0) == Approx(500500).epsilon(1e-13));
  CHECK(sim::harmonic(1000, 0.0) == Approx(1000).epsilon(1e-13));
  CHECK(sim::harmonic(5000, 2.5) == Approx(1.341485371915653).epsilon(1e-13));
}
