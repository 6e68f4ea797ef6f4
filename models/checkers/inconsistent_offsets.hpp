// Inconsistent offsets: one offset that held two records, both of which somebody saw: acknowledged to a
// producer, or read. A follower's suffix that nobody saw may be replaced freely.
//
// A message that was stored more than once (a retry after its first copy was cut off) was seen where its acknowledgement says
// that it lies, and nowhere else: a reader of the one copy says nothing of the other.
#pragma once

#include <map>

#include "models/checkers/checker.hpp"

namespace models {

class InconsistentOffsets final : public Checker {
 public:
  InconsistentOffsets(const Ledger& ledger, Anomalies& anomalies) : ledger_(ledger), anomalies_(anomalies) {}

  KindSet kinds() const override { return kinds_of(Kind::acknowledged); }
  void record(const sim::TraceRecord& r, std::span<const std::int64_t>, sim::RecordNumber) override;
  void finish(sim::Time end) override;

 private:
  /// Copies that lie alike: of one lane, and as far from each message's seq to its offset.
  struct Alignment {
    std::uint32_t lane = 0;
    std::int64_t shift = 0;
    auto operator<=>(const Alignment&) const = default;
  };

  bool seen(LaneId lane, std::uint64_t seq, std::int64_t offset) const;
  void compare(const Ledger::Partition& p, const LogPiece& before, const LogPiece& after, RunCounts& found,
               sim::Time end);

  const Ledger& ledger_;
  Anomalies& anomalies_;
  std::map<Alignment, RunCounts> acknowledged_;  ///< seqs, of messages with several copies
};

}  // namespace models
