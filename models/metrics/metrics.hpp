// The metrics of a run, one meter an idea; this class only hands them their records and asks them for their
// values.
//
// A record is applied after the ledger has taken it in; advance() comes before either, so that samples show
// the state before the record. The window of the steady state ends with the `arrivals_stopped` phase, or with
// the run when there is none.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "models/checkers/ledger.hpp"
#include "models/entities.hpp"
#include "models/metrics/alert_meter.hpp"
#include "models/metrics/availability_meter.hpp"
#include "models/metrics/call_meter.hpp"
#include "models/metrics/catalogue.hpp"
#include "models/metrics/controller_meter.hpp"
#include "models/metrics/entity_table.hpp"
#include "models/metrics/lag_meter.hpp"
#include "models/metrics/latency_meter.hpp"
#include "models/metrics/member_meter.hpp"
#include "models/metrics/notification_meter.hpp"
#include "models/metrics/pause_meter.hpp"
#include "models/metrics/queue_meter.hpp"
#include "models/metrics/scaling_meter.hpp"
#include "models/metrics/schema_meter.hpp"
#include "models/metrics/window.hpp"
#include "sim/trace.hpp"

namespace models {

struct MetricsOptions {
  sim::Duration warmup{};
  sim::Duration sample = std::chrono::seconds{1};
  bool timeseries = true;
  const Entities* entities = nullptr;  ///< see ObserverOptions
  const AlertOptions* alerts = nullptr;
};

class Metrics : public LedgerObserver {
 public:
  /// Observes the ledger from now on.
  Metrics(const MetricsOptions& options, Ledger& ledger, Anomalies& anomalies);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void advance(sim::Time t) {
    if (t >= next_stop_) catch_up(t);
  }
  void apply(const sim::TraceRecord& r, std::span<const std::int64_t> payload, sim::RecordNumber number);
  void finish(sim::Time end);

  void report(MetricValues& values, std::vector<Labelled>& labelled) const;
  const std::vector<Sample>& samples() const { return samples_; }

  // of LedgerObserver
  void acknowledged(const MessageRun& run) override { latency_.acknowledged(run); }
  void processed(const MessageRun& run, const FinishTimes& finish, bool again) override;

 private:
  struct Flow {
    std::uint64_t steady = 0;  ///< in the window
    std::uint64_t recent = 0;  ///< since the last sample
  };

  void catch_up(sim::Time t);
  void take_sample(sim::Time t);
  void count(Flow& flow, std::int64_t n, sim::Time t) const;
  void advanced(const sim::TraceRecord& r, std::int64_t next);
  void truncated(const sim::TraceRecord& r);
  void high_watermark(const sim::TraceRecord& r);
  void ownership(const sim::TraceRecord& r, sim::RecordNumber number);
  void member_state(const sim::TraceRecord& r);
  void fault(const sim::TraceRecord& r, sim::RecordNumber number);
  void phase(const sim::TraceRecord& r);
  void stop_arrivals(sim::Time t);
  void tell_scaling(std::uint32_t group);
  void tell_pauses(std::uint32_t place, sim::Time t);
  /// Its members hold partitions together: nobody's leaving makes one pause, and what is done is what it has settled.
  bool shared(std::uint32_t group) const { return group < shared_.size() && shared_[group]; }

  /// Of a topic, not of the cluster's own records.
  bool judged(std::uint32_t partition) const {
    return options_.entities == nullptr ||
           (*options_.entities)[partition].kind != EntityKind::internal_partition;
  }

  MetricsOptions options_;
  Window window_;
  bool warm_ = false;
  sim::Time next_sample_;
  sim::Time next_stop_;  ///< end of the warm-up or next sample, whichever is first
  Readings readings_;
  LatencyMeter latency_;
  LagMeter lag_;
  PauseMeter pauses_;
  MemberMeter members_;
  AvailabilityMeter availability_;
  ControllerMeter controllers_;
  CallMeter calls_;
  SchemaMeter schemas_;
  QueueMeter queues_;
  NotificationMeter notifications_;
  std::optional<AlertMeter> alerts_;
  std::int64_t buffered_max_ = -1;
  std::int64_t scalings_ = -1;
  std::int64_t late_ = -1;
  ScalingMeter scaling_;
  EntityTable<std::uint64_t> refused_;  ///< operations, by error
  std::uint64_t over_quota_ = 0;
  std::uint64_t against_policy_ = 0;
  std::int64_t windows_ = -1;
  std::int64_t windows_over_ = 0;
  std::int64_t windows_under_ = 0;
  Flow offered_;
  Flow acknowledged_;
  EntityTable<Flow> processed_;  ///< by group
  std::vector<bool> shared_;     ///< by group
  std::uint64_t faults_ = 0;
  std::uint64_t transactions_committed_ = 0;
  std::uint64_t transactions_aborted_ = 0;
  std::int64_t diverged_ = 0;  ///< offsets, of each replica
  std::int64_t segments_deleted_ = 0;
  std::int64_t records_deleted_ = 0;
  std::int64_t cleanings_ = 0;
  std::int64_t records_compacted_ = 0;
  std::int64_t segments_tiered_ = 0;
  std::int64_t remote_fetches_ = 0;
  std::int64_t remote_failures_ = 0;
  std::optional<bool> drained_;
  sim::Time drained_at_{};
  sim::Time end_{};
  std::vector<Sample> samples_;
};

}  // namespace models
