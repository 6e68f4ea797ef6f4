// Whether the events in the logs are the facts in the databases.
//
// A fact that was committed, and that somebody is to publish, must be said by a message that counts: one that is in the log,
// and whose transaction, if it has one, was committed. None is lost; more than one is duplicated; a message that says a fact
// which no database has is invented. The first messages of an aggregate's facts must lie in the order in which those were
// committed, wherever they lie: across databases nobody promises an order, and across partitions nothing can be said of it.
#pragma once

#include <vector>

#include "models/checkers/checker.hpp"
#include "sim/histogram.hpp"

namespace models {

class Facts final : public Checker {
 public:
  Facts(const Ledger& ledger, Anomalies& anomalies) : ledger_(ledger), anomalies_(anomalies) {}

  KindSet kinds() const override { return kinds_of(Kind::fact, Kind::published, Kind::stored); }
  void record(const sim::TraceRecord& r, std::span<const std::int64_t> payload,
              sim::RecordNumber number) override;
  void finish(sim::Time end) override;
  void report(MetricValues& values) const override;

 private:
  struct Fact {
    std::uint32_t database = 0;  ///< 0: not committed
    std::uint32_t aggregate = 0;
    std::int64_t position = 0;  ///< in its database's log
    sim::Time at{};
    bool told = false;       ///< somebody is to publish it
    bool stored = false;     ///< a message that says so has been in a log
    std::uint32_t said = 0;  ///< by so many messages that count
  };
  /// What a message says.
  struct Said {
    std::uint32_t lane = 0;  ///< of facts; 0: nothing
    std::uint64_t seq = 0;
  };

  Fact& fact(std::uint32_t lane, std::uint64_t seq);
  void committed(const sim::TraceRecord& r);
  void published(const sim::TraceRecord& r, std::uint32_t facts);
  void stored(const sim::TraceRecord& r);
  void walk_log(const Ledger::Partition& p, sim::Time end);
  void count(const Ledger::Partition& p, LaneId lane, std::uint64_t seq, std::int64_t offset, sim::Time end);

  const Ledger& ledger_;
  Anomalies& anomalies_;
  std::vector<std::vector<Fact>> facts_;  // by lane of facts
  std::vector<std::vector<Said>> said_;   // by lane of messages
  /// Of one partition's log so far: the latest fact of each aggregate in each database's log, and one more.
  std::vector<std::vector<std::int64_t>> latest_;
  sim::Histogram delay_;
  std::uint64_t committed_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace models
