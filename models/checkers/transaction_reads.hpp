// Reads that transactions should have prevented: G1a, the read of an aborted write (whenever the abort came), and the read of
// what the reader itself has written and not committed yet. Both are what isolation.level=read_uncommitted allows.
#pragma once

#include "models/checkers/checker.hpp"

namespace models {

class TransactionReads final : public Checker {
 public:
  TransactionReads(const Ledger& ledger, Anomalies& anomalies) : ledger_(ledger), anomalies_(anomalies) {}

  KindSet kinds() const override { return kinds_of(Kind::delivered); }
  void record(const sim::TraceRecord& r, std::span<const std::int64_t> payload,
              sim::RecordNumber number) override;
  void finish(sim::Time end) override;

 private:
  const Ledger& ledger_;
  Anomalies& anomalies_;
};

}  // namespace models
