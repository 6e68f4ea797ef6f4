// Whether transactions over several participants end alike at all of them, and how long participants stand in between.
//
// A participant that has voted yes has given its own choice away: until it learns the decision it is in doubt, and what it has
// locked stays so.
#pragma once

#include <vector>

#include "models/checkers/checker.hpp"
#include "sim/histogram.hpp"

namespace models {

class Commitment final : public Checker {
 public:
  Commitment(const Ledger&, Anomalies& anomalies) : anomalies_(anomalies) {}

  KindSet kinds() const override { return kinds_of(Kind::vote); }
  void record(const sim::TraceRecord& r, std::span<const std::int64_t> payload,
              sim::RecordNumber number) override;
  void finish(sim::Time end) override;
  void report(MetricValues& values) const override;

 private:
  struct Part {
    std::uint32_t database = 0;
    std::uint32_t coordinator = 0;
    std::int64_t transaction = 0;
    sim::Time voted{};
    VoteCode last = VoteCode::prepared;
  };

  Anomalies& anomalies_;
  std::vector<Part> parts_;  // in order of their votes
  sim::Histogram doubt_;
};

}  // namespace models
