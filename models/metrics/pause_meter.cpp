#include "models/metrics/pause_meter.hpp"

#include <algorithm>
#include <map>

#include "models/trace_kinds.hpp"

namespace models {

sim::Duration PauseMeter::after_warmup(sim::Time since, sim::Time t) const {
  return std::max(sim::Duration{}, t - std::max(since, window_.warm));
}

bool PauseMeter::ownership(const sim::TraceRecord& r, bool unread, sim::RecordNumber number) {
  const std::size_t reading = readings_.index(r.place, r.peer);
  if (reading >= states_.size()) states_.resize(reading + 1);
  State& s = states_[reading];
  const auto owner = std::find(s.owners.begin(), s.owners.end(), r.actor);
  const bool owned = owner != s.owners.end();
  if (owned == (r.a == 1)) return false;
  if (owned) {
    s.owners.erase(owner);
    dropped(s, r, unread);
  } else {
    s.owners.push_back(r.actor);
    gained(s, r, number);
  }
  return true;
}

void PauseMeter::gained(State& s, const sim::TraceRecord& r, sim::RecordNumber number) {
  if (s.owners.size() == 1) return close_pause(s, r.time);
  if (s.owners.size() != 2) return;
  s.overlap_since = s.last_overlap_since = r.time;
  ++s.overlaps;
  anomalies_.add({r.time, Verdict::overlap, EntityId{r.place}, EntityId{r.actor}, {}, -1, -1, 1, number});
}

void PauseMeter::dropped(State& s, const sim::TraceRecord& r, bool unread) {
  if (s.owners.size() == 1 && s.overlap_since) {
    s.overlap_sum += after_warmup(*s.overlap_since, r.time);
    s.last_overlap_end = r.time;
    s.overlap_since.reset();
  }
  if (!s.owners.empty()) return;
  s.unfetchable_since = r.time;
  s.pause = {};
  set_waiting(s, unread, r.time);
}

void PauseMeter::set_waiting(State& s, bool waiting, sim::Time t) {
  if (waiting == s.waiting_since.has_value()) return;
  if (waiting) {
    s.waiting_since = t;
  } else {
    s.pause += after_warmup(*s.waiting_since, t);
    s.waiting_since.reset();
  }
}

void PauseMeter::close_pause(State& s, sim::Time t) {
  if (!s.unfetchable_since) return;
  set_waiting(s, false, t);
  s.unfetchable_sum += after_warmup(*s.unfetchable_since, t);
  s.unfetchable_since.reset();
  if (s.pause == sim::Duration{}) return;
  ++s.pauses;
  s.pause_sum += s.pause;
  s.pause_max = std::max(s.pause_max, s.pause);
}

void PauseMeter::processed(const sim::TraceRecord& r, std::span<const std::int64_t> payload) {
  const std::size_t reading = readings_.index(r.place, r.peer);
  if (reading >= states_.size() || !states_[reading].last_overlap_since) return;
  // The record tells of a poll's work, which may begin before the overlap and be told of after it.
  State& s = states_[reading];
  const std::int64_t from = sim::nanoseconds(*s.last_overlap_since);
  const std::int64_t to = sim::nanoseconds(s.overlap_since ? r.time : s.last_overlap_end);
  for (std::int64_t i = 0; i < r.b; ++i) {
    const std::int64_t finish =
        (r.code & kArithmetic) != 0 ? payload[0] + payload[1] * i : payload[static_cast<std::size_t>(i)];
    s.overlap_processed += finish >= from && finish <= to ? 1 : 0;
  }
}

void PauseMeter::sample(sim::Time t, std::vector<Sample>& points) const {
  std::map<EntityId, std::uint64_t> unfetchable;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    unfetchable[readings_[i].group] += states_[i].unfetchable_since ? 1 : 0;
  }
  for (const auto& [group, count] : unfetchable) {
    points.push_back({t, Series::unfetchable_partitions, group, {}, static_cast<double>(count)});
  }
}

void PauseMeter::finish(sim::Time end) {
  for (State& s : states_) {
    close_pause(s, end);
    if (s.overlap_since) s.overlap_sum += after_warmup(*s.overlap_since, end);
  }
}

void PauseMeter::add(State& sum, const State& s) {
  sum.pause_sum += s.pause_sum;
  sum.pause_max = std::max(sum.pause_max, s.pause_max);
  sum.unfetchable_sum += s.unfetchable_sum;
  sum.overlap_sum += s.overlap_sum;
  sum.pauses += s.pauses;
  sum.overlaps += s.overlaps;
  sum.overlap_processed += s.overlap_processed;
}

void PauseMeter::report(MetricValues& values, std::vector<Labelled>& labelled) const {
  if (states_.empty()) return;
  const auto put_each = [](const State& s, const auto& put) {
    put(Metric::rebalance_pause_sum_s, sim::seconds(s.pause_sum));
    put(Metric::rebalance_pause_max_s, sim::seconds(s.pause_max));
    put(Metric::rebalance_pauses, static_cast<double>(s.pauses));
    put(Metric::unfetchable_sum_s, sim::seconds(s.unfetchable_sum));
    put(Metric::overlaps, static_cast<double>(s.overlaps));
    put(Metric::overlap_sum_s, sim::seconds(s.overlap_sum));
    put(Metric::overlap_processed, static_cast<double>(s.overlap_processed));
  };
  State all;
  std::map<std::uint32_t, State> groups;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const State& s = states_[i];
    const Reading& r = readings_[i];
    add(all, s);
    add(groups[r.group.value], s);
    labelled.push_back({Metric::rebalance_pause_sum_s, r.place, r.group, sim::seconds(s.pause_sum)});
    labelled.push_back({Metric::rebalance_pauses, r.place, r.group, static_cast<double>(s.pauses)});
    labelled.push_back({Metric::unfetchable_sum_s, r.place, r.group, sim::seconds(s.unfetchable_sum)});
  }
  for (const auto& [group, s] : groups) {
    put_each(s, [&, id = EntityId{group}](Metric metric, double value) {
      labelled.push_back({metric, id, {}, value});
    });
  }
  put_each(all, [&](Metric metric, double value) { values[metric] = value; });
}

}  // namespace models
