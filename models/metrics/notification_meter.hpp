// What CloudWatch shows of SNS, in sum and for each subscription.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "models/metrics/catalogue.hpp"
#include "models/metrics/entity_table.hpp"
#include "models/trace_kinds.hpp"
#include "sim/trace.hpp"

namespace models {

class NotificationMeter {
 public:
  void notified(const sim::TraceRecord& r) {
    any_ = true;
    subscriptions_[r.place].counts[r.code] += r.b;
  }
  void report(MetricValues& values, std::vector<Labelled>& labelled) const {
    if (!any_) return;
    std::array<std::int64_t, 4> sums{};
    for (std::uint32_t id = 0; id < subscriptions_.rows().size(); ++id) {
      std::array<std::int64_t, 4> counts = subscriptions_.rows()[id].counts;
      if (counts == std::array<std::int64_t, 4>{}) continue;
      // What is redriven has failed, too.
      counts[kFailed] += counts[kRedriven];
      for (std::size_t i = 0; i < kMetrics.size(); ++i) {
        sums[i] += counts[i];
        labelled.push_back({kMetrics[i], EntityId{id}, {}, static_cast<double>(counts[i])});
      }
    }
    for (std::size_t i = 0; i < kMetrics.size(); ++i) values[kMetrics[i]] = static_cast<double>(sums[i]);
  }

 private:
  /// By NotificationCode.
  static constexpr std::array kMetrics{Metric::notifications_filtered_out, Metric::notifications_delivered,
                                       Metric::notifications_redriven, Metric::notifications_failed};
  static constexpr std::size_t kRedriven = 2;
  static constexpr std::size_t kFailed = 3;
  struct Subscription {
    std::array<std::int64_t, 4> counts{};
  };

  EntityTable<Subscription> subscriptions_;
  bool any_ = false;
};

}  // namespace models
