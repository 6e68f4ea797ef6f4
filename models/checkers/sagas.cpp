#include "models/checkers/sagas.hpp"

#include <algorithm>
#include <bit>

#include "models/metrics/catalogue.hpp"

namespace models {

void Sagas::record(const sim::TraceRecord& r, std::span<const std::int64_t>, sim::RecordNumber) {
  const std::size_t type = r.code & static_cast<std::uint16_t>(~kToBePublished);
  if (static_cast<Kind>(r.kind) == Kind::fact_type) {
    any_ = true;
    types_[type] = {true, static_cast<FactRole>(r.a), r.b, r.c};
    return;
  }
  if (!any_) return;
  const auto aggregate = static_cast<std::size_t>(r.b);
  if (aggregate >= sagas_.size()) sagas_.resize(aggregate + 1);
  Saga& saga = sagas_[aggregate];
  if (!saga.begun) {
    saga.begun = true;
    saga.first = r.time;
    saga.place = r.actor;
  } else {
    ++saga.hops;
    look(saga, r.actor, type);
  }
  if (saga.facts[type] < 255) ++saga.facts[type];
  if (types_[type].role != FactRole::step && !saga.ended) {
    saga.ended = true;
    saga.end = r.time;
  }
}

void Sagas::look(Saga& saga, std::uint32_t database, std::size_t type) {
  const std::uint64_t own = std::uint64_t{1} << type;
  bool right = true;
  if (database != saga.place) {
    right = saga.unanswered == 0;
    saga.unanswered |= own;
    unrecorded_max_ = std::max(unrecorded_max_, std::popcount(saga.unanswered));
  } else {
    const std::uint64_t answered = saga.unanswered & static_cast<std::uint64_t>(types_[type].answers);
    right = answered != 0;
    saga.unanswered &= ~answered;
  }
  saga.hidden = saga.hidden || !right;
}

int Sagas::count(const Saga& saga, FactRole role) const {
  int n = 0;
  for (std::size_t t = 0; t < kMostTypes; ++t) {
    if (types_[t].known && types_[t].role == role) n += saga.facts[t];
  }
  return n;
}

bool Sagas::undone(const Saga& saga) const {
  for (std::size_t t = 0; t < kMostTypes; ++t) {
    if (types_[t].undoes < 0) continue;
    if (saga.facts[t] != saga.facts[static_cast<std::size_t>(types_[t].undoes)]) return false;
  }
  return true;
}

bool Sagas::undid_nothing(const Saga& saga) const {
  for (std::size_t t = 0; t < kMostTypes; ++t) {
    if (types_[t].undoes >= 0 && saga.facts[t] > 0) return false;
  }
  return true;
}

void Sagas::judge(const Saga& saga, std::int64_t aggregate, sim::Time end) {
  ++begun_;
  const auto note = [&](Verdict verdict) {
    anomalies_.add({end, verdict, EntityId{saga.place}, EntityId{}, LaneId{}, aggregate, -1, 1, 0});
  };
  if (saga.hidden) note(Verdict::saga_hidden);
  const int succeeded = count(saga, FactRole::succeeds);
  const int failed = count(saga, FactRole::fails);
  if (succeeded == 0 && failed == 0) return note(Verdict::saga_stuck);
  bool once = true;
  for (const std::uint8_t times : saga.facts) once = once && times <= 1;
  const bool consistent = once && (failed == 0 ? undid_nothing(saga) : succeeded == 0 && undone(saga));
  if (!consistent) return note(Verdict::saga_inconsistent);
  ++(failed == 0 ? done_ : compensated_);
  latency_.record(sim::nanoseconds(saga.end) - sim::nanoseconds(saga.first));
  if (failed > 0) return;
  hops_ += saga.hops;
  taken_ += saga.end - saga.first;
}

void Sagas::finish(sim::Time end) {
  if (!any_) return;
  for (std::size_t i = 0; i < sagas_.size(); ++i) {
    if (sagas_[i].begun) judge(sagas_[i], static_cast<std::int64_t>(i), end);
  }
}

void Sagas::report(MetricValues& values) const {
  if (!any_) return;
  values[Metric::sagas] = static_cast<double>(begun_);
  values[Metric::sagas_done] = static_cast<double>(done_);
  values[Metric::sagas_compensated] = static_cast<double>(compensated_);
  values[Metric::sagas_stuck] = static_cast<double>(anomalies_.counted(Verdict::saga_stuck));
  values[Metric::sagas_inconsistent] = static_cast<double>(anomalies_.counted(Verdict::saga_inconsistent));
  values[Metric::sagas_hidden] = static_cast<double>(anomalies_.counted(Verdict::saga_hidden));
  values[Metric::saga_unrecorded_max] = static_cast<double>(unrecorded_max_);
  if (done_ > 0) {
    values[Metric::saga_hops_mean] = static_cast<double>(hops_) / static_cast<double>(done_);
    if (hops_ > 0)
      values[Metric::saga_hop_mean_ms] =
          static_cast<double>(taken_.count()) / static_cast<double>(hops_) * 1e-6;
  }
  if (latency_.count() == 0) return;
  values[Metric::saga_latency_mean_ms] = latency_.mean() * 1e-6;
  values[Metric::saga_latency_p99_ms] = static_cast<double>(latency_.quantile(0.99)) * 1e-6;
  values[Metric::saga_latency_max_ms] = static_cast<double>(latency_.max()) * 1e-6;
}

}  // namespace models
