// Leaders and replicas: how long nobody can write to a partition because of a fault of its leader, and where
// that time goes.
//
// An outage of a partition begins when its leader crashes, is paused or is cut off. Its parts: detection (to
// the broker being fenced), election (to a new leader), client refresh (to the next batch stored, or
// acknowledged without being stored again); they add up. Client refresh is counted only while a producer holds
// something for the partition: where nobody has anything to write the outage ends at the election. An outage
// without a new leader has no parts and counts for the longest and the sum; one that nothing ends is counted to
// the end of arrivals. Nobody misses the leaders inside __consumer_offsets.
//
// A pause that heals before anybody noticed ends there, with what is waited for afterwards. Whether a cut of
// links keeps anybody from writing is known only when the leader is fenced: then the outage began with the cut
// or, if later, when the last batch was acknowledged. A broker that is fenced and was hit by nothing that
// names it (its rack was) has been out since the oldest cut that lasts and does not name another broker.
//
// Model: an acknowledgement with acks=0 tells of no append, so behind a cut link such an outage begins with the
// cut although the old leader may have taken batches for a while.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "models/metrics/catalogue.hpp"
#include "models/metrics/entity_table.hpp"
#include "models/metrics/holding.hpp"
#include "models/metrics/window.hpp"
#include "sim/trace.hpp"

namespace models {

class AvailabilityMeter {
 public:
  explicit AvailabilityMeter(const Window& window) : window_(window) {}

  /// `area`: the fault names no process but a host, rack, zone or region.
  void fault(const sim::TraceRecord& r, bool area);
  void broker_state(const sim::TraceRecord& r);
  void leader_changed(const sim::TraceRecord& r);
  void offered(const sim::TraceRecord& r, std::span<const std::int64_t> payload) {
    holding_.offered(r, payload);
  }
  /// `stored`, as part of the log.
  void stored(const sim::TraceRecord& r) {
    if (open_ > 0) written(r.place, r.time);
  }
  /// `stored`, by a leader that has been succeeded.
  void stored_off_line(const sim::TraceRecord& r) {
    if (open_ > 0) off_line(r.place);
  }
  void acknowledged(const sim::TraceRecord& r) {
    if (r.c >= 0) partitions_[r.place].acknowledged = r.time;
    if (open_ > 0) settled(r.place, r.time, r.c >= 0);
    holding_.settled(r);
  }
  void failed(const sim::TraceRecord& r) {
    if (open_ > 0) settled(r.place, r.time, false);
    holding_.settled(r);
  }
  void isr_changed(const sim::TraceRecord& r);

  void finish(sim::Time end);
  void report(MetricValues& values, std::vector<Labelled>& labelled) const;

 private:
  struct Outage {
    std::uint32_t broker = 0;
    sim::Time since{};
    std::optional<sim::Time> fenced{};
    std::optional<sim::Time> elected{};
    std::optional<sim::Time> usable{};  ///< elected, or the fault healed before the broker was fenced
    sim::Time waited_until{};
    sim::Duration waited{};  ///< of the time since it is usable: while a producer held something
    bool off_line = false;   ///< a succeeded leader takes batches: acknowledgements may be its own
  };
  struct Partition {
    bool led = false;  ///< ever
    std::uint32_t leader = 0;
    std::int64_t epoch = 0;
    std::optional<sim::Time> acknowledged;  ///< last
    std::optional<Outage> outage;
    sim::Duration unavailable{};
    std::int64_t in_sync = 0;
  };
  /// A fault of a broker or of links that did not kill the broker.
  struct Trouble {
    std::uint32_t fault = 0;
    std::uint32_t actor = 0;
    std::uint32_t place = 0;
    bool area = false;
    sim::Time since{};
    bool lasts = true;
  };

  void trouble(const sim::TraceRecord& r, bool area);
  const Trouble* trouble_of(std::uint32_t broker) const;
  sim::Time out_since(std::uint32_t place, std::uint32_t broker, sim::Time fenced);
  void broker_silent(std::uint32_t broker, sim::Time t);
  void broker_back(std::uint32_t broker, sim::Time t);
  void broker_fenced(std::uint32_t broker, sim::Time t);
  void producer_crashed(std::uint32_t producer, sim::Time t);
  void begin(std::uint32_t place, std::uint32_t broker, sim::Time since, sim::Time t);
  void written(std::uint32_t place, sim::Time t);
  void off_line(std::uint32_t place);
  void settled(std::uint32_t place, sim::Time t, bool appended);
  /// Counts the time waited up to now.
  void wait(std::uint32_t place, sim::Time t);
  bool waited_since_usable(std::uint32_t place);
  void close(std::uint32_t place, sim::Time t);

  const Window& window_;
  EntityTable<Partition> partitions_;
  Holding holding_;
  std::vector<Trouble> troubles_;
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
