#include "models/metrics/latency_meter.hpp"

#include <array>

namespace models {

namespace {

struct LatencyColumns {
  Metric mean, p50, p95, p99, p999, max;
};
constexpr LatencyColumns kPublish{Metric::publish_latency_mean_ms, Metric::publish_latency_p50_ms,
                                  Metric::publish_latency_p95_ms,  Metric::publish_latency_p99_ms,
                                  Metric::publish_latency_p999_ms, Metric::publish_latency_max_ms};
constexpr LatencyColumns kEndToEnd{Metric::e2e_latency_mean_ms, Metric::e2e_latency_p50_ms,
                                   Metric::e2e_latency_p95_ms,  Metric::e2e_latency_p99_ms,
                                   Metric::e2e_latency_p999_ms, Metric::e2e_latency_max_ms};

/// Calls `set(metric, milliseconds)` for each column; not at all when nothing was measured.
template <class Set>
void for_each_column(const sim::Histogram& histogram, const LatencyColumns& columns, Set&& set) {
  if (histogram.count() == 0) return;
  const auto ms = [](std::int64_t ns) { return static_cast<double>(ns) * 1e-6; };
  set(columns.mean, histogram.mean() * 1e-6);
  set(columns.p50, ms(histogram.quantile(0.5)));
  set(columns.p95, ms(histogram.quantile(0.95)));
  set(columns.p99, ms(histogram.quantile(0.99)));
  set(columns.p999, ms(histogram.quantile(0.999)));
  set(columns.max, ms(histogram.max()));
}

}  // namespace

void LatencyMeter::acknowledged(const MessageRun& run) {
  const std::int64_t now = sim::nanoseconds(run.record.time);
  for (std::size_t i = 0; i < run.columns.count; ++i) {
    const std::int64_t created = run.columns.created[i];
    if (created >= warm_) publish_.record(now - created);
  }
}

void LatencyMeter::processed(const MessageRun& run, const FinishTimes& finish) {
  sim::Histogram& histogram = e2e_[run.record.peer];
  const std::int64_t* created = run.columns.created;
  if (finish.arithmetic) {
    std::int64_t at = finish[run.index];
    for (std::size_t i = 0; i < run.columns.count; ++i, at += finish.step) {
      if (created[i] >= warm_) histogram.record(at - created[i]);
    }
    return;
  }
  const std::int64_t* at = finish.each + run.index;
  for (std::size_t i = 0; i < run.columns.count; ++i) {
    if (created[i] >= warm_) histogram.record(at[i] - created[i]);
  }
}

void LatencyMeter::report(MetricValues& values, std::vector<Labelled>& labelled) const {
  for_each_column(publish_, kPublish, [&](Metric metric, double ms) { values[metric] = ms; });
  sim::Histogram all;
  for (std::uint32_t group = 0; group < e2e_.rows().size(); ++group) {
    const sim::Histogram& histogram = e2e_.rows()[group];
    all.merge(histogram);
    for_each_column(histogram, kEndToEnd, [&](Metric metric, double ms) {
      labelled.push_back({metric, EntityId{group}, {}, ms});
    });
  }
  for_each_column(all, kEndToEnd, [&](Metric metric, double ms) { values[metric] = ms; });
}

}  // namespace models
