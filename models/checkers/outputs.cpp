#include "models/checkers/outputs.hpp"

#include <algorithm>

#include "models/checkers/signs.hpp"
#include "models/metrics/catalogue.hpp"

namespace models {
void Outputs::record(const sim::TraceRecord& r, std::span<const std::int64_t> payload,
                     sim::RecordNumber number) {
  if (static_cast<Kind>(r.kind) == Kind::late) return late(r);
  const Run run{EntityId{static_cast<std::uint32_t>(payload[1])},
                LaneId{r.peer},
                LaneId{static_cast<std::uint32_t>(payload[0])},
                static_cast<std::uint64_t>(r.a),
                static_cast<std::uint64_t>(r.c),
                static_cast<std::uint64_t>(r.b),
                number};
  if (!runs_.empty()) {
    Run& last = runs_.back();
    const bool goes_on = last.group == run.group && last.lane == run.lane && last.input == run.input &&
                         last.seq + last.count == run.seq && last.input_seq + last.count == run.input_seq;
    if (goes_on) {
      last.count += run.count;
      return;
    }
  }
  runs_.push_back(run);
}

void Outputs::late(const sim::TraceRecord& r) {
  std::vector<RunCounts>& lanes = late_[EntityId{r.peer}];
  cursor_ = 0;
  ledger_.partition(EntityId{r.place})->log.walk(r.a, r.b, cursor_, [&lanes](const LogPiece& piece) {
    if (piece.lane.value >= lanes.size()) lanes.resize(piece.lane.value + 1);
    lanes[piece.lane.value].add(piece.seq, piece.count);
  });
}

void Outputs::finish(sim::Time end) {
  std::vector<EntityId> groups;
  for (const Run& run : runs_) {
    if (std::find(groups.begin(), groups.end(), run.group) == groups.end()) groups.push_back(run.group);
  }
  find_transactional();
  for (const EntityId group : groups) {
    std::vector<Made> made(ledger_.lanes().size());  // by lane of inputs
    for (const Run& run : runs_) {
      if (run.group == group) count_run(run, end, made);
    }
    find_missing(group, made, end);
  }
}

void Outputs::find_transactional() {
  transactional_.assign(ledger_.lanes().size(), false);
  for (const Ledger::Partition& p : ledger_.partitions()) {
    for (const Ledger::Ended& ended : p.transactions) transactional_[ended.lane.value] = true;
  }
  for (std::size_t id = 0; id < transactional_.size(); ++id) {
    if (ledger_.lanes()[id].open_since >= 0) transactional_[id] = true;
  }
}

void Outputs::count_run(const Run& run, sim::Time end, std::vector<Made>& made) {
  const Ledger::Lane& lane = ledger_.lanes()[run.lane.value];
  const Ledger::Partition& p = ledger_.partitions()[lane.partition - 1];
  for (std::uint64_t i = 0; i < run.count; ++i) {
    const std::uint64_t seq = run.seq + i;
    if (!Ledger::counts(lane.stored.at(seq), lane.truncated.at(seq), lane.aborted.at(seq),
                        lane.undecided.at(seq))) {
      // Whether a transaction of which nothing is left had been committed cannot be told.
      if (lane.acknowledged.at(seq) > 0 && !transactional_[run.lane.value])
        made[run.input.value].lost.add(run.input_seq + i, 1);
      continue;
    }
    ++counted_;
    made[run.input.value].outputs.add(run.input_seq + i, 1,
                                      [&](std::uint64_t input, std::uint64_t, std::uint32_t before) {
                                        if (before == 0) return;
                                        anomalies_.add({end, Verdict::output_duplicated, p.id, run.group,
                                                        run.input, signed_of(input), -1, 1, run.record});
                                      });
  }
}

void Outputs::find_missing(EntityId group, const std::vector<Made>& made, sim::Time end) {
  const RunCounts none;
  const std::vector<RunCounts>& late = late_[group];
  for (const Ledger::Partition& p : ledger_.partitions()) {
    const auto is_reader = [&](const Ledger::Subscription& s) {
      return ledger_.totals().groups[s.group].group == group;
    };
    const auto reader = std::find_if(p.subscriptions.begin(), p.subscriptions.end(), is_reader);
    if (reader == p.subscriptions.end()) continue;
    const auto sub = static_cast<std::size_t>(reader - p.subscriptions.begin());
    for (const LaneId id : p.lanes) {
      const Ledger::Lane& lane = ledger_.lanes()[id.value];
      const RunCounts& too_late = id.value < late.size() ? late[id.value] : none;
      const Ledger::LaneGroup& of_group = lane.groups[sub];
      visit_jointly<6>(
          {&of_group.processed, &of_group.settled, &of_group.compacted, &made[id.value].outputs,
           &made[id.value].lost, &too_late},
          lane.offered(),
          [&](std::uint64_t seq, std::uint64_t n, const std::array<std::uint32_t, 6>& counts) {
            const auto [processed, settled, compacted, outputs, lost, dropped] = counts;
            if (processed == 0 || settled == 0 || outputs > 0 || dropped > 0) return;
            // What was aborted, or failed, and compacted away before it could be done again is superseded: a newer
            // record of its key is there. An output that was done and is lost was not to be done again.
            if (compacted > 0 && lost == 0) return;
            anomalies_.add(
                {end, Verdict::output_missing, p.id, group, id, signed_of(seq), -1, signed_of(n), 0});
          });
    }
  }
}

void Outputs::report(MetricValues& values) const {
  if (!runs_.empty()) values[Metric::outputs] = static_cast<double>(counted_);
}

}  // namespace models
