// Reads that transactions should have prevented: G1a, the read of an aborted write (whenever the abort came), and the read of
// what the reader itself has written and not committed yet. Both are what isolation.level=read_uncommitted allows.
//
// Aborted is what a marker in the log says is, and what a marker says is committed though the producer's own abort had returned
// (KAFKA-17754).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/checkers/checker.hpp"

namespace models {

class TransactionReads final : public Checker {
 public:
  TransactionReads(const Ledger& ledger, Anomalies& anomalies) : ledger_(ledger), anomalies_(anomalies) {}

  KindSet kinds() const override { return kinds_of(Kind::delivered, Kind::transaction_state); }
  void record(const sim::TraceRecord& r, std::span<const std::int64_t> payload,
              sim::RecordNumber number) override;
  void finish(sim::Time end) override;

 private:
  /// Seqs of a lane.
  struct Range {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
  };
  /// A lane of a producer with transactions.
  struct Own {
    std::uint64_t begun = 0;       ///< first seq of its producer's present transaction
    std::vector<Range> aborted{};  ///< rising, each of a transaction whose abort returned
  };

  void delivered(const sim::TraceRecord& r, sim::RecordNumber number);
  void learn_lanes();
  void begun(std::uint32_t producer);
  void abort_returned(std::uint32_t producer);
  void read_of(const Ledger::Partition& p, const Ledger::Ended& ended, std::int64_t first, std::int64_t n,
               std::uint64_t seq, sim::Time end);

  std::vector<Own> own_;                              // by lane, up to those looked at
  std::vector<std::vector<std::uint32_t>> lanes_of_;  // by producer
  const Ledger& ledger_;
  Anomalies& anomalies_;
};

}  // namespace models
