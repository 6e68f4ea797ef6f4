#include "models/kafka/rpc.hpp"

#include <algorithm>

#include "models/kafka/backoff.hpp"
#include "models/kafka/cluster.hpp"

namespace models::kafka {
namespace {

constexpr std::uint32_t kCloseBytes = 40;  // a TCP segment without payload

}  // namespace

void respond(Network& network, AnyCall call) {
  const CallBase& shared = *call;
  const ConnectionId connection = shared.connection;
  const std::uint32_t bytes = shared.response_bytes;
  RpcChannel* origin = shared.origin;
  network.send(connection, Side::server, bytes,
               [origin, done = std::move(call)]() mutable { origin->answered(std::move(done)); });
}

void respond_since(Network& network, sim::Time sent, AnyCall call) {
  const CallBase& shared = *call;
  const ConnectionId connection = shared.connection;
  const std::uint32_t bytes = shared.response_bytes;
  RpcChannel* origin = shared.origin;
  network.send_since(sent, connection, Side::server, bytes,
                     [origin, done = std::move(call)]() mutable { origin->answered(std::move(done)); });
}

bool admit(AnyCall& call) {
  const CallBase& shared = *call;
  RpcChannel& channel = *shared.origin;
  // Its connection died meanwhile at the client's end: it is carried out all the same, and its answer reaches nobody.
  if (shared.connection != channel.connection_) return true;
  if (!channel.muted_) return channel.muted_ = true;
  channel.backlog_.push_back(std::move(call));
  return false;
}

std::optional<AnyCall> next_after(const CallBase& answered) {
  RpcChannel& channel = *answered.origin;
  if (answered.connection != channel.connection_) return std::nullopt;
  if (channel.backlog_.empty()) {
    channel.muted_ = false;
    return std::nullopt;
  }
  AnyCall next = std::move(channel.backlog_.front());
  channel.backlog_.erase(channel.backlog_.begin());
  return next;
}

void hang_up(Network& network, const CallBase& refused) {
  RpcChannel& channel = *refused.origin;
  const ConnectionId connection = refused.connection;
  if (connection != channel.connection_) return;
  channel.backlog_.clear();  // and muted for good
  network.send(connection, Side::server, kCloseBytes, [&channel, connection] {
    if (channel.connection_ == connection) channel.disconnect();
  });
}

RpcChannel::RpcChannel(Cluster& cluster, Node& client, BrokerId broker, const RpcOptions& options)
    : cluster_(cluster),
      client_(client),
      broker_(broker),
      longest_idle_(std::min(options.connections_max_idle, cluster.options().config.connections_max_idle)),
      options_(options),
      timer_(cluster.context().simulation, client, [this] { on_timer(); }),
      jitter_(cluster.context().simulation.seed(),
              "kafka/reconnect/" + client.name() + "/" + cluster.node(broker).name()) {}

RpcChannel::~RpcChannel() {
  abandon();
}

bool RpcChannel::backing_off() const {
  return state_ == State::closed && cluster_.context().now() < retry_at_;
}

/// Selector.IdleExpiryManager, of the client's end and of the broker's: seen when the connection is next wanted.
void RpcChannel::close_expired() {
  if (state_ != State::open || !expired()) return;
  cluster_.context().network.close(connection_);
  back_off(last_used_ + longest_idle_);
}

void RpcChannel::connect() {
  close_expired();
  want_connection_ = true;
  if (state_ != State::closed) return;
  if (backing_off()) {
    watch_deadlines();
  } else {
    open_connection();
  }
}

void RpcChannel::open_connection() {
  state_ = State::connecting;
  connection_ = cluster_.context().network.connect(client_, cluster_.node(broker_), *this);
}

void RpcChannel::submit(Pending pending, sim::Duration timeout) {
  const sim::Duration limit = timeout > sim::Duration{} ? timeout : options_.request_timeout;
  close_expired();
  const sim::Time deadline = cluster_.context().simulation.after(limit);
  pending.deadline = deadline;
  in_flight_.push_back(std::move(pending));
  if (state_ == State::open)
    transmit(in_flight_.back().call);
  else
    connect();
  const sim::Time first = std::min(deadline, idle_until());
  if (first < timer_.deadline()) timer_.arm_at(first);
}

void RpcChannel::transmit(AnyCall call) {
  if (state_ != State::open) return;
  last_used_ = cluster_.context().now();
  CallBase& shared = *call;
  shared.connection = connection_;
  shared.origin = this;
  RpcServer* server = &cluster_.server(broker_);
  cluster_.context().network.send(
      connection_, Side::client, shared.request_bytes,
      [server, sent = std::move(call)]() mutable { server->receive(std::move(sent)); });
}

sim::Time RpcChannel::now() const {
  return cluster_.context().now();
}

Network& RpcChannel::network() const {
  return cluster_.context().network;
}

std::optional<RoundTrip> RpcChannel::rest(const CallBase& call, sim::Duration longest,
                                          RestingTraffic& traffic) {
  const bool alone = call.connection == connection_ && in_flight_.size() == 1 && backlog_.empty();
  if (!alone || throttled_ || longest >= std::min(options_.request_timeout, longest_idle_))
    return std::nullopt;
  return network().rest(connection_, traffic);
}

void RpcChannel::sent_at(sim::Time sent) {
  in_flight_.front().deadline = sent + options_.request_timeout;
  last_used_ = sent;
}

void RpcChannel::transmit_since(sim::Time sent, AnyCall call) {
  RpcServer* server = &cluster_.server(broker_);
  const std::uint32_t bytes = call->request_bytes;
  network().send_since(sent, connection_, Side::client, bytes,
                       [server, again = std::move(call)]() mutable { server->receive(std::move(again)); });
}

void RpcChannel::answered(AnyCall call) {
  // A connection delivers in order, and the broker answers in order: the answer belongs to the oldest call.
  Pending done = std::move(in_flight_.front());
  in_flight_.erase(in_flight_.begin());
  last_used_ = cluster_.context().now();
  if (const sim::Duration wait = call->throttle; wait > sim::Duration{}) throttle(wait);
  done.complete(done.owner, broker_, std::move(call));
}

void RpcChannel::throttle(sim::Duration duration) {
  if (!unthrottle_) {
    unthrottle_ =
        std::make_unique<NodeTimer<std::function<void()>>>(cluster_.context().simulation, client_, [this] {
          throttled_ = false;
          if (notify_) notify_();
        });
  }
  const sim::Time until = cluster_.context().simulation.after(duration);
  if (!throttled_ || until > throttled_until_) {
    throttled_until_ = until;
    unthrottle_->arm_at(until);
  }
  throttled_ = true;
}

void RpcChannel::end_throttle() {
  throttled_ = false;
  if (unthrottle_) unthrottle_->disarm();
}

void RpcChannel::connected(ConnectionId id) {
  if (id != connection_) return;
  state_ = State::open;
  last_used_ = now();
  failures_ = 0;
  for (Pending& waiting : in_flight_) transmit(waiting.call);
  if (idle_until() < timer_.deadline()) timer_.arm_at(idle_until());
  if (notify_) notify_();
}

void RpcChannel::disconnected(ConnectionId id) {
  if (id != connection_) return;
  back_off(now());
  fail_all(ErrorCode::disconnected);
}

void RpcChannel::back_off(sim::Time since) {
  state_ = State::closed;
  connection_ = {};
  muted_ = false;
  backlog_.clear();
  end_throttle();
  // ClusterConnectionStates: reconnect.backoff.ms doubling per failure, +-20 % jitter.
  retry_at_ = since + exponential_backoff(options_.reconnect_backoff, options_.reconnect_backoff_max,
                                          failures_++, jitter_);
}

void RpcChannel::fail_all(ErrorCode error) {
  want_connection_ = false;
  timer_.disarm();
  std::vector<Pending> failed;
  failed.swap(in_flight_);
  if (notify_) notify_();
  const std::uint32_t life = life_;
  for (Pending& pending : failed) {
    if (life_ != life) return;  // a handler has crashed or closed the client
    pending.call->error = error;
    pending.complete(pending.owner, broker_, std::move(pending.call));
  }
}

void RpcChannel::watch_deadlines() {
  sim::Time next = idle_until();
  for (const Pending& pending : in_flight_) next = std::min(next, pending.deadline);
  if (state_ == State::closed && want_connection_)
    next = std::min(next, std::max(retry_at_, cluster_.context().now()));
  if (next == sim::kNever)
    timer_.disarm();
  else
    timer_.arm_at(next);
}

void RpcChannel::on_timer() {
  rouse();
  const sim::Time now = cluster_.context().now();
  const bool timed_out = std::any_of(in_flight_.begin(), in_flight_.end(),
                                     [now](const Pending& pending) { return pending.deadline <= now; });
  if (timed_out || idle_until() <= now) {
    // NetworkClient.handleTimedOutRequests: one late answer costs the whole connection. What waited for one to be made ends
    // without putting that off (ClusterConnectionStates).
    if (state_ != State::closed) {
      cluster_.context().network.close(connection_);
      back_off(now);
    }
    return fail_all(ErrorCode::disconnected);
  }
  if (state_ == State::closed && want_connection_ && !backing_off()) open_connection();
  watch_deadlines();
}

void RpcChannel::disconnect() {
  if (connection_ != ConnectionId{}) cluster_.context().network.close(connection_);
  back_off(now());
  fail_all(ErrorCode::disconnected);
}

void RpcChannel::abandon() {
  if (connection_ != ConnectionId{}) cluster_.context().network.close(connection_);
  connection_ = {};
  state_ = State::closed;
  want_connection_ = false;
  failures_ = 0;
  retry_at_ = {};
  in_flight_.clear();
  muted_ = false;
  backlog_.clear();
  timer_.disarm();
  end_throttle();
  ++life_;
}

}  // namespace models::kafka
