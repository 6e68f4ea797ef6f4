// Everything that watches a run, behind one sink: ledger, metrics and checkers.
//
//   models::Observers observers({.warmup = 10s});
//   trace.add_sink(observers);
//   ... run ..., trace.finish(end);
//   observers.values()[models::Metric::lost];
//
// Each record goes to the checkers that want it, then to the ledger, then to the metrics, so that a metric
// may ask the ledger about the moment of its record. A run that wants no verdicts of the checkers leaves them
// out and pays nothing for them.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "models/checkers/checker.hpp"
#include "models/checkers/ledger.hpp"
#include "models/checkers/verdicts.hpp"
#include "models/entities.hpp"
#include "models/metrics/catalogue.hpp"
#include "models/metrics/metrics.hpp"
#include "sim/trace.hpp"

namespace models {

struct ObserverOptions {
  sim::Duration warmup{};  ///< left out of steady-state metrics, never out of verdicts
  sim::Duration sample = std::chrono::seconds{1};  ///< distance of time series points
  bool timeseries = true;                          ///< keep the points
  bool checkers = true;                            ///< the checkers beside the ledger
  std::size_t anomaly_rows_each = 100;             ///< rows kept of every verdict; all are counted
  /// Tells partitions of topics from those of __consumer_offsets, whose leaders are not counted; null: all count.
  const Entities* entities = nullptr;
  /// Rules whose alarms are counted; null: none. Needs `entities`.
  const AlertOptions* alerts = nullptr;
};

class Observers : public sim::TraceSink {
 public:
  explicit Observers(const ObserverOptions& options = {});

  void consume(const sim::TraceBlock& block) override;
  void finish(sim::Time end) override;

  // Complete after finish().
  const MetricValues& values() const { return values_; }
  const std::vector<Labelled>& labelled() const { return labelled_; }
  const std::vector<Sample>& samples() const { return metrics_.samples(); }
  const Anomalies& anomalies() const { return anomalies_; }
  const Ledger& ledger() const { return ledger_; }

 private:
  Anomalies anomalies_;
  Ledger ledger_;
  Metrics metrics_;
  std::vector<std::unique_ptr<Checker>> checkers_;
  std::array<std::vector<Checker*>, static_cast<std::size_t>(Kind::count_)> wanted_;  ///< by kind
  MetricValues values_;
  std::vector<Labelled> labelled_;
};

}  // namespace models
