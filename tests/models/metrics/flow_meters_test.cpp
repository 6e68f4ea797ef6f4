// Alarms for a lag, and what is measured of calls.
#include "models/metrics/alert_meter.hpp"
#include "models/metrics/call_meter.hpp"
#include "models/metrics/scaling_meter.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using models::AlertMeter;
using models::AlertOptions;
using models::CallCode;
using models::CallMeter;
using models::Metric;
using models::MetricValues;

namespace {

AlertOptions rules() {
  AlertOptions options;
  options.group = "billing";
  options.records = 100;
  options.age = 5s;
  options.growth = 20;
  options.window = 2s;
  return options;
}

MetricValues report(const AlertMeter& meter) {
  MetricValues values;
  meter.report(values);
  return values;
}

sim::TraceRecord call(sim::Time at) {
  return {.time = at, .actor = 1, .place = 2, .a = 1};
}
sim::TraceRecord end(sim::Time at, CallCode code) {
  sim::TraceRecord r = call(at);
  r.code = static_cast<std::uint16_t>(code);
  return r;
}
sim::TraceRecord fault(sim::Time at, bool strikes) {
  return {.time = at, .actor = 2, .a = strikes ? 1 : 0};
}

}  // namespace

TEST_CASE("an alarm before anything has broken is a false one, each time anew", "[alerts]") {
  AlertMeter meter(rules());
  int second = 0;
  for (const double lag : {0.0, 150.0, 150.0, 0.0, 0.0, 0.0, 200.0, 0.0})
    meter.sample(sim::Time{1s * second++}, lag, 1);
  const MetricValues v = report(meter);
  CHECK(*v[Metric::alert_records_false] == 2);
  CHECK(*v[Metric::alert_age_false] == 0);
  CHECK(*v[Metric::alert_growth_false] == 2);
  CHECK_FALSE(v[Metric::alert_records_delay_s]);
}

TEST_CASE("after a fault the first alarm of each rule has a delay", "[alerts]") {
  AlertMeter meter(rules());
  meter.sample(sim::Time{0s}, 0, 0);
  meter.struck(sim::Time{500ms});
  meter.struck(sim::Time{3s});  // another
  for (int second = 1; second < 10; ++second) meter.sample(sim::Time{1s * second}, 25.0 * second, second);
  const MetricValues v = report(meter);
  CHECK(*v[Metric::alert_records_false] == 0);
  CHECK(*v[Metric::alert_growth_delay_s] == 1.5);   // 50 in 2 s
  CHECK(*v[Metric::alert_records_delay_s] == 4.5);  // 125 at 5 s
  CHECK(*v[Metric::alert_age_delay_s] == 5.5);
}

TEST_CASE("what must last is no alarm before", "[alerts]") {
  AlertOptions options = rules();
  options.lasts = 2s;
  AlertMeter meter(options);
  int second = 0;
  for (const double lag : {150.0, 150.0, 0.0, 150.0, 150.0, 150.0})
    meter.sample(sim::Time{1s * second++}, lag, 0);
  CHECK(*report(meter)[Metric::alert_records_false] == 1);
}

TEST_CASE("a rule that is not given has no column", "[alerts]") {
  AlertOptions options = rules();
  options.growth.reset();
  AlertMeter meter(options);
  meter.sample(sim::Time{1s}, 1000, 1000);
  CHECK_FALSE(report(meter)[Metric::alert_growth_false]);
}

TEST_CASE("calls are counted, at most in one second, and how long they go on failing", "[calls]") {
  CallMeter meter;
  for (const auto at : {100ms, 200ms, 1100ms, 1200ms, 1300ms, 2000ms}) meter.called(call(sim::Time{at}));
  meter.ended(end(sim::Time{1s}, CallCode::answered));
  meter.fault(fault(sim::Time{1s}, true));
  meter.ended(end(sim::Time{1500ms}, CallCode::refused));
  meter.fault(fault(sim::Time{2s}, false));
  meter.ended(end(sim::Time{2100ms}, CallCode::answered));
  meter.ended(end(sim::Time{2400ms}, CallCode::timed_out));
  meter.ended(end(sim::Time{2500ms}, CallCode::not_permitted));
  meter.ended(end(sim::Time{2600ms}, CallCode::answered));
  meter.finish();
  MetricValues v;
  meter.report(v);
  CHECK(*v[Metric::calls] == 6);
  CHECK(*v[Metric::calls_failed] == 2);
  CHECK(*v[Metric::calls_peak_per_s] == 3);
  CHECK(*v[Metric::dependency_recovery_s] == Approx(0.4));
}

TEST_CASE("a dependency that nobody reached again has not recovered", "[calls]") {
  CallMeter meter;
  meter.called(call(sim::Time{1s}));
  meter.fault(fault(sim::Time{1s}, true));
  meter.fault(fault(sim::Time{2s}, false));
  meter.finish();
  MetricValues v;
  meter.report(v);
  CHECK_FALSE(v[Metric::dependency_recovery_s]);
}

TEST_CASE("what a step up adds to a lag counts from its rebalance until it has been worked off",
          "[scaling]") {
  models::ScalingMeter meter;
  MetricValues none;
  meter.report(none);
  CHECK_FALSE(none[Metric::scaling_lag_added_mean_records]);
  meter.scaled(3, 2, 1);
  CHECK(meter.pending(3));
  CHECK_FALSE(meter.watching(3));
  CHECK_FALSE(meter.pending(4));
  meter.moved(3, 100);  // what came between the step and its rebalance is not of its making
  CHECK_FALSE(meter.pending(3));
  for (const double lag : {120.0, 150.0, 130.0}) meter.lag(3, lag);
  CHECK(meter.watching(3));
  meter.lag(3, 99);
  CHECK_FALSE(meter.watching(3));
  meter.scaled(3, 1, 2);  // a step down
  CHECK_FALSE(meter.pending(3));
  meter.scaled(3, 4, 2);
  meter.moved(3, 50);
  meter.lag(3, 60);
  meter.finish();
  MetricValues v;
  meter.report(v);
  CHECK(*v[Metric::scaling_lag_added_mean_records] == 30);
  CHECK(*v[Metric::scaling_lag_added_min_records] == 10);
}
