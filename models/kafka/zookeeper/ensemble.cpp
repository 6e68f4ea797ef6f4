#include "models/kafka/zookeeper/ensemble.hpp"

#include <algorithm>

#include "sim/assert.hpp"

namespace models::kafka {

ZooKeeper::ZooKeeper(Cluster& cluster, Node& node, MetadataLog& log)
    : cluster_(cluster), node_(node), log_(log), sessions_(static_cast<std::size_t>(cluster.broker_count())) {
  node.set_program(*this);
  for (std::int32_t b = 0; b < cluster.broker_count(); ++b) {
    session(BrokerId{b}).expiry = std::make_unique<NodeTimer<std::function<void()>>>(
        cluster.context().simulation, node, [this, b] { end_session(BrokerId{b}); });
  }
}

void ZooKeeper::start() {
  for (Session& session : sessions_) session.id = next_session_++;
  controller_ = BrokerId{0};
  controller_epoch_ = 1;
  restarted();
}

void ZooKeeper::crashed() {
  for (Session& session : sessions_) session.expiry->disarm();
  watches_.clear();
  waking_ = false;
}

void ZooKeeper::restarted() {
  for (Session& session : sessions_) {
    if (session.id != kNoSession)
      session.expiry->arm_after(cluster_.options().config.zookeeper_session_timeout);
  }
}

void ZooKeeper::receive(AnyCall call) {
  if (admit(call)) dispatch(std::move(call));
}

void ZooKeeper::dispatch(AnyCall any) {
  MQLAB_ASSERT(any.is<ZooKeeperCall>(), "a call that is not for ZooKeeper");
  Ref<ZooKeeperCall> call = std::move(any).take<ZooKeeperCall>();
  Session& from = session(call->broker);
  if (call->op != ZooKeeperOp::create && (call->session == kNoSession || call->session != from.id)) {
    call->error = ErrorCode::session_expired;
    return answer(std::move(call));
  }
  switch (call->op) {
    case ZooKeeperOp::create:
      create(*call);
      break;
    case ZooKeeperOp::ping:
      break;
    case ZooKeeperOp::elect:
      elect(*call);
      break;
    case ZooKeeperOp::write:
      write(*call);
      break;
    case ZooKeeperOp::set_in_sync:
      set_in_sync(*call);
      break;
    case ZooKeeperOp::propagate:
      changed();
      break;
    case ZooKeeperOp::watch:
      if (call->version == version_) return watches_.push_back(std::move(call));
      break;
    case ZooKeeperOp::close:
      end_session(call->broker);
      break;
  }
  if (from.id != kNoSession && from.id == call->session)
    from.expiry->arm_after(cluster_.options().config.zookeeper_session_timeout);
  tell(*call);
  answer(std::move(call));
}

void ZooKeeper::answer(Ref<ZooKeeperCall> call) {
  std::optional<AnyCall> next = next_after(*call);
  respond(cluster_.context().network, std::move(call));
  if (next) dispatch(std::move(*next));
}

/// The node of a process that died is there until its session has ended (KafkaZkClient.CheckedEphemeral).
void ZooKeeper::create(ZooKeeperCall& call) {
  Session& of = session(call.broker);
  if (of.id != kNoSession) {
    call.error = ErrorCode::duplicate_broker_registration;
    return;
  }
  of.id = next_session_++;
  of.incarnation = call.incarnation;
  call.session = of.id;
  cluster_.context().emit(Kind::broker_state, {.code = static_cast<std::uint16_t>(BrokerCode::registered),
                                               .actor = cluster_.node(call.broker).entity().value});
  changed();
}

/// KafkaZkClient.registerControllerAndIncrementControllerEpoch
void ZooKeeper::elect(ZooKeeperCall& call) {
  if (controller_ != kNoBroker) return;
  controller_ = call.broker;
  ++controller_epoch_;
  applied_ = 0;
  changed();
}

void ZooKeeper::write(ZooKeeperCall& call) {
  if (call.controller_epoch != controller_epoch_) {
    call.error = ErrorCode::stale_controller_epoch;
    return;
  }
  for (std::size_t n = call.first; n < call.first + call.changes.size(); ++n) {
    if (n < applied_) continue;  // the answer was lost
    applied_ = n + 1;
    const MetadataChange& change = *call.changes[n - call.first];
    const bool of_partition = change.broker == kNoBroker && !change.config;
    if (!of_partition || change.state.partition_epoch == log_.state(change.partition).partition_epoch + 1)
      log_.commit(change);
    else
      call.conflict = true;  // BADVERSION: the leader has written since
  }
}

/// A leader's own write of its in-sync set, before AlterPartition (ReplicationUtils.updateLeaderAndIsr).
void ZooKeeper::set_in_sync(ZooKeeperCall& call) {
  const MetadataChange& change = *call.changes.front();
  const PartitionState& now = log_.state(change.partition);
  if (&now == &change.state) return;
  if (change.state.partition_epoch == now.partition_epoch + 1 &&
      change.state.leader_epoch == now.leader_epoch)
    log_.commit(change);
  else
    call.error = ErrorCode::invalid_update_version;
}

void ZooKeeper::tell(ZooKeeperCall& call) const {
  if (call.op != ZooKeeperOp::watch && call.op != ZooKeeperOp::elect) return;
  call.version = version_;
  call.controller = controller_;
  call.controller_epoch = controller_epoch_;
  call.alive.clear();
  for (std::size_t b = 0; b < sessions_.size(); ++b) {
    if (sessions_[b].id != kNoSession)
      call.alive.push_back(
          {BrokerId{static_cast<std::int32_t>(b)}, sessions_[b].id, sessions_[b].incarnation});
  }
}

void ZooKeeper::end_session(BrokerId b) {
  session(b).id = kNoSession;
  session(b).expiry->disarm();
  if (controller_ == b) controller_ = kNoBroker;
  changed();
}

/// Answers the watches, once what happens now has happened.
void ZooKeeper::changed() {
  ++version_;
  if (waking_) return;
  waking_ = true;
  cluster_.context().simulation.post([this, life = node_.incarnation()] {
    if (life != node_.incarnation()) return;
    waking_ = false;
    std::vector<Ref<ZooKeeperCall>> waiting;
    waiting.swap(watches_);
    for (Ref<ZooKeeperCall>& call : waiting) {
      if (call->session != session(call->broker).id) call->error = ErrorCode::session_expired;
      tell(*call);
      answer(std::move(call));
    }
  });
}

}  // namespace models::kafka
