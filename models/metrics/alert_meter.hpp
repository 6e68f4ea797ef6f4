// Alarms for a group's lag: which of three rules fires first when something breaks, and which when nothing has.
//
// A rule is looked at with every sample after the warm-up. It fires once its condition has held for `lasts`, and may fire again
// when the condition has ceased in between. An alarm before the first fault of the run is a false one; the delay of a rule is
// from the first fault to its first alarm after it, or nothing if it was raised already or never came.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "models/metrics/catalogue.hpp"
#include "models/scenario.hpp"
#include "sim/time.hpp"

namespace models {

class AlertMeter {
 public:
  explicit AlertMeter(const AlertOptions& options) : options_(options) {}

  void struck(sim::Time t) {
    if (!struck_) struck_ = t;
  }
  void sample(sim::Time t, double records, double age_s) {
    points_.push_back({t, records});
    std::size_t old = 0;
    while (old + 1 < points_.size() && points_[old + 1].time <= t - options_.window) ++old;
    points_.erase(points_.begin(), points_.begin() + static_cast<std::ptrdiff_t>(old));
    if (options_.records) judge(0, t, records > static_cast<double>(*options_.records));
    if (options_.age) judge(1, t, age_s > sim::seconds(*options_.age));
    const Point& since = points_.front();
    const bool full = t - since.time >= options_.window;
    if (options_.growth)
      judge(2, t, full && (records - since.records) / sim::seconds(t - since.time) > *options_.growth);
  }
  void report(MetricValues& values) const {
    constexpr std::array kDelays{Metric::alert_records_delay_s, Metric::alert_age_delay_s,
                                 Metric::alert_growth_delay_s};
    constexpr std::array kFalse{Metric::alert_records_false, Metric::alert_age_false,
                                Metric::alert_growth_false};
    const std::array<bool, 3> given{options_.records.has_value(), options_.age.has_value(),
                                    options_.growth.has_value()};
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      if (!given[i]) continue;
      values[kFalse[i]] = static_cast<double>(rules_[i].false_alarms);
      if (rules_[i].delay) values[kDelays[i]] = sim::seconds(*rules_[i].delay);
    }
  }

 private:
  struct Rule {
    std::optional<sim::Time> since;  ///< its condition holds
    bool firing = false;
    std::uint64_t false_alarms = 0;
    std::optional<sim::Duration> delay;
  };
  struct Point {
    sim::Time time;
    double records;
  };

  void judge(std::size_t i, sim::Time t, bool holds) {
    Rule& rule = rules_[i];
    if (!holds) {
      rule.since.reset();
      rule.firing = false;
      return;
    }
    if (!rule.since) rule.since = t;
    if (rule.firing || t - *rule.since < options_.lasts) return;
    rule.firing = true;
    if (!struck_)
      ++rule.false_alarms;
    else if (!rule.delay)
      rule.delay = t - *struck_;
  }

  AlertOptions options_;
  std::array<Rule, 3> rules_{};
  std::vector<Point> points_;  // of the window, and the last before it
  std::optional<sim::Time> struck_;
};

}  // namespace models
