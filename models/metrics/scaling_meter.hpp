// What a step of an autoscaler costs before it helps: members that come or go are a rebalance, during which partitions stand
// still.
//
// Of each step up: how far the group's lag rose above what it was when the first partition changed hands after the step, until
// it was first below that again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "models/metrics/catalogue.hpp"
#include "models/metrics/entity_table.hpp"

namespace models {

class ScalingMeter {
 public:
  void scaled(std::uint32_t group, std::int64_t members, std::int64_t before) {
    Step& step = groups_[group];
    if (members > before && !step.since) step.pending = true;
  }
  /// A step of the group has been made whose rebalance has not been seen to begin.
  bool pending(std::uint32_t group) const { return known(group) && groups_.rows()[group].pending; }
  /// A partition of the group has been given up, or given. Requires pending().
  void moved(std::uint32_t group, double lag) {
    groups_[group] = {.pending = false, .since = lag, .most = lag};
  }
  bool watching(std::uint32_t group) const { return known(group) && groups_.rows()[group].since.has_value(); }
  /// Requires watching().
  void lag(std::uint32_t group, double now) {
    Step& step = groups_[group];
    step.most = std::max(step.most, now);
    if (now < *step.since) close(step);
  }
  void finish() {
    for (Step& step : groups_.rows()) {
      if (step.since) close(step);
    }
  }
  void report(MetricValues& values) const {
    if (steps_ == 0) return;
    values[Metric::scaling_lag_added_mean_records] = sum_ / static_cast<double>(steps_);
    values[Metric::scaling_lag_added_min_records] = least_;
  }

 private:
  struct Step {
    bool pending = false;
    std::optional<double> since{};  ///< the lag when its rebalance began
    double most = 0;
  };
  bool known(std::uint32_t group) const { return group < groups_.rows().size(); }
  void close(Step& step) {
    const double added = step.most - *step.since;
    sum_ += added;
    least_ = steps_ == 0 ? added : std::min(least_, added);
    ++steps_;
    step = {};
  }

  EntityTable<Step> groups_;
  double sum_ = 0;
  double least_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace models
