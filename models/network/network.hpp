// Hosts, the routes between them, and connections between nodes.
//
// A connection behaves like TCP: what one side sends arrives at the other in order and without gaps, or the
// connection dies. A segment takes the route's latency and its serialisation delay. While the path is cut or
// when a segment is lost, that segment and all behind it wait for the sender's retransmission timer (200 ms,
// doubling): after the heal they arrive in order at the next retransmission, and past the retry limit the
// connection dies at the sender's end. Two segments of one direction never arrive at the same instant (the
// later one at least 1 ns after), so order holds under shuffled ties too.
//
// Who learns what:
//   - connect(): connected() comes one round trip later, and so does disconnected() when the server's process
//     is down. While the path is cut the SYN is tried again (1 s, doubling) until the set-up timeout, when
//     disconnected() comes.
//   - The server's process crashes: its kernel resets the connection. What the server had sent before still
//     arrives, then the client hears disconnected(). If the path is cut then, the reset is lost; the client
//     learns of it when it next gets a segment through, which is answered with a reset.
//   - The client closes or crashes: the server learns nothing. What the client had sent and is on its way
//     still arrives and is carried out; what waits for retransmission is dropped, and so is what the server
//     sends from then on.
//   - The receiver is paused: its kernel acknowledges, the process sees nothing until it resumes; then all
//     arrives in order.
//
// Model: a closing client's kernel would retransmit for a while longer; a reset is never lost to random loss;
// the window is unlimited; two hosts' connections share a route's bandwidth in the order of sending,
// different routes share none.
//
// Random draws come from streams named by client, server and direction ("net/latency/shop>kafka/0/up"), so
// that adding a component moves no other draw. A constant latency draws nothing. Node names are therefore
// unique.
//
// Cost: send() over a route of constant latency is one scheduled event and no allocation; other routes cost
// their draws. Connections are found again in reused slots. What waits during a cut or a pause is allocated:
// rare paths may be slow.
//
// Misuse: sending on a connection that is still being set up is an assertion. Sending on a dead one drops the
// closure. A ConnectionListener closes its connections before it is destroyed. Nodes must outlive the
// connections they take part in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "models/ids.hpp"
#include "models/network/connection.hpp"
#include "models/network/options.hpp"
#include "models/network/routes.hpp"
#include "sim/simulation.hpp"

namespace models {

class Node;

class Network {
 public:
  /// Throws ScenarioError when the options make no sense.
  Network(sim::Simulation& simulation, const NetworkOptions& options);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network();

  // ---- hosts ----
  /// Requires a name that no other host has. Throws ScenarioError when the topology has no place for it.
  HostId add_host(std::string name, Location location = {});
  const std::string& host_name(HostId host) const { return routes_.host_name(host); }
  /// The hosts of that name, or in the rack, zone or region of that name; empty when there are none.
  std::vector<HostId> hosts_at(std::string_view name) const { return routes_.hosts_at(name); }

  // ---- connections ----
  /// Begins to connect. Requires client.up(). No callback runs before connect() has returned.
  ConnectionId connect(Node& client, Node& server, ConnectionListener& client_side);
  /// By the owner of the client side: no callback any more. No effect on a dead id.
  void close(ConnectionId id);
  /// Set up, and not known at the client side to be dead.
  bool open(ConnectionId id) const;
  /// Runs `on_arrival` at the receiver, as the essay above says; destroys it when it cannot arrive. `bytes`
  /// on the wire.
  template <class F>
  void send(ConnectionId id, Side from, std::uint32_t bytes, F&& on_arrival);

  // ---- rest ----
  /// Lets the connection rest until something is done with it or happens to it; then traffic.rouse() runs, once. nullopt,
  /// and nothing has changed, unless it is open and segments take a constant time and meet no hindrance both ways.
  std::optional<RoundTrip> rest(ConnectionId id, RestingTraffic& traffic);
  void rouse(ConnectionId id);
  /// send(), but at a moment past from which the segment is still under way. For RestingTraffic::rouse().
  template <class F>
  void send_since(sim::Time sent, ConnectionId id, Side from, std::uint32_t bytes, F&& on_arrival);

  // ---- faults ----
  /// Makes matching routes worse until heal(). Impairments add up; cuts nest.
  ImpairmentId impair(Impairment impairment);
  void heal(ImpairmentId id);
  ImpairmentId cut(HostId a, HostId b, bool one_way = false);
  /// Cut from every other host, both ways.
  ImpairmentId isolate(HostId host);
  /// A cable of the declared topology, by the names of its ends; nullopt when there is none.
  std::optional<std::size_t> find_cable(std::string_view a, std::string_view b) const {
    return routes_.find_cable(a, b);
  }
  /// Both ends of the connection lose it now; the client side hears disconnected() at this instant.
  void reset(ConnectionId id);
  /// Resets every connection between the two nodes (null: of `a`), whoever connected. Returns how many.
  std::size_t reset_all(const Node& a, const Node* b);
  /// The next segment that `server` sends (to `client`, if given) is lost and its connection reset: the
  /// request was carried out, its response never arrives. `dropped` runs at that moment.
  DropId drop_next_response(const Node& server, const Node* client, std::function<void()> dropped);
  /// No effect when it has happened.
  void cancel_drop(DropId id);

  /// Connections that hold a slot: being set up, open, or dead with segments still on their way.
  std::size_t connections_held() const { return held_; }

 private:
  friend class Node;
  template <class F>
  friend class detail::Delivery;
  using Connection = detail::Connection;
  using Way = detail::Way;

  // Node tells what happens to it.
  void node_crashed(Node& node);
  void node_paused(Node& node, bool paused);

  Connection* find(ConnectionId id) const {
    const std::size_t slot = static_cast<std::uint32_t>(id.value);
    if (slot >= connections_.size()) return nullptr;
    Connection* const c = connections_[slot].get();
    return c->generation == id.value >> 32 ? c : nullptr;
  }
  Connection& take_slot();
  void end(Connection& c);
  void unpin(Connection& c) {
    if (--c.pins == 0 && c.state == detail::ConnectionState::dead) give_back(c);
  }
  void give_back(Connection& c);
  detail::Flow& flow(const Node& client, const Node& server);
  void refresh(Connection& c);
  void rouse(Connection& c);
  void refresh_all();

  // set-up
  void send_syn(Connection& c);
  void syn_arrived(Connection& c);
  void syn_answered(Connection& c, bool accepted);
  void set_up_timer_fired(Connection& c);
  void stop_set_up_timer(Connection& c);

  // death
  void abandon(Connection& c);
  void client_side_died(Connection& c);
  void tell_disconnected(ConnectionId id);
  void server_side_died(Connection& c);
  void send_reset(Connection& c);
  void reset_arrived(Connection& c);
  void reset(Connection& c);

  // segments off the main path (segments.cpp)
  sim::Time arrival(Way& way, sim::Duration transit);
  sim::Duration transit(Way& way, std::uint32_t bytes);
  bool lost(Way& way);
  sim::Time transmit(Connection& c, Side from, std::uint32_t bytes);
  void set_aside(Connection& c, Side from, detail::Backlog::Item item);
  void hindered(Connection& c, Side from, detail::Backlog::Item item);
  void queue(Connection& c, Side from, detail::Backlog::Item item);
  void begin_retransmission(Connection& c, Side from);
  void schedule_retransmission(Connection& c, Side from);
  void retransmit(Connection& c, Side from);
  void release_backlog(Connection& c, Side from);
  void gave_up(Connection& c, Side from);
  void drop_backlog(Way& way);
  bool drop_response(Connection& c);
  bool drop_pending(const Connection& c) const;

  struct Drop {
    DropId id;
    const Node* server;
    const Node* client;
    std::function<void()> dropped;
  };

  sim::Simulation& simulation_;
  NetworkOptions options_;
  detail::Routes routes_;
  std::map<std::string, detail::Flow> flows_;  // by "client>server"
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::uint32_t> free_;
  std::vector<Drop> drops_;
  std::uint64_t next_drop_ = 1;
  std::size_t held_ = 0;
};

namespace detail {

/// A segment on its way. Its connection is pinned until it has arrived.
template <class F>
class Delivery {
 public:
  Delivery(Connection& c, Side from, std::uint32_t bytes, std::uint64_t number, F&& work) noexcept
      : connection_(c), bytes_(bytes), from_(from), number_(number), work_(std::move(work)) {}

  void operator()() {
    Connection& c = connection_;
    if ((c.way(from_).hindrances & kHindersArrival) != 0) [[unlikely]] {
      return c.network.hindered(c, from_, {number_, bytes_, std::make_unique<ParcelOf<F>>(std::move(work_))});
    }
    c.network.unpin(c);
    work_();
  }

 private:
  Connection& connection_;
  std::uint32_t bytes_;
  Side from_;
  std::uint64_t number_;  ///< within its direction
  F work_;
};

}  // namespace detail

template <class F>
void Network::send(ConnectionId id, Side from, std::uint32_t bytes, F&& on_arrival) {
  using Work = std::decay_t<F>;
  static_assert(sizeof(Work) <= 24 && alignof(Work) <= 8, "what runs on arrival captures at most 24 bytes");
  static_assert(std::is_nothrow_move_constructible_v<Work>, "what runs on arrival is moved without throwing");
  Connection* const c = find(id);
  if (c == nullptr || c->state != detail::ConnectionState::open) [[unlikely]] {
    MQLAB_ASSERT(c == nullptr || c->state != detail::ConnectionState::connecting,
                 "something was sent on a connection that is still being set up");
    return;
  }
  if (c->resting != nullptr) [[unlikely]]
    rouse(*c);
  Way& way = c->way(from);
  const std::uint64_t number = ++way.sent;
  sim::Time at;
  if ((way.hindrances & detail::kHindersSending) == 0) [[likely]] {
    at = arrival(way, way.latency);
  } else {
    at = transmit(*c, from, bytes);
    if (at == sim::kNever) {
      return set_aside(
          *c, from, {number, bytes, std::make_unique<detail::ParcelOf<Work>>(std::forward<F>(on_arrival))});
    }
  }
  ++c->pins;
  simulation_.schedule_at(at,
                          detail::Delivery<Work>(*c, from, bytes, number, Work(std::forward<F>(on_arrival))));
}

template <class F>
void Network::send_since(sim::Time sent, ConnectionId id, Side from, std::uint32_t bytes, F&& on_arrival) {
  using Work = std::decay_t<F>;
  Connection* const c = find(id);
  MQLAB_ASSERT(c != nullptr && c->way(from).hindrances == 0,
               "what rested is sent before anything hinders it");
  Way& way = c->way(from);
  way.last_arrival = std::max(sent + way.latency, way.last_arrival + sim::Duration{1});
  ++c->pins;
  simulation_.schedule_at(way.last_arrival, detail::Delivery<Work>(*c, from, bytes, ++way.sent,
                                                                   Work(std::forward<F>(on_arrival))));
}

inline sim::Time Network::arrival(Way& way, sim::Duration transit) {
  way.last_arrival = std::max(simulation_.after(transit), way.last_arrival + sim::Duration{1});
  return way.last_arrival;
}

}  // namespace models
