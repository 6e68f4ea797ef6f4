// Between two nodes of a cluster: a connection of Erlang's distribution, which the later of the two opens.
//
// Each end knows for itself whether the other is there. It hears at once when the other's process dies while the path is open;
// when the path is cut it hears of nothing, until nothing has arrived for net_ticktime (net_kernel: looks four times in it, and
// sends something each time, so that it takes up to a quarter longer), or until TCP gives up. Then the link is down for that
// end, what was under way is lost, and the nodes connect anew as soon as they can.
//
// Aten, the failure detector of Ra, suspects a node long before that: each poll_interval it looks who has been silent for
// longer than was to be expected. Model: it sends heartbeats each tenth of a second and computes how likely a silence is; here
// a fifth of the interval lies between two, and two of them have to be missing.
//
// Model: Erlang's nodes connect again whenever one sends something to the other; here the later one tries each second, as often
// as Ra's failure detector and RabbitMQ's node monitor would.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <utility>

#include "models/context.hpp"
#include "models/network/network.hpp"
#include "models/network/node.hpp"

namespace models::rabbitmq {

class Broker;
class Cluster;

class Link final : public ConnectionListener {
 public:
  /// `ticktime` 0: silence is never noticed. `detector_poll` above 0: both ends suspect each other by it (aten).
  Link(Context& context, Cluster& cluster, Broker& low, Broker& high, sim::Duration ticktime,
       sim::Duration detector_poll);
  ~Link() override;

  /// Connects when the end is the one that does.
  void start(const Broker& end);
  void crashed(const Broker& end);
  bool up(const Broker& end) const { return ends_[side(end)].up; }

  template <class F>
  bool send(const Broker& from, std::uint32_t bytes, F work) {
    const std::size_t at = side(from);
    if (!ends_[at].up) return false;
    ++ends_[at].sent;
    context_.network.send(
        connection_, at == kHigh ? Side::client : Side::server, bytes,
        Arrival<F>{this, generation_ << 1 | static_cast<std::uint32_t>(1 - at), std::move(work)});
    return true;
  }

  // ConnectionListener
  void connected(ConnectionId id) override;
  void disconnected(ConnectionId id) override;

 private:
  static constexpr std::size_t kLow = 0;
  static constexpr std::size_t kHigh = 1;
  template <class F>
  struct Arrival {
    Link* link;
    std::uint32_t where;  // generation, and which end
    F work;
    void operator()() {
      if (link->arrived(where >> 1, where & 1)) work();
    }
  };
  struct End {
    Broker* broker = nullptr;
    bool up = false;
    std::uint64_t received = 0;
    std::uint64_t received_before = 0;
    std::uint64_t sent = 0;
    std::uint64_t sent_before = 0;
    std::uint32_t silent = 0;  // looks in a row without anything
    sim::Time heard{};
    std::uint32_t beats = 0;
    bool suspects = false;
  };
  std::size_t side(const Broker& end) const { return ends_[kLow].broker == &end ? kLow : kHigh; }
  Node& node(std::size_t side) const;
  bool arrived(std::uint32_t generation, std::size_t at);
  void connect();
  void go_up(std::size_t side);
  void go_down(std::size_t side);
  void look(std::size_t side);
  void beat(std::size_t side);
  void suspect(std::size_t side, bool suspects);

  Context& context_;
  Cluster& cluster_;
  std::array<End, 2> ends_;
  sim::Duration ticktime_;
  sim::Duration beat_;         // 0: no detector
  ConnectionId connection_{};  // that was up last: an end may take it for up when the other knows better
  ConnectionId opening_{};
  std::uint32_t generation_ = 0;
  std::array<NodeTimer<std::function<void()>>, 2> tick_timers_;
  std::array<NodeTimer<std::function<void()>>, 2> beat_timers_;
  NodeTimer<std::function<void()>> retry_timer_;
};

}  // namespace models::rabbitmq
