// Replicas that are moved to other brokers.
#include <algorithm>

#include "models/kafka/broker/broker.hpp"
#include "models/kafka/broker/controller.hpp"
#include "models/scenario_error.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::Scenario;

namespace {

/// Two partitions on the brokers 0, 1, 2 of five; told to move to 2, 3, 4 in the fifth second.
Scenario moving(double throttle = 0) {
  Scenario s = orders_scenario(30s, sim::ArrivalProcess::poisson(100));
  s.kafka->brokers = 5;
  s.kafka->config.broker_session_timeout = 2s;
  s.kafka->config.broker_heartbeat_interval = 500ms;
  s.kafka->config.min_insync_replicas = 2;
  s.kafka->topics[0].partitions = 2;
  s.kafka->topics[0].replication_factor = 3;
  s.kafka->topics[0].assignment = {{0, 1, 2}, {1, 2, 0}};
  s.groups[0].config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  models::FaultSpec move;
  move.kind = "reassign";
  move.target = "orders";
  move.brokers = {"kafka/2", "kafka/3", "kafka/4"};
  move.throttle = throttle;
  move.at = 5s;
  s.faults = {move};
  return s;
}

struct Moved {
  bool drained = false, complete = false;
  std::int64_t acknowledged = 0, processed = 0;
  sim::Time completed{};  ///< when the in-sync set of the last partition became its new replicas
};

Moved run(const Scenario& scenario, std::uint64_t seed = 1) {
  models::World world(scenario, seed, {.checked = true});
  Recorder recorder;
  world.trace().add_sink(recorder);
  Moved moved;
  moved.drained = world.run().drained;
  for (const auto& r : recorder.of(Kind::acknowledged)) moved.acknowledged += r.b;
  for (const auto& r : recorder.of(Kind::processed)) moved.processed += r.b;
  const Controller& controller = world.kafka().controller();
  moved.complete = true;
  for (std::uint32_t p = 0; p < 2; ++p) {
    const PartitionState& state = controller.state(PartitionIndex{p});
    moved.complete = moved.complete && state.moved && state.moved->adding.empty() &&
                     state.moved->replicas.size() == 3 &&
                     std::all_of(state.isr.begin(), state.isr.end(), [](BrokerId b) { return b.value >= 2; });
  }
  for (const auto& r : recorder.of(Kind::leader_changed)) {
    if (r.time > sim::Time{5s}) moved.completed = std::max(moved.completed, r.time);
  }
  return moved;
}

}  // namespace

TEST_CASE("replicas move while the topic is in use, and nothing is lost") {
  const Moved moved = run(moving());
  CHECK(moved.drained);
  CHECK(moved.complete);
  CHECK(moved.processed == moved.acknowledged);
  CHECK(moved.completed > sim::Time{5s});
  CHECK(moved.completed < sim::Time{6s});
}

TEST_CASE("a throttle makes it slower") {
  const Moved moved = run(moving(5000));
  CHECK(moved.complete);
  CHECK(moved.processed == moved.acknowledged);
  CHECK(moved.completed > sim::Time{6s});
}

TEST_CASE("whoever dies at whatever step of it, nothing is lost and it comes to its end") {
  for (const char* const broker : {"kafka/0", "kafka/1", "kafka/2", "kafka/3", "kafka/4"}) {
    for (int step = 0; step < 12; ++step) {
      Scenario s = moving();
      s.faults.push_back(crash(broker, 5s + step * 300us, 6s));
      const Moved moved = run(s, static_cast<std::uint64_t>(step) + 1);
      INFO(broker << " at step " << step);
      CHECK(moved.drained);
      CHECK(moved.complete);
      CHECK(moved.processed >= moved.acknowledged);
    }
  }
}

TEST_CASE("where to is told by brokers that there are") {
  Scenario s = moving();
  s.faults[0].brokers = {"kafka/3", "kafka/4"};
  CHECK_THROWS_AS(models::World(s, 1), models::ScenarioError);
  s.faults[0].brokers = {"kafka/3", "kafka/4", "kafka/5"};
  CHECK_THROWS_AS(models::World(s, 1), models::ScenarioError);
  s.faults[0].brokers = {"kafka/3", "kafka/4", "billing/0"};
  CHECK_THROWS_AS(models::World(s, 1), models::ScenarioError);
  s.faults[0].brokers = {"kafka/3", "kafka/4", "kafka/3"};
  CHECK_THROWS_AS(models::World(s, 1), models::ScenarioError);
}
