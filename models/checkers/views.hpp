// Whether views are what the facts say, how far they are behind, and whether somebody who reads one finds what they wrote.
//
// A view takes in one event after the other; of each aggregate it holds the one that it took in last. At the end that must be
// the fact of that aggregate that was committed last, of those of the same database. So a view that is built anew is held to
// the same: two that are right are equal.
#pragma once

#include <vector>

#include "models/checkers/checker.hpp"
#include "sim/histogram.hpp"

namespace models {

class Views final : public Checker {
 public:
  Views(const Ledger&, Anomalies& anomalies) : anomalies_(anomalies) {}

  KindSet kinds() const override { return kinds_of(Kind::fact, Kind::applied, Kind::viewed); }
  void record(const sim::TraceRecord& r, std::span<const std::int64_t> payload,
              sim::RecordNumber number) override;
  void finish(sim::Time end) override;
  void report(MetricValues& values) const override;

 private:
  struct FactRef {
    std::uint32_t lane = 0;
    std::int64_t seq = 0;
    bool operator==(const FactRef&) const = default;
  };
  /// By aggregate, the last.
  struct View {
    std::uint32_t service = 0;
    std::uint32_t of = 0;  ///< the database whose facts it shows
    std::vector<FactRef> rows;
  };
  struct Source {
    std::uint32_t database = 0;
    std::vector<FactRef> rows;
  };
  struct Committed {
    sim::Time at{};
    std::uint32_t database = 0;
  };

  void committed(const sim::TraceRecord& r);
  void applied(const sim::TraceRecord& r);
  void viewed(const sim::TraceRecord& r, sim::RecordNumber number);
  template <class Table>
  static Table& of(std::vector<Table>& tables, std::uint32_t Table::*name, std::uint32_t value);
  static void put(std::vector<FactRef>& rows, std::int64_t aggregate, FactRef fact);

  Anomalies& anomalies_;
  std::vector<std::vector<Committed>> facts_;  // by lane
  std::vector<Source> sources_;
  std::vector<View> views_;
  sim::Histogram lag_;
  std::uint64_t reads_ = 0;
};

}  // namespace models
