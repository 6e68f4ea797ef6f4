// Members that tell their rack read what is in it (KIP-881), in a whole world.
#include "models/kafka/cluster.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::Scenario;
using models::kafka::Assignor;

namespace {

/// Partitions that a member owns whose only replica is in another rack than the member.
int far_from_home(const Scenario& scenario) {
  models::World world(scenario, 1);
  Recorder recorder;
  world.trace().add_sink(recorder);
  world.run();
  int far = 0;
  for (const auto& r : recorder.of(Kind::ownership)) {
    if (r.a == 0) continue;
    const auto& partition = world.kafka().partition(PartitionIndex{world.entities()[r.place].index});
    const std::int32_t rack = world.kafka().rack_of(partition.replicas.front());
    far += rack == static_cast<std::int32_t>(world.entities()[r.actor].index) ? 0 : 1;
  }
  return far;
}

Scenario three_racks(Assignor assignor) {
  Scenario s = orders_scenario(10s, sim::ArrivalProcess::poisson(50));
  s.kafka->brokers = 3;
  s.kafka->racks = {"a", "b", "c"};
  s.kafka->config.broker_rack = "{rack}";
  s.kafka->topics[0].partitions = 6;
  s.groups[0].members = 3;
  s.groups[0].racks = {"a", "b", "c"};
  s.groups[0].config.client_rack = "{rack}";
  s.groups[0].config.partition_assignment_strategy = {assignor};
  return s;
}

}  // namespace

TEST_CASE("members get what is in their rack, since 3.5") {
  Scenario s = three_racks(Assignor::range);
  CHECK(far_from_home(s) == 0);
  s.kafka->rules.set(models::kafka::Rule::rack_aware_assignors, false);
  CHECK(far_from_home(s) > 0);
  CHECK(far_from_home(three_racks(Assignor::cooperative_sticky)) == 0);
}
