// Poll order: what one consumer reads of a partition goes up without holes.
//
// Skips and steps back inside one poll (records of one member, partition and instant) are told apart from
// those between polls. A change of the member's assignment or a position that it says it took starts afresh:
// those moves are allowed.
#pragma once

#include <cstdint>
#include <vector>

#include "models/checkers/checker.hpp"

namespace models {

class PollOrder final : public Checker {
 public:
  PollOrder(const Ledger& ledger, Anomalies& anomalies) : ledger_(ledger), anomalies_(anomalies) {}

  KindSet kinds() const override {
    return kinds_of(Kind::delivered, Kind::position, Kind::ownership, Kind::left_out, Kind::subscribed);
  }
  void record(const sim::TraceRecord& r, std::span<const std::int64_t> payload,
              sim::RecordNumber number) override;

 private:
  struct Reader {
    std::uint32_t member = 0;
    std::uint32_t group = 0;
    std::int64_t next = -1;  ///< offset expected, -1: any
    sim::Time polled{};
    /// Left out on purpose and not yet jumped over, rising.
    std::vector<std::pair<std::int64_t, std::int64_t>> left_out;
  };
  Reader& reader(const sim::TraceRecord& r);
  void delivered(const sim::TraceRecord& r, sim::RecordNumber number);
  /// The same without what was left out on purpose.
  std::int64_t records_missed(std::uint32_t place, Reader& known, std::int64_t end) const;
  std::int64_t records_between(std::uint32_t place, std::int64_t first, std::int64_t end) const;

  const Ledger& ledger_;
  Anomalies& anomalies_;
  std::vector<std::vector<Reader>> readers_;  ///< by partition entity
  std::vector<std::uint32_t> shared_;         ///< share groups, which promise no order
};

}  // namespace models
