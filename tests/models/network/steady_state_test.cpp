// What a run does millions of times allocates nothing.
#include "tests/allocations.hpp"
#include "tests/catch.hpp"
#include "tests/models/network/network_world.hpp"

using namespace network_tests;
using models::ConnectionId;
using models::Side;

namespace {

/// A request that is answered by a response, which is followed by the next request, for ever.
struct Request {
  NetworkWorld& w;
  ConnectionId id;
  void operator()() const {
    w.network.send(id, Side::server, 100, [world = &w, id = id] {
      world->network.send(id, Side::client, 100, Request{*world, id});
    });
  }
};

std::size_t allocations_of_traffic(const models::NetworkOptions& options) {
  NetworkWorld w(options);
  const ConnectionId id = w.open();
  for (int i = 0; i < 20; ++i) w.network.send(id, Side::client, 100, Request{w, id});
  w.run_for(1s);
  const std::size_t before = tests::allocations();
  const std::uint64_t events = w.simulation.events_executed();
  w.run_for(1s);
  const std::size_t after = tests::allocations();
  CHECK(w.simulation.events_executed() > events + 5000);
  return after - before;
}

}  // namespace

TEST_CASE("traffic allocates nothing, over constant and random latencies and with bandwidth") {
  CHECK(allocations_of_traffic(quiet()) == 0);
  models::NetworkOptions options = quiet();
  options.base.latency = sim::Distribution::lognormal(1e6, 0.5);
  options.base.bandwidth_bits_per_s = 1e9;
  CHECK(allocations_of_traffic(options) == 0);
}

TEST_CASE("the counter of allocations is seen to count: what waits for a retransmission is allocated") {
  NetworkWorld w;
  const ConnectionId id = w.open();
  w.network.cut(w.client_host, w.server_host);
  const std::size_t before = tests::allocations();
  w.request(id, 1);
  CHECK(tests::allocations() > before);
}
