// Unseen: acknowledged records that nobody had read when the run ended. An error unless nobody was there to
// read them.
#pragma once

#include "models/checkers/checker.hpp"

namespace models {

class Unseen final : public Checker {
 public:
  Unseen(const Ledger& ledger, Anomalies& anomalies) : ledger_(ledger), anomalies_(anomalies) {}

  KindSet kinds() const override { return kinds_of(); }
  void record(const sim::TraceRecord&, std::span<const std::int64_t>, sim::RecordNumber) override {}
  void finish(sim::Time end) override;

 private:
  const Ledger& ledger_;
  Anomalies& anomalies_;
};

}  // namespace models
