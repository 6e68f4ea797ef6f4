#include "models/metrics/metrics.hpp"

#include "models/trace_kinds.hpp"

namespace models {

Metrics::Metrics(const MetricsOptions& options, Ledger& ledger, Anomalies& anomalies)
    : options_(options),
      window_{sim::Time{options.warmup}, sim::kNever},
      next_sample_(sim::Time{options.sample}),
      next_stop_(std::min(window_.warm, next_sample_)),
      latency_(window_.warm),
      lag_(readings_, ledger, window_),
      pauses_(readings_, window_, anomalies),
      members_(readings_, window_),
      availability_(window_),
      controllers_(window_),
      queues_(window_) {
  ledger.observe(*this);
  if (options.alerts != nullptr) alerts_.emplace(*options.alerts);
}

void Metrics::apply(const sim::TraceRecord& r, std::span<const std::int64_t> payload,
                    sim::RecordNumber number) {
  switch (static_cast<Kind>(r.kind)) {
    case Kind::offered:
      availability_.offered(r, payload);
      return count(offered_, r.b, r.time);
    case Kind::refused:
      return queues_.refused(r);
    case Kind::acknowledged:
      availability_.acknowledged(r);
      return count(acknowledged_, r.b, r.time);
    case Kind::failed:
      return availability_.failed(r);
    case Kind::stored:
      if (queues_.stored(r)) return;
      if ((r.code & ~kTransactional) == 0) availability_.stored(r);
      if ((r.code & kOffLine) != 0) availability_.stored_off_line(r);
      return;
    case Kind::truncated:
      return truncated(r);
    case Kind::high_watermark:
      return high_watermark(r);
    case Kind::subscribed:
      if ((r.code & kShared) != 0) {
        if (r.peer >= shared_.size()) shared_.resize(r.peer + 1);
        shared_[r.peer] = true;
      }
      if ((r.code & kQueue) != 0) return;
      lag_.subscribed(r);
      return members_.subscribed(r);
    case Kind::position:
      lag_.positioned(r);
      return advanced(r, r.a);
    case Kind::left_out:
      lag_.left_out(r);
      return pauses_.unread(readings_.index(r.place, r.peer), lag_.unread(readings_.index(r.place, r.peer)),
                            r.time);
    case Kind::transaction_state:
      if (r.code == kCommitted) ++transactions_committed_;
      if (r.code == kAborted) ++transactions_aborted_;
      return;
    case Kind::delivered:
      return members_.delivered(r);
    case Kind::abandoned:
      return members_.abandoned(r);
    case Kind::processed:
      members_.processed(r, payload);
      if (shared(r.peer)) return;
      pauses_.processed(r, payload);
      return advanced(r, r.a + r.b);
    case Kind::committed:
      lag_.committed(r);
      if (shared(r.peer)) advanced(r, r.a);
      return members_.committed(r);
    case Kind::commit_refused:
      return members_.commit_refused();
    case Kind::ownership:
      return ownership(r, number);
    case Kind::group_state:
      return members_.group_state(r);
    case Kind::member_state:
      return member_state(r);
    case Kind::leader_changed:
      if (judged(r.place)) availability_.leader_changed(r);
      return;
    case Kind::isr_changed:
      if (judged(r.place)) availability_.isr_changed(r);
      return;
    case Kind::broker_state:
      return availability_.broker_state(r);
    case Kind::controller_changed:
      return controllers_.controller_changed(r);
    case Kind::fault:
      return fault(r, number);
    case Kind::diverged:
      diverged_ += r.b;
      return;
    case Kind::expired:
      records_deleted_ += r.b;
      segments_deleted_ += r.c;
      return;
    case Kind::tiered:
      segments_tiered_ += r.code == kCopied ? 1 : 0;
      remote_fetches_ += r.code == kRemoteRead ? 1 : 0;
      remote_failures_ += r.code == kCopyFailed || r.code == kRemoteReadFailed ? 1 : 0;
      return;
    case Kind::compacted:
      ++cleanings_;
      if (r.code != kOffLine) records_compacted_ += r.c;
      return;
    case Kind::called:
      return calls_.called(r);
    case Kind::call_ended:
      return calls_.ended(r);
    case Kind::breaker_state:
      return calls_.breaker(r);
    case Kind::buffered:
      buffered_max_ = std::max(buffered_max_, r.a);
      return;
    case Kind::scaled:
      scalings_ = std::max<std::int64_t>(scalings_, 0) + 1;
      return scaling_.scaled(r.peer, r.a, r.b);
    case Kind::operation_refused:
      ++refused_[r.peer];
      ++(static_cast<RefusalCode>(r.code) == RefusalCode::over_quota ? over_quota_ : against_policy_);
      return;
    case Kind::deployed:
      return schemas_.deployed();
    case Kind::registry_answer:
      return schemas_.answered(r);
    case Kind::unreadable:
      return schemas_.unreadable(r);
    case Kind::late:
      late_ = std::max<std::int64_t>(late_, 0) + r.b;
      return;
    case Kind::window_counts:
      windows_ = std::max<std::int64_t>(windows_, 0) + r.a;
      late_ = std::max<std::int64_t>(late_, 0);
      windows_over_ += r.b;
      windows_under_ += r.c;
      return;
    case Kind::dispatched:
      return queues_.dispatched(r);
    case Kind::settled:
      return queues_.settled(r);
    case Kind::requeued:
      return queues_.requeued(r);
    case Kind::removed:
      return queues_.removed(r);
    case Kind::republished:
      return queues_.republished(r);
    case Kind::notification:
      return notifications_.notified(r);
    case Kind::queue_depth:
      return queues_.depth(r);
    case Kind::empty_receive:
      return queues_.empty_receive();
    case Kind::connection_blocked:
      return queues_.blocked(r);
    case Kind::phase:
      return phase(r);
    default:
      return;
  }
}

void Metrics::processed(const MessageRun& run, const FinishTimes& finish, bool again) {
  if (again) return members_.processed_again(run, finish);
  // A record tells of a whole poll, whose work may reach from before the window to beyond it.
  Flow& flow = processed_[run.record.peer];
  flow.recent += run.columns.count;
  for (std::size_t i = run.index; i < run.index + run.columns.count; ++i) {
    flow.steady += window_.holds(sim::Time{sim::Duration{finish[i]}}) ? 1 : 0;
  }
  if (run.columns.created != nullptr) latency_.processed(run, finish);
}

void Metrics::count(Flow& flow, std::int64_t n, sim::Time t) const {
  if (window_.holds(t)) flow.steady += static_cast<std::uint64_t>(n);
  flow.recent += static_cast<std::uint64_t>(n);
}

// ---- time passes ------------------------------------------------------------------------------------------

void Metrics::catch_up(sim::Time t) {
  while (t >= next_stop_) {
    if (!warm_ && next_stop_ == window_.warm) {
      warm_ = true;
      lag_.warmed_up(window_.warm);
    }
    if (next_stop_ == next_sample_) {
      take_sample(next_sample_);
      next_sample_ += options_.sample;
    }
    next_stop_ = warm_ ? next_sample_ : std::min(window_.warm, next_sample_);
  }
}

void Metrics::take_sample(sim::Time t) {
  lag_.sample(t, options_.timeseries ? &samples_ : nullptr);
  if (alerts_ && warm_ && t <= window_.stop) {
    const LagMeter::Now now = lag_.now(options_.entities->find(options_.alerts->group));
    alerts_->sample(t, now.records, now.age_s);
  }
  if (!options_.timeseries) return;
  pauses_.sample(t, samples_);
  queues_.sample(t, options_.sample, samples_);
  const auto put = [&](Series series, std::uint32_t subject, Flow& flow) {
    const double rate = static_cast<double>(flow.recent) / sim::seconds(options_.sample);
    samples_.push_back({t, series, EntityId{subject}, {}, rate});
    flow.recent = 0;
  };
  put(Series::offered_per_s, 0, offered_);
  put(Series::acknowledged_per_s, 0, acknowledged_);
  for (std::uint32_t group = 1; group < processed_.rows().size(); ++group) {
    Flow& flow = processed_.rows()[group];
    if (flow.recent > 0 || flow.steady > 0) put(Series::processed_per_s, group, flow);
  }
}

void Metrics::stop_arrivals(sim::Time t) {
  window_.stop = t;
  lag_.arrivals_stopped(t);
  queues_.arrivals_stopped(t);
  members_.arrivals_stopped();
}

void Metrics::finish(sim::Time end) {
  advance(end);
  end_ = end;
  if (window_.stop == sim::kNever) stop_arrivals(end);
  pauses_.finish(end);
  availability_.finish(end);
  controllers_.finish(end);
  calls_.finish();
  scaling_.finish();
}

// ---- records that several meters want ---------------------------------------------------------------------

void Metrics::advanced(const sim::TraceRecord& r, std::int64_t next) {
  lag_.advanced(r, next);
  tell_scaling(r.peer);
  if (shared(r.peer)) return;
  const std::size_t reading = readings_.index(r.place, r.peer);
  pauses_.unread(reading, lag_.unread(reading), r.time);
}

void Metrics::high_watermark(const sim::TraceRecord& r) {
  lag_.high_watermark(r);
  tell_pauses(r.place, r.time);
}

void Metrics::truncated(const sim::TraceRecord& r) {
  lag_.truncated(r);
  tell_pauses(r.place, r.time);
}

void Metrics::tell_scaling(std::uint32_t group) {
  if (scaling_.watching(group)) scaling_.lag(group, lag_.now(EntityId{group}).records);
}

void Metrics::tell_pauses(std::uint32_t place, sim::Time t) {
  for (const std::size_t reading : readings_.of_place(place)) {
    tell_scaling(readings_[reading].group.value);
    if (shared(readings_[reading].group.value)) continue;
    pauses_.unread(reading, lag_.unread(reading), t);
  }
}

void Metrics::ownership(const sim::TraceRecord& r, sim::RecordNumber number) {
  const std::size_t reading = readings_.index(r.place, r.peer);
  if (scaling_.pending(r.peer)) scaling_.moved(r.peer, lag_.now(EntityId{r.peer}).records);
  if (r.a == 1) lag_.open(reading, r.time);
  if (shared(r.peer)) return members_.ownership(r);
  if (!pauses_.ownership(r, lag_.unread(reading), number)) return;
  members_.ownership(r);
  lag_.owners_changed(r.peer, r.time);
}

void Metrics::member_state(const sim::TraceRecord& r) {
  members_.member_state(r);
  lag_.members_changed(r.peer, r.time);
}

void Metrics::fault(const sim::TraceRecord& r, sim::RecordNumber number) {
  faults_ += r.a == 1 ? 1 : 0;
  const auto names_area = [this](std::uint32_t entity) {
    return options_.entities != nullptr && (*options_.entities)[entity].kind == EntityKind::link;
  };
  availability_.fault(r, names_area(r.actor) || names_area(r.place));
  pauses_.fault(r, number, [this](std::size_t reading) { return lag_.unread(reading); });
  members_.fault(r);
  calls_.fault(r);
  if (alerts_ && r.a == 1) alerts_->struck(r.time);
}

void Metrics::phase(const sim::TraceRecord& r) {
  const auto code = static_cast<PhaseCode>(r.code);
  if (code == PhaseCode::arrivals_stopped) stop_arrivals(r.time);
  if (code != PhaseCode::drained && code != PhaseCode::drain_timed_out) return;
  drained_ = code == PhaseCode::drained;
  drained_at_ = r.time;
}

void Metrics::report(MetricValues& values, std::vector<Labelled>& labelled) const {
  const double window = sim::seconds(window_.part(window_.warm, end_));
  if (window > 0) {
    const auto rate = [window](const Flow& flow) { return static_cast<double>(flow.steady) / window; };
    values[Metric::offered_per_s] = rate(offered_);
    values[Metric::acknowledged_per_s] = rate(acknowledged_);
    double processed = 0;
    for (std::uint32_t group = 0; group < processed_.rows().size(); ++group) {
      const double here = rate(processed_.rows()[group]);
      processed += here;
      if (here > 0) labelled.push_back({Metric::processed_per_s, EntityId{group}, {}, here});
    }
    values[Metric::processed_per_s] = processed;
  }
  latency_.report(values, labelled);
  lag_.report(values, labelled);
  pauses_.report(values, labelled);
  members_.report(values, labelled, end_);
  availability_.report(values, labelled);
  controllers_.report(values);
  calls_.report(values);
  schemas_.report(values, labelled);
  queues_.report(values, labelled);
  notifications_.report(values, labelled);
  if (alerts_) alerts_->report(values);
  if (buffered_max_ >= 0) values[Metric::buffered_max_messages] = static_cast<double>(buffered_max_);
  if (late_ >= 0) values[Metric::late_records] = static_cast<double>(late_);
  if (windows_ >= 0) {
    values[Metric::windows] = static_cast<double>(windows_);
    values[Metric::windows_overcounted] = static_cast<double>(windows_over_);
    values[Metric::windows_undercounted] = static_cast<double>(windows_under_);
  }
  if (scalings_ >= 0) values[Metric::scalings] = static_cast<double>(scalings_);
  scaling_.report(values);
  for (std::uint32_t error = 0; error < refused_.rows().size(); ++error) {
    if (refused_.rows()[error] > 0)
      labelled.push_back(
          {Metric::operations_refused, EntityId{error}, {}, static_cast<double>(refused_.rows()[error])});
  }
  values[Metric::operations_refused] = static_cast<double>(over_quota_ + against_policy_);
  values[Metric::operations_over_quota] = static_cast<double>(over_quota_);
  values[Metric::operations_against_policy] = static_cast<double>(against_policy_);
  values[Metric::transactions_committed] = static_cast<double>(transactions_committed_);
  values[Metric::transactions_aborted] = static_cast<double>(transactions_aborted_);
  values[Metric::replica_divergence] = static_cast<double>(diverged_);
  values[Metric::segments_deleted] = static_cast<double>(segments_deleted_);
  values[Metric::records_deleted] = static_cast<double>(records_deleted_);
  values[Metric::cleanings] = static_cast<double>(cleanings_);
  values[Metric::records_compacted] = static_cast<double>(records_compacted_);
  values[Metric::segments_tiered] = static_cast<double>(segments_tiered_);
  values[Metric::remote_fetches] = static_cast<double>(remote_fetches_);
  values[Metric::remote_failures] = static_cast<double>(remote_failures_);
  values[Metric::faults_fired] = static_cast<double>(faults_);
  if (!drained_) return;
  values[Metric::drained] = *drained_ ? 1 : 0;
  values[Metric::drain_s] = sim::seconds(drained_at_ - window_.stop);
}

}  // namespace models
