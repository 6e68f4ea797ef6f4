#include "models/theory/queues.hpp"

#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "models/theory/batching.hpp"
#include "models/theory/markov_chain.hpp"
#include "tests/catch.hpp"

using namespace theory;

TEST_CASE("M/M/1 and M/D/1 have their textbook values") {
  CHECK(mg1(0.5, 1, 1).sojourn_s == Approx(2));
  CHECK(mg1(0.9, 1, 1).sojourn_s == Approx(10));
  CHECK(mg1(0.9, 1, 0).wait_s == Approx(4.5));
  CHECK(mm1_sojourn_quantile_s(0.5, 1, 0.5) == Approx(1.3862943611));
}

TEST_CASE("M/M/c with one server is M/M/1 and Erlang C has its tabulated value") {
  CHECK(mmc(0.7, 1, 1).sojourn_s == Approx(mg1(0.7, 1, 1).sojourn_s));
  CHECK(erlang_c(2, 3) == Approx(4.0 / 9.0));
}

TEST_CASE("tails begin with who waits at all, and their integral is the mean") {
  CHECK(mmc_wait_tail(2, 1, 3, 0) == Approx(erlang_c(2, 3)));
  CHECK(mmc_sojourn_tail(2, 1, 3, 0) == Approx(1));
  CHECK(md1_wait_tail(0.8, 1, 0) == Approx(0.8));
  const auto integral = [](auto tail, double to) {
    double sum = 0;
    for (double t = 0.005; t < to; t += 0.01) sum += 0.01 * tail(t);
    return sum;
  };
  for (const double rate : {1.7, 2.0, 2.5}) {  // at 2.0 both rates are 1
    CHECK(integral([&](double t) { return mmc_wait_tail(rate, 1, 3, t); }, 60) ==
          Approx(mmc(rate, 1, 3).wait_s));
    CHECK(integral([&](double t) { return mmc_sojourn_tail(rate, 1, 3, t); }, 60) ==
          Approx(mmc(rate, 1, 3).sojourn_s));
  }
  CHECK(integral([](double t) { return md1_wait_tail(0.6, 1, t); }, 14) ==
        Approx(mg1(0.6, 1, 0).wait_s).epsilon(1e-4));
}

TEST_CASE("priorities: one class is M/G/1, and Kleinrock's conservation law holds for more") {
  CHECK(priority_waits_s({0.8}, 1, 0.5)[0] == Approx(mg1(0.8, 1, 0.5).wait_s));
  const std::vector<double> rates{0.2, 0.1, 0.5};
  const std::vector<double> waits = priority_waits_s(rates, 1, 1);
  double sum = 0;
  for (std::size_t k = 0; k < rates.size(); ++k) sum += rates[k] * waits[k];
  CHECK(sum == Approx(0.8 * mg1(0.8, 1, 1).wait_s));
  CHECK(waits[0] < waits[1]);
  CHECK(waits[1] < waits[2]);
  CHECK_THROWS(priority_waits_s({0.5, 0.6}, 1, 1));
}

TEST_CASE("impatience: without patience it is Erlang's loss system, with all of it M/M/c") {
  CHECK(mmc_patience(2, 1, 3, 0).gave_up == Approx(mmck(2, 1, 3, 3).refused));
  CHECK(mmc_patience(2, 1, 3, 1000).wait_s == Approx(mmc(2, 1, 3).wait_s));
  CHECK(mmc_patience(2, 1, 3, 1000).gave_up == Approx(0).margin(1e-12));
  // What comes in is served or gives up, under any load; at the load of 1 nothing special happens.
  for (const double rate : {1.5, 2.999999, 3.0, 4.5}) {
    const Impatient q = mmc_patience(rate, 1, 3, 0.7);
    CHECK(rate * (1 - q.gave_up) == Approx(q.busy));
  }
  CHECK(mmc_patience(3, 1, 3, 0.7).wait_s == Approx(mmc_patience(3.0001, 1, 3, 0.7).wait_s).epsilon(1e-3));
}

TEST_CASE(
    "retrial: with room for all nobody is refused, and who calls at once again is let in when there is "
    "room") {
  const RetrialQueue open = finite_retrial(3, 1, 0.5, 1e-3, 8);
  CHECK(open.refused == Approx(0).margin(1e-9));
  CHECK(open.admitted_per_s == Approx(3 / (1 + 0.5 + 0.5)).epsilon(1e-6));
  // What is let in is served at a rate of 1 while anybody is there: never more than that.
  const RetrialQueue busy = finite_retrial(4, 1e-2, 1e-2, 1, 1);
  CHECK(busy.admitted_per_s < 1);
  CHECK(busy.admitted_per_s == Approx(busy.in_system));
}

TEST_CASE("an unstable queue is refused") {
  CHECK_THROWS(mg1(1, 1, 1));
  CHECK_THROWS(mmc(3, 1, 3));
}

TEST_CASE("a Markov chain of M/M/1/K has the geometric steady state") {
  const BoundedQueue q = mmck(1, 0.5, 1, 3);
  const double total = 1 + 0.5 + 0.25 + 0.125;
  CHECK(q.refused == Approx(0.125 / total));
  CHECK(q.in_system == Approx((0.5 + 2 * 0.25 + 3 * 0.125) / total));
}

TEST_CASE("M/M/c/K with a large K is M/M/c") {
  CHECK(mmck(2, 1, 3, 200).sojourn_s == Approx(mmc(2, 1, 3).sojourn_s));
}

TEST_CASE("members that fail and are replaced are binomial") {
  const std::vector<double> p = members_at_work(3, 0.1, 5);  // each at work with probability 10 / (10 + 5)
  CHECK(p[3] == Approx(8.0 / 27));
  CHECK(std::accumulate(p.begin(), p.end(), 0.0) == Approx(1));
}

TEST_CASE("the transient state starts where it starts and ends in the steady state") {
  MarkovChain chain(2);
  chain.add(0, 1, 2);
  chain.add(1, 0, 1);
  const auto begin = chain.transient({1, 0}, 0);
  CHECK(begin[0] == Approx(1));
  const auto later = chain.transient({1, 0}, 0.5);
  CHECK(later[0] == Approx(1.0 / 3 + 2.0 / 3 * std::exp(-1.5)));
  const auto end = chain.transient({1, 0}, 100);
  CHECK(end[0] == Approx(chain.steady_state()[0]));
}

TEST_CASE("M/M/1/K from empty fills as the Kolmogorov equations say, solved by Runge and Kutta's steps") {
  constexpr std::size_t kCapacity = 5;
  constexpr double kArrivals = 0.8, kServices = 1.0, kStep = 1e-3;  // per s; s
  using State = std::array<double, kCapacity + 1>;
  const auto flow = [](const State& p) {
    State change{};
    for (std::size_t n = 0; n < kCapacity; ++n) {
      const double up = kArrivals * p[n] - kServices * p[n + 1];
      change[n] -= up;
      change[n + 1] += up;
    }
    return change;
  };
  const auto plus = [](State p, double factor, const State& change) {
    for (std::size_t n = 0; n <= kCapacity; ++n) p[n] += factor * change[n];
    return p;
  };
  MarkovChain chain(kCapacity + 1);
  for (std::size_t n = 0; n < kCapacity; ++n) {
    chain.add(n, n + 1, kArrivals);
    chain.add(n + 1, n, kServices);
  }
  State p{1};
  for (int step = 1; step <= 20'000; ++step) {
    const State a = flow(p), b = flow(plus(p, kStep / 2, a)), c = flow(plus(p, kStep / 2, b)),
                d = flow(plus(p, kStep, c));
    p = plus(plus(plus(plus(p, kStep / 6, a), kStep / 3, b), kStep / 3, c), kStep / 6, d);
    if (step != 300 && step != 2'000 && step != 20'000) continue;
    const std::vector<double> state = chain.transient({1, 0, 0, 0, 0, 0}, step * kStep);
    const std::vector<double> slower = chain.transient({1, 0, 0, 0, 0, 0}, (step - 1) * kStep);
    for (std::size_t n = 0; n <= kCapacity; ++n) {
      INFO("at " << step * kStep << " s, " << n << " in the system");
      CHECK(std::abs(state[n] - p[n]) < 1e-10);
      if (step <= 2'000) CHECK(std::abs(slower[n] - p[n]) > 1e-10);  // what the comparison would notice
    }
  }
  for (std::size_t n = 0; n <= kCapacity; ++n) CHECK(p[n] != Approx(chain.steady_state()[n]).epsilon(1e-6));
}

TEST_CASE("a chain of two separate parts has no unique steady state") {
  MarkovChain chain(3);
  chain.add(0, 1, 1);
  chain.add(1, 0, 1);
  CHECK_THROWS(chain.steady_state());
  CHECK_THROWS(chain.add(0, 3, 1));
}

TEST_CASE("linger batching has the values of the table") {
  struct Row {
    double rate, full, size, delay_ms, linger_ms;
  };
  for (const Row& row : {Row{100, 0.0000, 1.500, 5.000, 4.167}, Row{1000, 0.0002, 6.000, 5.000, 2.916},
                         Row{20000, 1.0000, 16.000, 0.750, 0.375}}) {
    const Batching b = batching(row.rate, 0.005, 16);
    INFO(row.rate);
    CHECK(b.full == Approx(row.full).margin(6e-5));
    CHECK(b.size == Approx(row.size).margin(6e-4));
    CHECK(b.batch_delay_s * 1e3 == Approx(row.delay_ms).margin(6e-4));
    CHECK(b.record_linger_s * 1e3 == Approx(row.linger_ms).margin(6e-4));
  }
}
