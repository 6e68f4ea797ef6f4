#include "sim/arrivals.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "sim/digest.hpp"
#include "tests/catch.hpp"
#include "tests/sim/fit.hpp"

using namespace std::chrono_literals;
using sim::ArrivalProcess;
using sim::Stream;
using sim::Time;

namespace {

std::vector<Time> arrivals(ArrivalProcess process, std::size_t count, std::uint64_t seed = 1) {
  Stream stream(seed, "arrivals");
  std::vector<Time> out(count);
  Time state{};
  out.resize(process.fill(state, stream, out));
  return out;
}

std::size_t arrivals_before(ArrivalProcess process, Time end, std::uint64_t seed = 1) {
  Stream stream(seed, "arrivals");
  std::size_t count = 0;
  for (Time t = process.next(Time{}, stream); t < end; t = process.next(t, stream)) ++count;
  return count;
}

Time at(sim::Duration since_start) {
  return Time{} + since_start;
}

std::vector<std::pair<const char*, ArrivalProcess>> processes() {
  return {
      {"f89082a3b514fac6a4e7d5f71e8730c9", ArrivalProcess::poisson(2000)},
      {"27af9a1dc917c556edb5b854cfbf4773", ArrivalProcess::constant(3)},
      {"88ca730a83933efd3dd7f8bff94846a5", ArrivalProcess::on_off(1000, 50, 100ms, 300ms)},
      {"cb84f78e2caa818c0c57d584ab687a03", ArrivalProcess::profile({{0s, 0}, {10s, 100}, {20s, 0}}, true)},
      {"6530a472fc9b06f5f60281e8258cdf3d", ArrivalProcess::renewal(sim::Distribution::lognormal(1e6, 0.5))},
      {"c25e475301ef08dbe8fca6286def3e95", ArrivalProcess::replay({at(1s), at(1s), at(5s)})},
  };
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

TEST_CASE("every arrival process gives the recorded times") {
  for (const auto& [golden, process] : processes()) {
    sim::Digest digest;
    for (const Time t : arrivals(process, 10000)) digest.add(static_cast<std::uint64_t>(sim::nanoseconds(t)));
    CAPTURE(process.name());
    CHECK(digest.hex() == golden);
  }
}

TEST_CASE("a filled block is the same as one arrival at a time, and times never decrease") {
  for (const auto& [golden, process] : processes()) {
    const std::vector<Time> block = arrivals(process, 5000);
    ArrivalProcess single = process;
    Stream stream(1, "arrivals");
    Time t{};
    for (const Time expected : block) {
      const Time next = single.next(t, stream);
      REQUIRE(next == expected);
      REQUIRE(next >= t);
      t = next;
    }
  }
}

TEST_CASE("a copy of a process goes on by itself") {
  ArrivalProcess original = ArrivalProcess::replay({at(1s), at(2s), at(3s)});
  Stream stream(1, "x");
  original.next(Time{}, stream);
  ArrivalProcess copy = original;
  CHECK(original.next(at(1s), stream) == at(2s));
  CHECK(copy.next(at(1s), stream) == at(2s));
}

TEST_CASE("Poisson gaps are exponential at the given rate") {
  const std::vector<Time> times = arrivals(ArrivalProcess::poisson(1000), 50000);
  std::vector<double> gaps;
  Time before{};
  for (const Time t : times) {
    gaps.push_back(sim::seconds(t - before) * 1000.0);
    before = t;
  }
  CHECK(fit::kolmogorov(gaps, [](double x) { return 1.0 - std::exp(-x); }) < fit::kKolmogorovLimit);
  CHECK(fit::kolmogorov(gaps, [](double x) { return 1.0 - std::exp(-1.04 * x); }) > fit::kKolmogorovLimit);
}

TEST_CASE("rounding to nanoseconds does not change the rate, even at 3 arrivals a nanosecond") {
  const std::vector<Time> poisson = arrivals(ArrivalProcess::poisson(3e9), 300000);
  CHECK(static_cast<double>(sim::nanoseconds(poisson.back())) == Approx(100000.0).epsilon(0.01));
  const std::vector<Time> constant = arrivals(ArrivalProcess::constant(3e9), 300000);
  CHECK(std::abs(static_cast<double>(sim::nanoseconds(constant.back())) - 100000.0) <= 1.0);
}

TEST_CASE("a constant rate of 3 per second keeps to thirds of a second for ever") {
  const std::vector<Time> times = arrivals(ArrivalProcess::constant(3), 30000);
  CHECK(times[0] == at(333333333ns));
  CHECK(std::abs((times[2] - at(1s)).count()) <= 1);
  CHECK(std::abs((times[29999] - at(10000s)).count()) <= 1);
}

TEST_CASE("an on-off process keeps its long-run rate and comes in bursts") {
  const ArrivalProcess process = ArrivalProcess::on_off(1000, 0, 100ms, 300ms);
  CHECK(process.mean_rate() == Approx(250.0));
  CHECK(static_cast<double>(arrivals_before(process, at(4000s))) == Approx(1e6).epsilon(0.03));
  // Index of dispersion of counts: 1 for Poisson, far more for bursts.
  std::vector<double> counts(4000, 0.0);
  for (const Time t : arrivals(process, 800000)) {
    const auto second = static_cast<std::size_t>(sim::seconds(t));
    if (second < counts.size()) counts[second] += 1.0;
  }
  double mean = 0.0, variance = 0.0;
  for (std::size_t i = 0; i < 3000; ++i) mean += counts[i] / 3000.0;
  for (std::size_t i = 0; i < 3000; ++i) variance += (counts[i] - mean) * (counts[i] - mean) / 3000.0;
  CHECK(variance / mean > 20.0);
}

TEST_CASE("an on-off process with equal rates is Poisson") {
  std::vector<double> gaps;
  Time before{};
  for (const Time t : arrivals(ArrivalProcess::on_off(1000, 1000, 3ms, 5ms), 50000)) {
    gaps.push_back(sim::seconds(t - before) * 1000.0);
    before = t;
  }
  CHECK(fit::kolmogorov(gaps, [](double x) { return 1.0 - std::exp(-x); }) < fit::kKolmogorovLimit);
}

TEST_CASE("the first phase of an on-off process is drawn by the phases' shares") {
  int early = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    early += arrivals(ArrivalProcess::on_off(1e6, 0, 100s, 300s), 1, seed)[0] < at(1ms) ? 1 : 0;
  }
  CHECK(std::abs(early - 100) < 35);
}

TEST_CASE("a rate profile follows its corners") {
  const ArrivalProcess ramp = ArrivalProcess::profile({{0s, 0}, {100s, 1000}});
  CHECK(ramp.mean_rate() == Approx(500.0));
  std::vector<double> places;
  for (const Time t : arrivals(ramp, 45000)) {
    if (t < at(90s)) places.push_back(sim::seconds(t) / 90.0);
  }
  CHECK(static_cast<double>(places.size()) == Approx(40500.0).epsilon(0.025));
  CHECK(fit::kolmogorov(places, [](double x) { return x * x; }) < fit::kKolmogorovLimit);
  CHECK(fit::kolmogorov(places, [](double x) { return x; }) > fit::kKolmogorovLimit);
  // After the last corner the rate stays.
  const std::size_t later = arrivals_before(ramp, at(200s)) - arrivals_before(ramp, at(100s));
  CHECK(static_cast<double>(later) == Approx(1e5).epsilon(0.02));
}

TEST_CASE("a profile that ends at rate 0 ends") {
  const ArrivalProcess process = ArrivalProcess::profile({{1s, 1000}, {2s, 1000}, {3s, 0}});
  const std::vector<Time> times = arrivals(process, 100000);
  // From 0: the first rate holds before its corner.
  CHECK(static_cast<double>(times.size()) == Approx(2500.0).epsilon(0.1));
  CHECK(times.back() < at(3s));
  Stream stream(1, "x");
  ArrivalProcess again = process;
  CHECK(again.next(at(3s), stream) == sim::kNever);
}

TEST_CASE("a repeated profile starts again at its last corner and skips what is empty") {
  const ArrivalProcess process = ArrivalProcess::profile({{0s, 0}, {9s, 0}, {10s, 2}}, true);
  CHECK(process.mean_rate() == Approx(0.1));
  const std::vector<Time> times = arrivals(process, 20000);
  CHECK(sim::seconds(times.back()) == Approx(200000.0).epsilon(0.03));
  for (const Time t : times) REQUIRE(std::fmod(sim::seconds(t), 10.0) >= 8.999999);
}

TEST_CASE("a replay gives its times, equal ones too, leaves out what is before the start, and ends") {
  Stream stream(1, "x");
  ArrivalProcess process = ArrivalProcess::replay({at(1s), at(2s), at(2s), at(4s)});
  Time t = process.next(at(1500ms), stream);
  CHECK(t == at(2s));
  t = process.next(t, stream);
  CHECK(t == at(2s));
  t = process.next(t, stream);
  CHECK(t == at(4s));
  CHECK(process.next(t, stream) == sim::kNever);
  CHECK(process.next(sim::kNever, stream) == sim::kNever);
  CHECK(arrivals(ArrivalProcess::replay({}), 10).empty());
}

TEST_CASE("a renewal process takes its gaps from a distribution") {
  const ArrivalProcess process = ArrivalProcess::renewal(sim::Distribution::erlang(4, 1e6));
  CHECK(process.mean_rate() == Approx(1000.0));
  CHECK(static_cast<double>(arrivals_before(process, at(100s))) == Approx(1e5).epsilon(0.01));
  const std::vector<Time> scheduled =
      arrivals(ArrivalProcess::renewal(sim::Distribution::schedule({1, 2, 3})), 4);
  CHECK(scheduled == std::vector<Time>{at(1ns), at(3ns), at(6ns), at(7ns)});
}

TEST_CASE("impossible arrival parameters are refused by name") {
  CHECK(error_of([] { ArrivalProcess::poisson(0); }) ==
        "rate must be above 0 and at most 1e12 per second, not 0");
  CHECK(error_of([] { ArrivalProcess::constant(-1); }) ==
        "rate must be above 0 and at most 1e12 per second, not -1");
  CHECK(error_of([] { ArrivalProcess::poisson(std::nan("")); }) ==
        "rate must be above 0 and at most 1e12 per second, not nan");
  CHECK(error_of([] { ArrivalProcess::on_off(1, -1, 1s, 1s); }) ==
        "rate_off must be above 0 and at most 1e12 per second, not -1");
  CHECK(error_of([] { ArrivalProcess::on_off(1, 0, 0s, 1s); }) == "mean_on must be above 0");
  CHECK(error_of([] { ArrivalProcess::profile({}); }) == "points must not be empty");
  CHECK(error_of([] {
          ArrivalProcess::profile({{0s, 0}, {1s, 0}});
        }) == "points must have a rate above 0 somewhere");
  CHECK(error_of([] { ArrivalProcess::profile({{1s, 1}, {1s, 2}}); }) == "points must have increasing times");
  CHECK(error_of([] {
          ArrivalProcess::profile({{0s, 1}}, true);
        }) == "points must reach beyond time 0 to be repeated");
  CHECK(error_of([] { ArrivalProcess::replay({at(2s), at(1s)}); }) == "times must not decrease");
  CHECK(error_of([] { ArrivalProcess::renewal(sim::Distribution::constant(0)); }) ==
        "gap must have a mean above 0");
}

TEST_CASE("timestamps are read exactly from the first column of a CSV text") {
  CHECK(sim::parse_timestamps("time,value\n0.5,x\n1.000000001,y\r\n\n# note\n \"2\" ,z\n3") ==
        std::vector<Time>{at(500ms), at(1000000001ns), at(2s), at(3s)});
  CHECK(sim::parse_timestamps("1\n2.5\n", 1ms) == std::vector<Time>{at(1ms), at(2500us)});
  CHECK(sim::parse_timestamps("0.1234567899999999999999999\n") == std::vector<Time>{at(123456789ns)});
  CHECK(sim::parse_timestamps("").empty());
  CHECK(sim::parse_timestamps("\xEF\xBB\xBFtime\n1\n") == std::vector<Time>{at(1s)});
}

TEST_CASE("a bad timestamp is refused with its line and column") {
  const auto place = [](const char* text) {
    try {
      sim::parse_timestamps(text);
    } catch (const sim::TimestampError& e) {
      return std::to_string(e.line) + ":" + std::to_string(e.column) + " " + e.what();
    }
    return std::string("no error");
  };
  CHECK(place("1\nx\n") == "2:1 line 2, column 1: a time must be a decimal number");
  CHECK(place("time\n1\n-2\n") == "3:1 line 3, column 1: a time must not be negative");
  CHECK(place("5\n4\n") == "2:1 line 2, column 1: a time must not be before the one above it");
  CHECK(place("1.5s\n") ==
        "1:4 line 1, column 4: a time must be a decimal number, alone in the first column");
  CHECK(place("1e5\n") == "1:2 line 1, column 2: a time must be a decimal number, alone in the first column");
  CHECK(place("\"1\n") == "1:3 line 1, column 3: a quote is not closed");
  CHECK(place("99999999999\n") == "1:10 line 1, column 10: a time must be less than 146 years");
  CHECK(error_of([] { sim::parse_timestamps("1\n", 0s); }) == "unit must be above 0");
}

TEST_CASE("the catalogue of arrivals has a row for every process and for the closed loop") {
  std::set<std::string_view> names;
  for (const sim::CatalogueEntry& entry : sim::arrival_catalogue()) {
    CHECK(names.insert(entry.name).second);
    CHECK_FALSE((entry.doc.empty() || entry.parameters.empty()));
  }
  for (const auto& [golden, process] : processes()) CHECK(names.count(process.name()) == 1);
  CHECK(names.count("closed_loop") == 1);
}
