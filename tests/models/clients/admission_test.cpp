// Who is let in: the token bucket, and the gate that is shut while a lag is high.
#include <vector>

#include "models/clients/admission.hpp"
#include "sim/random.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using models::Admission;
using models::AdmissionOptions;
using models::RefusedCode;

namespace {

AdmissionOptions bucket(double rate, double burst) {
  AdmissionOptions options;
  options.rate = rate;
  options.burst = burst;
  return options;
}

}  // namespace

TEST_CASE("a full bucket lets its burst in at once, and then its rate", "[admission]") {
  Admission admission(bucket(10, 3));
  for (int i = 0; i < 3; ++i) CHECK(admission.judge(sim::Time{}) == RefusedCode::none);
  CHECK(admission.judge(sim::Time{}) == RefusedCode::over_rate);
  CHECK(admission.judge(sim::Time{99ms}) == RefusedCode::over_rate);
  CHECK(admission.judge(sim::Time{101ms}) == RefusedCode::none);
  CHECK(admission.judge(sim::Time{101ms}) == RefusedCode::over_rate);
  for (int i = 0; i < 3; ++i) CHECK(admission.judge(sim::Time{10s}) == RefusedCode::none);
  CHECK(admission.judge(sim::Time{10s}) == RefusedCode::over_rate);
}

TEST_CASE("between any two times no more than rate * t + burst pass", "[admission]") {
  sim::Stream draws(1, "arrivals");
  for (const double rate : {5.0, 80.0}) {
    Admission admission(bucket(rate, 7));
    std::vector<sim::Time> passed;
    sim::Time at{};
    for (int i = 0; i < 5000; ++i) {
      // Bursts, and silence between them.
      at += sim::Duration{static_cast<std::int64_t>(draws.uniform() * (draws.uniform() < 0.02 ? 1e9 : 1e7))};
      if (admission.judge(at) == RefusedCode::none) passed.push_back(at);
    }
    REQUIRE(passed.size() > 100);
    for (std::size_t first = 0; first < passed.size(); ++first) {
      for (std::size_t last = first; last < passed.size(); last += 13) {
        const double most = rate * sim::seconds(passed[last] - passed[first]) + 7;
        if (static_cast<double>(last - first + 1) > most + 1e-6)
          FAIL("too many from " << first << " to " << last);
      }
    }
  }
}

TEST_CASE("a gate shuts above one lag and opens below another", "[admission]") {
  AdmissionOptions options;
  options.shed = AdmissionOptions::Shed{};
  options.shed->above = 100;
  options.shed->below = 50;
  Admission admission(options);
  CHECK(admission.judge(sim::Time{}) == RefusedCode::none);
  admission.see_lag(100);
  CHECK(admission.judge(sim::Time{}) == RefusedCode::none);
  admission.see_lag(101);
  CHECK(admission.judge(sim::Time{}) == RefusedCode::shed);
  admission.see_lag(50);
  CHECK(admission.judge(sim::Time{}) == RefusedCode::shed);
  admission.see_lag(49);
  CHECK(admission.judge(sim::Time{}) == RefusedCode::none);
}
