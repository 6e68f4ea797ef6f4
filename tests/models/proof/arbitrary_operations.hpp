// What an operator may do to an arbitrary world: orderly restarts, partitions that are added, racks, quotas.
#pragma once

#include <rapidcheck.h>

#include <string>
#include <vector>

#include "models/scenario.hpp"

namespace proof::detail {

/// Drawn last, so that it moves nothing else of a case; nothing at all in half of them.
inline void add_operations(models::Scenario& s) {
  const auto draw = [](int n) { return *rc::gen::inRange(0, n); };
  if (draw(2) == 0) return;
  using namespace std::chrono_literals;
  models::kafka::ClusterOptions& cluster = *s.kafka;
  cluster.config.controlled_shutdown_enable = draw(3) != 2;
  if (draw(2) == 1) {
    cluster.racks = {"a", "b"};
    cluster.config.broker_rack = "{rack}";
    cluster.config.rack_aware_replica_selector = true;
    for (models::GroupOptions& group : s.groups) {
      group.rack = draw(2) == 1 ? "b" : "a";
      group.config.client_rack = "{rack}";
    }
  }
  if (draw(4) == 3) {
    models::kafka::QuotaOptions quota;
    quota.producer_byte_rate = 1000.0 * (1 + draw(20));
    quota.consumer_byte_rate = 1000.0 * (1 + draw(20));
    cluster.quotas.push_back(quota);
  }
  std::vector<models::FaultSpec> operations;
  if (draw(2) == 1) {
    models::FaultSpec grow;
    grow.kind = "grow";
    grow.target = "orders";
    grow.partitions = cluster.topics[0].partitions + 1 + draw(3);
    grow.at = 1ms * draw(8000);
    operations.push_back(grow);
  }
  for (int n = draw(3); n > 0; --n) {
    models::FaultSpec restart;
    restart.kind = draw(2) == 1 ? "rolling" : "restart";
    const bool members = !s.groups.empty() && draw(2) == 1;
    restart.target = members ? s.groups[0].name + "/*" : "kafka/*";
    restart.at = 1ms * draw(8000);
    restart.duration = 1ms * (1 + draw(4000));
    if (restart.kind == "rolling") restart.gap = 1ms * draw(3000);
    operations.push_back(restart);
  }
  s.faults.insert(s.faults.end(), operations.begin(), operations.end());
}

}  // namespace proof::detail
