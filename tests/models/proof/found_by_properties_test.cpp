// What the property tests have found, made small and kept.
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/proof/queue_world.hpp"

using namespace proof;

TEST_CASE("members that commit automatically and often get through a rebalance", "[proof]") {
  QueueModel model;
  model.arrivals_per_s = 20;
  model.duration = 8s;
  models::Scenario s = scenario_of(model);
  s.network.base.latency = sim::Distribution::constant(250'000);
  s.kafka->brokers = 2;
  s.kafka->config.offsets_topic_replication_factor = 2;
  s.groups[0].members = 2;
  s.groups[0].stagger = 700ms;
  s.groups[0].config.heartbeat_interval = 900ms;
  s.groups[0].config.auto_commit_interval = 100ms;
  models::World world(s, 1);
  CHECK(world.run().drained);
}

TEST_CASE("an answer to a metadata request may take longer than metadata.max.age.ms", "[proof]") {
  QueueModel model;
  model.arrivals_per_s = 20;
  model.duration = 8s;
  models::Scenario s = scenario_of(model);
  s.groups[0].config.metadata_max_age = 2s;
  models::FaultSpec pause;
  pause.kind = "pause";
  pause.target = "kafka/0";
  pause.at = 0s;
  pause.duration = 5s;
  s.faults.push_back(pause);
  models::World world(s, 1);
  CHECK(world.run().drained);
}
