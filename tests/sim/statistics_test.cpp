#include "sim/statistics.hpp"

#include <bit>
#include <cmath>

#include "sim/assert.hpp"
#include "sim/confidence.hpp"
#include "sim/random.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using sim::Time;

namespace {

Time at(sim::Duration since_start) {
  return Time{} + since_start;
}

}  // namespace

TEST_CASE("a counter counts, merges and gives a rate") {
  sim::Counter a, b;
  a.add();
  a.add(9);
  b.add(5);
  a.merge(b);
  CHECK(a.value() == 15);
  CHECK(a.rate(3s) == Approx(5.0));
  CHECK(a.rate(0s) == 0.0);
}

TEST_CASE("a time average weighs each level by how long it held") {
  sim::TimeAverage queue(at(1s), 2);
  queue.set(at(2s), 10);
  queue.add(at(4s), -9);
  CHECK(queue.mean(at(5s)) == Approx((2.0 + 20.0 + 1.0) / 4.0));
  CHECK(queue.integral(at(5s)) == 23'000'000'000);
  CHECK(queue.min() == 1);
  CHECK(queue.max() == 10);
  CHECK(queue.level() == 1);
}

TEST_CASE("a time average restarted after the warm-up keeps the level and forgets the rest") {
  sim::TimeAverage queue;
  queue.set(at(1s), 100);
  queue.set(at(2s), 4);
  queue.restart(at(10s));
  queue.set(at(11s), 0);
  CHECK(queue.mean(at(12s)) == Approx(2.0));
  CHECK(queue.max() == 4);
}

TEST_CASE("a time average over no time is the level") {
  const sim::TimeAverage queue(at(1s), 7);
  CHECK(queue.mean(at(1s)) == 7.0);
}

TEST_CASE("a time average stays exact over a day of nanosecond steps in a large level") {
  sim::TimeAverage bytes(Time{}, 4'000'000'000'000);
  bytes.set(at(1ns), 4'000'000'000'001);
  const sim::WideSum day = std::chrono::nanoseconds(24h).count();
  CHECK(bytes.integral(at(24h)) == day * 4'000'000'000'001 - 1);
}

TEST_CASE("a level set in the past is an assertion") {
  sim::TimeAverage queue;
  queue.set(at(2s), 1);
  CHECK_THROWS_AS(queue.set(at(1s), 1), sim::AssertionError);
  CHECK_THROWS_AS(queue.mean(at(1s)), sim::AssertionError);
  CHECK_THROWS_AS(queue.restart(at(1s)), sim::AssertionError);
}

TEST_CASE("mean and variance agree with the definition, also far from zero") {
  sim::MeanVariance near, far;
  for (const double x : {4.0, 7.0, 13.0, 16.0}) {
    near.add(x);
    far.add(x + 1e9);
  }
  CHECK(near.mean() == 10.0);
  CHECK(near.variance() == 30.0);
  CHECK(far.variance() == Approx(30.0).epsilon(1e-9));
  CHECK(near.standard_deviation() == Approx(std::sqrt(30.0)));
  CHECK(near.min() == 4.0);
  CHECK(near.max() == 16.0);
  CHECK(sim::MeanVariance{}.variance() == 0.0);
}

TEST_CASE("Student's quantiles agree with tables") {
  struct Row {
    double p, degrees, t;
  };
  constexpr Row rows[] = {
      {0.975, 1, 12.7062047361747},   {0.975, 2, 4.30265272974946}, {0.975, 4, 2.77644510519779},
      {0.975, 9, 2.2621571627982},    {0.975, 29, 2.0452296421327}, {0.975, 99, 1.98421695158642},
      {0.975, 999, 1.96234146113345}, {0.995, 5, 4.03214298355523}, {0.95, 10, 1.81246112281168},
      {0.9, 3, 1.63774435369621},     {0.025, 9, -2.2621571627982}, {0.9999999, 1, 3183098.86351325},
      {0.975, 1e6, 1.95996635681411},
  };
  for (const Row& row : rows) {
    CAPTURE(row.p, row.degrees);
    CHECK(sim::student_quantile(row.p, row.degrees) == Approx(row.t).epsilon(1e-9));
    CHECK(sim::student_cdf(row.t, row.degrees) == Approx(row.p).epsilon(1e-9));
  }
  CHECK(sim::student_quantile(0.5, 7) == Approx(0.0).margin(1e-12));
}

TEST_CASE("Student's quantile has the recorded bits") {
  CHECK(std::bit_cast<std::uint64_t>(sim::student_quantile(0.975, 29)) == 0x40005ca15bce2874);
}

TEST_CASE("a 95 % interval covers the mean 95 times in 100") {
  sim::Stream stream(3, "coverage");
  int covered = 0;
  for (int trial = 0; trial < 4000; ++trial) {
    sim::MeanVariance values;
    for (int i = 0; i < 5; ++i) values.add(stream.normal());
    covered += std::abs(values.mean()) <= sim::student_half_width(values) ? 1 : 0;
  }
  CHECK(std::abs(covered - 3800) < 60);
}

TEST_CASE("one value alone has an endless interval") {
  sim::MeanVariance one;
  one.add(1.0);
  CHECK(std::isinf(sim::student_half_width(one)));
  CHECK(sim::student_half_width(2.0, 4) == Approx(3.182446305284263 * 2.0 / 2.0).epsilon(1e-9));
}

TEST_CASE("quantiles outside 0 to 1 are assertions") {
  CHECK_THROWS_AS(sim::student_quantile(1.0, 3), sim::AssertionError);
  CHECK_THROWS_AS(sim::student_quantile(0.5, 0), sim::AssertionError);
}
