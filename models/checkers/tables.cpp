#include "models/checkers/tables.hpp"

#include <algorithm>

#include "models/metrics/catalogue.hpp"

namespace models {

void Tables::record(const sim::TraceRecord& r, std::span<const std::int64_t> payload, sim::RecordNumber) {
  switch (static_cast<Kind>(r.kind)) {
    case Kind::subscribed:
      if ((r.code & kMaterialises) != 0) tables_.push_back({.place = r.place, .group = r.peer, .rows = {}});
      return;
    case Kind::offered:
      if (kept(r.place)) offered(r, payload);
      return;
    case Kind::tombstones:
      if (!kept(r.place)) return;
      for (const std::int64_t seq : payload) keys_[r.peer][static_cast<std::size_t>(seq)] |= kTombstone;
      return;
    case Kind::processed:
      return processed(r);
    default:
      return;
  }
}

bool Tables::kept(std::uint32_t place) const {
  return std::any_of(tables_.begin(), tables_.end(), [place](const Table& t) { return t.place == place; });
}

void Tables::offered(const sim::TraceRecord& r, std::span<const std::int64_t> payload) {
  if (r.peer >= keys_.size()) keys_.resize(r.peer + 1);
  const auto n = static_cast<std::size_t>(r.b);
  for (std::size_t i = 0; i < n; ++i)
    keys_[r.peer].push_back((r.code & kHasKeys) != 0 ? static_cast<std::uint32_t>(payload[n + i]) : kNoKey);
}

void Tables::processed(const sim::TraceRecord& r) {
  for (Table& table : tables_) {
    if (table.place != r.place || table.group != r.peer) continue;
    const Ledger::Partition& p = *ledger_.partition(EntityId{r.place});
    if (p.log.all_live(r.a + r.b, r.c)) {
      p.log.walk(r.a, r.b, table.cursor, [&](const LogPiece& piece) { put(table.rows, piece); });
    } else {
      for (const LogPiece& piece : p.log.walk_as_of(r.a, r.b, r.c)) put(table.rows, piece);
    }
  }
}

void Tables::put(Rows& rows, const LogPiece& piece) const {
  for (std::uint64_t seq = piece.seq; seq < piece.seq + piece.count; ++seq) {
    const std::uint32_t found = keys_[piece.lane.value][seq];
    if (found == kNoKey) continue;
    const std::uint32_t key = found & ~kTombstone;
    if (key >= rows.size()) rows.resize(key + 1);
    rows[key] = (found & kTombstone) != 0 ? Row{} : Row{piece.lane, seq};
  }
}

Tables::Rows Tables::truth(const Ledger::Partition& p) const {
  Rows rows;
  LogIndex::Cursor cursor = 0;
  p.log.walk(0, p.log.end(), cursor, [&](LogPiece piece) {
    const Ledger::Lane& lane = ledger_.lanes()[piece.lane.value];
    if (lane.aborted.empty() && lane.undecided.empty()) return put(rows, piece);
    for (; piece.count > 0; --piece.count, ++piece.seq) {
      if (Ledger::counts(lane.stored.at(piece.seq), lane.truncated.at(piece.seq), lane.aborted.at(piece.seq),
                         lane.undecided.at(piece.seq)))
        put(rows, {piece.lane, piece.seq, 1, 0});
    }
  });
  return rows;
}

void Tables::finish(sim::Time end) {
  for (const Table& table : tables_) compare(table, end);
}

void Tables::compare(const Table& table, sim::Time end) {
  const Ledger::Partition* const p = ledger_.partition(EntityId{table.place});
  if (p == nullptr) return;
  const Rows rows = truth(*p);
  const auto row_of = [](const Rows& all, std::size_t key) { return key < all.size() ? all[key] : Row{}; };
  for (std::size_t key = 0; key < std::max(rows.size(), table.rows.size()); ++key) {
    const Row is = row_of(table.rows, key);
    const Row should = row_of(rows, key);
    keys_there_ += should != Row{} ? 1 : 0;
    if (is == should) continue;
    const Row& named = is != Row{} ? is : should;
    const auto note = [&](Verdict verdict) {
      anomalies_.add({end, verdict, EntityId{table.place}, EntityId{table.group}, named.lane,
                      static_cast<std::int64_t>(named.seq), -1, 1, 0});
    };
    note(Verdict::table_wrong);
    if (should == Row{}) note(Verdict::resurrected);
  }
}

void Tables::report(MetricValues& values) const {
  if (tables_.empty()) return;
  values[Metric::table_keys] = static_cast<double>(keys_there_);
}

}  // namespace models
