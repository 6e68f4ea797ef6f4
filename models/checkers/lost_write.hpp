// Lost write: an acknowledged record at or below the highest offset that anybody read of its partition, which
// nobody read, and which compaction has not removed.
#pragma once

#include "models/checkers/checker.hpp"

namespace models {

class LostWrite final : public Checker {
 public:
  LostWrite(const Ledger& ledger, Anomalies& anomalies) : ledger_(ledger), anomalies_(anomalies) {}

  KindSet kinds() const override { return kinds_of(); }
  void record(const sim::TraceRecord&, std::span<const std::int64_t>, sim::RecordNumber) override {}
  void finish(sim::Time end) override;

 private:
  void look_at(const Ledger::Partition& p, const LogPiece& piece, sim::Time end,
               std::vector<RunCounts>& found);
  void note(const Ledger::Partition& p, const LogPiece& piece, std::uint64_t seq, std::uint64_t n,
            sim::Time end, std::vector<RunCounts>& found);
  const Ledger& ledger_;
  Anomalies& anomalies_;
};

}  // namespace models
