#include "models/checkers/commitment.hpp"

#include <algorithm>

#include "models/metrics/catalogue.hpp"

namespace models {

void Commitment::record(const sim::TraceRecord& r, std::span<const std::int64_t>, sim::RecordNumber) {
  const auto code = static_cast<VoteCode>(r.code);
  if (code == VoteCode::prepared) {
    parts_.push_back({r.actor, r.place, r.a, r.time, code});
    return;
  }
  // The newest first: votes are decided soon.
  const auto at = std::find_if(parts_.rbegin(), parts_.rend(), [&r](const Part& p) {
    return p.database == r.actor && p.coordinator == r.place && p.transaction == r.a &&
           p.last == VoteCode::prepared;
  });
  if (at == parts_.rend()) return;
  at->last = code;
  doubt_.record(sim::nanoseconds(r.time) - sim::nanoseconds(at->voted));
}

void Commitment::finish(sim::Time end) {
  for (const Part& part : parts_) {
    if (part.last == VoteCode::prepared) doubt_.record(sim::nanoseconds(end) - sim::nanoseconds(part.voted));
  }
  std::sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) {
    return std::pair(a.coordinator, a.transaction) < std::pair(b.coordinator, b.transaction);
  });
  for (std::size_t first = 0; first < parts_.size();) {
    std::size_t next = first;
    bool committed = false, other = false;
    for (; next < parts_.size() && parts_[next].coordinator == parts_[first].coordinator &&
           parts_[next].transaction == parts_[first].transaction;
         ++next)
      (parts_[next].last == VoteCode::committed ? committed : other) = true;
    if (committed && other)
      anomalies_.add({end, Verdict::decision_split, EntityId{parts_[first].coordinator}, EntityId{}, LaneId{},
                      parts_[first].transaction, -1, 1, 0});
    first = next;
  }
}

void Commitment::report(MetricValues& values) const {
  if (parts_.empty()) return;
  values[Metric::decisions_split] = static_cast<double>(anomalies_.counted(Verdict::decision_split));
  values[Metric::in_doubt_mean_ms] = doubt_.mean() * 1e-6;
  values[Metric::in_doubt_max_ms] = static_cast<double>(doubt_.max()) * 1e-6;
}

}  // namespace models
