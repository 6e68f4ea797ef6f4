// What has to come about, in time, once nothing is wrong any more: safety is kept by a cluster that does nothing at all.
//
// In each partition that has a leader, once arrivals have stopped and faults have healed: the high watermark reaches the log's
// end, and every replica whose broker is up and unfenced is in sync. A follower that has ceased to fetch, for one, is found by
// both, and by nothing else when its leader has left it out: what is acknowledged is read, only later than it might have been.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "models/kafka/broker/broker.hpp"
#include "models/kafka/cluster.hpp"
#include "models/world.hpp"

namespace proof {

namespace detail {

/// Up, and as far as the metadata say in service.
inline bool serves(models::kafka::Cluster& cluster, models::kafka::BrokerId b) {
  const models::kafka::RegisteredBroker& known = cluster.metadata_log().broker(b);
  return cluster.node(b).up() && !cluster.node(b).paused() && !known.fenced && !known.shutting_down;
}

/// Those that a partition is to have, but for those that are being added.
inline std::vector<models::kafka::BrokerId> settled_replicas(models::kafka::Cluster& cluster,
                                                             models::kafka::PartitionIndex p) {
  const models::kafka::PartitionState& state = cluster.metadata_log().state(p);
  if (!state.moved) return cluster.partition(p).replicas;
  std::vector<models::kafka::BrokerId> all = state.moved->replicas;
  for (const auto* leaving : {&state.moved->adding, &state.moved->removing})
    std::erase_if(all,
                  [&](auto b) { return std::find(leaving->begin(), leaving->end(), b) != leaving->end(); });
  return all;
}

}  // namespace detail

/// Looks at a cluster now and then, and says what has not come about for longer than it may take.
class Liveness {
 public:
  Liveness(models::kafka::Cluster& cluster, sim::Duration bound) : cluster_(cluster), bound_(bound) {}

  void look() {
    for (std::uint32_t n = 0; n < cluster_.partitions().size() && found_.empty(); ++n)
      look(models::kafka::PartitionIndex{n});
  }
  /// Empty while all is well.
  const std::string& found() const { return found_; }

 private:
  void look(models::kafka::PartitionIndex p) {
    const std::string late = waiting(p);
    const sim::Time now = cluster_.context().now();
    if (late.empty()) {
      since_.erase(p.value);
      return;
    }
    const models::kafka::BrokerId b = cluster_.metadata_log().state(p).leader;
    const models::kafka::Replica& leader = *cluster_.broker(b).replica(p);
    Wait& wait = since_.try_emplace(p.value, Wait{now, leader.log.end()}).first->second;
    // What is appended again and again is replicated again and again: the end is the one of then.
    if (leader.high_watermark < leader.log.end() && leader.high_watermark >= wait.end)
      wait = {now, leader.log.end()};
    if (now - wait.since > bound_)
      found_ = cluster_.context().entities[cluster_.partition(p).entity].name + ": " + late;
  }

  /// What is still to come; empty where there is nothing to wait for, or good reason to.
  std::string waiting(models::kafka::PartitionIndex p) const {
    const models::kafka::PartitionState& granted = cluster_.metadata_log().state(p);
    if (!granted.exists() || granted.leader == models::kafka::kNoBroker) return {};
    const auto replicas = detail::settled_replicas(cluster_, p);
    const bool all_serve =
        std::all_of(replicas.begin(), replicas.end(), [this](auto b) { return detail::serves(cluster_, b); });
    if (!all_serve) return {};
    const models::kafka::Replica& leader = *cluster_.broker(granted.leader).replica(p);
    if (!leader.leads || leader.leader_epoch != granted.leader_epoch)
      return "its leader does not know that it leads";
    if (leader.high_watermark < leader.log.end())
      return "the high watermark stands at " + std::to_string(leader.high_watermark) +
             ", and the log ends at " + std::to_string(leader.log.end());
    for (const auto b : replicas) {
      if (std::find(granted.isr.begin(), granted.isr.end(), b) == granted.isr.end())
        return "broker " + std::to_string(b.value) + " serves, and is not in sync";
    }
    return {};
  }

  models::kafka::Cluster& cluster_;
  sim::Duration bound_;
  struct Wait {
    sim::Time since{};
    models::kafka::Offset end = 0;
  };
  std::map<std::uint32_t, Wait> since_;
  std::string found_;
};

}  // namespace proof
