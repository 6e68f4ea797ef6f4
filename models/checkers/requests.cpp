#include "models/checkers/requests.hpp"

#include "models/metrics/catalogue.hpp"

namespace models {

void Requests::record(const sim::TraceRecord& r, std::span<const std::int64_t>, sim::RecordNumber) {
  if (r.b == 1)
    latency_.record(sim::nanoseconds(r.time) - r.a);
  else
    ++failed_;
}

void Requests::report(MetricValues& values) const {
  if (latency_.count() == 0 && failed_ == 0) return;
  values[Metric::requests_answered] = static_cast<double>(latency_.count());
  values[Metric::requests_failed] = static_cast<double>(failed_);
  if (latency_.count() == 0) return;
  const auto ms = [](std::int64_t ns) { return static_cast<double>(ns) * 1e-6; };
  values[Metric::request_latency_mean_ms] = latency_.mean() * 1e-6;
  values[Metric::request_latency_p50_ms] = ms(latency_.quantile(0.5));
  values[Metric::request_latency_p99_ms] = ms(latency_.quantile(0.99));
  values[Metric::request_latency_max_ms] = ms(latency_.max());
}

}  // namespace models
