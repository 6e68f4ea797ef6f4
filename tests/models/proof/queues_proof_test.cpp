// The models are the queues they are built to be: M/M/1, M/D/1, M/G/1 and M/M/c agree with the closed forms.
#include <algorithm>
#include <cmath>
#include <map>

#include "models/theory/queues.hpp"
#include "tests/models/proof/agreement.hpp"
#include "tests/models/proof/queue_world.hpp"

using namespace proof;

namespace {

constexpr double kService = 1e-3;  // s, the mean everywhere

/// Everything that is compared, over all seeds. Thresholds in seconds.
struct Measured {
  Ratio wait, sojourn;
  std::map<double, Ratio> waits_longer, stays_longer;
};

Measured measure(const QueueModel& model, std::vector<double> waits = {}, std::vector<double> sojourns = {}) {
  Measured all;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    double count = 0, wait = 0, sojourn = 0;
    std::vector<double> wait_over(waits.size()), sojourn_over(sojourns.size());
    run_queue(model, static_cast<std::uint64_t>(seed), [&](const Customer& c) {
      const double w = 1e-9 * static_cast<double>(c.wait());
      const double t = 1e-9 * static_cast<double>(c.sojourn());
      ++count;
      wait += w;
      sojourn += t;
      for (std::size_t i = 0; i < waits.size(); ++i) wait_over[i] += w > waits[i] ? 1 : 0;
      for (std::size_t i = 0; i < sojourns.size(); ++i) sojourn_over[i] += t > sojourns[i] ? 1 : 0;
    });
    all.wait.add(wait, count);
    all.sojourn.add(sojourn, count);
    for (std::size_t i = 0; i < waits.size(); ++i) all.waits_longer[waits[i]].add(wait_over[i], count);
    for (std::size_t i = 0; i < sojourns.size(); ++i)
      all.stays_longer[sojourns[i]].add(sojourn_over[i], count);
  }
  return all;
}

}  // namespace

namespace {

QueueModel markovian(double utilisation, std::uint32_t servers, sim::Duration duration) {
  QueueModel model;
  model.arrivals_per_s = utilisation * servers / kService;
  model.service = sim::Distribution::exponential(1e9 * kService);
  model.servers = servers;
  model.duration = duration;
  return model;
}

/// A share of customers that stay longer than a time t agrees with theory when t is off by at most `width`,
/// seen through the density of the times at t.
void check_tail(const std::string& what, const Ratio& longer, double expected, double t, double density,
                double width) {
  INFO(what << " longer than " << t << ": simulated " << longer.value() << ", expected " << expected << ", z "
            << longer.z(expected) << ", half-width as a share of the time "
            << 100 * longer.half_width() / (density * t) << " %");
  CHECK(std::abs(longer.z(expected)) < kZ);
  CHECK(longer.half_width() / (density * t) <= width);
}

}  // namespace

TEST_CASE("M/M/1: mean wait and sojourn, and their quantiles, agree with the closed forms", "[proof]") {
  for (const auto& [utilisation, duration] :
       {std::pair{0.5, sim::Duration{60s}}, std::pair{0.8, sim::Duration{90s}}}) {
    const QueueModel model = markovian(utilisation, 1, duration);
    const double spare = 1 / kService - model.arrivals_per_s;
    std::vector<double> times;
    for (const double p : {0.5, 0.75, 0.9}) {
      times.push_back(theory::mm1_sojourn_quantile_s(model.arrivals_per_s, kService, p));
    }
    const Measured m = measure(model, times, times);
    const theory::Queue q = theory::mg1(model.arrivals_per_s, kService, 1);
    check_agrees("M/M/1 wait", m.wait, q.wait_s);
    check_agrees("M/M/1 sojourn", m.sojourn, q.sojourn_s);
    for (const double t : times) {
      const double stays = std::exp(-spare * t);
      const double waits = theory::mmc_wait_tail(model.arrivals_per_s, kService, 1, t);
      check_tail("M/M/1 sojourn", m.stays_longer.at(t), stays, t, spare * stays, kWidth);
      check_tail("M/M/1 wait", m.waits_longer.at(t), waits, t, spare * waits, kWidth);
    }
  }
}

TEST_CASE("M/D/1: mean wait and sojourn, and how long who waits, agree with the closed forms", "[proof]") {
  QueueModel model;
  model.arrivals_per_s = 0.7 / kService;
  model.service = sim::Distribution::constant(1e9 * kService);
  model.duration = 40s;
  const std::vector<double> times{kService, 2 * kService, 3 * kService};
  const Measured m = measure(model, times);
  const theory::Queue q = theory::mg1(model.arrivals_per_s, kService, 0);
  check_agrees("M/D/1 wait", m.wait, q.wait_s);
  check_agrees("M/D/1 sojourn", m.sojourn, q.sojourn_s);
  for (const double t : times) {
    const double waits = theory::md1_wait_tail(model.arrivals_per_s, kService, t);
    const double dt = 1e-4 * t;
    const double density = (waits - theory::md1_wait_tail(model.arrivals_per_s, kService, t + dt)) / dt;
    check_tail("M/D/1 wait", m.waits_longer.at(t), waits, t, density, kWidth);
  }
}

TEST_CASE("M/G/1: the mean depends on the service time's mean and variance alone", "[proof]") {
  const double mean_ns = 1e9 * kService;
  for (const auto& [name, service] : {std::pair{"lognormal cv 1", sim::Distribution::lognormal(mean_ns, 1)},
                                      std::pair{"Erlang 4", sim::Distribution::erlang(4, mean_ns)}}) {
    QueueModel model;
    model.arrivals_per_s = 0.6 / kService;
    model.service = service;
    const Measured m = measure(model);
    const theory::Queue q = theory::mg1(model.arrivals_per_s, kService, service.cv());
    check_agrees(std::string("M/G/1 wait, ") + name, m.wait, q.wait_s);
    check_agrees(std::string("M/G/1 sojourn, ") + name, m.sojourn, q.sojourn_s);
  }
}

TEST_CASE("M/M/c: several hand-off threads agree with Erlang's formulas, means and tails", "[proof]") {
  const QueueModel model = markovian(0.75, 3, 32s);
  const std::vector<double> times{kService, 2 * kService, 3 * kService};
  const Measured m = measure(model, times, times);
  const theory::Queue q = theory::mmc(model.arrivals_per_s, kService, 3);
  check_agrees("M/M/3 wait", m.wait, q.wait_s);
  check_agrees("M/M/3 sojourn", m.sojourn, q.sojourn_s);
  for (const double t : times) {
    const auto waits = [&](double x) { return theory::mmc_wait_tail(model.arrivals_per_s, kService, 3, x); };
    const auto stays = [&](double x) {
      return theory::mmc_sojourn_tail(model.arrivals_per_s, kService, 3, x);
    };
    const double dt = 1e-4 * t;
    check_tail("M/M/3 wait", m.waits_longer.at(t), waits(t), t, (waits(t) - waits(t + dt)) / dt, kWidth);
    check_tail("M/M/3 sojourn", m.stays_longer.at(t), stays(t), t, (stays(t) - stays(t + dt)) / dt, kWidth);
  }
}

TEST_CASE("a closed form with a utilisation that is off by 2 % does not agree", "[proof]") {
  const Measured m = measure(markovian(0.8, 1, 30s));
  for (const double off : {0.98, 1.02}) {
    const theory::Queue q = theory::mg1(off * 0.8 / kService, kService, 1);
    INFO("off by " << off << ": z of the wait " << m.wait.z(q.wait_s) << ", of the sojourn "
                   << m.sojourn.z(q.sojourn_s));
    CHECK(std::abs(m.wait.z(q.wait_s)) > kZ);
    CHECK(std::abs(m.sojourn.z(q.sojourn_s)) > kZ);
  }
  // Nor does the wrong law of service times with the right mean.
  CHECK(std::abs(m.wait.z(theory::mg1(0.8 / kService, kService, 0.9).wait_s)) > kZ);
}

TEST_CASE(
    "customers begin when the server is free and they are there, within nanoseconds of Lindley's recursion",
    "[proof]") {
  QueueModel model = markovian(0.8, 1, 60s);
  model.warmup = 0s;
  std::int64_t free = 0, latest = 0;
  run_queue(model, 7, [&](const Customer& c) {
    const std::int64_t begin = c.finish - c.service;
    // The first customers arise before the group has its assignment.
    if (c.created > 1'000'000'000) latest = std::max(latest, begin - std::max(free, c.created));
    REQUIRE(begin >= std::max(free, c.created));
    free = c.finish;
  });
  INFO("latest begin: " << latest << " ns");
  CHECK(latest <= 5);
}

TEST_CASE("the size of a poll moves no customer", "[proof]") {
  QueueModel model = markovian(0.8, 1, 20s);
  const auto finishes = [&model](std::int32_t poll_records) {
    model.poll_records = poll_records;
    std::vector<std::int64_t> times;
    run_queue(model, 3, [&times](const Customer& c) { times.push_back(c.finish); });
    return times;
  };
  const auto one = finishes(1);
  const auto many = finishes(500);
  REQUIRE(one.size() == many.size());
  std::int64_t most = 0;
  for (std::size_t i = 0; i < one.size(); ++i) most = std::max(most, std::abs(one[i] - many[i]));
  INFO("most: " << most << " ns");
  CHECK(most <= 5);
}
