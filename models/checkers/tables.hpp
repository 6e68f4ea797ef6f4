// Whether the tables that groups keep are what the log says: of each key its last value.
//
// A group that materialises puts the value of each record that it processes under the record's key, and takes the key out when
// the record has none (a tombstone). At the end that is compared with the last record of each key in the log, aborted
// transactions left out, whether or not compaction has removed it since. A key that the log deleted and the table has is
// resurrected: the group read a value, and the tombstone behind it was gone when it came there.
//
// Keys of all producers of a partition are one space. A table outlives the members that fill it, as one in a database does.
#pragma once

#include <vector>

#include "models/checkers/checker.hpp"

namespace models {

class Tables final : public Checker {
 public:
  Tables(const Ledger& ledger, Anomalies& anomalies) : ledger_(ledger), anomalies_(anomalies) {}

  KindSet kinds() const override {
    return kinds_of(Kind::subscribed, Kind::offered, Kind::tombstones, Kind::processed);
  }
  void record(const sim::TraceRecord& r, std::span<const std::int64_t> payload,
              sim::RecordNumber number) override;
  void finish(sim::Time end) override;
  void report(MetricValues& values) const override;

 private:
  /// A message, or none: the key is not there.
  struct Row {
    LaneId lane{};
    std::uint64_t seq = 0;
    bool operator==(const Row&) const = default;
  };
  using Rows = std::vector<Row>;  // by key
  struct Table {
    std::uint32_t place = 0;
    std::uint32_t group = 0;
    Rows rows;
    LogIndex::Cursor cursor = 0;
  };
  static constexpr std::uint32_t kTombstone = std::uint32_t{1} << 31;

  bool kept(std::uint32_t place) const;
  void offered(const sim::TraceRecord& r, std::span<const std::int64_t> payload);
  void processed(const sim::TraceRecord& r);
  void put(Rows& rows, const LogPiece& piece) const;
  Rows truth(const Ledger::Partition& p) const;
  void compare(const Table& table, sim::Time end);

  const Ledger& ledger_;
  Anomalies& anomalies_;
  std::vector<Table> tables_;
  std::vector<std::vector<std::uint32_t>> keys_;  // by lane, then seq; kNoKey where there is none
  std::uint64_t keys_there_ = 0;
};

}  // namespace models
