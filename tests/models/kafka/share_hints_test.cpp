// ShareFetch and ShareAcknowledge name the new leader where they are refused for it (KIP-951).
#include <algorithm>

#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;

namespace {

/// How long after the leader is told to stop the group is given a record of its partition by another, in ms.
double pause_of(bool hints, std::uint64_t seed) {
  models::Scenario s = orders_scenario(10s, sim::ArrivalProcess::poisson(500));
  s.kafka->brokers = 3;
  s.kafka->topics[0].replication_factor = 3;
  s.kafka->topics[0].assignment = {{0, 1, 2}};
  s.kafka->rules.set(Rule::leader_hints, hints);
  models::GroupOptions& group = s.groups[0];
  group.type = models::GroupType::share;
  group.service = sim::Distribution::constant(1e5);
  group.config.share.auto_offset_reset = AutoOffsetReset::earliest;
  models::FaultSpec restart = crash("kafka/0", 5s, 4s);
  restart.kind = "restart";
  s.faults = {restart};
  models::World world(s, seed, {.checked = true});
  Recorder recorder;
  world.trace().add_sink(recorder);
  CHECK(world.run().drained);
  sim::Time before{5s}, longest{};
  for (const sim::TraceRecord& r : recorder.of(Kind::delivered)) {
    if (r.time < sim::Time{5s}) continue;
    longest = std::max(longest, sim::Time{r.time - before});
    before = r.time;
  }
  return sim::seconds(longest) * 1000;
}

}  // namespace

TEST_CASE("a share group goes on with the new leader that the old one names", "[share]") {
  double with = 0, without = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    with += pause_of(true, seed);
    without += pause_of(false, seed);
  }
  INFO("with " << with / 5 << " ms, without " << without / 5 << " ms");
  CHECK(with + 5 * 50 < without);
}
