// Each kind of fault, seen to strike and to heal.
#include "models/scenario_error.hpp"
#include "tests/catch.hpp"
#include "tests/models/faults/fault_world.hpp"

using namespace fault_tests;
using models::ConnectionId;
using models::Side;
using Lines = std::vector<std::string>;

namespace {

/// The producer's connection to kafka/0: counts what gets through, both ways.
struct Wire final : models::ConnectionListener {
  explicit Wire(FaultWorld& world, const std::string& client = "shop", const std::string& server = "kafka/0")
      : w(world) {
    id = w.network.connect(w.node(client), w.node(server), *this);
    w.simulation.run_until(w.simulation.now() + 100ms);
  }
  ~Wire() override { w.network.close(id); }
  void connected(ConnectionId) override {}
  void disconnected(ConnectionId) override { ++lost; }

  /// How long a request takes to arrive; -1 when it has not within 10 ms.
  sim::Duration transit() {
    const sim::Time sent = w.simulation.now();
    arrived = sim::Time{-1ns};
    w.network.send(id, Side::client, 1000, [this] { arrived = w.simulation.now(); });
    w.simulation.run_until(sent + 10ms);
    return arrived < sim::Time{} ? sim::Duration{-1} : arrived - sent;
  }
  bool through() { return transit() >= sim::Duration{}; }

  FaultWorld& w;
  ConnectionId id;
  sim::Time arrived{};
  int lost = 0;
};

void run_until(FaultWorld& w, sim::Duration t) {
  w.simulation.run_until(sim::Time{t});
}

}  // namespace

TEST_CASE("crash kills a process and starts it again") {
  FaultWorld w;
  Wire wire(w);
  w.inject({lasting(at(fault("crash", "kafka/0"), 1s), 2s)});
  run_until(w, 2s);
  CHECK_FALSE(w.node("kafka/0").up());
  CHECK(wire.lost == 1);
  run_until(w, 4s);
  CHECK(w.node("kafka/0").up());
  CHECK(w.program("kafka/0").log == "crashed restarted ");
  CHECK(w.run_to(5s) == Lines{"1000 strikes kafka/0", "3000 heals kafka/0"});
}

TEST_CASE("without `for`, a crashed broker comes back for the drain and a crashed client stays dead") {
  FaultWorld w;
  FaultSpec back = at(fault("crash", "billing/1"), 1s);
  back.heals = true;
  FaultSpec gone = at(fault("crash", "kafka/1"), 1s);
  gone.heals = false;
  w.inject({at(fault("crash", "kafka/0"), 1s), at(fault("crash", "billing/0"), 1s),
            at(fault("crash", "shop"), 1s), back, gone});
  w.run_to(10s);
  CHECK(w.node("kafka/0").up());
  CHECK_FALSE(w.node("billing/0").up());
  CHECK_FALSE(w.node("shop").up());
  CHECK(w.node("billing/1").up());
  CHECK_FALSE(w.node("kafka/1").up());
}

TEST_CASE("power-loss kills a process, tells it that its memory is gone, and starts it again") {
  FaultWorld w;
  w.inject({lasting(at(fault("power-loss", "kafka/0"), 1s), 2s)});
  run_until(w, 4s);
  CHECK(w.node("kafka/0").up());
  CHECK(w.program("kafka/0").log == "crashed power-lost restarted ");
  CHECK(w.program("kafka/1").log.empty());
  CHECK(w.run_to(5s) == Lines{"1000 strikes kafka/0", "3000 heals kafka/0"});
}

TEST_CASE("power-loss strikes all that is in a rack, or all brokers, at once") {
  FaultWorld w;
  w.inject(
      {lasting(at(fault("power-loss", "r1"), 1s), 1s), lasting(at(fault("power-loss", "kafka"), 5s), 1s)});
  run_until(w, 1500ms);
  CHECK_FALSE(w.node("kafka/0").up());
  CHECK_FALSE(w.node("shop").up());
  CHECK_FALSE(w.node("billing/0").up());
  CHECK(w.node("kafka/1").up());
  run_until(w, 5500ms);
  CHECK_FALSE(w.node("kafka/0").up());
  CHECK_FALSE(w.node("kafka/1").up());
  CHECK(w.node("shop").up());
  CHECK(w.run_to(9s) == Lines{"1000 strikes r1", "2000 heals r1", "5000 strikes kafka", "6000 heals kafka"});
}

TEST_CASE("power-loss spares who is down already, and starts nobody that it has not hit") {
  FaultWorld w;
  w.inject({at(fault("crash", "kafka/1"), 1s), lasting(at(fault("power-loss", "kafka"), 2s), 1s)});
  run_until(w, 4s);
  CHECK(w.node("kafka/0").up());
  CHECK_FALSE(w.node("kafka/1").up());
}

TEST_CASE("pause holds a process back and lets it go on") {
  FaultWorld w;
  Wire wire(w);
  w.inject({lasting(at(fault("pause", "kafka/0"), 1s), 2s)});
  run_until(w, 2s);
  CHECK_FALSE(wire.through());
  run_until(w, 4s);
  CHECK(wire.arrived == sim::Time{3s});
  CHECK(wire.through());
}

TEST_CASE("heartbeat-loss marks its node and nothing else") {
  FaultWorld w;
  w.inject({lasting(at(fault("heartbeat-loss", "billing/0"), 1s), 2s)});
  run_until(w, 2s);
  CHECK(w.node("billing/0").heartbeats_lost());
  CHECK_FALSE(w.node("billing/1").heartbeats_lost());
  run_until(w, 4s);
  CHECK_FALSE(w.node("billing/0").heartbeats_lost());
}

TEST_CASE("link-cut separates two ends and no others") {
  FaultWorld w;
  Wire cut(w), other(w, "shop", "kafka/1");
  w.inject({lasting(at(between(fault("link-cut", "shop"), "kafka/0"), 1s), 2s)});
  run_until(w, 2s);
  CHECK_FALSE(cut.through());
  CHECK(other.through());
  run_until(w, 8s);
  CHECK(cut.through());
  CHECK(w.run_to(9s) == Lines{"1000 strikes shop kafka/0", "3000 heals shop kafka/0"});
}

TEST_CASE("link-cut separates racks, zones and regions by their names") {
  FaultWorld w;
  Wire near(w), far(w, "shop", "kafka/1");
  w.inject({at(between(fault("link-cut", "z1"), "z2"), 1s)});
  run_until(w, 2s);
  CHECK(near.through());
  CHECK_FALSE(far.through());
  CHECK(w.run_to(9s) == Lines{"1000 strikes z1 z2", "9000 heals z1 z2"});
}

TEST_CASE("a one-way link-cut leaves the way back") {
  FaultWorld w;
  Wire up(w), down(w, "kafka/0", "shop");
  FaultSpec spec = at(between(fault("link-cut", "shop"), "kafka/0"), 1s);
  spec.one_way = true;
  w.inject({spec});
  run_until(w, 2s);
  CHECK_FALSE(up.through());
  CHECK(down.through());
}

TEST_CASE("a cut cable of a topology is routed around") {
  models::NetworkOptions options;
  const auto cable = [](const char* a, const char* b, double ns) {
    return models::TopologyLink{a, b, {sim::Distribution::constant(ns), 0, 0}};
  };
  options.topology = {cable("r1", "r2", 1e6), cable("r1", "spine", 2e6), cable("spine", "r2", 2e6)};
  FaultWorld w(1, options);
  Wire wire(w, "shop", "kafka/1");
  w.inject({lasting(at(between(fault("link-cut", "r1"), "r2"), 1s), 2s)});
  CHECK(wire.transit() == 1ms);
  run_until(w, 2s);
  CHECK(wire.transit() == 4ms);
  run_until(w, 4s);
  CHECK(wire.transit() == 1ms);
}

TEST_CASE("isolate separates a node from all others") {
  FaultWorld w;
  Wire one(w), two(w, "billing/0", "kafka/0"), apart(w, "shop", "kafka/1");
  w.inject({lasting(at(fault("isolate", "kafka/0"), 1s), 2s)});
  run_until(w, 2s);
  CHECK_FALSE(one.through());
  CHECK_FALSE(two.through());
  CHECK(apart.through());
  run_until(w, 8s);
  CHECK(one.through());
}

TEST_CASE("message-loss delays segments by retransmissions") {
  FaultWorld w;
  Wire wire(w);
  FaultSpec spec = lasting(at(between(fault("message-loss", "shop"), "kafka/0"), 1s), 60s);
  spec.probability = 0.5;
  w.inject({spec});
  run_until(w, 2s);
  int late = 0;
  for (int i = 0; i < 20; ++i) {
    late += wire.through() ? 0 : 1;
    w.simulation.run_until(w.simulation.now() + 2s);
  }
  CHECK(late > 2);
  CHECK(late < 18);
  run_until(w, 100s);
  CHECK(wire.through());
  CHECK(wire.lost == 0);
}

TEST_CASE("delay makes segments take longer") {
  FaultWorld w;
  Wire wire(w);
  FaultSpec spec = lasting(at(fault("delay", "kafka/0"), 1s), 2s);
  spec.delay = sim::Distribution::constant(5e6);
  w.inject({spec});
  run_until(w, 2s);
  CHECK(wire.transit() == 5250us);
  run_until(w, 4s);
  CHECK(wire.transit() == 250us);
}

TEST_CASE("bandwidth makes long segments take longer") {
  FaultWorld w;
  Wire wire(w);
  FaultSpec spec = lasting(at(fault("bandwidth", "shop"), 1s), 2s);
  spec.bandwidth_bits_per_s = 8e6;  // a byte each microsecond
  w.inject({spec});
  run_until(w, 2s);
  CHECK(wire.transit() == 1250us);
  run_until(w, 4s);
  CHECK(wire.transit() == 250us);
}

TEST_CASE("response-loss drops the next answer to one client, after the request was carried out") {
  FaultWorld w;
  Wire mine(w), other(w, "billing/0", "kafka/0");
  w.inject({at(between(fault("response-loss", "kafka/0"), "shop"), 1s)});
  run_until(w, 2s);
  int answers = 0;
  const auto respond = [&](const Wire& wire) {
    w.network.send(wire.id, Side::server, 10, [&answers] { ++answers; });
    w.simulation.run_until(w.simulation.now() + 10ms);
  };
  respond(other);
  CHECK(answers == 1);
  CHECK(w.injectors.back().fired() == std::vector<std::uint64_t>{0});
  CHECK(mine.through());
  respond(mine);
  CHECK(answers == 1);
  CHECK(mine.lost == 1);
  CHECK(other.lost == 0);
  CHECK(w.injectors.back().fired() == std::vector<std::uint64_t>{1});
  CHECK(w.run_to(5s).size() == 2);
  CHECK(w.log.lines[0] == "2020 strikes kafka/0 shop");
  CHECK(w.log.lines[1] == "2020 heals kafka/0 shop");
}

TEST_CASE("response-loss that met no answer is called off") {
  FaultWorld w;
  Wire wire(w);
  w.inject({lasting(at(fault("response-loss", "kafka/0"), 1s), 1s)});
  run_until(w, 3s);
  int answers = 0;
  w.network.send(wire.id, Side::server, 10, [&answers] { ++answers; });
  CHECK(w.run_to(5s).empty());
  CHECK(answers == 1);
}

TEST_CASE("connection-reset breaks the connections between two nodes, and counts only if there were any") {
  FaultWorld w;
  Wire mine(w), other(w, "billing/0", "kafka/0");
  w.inject({at(between(fault("connection-reset", "kafka/0"), "shop"), 1s),
            at(between(fault("connection-reset", "kafka/1"), "shop"), 1s),
            at(fault("connection-reset", "kafka/0"), 2s)});
  run_until(w, 1500ms);
  CHECK(mine.lost == 1);
  CHECK(other.lost == 0);
  CHECK(w.run_to(3s).size() == 4);
  CHECK(other.lost == 1);
  CHECK(w.injectors.back().fired() == std::vector<std::uint64_t>{1, 0, 1});
}

TEST_CASE("join and leave start and close a member, for a while or for good") {
  FaultWorld w;
  w.inject({lasting(at(fault("leave", "billing/0"), 1s), 2s), at(fault("join", "billing/1"), 1s),
            at(fault("leave", "billing/1"), 2s)});
  w.run_to(10s);
  CHECK(w.program("billing/0").log == "left joined ");
  CHECK(w.program("billing/1").log == "joined left ");
  CHECK(w.log.codes == std::vector{models::FaultCode::leave, models::FaultCode::join,
                                   models::FaultCode::leave, models::FaultCode::leave});
}

TEST_CASE("restart lets a process end in an orderly way and starts it again") {
  FaultWorld w;
  w.inject({lasting(at(fault("restart", "kafka/0"), 1s), 2s), at(fault("restart", "billing/1"), 1s)});
  CHECK(w.run_to(5s) == Lines{"1000 strikes kafka/0", "1000 strikes billing/1", "3000 heals kafka/0",
                              "5000 heals billing/1"});
  CHECK(w.program("kafka/0").log == "stops starts ");
  CHECK(w.program("billing/1").log == "stops starts ");
}

TEST_CASE("rolling restarts its targets one after the other, and passes over who is down") {
  FaultWorld w;
  FaultSpec members = lasting(at(fault("rolling", "billing/*"), 1s), 2s);
  members.gap = 3s;
  w.inject({members, lasting(at(fault("rolling", "kafka/*"), 20s), 2s), at(fault("crash", "kafka/0"), 10s)});
  const Lines lines = w.run_to(30s);
  CHECK(lines == Lines{"1000 strikes billing/0", "3000 heals billing/0", "6000 strikes billing/1",
                       "8000 heals billing/1", "10000 strikes kafka/0", "20000 strikes kafka/1",
                       "22000 heals kafka/1", "30000 heals kafka/0"});
}

TEST_CASE("a rolling restart goes no further when arrivals stop") {
  FaultWorld w;
  FaultSpec brokers = lasting(at(fault("rolling", "kafka/*"), 1s), 2s);
  brokers.gap = 3s;
  w.inject({brokers});
  w.run_to(5s);
  w.simulation.run_until(sim::Time{20s});
  CHECK(w.program("kafka/1").log.empty());
}

TEST_CASE("who cannot end in an orderly way cannot be restarted, and a rolling restart needs its times") {
  FaultWorld w;
  CHECK_THROWS_AS(w.inject({at(fault("restart", "shop"), 1s)}), models::ScenarioError);
  CHECK_THROWS_AS(w.inject({at(fault("rolling", "kafka/*"), 1s)}), models::ScenarioError);
  FaultSpec often = lasting(fault("rolling", "kafka/*"), 1s);
  often.every = 10s;
  CHECK_THROWS_AS(w.inject({often}), models::ScenarioError);
  FaultSpec gap = at(fault("crash", "kafka/0"), 1s);
  gap.gap = 1s;
  CHECK_THROWS_AS(w.inject({gap}), models::ScenarioError);
}
