// Leaders and replicas: how long a partition takes no writes after its leader's crash, and where that time
// goes.
//
// An outage of a partition lasts from the crash of its leader to the next batch stored in it, if one ever was before. Its parts:
// detection (to the broker being fenced), election (to a new leader), client refresh (to the next batch
// stored); they add up. An outage without a new leader has no parts and counts for the longest and the sum;
// one that nothing ends is counted to the end of arrivals.
//
// Model: an outage begins with a crash. A leader that is paused or cut off from its clients makes none here; the
// publish latency shows it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/metrics/catalogue.hpp"
#include "models/metrics/entity_table.hpp"
#include "models/metrics/window.hpp"
#include "sim/trace.hpp"

namespace models {

class AvailabilityMeter {
 public:
  explicit AvailabilityMeter(const Window& window) : window_(window) {}

  void broker_crashed(std::uint32_t broker, sim::Time t);
  void broker_state(const sim::TraceRecord& r);
  void leader_changed(const sim::TraceRecord& r);
  void stored(const sim::TraceRecord& r) {
    partitions_[r.place].written = true;
    if (open_ > 0) end_outage(r);
  }
  void isr_changed(const sim::TraceRecord& r);

  void finish(sim::Time end);
  void report(MetricValues& values, std::vector<Labelled>& labelled) const;

 private:
  struct Outage {
    std::uint32_t broker = 0;
    sim::Time crashed{};
    std::optional<sim::Time> fenced;
    std::optional<sim::Time> elected;
  };
  struct Partition {
    bool led = false;  ///< ever
    /// Ever: where nobody writes, and inside __consumer_offsets, nobody misses the leader.
    bool written = false;
    std::uint32_t leader = 0;
    std::optional<Outage> outage;
    sim::Duration unavailable{};
    std::int64_t in_sync = 0;
  };

  void end_outage(const sim::TraceRecord& r);
  void close(Partition& p, sim::Time t);

  const Window& window_;
  EntityTable<Partition> partitions_;
  std::uint64_t open_ = 0;  ///< outages going on
  std::uint64_t outages_ = 0;
  std::uint64_t resolved_ = 0;  ///< with all parts
  sim::Duration total_{};       ///< of the resolved
  sim::Duration detection_{};
  sim::Duration election_{};
  sim::Duration refresh_{};
  sim::Duration sum_{};
  sim::Duration max_{};
  std::int64_t offline_ = 0;
  std::int64_t offline_max_ = 0;
  std::uint64_t elections_ = 0;
  std::uint64_t unclean_ = 0;
  std::uint64_t shrinks_ = 0;
  std::optional<std::int64_t> in_sync_min_;
};

}  // namespace models
