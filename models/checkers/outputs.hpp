// Whether each input of a group that transforms has exactly one output.
//
// A message that a group makes names its input. It counts when it is in the log and its transaction, if it has one, was
// committed. An input that the group has processed and committed must have one output that counts; more than one is a
// duplicate, whoever made them. An input that came too late for its window needs none, nor does one whose output never was in the
// log, and that compaction had removed when it was to be done again.
#pragma once

#include <map>
#include <vector>

#include "models/checkers/checker.hpp"

namespace models {

class Outputs final : public Checker {
 public:
  Outputs(const Ledger& ledger, Anomalies& anomalies) : ledger_(ledger), anomalies_(anomalies) {}

  KindSet kinds() const override { return kinds_of(Kind::derived, Kind::late); }
  void record(const sim::TraceRecord& r, std::span<const std::int64_t> payload,
              sim::RecordNumber number) override;
  void finish(sim::Time end) override;
  void report(MetricValues& values) const override;

 private:
  /// Consecutive messages of a lane that were made of consecutive messages of another.
  struct Run {
    EntityId group{};
    LaneId lane{};
    LaneId input{};
    std::uint64_t seq = 0;
    std::uint64_t input_seq = 0;
    std::uint64_t count = 0;
    sim::RecordNumber record = 0;
  };

  void late(const sim::TraceRecord& r);
  /// Of a lane of inputs.
  struct Made {
    RunCounts outputs;  ///< that count
    RunCounts lost;     ///< by the log, which had acknowledged them
  };

  void find_transactional();
  void count_run(const Run& run, sim::Time end, std::vector<Made>& made);
  void find_missing(EntityId group, const std::vector<Made>& made, sim::Time end);

  const Ledger& ledger_;
  Anomalies& anomalies_;
  std::vector<Run> runs_;
  std::vector<bool> transactional_;                  // by lane; filled by finish()
  std::map<EntityId, std::vector<RunCounts>> late_;  // by group and lane of inputs
  LogIndex::Cursor cursor_ = 0;
  std::uint64_t counted_ = 0;
};

}  // namespace models
