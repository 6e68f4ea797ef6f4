// What most tests of a whole world begin with: "shop" sends into the topic "orders" of a cluster, the group "billing" reads it.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "models/scenario.hpp"

/// One topic of one partition, one producer, a group of one member, all else as by default.
inline models::Scenario orders_scenario(sim::Duration duration, sim::ArrivalProcess arrivals) {
  models::Scenario s;
  s.name = "orders";
  s.duration = duration;
  models::kafka::TopicOptions topic;
  topic.name = "orders";
  s.kafka.emplace().topics.push_back(std::move(topic));
  models::ProducerOptions shop;
  shop.name = "shop";
  shop.to = "orders";
  shop.arrivals = std::move(arrivals);
  s.producers.push_back(std::move(shop));
  models::GroupOptions billing;
  billing.name = "billing";
  billing.topics = {"orders"};
  s.groups.push_back(std::move(billing));
  return s;
}

/// Without a length: for good.
inline models::FaultSpec crash(std::string target, sim::Duration at,
                               std::optional<sim::Duration> length = {}) {
  models::FaultSpec fault;
  fault.kind = "crash";
  fault.target = std::move(target);
  fault.at = at;
  fault.duration = length;
  return fault;
}
