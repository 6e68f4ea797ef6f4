#include "experiments/results/screen.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "experiments/results/report.hpp"
#include "experiments/results/spread.hpp"
#include "models/metrics/catalogue.hpp"

namespace experiments {
namespace {

using M = models::Metric;

const std::optional<double>& value_of(const TrialResult& trial, M metric) {
  return trial.metrics[static_cast<std::size_t>(metric)];
}

const models::MetricInfo& info_of(M metric) {
  return models::metric_catalogue()[static_cast<std::size_t>(metric)];
}

std::string row_text(const TrialResult& trial, M metric) {
  const models::MetricInfo& info = info_of(metric);
  return fmt::format("  {:<28} {:>10} {:<10} {}\n", info.name, short_number(value_of(trial, metric)),
                     info.unit == "1 or 0" ? "" : info.unit, info.about);
}

/// Metrics of one kind: `always` are shown, the rest where something happened.
struct Group {
  std::string_view title;
  std::vector<M> always;
  std::vector<M> unless_zero;
};

const std::vector<Group>& groups() {
  static const std::vector<Group> all{
      {"verdicts",
       {M::lost, M::duplicated, M::reordered_per_key, M::in_flight},
       {M::refused,
        M::failed,
        M::failed_in_doubt,
        M::failed_stored,
        M::lost_unacknowledged,
        M::effects_duplicated,
        M::effects_suppressed,
        M::effects_missing,
        M::mirror_duplicates,
        M::mirror_missing,
        M::log_duplicates,
        M::resend_duplicates,
        M::reordered_in_log,
        M::rewound,
        M::stale_keys,
        M::truncated,
        M::lost_write,
        M::unseen,
        M::duplicate,
        M::inconsistent_offsets,
        M::int_poll_skip,
        M::int_nonmonotonic_poll,
        M::poll_skip,
        M::nonmonotonic_poll,
        M::int_send_skip,
        M::nonmonotonic_send}},
      {"throughput", {M::offered_per_s, M::processed_per_s}, {}},
      {"lag", {M::lag_mean_records, M::lag_max_records, M::lag_max_s}, {}},
      {"queues",
       {},
       {M::unroutable, M::discarded, M::dead_letters, M::requeued, M::redelivered_flags, M::empty_receives,
        M::queue_ready_mean_messages, M::queue_ready_max_messages, M::queue_unacknowledged_mean_messages,
        M::queue_unacknowledged_max_messages}},
      {"consumer groups",
       {},
       {M::rebalance_pauses, M::rebalance_pause_max_s, M::rebalance_pause_sum_s, M::overlaps,
        M::overlap_processed, M::rebalances, M::members_evicted, M::members_fenced, M::applications_failed,
        M::members_idle, M::member_detection_max_s, M::commits_refused, M::redelivered_work_s}},
      {"availability",
       {},
       {M::unavailability_max_s, M::detection_mean_s, M::election_mean_s, M::client_refresh_mean_s,
        M::leader_elections, M::unclean_elections, M::isr_shrinks, M::partitions_offline_max}},
      {"operations", {}, {M::operations_over_quota, M::operations_against_policy}},
      {"applications",
       {},
       {M::facts,
        M::events_lost,
        M::events_invented,
        M::events_duplicated,
        M::events_reordered,
        M::event_delay_mean_ms,
        M::requests_answered,
        M::requests_failed,
        M::request_latency_p50_ms,
        M::request_latency_max_ms,
        M::sagas_done,
        M::sagas_compensated,
        M::sagas_stuck,
        M::sagas_inconsistent,
        M::saga_latency_mean_ms,
        M::projection_lag_max_ms,
        M::views_wrong,
        M::own_reads_stale,
        M::in_doubt_max_ms,
        M::decisions_split}},
  };
  return all;
}

std::string latency_rows(const TrialResult& trial) {
  struct Row {
    std::string_view name;
    std::array<M, 6> metrics;
  };
  static constexpr std::array kRows{
      Row{"publish",
          {M::publish_latency_mean_ms, M::publish_latency_p50_ms, M::publish_latency_p95_ms,
           M::publish_latency_p99_ms, M::publish_latency_p999_ms, M::publish_latency_max_ms}},
      Row{"end to end",
          {M::e2e_latency_mean_ms, M::e2e_latency_p50_ms, M::e2e_latency_p95_ms, M::e2e_latency_p99_ms,
           M::e2e_latency_p999_ms, M::e2e_latency_max_ms}}};
  std::string out = fmt::format("{:<16}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "latency [ms]", "mean", "p50",
                                "p95", "p99", "p99.9", "max");
  for (const Row& row : kRows) {
    out += fmt::format("  {:<14}", row.name);
    for (const M m : row.metrics) {
      const auto& value = value_of(trial, m);
      out += fmt::format("{:>10}", value ? fmt::format("{:.5g}", *value) : "-");
    }
    out += '\n';
  }
  return out;
}

/// Each latency of messages has six metrics, which are a table of their own.
bool is_latency(const models::MetricInfo& info) {
  return info.name.find("publish_latency_") == 0 || info.name.find("e2e_latency_") == 0;
}

std::string all_rows(const TrialResult& trial) {
  std::string out;
  for (const models::MetricInfo& info : models::metric_catalogue()) {
    if (value_of(trial, info.metric) && !is_latency(info)) out += row_text(trial, info.metric);
  }
  return out;
}

constexpr std::array kTableMetrics{
    M::lost,
    M::duplicated,
    M::rebalance_pause_max_s,
    M::lag_max_records,
    M::e2e_latency_p99_ms,
    M::processed_per_s,
};

using Row = std::vector<std::string>;

/// Columns on a terminal: bytes that begin a character.
std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// Right-aligned columns, two blanks between them.
std::string table_text(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  std::string out;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += std::string(widths[i] - columns(row[i]) + (i == 0 ? 0 : 2), ' ') + row[i];
    }
    out += '\n';
  }
  return out;
}

/// "1376 ± 188", "5.11 ± 0.52": the half-width with two digits where it is small, the mean to the same place.
std::string with_half_width(double mean, double half_width) {
  const int places = std::clamp(1 - static_cast<int>(std::floor(std::log10(half_width))), 0, 9);
  return fmt::format("{:.{}f} ± {:.{}f}", mean, places, half_width, places);
}

std::string spread_text(const Spread& spread) {
  if (spread.trials() == 0) return "-";
  const auto half = spread.half_width();
  return half && *half > 0 ? with_half_width(spread.mean(), *half) : short_number(spread.mean());
}

}  // namespace

std::string short_number(const std::optional<double>& value) {
  if (!value) return "-";
  if (*value == std::floor(*value) && std::abs(*value) < 1e15) return fmt::format("{:.0f}", *value);
  return fmt::format("{:.6g}", *value);
}

std::string trial_text(const TrialResult& trial, bool all) {
  if (all) return all_rows(trial) + "\n" + latency_rows(trial);
  std::string out;
  // Queues have no lag.
  const bool only_queues =
      value_of(trial, M::queue_ready_max_messages) && !value_of(trial, M::lag_max_records);
  for (const Group& group : groups()) {
    if (only_queues && group.title == "lag") continue;
    std::string rows;
    for (const M m : group.always) rows += row_text(trial, m);
    for (const M m : group.unless_zero) {
      if (value_of(trial, m).value_or(0) != 0) rows += row_text(trial, m);
    }
    if (rows.empty()) continue;
    out += std::string(group.title) + "\n" + rows;
    if (group.title == "throughput") out += latency_rows(trial);
  }
  return out;
}

std::string summary_table(const Experiment& experiment, const std::vector<StoredTrial>& trials) {
  std::vector<Row> rows(1);
  for (const Axis& axis : experiment.axes) rows.front().push_back(axis.path.segments().back());
  rows.front().push_back("variant");
  rows.front().push_back("trials");
  for (const M m : kTableMetrics) rows.front().emplace_back(info_of(m).name);
  for (const auto& [cell, metrics] : spreads_of(trials)) {
    Row row;
    const std::vector<std::size_t> at = axis_indices(experiment.axes, cell.first);
    for (std::size_t i = 0; i < at.size(); ++i) row.push_back(axis_value(experiment.axes[i].values[at[i]]));
    row.push_back(experiment.variants[cell.second].name);
    row.push_back(std::to_string(metrics[static_cast<std::size_t>(M::offered)].trials()));
    for (const M m : kTableMetrics) row.push_back(spread_text(metrics[static_cast<std::size_t>(m)]));
    rows.push_back(std::move(row));
  }
  return table_text(rows);
}

}  // namespace experiments
