// A run as Kafka's own benchmarks would have reported it: for each producer the lines of kafka-producer-perf-test, for each
// consumer the row of kafka-consumer-perf-test, so that a figure can stand beside one that was measured on a cluster.
//
// As the tools count (ProducerPerformance.java, ConsumerPerformance.java): a record is sent when its callback reports success,
// and its latency is from send() to that; every 5 s of successes has a line of its own; a consumer's time ends with the last
// records that poll() returned, and its rebalance time is when it held no partition; MB are 1024 x 1024 bytes. Dates are
// virtual: the run begins with 1970.
//
// Model: bytes are counted at the mean size of a producer's messages, and at that of a topic's producers by the messages
// they sent to the partition; percentiles are within 1/256.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "experiments/trial.hpp"
#include "models/checkers/ledger.hpp"
#include "models/clients/workload.hpp"
#include "sim/histogram.hpp"
#include "sim/trace.hpp"

namespace experiments {

struct PerfReport {
  struct Producer {
    std::string name;
    std::vector<std::string> lines;  ///< the last one is the total
  };
  struct Group {
    std::string name;
    std::vector<std::pair<std::string, std::string>> members;  ///< name and row
  };
  std::vector<Producer> producers;
  std::vector<Group> groups;
};

inline constexpr const char* kConsumerPerfHeader =
    "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, "
    "fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec";

/// A sink of one run. Complete after the run.
class PerfTest final : public TrialWatcher, private models::LedgerObserver {
 public:
  explicit PerfTest(std::vector<models::ProducerOptions> producers,
                    std::vector<models::GroupOptions> groups = {})
      : options_(std::move(producers)), groups_(std::move(groups)), ledger_(anomalies_) {
    ledger_.observe(*this);
  }
  void attach(const models::Entities& entities) override;
  void consume(const sim::TraceBlock& block) override;
  void finish(sim::Time end) override;

  const PerfReport& report() const { return report_; }

 private:
  /// What one line tells.
  struct Stats {
    std::int64_t began = -1;
    std::uint64_t count = 0;
    sim::WideSum latency = 0;
    std::int64_t latency_max = 0;
  };
  struct Producer {
    Stats window;
    std::int64_t began = -1, ended = -1;  ///< the first creation, the last success
    sim::Histogram latency;
    std::vector<std::string> lines;
  };
  struct Member {
    std::int64_t began = -1, ended = -1;
    std::int64_t join_began = 0, joining = 0;
    std::uint32_t partitions = 0;
    std::uint64_t messages = 0;
    double bytes = 0;
  };
  /// Messages of producers in a partition.
  using Sent = std::map<std::uint32_t, std::uint64_t>;

  void acknowledged(const models::MessageRun& run) override;
  void processed(const models::MessageRun&, const models::FinishTimes&, bool) override {}
  void look(const sim::TraceRecord& r, const sim::TraceBlock& block);
  double mean_size_in(std::uint32_t partition) const;

  std::vector<models::ProducerOptions> options_;
  std::vector<models::GroupOptions> groups_;  ///< those that transform have producers, too
  const models::Entities* entities_ = nullptr;
  models::Anomalies anomalies_;
  models::Ledger ledger_;
  std::map<std::uint32_t, double> mean_size_;    ///< of a producer's messages, by entity
  std::map<std::uint32_t, Producer> producers_;  ///< by entity
  std::map<std::uint32_t, Member> members_;      ///< by entity
  std::map<std::uint32_t, Sent> sent_;           ///< by partition
  PerfReport report_;
};

}  // namespace experiments
