#include "models/metrics/lag_meter.hpp"

#include <algorithm>
#include <bit>

namespace models {

namespace {

/// Least-squares slope of the points from `begin` to `end`, per second; nothing for fewer than three.
template <class Iterator>
std::optional<double> slope(Iterator begin, Iterator end) {
  const auto n = end - begin;
  if (n < 3) return std::nullopt;
  double mean_time = 0;
  double mean_lag = 0;
  for (Iterator p = begin; p != end; ++p) {
    mean_time += sim::seconds(p->time);
    mean_lag += p->lag;
  }
  mean_time /= static_cast<double>(n);
  mean_lag /= static_cast<double>(n);
  double product = 0;
  double square = 0;
  for (Iterator p = begin; p != end; ++p) {
    const double dt = sim::seconds(p->time) - mean_time;
    product += dt * (p->lag - mean_lag);
    square += dt * dt;
  }
  return product / square;
}

void raise(std::optional<double>& highest, double value) {
  highest = highest ? std::max(*highest, value) : value;
}

}  // namespace

LagMeter::State& LagMeter::state(std::size_t reading) {
  while (reading >= states_.size()) {
    const Reading& seen = readings_[states_.size()];
    states_.emplace_back().readable = readable_[seen.place.value];
  }
  return states_[reading];
}

void LagMeter::open(std::size_t reading, sim::Time t) {
  State& s = state(reading);
  if (s.open) return;
  s.open = true;
  s.samples_before = samples_;
  s.level = sim::TimeAverage(t);
  Group& g = groups_[readings_[reading].group.value];
  if (!g.open) g.level = sim::TimeAverage(t);
  g.open = true;
  changed(reading, t);
}

void LagMeter::changed(std::size_t reading, sim::Time t) {
  State& s = states_[reading];
  if (!s.open) return;
  const std::int64_t lag = s.lag();
  const std::int64_t change = lag - s.level.level();
  if (t >= window_.warm) s.committed_lag_max = std::max(s.committed_lag_max, s.readable - s.committed);
  if (change == 0) return;
  mark_lagging(reading, lag > 0);
  s.level.set(t, lag);
  groups_[readings_[reading].group.value].level.add(t, change);
}

void LagMeter::mark_lagging(std::size_t reading, bool lags) {
  if (reading / 64 >= lagging_.size()) lagging_.resize(reading / 64 + 1);
  const std::uint64_t bit = std::uint64_t{1} << reading % 64;
  lags ? lagging_[reading / 64] |= bit : lagging_[reading / 64] &= ~bit;
}

void LagMeter::high_watermark(const sim::TraceRecord& r) {
  readable_[r.place] = r.a;
  for (const std::size_t reading : readings_.of_place(r.place)) {
    state(reading).readable = r.a;
    changed(reading, r.time);
  }
}

void LagMeter::truncated(const sim::TraceRecord& r) {
  readable_[r.place] = std::min(readable_[r.place], r.a);
  for (const std::size_t reading : readings_.of_place(r.place)) {
    State& s = state(reading);
    s.readable = std::min(s.readable, r.a);
    s.processed = std::min(s.processed, r.a);
    s.committed = std::min(s.committed, r.a);
    s.left_out.clear();
    changed(reading, r.time);
  }
}

void LagMeter::positioned(const sim::TraceRecord& r) {
  State& s = state(readings_.index(r.place, r.peer));
  if (!s.open) s.committed = std::max(s.committed, r.a);  // what it begins behind it will never commit
}

void LagMeter::advanced(const sim::TraceRecord& r, std::int64_t next) {
  const std::size_t reading = readings_.index(r.place, r.peer);
  State& s = state(reading);
  s.processed = std::max(s.processed, next);
  if (!s.left_out.empty()) jump(s);
  if (!s.open) return open(reading, r.time);
  changed(reading, r.time);
}

void LagMeter::left_out(const sim::TraceRecord& r) {
  const std::size_t reading = readings_.index(r.place, r.peer);
  State& s = state(reading);
  if (r.a + r.b <= s.processed) return;
  s.left_out.emplace_back(r.a, r.a + r.b);
  jump(s);
  changed(reading, r.time);
}

void LagMeter::jump(State& s) {
  std::size_t passed = 0;
  for (; passed < s.left_out.size() && s.left_out[passed].first <= s.processed; ++passed) {
    s.processed = std::max(s.processed, s.left_out[passed].second);
  }
  s.left_out.erase(s.left_out.begin(), s.left_out.begin() + static_cast<std::ptrdiff_t>(passed));
}

void LagMeter::committed(const sim::TraceRecord& r) {
  const std::size_t reading = readings_.index(r.place, r.peer);
  State& s = state(reading);
  s.committed = r.a;
  changed(reading, r.time);
}

void LagMeter::members_changed(std::uint32_t group, sim::Time t) {
  Group& g = groups_[group];
  if (t > window_.warm && !g.first_change) g.first_change = t;
}

void LagMeter::owners_changed(std::uint32_t group, sim::Time t) {
  std::vector<sim::Time>& changes = groups_[group].owner_changes;
  if (changes.empty() || changes.back() != t) changes.push_back(t);
}

void LagMeter::warmed_up(sim::Time t) {
  for (State& s : states_) s.level.restart(t);
  for (Group& g : groups_.rows()) g.level.restart(t);
}

void LagMeter::arrivals_stopped(sim::Time t) {
  for (State& s : states_) {
    if (s.open) s.mean = s.level.mean(t);
  }
  for (Group& g : groups_.rows()) {
    if (!g.open) continue;
    g.mean = g.level.mean(t);
    g.at_stop = g.level.level();
  }
}

/// Of a reading that has a lag.
double LagMeter::sample_age(std::size_t reading, sim::Time t) {
  State& s = states_[reading];
  const Ledger::Partition* p = ledger_.partition(readings_[reading].place);
  const auto created = p == nullptr ? std::nullopt : ledger_.created_at(*p, s.processed, s.cursor);
  const double age = created ? sim::seconds(t - *created) : 0;
  s.age = age;
  if (t >= window_.warm) s.age_max = std::max(s.age_max, age);
  if (steady(t)) s.age_sum += age;
  return age;
}

void LagMeter::sample(sim::Time t, std::vector<Sample>* points) {
  if (points != nullptr) {
    for (std::size_t reading = 0; reading < states_.size(); ++reading) {
      const State& s = states_[reading];
      if (!s.open) continue;
      const double age = s.lag() > 0 ? sample_age(reading, t) : 0;
      const Reading& r = readings_[reading];
      const std::int64_t committed_lag = std::max(std::int64_t{0}, s.readable - s.committed);
      points->push_back({t, Series::lag_records, r.place, r.group, static_cast<double>(s.lag())});
      points->push_back({t, Series::lag_s, r.place, r.group, age});
      points->push_back(
          {t, Series::committed_lag_records, r.place, r.group, static_cast<double>(committed_lag)});
    }
  } else {
    // Of thousands of partitions few have a lag at a time.
    for (std::size_t word = 0; word < lagging_.size(); ++word) {
      for (std::uint64_t bits = lagging_[word]; bits != 0; bits &= bits - 1)
        sample_age(word * 64 + static_cast<std::size_t>(std::countr_zero(bits)), t);
    }
  }
  if (steady(t)) ++samples_;
  for (std::uint32_t id = 0; id < groups_.rows().size(); ++id) {
    Group& g = groups_.rows()[id];
    if (!g.open) continue;
    const auto lag = static_cast<double>(g.level.level());
    g.points.push_back({t, lag});
    if (points != nullptr) points->push_back({t, Series::lag_records, EntityId{id}, {}, lag});
  }
}

LagMeter::Now LagMeter::now(EntityId group) const {
  Now now;
  for (std::size_t reading = 0; reading < states_.size(); ++reading) {
    const State& s = states_[reading];
    if (!s.open || s.lag() == 0 || readings_[reading].group != group) continue;
    now.records += static_cast<double>(s.lag());
    now.age_s = std::max(now.age_s, s.age);
  }
  return now;
}

std::optional<double> LagMeter::growth(const Group& group) const {
  const sim::Time until = std::min(window_.stop, group.first_change.value_or(sim::kNever));
  const auto begin = std::find_if(group.points.begin(), group.points.end(),
                                  [this](const Point& p) { return p.time >= window_.warm; });
  const auto end =
      std::find_if(begin, group.points.end(), [until](const Point& p) { return p.time > until; });
  return slope(begin, end);
}

std::optional<double> LagMeter::drain(const Group& group) const {
  const auto stop = std::find_if(group.points.begin(), group.points.end(),
                                 [this](const Point& p) { return p.time > window_.stop; });
  auto begin = std::max_element(group.points.begin(), stop,
                                [](const Point& a, const Point& b) { return a.lag < b.lag; });
  if (begin == stop) return std::nullopt;
  const double half = begin->lag / 2;
  const auto end = std::find_if(begin, stop, [half](const Point& p) { return p.lag <= half; });
  for (const sim::Time change : group.owner_changes) {
    while (begin != end && begin->time < change && (end == stop || change < end->time)) ++begin;
  }
  const std::optional<double> rise = slope(begin, end);
  return rise ? std::optional<double>{-*rise} : std::nullopt;
}

void LagMeter::report(MetricValues& values, std::vector<Labelled>& labelled) const {
  for (std::uint32_t id = 0; id < groups_.rows().size(); ++id) {
    const Group& g = groups_.rows()[id];
    if (!g.open) continue;
    const auto put = [&](Metric metric, std::optional<double> value) {
      if (!value) return;
      labelled.push_back({metric, EntityId{id}, {}, *value});
      raise(values[metric], *value);
    };
    put(Metric::lag_mean_records, g.mean);
    put(Metric::lag_max_records, static_cast<double>(g.level.max()));
    if (g.mean) put(Metric::lag_end_records, static_cast<double>(g.at_stop));
    put(Metric::lag_growth_per_s, growth(g));
    put(Metric::lag_drain_per_s, drain(g));
  }
  report_partitions(values, labelled);
}

void LagMeter::report_partitions(MetricValues& values, std::vector<Labelled>& labelled) const {
  double age_sum = 0;
  std::uint64_t ages = 0;
  std::optional<std::size_t> hottest;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const State& s = states_[i];
    if (!s.open) continue;
    const Reading& r = readings_[i];
    raise(values[Metric::lag_partition_max_records], static_cast<double>(s.level.max()));
    raise(values[Metric::committed_lag_max_records], static_cast<double>(s.committed_lag_max));
    labelled.push_back({Metric::lag_max_records, r.place, r.group, static_cast<double>(s.level.max())});
    if (s.mean) labelled.push_back({Metric::lag_mean_records, r.place, r.group, *s.mean});
    const std::uint64_t sampled = s.open ? samples_ - s.samples_before : 0;
    if (sampled > 0) {
      labelled.push_back({Metric::lag_max_s, r.place, r.group, s.age_max});
      raise(values[Metric::lag_max_s], s.age_max);
    }
    age_sum += s.age_sum;
    ages += sampled;
    if (s.mean && (!hottest || *s.mean > *states_[*hottest].mean)) hottest = i;
  }
  if (ages > 0) values[Metric::lag_mean_s] = age_sum / static_cast<double>(ages);
  if (!hottest) return;
  values[Metric::lag_hottest_mean_records] = *states_[*hottest].mean;
  double others = 0;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (i == *hottest || readings_[i].group != readings_[*hottest].group || !states_[i].mean) continue;
    others += *states_[i].mean;
    ++count;
  }
  if (count > 0) values[Metric::lag_others_mean_records] = others / static_cast<double>(count);
}

}  // namespace models
