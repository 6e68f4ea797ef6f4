// A checker judges a whole run from its records and the ledger; one checker a file, one row in
// checkers/catalogue.cpp.
//
// It names the kinds that it wants and gets their records one by one, in order, each before the ledger has
// taken it in. At the end it is told after the ledger, and may walk all of it. What it finds goes to the
// anomalies, where it is counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "models/checkers/ledger.hpp"
#include "models/checkers/verdicts.hpp"
#include "models/trace_kinds.hpp"
#include "sim/trace.hpp"

namespace models {

/// A set of kinds, one bit each.
class KindSet {
 public:
  constexpr void add(Kind kind) {
    words_[static_cast<unsigned>(kind) / 64] |= std::uint64_t{1} << static_cast<unsigned>(kind) % 64;
  }
  constexpr bool has(std::uint16_t kind) const { return (words_[kind / 64u] >> kind % 64u & 1u) != 0; }

 private:
  std::array<std::uint64_t, (static_cast<std::size_t>(Kind::count_) + 63) / 64> words_{};
};
template <class... Kinds>
constexpr KindSet kinds_of(Kinds... kinds) {
  KindSet set;
  (set.add(kinds), ...);
  return set;
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
    const KindSet wanted = kinds();
    sim::RecordNumber number = block.first;
    for (const sim::TraceRecord& r : block.records) {
      if (wanted.has(r.kind)) record(r, block.payload(r), number);
      ++number;
    }
  }
};

}  // namespace models
