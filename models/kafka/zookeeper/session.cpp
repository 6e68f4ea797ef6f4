#include "models/kafka/zookeeper/session.hpp"

#include <algorithm>

#include "models/kafka/broker/broker.hpp"
#include "models/kafka/broker/controller.hpp"

namespace models::kafka {
namespace {

/// Before a request that failed is made again (ControllerChannelManager: RequestSendThread; ZooKeeperClient waits up to a
/// second).
constexpr sim::Duration kRetry = std::chrono::milliseconds{100};
constexpr sim::Duration kSessionRetry = std::chrono::seconds{1};
/// IsrChangeNotificationConfig: looks so often, waits until changes have stopped for so long, or for so long in all.
constexpr sim::Duration kPropagateEvery = std::chrono::milliseconds{2500};
constexpr sim::Duration kPropagateLinger = std::chrono::seconds{5};
constexpr sim::Duration kPropagateMost = std::chrono::seconds{60};

RpcOptions to_zookeeper(const BrokerConfig& config) {
  return {.request_timeout = config.zookeeper_session_timeout * 2 / 3};  // ClientCnxn.readTimeout
}

}  // namespace

ZooKeeperSession::ZooKeeperSession(Cluster& cluster, BrokerId broker, Node& node, Controller& controller,
                                   std::function<void(std::int64_t)> registered)
    : cluster_(cluster),
      broker_(broker),
      node_(node),
      controller_(controller),
      registered_(std::move(registered)),
      requests_(cluster, node, kController, to_zookeeper(cluster.options().config)),
      watches_(cluster, node, kController, to_zookeeper(cluster.options().config)),
      ping_timer_(cluster.context().simulation, node, [this] { ping(); }),
      retry_timer_(cluster.context().simulation, node,
                   [this] { session_ == kNoSession ? create() : watch(); }),
      load_timer_(cluster.context().simulation, node, [this] { claim(); }),
      push_timer_(cluster.context().simulation, node, [this] { push(); }),
      propagate_timer_(cluster.context().simulation, node, [this] { maybe_propagate(); }) {
  cluster.metadata_log().keep(*this);
  for (std::int32_t b = 0; b < cluster.broker_count(); ++b) {
    told_.emplace_back().channel = std::make_unique<RpcChannel>(
        cluster, node, BrokerId{b}, RpcOptions{.request_timeout = std::chrono::seconds{30}});
  }
}

// ---- the session --------------------------------------------------------------------------------------------------

void ZooKeeperSession::start() {
  session_ = broker_.value + 1;
  controller_epoch_ = 1;
  ping_timer_.arm_after(cluster_.options().config.zookeeper_session_timeout / 3);
  broker_.value == 0 ? claim() : watch();
}

void ZooKeeperSession::crashed() {
  for (auto* timer : {&ping_timer_, &retry_timer_, &load_timer_, &push_timer_, &propagate_timer_})
    timer->disarm();
  requests_.abandon();
  watches_.abandon();
  for (Told& told : told_) {
    told.channel->abandon();
    told.in_flight = false;
  }
  session_ = kNoSession;
  version_ = 0;
  electing_ = claimed_ = writing_ = unpropagated_ = false;
  unwritten_.clear();
  sets_.clear();
  closed_ = nullptr;
}

void ZooKeeperSession::restarted() {
  create();
}

Ref<ZooKeeperCall> ZooKeeperSession::ask(ZooKeeperOp op) {
  Ref<ZooKeeperCall> call = cluster_.take<ZooKeeperCall>();
  call->op = op;
  call->broker = broker_;
  call->session = session_;
  call->incarnation = node_.incarnation();
  return call;
}

void ZooKeeperSession::create() {
  requests_.call<&ZooKeeperSession::on_created>(*this, ask(ZooKeeperOp::create));
}

void ZooKeeperSession::on_created(BrokerId, Ref<ZooKeeperCall> call) {
  // The node of the process before is there still, or ZooKeeper is out of reach.
  if (call->error != ErrorCode::none) return retry_timer_.arm_after(kSessionRetry);
  session_ = call->session;
  version_ = 0;
  registered_(session_);
  ping_timer_.arm_after(cluster_.options().config.zookeeper_session_timeout / 3);
  watch();
  // What waited for a session.
  writing_ = false;
  flush();
}

void ZooKeeperSession::ping() {
  if (node_.heartbeats_lost())
    return ping_timer_.arm_after(cluster_.options().config.zookeeper_session_timeout / 3);
  requests_.call<&ZooKeeperSession::on_pinged>(*this, ask(ZooKeeperOp::ping));
}

void ZooKeeperSession::on_pinged(BrokerId, Ref<ZooKeeperCall> call) {
  if (call->session != session_) return;
  if (call->error == ErrorCode::session_expired) return expired();
  const bool lost = call->error != ErrorCode::none;
  ping_timer_.arm_after(lost ? kRetry : cluster_.options().config.zookeeper_session_timeout / 3);
}

/// KafkaController.processExpire, and KafkaServer: the session is gone, the process lives on and registers anew.
void ZooKeeperSession::expired() {
  session_ = kNoSession;
  ping_timer_.disarm();
  watches_.abandon();
  renounce();
  create();
}

void ZooKeeperSession::close(std::function<void()> closed) {
  closed_ = std::move(closed);
  requests_.call<&ZooKeeperSession::on_closed>(*this, ask(ZooKeeperOp::close));
}

void ZooKeeperSession::on_closed(BrokerId, Ref<ZooKeeperCall>) {
  const std::function<void()> closed = std::move(closed_);
  closed_ = nullptr;
  if (closed) closed();
}

// ---- who is there, who is the controller --------------------------------------------------------------------------

void ZooKeeperSession::watch() {
  Ref<ZooKeeperCall> call = ask(ZooKeeperOp::watch);
  call->version = version_;
  watches_.call<&ZooKeeperSession::on_watched>(*this, std::move(call), kForEver);
}

void ZooKeeperSession::on_watched(BrokerId, Ref<ZooKeeperCall> call) {
  if (call->session != session_) return;
  if (call->error == ErrorCode::session_expired) return expired();
  if (call->error != ErrorCode::none) return retry_timer_.arm_after(kRetry);
  version_ = call->version;
  watch();
  if (call->controller == kNoBroker) {
    renounce();
    return elect();
  }
  const bool mine = call->controller == broker_ && call->controller_epoch == controller_epoch_;
  if (!mine) renounce();
  if (mine && claimed_) note_alive(*call);
}

void ZooKeeperSession::elect() {
  if (electing_) return;
  electing_ = true;
  requests_.call<&ZooKeeperSession::on_elected>(*this, ask(ZooKeeperOp::elect));
}

void ZooKeeperSession::on_elected(BrokerId, Ref<ZooKeeperCall> call) {
  electing_ = false;
  if (call->error == ErrorCode::session_expired && call->session == session_) return expired();
  if (call->error == ErrorCode::disconnected) return elect();
  if (call->error != ErrorCode::none) return;  // the session has ended
  if (call->controller != broker_ || claimed_) return;
  controller_epoch_ = call->controller_epoch;
  load_timer_.arm_after(cluster_.options().zookeeper_load_per_partition *
                        static_cast<std::int64_t>(cluster_.partitions().size()));
}

/// KafkaController.onControllerFailover
void ZooKeeperSession::claim() {
  claimed_ = true;
  written_ = done_ = 0;
  unwritten_.clear();
  for (Told& told : told_) told.session = kNoSession;
  controller_.claimed();
  // Every broker is told of the new controller; who is alive is read anew.
  version_ = 0;
  watches_.abandon();
  watch();
}

/// KafkaController.onControllerResignation
void ZooKeeperSession::renounce() {
  load_timer_.disarm();
  push_timer_.disarm();
  if (!claimed_) return;
  claimed_ = false;
  unwritten_.clear();
  for (Told& told : told_) {
    told.channel->abandon();
    told.in_flight = false;
  }
  controller_.renounced();
}

void ZooKeeperSession::note_alive(const ZooKeeperCall& call) {
  for (Told& told : told_) {
    const auto b = static_cast<std::int32_t>(&told - told_.data());
    const auto at = std::find_if(call.alive.begin(), call.alive.end(),
                                 [b](const ZooKeeperCall::Alive& one) { return one.broker.value == b; });
    const std::int64_t session = at == call.alive.end() ? kNoSession : at->session;
    if (session == told.session) continue;
    told.session = session;
    told.to = 0;  // tell it who is the controller, whatever it knows
    told.channel->abandon();
    told.in_flight = false;
  }
  controller_.note_alive(call.alive);
  push();
}

// ---- what is written ----------------------------------------------------------------------------------------------

void ZooKeeperSession::append(const MetadataChange& change) {
  ++written_;
  unwritten_.push_back(&change);
  cluster_.context().simulation.post([this, life = node_.incarnation()] {
    if (life == node_.incarnation()) flush();
  });
}

/// Requests are pipelined since 1.1 (KAFKA-5642): one write a moment, of all that there is.
void ZooKeeperSession::flush() {
  if (!writing_ && !sets_.empty() && session_ != kNoSession) {
    Ref<ZooKeeperCall> call = ask(ZooKeeperOp::set_in_sync);
    call->changes.push_back(sets_.front().change);
    writing_ = true;
    return requests_.call<&ZooKeeperSession::on_set>(*this, std::move(call));
  }
  if (writing_ || unwritten_.empty() || session_ == kNoSession) return;
  Ref<ZooKeeperCall> call = ask(ZooKeeperOp::write);
  call->controller_epoch = controller_epoch_;
  call->first = done_;
  call->changes = unwritten_;
  writing_ = true;
  requests_.call<&ZooKeeperSession::on_written>(*this, std::move(call));
}

void ZooKeeperSession::on_written(BrokerId, Ref<ZooKeeperCall> call) {
  writing_ = false;
  if (!claimed_ || call->controller_epoch != controller_epoch_) return flush();
  if (call->error == ErrorCode::stale_controller_epoch) return renounce();  // ControllerMovedException
  if (call->error == ErrorCode::session_expired) return;                    // as the watch and the ping say
  if (call->error != ErrorCode::none) return flush();
  done_ += call->changes.size();
  unwritten_.erase(unwritten_.begin(),
                   unwritten_.begin() + static_cast<std::ptrdiff_t>(call->changes.size()));
  controller_.committed(done_);
  if (call->conflict) controller_.read_again();
  push();
  flush();
}

void ZooKeeperSession::set_in_sync(PartitionIndex p, const std::vector<BrokerId>& isr,
                                   std::function<void(ErrorCode)> done) {
  PartitionState next = cluster_.broker(broker_).image(p);
  const Replica& replica = *cluster_.broker(broker_).replica(p);
  next.leader_epoch = replica.leader_epoch;
  next.partition_epoch = replica.partition_epoch + 1;
  next.isr = isr;
  sets_.push_back(
      {&cluster_.metadata_log().store({.partition = p, .state = std::move(next)}), std::move(done)});
  flush();
}

void ZooKeeperSession::on_set(BrokerId, Ref<ZooKeeperCall> call) {
  writing_ = false;
  const bool answered = call->error == ErrorCode::none || call->error == ErrorCode::invalid_update_version;
  if (answered) {
    const InSync set = std::move(sets_.front());
    sets_.erase(sets_.begin());
    if (call->error == ErrorCode::none) {
      last_set_ = cluster_.context().now();
      unpropagated_ = true;
      if (!propagate_timer_.armed()) propagate_timer_.arm_after(kPropagateEvery);
    }
    set.done(call->error);
  }
  if (call->error != ErrorCode::session_expired) flush();
}

/// ReplicaManager.maybePropagateIsrChanges
void ZooKeeperSession::maybe_propagate() {
  if (!unpropagated_) return;
  const sim::Time now = cluster_.context().now();
  const bool due = last_set_ + kPropagateLinger < now || last_propagation_ + kPropagateMost < now;
  if (!due || session_ == kNoSession) return propagate_timer_.arm_after(kPropagateEvery);
  unpropagated_ = false;
  last_propagation_ = now;
  requests_.call<&ZooKeeperSession::on_propagated>(*this, ask(ZooKeeperOp::propagate));
}

bool ZooKeeperSession::uses(const MetadataChange& change) const {
  return controller_.uses(change) ||
         std::find(unwritten_.begin(), unwritten_.end(), &change) != unwritten_.end() ||
         std::any_of(sets_.begin(), sets_.end(),
                     [&change](const InSync& set) { return set.change == &change; });
}

// ---- what brokers are told ----------------------------------------------------------------------------------------

void ZooKeeperSession::push() {
  if (!claimed_) return;
  for (std::size_t b = 0; b < told_.size(); ++b) send(b);
}

void ZooKeeperSession::send(std::size_t b) {
  Told& told = told_[b];
  const std::size_t end = cluster_.metadata_log().committed();
  if (told.session == kNoSession || told.in_flight || told.to == end + 1) return;
  Ref<UpdateMetadataCall> call = cluster_.take<UpdateMetadataCall>();
  call->controller = broker_;
  call->controller_epoch = controller_epoch_;
  call->to = end;
  told.in_flight = true;
  told.channel->call<&ZooKeeperSession::on_told>(*this, std::move(call));
}

void ZooKeeperSession::on_told(BrokerId to, Ref<UpdateMetadataCall> call) {
  Told& told = told_[static_cast<std::size_t>(to.value)];
  told.in_flight = false;
  if (!claimed_) return;
  if (call->error == ErrorCode::stale_controller_epoch) return renounce();
  if (call->error != ErrorCode::none) {
    if (!push_timer_.armed()) push_timer_.arm_after(kRetry);
    return;
  }
  told.to = call->to + 1;  // 0: not even the epoch
  send(static_cast<std::size_t>(to.value));
}

}  // namespace models::kafka
