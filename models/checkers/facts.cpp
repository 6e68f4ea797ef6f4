#include "models/checkers/facts.hpp"

#include "models/checkers/signs.hpp"
#include "models/metrics/catalogue.hpp"

namespace models {
void Facts::record(const sim::TraceRecord& r, std::span<const std::int64_t> payload, sim::RecordNumber) {
  switch (static_cast<Kind>(r.kind)) {
    case Kind::fact:
      return committed(r);
    case Kind::published:
      return published(r, static_cast<std::uint32_t>(payload[0]));
    default:
      return stored(r);
  }
}

Facts::Fact& Facts::fact(std::uint32_t lane, std::uint64_t seq) {
  if (lane >= facts_.size()) facts_.resize(lane + 1);
  if (seq >= facts_[lane].size()) facts_[lane].resize(seq + 1);
  return facts_[lane][seq];
}

void Facts::committed(const sim::TraceRecord& r) {
  Fact& row = fact(r.peer, unsigned_of(r.a));
  row.database = r.actor;
  row.aggregate = static_cast<std::uint32_t>(r.b);
  row.position = r.c;
  row.at = r.time;
  row.told = (r.code & kToBePublished) != 0;
  committed_ += row.told ? 1 : 0;
}

void Facts::published(const sim::TraceRecord& r, std::uint32_t facts) {
  if (r.peer >= said_.size()) said_.resize(r.peer + 1);
  std::vector<Said>& lane = said_[r.peer];
  lane.resize(unsigned_of(r.a));
  for (std::int64_t i = 0; i < r.b; ++i) lane.push_back({facts, unsigned_of(r.c + i)});
}

void Facts::stored(const sim::TraceRecord& r) {
  if (r.peer >= said_.size() || (r.code & kOffLine) != 0) return;
  const std::vector<Said>& lane = said_[r.peer];
  for (std::uint64_t seq = unsigned_of(r.a); seq < unsigned_of(r.a + r.b) && seq < lane.size(); ++seq) {
    if (lane[seq].lane == 0) continue;
    Fact& row = fact(lane[seq].lane, lane[seq].seq);
    if (row.stored) continue;
    row.stored = true;
    if (row.database != 0) delay_.record(sim::nanoseconds(r.time) - sim::nanoseconds(row.at));
  }
}

void Facts::finish(sim::Time end) {
  if (facts_.empty() && said_.empty()) return;
  for (const Ledger::Partition& p : ledger_.partitions()) walk_log(p, end);
  for (std::uint32_t lane = 0; lane < facts_.size(); ++lane) {
    for (std::uint64_t seq = 0; seq < facts_[lane].size(); ++seq) {
      const Fact& row = facts_[lane][seq];
      if (row.database == 0 || !row.told || row.said > 0) continue;
      anomalies_.add({end, Verdict::event_lost, EntityId{row.database}, EntityId{}, LaneId{lane},
                      signed_of(seq), -1, 1, 0});
    }
  }
}

void Facts::walk_log(const Ledger::Partition& p, sim::Time end) {
  latest_.clear();
  LogIndex::Cursor cursor = 0;
  p.log.walk(0, p.log.end(), cursor, [&](const LogPiece& piece) {
    if (piece.lane.value >= said_.size()) return;
    const Ledger::Lane& lane = ledger_.lanes()[piece.lane.value];
    for (std::uint64_t i = 0; i < piece.count; ++i) {
      const std::uint64_t seq = piece.seq + i;
      if (Ledger::counts(lane.stored.at(seq), lane.truncated.at(seq), lane.aborted.at(seq),
                         lane.undecided.at(seq)))
        count(p, piece.lane, seq, piece.offset + signed_of(i), end);
    }
  });
}

void Facts::count(const Ledger::Partition& p, LaneId lane, std::uint64_t seq, std::int64_t offset,
                  sim::Time end) {
  if (seq >= said_[lane.value].size() || said_[lane.value][seq].lane == 0) return;
  const Said& said = said_[lane.value][seq];
  Fact& row = fact(said.lane, said.seq);
  ++events_;
  const auto note = [&](Verdict verdict) {
    anomalies_.add({end, verdict, p.id, EntityId{}, LaneId{said.lane}, signed_of(said.seq), offset, 1, 0});
  };
  if (row.database == 0) return note(Verdict::event_invented);
  if (row.said++ > 0) return note(Verdict::event_duplicated);
  if (row.database >= latest_.size()) latest_.resize(row.database + 1);
  std::vector<std::int64_t>& latest = latest_[row.database];
  if (row.aggregate >= latest.size()) latest.resize(row.aggregate + 1);
  if (row.position < latest[row.aggregate]) return note(Verdict::event_reordered);
  latest[row.aggregate] = row.position + 1;
}

void Facts::report(MetricValues& values) const {
  if (facts_.empty() && said_.empty()) return;
  values[Metric::facts] = static_cast<double>(committed_);
  values[Metric::events] = static_cast<double>(events_);
  const auto put = [&](Metric metric, Verdict verdict) {
    values[metric] = static_cast<double>(anomalies_.counted(verdict));
  };
  put(Metric::events_lost, Verdict::event_lost);
  put(Metric::events_invented, Verdict::event_invented);
  put(Metric::events_duplicated, Verdict::event_duplicated);
  put(Metric::events_reordered, Verdict::event_reordered);
  if (delay_.count() == 0) return;
  values[Metric::event_delay_mean_ms] = delay_.mean() * 1e-6;
  values[Metric::event_delay_p99_ms] = static_cast<double>(delay_.quantile(0.99)) * 1e-6;
  values[Metric::event_delay_max_ms] = static_cast<double>(delay_.max()) * 1e-6;
}

}  // namespace models
