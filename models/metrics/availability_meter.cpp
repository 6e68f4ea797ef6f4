#include "models/metrics/availability_meter.hpp"

#include <algorithm>

#include "models/trace_kinds.hpp"

namespace models {

void AvailabilityMeter::broker_crashed(std::uint32_t broker, sim::Time t) {
  for (Partition& p : partitions_.rows()) {
    if (!p.led || !p.written || p.leader != broker || p.outage) continue;
    p.outage = Outage{broker, t, std::nullopt, std::nullopt};
    ++open_;
    ++outages_;
  }
}

void AvailabilityMeter::broker_state(const sim::TraceRecord& r) {
  const auto code = static_cast<BrokerCode>(r.code);
  if (code == BrokerCode::crashed) return broker_crashed(r.actor, r.time);
  if (code != BrokerCode::fenced) return;
  for (Partition& p : partitions_.rows()) {
    if (p.outage && p.outage->broker == r.actor && !p.outage->fenced) p.outage->fenced = r.time;
  }
}

void AvailabilityMeter::leader_changed(const sim::TraceRecord& r) {
  Partition& p = partitions_[r.place];
  const bool was_offline = p.led && p.leader == 0;
  offline_ += (r.actor == 0 ? 1 : 0) - (was_offline ? 1 : 0);
  offline_max_ = std::max(offline_max_, offline_);
  if (p.led && r.actor != 0 && r.actor != p.leader) {
    ++elections_;
    if (static_cast<LeaderCode>(r.code) == LeaderCode::unclean) ++unclean_;
  }
  p.led = true;
  p.leader = r.actor;
  if (!p.outage || r.actor == 0) return;
  // The last election before the next batch is the one that the clients had to learn of.
  if (!p.outage->fenced) p.outage->fenced = r.time;
  p.outage->elected = r.time;
}

void AvailabilityMeter::end_outage(const sim::TraceRecord& r) {
  Partition& p = partitions_[r.place];
  if (!p.outage) return;
  const Outage& outage = *p.outage;
  if (outage.elected) {
    ++resolved_;
    detection_ += *outage.fenced - outage.crashed;
    election_ += *outage.elected - *outage.fenced;
    refresh_ += r.time - *outage.elected;
    total_ += r.time - outage.crashed;
  }
  close(p, r.time);
}

void AvailabilityMeter::close(Partition& p, sim::Time t) {
  const sim::Duration lasted = std::max(sim::Duration{}, t - p.outage->crashed);
  p.unavailable += lasted;
  sum_ += lasted;
  max_ = std::max(max_, lasted);
  p.outage.reset();
  --open_;
}

void AvailabilityMeter::isr_changed(const sim::TraceRecord& r) {
  Partition& p = partitions_[r.place];
  if (r.b < p.in_sync) ++shrinks_;
  p.in_sync = r.b;
  in_sync_min_ = in_sync_min_ ? std::min(*in_sync_min_, r.b) : r.b;
}

void AvailabilityMeter::finish(sim::Time end) {
  for (Partition& p : partitions_.rows()) {
    if (p.outage) close(p, std::min(end, window_.stop));
  }
}

void AvailabilityMeter::report(MetricValues& values, std::vector<Labelled>& labelled) const {
  if (outages_ > 0) {
    values[Metric::unavailability_max_s] = sim::seconds(max_);
    values[Metric::unavailability_sum_s] = sim::seconds(sum_);
  }
  if (resolved_ > 0) {
    const auto mean = [this](sim::Duration sum) {
      return sim::seconds(sum) / static_cast<double>(resolved_);
    };
    values[Metric::unavailability_mean_s] = mean(total_);
    values[Metric::detection_mean_s] = mean(detection_);
    values[Metric::election_mean_s] = mean(election_);
    values[Metric::client_refresh_mean_s] = mean(refresh_);
  }
  values[Metric::unavailable_partitions] = static_cast<double>(outages_);
  values[Metric::partitions_offline_max] = static_cast<double>(offline_max_);
  values[Metric::leader_elections] = static_cast<double>(elections_);
  values[Metric::unclean_elections] = static_cast<double>(unclean_);
  values[Metric::isr_shrinks] = static_cast<double>(shrinks_);
  if (in_sync_min_) values[Metric::isr_min_replicas] = static_cast<double>(*in_sync_min_);
  for (std::uint32_t id = 0; id < partitions_.rows().size(); ++id) {
    const sim::Duration unavailable = partitions_.rows()[id].unavailable;
    if (unavailable == sim::Duration{}) continue;
    labelled.push_back({Metric::unavailability_sum_s, EntityId{id}, {}, sim::seconds(unavailable)});
  }
}

}  // namespace models
