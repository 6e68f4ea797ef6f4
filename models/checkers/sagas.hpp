// Whether every saga comes to an end, and to a consistent one.
//
// A saga is what happens to one aggregate: its facts, in whatever databases. Facts have roles: one by which a saga succeeds, one
// by which it fails, and those that undo others. A saga that succeeded and undid nothing is done; one that failed, and undid
// each thing that it had done and that can be undone, once, is compensated. All others are stuck (neither) or inconsistent.
//
// And whether the state of each can be read where it began (an orchestrator's database), at any time: each of the facts there
// answers one that was committed elsewhere, and at any moment at most one of those has no answer yet. Else it is hidden.
#pragma once

#include <array>
#include <vector>

#include "models/checkers/checker.hpp"
#include "sim/histogram.hpp"

namespace models {

class Sagas final : public Checker {
 public:
  Sagas(const Ledger&, Anomalies& anomalies) : anomalies_(anomalies) {}

  KindSet kinds() const override { return kinds_of(Kind::fact_type, Kind::fact); }
  void record(const sim::TraceRecord& r, std::span<const std::int64_t> payload,
              sim::RecordNumber number) override;
  void finish(sim::Time end) override;
  void report(MetricValues& values) const override;

 private:
  static constexpr std::size_t kMostTypes = 64;
  struct Type {
    bool known = false;
    FactRole role = FactRole::step;
    std::int64_t undoes = -1;
    std::int64_t answers = -1;  ///< these types, a bit each, where sagas begin; -1: it is not made there
  };
  struct Saga {
    bool begun = false;
    bool ended = false;
    bool hidden = false;
    std::uint64_t unanswered = 0;  ///< types of the facts elsewhere that have no answer yet, a bit each
    std::uint32_t hops = 0;        ///< facts behind the first
    sim::Time first{};
    sim::Time end{};
    std::uint32_t place = 0;                       ///< the database of its first fact
    std::array<std::uint8_t, kMostTypes> facts{};  ///< how often, by type
  };

  void look(Saga& saga, std::uint32_t database, std::size_t type);
  void judge(const Saga& saga, std::int64_t aggregate, sim::Time end);
  /// The role's facts, how often.
  int count(const Saga& saga, FactRole role) const;
  bool undone(const Saga& saga) const;
  bool undid_nothing(const Saga& saga) const;

  Anomalies& anomalies_;
  std::array<Type, kMostTypes> types_{};
  bool any_ = false;
  std::vector<Saga> sagas_;  // by aggregate
  std::uint64_t begun_ = 0, done_ = 0, compensated_ = 0;
  int unrecorded_max_ = 0;
  sim::Histogram latency_;
  std::uint64_t hops_ = 0;  // of those that are done
  sim::Duration taken_{};   // by these
};

}  // namespace models
