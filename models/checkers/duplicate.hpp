// Duplicate: one record at two offsets of the log as it was at the end.
#pragma once

#include "models/checkers/checker.hpp"

namespace models {

class Duplicate final : public Checker {
 public:
  Duplicate(const Ledger& ledger, Anomalies& anomalies) : ledger_(ledger), anomalies_(anomalies) {}

  KindSet kinds() const override { return kinds_of(); }
  void record(const sim::TraceRecord&, std::span<const std::int64_t>, sim::RecordNumber) override {}
  void finish(sim::Time end) override;

 private:
  const Ledger& ledger_;
  Anomalies& anomalies_;
};

}  // namespace models
