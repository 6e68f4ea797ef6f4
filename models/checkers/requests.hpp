// How services answer: how many requests, and after how long.
#pragma once

#include "models/checkers/checker.hpp"
#include "sim/histogram.hpp"

namespace models {

class Requests final : public Checker {
 public:
  Requests(const Ledger&, Anomalies&) {}

  KindSet kinds() const override { return kinds_of(Kind::request); }
  void record(const sim::TraceRecord& r, std::span<const std::int64_t> payload,
              sim::RecordNumber number) override;
  void report(MetricValues& values) const override;

 private:
  sim::Histogram latency_;  // of those that were answered
  std::uint64_t failed_ = 0;
};

}  // namespace models
