// The controllers of a quorum: how often another became active, and how long none was. A controller alone is always in office.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "models/metrics/catalogue.hpp"
#include "models/metrics/window.hpp"
#include "sim/trace.hpp"

namespace models {

class ControllerMeter {
 public:
  explicit ControllerMeter(const Window& window) : window_(window) {}

  void controller_changed(const sim::TraceRecord& r) {
    const auto at = std::find(active_.begin(), active_.end(), r.actor);
    if (r.b == 1) {
      if (at == active_.end()) active_.push_back(r.actor);
      if (last_ && *last_ != r.actor) ++changes_;
      last_ = r.actor;
      end_absence(r.time);
    } else if (at != active_.end()) {
      active_.erase(at);
      if (active_.empty()) since_ = r.time;
    }
  }
  void finish(sim::Time end) { end_absence(std::min(end, window_.stop)); }
  void report(MetricValues& values) const {
    values[Metric::controller_changes] = static_cast<double>(changes_);
    if (!last_) return;
    values[Metric::controller_absent_sum_s] = sim::seconds(sum_);
    values[Metric::controller_absent_max_s] = sim::seconds(max_);
  }

 private:
  void end_absence(sim::Time t) {
    if (!since_) return;
    const sim::Duration lasted = std::max(sim::Duration{}, t - *since_);
    sum_ += lasted;
    max_ = std::max(max_, lasted);
    since_.reset();
  }

  const Window& window_;
  std::vector<std::uint32_t> active_;  // more than one where one has not heard that it was deposed
  std::optional<std::uint32_t> last_;
  std::optional<sim::Time> since_;  // when the last one ceased to be
  std::uint64_t changes_ = 0;
  sim::Duration sum_{};
  sim::Duration max_{};
};

}  // namespace models
