#include "models/scenario_error.hpp"
#include "tests/catch.hpp"
#include "tests/models/network/network_world.hpp"

using namespace network_tests;
using models::HostId;
using models::Impairment;
using models::Network;
using models::NetworkOptions;
using models::Node;

namespace {

/// How long a connection takes to be set up from one host to another: a round trip.
sim::Duration round_trip(sim::Simulation& simulation, Network& network, HostId from, HostId to) {
  Node client(simulation, network, {}, from, "client on " + network.host_name(from));
  Node server(simulation, network, {}, to, "server on " + network.host_name(to));
  Listener listener(simulation);
  const sim::Time began = simulation.now();
  const models::ConnectionId id = network.connect(client, server, listener);
  simulation.run_until(began + 60s);
  network.close(id);
  return listener.connects == 1 ? listener.connected_at - began : sim::Duration{-1};
}

void check_refused(const NetworkOptions& options, const std::string& path) {
  sim::Simulation simulation;
  try {
    Network network(simulation, options);
    FAIL("accepted");
  } catch (const models::ScenarioError& error) {
    CHECK(error.path() == path);
  }
}

}  // namespace

TEST_CASE("hosts are as far apart as their tier says") {
  NetworkOptions options = quiet(10ms);
  options.same_host = link(1us);
  options.same_rack = link(100us);
  options.same_zone = link(500us);
  options.same_region = link(1ms);
  options.between_regions = link(40ms);
  sim::Simulation simulation;
  Network network(simulation, options);
  const HostId a = network.add_host("a", {"r1", "z1", "eu"});
  const HostId rack = network.add_host("b", {"r1", "z1", "eu"});
  const HostId zone = network.add_host("c", {"r2", "z1", "eu"});
  const HostId region = network.add_host("d", {"r3", "z2", "eu"});
  const HostId far = network.add_host("e", {"r1", "z1", "us"});
  CHECK(round_trip(simulation, network, a, a) == 2us);
  CHECK(round_trip(simulation, network, a, rack) == 200us);
  CHECK(round_trip(simulation, network, a, zone) == 1ms);
  CHECK(round_trip(simulation, network, a, region) == 2ms);
  CHECK(round_trip(simulation, network, a, far) == 80ms);
}

TEST_CASE("a tier that is not given is the base link") {
  sim::Simulation simulation;
  Network network(simulation, quiet(3ms));
  const HostId a = network.add_host("a"), b = network.add_host("b", {"r", "z", "us"});
  CHECK(round_trip(simulation, network, a, b) == 6ms);
}

TEST_CASE("an override holds for its pair, one way if it says so, and the last that fits counts") {
  NetworkOptions options = quiet(1ms);
  options.overrides.push_back({"eu", "us", false, link(50ms)});
  options.overrides.push_back({"a", "us", true, link(70ms)});
  sim::Simulation simulation;
  Network network(simulation, options);
  const HostId a = network.add_host("a", {"", "", "eu"}), b = network.add_host("b", {"", "", "eu"});
  const HostId c = network.add_host("c", {"", "", "us"});
  CHECK(round_trip(simulation, network, b, c) == 100ms);
  CHECK(round_trip(simulation, network, a, c) == 120ms);
  CHECK(round_trip(simulation, network, a, b) == 2ms);
}

TEST_CASE("a declared topology is crossed along the shortest path, and around a cut cable") {
  NetworkOptions options = quiet(1us);
  options.topology = {{"r1", "core", link(1ms)}, {"core", "r2", link(2ms)}, {"r1", "r2", link(20ms)}};
  sim::Simulation simulation;
  Network network(simulation, options);
  const HostId a = network.add_host("a", {"r1", "", ""}), b = network.add_host("b", {"r2", "", ""});
  const HostId c = network.add_host("c", {"r1", "", ""});
  CHECK(round_trip(simulation, network, a, b) == 6ms);
  CHECK(round_trip(simulation, network, a, c) == 2us);

  Impairment cut;
  cut.cable = network.find_cable("r2", "core");
  REQUIRE(cut.cable.has_value());
  cut.cut = true;
  const auto first = network.impair(cut);
  CHECK(round_trip(simulation, network, a, b) == 40ms);
  cut.cable = network.find_cable("r1", "r2");
  const auto second = network.impair(cut);
  CHECK(round_trip(simulation, network, a, b) == sim::Duration{-1});
  network.heal(second);
  CHECK(round_trip(simulation, network, a, b) == 40ms);
  network.heal(first);
  CHECK(round_trip(simulation, network, a, b) == 6ms);
  CHECK_FALSE(network.find_cable("r1", "r3").has_value());
}

TEST_CASE("a delayed cable slows down what runs along it and nothing else") {
  NetworkOptions options = quiet(1us);
  options.topology = {{"r1", "r2", link(1ms)}, {"r2", "r3", link(1ms)}};
  sim::Simulation simulation;
  Network network(simulation, options);
  const HostId a = network.add_host("a", {"r1", "", ""}), b = network.add_host("b", {"r2", "", ""});
  const HostId c = network.add_host("c", {"r3", "", ""});
  Impairment slow;
  slow.cable = network.find_cable("r2", "r3");
  slow.delay = sim::Distribution::constant(5e6);
  network.impair(slow);
  CHECK(round_trip(simulation, network, a, b) == 2ms);
  CHECK(round_trip(simulation, network, a, c) == 4ms + 10ms);
}

TEST_CASE("a host that the topology does not reach is refused") {
  NetworkOptions options = quiet();
  options.topology = {{"r1", "r2", link(1ms)}, {"r3", "r4", link(1ms)}};
  sim::Simulation simulation;
  Network network(simulation, options);
  CHECK_THROWS_AS(network.add_host("a"), models::ScenarioError);
  network.add_host("b", {"r1", "", ""});
  CHECK_THROWS_AS(network.add_host("c", {"r3", "", ""}), models::ScenarioError);
}

TEST_CASE("impairments add delay, loss and a bandwidth limit, and leave no trace when healed") {
  sim::Simulation simulation;
  Network network(simulation, quiet(1ms));
  const HostId a = network.add_host("a"), b = network.add_host("b"), c = network.add_host("c");
  Impairment slow;
  slow.from = {a};
  slow.to = {b};
  slow.one_way = true;
  slow.delay = sim::Distribution::constant(3e6);
  const auto one_way = network.impair(slow);
  CHECK(round_trip(simulation, network, a, b) == 5ms);
  CHECK(round_trip(simulation, network, b, a) == 5ms);
  CHECK(round_trip(simulation, network, a, c) == 2ms);
  network.heal(one_way);
  CHECK(round_trip(simulation, network, a, b) == 2ms);

  Impairment narrow;
  narrow.from = {b};
  narrow.bandwidth_bits_per_s = 60 * 8 * 1000.0;  // a SYN each millisecond
  network.impair(narrow);
  CHECK(round_trip(simulation, network, a, b) == 4ms);
  CHECK(round_trip(simulation, network, a, c) == 2ms);
}

TEST_CASE("an isolated host reaches itself and nobody else") {
  sim::Simulation simulation;
  Network network(simulation, quiet(1ms));
  const HostId a = network.add_host("a"), b = network.add_host("b"), c = network.add_host("c");
  network.isolate(a);
  CHECK(round_trip(simulation, network, a, a) == 2ms);
  CHECK(round_trip(simulation, network, a, b) == sim::Duration{-1});
  CHECK(round_trip(simulation, network, c, a) == sim::Duration{-1});
  CHECK(round_trip(simulation, network, b, c) == 2ms);
}

TEST_CASE("hosts are found by name, rack, zone and region") {
  sim::Simulation simulation;
  Network network(simulation, quiet());
  const HostId a = network.add_host("a", {"r1", "z1", "eu"}), b = network.add_host("b", {"r2", "z1", "eu"});
  CHECK(network.hosts_at("a") == std::vector{a});
  CHECK(network.hosts_at("r2") == std::vector{b});
  CHECK(network.hosts_at("z1") == std::vector{a, b});
  CHECK(network.hosts_at("eu") == std::vector{a, b});
  CHECK(network.hosts_at("us").empty());
  CHECK(network.hosts_at("").empty());
}

TEST_CASE("an impossible network is refused by the name of its key") {
  NetworkOptions options = quiet();
  options.base.loss = 1;
  check_refused(options, "network.loss");
  options = quiet();
  options.same_zone = link(1ms);
  options.same_zone->bandwidth_bits_per_s = -1;
  check_refused(options, "network.same_zone.bandwidth");
  options = quiet();
  options.base.latency = sim::Distribution::constant(-1);
  check_refused(options, "network.latency");
  options = quiet();
  options.topology = {{"a", "a", link(1ms)}};
  check_refused(options, "network.cables.0");
  options = quiet();
  options.retransmit_first = {};
  check_refused(options, "network.retransmit_first");
}

TEST_CASE("a further component moves no other connection's latencies") {
  NetworkOptions options = quiet();
  options.base.latency = sim::Distribution::exponential(1e6);
  const auto arrivals = [&](bool crowded) {
    NetworkWorld w(options);
    Node other(w.simulation, w.network, {3}, w.client_host, "other");
    Listener heard(w.simulation);
    const models::ConnectionId id = w.open();
    if (crowded) w.network.connect(other, w.server, heard);
    for (int i = 0; i < 50; ++i) {
      w.request(id, i);
      w.run_for(1ms);
    }
    w.run_for(1s);
    return w.at_server;
  };
  CHECK(arrivals(false) == arrivals(true));
}
