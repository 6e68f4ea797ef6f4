// A checker judges a whole run from its records and the ledger; one checker a file, one row in
// checkers/catalogue.cpp.
//
// It names the kinds that it wants and gets their records one by one, in order, each before the ledger has
// taken it in. At the end it is told after the ledger, and may walk all of it. What it finds goes to the
// anomalies, where it is counted.
#pragma once

#include <cstdint>
#include <span>

#include "models/checkers/ledger.hpp"
#include "models/checkers/verdicts.hpp"
#include "models/trace_kinds.hpp"
#include "sim/trace.hpp"

namespace models {

/// A set of kinds, one bit each.
using KindSet = std::uint64_t;
static_assert(static_cast<unsigned>(Kind::count_) <= 64);
constexpr KindSet kinds_of() {
  return 0;
}
template <class... Rest>
constexpr KindSet kinds_of(Kind first, Rest... rest) {
  return KindSet{1} << static_cast<unsigned>(first) | kinds_of(rest...);
}

class MetricValues;

class Checker : public sim::TraceSink {
 public:
  virtual KindSet kinds() const = 0;
  virtual void record(const sim::TraceRecord& r, std::span<const std::int64_t> payload,
                      sim::RecordNumber number) = 0;

  /// What it counts beside its verdicts; told after finish().
  virtual void report(MetricValues&) const {}

  void consume(const sim::TraceBlock& block) final {
    sim::RecordNumber number = block.first;
    for (const sim::TraceRecord& r : block.records) {
      if ((kinds() >> r.kind & 1U) != 0) record(r, block.payload(r), number);
      ++number;
    }
  }
};

}  // namespace models
