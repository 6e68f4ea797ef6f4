// Calls to dependencies: how many, how many at once, how many failed, and how long after an outage they went on failing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "models/metrics/catalogue.hpp"
#include "models/metrics/entity_table.hpp"
#include "models/trace_kinds.hpp"
#include "sim/trace.hpp"

namespace models {

class CallMeter {
 public:
  void called(const sim::TraceRecord& r) {
    ++calls_;
    Dependency& d = dependencies_[r.place];
    const std::int64_t second = sim::nanoseconds(r.time) / 1'000'000'000;
    if (second != d.second) d.in_second = 0;
    d.second = second;
    peak_ = std::max(peak_, ++d.in_second);
  }

  void ended(const sim::TraceRecord& r) {
    Dependency& d = dependencies_[r.place];
    const auto code = static_cast<CallCode>(r.code);
    if (code == CallCode::not_permitted) return;
    const bool answered = code == CallCode::answered;
    failed_ += answered ? 0 : 1;
    if (!d.back) return;
    if (answered ? !d.recovered : true) d.recovered = r.time;
  }

  /// Of any entity: whether it is a dependency shows by its calls.
  void fault(const sim::TraceRecord& r) {
    Dependency& d = dependencies_[r.actor];
    finish(d);
    if (r.a == 0)
      d.back = r.time;
    else
      d.back.reset();
  }

  void breaker(const sim::TraceRecord& r) {
    breaks_ = true;
    opened_ += static_cast<BreakerCode>(r.code) == BreakerCode::open ? 1 : 0;
  }

  void finish() {
    for (Dependency& d : dependencies_.rows()) finish(d);
  }

  void report(MetricValues& values) const {
    if (calls_ > 0) {
      values[Metric::calls] = static_cast<double>(calls_);
      values[Metric::calls_failed] = static_cast<double>(failed_);
      values[Metric::calls_peak_per_s] = static_cast<double>(peak_);
    }
    if (breaks_) values[Metric::breaker_opened] = static_cast<double>(opened_);
    if (recovery_) values[Metric::dependency_recovery_s] = sim::seconds(*recovery_);
  }

 private:
  struct Dependency {
    std::int64_t second = -1;
    std::uint64_t in_second = 0;
    std::optional<sim::Time> back;       ///< from its last outage
    std::optional<sim::Time> recovered;  ///< the first answer since then, or the last failure
  };

  void finish(Dependency& d) {
    if (d.back && d.recovered)
      recovery_ = std::max(recovery_.value_or(sim::Duration{}), *d.recovered - *d.back);
    d.back.reset();
    d.recovered.reset();
  }

  EntityTable<Dependency> dependencies_;
  std::uint64_t calls_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t peak_ = 0;
  std::uint64_t opened_ = 0;
  bool breaks_ = false;
  std::optional<sim::Duration> recovery_;
};

}  // namespace models
