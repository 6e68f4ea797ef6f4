// Faults of machines that go on: a slow one, a wrong clock.
#include "models/scenario_error.hpp"
#include "tests/catch.hpp"
#include "tests/models/faults/fault_world.hpp"

using namespace fault_tests;
using Lines = std::vector<std::string>;

namespace {

FaultSpec slowdown(std::string target, double factor) {
  FaultSpec spec = fault("slowdown", std::move(target));
  spec.factor = factor;
  return spec;
}
FaultSpec ahead(std::string target, sim::Duration by) {
  FaultSpec spec = fault("clock-skew", std::move(target));
  spec.ahead = by;
  return spec;
}

}  // namespace

TEST_CASE("slowdown stretches what work takes, and slowdowns that overlap multiply") {
  FaultWorld w;
  w.inject({lasting(at(slowdown("billing/0", 10), 1s), 4s), lasting(at(slowdown("billing/0", 1.5), 2s), 1s)});
  models::Node& node = w.node("billing/0");
  const auto at_time = [&](sim::Duration t) {
    w.simulation.run_until(sim::Time{t});
    return node.stretched(1s);
  };
  CHECK(at_time(500ms) == 1s);
  CHECK(at_time(1500ms) == 10s);
  CHECK(at_time(2500ms) == 15s);
  CHECK(at_time(3500ms) == 10s);
  CHECK(at_time(5500ms) == 1s);
  CHECK(node.slowness() == 1);
  CHECK(w.program("billing/0").log == "slowed slowed slowed slowed ");
  CHECK(w.run_to(6s) == Lines{"1000 strikes billing/0", "2000 strikes billing/0", "3000 heals billing/0",
                              "5000 heals billing/0"});
}

TEST_CASE("slowdown needs a factor, and somebody whose work takes time") {
  FaultWorld w;
  CHECK_THROWS_AS(w.inject({at(fault("slowdown", "billing/0"), 1s)}), models::ScenarioError);
  CHECK_THROWS_AS(w.inject({at(slowdown("shop", 2), 1s)}), models::ScenarioError);
}

TEST_CASE("clock-skew sets a clock wrong, and right again") {
  FaultWorld w;
  FaultSpec behind = fault("clock-skew", "kafka/0");
  behind.behind = 10s;
  w.inject({lasting(at(ahead("kafka/0", 1h), 1s), 2s), at(behind, 2s)});
  models::Node& node = w.node("kafka/0");
  const auto at_time = [&](sim::Duration t) {
    w.simulation.run_until(sim::Time{t});
    return node.clock_ahead();
  };
  CHECK(at_time(500ms) == 0s);
  CHECK(at_time(1500ms) == 1h);
  CHECK(at_time(2500ms) == 1h - 10s);
  CHECK(at_time(3500ms) == -10s);
  CHECK(w.run_to(4s) ==
        Lines{"1000 strikes kafka/0", "2000 strikes kafka/0", "3000 heals kafka/0", "4000 heals kafka/0"});
  CHECK(node.clock_ahead() == 0s);
}

TEST_CASE("clock-skew goes one way, and hits who looks at the clock") {
  FaultWorld w;
  FaultSpec both = ahead("kafka/0", 1s);
  both.behind = 1s;
  CHECK_THROWS_AS(w.inject({at(both, 1s)}), models::ScenarioError);
  CHECK_THROWS_AS(w.inject({at(fault("clock-skew", "kafka/0"), 1s)}), models::ScenarioError);
  CHECK_THROWS_AS(w.inject({at(ahead("billing/0", 1s), 1s)}), models::ScenarioError);
}
