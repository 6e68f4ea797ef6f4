// Every metric of a run by name and unit, in the order of the columns of trials.csv; and every time series.
//
// A metric is one number a trial (or none: nothing happened that it measures). Counts come from the ledger
// and the checkers and cover the whole run. Throughput, latency, lag, utilisation and pauses leave out the
// warm-up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "models/ids.hpp"
#include "sim/time.hpp"

namespace models {

enum class Metric : std::uint16_t {
  // messages, by the ledger
  offered,
  refused,
  acknowledged,
  failed,
  failed_in_doubt,
  failed_stored,
  stored,
  processed,
  in_flight,
  lost,
  lost_unacknowledged,
  skipped,
  expired,
  dead_lettered,
  discarded,
  compacted,
  duplicated,
  redelivered,
  two_holders,
  log_duplicates,
  resend_duplicates,
  effects,
  effects_duplicated,
  effects_suppressed,
  effects_missing,
  mirrored,
  mirror_duplicates,
  mirror_missing,
  reordered_in_log,
  reordered_per_key,
  rewound,
  stale_keys,
  truncated,
  aborted,
  // messages, by the checkers
  lost_write,
  unseen,
  duplicate,
  inconsistent_offsets,
  int_poll_skip,
  int_nonmonotonic_poll,
  poll_skip,
  nonmonotonic_poll,
  int_send_skip,
  nonmonotonic_send,
  aborted_read,
  precommitted_read,
  outputs,
  outputs_duplicated,
  outputs_missing,
  table_keys,
  table_wrong,
  resurrected,
  // steady state
  offered_per_s,
  acknowledged_per_s,
  processed_per_s,
  publish_latency_mean_ms,
  publish_latency_p50_ms,
  publish_latency_p95_ms,
  publish_latency_p99_ms,
  publish_latency_p999_ms,
  publish_latency_max_ms,
  e2e_latency_mean_ms,
  e2e_latency_p50_ms,
  e2e_latency_p95_ms,
  e2e_latency_p99_ms,
  e2e_latency_p999_ms,
  e2e_latency_max_ms,
  // lag
  lag_mean_records,
  lag_max_records,
  lag_end_records,
  lag_partition_max_records,
  lag_hottest_mean_records,
  lag_others_mean_records,
  lag_mean_s,
  lag_max_s,
  lag_growth_per_s,
  lag_drain_per_s,
  committed_lag_max_records,
  // who reads what
  rebalance_pause_sum_s,
  rebalance_pause_max_s,
  rebalance_pauses,
  unfetchable_sum_s,
  silent_mean_s,
  silent_max_s,
  overlaps,
  overlap_sum_s,
  overlap_processed,
  // groups and members
  rebalances,
  generations,
  members_evicted,
  members_fenced,
  applications_failed,
  members_idle,
  members_active,
  member_utilisation_mean,
  member_utilisation_max,
  member_detection_mean_s,
  member_detection_max_s,
  redelivered_work_s,
  commits,
  commits_refused,
  committed_records,
  committed_partition_min_records,
  // availability
  unavailability_mean_s,
  unavailability_max_s,
  unavailability_sum_s,
  detection_mean_s,
  election_mean_s,
  client_refresh_mean_s,
  unavailable_partitions,
  partitions_offline_max,
  leader_elections,
  unclean_elections,
  isr_shrinks,
  isr_min_replicas,
  controller_changes,
  controller_absent_sum_s,
  controller_absent_max_s,
  // transactions
  transactions_committed,
  transactions_aborted,
  replica_divergence,
  segments_deleted,
  records_deleted,
  cleanings,
  records_compacted,
  segments_tiered,
  remote_fetches,
  remote_failures,
  // flow
  in_hand_max_records,
  calls,
  calls_failed,
  calls_peak_per_s,
  dependency_recovery_s,
  breaker_opened,
  buffered_max_messages,
  scalings,
  scaling_lag_added_mean_records,
  scaling_lag_added_min_records,
  alert_records_delay_s,
  alert_age_delay_s,
  alert_growth_delay_s,
  alert_records_false,
  alert_age_false,
  alert_growth_false,
  // schemas, windows
  registrations,
  registrations_refused,
  registry_unreachable,
  unreadable,
  late_records,
  windows,
  windows_overcounted,
  windows_undercounted,
  // applications with databases
  facts,
  events,
  events_lost,
  events_invented,
  events_duplicated,
  events_reordered,
  event_delay_mean_ms,
  event_delay_p99_ms,
  event_delay_max_ms,
  requests_answered,
  requests_failed,
  request_latency_mean_ms,
  request_latency_p50_ms,
  request_latency_p99_ms,
  request_latency_max_ms,
  sagas,
  sagas_done,
  sagas_compensated,
  sagas_stuck,
  sagas_inconsistent,
  saga_latency_mean_ms,
  saga_latency_p99_ms,
  saga_latency_max_ms,
  sagas_hidden,
  saga_unrecorded_max,
  saga_hops_mean,
  saga_hop_mean_ms,
  projection_lag_mean_ms,
  projection_lag_p99_ms,
  projection_lag_max_ms,
  views_wrong,
  own_reads,
  own_reads_stale,
  in_doubt_mean_ms,
  in_doubt_max_ms,
  decisions_split,
  // queues
  unroutable,
  requeued,
  redelivered_flags,
  dead_letters,
  empty_receives,
  queue_ready_mean_messages,
  queue_ready_max_messages,
  queue_ready_end_messages,
  queue_unacknowledged_mean_messages,
  queue_unacknowledged_max_messages,
  notifications_delivered,
  notifications_failed,
  notifications_filtered_out,
  notifications_redriven,
  connection_blocks,
  connection_blocked_s,
  // what operators and clients ask controllers for
  operations_refused,
  operations_over_quota,
  operations_against_policy,
  // the run
  faults_fired,
  drained,
  drain_s,
  count_,
};

struct MetricInfo {
  Metric metric;
  std::string_view name;  ///< snake_case, unit at the end
  std::string_view unit;
  std::string_view about;
};
/// One row per metric, in order of the enumeration.
std::span<const MetricInfo> metric_catalogue();
std::optional<Metric> find_metric(std::string_view name);
/// Is it measured for each group, too? Those rows are Labelled with the group alone.
bool measured_by_group(Metric metric);

/// Values in order of the catalogue; empty: the run had nothing to measure.
class MetricValues {
 public:
  MetricValues() : values_(static_cast<std::size_t>(Metric::count_)) {}
  std::optional<double>& operator[](Metric metric) { return values_[static_cast<std::size_t>(metric)]; }
  const std::optional<double>& operator[](Metric metric) const {
    return values_[static_cast<std::size_t>(metric)];
  }
  const std::vector<std::optional<double>>& all() const { return values_; }

 private:
  std::vector<std::optional<double>> values_;
};

/// A value of one subject at the end of the run: of a group, or of a partition or member within a group.
struct Labelled {
  Metric metric = Metric::count_;
  EntityId subject{};
  EntityId group{};  ///< where the subject is a partition seen by a group
  double value = 0;
};

enum class Series : std::uint16_t {
  lag_records,
  lag_s,
  committed_lag_records,
  offered_per_s,
  acknowledged_per_s,
  processed_per_s,
  unfetchable_partitions,
  queue_ready_messages,
  queue_unacknowledged_messages,
  published_per_s,
  dispatched_per_s,
  settled_per_s,
  count_,
};

struct SeriesInfo {
  Series series;
  std::string_view name;
  std::string_view unit;
  std::string_view about;
};
std::span<const SeriesInfo> series_catalogue();

/// One point of a time series. Subject 0: the whole run; a group; or a partition, then `group` says who reads
/// it.
struct Sample {
  sim::Time time{};
  Series series = Series::lag_records;
  EntityId subject{};
  EntityId group{};
  double value = 0;
};

}  // namespace models
