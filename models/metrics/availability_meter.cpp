#include "models/metrics/availability_meter.hpp"

#include <algorithm>

#include "models/trace_kinds.hpp"

namespace models {

namespace {

bool hits_link(FaultCode code) {
  return code == FaultCode::link_cut || code == FaultCode::isolate || code == FaultCode::message_loss ||
         code == FaultCode::delay || code == FaultCode::bandwidth;
}

}  // namespace

// ---- faults -----------------------------------------------------------------------------------------------

void AvailabilityMeter::fault(const sim::TraceRecord& r, bool area) {
  const auto code = static_cast<FaultCode>(r.code);
  if (code == FaultCode::crash || code == FaultCode::power_loss || code == FaultCode::disk_loss) {
    if (r.a == 0) return;
    broker_silent(r.actor, r.time);
    return producer_crashed(r.actor, r.time);
  }
  if (code != FaultCode::pause && code != FaultCode::heartbeat_loss && !hits_link(code)) return;
  trouble(r, area);
  if (code != FaultCode::pause && (code != FaultCode::isolate || r.place != 0)) return;
  return r.a == 1 ? broker_silent(r.actor, r.time) : broker_back(r.actor, r.time);
}

void AvailabilityMeter::trouble(const sim::TraceRecord& r, bool area) {
  const auto at = std::find_if(troubles_.begin(), troubles_.end(), [&](const Trouble& t) {
    return t.fault == r.peer && t.actor == r.actor && t.place == r.place;
  });
  if (at == troubles_.end()) {
    if (r.a == 1) troubles_.push_back({r.peer, r.actor, r.place, area, r.time, true});
    return;
  }
  at->lasts = r.a == 1;
  if (at->lasts) at->since = r.time;
}

/// The fault that has most likely silenced this broker: one that names it and lasts, the oldest; else one of
/// an area that lasts; else the last that named it, for a connection takes a while to recover.
const AvailabilityMeter::Trouble* AvailabilityMeter::trouble_of(std::uint32_t broker) const {
  const Trouble* best = nullptr;
  int best_rank = 0;
  for (const Trouble& t : troubles_) {
    const bool named = t.actor == broker || t.place == broker;
    const int rank = named && t.lasts ? 3 : t.area && t.lasts ? 2 : named ? 1 : 0;
    if (rank == 0 || rank < best_rank) continue;
    const bool better =
        best == nullptr || rank > best_rank || (rank == 1 ? t.since > best->since : t.since < best->since);
    if (!better) continue;
    best = &t;
    best_rank = rank;
  }
  return best;
}

sim::Time AvailabilityMeter::out_since(std::uint32_t place, std::uint32_t broker, sim::Time fenced) {
  const std::optional<sim::Time> last = partitions_[place].acknowledged;
  if (const Trouble* t = trouble_of(broker)) return last ? std::max(t->since, *last) : t->since;
  if (!holding_.any(place)) return fenced;
  const sim::Time held = std::min(fenced, holding_.since(place));
  return last ? std::max(held, *last) : held;
}

/// Surely nobody reaches it any more.
void AvailabilityMeter::broker_silent(std::uint32_t broker, sim::Time t) {
  for (std::uint32_t place = 0; place < partitions_.rows().size(); ++place) {
    const Partition& p = partitions_[place];
    if (p.led && p.leader == broker) begin(place, broker, t, t);
  }
}

void AvailabilityMeter::broker_back(std::uint32_t broker, sim::Time t) {
  for (Partition& p : partitions_.rows()) {
    if (p.outage && p.outage->broker == broker && !p.outage->fenced && !p.outage->usable) {
      p.outage->usable = t;
    }
  }
}

void AvailabilityMeter::broker_fenced(std::uint32_t broker, sim::Time t) {
  for (std::uint32_t place = 0; place < partitions_.rows().size(); ++place) {
    Partition& p = partitions_[place];
    if (p.led && p.leader == broker) begin(place, broker, out_since(place, broker, t), t);
    if (!p.outage || p.outage->broker != broker || p.outage->fenced) continue;
    p.outage->fenced = t;
    p.outage->usable.reset();
  }
}

void AvailabilityMeter::producer_crashed(std::uint32_t producer, sim::Time t) {
  for (std::uint32_t place = 0; place < partitions_.rows().size(); ++place) {
    if (partitions_[place].outage) wait(place, t);
  }
  holding_.crashed(producer);
}

void AvailabilityMeter::broker_state(const sim::TraceRecord& r) {
  const auto code = static_cast<BrokerCode>(r.code);
  if (code == BrokerCode::crashed || code == BrokerCode::stopped) return broker_silent(r.actor, r.time);
  if (code == BrokerCode::fenced) return broker_fenced(r.actor, r.time);
}

void AvailabilityMeter::leader_changed(const sim::TraceRecord& r) {
  Partition& p = partitions_[r.place];
  if (r.a < p.epoch) return;  // a broker hears of its election after that of its successor
  const bool told_again = p.led && p.leader == r.actor && p.epoch == r.a;
  p.epoch = r.a;
  const bool was_offline = p.led && p.leader == 0;
  offline_ += (r.actor == 0 ? 1 : 0) - (was_offline ? 1 : 0);
  offline_max_ = std::max(offline_max_, offline_);
  if (p.led && r.actor != 0 && r.actor != p.leader) {
    ++elections_;
    if (static_cast<LeaderCode>(r.code) == LeaderCode::unclean) ++unclean_;
  }
  p.led = true;
  p.leader = r.actor;
  if (!p.outage || r.actor == 0 || (told_again && p.outage->elected)) return;
  if (p.outage->usable && !waited_since_usable(r.place)) return close(r.place, r.time);
  // The last election before the next batch is the one that the clients had to learn of.
  Outage& outage = *p.outage;
  if (!outage.fenced) outage.fenced = r.time;
  outage.elected = outage.usable = outage.waited_until = r.time;
  outage.waited = {};
}

// ---- outages ----------------------------------------------------------------------------------------------

void AvailabilityMeter::begin(std::uint32_t place, std::uint32_t broker, sim::Time since, sim::Time t) {
  Partition& p = partitions_[place];
  if (p.outage) {
    Outage& before = *p.outage;
    // The same fault, told by another record.
    if (!before.usable) return;
    // Somebody waits still: one outage with two causes. Otherwise the one before is over.
    if (waited_since_usable(place)) {
      before = {.broker = broker, .since = before.since};
      return;
    }
    close(place, t);
  }
  p.outage = Outage{.broker = broker, .since = since};
  ++open_;
  ++outages_;
}

void AvailabilityMeter::wait(std::uint32_t place, sim::Time t) {
  Outage& outage = *partitions_[place].outage;
  if (!outage.usable || !holding_.any(place)) return;
  const sim::Time from = std::max({*outage.usable, outage.waited_until, holding_.since(place)});
  outage.waited += std::max(sim::Duration{}, t - from);
  outage.waited_until = t;
}

bool AvailabilityMeter::waited_since_usable(std::uint32_t place) {
  return holding_.any(place) && holding_.since(place) <= *partitions_[place].outage->usable;
}

/// A batch was appended. What a leader paused or cut off had in its hands shows nothing.
void AvailabilityMeter::written(std::uint32_t place, sim::Time t) {
  const Partition& p = partitions_[place];
  if (p.outage && p.outage->usable) close(place, t);
}

void AvailabilityMeter::off_line(std::uint32_t place) {
  if (partitions_[place].outage) partitions_[place].outage->off_line = true;
}

void AvailabilityMeter::settled(std::uint32_t place, sim::Time t, bool appended) {
  const Partition& p = partitions_[place];
  if (!p.outage) return;
  if (appended && p.outage->usable && !p.outage->off_line) return close(place, t);
  wait(place, t);
}

void AvailabilityMeter::close(std::uint32_t place, sim::Time t) {
  Partition& p = partitions_[place];
  wait(place, t);
  const Outage& outage = *p.outage;
  const sim::Duration lasted = std::max(
      sim::Duration{}, outage.usable ? *outage.usable - outage.since + outage.waited : t - outage.since);
  if (outage.elected) {
    ++resolved_;
    detection_ += *outage.fenced - outage.since;
    election_ += *outage.elected - *outage.fenced;
    refresh_ += outage.waited;
    total_ += lasted;
  }
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
  for (std::uint32_t place = 0; place < partitions_.rows().size(); ++place) {
    Partition& p = partitions_[place];
    if (!p.outage) continue;
    // Without anybody who waits it was over with its election; else it has no end, and so no parts.
    if (holding_.any(place)) p.outage->elected.reset();
    close(place, std::min(end, window_.stop));
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
