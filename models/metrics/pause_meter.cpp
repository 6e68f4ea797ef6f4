#include "models/metrics/pause_meter.hpp"

#include <algorithm>
#include <map>

#include "models/trace_kinds.hpp"

namespace models {

// ---- gaps -------------------------------------------------------------------------------------------------

void Gaps::begin(sim::Time t, bool waiting) {
  if (since_) return;
  since_ = t;
  now_ = {};
  wait(waiting, t);
}

void Gaps::change(bool waiting, sim::Time t) {
  if (waiting) {
    waiting_since_ = t;
  } else {
    now_ += std::max(sim::Duration{}, t - std::max(*waiting_since_, window_->warm));
    waiting_since_.reset();
  }
}

void Gaps::end(sim::Time t) {
  if (!since_) return;
  wait(false, t);
  whole_ += std::max(sim::Duration{}, t - std::max(*since_, window_->warm));
  since_.reset();
  if (now_ == sim::Duration{}) return;
  ++count_;
  sum_ += now_;
  max_ = std::max(max_, now_);
}

void Gaps::add(const Gaps& other) {
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
  whole_ += other.whole_;
  count_ += other.count_;
}

// ---- owners -----------------------------------------------------------------------------------------------

sim::Duration PauseMeter::after_warmup(sim::Time since, sim::Time t) const {
  return std::max(sim::Duration{}, t - std::max(since, window_.warm));
}

bool PauseMeter::owns(const State& s, std::uint32_t member) {
  return std::find(s.owners.begin(), s.owners.end(), member) != s.owners.end();
}

bool PauseMeter::able(std::uint32_t member) {
  const Stopped& stopped = stopped_[member];
  return !stopped.paused && !stopped.isolated;
}

bool PauseMeter::stops(const sim::TraceRecord& r) {
  Stopped& stopped = stopped_[r.actor];
  switch (static_cast<FaultCode>(r.code)) {
    case FaultCode::crash:
    case FaultCode::power_loss:
    case FaultCode::disk_loss:
      stopped.paused = false;  // who is started again is not paused
      return false;            // what it owned is told by itself
    case FaultCode::pause:
      stopped.paused = r.a == 1;
      return true;
    case FaultCode::isolate:
      stopped.isolated = r.a == 1;
      return true;
    default:
      return false;
  }
}

bool PauseMeter::ownership(const sim::TraceRecord& r, bool unread, sim::RecordNumber number) {
  const std::size_t reading = readings_.index(r.place, r.peer);
  while (reading >= states_.size()) states_.emplace_back(window_);
  State& s = states_[reading];
  const auto owner = std::find(s.owners.begin(), s.owners.end(), r.actor);
  const bool owned = owner != s.owners.end();
  if (owned == (r.a == 1)) return false;
  if (owned) {
    s.owners.erase(owner);
    if (s.owners.empty()) s.pause.begin(r.time, unread);
  } else {
    s.owners.push_back(r.actor);
    s.pause.end(r.time);
    s.latest = r.actor;
    s.latest_since = r.time;
  }
  count_able(reading, r, unread, number);
  return true;
}

void PauseMeter::count_able(std::size_t reading, const sim::TraceRecord& r, bool unread,
                            sim::RecordNumber number) {
  State& s = states_[reading];
  const std::size_t before = s.able;
  s.able = static_cast<std::size_t>(
      std::count_if(s.owners.begin(), s.owners.end(), [this](std::uint32_t m) { return able(m); }));
  if (before > 0 && s.able == 0) s.silence.begin(r.time, unread);
  if (before == 0 && s.able > 0) s.silence.end(r.time);
  if (before < 2 && s.able >= 2) {
    const std::uint32_t place = readings_[reading].place.value;
    s.overlap_since = r.time;
    ++s.overlaps;
    anomalies_.add({r.time, Verdict::overlap, EntityId{place}, EntityId{r.actor}, {}, -1, -1, 1, number});
  }
  if (before >= 2 && s.able < 2) {
    s.overlap_sum += after_warmup(*s.overlap_since, r.time);
    s.overlap_since.reset();
  }
}

void PauseMeter::processed(const sim::TraceRecord& r, std::span<const std::int64_t> payload) {
  const std::size_t reading = readings_.index(r.place, r.peer);
  if (reading >= states_.size() || states_[reading].latest == 0 || states_[reading].latest == r.actor) return;
  // The record tells of a poll's work, which may begin before the other took over.
  State& s = states_[reading];
  const std::int64_t from = sim::nanoseconds(s.latest_since);
  for (std::int64_t i = 0; i < r.b; ++i) {
    const std::int64_t finish =
        (r.code & kArithmetic) != 0 ? payload[0] + payload[1] * i : payload[static_cast<std::size_t>(i)];
    s.overlap_processed += finish >= from ? 1 : 0;
  }
}

void PauseMeter::sample(sim::Time t, std::vector<Sample>& points) const {
  std::map<EntityId, std::uint64_t> unfetchable;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    unfetchable[readings_[i].group] += states_[i].pause.open() ? 1 : 0;
  }
  for (const auto& [group, count] : unfetchable) {
    points.push_back({t, Series::unfetchable_partitions, group, {}, static_cast<double>(count)});
  }
}

void PauseMeter::finish(sim::Time end) {
  for (State& s : states_) {
    s.pause.end(end);
    s.silence.end(end);
    if (s.overlap_since) s.overlap_sum += after_warmup(*s.overlap_since, end);
  }
}

void PauseMeter::add(State& sum, const State& s) {
  sum.pause.add(s.pause);
  sum.silence.add(s.silence);
  sum.overlap_sum += s.overlap_sum;
  sum.overlaps += s.overlaps;
  sum.overlap_processed += s.overlap_processed;
}

void PauseMeter::report(MetricValues& values, std::vector<Labelled>& labelled) const {
  if (states_.empty()) return;
  const auto put_each = [](const State& s, const auto& put) {
    put(Metric::rebalance_pause_sum_s, sim::seconds(s.pause.sum()));
    put(Metric::rebalance_pause_max_s, sim::seconds(s.pause.max()));
    put(Metric::rebalance_pauses, static_cast<double>(s.pause.count()));
    put(Metric::unfetchable_sum_s, sim::seconds(s.pause.whole()));
    if (s.silence.count() > 0) {
      put(Metric::silent_mean_s, sim::seconds(s.silence.sum()) / static_cast<double>(s.silence.count()));
    }
    put(Metric::silent_max_s, sim::seconds(s.silence.max()));
    put(Metric::overlaps, static_cast<double>(s.overlaps));
    put(Metric::overlap_sum_s, sim::seconds(s.overlap_sum));
    put(Metric::overlap_processed, static_cast<double>(s.overlap_processed));
  };
  State all(window_);
  std::map<std::uint32_t, State> groups;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const State& s = states_[i];
    const Reading& r = readings_[i];
    add(all, s);
    add(groups.try_emplace(r.group.value, window_).first->second, s);
    labelled.push_back({Metric::rebalance_pause_sum_s, r.place, r.group, sim::seconds(s.pause.sum())});
    labelled.push_back({Metric::rebalance_pauses, r.place, r.group, static_cast<double>(s.pause.count())});
    labelled.push_back({Metric::unfetchable_sum_s, r.place, r.group, sim::seconds(s.pause.whole())});
    labelled.push_back({Metric::silent_max_s, r.place, r.group, sim::seconds(s.silence.max())});
  }
  for (const auto& [group, s] : groups) {
    put_each(s, [&, id = EntityId{group}](Metric metric, double value) {
      labelled.push_back({metric, id, {}, value});
    });
  }
  put_each(all, [&](Metric metric, double value) { values[metric] = value; });
}

}  // namespace models
