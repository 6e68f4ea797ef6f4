// A client's connection to one broker, at the level of calls.
//
// Guarantees: each call completes exactly once (its handler runs with call->error set to none, the broker's error, or
// `disconnected` when the connection was refused, reset or timed out), unless the client's own node crashes or abandon()
// is called, after which nothing completes. Calls complete in the order in which they were sent (Kafka answers a connection
// in order). Connecting, reconnect back-off (reconnect.backoff.ms, doubling, +-20 % jitter) and request.timeout.ms are
// handled here: a call not answered in time closes the connection and completes everything in flight as `disconnected`. So is
// connections.max.idle.ms: a connection on which nothing is said for so long is closed, be it that a call waits for its answer
// (Selector.IdleExpiryManager counts what is read and written).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "models/kafka/protocol.hpp"
#include "models/kafka/share/share_calls.hpp"
#include "models/network/network.hpp"
#include "models/network/node.hpp"
#include "sim/random.hpp"

namespace models::kafka {

class Cluster;

/// The controller's address in place of a broker's: the only one's, or that of the first of a quorum.
inline constexpr BrokerId kController{-2};
constexpr BrokerId controller_id(std::int32_t number) {
  return BrokerId{kController.value - number};
}
constexpr std::int32_t controller_number(BrokerId id) {
  return kController.value - id.value;
}

/// A Ref to a call of any kind, which its `api` tells: moved and dropped like a pointer, as a variant would not be.
class AnyCall {
 public:
  AnyCall() = default;
  template <class CallT>
  AnyCall(Ref<CallT> call) noexcept : call_(call.release()) {}
  AnyCall(const AnyCall& other) noexcept : call_(other.call_) {
    if (call_ != nullptr) ++call_->refs;
  }
  AnyCall(AnyCall&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {}
  AnyCall& operator=(AnyCall other) noexcept {
    std::swap(call_, other.call_);
    return *this;
  }
  ~AnyCall() {
    if (call_ != nullptr && --call_->refs == 0) call_->put_back(*call_);
  }

  CallBase& operator*() const noexcept { return *call_; }
  CallBase* operator->() const noexcept { return call_; }
  template <class CallT>
  bool is() const {
    return call_->api == CallT::kApi;
  }
  /// As a call of this kind, or nullptr.
  template <class CallT>
  CallT* get_if() const {
    return is<CallT>() ? static_cast<CallT*>(call_) : nullptr;
  }
  /// Hands over what is known to be of this kind.
  template <class CallT>
  Ref<CallT> take() && {
    return Ref<CallT>::adopt(static_cast<CallT*>(std::exchange(call_, nullptr)));
  }

 private:
  PooledCall* call_ = nullptr;
};

/// A broker or the controller, as a receiver of calls. It answers each by respond(), at most once, in any order between
/// connections and in order within one.
class RpcServer {
 public:
  virtual ~RpcServer() = default;
  virtual void receive(AnyCall call) = 0;
};

/// Sends the call back to where it came from. Dropped when that connection is gone.
void respond(Network& network, AnyCall call);
/// respond(), at a moment past from which the answer is still under way.
void respond_since(Network& network, sim::Time sent, AnyCall call);

/// Kafka takes one request at a time from a connection and mutes it until the answer has left (SocketServer.scala): a call
/// behind one that waits in purgatory waits too. Returns true when `call` may be handled now; else it is kept.
bool admit(AnyCall& call);
/// The call of this connection has been answered (or needs no answer): returns the next one to handle, if any.
std::optional<AnyCall> next_after(const CallBase& answered);
/// The server closes the connection of this call: what came behind it on it is not carried out, and the client finds it
/// closed after what was answered before.
void hang_up(Network& network, const CallBase& refused);

/// The time-out of a call that waits for news however long. Model: it stands for polling, which keeps a connection busy.
inline constexpr sim::Duration kForEver = std::chrono::hours{24 * 365};

struct RpcOptions {
  sim::Duration request_timeout{30'000'000'000};
  sim::Duration reconnect_backoff{50'000'000};
  sim::Duration reconnect_backoff_max{1'000'000'000};
  sim::Duration connections_max_idle{540'000'000'000};
};

class RpcChannel final : public ConnectionListener {
 public:
  /// A channel from `client` to `broker` (or kController). Connects when first needed.
  RpcChannel(Cluster& cluster, Node& client, BrokerId broker, const RpcOptions& options);
  ~RpcChannel() override;
  RpcChannel(const RpcChannel&) = delete;
  RpcChannel& operator=(const RpcChannel&) = delete;

  /// Sends `call`; `(owner.*Method)(BrokerId, Ref<CallT>)` runs when it completes. Connects first when need be.
  /// `timeout` 0 means request.timeout.ms.
  template <auto Method, class Owner, class CallT>
  void call(Owner& owner, Ref<CallT> call, sim::Duration timeout = {}) {
    submit({AnyCall(std::move(call)),
            &owner,
            [](void* self, BrokerId from, AnyCall done) {
              (static_cast<Owner*>(self)->*Method)(from, std::move(done).template take<CallT>());
            },
            {}},
           timeout);
  }

  /// Sends `call` without waiting for an answer (produce with acks=0). Dropped unless ready().
  template <class CallT>
  void send_only(Ref<CallT> call) {
    transmit(AnyCall(std::move(call)));
  }

  /// Connected and not throttled, so that a call leaves at once.
  bool ready() const { return state_ == State::open && !throttled_ && !expired(); }
  /// A broker's answer has asked for silence until then: who can wait sends nothing before (NetworkClient.throttle).
  bool throttled() const { return throttled_; }
  /// May be past: a client that stood still has not noticed yet.
  sim::Time throttled_until() const { return throttled_until_; }
  const Node& client() const { return client_; }
  /// Refused or reset a moment ago: a new attempt waits until retry_at().
  bool backing_off() const;
  sim::Time retry_at() const { return retry_at_; }
  /// Begins to connect when closed (after the back-off). `on_change` runs whenever ready() or backing_off() changes.
  void connect();
  void on_change(std::function<void()> notify) { notify_ = std::move(notify); }
  std::size_t in_flight() const { return in_flight_.size(); }

  // ---- rest: a long poll that nothing comes of goes round unsimulated (Network::rest()) ----
  /// `call`, which waits at the broker, is all that there is on this connection, and a round of at most `longest` stays within
  /// its time-out: lets the connection rest. nullopt: it cannot.
  std::optional<RoundTrip> rest(const CallBase& call, sim::Duration longest, RestingTraffic& traffic);
  void rouse() { network().rouse(connection_); }
  /// The client has sent `call` (again) then.
  void sent_at(sim::Time sent);
  /// It is on its way to the broker since then.
  void transmit_since(sim::Time sent, AnyCall call);

  BrokerId broker() const { return broker_; }

  /// Closes the connection on purpose: what is in flight completes as `disconnected` before this returns.
  void disconnect();
  /// Forgets everything: for the client's crash or clean close. No handler runs.
  void abandon();

  // ConnectionListener
  void connected(ConnectionId id) override;
  void disconnected(ConnectionId id) override;

 private:
  enum class State : std::uint8_t { closed, connecting, open };
  struct Pending {
    AnyCall call;
    void* owner;
    void (*complete)(void*, BrokerId, AnyCall);
    sim::Time deadline;
  };
  friend void respond(Network& network, AnyCall call);
  friend void respond_since(Network& network, sim::Time sent, AnyCall call);
  friend bool admit(AnyCall& call);
  friend std::optional<AnyCall> next_after(const CallBase& answered);
  friend void hang_up(Network& network, const CallBase& refused);

  Network& network() const;
  void submit(Pending pending, sim::Duration timeout);
  void transmit(AnyCall call);
  void answered(AnyCall call);
  void open_connection();
  void fail_all(ErrorCode error);
  void back_off(sim::Time since);
  void watch_deadlines();
  bool expired() const { return in_flight_.empty() && now() - last_used_ >= longest_idle_; }
  void close_expired();
  /// When the connection will have been idle for too long, while calls are in flight; kNever without.
  sim::Time idle_until() const {
    const bool counts = state_ == State::open && longest_idle_ != kNever && !in_flight_.empty();
    const bool for_ever = counts && in_flight_.front().deadline - last_used_ > kForEver / 2;
    return counts && !for_ever ? last_used_ + longest_idle_ : sim::kNever;
  }
  sim::Time now() const;
  void on_timer();
  void throttle(sim::Duration duration);
  void end_throttle();

  // What every call touches comes first: with thousands of channels each of them is cold.
  Cluster& cluster_;
  Node& client_;
  BrokerId broker_;
  State state_ = State::closed;
  bool want_connection_ = false;
  bool throttled_ = false;
  bool muted_ = false;  // the broker's side: a call is taken up when the one before has been answered
  ConnectionId connection_{};
  sim::Time last_used_{};
  sim::Duration longest_idle_;
  std::vector<Pending> in_flight_;  // in order of sending; small
  RpcOptions options_;
  NodeTimer<std::function<void()>> timer_;  // the earlier of a reconnect and the oldest deadline
  std::vector<AnyCall> backlog_;            // the broker's side: behind the one that it works on
  std::uint32_t failures_ = 0;
  std::uint32_t life_ = 0;  // ends with abandon()
  sim::Time retry_at_{};
  sim::Time throttled_until_{};
  std::function<void()> notify_;
  sim::Stream jitter_;
  std::unique_ptr<NodeTimer<std::function<void()>>> unthrottle_;  // made when first throttled
};

}  // namespace models::kafka
