#include <memory>

#include "tests/catch.hpp"
#include "tests/models/network/network_world.hpp"

using namespace network_tests;
using models::ConnectionId;
using models::Side;

namespace {

sim::Time at(sim::Duration d) {
  return sim::Time{d};
}
constexpr sim::Duration kTick{1};

}  // namespace

TEST_CASE("a connection is set up one round trip later") {
  NetworkWorld w;
  const ConnectionId id = w.network.connect(w.client, w.server, w.listener);
  CHECK_FALSE(w.network.open(id));
  w.run_for(10ms);
  CHECK(w.network.open(id));
  CHECK(w.listener.connected_at == at(2ms));
  CHECK(w.simulation.pending_events() == 0);
}

TEST_CASE("a segment arrives one latency later, and its answer after another") {
  NetworkWorld w;
  const ConnectionId id = w.open();
  w.network.send(id, Side::client, 100, [&w, id] {
    w.at_server.push_back({1, w.simulation.now()});
    w.respond(id, 2);
  });
  w.run_for(10ms);
  CHECK(w.at_server == std::vector<Arrival>{{1, at(3ms)}});
  CHECK(w.at_client == std::vector<Arrival>{{2, at(4ms)}});
}

TEST_CASE("segments sent at one instant arrive in order, also when ties are shuffled") {
  NetworkWorld w(quiet(), {.seed = 7, .shuffle_ties = true});
  const ConnectionId id = w.open();
  for (int i = 0; i < 100; ++i) w.request(id, i);
  w.run_for(10ms);
  CHECK(NetworkWorld::whats(w.at_server) == NetworkWorld::first(100));
}

TEST_CASE("random latencies do not reorder a connection") {
  models::NetworkOptions options = quiet();
  options.base.latency = sim::Distribution::exponential(1e6);
  NetworkWorld w(options);
  const ConnectionId id = w.open();
  for (int i = 0; i < 300; ++i) {
    w.request(id, i);
    w.run_for(100us);
  }
  w.run_for(1s);
  CHECK(NetworkWorld::whats(w.at_server) == NetworkWorld::first(300));
}

TEST_CASE("bandwidth delays a segment by its length, and the next one waits for it") {
  models::NetworkOptions options = quiet();
  options.base.bandwidth_bits_per_s = 8e6;  // a byte each microsecond
  NetworkWorld w(options);
  const ConnectionId id = w.open();
  const sim::Time sent = w.simulation.now();
  w.request(id, 1, 1000);
  w.request(id, 2, 500);
  w.run_for(10ms);
  CHECK(w.at_server == std::vector<Arrival>{{1, sent + 1ms + 1ms}, {2, sent + 1ms + 1500us}});
}

TEST_CASE("a server whose process is down refuses after a round trip") {
  NetworkWorld w;
  w.server.crash();
  const ConnectionId id = w.open();
  CHECK(w.listener.connects == 0);
  CHECK(w.listener.disconnected_at == at(2ms));
  CHECK_FALSE(w.network.open(id));
  CHECK(w.network.connections_held() == 0);
}

TEST_CASE("connecting over a cut path fails at the set-up timeout") {
  NetworkWorld w;
  w.network.cut(w.client_host, w.server_host);
  w.network.connect(w.client, w.server, w.listener);
  w.run_for(60s);
  CHECK(w.listener.connects == 0);
  CHECK(w.listener.disconnected_at == at(10s));
  CHECK(w.simulation.pending_events() == 0);
}

TEST_CASE("a path that heals in time is connected at the next retry of the SYN") {
  NetworkWorld w;
  const auto cut = w.network.cut(w.client_host, w.server_host);
  w.network.connect(w.client, w.server, w.listener);
  w.run_for(2s);
  w.network.heal(cut);
  w.run_for(8s);
  CHECK(w.listener.connected_at == at(3s + 2ms));  // tried at 0, 1 and 3 s
}

TEST_CASE("what is sent into a cut arrives in order at the retransmission after the heal") {
  NetworkWorld w;
  const ConnectionId id = w.open();
  w.request(id, 0);  // under way when the path is cut
  const auto cut = w.network.cut(w.client_host, w.server_host);
  const sim::Time began = w.simulation.now();
  w.run_for(100ms);
  for (int i = 1; i < 5; ++i) w.request(id, i);
  w.run_for(900ms);
  CHECK(w.at_server.empty());
  w.network.heal(cut);
  w.request(id, 5);  // does not overtake
  w.run_for(10s);
  CHECK(NetworkWorld::whats(w.at_server) == NetworkWorld::first(6));
  // Lost at 1 ms, tried 0.2, 0.6 and 1.4 s later.
  CHECK(w.at_server.front().at == began + 1ms + 1400ms + 1ms);
  CHECK(w.listener.disconnects == 0);
}

TEST_CASE("a segment in flight behind a lost one waits for it") {
  NetworkWorld w;
  const ConnectionId id = w.open();
  w.request(id, 0);
  w.run_for(500us);
  w.request(id, 1);
  const auto cut = w.network.cut(w.client_host, w.server_host);
  w.run_for(700us);  // 0 has met the cut
  w.network.heal(cut);
  w.run_for(100ms);
  CHECK(w.at_server.empty());
  w.run_for(1s);
  CHECK(NetworkWorld::whats(w.at_server) == NetworkWorld::first(2));
}

TEST_CASE("a one-way cut stops one direction only") {
  NetworkWorld w;
  const ConnectionId id = w.open();
  w.network.cut(w.client_host, w.server_host, true);
  w.request(id, 1);
  w.respond(id, 2);
  w.run_for(10ms);
  CHECK(w.at_server.empty());
  CHECK(w.at_client.size() == 1);
}

TEST_CASE("cuts nest: the path is open when the last one heals") {
  NetworkWorld w;
  const ConnectionId id = w.open();
  const auto one = w.network.cut(w.client_host, w.server_host);
  const auto two = w.network.isolate(w.server_host);
  w.request(id, 1);
  w.network.heal(one);
  w.run_for(1s);
  CHECK(w.at_server.empty());
  w.network.heal(two);
  w.run_for(1s);
  CHECK(w.at_server.size() == 1);
}

TEST_CASE("a sender gives up after the last retransmission, fifteen and a half minutes into a cut") {
  NetworkWorld w;
  const ConnectionId id = w.open();
  w.network.cut(w.client_host, w.server_host);
  const sim::Time began = w.simulation.now();
  w.request(id, 1);
  w.run_for(3600s);
  CHECK(w.listener.disconnects == 1);
  CHECK(w.listener.disconnected_at == began + 924'600ms);  // tcp_retries2 = 15
  CHECK_FALSE(w.network.open(id));
}

TEST_CASE("a server that gave up answers the next segment with a reset") {
  NetworkWorld w;
  const ConnectionId id = w.open();
  const auto cut = w.network.cut(w.client_host, w.server_host);
  w.respond(id, 1);
  w.run_for(1000s);
  CHECK(w.network.open(id));
  w.network.heal(cut);
  w.request(id, 2);
  w.run_for(10ms);
  CHECK(w.at_server.empty());
  CHECK(w.at_client.empty());
  CHECK(w.listener.disconnects == 1);
}

TEST_CASE("loss delays and never gaps or reorders") {
  models::NetworkOptions options = quiet();
  options.base.loss = 0.2;
  NetworkWorld w(options);
  const ConnectionId id = w.open();
  for (int i = 0; i < 500; ++i) {
    w.request(id, i);
    w.run_for(1ms);
  }
  w.run_for(600s);
  CHECK(NetworkWorld::whats(w.at_server) == NetworkWorld::first(500));
  CHECK(w.at_server.back().at > at(500ms + 200ms));
  CHECK(w.listener.disconnects == 0);
}

TEST_CASE("a crashed server resets its peers after what it had sent") {
  NetworkWorld w;
  const ConnectionId id = w.open();
  w.request(id, 1);
  w.respond(id, 2);
  const sim::Time crashed = w.simulation.now();
  w.server.crash();
  w.run_for(100ms);
  CHECK(w.at_server.empty());
  CHECK(w.at_client == std::vector<Arrival>{{2, crashed + 1ms}});
  CHECK(w.listener.disconnected_at == crashed + 1ms + kTick);
  CHECK_FALSE(w.network.open(id));
  CHECK(w.network.connections_held() == 0);
}

TEST_CASE("a reset that meets a cut is lost: the client learns of the crash when it sends again") {
  NetworkWorld w;
  const ConnectionId id = w.open();
  const auto cut = w.network.cut(w.client_host, w.server_host);
  w.server.crash();
  w.run_for(1s);
  w.network.heal(cut);
  w.server.restart();
  w.run_for(60s);
  CHECK(w.network.open(id));
  const sim::Time sent = w.simulation.now();
  w.request(id, 1);
  w.run_for(1s);
  CHECK(w.at_server.empty());
  CHECK(w.listener.disconnected_at == sent + 2ms);
}

TEST_CASE("what a client had sent before it closed or crashed is carried out, and the answer is dropped") {
  for (const bool crash : {false, true}) {
    NetworkWorld w;
    const ConnectionId id = w.open();
    w.request(id, 1);
    w.respond(id, 2);
    crash ? w.client.crash() : w.network.close(id);
    CHECK_FALSE(w.network.open(id));
    w.respond(id, 3);
    w.run_for(1s);
    CHECK(NetworkWorld::whats(w.at_server) == std::vector<int>{1});
    CHECK(w.at_client.empty());
    CHECK(w.listener.disconnects == 0);
    CHECK(w.network.connections_held() == 0);
  }
}

TEST_CASE("a closed client's segments that wait for retransmission are dropped, with all behind them") {
  NetworkWorld w;
  const ConnectionId id = w.open();
  w.request(id, 0);
  w.run_for(500us);
  w.request(id, 1);
  const auto cut = w.network.cut(w.client_host, w.server_host);
  w.run_for(700us);
  w.network.heal(cut);
  w.network.close(id);
  w.run_for(10s);
  CHECK(w.at_server.empty());
  CHECK(w.network.connections_held() == 0);
}

TEST_CASE("what reaches a paused server waits and runs in order on resume") {
  NetworkWorld w;
  const ConnectionId id = w.open();
  w.server.pause();
  for (int i = 0; i < 3; ++i) w.request(id, i);
  w.run_for(5s);
  CHECK(w.at_server.empty());
  w.request(id, 3);
  w.server.resume();
  CHECK(NetworkWorld::whats(w.at_server) == NetworkWorld::first(3));
  CHECK(w.at_server.front().at == w.simulation.now());
  w.run_for(1s);
  CHECK(NetworkWorld::whats(w.at_server) == NetworkWorld::first(4));
}

TEST_CASE("a server that wakes from a pause carries out what a client asked that has closed since") {
  NetworkWorld w;
  const ConnectionId id = w.open();
  w.server.pause();
  w.request(id, 1);
  w.run_for(30s);
  w.network.close(id);
  w.run_for(1s);
  w.server.resume();
  CHECK(w.at_server.size() == 1);
}

TEST_CASE("a paused client hears on resume that its connection is lost") {
  NetworkWorld w;
  const ConnectionId id = w.open();
  w.client.pause();
  w.server.crash();
  w.run_for(1s);
  CHECK(w.listener.disconnects == 0);
  CHECK_FALSE(w.network.open(id));
  w.client.resume();
  CHECK(w.listener.disconnects == 1);
  CHECK(w.network.connections_held() == 0);
}

TEST_CASE("a paused server's kernel accepts connections") {
  NetworkWorld w;
  w.server.pause();
  CHECK(w.network.open(w.open()));
}

TEST_CASE("a reset connection is lost at both ends at once") {
  NetworkWorld w;
  const ConnectionId id = w.open();
  w.request(id, 1);
  w.respond(id, 2);
  w.network.reset(id);
  CHECK_FALSE(w.network.open(id));
  w.run_for(1s);
  CHECK(w.listener.disconnects == 1);
  CHECK(w.at_server.empty());
  CHECK(w.at_client.empty());
}

TEST_CASE("a dropped response resets the connection after the request was carried out") {
  NetworkWorld w;
  const ConnectionId id = w.open();
  int dropped = 0;
  w.network.drop_next_response(w.server, &w.client, [&] { ++dropped; });
  w.network.send(id, Side::client, 100, [&w, id] {
    w.at_server.push_back({1, w.simulation.now()});
    w.respond(id, 2);
  });
  w.run_for(1s);
  CHECK(w.at_server.size() == 1);
  CHECK(w.at_client.empty());
  CHECK(dropped == 1);
  CHECK(w.listener.disconnects == 1);
}

TEST_CASE("a response to another client is not dropped") {
  NetworkWorld w;
  const ConnectionId id = w.open();
  models::Node other(w.simulation, w.network, {3}, w.client_host, "other");
  int dropped = 0;
  const models::DropId drop = w.network.drop_next_response(w.server, &other, [&] { ++dropped; });
  w.respond(id, 1);
  w.run_for(1s);
  CHECK(w.at_client.size() == 1);
  w.network.cancel_drop(drop);
  CHECK(dropped == 0);
}

TEST_CASE("a new connection can be made from within disconnected(), under a new id") {
  struct Again final : models::ConnectionListener {
    explicit Again(NetworkWorld& world) : w(world) {}
    void connected(ConnectionId id) override { ids.push_back(id); }
    void disconnected(ConnectionId) override { w.network.connect(w.client, w.server, *this); }
    NetworkWorld& w;
    std::vector<ConnectionId> ids;
  };
  NetworkWorld w;
  Again again(w);
  w.network.connect(w.client, w.server, again);
  w.run_for(10ms);
  w.network.reset(again.ids.front());
  w.run_for(10ms);
  REQUIRE(again.ids.size() == 2);
  CHECK(again.ids[0] != again.ids[1]);
  CHECK_FALSE(w.network.open(again.ids[0]));
  CHECK(w.network.open(again.ids[1]));
}

TEST_CASE("every closure is destroyed, whether it arrives, is dropped, waits or outlives the run") {
  const auto witness = std::make_shared<int>(0);
  {
    NetworkWorld w;
    ConnectionId id = w.open();
    const auto send = [&](Side from) { w.network.send(id, from, 10, [witness] { ++*witness; }); };
    send(Side::client);
    w.run_for(10ms);
    CHECK(*witness == 1);
    CHECK(witness.use_count() == 1);
    w.server.pause();
    send(Side::client);
    w.run_for(10ms);
    CHECK(witness.use_count() == 2);  // held at the server
    w.server.crash();
    CHECK(witness.use_count() == 1);
    w.run_for(10ms);
    send(Side::client);  // on a dead connection
    CHECK(witness.use_count() == 1);
    w.server.restart();
    w.listener.connects = w.listener.disconnects = 0;
    id = w.open();
    send(Side::server);
    w.network.close(id);
    w.run_for(10ms);
    CHECK(witness.use_count() == 1);
    w.listener.connects = 0;
    id = w.open();
    w.network.cut(w.client_host, w.server_host);
    send(Side::client);
    w.run_for(10ms);
    CHECK(witness.use_count() == 2);  // waits for retransmission
    w.network.close(id);
    CHECK(witness.use_count() == 1);
    CHECK(*witness == 1);
  }
  {
    NetworkWorld w;
    const ConnectionId id = w.open();
    w.network.send(id, Side::client, 10, [witness] { ++*witness; });
  }
  CHECK(witness.use_count() == 1);
}

TEST_CASE("sending on a connection that is still being set up is an assertion") {
  NetworkWorld w;
  const ConnectionId id = w.network.connect(w.client, w.server, w.listener);
  CHECK_THROWS_AS(w.request(id, 1), sim::AssertionError);
}

TEST_CASE("a node that is down cannot connect") {
  NetworkWorld w;
  w.client.crash();
  CHECK_THROWS_AS(w.network.connect(w.client, w.server, w.listener), sim::AssertionError);
}

TEST_CASE("slots of dead connections are used again") {
  NetworkWorld w;
  for (int i = 0; i < 100; ++i) {
    w.listener.connects = 0;
    w.network.close(w.open());
    w.run_for(10ms);
  }
  CHECK(w.network.connections_held() == 0);
}
