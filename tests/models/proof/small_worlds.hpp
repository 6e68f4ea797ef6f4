// What tests of small worlds strike them with, and what they add to them.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "models/world.hpp"

namespace proof {

inline models::FaultSpec strike(std::string kind, std::string target, sim::Duration at,
                                std::optional<sim::Duration> duration = {}) {
  models::FaultSpec fault;
  fault.kind = std::move(kind);
  fault.target = std::move(target);
  fault.at = at;
  fault.duration = duration;
  return fault;
}

/// "orders" is copied to a cluster "west" like the first. Returns the mirror.
inline models::kafka::MirrorOptions& add_west(models::Scenario& s) {
  models::kafka::ClusterOptions west = *s.kafka;
  west.name = "west";
  west.topics.clear();
  s.clusters.push_back(west);
  models::kafka::MirrorOptions mirror;
  mirror.name = "mm2";
  mirror.to = "west";
  mirror.topics = {"orders"};
  mirror.config.replication_factor = 1;
  s.mirrors.push_back(mirror);
  return s.mirrors.back();
}

}  // namespace proof
