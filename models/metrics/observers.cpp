#include "models/metrics/observers.hpp"

#include "models/checkers/catalogue.hpp"

namespace models {

namespace {

void put_ledger(const LedgerTotals& t, MetricValues& values) {
  const auto put = [&values](Metric metric, std::uint64_t n) { values[metric] = static_cast<double>(n); };
  put(Metric::offered, t.offered);
  put(Metric::refused, t.refused);
  put(Metric::acknowledged, t.acknowledged);
  put(Metric::failed, t.failed);
  put(Metric::failed_in_doubt, t.failed_in_doubt);
  put(Metric::failed_stored, t.failed_stored);
  put(Metric::stored, t.stored);
  put(Metric::in_flight, t.in_flight);
  put(Metric::lost, t.lost);
  put(Metric::lost_unacknowledged, t.lost_unacknowledged);
  put(Metric::skipped, t.skipped);
  put(Metric::expired, t.expired);
  put(Metric::dead_lettered, t.dead_lettered);
  put(Metric::discarded, t.discarded);
  put(Metric::compacted, t.compacted);
  put(Metric::log_duplicates, t.log_duplicates);
  put(Metric::resend_duplicates, t.resend_duplicates);
  put(Metric::reordered_in_log, t.reordered_in_log);
  put(Metric::truncated, t.truncated);
  put(Metric::aborted, t.aborted);
  put(Metric::mirrored, t.mirrored);
  put(Metric::mirror_duplicates, t.mirror_duplicates);
  put(Metric::mirror_missing, t.mirror_missing);
}

void put_groups(const LedgerTotals& t, MetricValues& values, std::vector<Labelled>& labelled) {
  for (const GroupTotals& g : t.groups) {
    const auto add = [&](Metric metric, std::uint64_t n, bool sum = true) {
      labelled.push_back({metric, g.group, {}, static_cast<double>(n)});
      if (sum) values[metric] = values[metric].value_or(0) + static_cast<double>(n);
    };
    add(Metric::processed, g.processed);
    add(Metric::duplicated, g.duplicated);
    add(Metric::redelivered, g.redelivered);
    add(Metric::two_holders, g.two_holders);
    add(Metric::effects, g.effects);
    add(Metric::effects_duplicated, g.effects_duplicated);
    add(Metric::effects_suppressed, g.effects_suppressed);
    const std::uint64_t with_effect = g.effects - g.effects_duplicated;
    add(Metric::effects_missing, g.effects > 0 && g.processed > with_effect ? g.processed - with_effect : 0);
    add(Metric::reordered_per_key, g.reordered_per_key);
    add(Metric::rewound, g.rewound);
    add(Metric::stale_keys, g.stale_keys);
    // A message that two groups lost is one lost message: the run's totals are unions, not sums.
    add(Metric::offered, g.offered, false);
    add(Metric::lost, g.lost, false);
    add(Metric::lost_unacknowledged, g.lost_unacknowledged, false);
    add(Metric::skipped, g.skipped, false);
    add(Metric::expired, g.expired, false);
    add(Metric::dead_lettered, g.dead_lettered, false);
    add(Metric::discarded, g.discarded, false);
    add(Metric::compacted, g.compacted, false);
    add(Metric::in_flight, g.in_flight, false);
  }
}

void put_checkers(const Anomalies& anomalies, MetricValues& values) {
  const auto put = [&](Metric metric, Verdict verdict) {
    values[metric] = static_cast<double>(anomalies.counted(verdict));
  };
  put(Metric::lost_write, Verdict::lost_write);
  put(Metric::unseen, Verdict::unseen);
  put(Metric::duplicate, Verdict::duplicate);
  put(Metric::inconsistent_offsets, Verdict::inconsistent_offsets);
  put(Metric::int_poll_skip, Verdict::int_poll_skip);
  put(Metric::int_nonmonotonic_poll, Verdict::int_nonmonotonic_poll);
  put(Metric::poll_skip, Verdict::poll_skip);
  put(Metric::nonmonotonic_poll, Verdict::nonmonotonic_poll);
  put(Metric::int_send_skip, Verdict::int_send_skip);
  put(Metric::nonmonotonic_send, Verdict::nonmonotonic_send);
  put(Metric::aborted_read, Verdict::aborted_read);
  put(Metric::precommitted_read, Verdict::precommitted_read);
  put(Metric::outputs_duplicated, Verdict::output_duplicated);
  put(Metric::outputs_missing, Verdict::output_missing);
  put(Metric::table_wrong, Verdict::table_wrong);
  put(Metric::resurrected, Verdict::resurrected);
}

}  // namespace

Observers::Observers(const ObserverOptions& options)
    : anomalies_(options.anomaly_rows_each),
      ledger_(anomalies_),
      metrics_({options.warmup, options.sample, options.timeseries, options.entities, options.alerts},
               ledger_, anomalies_) {
  if (!options.checkers) return;
  for (const CheckerInfo& row : checker_catalogue()) {
    checkers_.push_back(row.make(ledger_, anomalies_));
    const KindSet wanted = checkers_.back()->kinds();
    for (std::size_t kind = 0; kind < wanted_.size(); ++kind) {
      if (wanted.has(static_cast<std::uint16_t>(kind))) wanted_[kind].push_back(checkers_.back().get());
    }
  }
}

void Observers::consume(const sim::TraceBlock& block) {
  sim::RecordNumber number = block.first;
  for (const sim::TraceRecord& r : block.records) {
    const auto payload = block.payload(r);
    metrics_.advance(r.time);
    if (r.kind < wanted_.size()) {
      for (Checker* checker : wanted_[r.kind]) checker->record(r, payload, number);
    }
    ledger_.apply(r, payload, number);
    metrics_.apply(r, payload, number);
    ++number;
  }
}

void Observers::finish(sim::Time end) {
  ledger_.finish(end);
  metrics_.finish(end);
  for (const std::unique_ptr<Checker>& checker : checkers_) checker->finish(end);
  put_ledger(ledger_.totals(), values_);
  put_groups(ledger_.totals(), values_, labelled_);
  if (!checkers_.empty()) put_checkers(anomalies_, values_);
  for (const std::unique_ptr<Checker>& checker : checkers_) checker->report(values_);
  metrics_.report(values_, labelled_);
}

}  // namespace models
