// The world in which tests of configuration keys look for the effect of each.
#pragma once

#include <chrono>

#include "tests/models/orders_scenario.hpp"

/// Each broker and a consumer die once; timeouts are short enough to see it.
inline models::Scenario small_world() {
  using namespace std::chrono_literals;
  models::Scenario s = orders_scenario(20s, sim::ArrivalProcess::poisson(150));
  s.drain = 20s;
  models::kafka::ClusterOptions& cluster = *s.kafka;
  cluster.service.request = sim::Distribution::exponential(100'000);
  cluster.config.broker_session_timeout = 2s;
  cluster.config.broker_heartbeat_interval = 500ms;
  cluster.config.min_insync_replicas = 2;
  cluster.topics[0].partitions = 3;
  cluster.topics[0].replication_factor = 3;

  models::ProducerOptions& producer = s.producers[0];
  producer.size = sim::Distribution::constant(200);
  producer.keys.count = 50;
  producer.keys.rank = sim::Distribution::uniform(0, 50);

  models::GroupOptions& group = s.groups[0];
  group.members = 2;
  group.service = sim::Distribution::constant(3e6);
  group.config.session_timeout = 10s;

  s.faults = {crash("kafka/0", 3s, 3s), crash("kafka/1", 8s, 3s), crash("kafka/2", 13s, 3s),
              crash("billing/0", 17s, 1s)};
  return s;
}
