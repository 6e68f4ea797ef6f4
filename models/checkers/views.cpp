#include "models/checkers/views.hpp"

#include <algorithm>

#include "models/metrics/catalogue.hpp"

namespace models {

void Views::record(const sim::TraceRecord& r, std::span<const std::int64_t>, sim::RecordNumber number) {
  switch (static_cast<Kind>(r.kind)) {
    case Kind::fact:
      return committed(r);
    case Kind::applied:
      return applied(r);
    default:
      return viewed(r, number);
  }
}

template <class Table>
Table& Views::of(std::vector<Table>& tables, std::uint32_t Table::*name, std::uint32_t value) {
  const auto at =
      std::find_if(tables.begin(), tables.end(), [&](const Table& t) { return t.*name == value; });
  if (at != tables.end()) return *at;
  tables.emplace_back().*name = value;
  return tables.back();
}

void Views::put(std::vector<FactRef>& rows, std::int64_t aggregate, FactRef fact) {
  const auto at = static_cast<std::size_t>(aggregate);
  if (at >= rows.size()) rows.resize(at + 1);
  rows[at] = fact;
}

void Views::committed(const sim::TraceRecord& r) {
  if (r.peer >= facts_.size()) facts_.resize(r.peer + 1);
  const auto seq = static_cast<std::size_t>(r.a);
  if (seq >= facts_[r.peer].size()) facts_[r.peer].resize(seq + 1);
  facts_[r.peer][seq] = {r.time, r.actor};
  put(of(sources_, &Source::database, r.actor).rows, r.b, {r.peer, r.a});
}

void Views::applied(const sim::TraceRecord& r) {
  View& view = of(views_, &View::service, r.place);
  put(view.rows, r.b, {r.peer, r.a});
  const bool known = r.peer < facts_.size() && static_cast<std::size_t>(r.a) < facts_[r.peer].size();
  if (!known) return;
  const Committed& fact = facts_[r.peer][static_cast<std::size_t>(r.a)];
  view.of = fact.database;
  lag_.record(sim::nanoseconds(r.time) - sim::nanoseconds(fact.at));
}

void Views::viewed(const sim::TraceRecord& r, sim::RecordNumber number) {
  ++reads_;
  if (r.b == 1) return;
  anomalies_.add({r.time, Verdict::view_stale, EntityId{r.place}, EntityId{r.actor}, LaneId{r.peer}, r.a, -1,
                  1, number});
}

void Views::finish(sim::Time end) {
  for (const View& view : views_) {
    const auto source = std::find_if(sources_.begin(), sources_.end(),
                                     [&view](const Source& s) { return s.database == view.of; });
    if (source == sources_.end()) continue;
    for (std::size_t i = 0; i < std::max(view.rows.size(), source->rows.size()); ++i) {
      const FactRef is = i < view.rows.size() ? view.rows[i] : FactRef{};
      const FactRef should = i < source->rows.size() ? source->rows[i] : FactRef{};
      if (is == should) continue;
      anomalies_.add({end, Verdict::view_wrong, EntityId{view.service}, EntityId{}, LaneId{should.lane},
                      should.seq, -1, 1, 0});
    }
  }
}

void Views::report(MetricValues& values) const {
  if (views_.empty()) return;
  values[Metric::views_wrong] = static_cast<double>(anomalies_.counted(Verdict::view_wrong));
  if (reads_ > 0) {
    values[Metric::own_reads] = static_cast<double>(reads_);
    values[Metric::own_reads_stale] = static_cast<double>(anomalies_.counted(Verdict::view_stale));
  }
  if (lag_.count() == 0) return;
  values[Metric::projection_lag_mean_ms] = lag_.mean() * 1e-6;
  values[Metric::projection_lag_p99_ms] = static_cast<double>(lag_.quantile(0.99)) * 1e-6;
  values[Metric::projection_lag_max_ms] = static_cast<double>(lag_.max()) * 1e-6;
}

}  // namespace models
