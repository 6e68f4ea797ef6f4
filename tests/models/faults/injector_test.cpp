#include <algorithm>

#include "models/scenario_error.hpp"
#include "tests/catch.hpp"
#include "tests/models/faults/fault_world.hpp"

using namespace fault_tests;
using models::Step;
using Lines = std::vector<std::string>;

namespace {

/// The error that a scenario with this fault is refused with.
std::string refusal(const FaultSpec& spec) {
  FaultWorld w;
  try {
    w.inject({spec});
  } catch (const models::ScenarioError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a fault strikes at its time and heals after its duration") {
  FaultWorld w;
  w.inject({lasting(at(fault("pause", "kafka/0"), 2s), 500ms)});
  CHECK(w.run_to(10s) == Lines{"2000 strikes kafka/0", "2500 heals kafka/0"});
  CHECK(w.injectors.back().fired() == std::vector<std::uint64_t>{1});
}

TEST_CASE("what lasts is undone when arrivals stop, and nothing strikes any more") {
  FaultWorld w;
  w.inject({at(fault("pause", "kafka/0"), 2s), at(fault("pause", "kafka/1"), 30s)});
  CHECK(w.run_to(10s) == Lines{"2000 strikes kafka/0", "10000 heals kafka/0"});
  w.simulation.run_until(sim::Time{60s});
  w.trace.flush();
  CHECK(w.log.lines.size() == 2);
  CHECK(w.injectors.back().fired() == std::vector<std::uint64_t>{1, 0});
}

TEST_CASE("a fault on the n-th step strikes within that step, once") {
  FaultWorld w;
  w.inject({on_step(fault("crash", "billing/0"), Step::processed_not_committed, 3)});
  models::StepCell& cell = w.steps.cell(w.node("billing/0").entity(), Step::processed_not_committed);
  cell.advance(1);
  CHECK(cell.until_next() == 2);
  cell.advance(1);
  CHECK(w.node("billing/0").up());
  cell.advance(1);
  CHECK_FALSE(w.node("billing/0").up());
  cell.advance(5);
  CHECK(w.injectors.back().fired() == std::vector<std::uint64_t>{1});
}

TEST_CASE("a step at one node can strike another") {
  FaultWorld w;
  w.inject({on_step(fault("crash", "kafka/0"), Step::acknowledged, 1, "shop")});
  w.steps.cell(w.node("shop").entity(), Step::acknowledged).advance(1);
  CHECK_FALSE(w.node("kafka/0").up());
}

TEST_CASE("a step after arrivals stopped strikes nothing") {
  FaultWorld w;
  w.inject({on_step(fault("crash", "kafka/0"), Step::acknowledged, 1, "shop")});
  w.run_to(1s);
  w.steps.cell(w.node("shop").entity(), Step::acknowledged).advance(1);
  CHECK(w.node("kafka/0").up());
  CHECK(w.injectors.back().fired() == std::vector<std::uint64_t>{0});
}

TEST_CASE("random strikes come at their rate, and move with the seed") {
  const auto strikes = [](std::uint64_t seed) {
    FaultWorld w(seed);
    FaultSpec spec = lasting(fault("pause", "kafka/*"), 1ms);
    spec.every = 10s;
    w.inject({spec});
    return w.run_to(10'000s);
  };
  const Lines lines = strikes(1);
  CHECK(lines.size() > 2 * 900);
  CHECK(lines.size() < 2 * 1100);
  CHECK(lines == strikes(1));
  CHECK(lines != strikes(2));
  // Both brokers are hit.
  std::size_t first = 0;
  for (const std::string& line : lines) first += line.find("kafka/0") != std::string::npos ? 1 : 0;
  CHECK(first > lines.size() / 3);
  CHECK(first < lines.size() * 2 / 3);
}

TEST_CASE("a spread strikes once, somewhere in it, and moves with the seed alone") {
  const auto strike_ms = [](std::uint64_t seed, bool other = false) {
    FaultWorld w(seed);
    FaultSpec spec = lasting(at(fault("pause", "kafka/0"), 10s), 1ms);
    spec.spread = 3s;
    std::vector<FaultSpec> specs{spec};
    if (other) {
      spec.target = "shop";
      specs.insert(specs.begin(), spec);
    }
    w.inject(specs);
    std::vector<int> mine;
    for (const std::string& line : w.run_to(20s)) {
      if (line.find("strikes kafka/0") != std::string::npos) mine.push_back(std::stoi(line));
    }
    REQUIRE(mine.size() == 1);
    return mine.front();
  };
  int sum = 0, earliest = 20'000, latest = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const int ms = strike_ms(seed);
    sum += ms;
    earliest = std::min(earliest, ms);
    latest = std::max(latest, ms);
  }
  CHECK(earliest >= 10'000);
  CHECK(earliest < 10'050);
  CHECK(latest > 12'950);
  CHECK(latest < 13'000);
  CHECK(sum / 400 == Approx(11'500).margin(150));  // 3.5 standard errors
  CHECK(strike_ms(7) == strike_ms(7));
  CHECK(strike_ms(7) == strike_ms(7, true));
}

TEST_CASE("another fault moves no random strike") {
  const auto strikes = [](bool other) {
    FaultWorld w;
    FaultSpec spec = lasting(fault("pause", "kafka/0"), 1ms);
    spec.every = 10s;
    std::vector<FaultSpec> specs{spec};
    if (other) {
      spec.target = "shop";
      specs.insert(specs.begin(), spec);
    }
    w.inject(specs);
    Lines mine;
    for (const std::string& line : w.run_to(1000s)) {
      if (line.find("kafka/0") != std::string::npos) mine.push_back(line);
    }
    return mine;
  };
  CHECK(strikes(false) == strikes(true));
}

TEST_CASE("a fault that finds nothing to hit does not count as fired") {
  FaultWorld w;
  w.inject({at(fault("crash", "kafka/0"), 1s), at(fault("crash", "kafka/0"), 2s)});
  w.run_to(10s);
  CHECK(w.injectors.back().fired() == std::vector<std::uint64_t>{1, 0});
}

TEST_CASE("a role is played by whoever plays it when the fault strikes") {
  FaultWorld w;
  models::Node* leader = &w.node("kafka/0");
  models::FaultInjector& injector = w.injectors.emplace_back(
      w.context,
      std::vector{at(fault("pause", "leader orders/0"), 1s), at(fault("pause", "leader orders/0"), 2s)});
  for (models::Node& n : w.nodes) injector.add_target(n);
  injector.add_role("leader orders/0", [&leader] { return leader; }, {leader, &w.node("kafka/1")});
  injector.start();
  w.simulation.run_until(sim::Time{500ms});
  leader = &w.node("kafka/1");
  w.simulation.run_until(sim::Time{1500ms});
  leader = nullptr;
  CHECK(w.run_to(3s) == Lines{"1000 strikes kafka/1", "3000 heals kafka/1"});
}

TEST_CASE("a strike is recorded before its consequences and is their cause") {
  struct Cause final : models::NodeProgram {
    explicit Cause(FaultWorld& world) : w(world) {}
    void crashed() override { cause = w.trace.cause(), emitted = w.trace.emitted(); }
    void restarted() override {}
    FaultWorld& w;
    sim::RecordNumber cause = 0, emitted = 0;
  };
  FaultWorld w;
  Cause program(w);
  w.node("kafka/0").set_program(program);
  w.inject({at(fault("crash", "kafka/0"), 1s)});
  w.run_to(2s);
  CHECK(program.cause == 1);
  CHECK(program.emitted == 1);
  CHECK(w.trace.cause() == 0);
}

TEST_CASE("records name the fault, and equal faults are told apart") {
  FaultWorld w;
  FaultSpec named = at(fault("pause", "shop"), 3s);
  named.name = "nap";
  w.inject({at(fault("crash", "billing/0"), 1s), at(fault("crash", "billing/0"), 2s), named});
  w.run_to(2500ms);
  CHECK(w.log.faults == Lines{"crash billing/0"});
  CHECK(w.entities.find("crash billing/0 #2") != models::EntityId{});
  CHECK(w.entities.find("nap") != models::EntityId{});
}

TEST_CASE("a fault that names nothing that exists is refused, with what may have been meant") {
  CHECK(refusal(at(fault("crash", "kafka/7"), 1s)) ==
        "faults.0.target: nothing here is called 'kafka/7'; allowed: kafka/0, kafka/1");
  CHECK(refusal(at(fault("crash", "biling/1"), 1s)) ==
        "faults.0.target: nothing here is called 'biling/1'; did you mean 'billing/1'?");
  CHECK(refusal(at(fault("crash", ""), 1s)).find("faults.0.target: is missing") == 0);
  CHECK(refusal(at(fault("crash", "nobody/*"), 1s)).find("faults.0.target: nothing here") == 0);
  CHECK(refusal(at(between(fault("link-cut", "kafka/0"), "kafka/l"), 1s))
            .find("faults.0.other: nothing here") == 0);
  CHECK(refusal(at(between(fault("response-loss", "kafka/0"), "shp"), 1s)).find("did you mean 'shop'?") !=
        std::string::npos);
  CHECK(refusal(on_step(fault("crash", "billing/0"), Step::appended, 1, "kafka/9"))
            .find("faults.0.when.subject: ") == 0);
}

TEST_CASE("a fault of an unknown kind is refused, with the kind that may have been meant") {
  CHECK(refusal(at(fault("crahs", "kafka/0"), 1s)) ==
        "faults.0.kind: there is no fault of kind 'crahs'; did you mean 'crash'?");
}

TEST_CASE("a fault whose parameters make no sense is refused by the name of the key") {
  CHECK(refusal(fault("crash", "kafka/0")) == "faults.0: a fault has exactly one of at, rate and when");
  FaultSpec spec = at(fault("crash", "kafka/0"), 1s);
  spec.every = 1s;
  CHECK(refusal(spec) == "faults.0: a fault has exactly one of at, rate and when");
  spec = fault("crash", "kafka/0");
  spec.every = 0s;
  CHECK(refusal(spec).find("faults.0.rate: ") == 0);
  CHECK(refusal(at(fault("crash", "kafka/0"), -1s)).find("faults.0.at: ") == 0);
  spec = at(fault("crash", "kafka/0"), 1s);
  spec.spread = 0s;
  CHECK(refusal(spec) == "faults.0.spread: is not positive");
  spec = on_step(fault("crash", "kafka/0"), Step::appended, 1);
  spec.spread = 1s;
  CHECK(refusal(spec) == "faults.0.spread: goes with `at`: rate and when have no moment to spread");
  spec = fault("crash", "kafka/0");
  spec.every = 1s;
  spec.spread = 1s;
  CHECK(refusal(spec) == "faults.0.spread: goes with `at`: rate and when have no moment to spread");
  CHECK(refusal(lasting(at(fault("crash", "kafka/0"), 1s), 0s)).find("faults.0.for: ") == 0);
  CHECK(refusal(on_step(fault("crash", "kafka/0"), Step::appended, 0)).find("faults.0.when.nth: ") == 0);
  CHECK(refusal(at(fault("link-cut", "kafka/0"), 1s)).find("faults.0.other: is missing") == 0);
  CHECK(refusal(at(fault("message-loss", "kafka/0"), 1s)).find("faults.0.probability: ") == 0);
  CHECK(refusal(at(fault("delay", "kafka/0"), 1s)).find("faults.0.delay: ") == 0);
  CHECK(refusal(at(fault("bandwidth", "kafka/0"), 1s)).find("faults.0.bandwidth: ") == 0);
  CHECK(refusal(at(fault("leave", "kafka/0"), 1s)) ==
        "faults.0.target: 'kafka/0' cannot join or leave: only members of groups do");
  spec = at(fault("crash", "kafka/0"), 1s);
  spec.name = "v1.outage";
  spec.probability = 0.5;
  CHECK(refusal(spec) == "faults.\"v1.outage\".probability: means nothing to a fault of kind 'crash'");
}

TEST_CASE("a step is watched at one node of the kind at which it happens") {
  CHECK(refusal(on_step(fault("crash", "kafka/0"), Step::committed, 1)) ==
        "faults.0.target: 'committed' happens at a member, and 'kafka/0' is a broker");
  CHECK(refusal(on_step(fault("crash", "billing/*"), Step::committed, 1))
            .find("faults.0.target: nothing here") == 0);
}

TEST_CASE("every row of the catalogue is documented and found by its name") {
  std::size_t code = 0;
  for (const models::FaultInfo& row : models::fault_catalogue()) {
    CHECK(models::find_fault(row.entry.name) == &row);
    CHECK_FALSE(row.entry.doc.empty());
    CHECK(static_cast<std::size_t>(row.code) == code++);
  }
  CHECK(models::find_fault("earthquake") == nullptr);
}
