// Send order: later sends of one producer to one partition get higher offsets, and sends acknowledged
// together lie together.
//
// Judged by the offsets that acknowledgements name, as a client could: acks=0 names none and is left out.
#pragma once

#include <cstdint>
#include <vector>

#include "models/checkers/checker.hpp"

namespace models {

class SendOrder final : public Checker {
 public:
  SendOrder(const Ledger& ledger, Anomalies& anomalies) : ledger_(ledger), anomalies_(anomalies) {}

  KindSet kinds() const override { return kinds_of(Kind::acknowledged); }
  void record(const sim::TraceRecord& r, std::span<const std::int64_t> payload,
              sim::RecordNumber number) override;

 private:
  struct Sent {
    std::int64_t seq = -1;       ///< highest acknowledged so far
    std::int64_t offset = -1;    ///< its offset
    std::int64_t last_seq = -1;  ///< of the acknowledgement before
    std::int64_t last_offset = -1;
    sim::Time time{};
  };
  std::int64_t foreign_between(const sim::TraceRecord& r, std::int64_t first, std::int64_t end) const;

  const Ledger& ledger_;
  Anomalies& anomalies_;
  std::vector<Sent> lanes_;
};

}  // namespace models
