// Inconsistent offsets: one offset that held two records, both of which somebody saw: acknowledged to a
// producer, or read. A follower's suffix that nobody saw may be replaced freely.
#pragma once

#include "models/checkers/checker.hpp"

namespace models {

class InconsistentOffsets final : public Checker {
 public:
  InconsistentOffsets(const Ledger& ledger, Anomalies& anomalies) : ledger_(ledger), anomalies_(anomalies) {}

  KindSet kinds() const override { return kinds_of(); }
  void record(const sim::TraceRecord&, std::span<const std::int64_t>, sim::RecordNumber) override {}
  void finish(sim::Time end) override;

 private:
  bool seen(LaneId lane, std::uint64_t seq) const;
  void compare(const Ledger::Partition& p, const LogPiece& before, const LogPiece& after, RunCounts& found,
               sim::Time end);

  const Ledger& ledger_;
  Anomalies& anomalies_;
};

}  // namespace models
