// Partitions that are added to a topic in use, and consumers that read from the replica in their rack.
#include <algorithm>

#include "models/kafka/broker/controller.hpp"
#include "models/scenario_error.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::Scenario;

namespace {

models::FaultSpec growth(std::int32_t partitions, sim::Duration at) {
  models::FaultSpec spec;
  spec.kind = "grow";
  spec.target = "orders";
  spec.partitions = partitions;
  spec.at = at;
  return spec;
}

/// Keyed messages to two partitions, of which there are four from the fifth second on.
Scenario growing(sim::Duration metadata_max_age) {
  Scenario s = orders_scenario(30s, sim::ArrivalProcess::poisson(200));
  s.kafka->topics[0].partitions = 2;
  s.producers[0].keys.count = 100;
  s.producers[0].keys.rank = sim::Distribution::uniform(0, 100);
  s.producers[0].config.metadata_max_age = metadata_max_age;
  s.groups[0].members = 2;
  s.groups[0].config.metadata_max_age = metadata_max_age;
  s.groups[0].config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  s.faults = {growth(4, 5s)};
  return s;
}

/// Names of the partitions that records of `kind` are about, sorted.
std::vector<std::string> places(models::World& world, const Recorder& recorder, Kind kind) {
  std::vector<std::string> names;
  for (const sim::TraceRecord& r : recorder.of(kind)) {
    names.push_back(world.context().entities[models::EntityId{r.place}].name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

sim::Time first_stored(models::World& world, const Recorder& recorder, const std::string& place) {
  for (const sim::TraceRecord& r : recorder.of(Kind::stored)) {
    if (world.context().entities[models::EntityId{r.place}].name == place) return r.time;
  }
  return sim::kNever;
}

}  // namespace

TEST_CASE("a topic that grows is written and read in its new partitions once clients have looked") {
  const Scenario scenario = growing(2s);
  models::World world(scenario, 1);
  Recorder recorder;
  world.trace().add_sink(recorder);
  const models::RunOutcome outcome = world.run();
  CHECK(outcome.drained);
  CHECK(outcome.faults_fired == std::vector<std::uint64_t>{1});
  const std::vector<std::string> all{"orders/0", "orders/1", "orders/2", "orders/3"};
  CHECK(places(world, recorder, Kind::stored) == all);
  CHECK(places(world, recorder, Kind::processed) == all);
  CHECK(first_stored(world, recorder, "orders/3") > sim::Time{5s});
  CHECK(first_stored(world, recorder, "orders/3") < sim::Time{8s});
}

TEST_CASE("who does not look goes on with the partitions that it knows") {
  const Scenario scenario = growing(300s);
  models::World world(scenario, 1);
  Recorder recorder;
  world.trace().add_sink(recorder);
  world.run();
  CHECK(places(world, recorder, Kind::stored) == std::vector<std::string>{"orders/0", "orders/1"});
}

TEST_CASE("keyless messages go to new partitions, too") {
  Scenario scenario = growing(2s);
  scenario.producers[0].keys.count = 0;
  scenario.producers[0].config.batch_size = 200;
  models::World world(scenario, 1);
  Recorder recorder;
  world.trace().add_sink(recorder);
  CHECK(world.run().drained);
  CHECK(places(world, recorder, Kind::processed).size() == 4);
}

TEST_CASE("a topic grows and never shrinks, and nothing but a topic does") {
  Scenario scenario = growing(2s);
  scenario.faults = {growth(2, 5s)};
  CHECK_THROWS_AS(models::World(scenario, 1), models::ScenarioError);
  scenario.faults = {growth(4, 5s)};
  scenario.faults[0].target = "orderz";
  CHECK_THROWS_AS(models::World(scenario, 1), models::ScenarioError);
  scenario.faults = {growth(4, 5s)};
  scenario.faults[0].partitions.reset();
  CHECK_THROWS_AS(models::World(scenario, 1), models::ScenarioError);
}

// ---- racks --------------------------------------------------------------------------------------------------------

namespace {

/// Three brokers in racks a, b, c; a consumer in b of a partition led in a.
Scenario racked() {
  Scenario s = orders_scenario(20s, sim::ArrivalProcess::poisson(100));
  s.kafka->brokers = 3;
  s.kafka->racks = {"a", "b", "c"};
  s.kafka->config.broker_rack = "{rack}";
  s.kafka->config.rack_aware_replica_selector = true;
  s.kafka->topics[0].partitions = 1;
  s.kafka->topics[0].replication_factor = 3;
  s.kafka->topics[0].assignment = {{0, 1, 2}};
  s.groups[0].members = 1;
  s.groups[0].rack = "b";
  s.groups[0].config.client_rack = "{rack}";
  s.groups[0].config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  return s;
}

models::FaultSpec cut_off(const std::string& broker, sim::Duration at, sim::Duration duration) {
  models::FaultSpec spec;
  spec.kind = "link-cut";
  spec.target = "billing/0";
  spec.other = broker;
  spec.at = at;
  spec.duration = duration;
  return spec;
}

std::int64_t processed_between(const Recorder& recorder, sim::Duration from, sim::Duration to) {
  std::int64_t n = 0;
  for (const sim::TraceRecord& r : recorder.of(Kind::processed)) {
    if (r.time > sim::Time{from} && r.time < sim::Time{to}) n += r.b;
  }
  return n;
}

std::int64_t processed_while_cut_from(const Scenario& base, const std::string& broker) {
  Scenario s = base;
  s.faults = {cut_off(broker, 8s, 5s)};
  models::World world(s, 1);
  Recorder recorder;
  world.trace().add_sink(recorder);
  world.run();
  return processed_between(recorder, 9s, 13s);
}

}  // namespace

TEST_CASE("with a rack of its own a consumer reads from the replica there, not from the leader") {
  CHECK(processed_while_cut_from(racked(), "kafka/0") > 300);
  CHECK(processed_while_cut_from(racked(), "kafka/1") < 300);
}

TEST_CASE("without a rack, a selector or brokers that tell theirs it reads from the leader") {
  Scenario none = racked();
  none.groups[0].config.client_rack = "";
  CHECK(processed_while_cut_from(none, "kafka/0") == 0);
  Scenario no_selector = racked();
  no_selector.kafka->config.rack_aware_replica_selector = false;
  CHECK(processed_while_cut_from(no_selector, "kafka/0") == 0);
  Scenario untold = racked();
  untold.kafka->config.broker_rack = "";
  CHECK(processed_while_cut_from(untold, "kafka/0") == 0);
}

TEST_CASE("when its replica goes a consumer reads from the leader again") {
  Scenario s = racked();
  s.duration = 40s;
  models::FaultSpec crash;
  crash.kind = "crash";
  crash.target = "kafka/1";
  crash.at = 8s;
  crash.duration = 30s;  // its leader takes it out of the in-sync set after 9
  s.faults = {crash};
  models::World world(s, 1);
  Recorder recorder;
  world.trace().add_sink(recorder);
  CHECK(world.run().drained);
  CHECK(processed_between(recorder, 20s, 30s) > 800);
}
