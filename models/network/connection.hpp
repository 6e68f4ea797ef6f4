// What a Network keeps for each connection. Listeners and ids are for everybody; namespace detail is the
// Network's own.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "models/ids.hpp"
#include "sim/random.hpp"
#include "sim/simulation.hpp"

namespace models {

class Network;
class Node;

/// Slot and generation; ConnectionId{} is none. An id never comes back to life.
using ConnectionId = Id<struct ConnectionTag, std::uint64_t>;

enum class Side : std::uint8_t { client, server };

/// The client's side of a connection. Runs at the client's node: held while that is paused, dropped when it
/// crashes.
class ConnectionListener {
 public:
  virtual ~ConnectionListener() = default;
  virtual void connected(ConnectionId id) = 0;
  /// Refused, reset or timed out. The id is already dead: a new connect() may be made from here.
  virtual void disconnected(ConnectionId id) = 0;
};

/// Two ends that say the same to each other round after round, with nobody to notice, may leave their connection at rest: nothing
/// is simulated, and what is under way is worked out when something is about to happen to the connection.
class RestingTraffic {
 public:
  virtual ~RestingTraffic() = default;
  /// The connection is awake again: what would be under way at this moment is to be sent (Network::send_since()).
  virtual void rouse() = 0;
};

/// How long a segment takes.
struct RoundTrip {
  sim::Duration up{};    ///< to the server
  sim::Duration down{};  ///< to the client
};

namespace detail {

struct Route;

/// Work that waits off the main path: for a retransmission, or for a paused node.
class Parcel {
 public:
  virtual ~Parcel() = default;
  virtual void open() = 0;
};

template <class F>
class ParcelOf final : public Parcel {
 public:
  explicit ParcelOf(F work) : work_(std::move(work)) {}
  void open() override { work_(); }

 private:
  F work_;
};

/// Runs a parcel as if it had been sent as a plain closure.
struct OpenParcel {
  std::unique_ptr<Parcel> parcel;
  void operator()() { parcel->open(); }
};

// Why a segment of one direction cannot take the main path.
inline constexpr std::uint8_t kVariable = 1;     ///< transit to be computed: random latency, bandwidth, loss
inline constexpr std::uint8_t kCut = 2;          ///< nothing gets through
inline constexpr std::uint8_t kBacklog = 4;      ///< segments wait for retransmission
inline constexpr std::uint8_t kDropNext = 8;     ///< the next segment is to be lost, and its connection reset
inline constexpr std::uint8_t kSenderGone = 16;  ///< the sending end is dead
inline constexpr std::uint8_t kReceiverGone = 32;  ///< the receiving end is dead, or has not accepted yet
inline constexpr std::uint8_t kReceiverPaused = 64;
inline constexpr std::uint8_t kResting = 128;  ///< what is under way is not simulated
inline constexpr std::uint8_t kHindersSending =
    kVariable | kCut | kBacklog | kDropNext | kSenderGone | kResting;
inline constexpr std::uint8_t kHindersArrival = kCut | kBacklog | kReceiverGone | kReceiverPaused;

/// The random streams of one direction between a client and a server; shared by their successive connections.
struct Streams {
  Streams(std::uint64_t seed, const std::string& direction)
      : latency(seed, "net/latency/" + direction),
        loss(seed, "net/loss/" + direction),
        fault(seed, "net/fault/" + direction) {}
  sim::Stream latency, loss, fault;
};
struct Flow {
  std::array<Streams, 2> streams;  ///< by sending side
  std::array<Route*, 2> routes;
};

/// Segments that wait for the retransmission timer, by number.
struct Backlog {
  struct Item {
    std::uint64_t number;
    std::uint32_t bytes;
    std::unique_ptr<Parcel> parcel;
  };
  std::deque<Item> waiting;
  sim::Duration timeout{};
  std::uint32_t attempts = 0;
};

/// One direction of a connection.
struct Way {
  sim::Time last_arrival{};
  sim::Duration latency{};  ///< when it is constant
  std::uint64_t sent = 0;   ///< segments so far: the number of the last one
  std::uint8_t hindrances = 0;
  Node* receiver = nullptr;
  Route* route = nullptr;
  Streams* streams = nullptr;
  std::unique_ptr<Backlog> backlog;
};

enum class ConnectionState : std::uint8_t {
  connecting,
  open,
  ending,  ///< dead, the client side has not been told yet
  dead,
};

struct Connection {
  Connection(Network& n, std::uint32_t s) : network(n), slot(s) {}

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  ConnectionId id() const { return {std::uint64_t{generation} << 32 | slot}; }
  Way& way(Side from) { return ways[static_cast<std::size_t>(from)]; }
  Node& client() const { return *ways[1].receiver; }
  Node& server() const { return *ways[0].receiver; }

  Network& network;
  std::uint32_t slot;
  std::uint32_t generation = 1;
  std::uint32_t pins = 0;  ///< scheduled events that point here; the slot is not reused before they are gone
  ConnectionState state = ConnectionState::dead;
  bool reset_sent = false;  ///< a reset is on its way to the client
  std::array<Way, 2> ways;  ///< by sending side
  ConnectionListener* listener = nullptr;
  RestingTraffic* resting = nullptr;
  sim::Duration set_up_retry{};
  sim::Time set_up_deadline{};
  sim::EventHandle set_up_timer;
};

template <class F>
class Delivery;

}  // namespace detail
}  // namespace models
