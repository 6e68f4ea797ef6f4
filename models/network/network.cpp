#include "models/network/network.hpp"

#include "models/network/node.hpp"
#include "sim/assert.hpp"

namespace models {

using detail::ConnectionState;

namespace {

constexpr std::uint32_t kControlBytes = 60;  // a SYN or a reset with its headers

void set(std::uint8_t& flags, std::uint8_t flag, bool on) {
  flags = static_cast<std::uint8_t>(on ? flags | flag : flags & ~flag);
}

}  // namespace

Network::Network(sim::Simulation& simulation, const NetworkOptions& options)
    : simulation_(simulation), options_(options), routes_(options_) {}

Network::~Network() = default;

HostId Network::add_host(std::string name, Location location) {
  return routes_.add_host(std::move(name), std::move(location));
}

// ---- slots ----

Network::Connection& Network::take_slot() {
  ++held_;
  if (!free_.empty()) {
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    return *connections_[slot];
  }
  const auto slot = static_cast<std::uint32_t>(connections_.size());
  connections_.push_back(std::make_unique<Connection>(*this, slot));
  return *connections_.back();
}

void Network::end(Connection& c) {
  c.state = ConnectionState::dead;
  c.listener = nullptr;
  if (c.pins == 0) give_back(c);
}

void Network::give_back(Connection& c) {
  ++c.generation;
  free_.push_back(c.slot);
  --held_;
}

detail::Flow& Network::flow(const Node& client, const Node& server) {
  std::string ends = client.name() + ">" + server.name();
  const auto found = flows_.find(ends);
  if (found != flows_.end()) return found->second;
  const std::uint64_t seed = simulation_.seed();
  detail::Flow made{
      {detail::Streams(seed, ends + "/up"), detail::Streams(seed, ends + "/down")},
      {&routes_.route(client.host(), server.host()), &routes_.route(server.host(), client.host())}};
  return flows_.emplace(std::move(ends), std::move(made)).first->second;
}

/// What the rest of the network means for this connection now.
void Network::refresh(Connection& c) {
  for (Way& way : c.ways) {
    const detail::Route& route = *way.route;
    way.latency = route.constant;
    set(way.hindrances, detail::kVariable, !route.plain());
    set(way.hindrances, detail::kCut, route.cut);
    set(way.hindrances, detail::kReceiverPaused, way.receiver->paused());
  }
  set(c.way(Side::server).hindrances, detail::kDropNext, drop_pending(c));
}

void Network::refresh_all() {
  for (const auto& c : connections_) {
    rouse(*c);
    if (c->state != ConnectionState::dead || c->pins > 0) refresh(*c);
  }
}

// ---- rest ----

std::optional<RoundTrip> Network::rest(ConnectionId id, RestingTraffic& traffic) {
  Connection* const c = find(id);
  if (c == nullptr || c->state != ConnectionState::open || c->resting != nullptr) return std::nullopt;
  Way& up = c->way(Side::client);
  Way& down = c->way(Side::server);
  if ((up.hindrances | down.hindrances) != 0) return std::nullopt;
  c->resting = &traffic;
  up.hindrances = down.hindrances = detail::kResting;
  return RoundTrip{up.latency, down.latency};
}

void Network::rouse(ConnectionId id) {
  if (Connection* const c = find(id)) rouse(*c);
}

void Network::rouse(Connection& c) {
  if (c.resting == nullptr) return;
  for (Way& way : c.ways) set(way.hindrances, detail::kResting, false);
  std::exchange(c.resting, nullptr)->rouse();
}

// ---- set-up ----

ConnectionId Network::connect(Node& client, Node& server, ConnectionListener& client_side) {
  MQLAB_ASSERT(client.up(), "a node that is down cannot connect: " + client.name());
  detail::Flow& between = flow(client, server);
  Connection& c = take_slot();
  c.state = ConnectionState::connecting;
  c.listener = &client_side;
  c.reset_sent = false;
  for (std::size_t i = 0; i < 2; ++i) {
    Way& way = c.ways[i];
    way.last_arrival = {};
    way.sent = 0;
    way.hindrances = 0;
    way.receiver = i == 0 ? &server : &client;
    way.route = between.routes[i];
    way.streams = &between.streams[i];
  }
  c.way(Side::client).hindrances = detail::kReceiverGone;  // until the server accepts
  refresh(c);
  c.set_up_retry = options_.connect_retry;
  c.set_up_deadline = simulation_.after(options_.connect_timeout);
  send_syn(c);
  return c.id();
}

void Network::send_syn(Connection& c) {
  Way& up = c.way(Side::client);
  if ((up.hindrances & detail::kCut) == 0 && !lost(up)) {
    ++c.pins;
    simulation_.schedule_at(arrival(up, transit(up, kControlBytes)), [&c] { c.network.syn_arrived(c); });
  }
  const sim::Time due = std::min(simulation_.after(c.set_up_retry), c.set_up_deadline);
  c.set_up_retry *= 2;
  ++c.pins;
  c.set_up_timer = simulation_.schedule_at(due, [&c] { c.network.set_up_timer_fired(c); });
}

void Network::set_up_timer_fired(Connection& c) {
  if (c.state == ConnectionState::connecting) {
    if (simulation_.now() >= c.set_up_deadline) {
      client_side_died(c);
    } else {
      send_syn(c);
    }
  }
  unpin(c);
}

void Network::stop_set_up_timer(Connection& c) {
  if (simulation_.cancel(c.set_up_timer)) unpin(c);
}

void Network::syn_arrived(Connection& c) {
  Way& up = c.way(Side::client);
  if (c.state == ConnectionState::connecting && (up.hindrances & detail::kCut) == 0) {
    // A paused process changes nothing: its kernel accepts.
    const bool accepted = c.server().up();
    if (accepted) set(up.hindrances, detail::kReceiverGone, false);
    Way& down = c.way(Side::server);
    if ((down.hindrances & detail::kCut) == 0 && !lost(down)) {
      ++c.pins;
      simulation_.schedule_at(arrival(down, transit(down, kControlBytes)),
                              [&c, accepted] { c.network.syn_answered(c, accepted); });
    }
  }
  unpin(c);
}

void Network::syn_answered(Connection& c, bool accepted) {
  if (c.state == ConnectionState::connecting && (c.way(Side::server).hindrances & detail::kCut) == 0) {
    stop_set_up_timer(c);
    if (accepted) {
      c.state = ConnectionState::open;
      c.client().run_or_hold([this, id = c.id()] {
        Connection* const opened = find(id);
        if (opened != nullptr && opened->state == ConnectionState::open) opened->listener->connected(id);
      });
    } else {
      client_side_died(c);
    }
  }
  unpin(c);
}

// ---- death ----

bool Network::open(ConnectionId id) const {
  const Connection* const c = find(id);
  return c != nullptr && c->state == ConnectionState::open;
}

void Network::close(ConnectionId id) {
  Connection* const c = find(id);
  if (c != nullptr && c->state != ConnectionState::dead) abandon(*c);
}

/// The client side is gone and wants to hear nothing. What it had sent and is on its way still arrives.
void Network::abandon(Connection& c) {
  rouse(c);
  stop_set_up_timer(c);
  for (Way& way : c.ways) drop_backlog(way);
  set(c.way(Side::server).hindrances, detail::kReceiverGone, true);
  end(c);
}

/// The client side has lost the connection: its owner hears of it at this instant.
void Network::client_side_died(Connection& c) {
  if (c.state != ConnectionState::connecting && c.state != ConnectionState::open) return;
  rouse(c);
  c.state = ConnectionState::ending;
  stop_set_up_timer(c);
  for (Way& way : c.ways) drop_backlog(way);
  set(c.way(Side::server).hindrances, detail::kReceiverGone, true);
  simulation_.post([this, id = c.id()] { tell_disconnected(id); });
}

void Network::tell_disconnected(ConnectionId id) {
  Connection* const c = find(id);
  if (c == nullptr || c->state != ConnectionState::ending) return;
  c->client().run_or_hold([this, id] {
    Connection* const ended = find(id);
    if (ended == nullptr || ended->state != ConnectionState::ending) return;
    ConnectionListener* const listener = ended->listener;
    end(*ended);
    listener->disconnected(id);
  });
}

/// The server's end is gone, and its kernel says so.
void Network::server_side_died(Connection& c) {
  drop_backlog(c.way(Side::server));
  set(c.way(Side::server).hindrances, detail::kSenderGone, true);
  set(c.way(Side::client).hindrances, detail::kReceiverGone, true);
  send_reset(c);
}

void Network::send_reset(Connection& c) {
  Way& down = c.way(Side::server);
  if (c.reset_sent || (down.hindrances & detail::kCut) != 0) return;  // a reset is not retransmitted
  c.reset_sent = true;
  ++c.pins;
  simulation_.schedule_at(arrival(down, transit(down, kControlBytes)), [&c] { c.network.reset_arrived(c); });
}

void Network::reset_arrived(Connection& c) {
  c.reset_sent = false;
  if ((c.way(Side::server).hindrances & detail::kCut) == 0) client_side_died(c);
  unpin(c);
}

void Network::reset(Connection& c) {
  if (c.state != ConnectionState::connecting && c.state != ConnectionState::open) return;
  client_side_died(c);
  set(c.way(Side::client).hindrances, detail::kReceiverGone, true);
}

void Network::reset(ConnectionId id) {
  Connection* const c = find(id);
  if (c != nullptr) reset(*c);
}

std::size_t Network::reset_all(const Node& a, const Node* b) {
  std::size_t count = 0;
  for (const auto& c : connections_) {
    if (c->state != ConnectionState::connecting && c->state != ConnectionState::open) continue;
    const Node* const other = &c->client() == &a ? &c->server() : &c->server() == &a ? &c->client() : nullptr;
    if (other == nullptr || (b != nullptr && other != b)) continue;
    reset(*c);
    ++count;
  }
  return count;
}

// ---- what nodes tell ----

void Network::node_crashed(Node& node) {
  for (const auto& slot : connections_) {
    Connection& c = *slot;
    if (c.state == ConnectionState::dead && c.pins == 0) continue;
    if (&c.server() == &node || &c.client() == &node) rouse(c);
    const bool accepted = (c.way(Side::client).hindrances & detail::kReceiverGone) == 0;
    const bool lives = c.state == ConnectionState::connecting || c.state == ConnectionState::open;
    if (&c.server() == &node) {
      set(c.way(Side::client).hindrances, detail::kReceiverGone, true);
      if (&c.client() != &node && lives && accepted) server_side_died(c);
    }
    if (&c.client() == &node && c.state != ConnectionState::dead) abandon(c);
  }
}

void Network::node_paused(Node& node, bool paused) {
  for (const auto& c : connections_) {
    for (Way& way : c->ways) {
      if (way.receiver == &node) rouse(*c);
      if (way.receiver == &node) set(way.hindrances, detail::kReceiverPaused, paused);
    }
  }
}

// ---- faults ----

ImpairmentId Network::impair(Impairment impairment) {
  const ImpairmentId id = routes_.impair(std::move(impairment));
  refresh_all();
  return id;
}

void Network::heal(ImpairmentId id) {
  routes_.heal(id);
  refresh_all();
}

ImpairmentId Network::cut(HostId a, HostId b, bool one_way) {
  Impairment cut;
  cut.from = {a};
  cut.to = {b};
  cut.one_way = one_way;
  cut.cut = true;
  return impair(std::move(cut));
}

ImpairmentId Network::isolate(HostId host) {
  Impairment cut;
  cut.from = {host};
  cut.cut = true;
  return impair(std::move(cut));
}

DropId Network::drop_next_response(const Node& server, const Node* client, std::function<void()> dropped) {
  const DropId id{next_drop_++};
  drops_.push_back({id, &server, client, std::move(dropped)});
  refresh_all();
  return id;
}

void Network::cancel_drop(DropId id) {
  const auto at = std::find_if(drops_.begin(), drops_.end(), [&](const Drop& d) { return d.id == id; });
  if (at == drops_.end()) return;
  drops_.erase(at);
  refresh_all();
}

bool Network::drop_pending(const Connection& c) const {
  return std::any_of(drops_.begin(), drops_.end(), [&](const Drop& d) {
    return d.server == &c.server() && (d.client == nullptr || d.client == &c.client());
  });
}

bool Network::drop_response(Connection& c) {
  const auto at = std::find_if(drops_.begin(), drops_.end(), [&](const Drop& d) {
    return d.server == &c.server() && (d.client == nullptr || d.client == &c.client());
  });
  if (at == drops_.end()) return false;
  const std::function<void()> dropped = std::move(at->dropped);
  drops_.erase(at);
  refresh_all();
  if (dropped) dropped();
  server_side_died(c);
  return true;
}

}  // namespace models
