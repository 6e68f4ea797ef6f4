// A client, a server and what they say to each other, for tests of connections.
#pragma once

#include <string>
#include <vector>

#include "models/network/network.hpp"
#include "models/network/node.hpp"
#include "sim/simulation.hpp"

namespace network_tests {

using namespace std::chrono_literals;

inline models::LinkOptions link(sim::Duration latency) {
  models::LinkOptions options;
  options.latency = sim::Distribution::constant(static_cast<double>(latency.count()));
  return options;
}

inline models::NetworkOptions quiet(sim::Duration latency = 1ms) {
  models::NetworkOptions options;
  options.base = link(latency);
  return options;
}

/// Remembers what its owner is told.
struct Listener final : models::ConnectionListener {
  explicit Listener(sim::Simulation& s) : simulation(s) {}
  void connected(models::ConnectionId) override {
    ++connects;
    connected_at = simulation.now();
  }
  void disconnected(models::ConnectionId) override {
    ++disconnects;
    disconnected_at = simulation.now();
  }
  sim::Simulation& simulation;
  int connects = 0;
  int disconnects = 0;
  sim::Time connected_at{};
  sim::Time disconnected_at{};
};

struct Arrival {
  int what;
  sim::Time at;
  bool operator==(const Arrival&) const = default;
};

struct NetworkWorld {
  explicit NetworkWorld(const models::NetworkOptions& options = quiet(), sim::Simulation::Options engine = {})
      : simulation(engine),
        network(simulation, options),
        client_host(network.add_host("client", {"r1", "z1", "eu"})),
        server_host(network.add_host("server", {"r2", "z1", "eu"})),
        client(simulation, network, {1}, client_host, "client"),
        server(simulation, network, {2}, server_host, "server"),
        listener(simulation) {}

  /// Connects and runs until that is done.
  models::ConnectionId open() {
    const models::ConnectionId id = network.connect(client, server, listener);
    while (listener.connects + listener.disconnects == 0 && simulation.step()) {
    }
    return id;
  }
  void request(models::ConnectionId id, int what, std::uint32_t bytes = 100) {
    network.send(id, models::Side::client, bytes, [this, what] {
      at_server.push_back({what, simulation.now()});
    });
  }
  void respond(models::ConnectionId id, int what, std::uint32_t bytes = 100) {
    network.send(id, models::Side::server, bytes, [this, what] {
      at_client.push_back({what, simulation.now()});
    });
  }
  void run_for(sim::Duration d) { simulation.run_until(simulation.now() + d); }
  static std::vector<int> whats(const std::vector<Arrival>& arrivals) {
    std::vector<int> out;
    for (const Arrival& a : arrivals) out.push_back(a.what);
    return out;
  }
  static std::vector<int> first(int n) {
    std::vector<int> out;
    for (int i = 0; i < n; ++i) out.push_back(i);
    return out;
  }

  sim::Simulation simulation;
  models::Network network;
  models::HostId client_host, server_host;
  models::Node client, server;
  Listener listener;
  std::vector<Arrival> at_server, at_client;
};

}  // namespace network_tests
