#include "models/kafka/broker/controller.hpp"

#include <algorithm>

#include "models/kafka/broker/broker.hpp"
#include "models/kafka/broker/replica.hpp"
#include "sim/assert.hpp"

namespace models::kafka {
namespace {

/// Elections of preferred leaders in one round at most (ReplicationControlManager.MAX_ELECTIONS_PER_IMBALANCE).
constexpr int kMostElectionsPerImbalance = 1000;
constexpr sim::Duration kFirstRebalance = std::chrono::seconds{5};

bool contains(const std::vector<BrokerId>& set, BrokerId b) {
  return std::find(set.begin(), set.end(), b) != set.end();
}

bool shrinks(const std::vector<BrokerId>& before, const std::vector<BrokerId>& after) {
  return std::any_of(before.begin(), before.end(), [&after](BrokerId b) { return !contains(after, b); });
}

std::vector<BrokerId> without(std::vector<BrokerId> set, BrokerId b) {
  std::erase(set, b);
  return set;
}

}  // namespace

Controller::Controller(Cluster& cluster, Node& node, MetadataLog& log, std::int32_t number)
    : cluster_(cluster),
      node_(node),
      log_(log),
      brokers_(static_cast<std::size_t>(cluster.broker_count())),
      mutations_(cluster.options()),
      number_(number),
      rebalance_timer_(cluster.context().simulation, node, [this] { rebalance_preferred_leaders(); }),
      unclean_timer_(cluster.context().simulation, node, [this] { elect_leaderless(); }) {
  if (!cluster.options().zookeeper) node.set_program(*this);
  for (std::int32_t b = 0; b < cluster.broker_count(); ++b) {
    brokers_[index(BrokerId{b})].session = std::make_unique<NodeTimer<std::function<void()>>>(
        cluster.context().simulation, node, [this, b] { fence(BrokerId{b}); });
  }
  if (cluster.options().controllers > 1)
    raft_ = std::make_unique<RaftVoter>(cluster, node, number, log, *this);
  writer_ = raft_.get();
}

void Controller::start() {
  partitions_ = log_.states();
  if (raft_) raft_->start();
  if (!cluster_.options().zookeeper && active()) claimed();
}

void Controller::watch_brokers() {
  const BrokerConfig& config = cluster_.options().config;
  for (BrokerRegistration& broker : brokers_) {
    if (!broker.fenced && !cluster_.options().zookeeper)
      broker.session->arm_after(config.broker_session_timeout);
  }
  if (!config.auto_leader_rebalance_enable) return;
  // KafkaController.onControllerFailover: five seconds after it has taken office.
  rebalance_timer_.arm_after(cluster_.options().zookeeper ? kFirstRebalance
                                                          : config.leader_imbalance_check_interval);
}

void Controller::receive(AnyCall call) {
  if (admit(call)) dispatch(std::move(call));
}

void Controller::dispatch(AnyCall call) {
  switch (call->api) {
    case Api::vote:
      return raft_->handle(std::move(call).take<VoteCall>());
    case Api::begin_quorum_epoch:
      return raft_->handle(std::move(call).take<BeginQuorumEpochCall>());
    case Api::end_quorum_epoch:
      return raft_->handle(std::move(call).take<EndQuorumEpochCall>());
    case Api::metadata_log: {
      Ref<MetadataLogCall> read = std::move(call).take<MetadataLogCall>();
      return raft_ ? raft_->handle(std::move(read)) : handle(std::move(read));
    }
    case Api::broker_heartbeat:
      return handle(std::move(call).take<BrokerHeartbeatCall>());
    case Api::alter_partition:
      return handle(std::move(call).take<AlterPartitionCall>());
    default:
      MQLAB_ASSERT(false, "a call that is not for the controller");
  }
}

void Controller::answer(AnyCall call) {
  if (cluster_.options().zookeeper) return cluster_.broker(BrokerId{number_}).answer(std::move(call));
  std::optional<AnyCall> next = next_after(*call);
  respond(cluster_.context().network, std::move(call));
  if (next) dispatch(std::move(*next));
}

/// What was decided on uncommitted grounds is told when they are committed (QuorumController: DeferredEventQueue).
void Controller::answer_when_committed(AnyCall call) {
  if (end() == done()) return answer(std::move(call));
  deferred_.push_back({end(), std::move(call)});
}

// ---- brokers ------------------------------------------------------------------------------------------------------

void Controller::handle(Ref<BrokerHeartbeatCall> call) {
  if (!active()) {
    call->error = ErrorCode::not_controller;
    return answer(std::move(call));
  }
  BrokerRegistration& broker = brokers_[index(call->broker)];
  if (call->broker_epoch == -1) {
    if (broker.session->armed() && call->incarnation != broker.incarnation) {
      // "Another broker is registered with that broker id": its predecessor's session lasts still.
      call->error = ErrorCode::duplicate_broker_registration;
      return answer_when_committed(std::move(call));
    }
    if (!broker.fenced) fence(call->broker);  // the controller was away when its session ended
    // ClusterControlManager.registerBroker
    if (has_elr() && call->previous_broker_epoch != broker.epoch) shut_down_uncleanly(call->broker);
    broker.epoch = next_broker_epoch_++;
    broker.incarnation = call->incarnation;
    call->broker_epoch = broker.epoch;
    registered(call->broker);
  } else if (call->broker_epoch != broker.epoch) {
    call->error = ErrorCode::stale_broker_epoch;
    return answer_when_committed(std::move(call));
  } else if (call->want_shut_down) {
    broker.metadata_offset = call->metadata_offset;
    call->should_shut_down = may_shut_down(call->broker);
    if (call->should_shut_down) return answer_when_committed(std::move(call));
  } else if (broker.fenced) {
    unfence(call->broker);
  }
  broker.metadata_offset = call->metadata_offset;
  if (!cluster_.options().zookeeper)
    broker.session->arm_after(cluster_.options().config.broker_session_timeout);
  answer_when_committed(std::move(call));
}

/// Model: one controller alone keeps registrations beside its log, where brokers do not read of them.
void Controller::registered(BrokerId b) {
  if (raft_) return write(b, BrokerCode::registered);
  cluster_.context().emit(Kind::broker_state, {.code = static_cast<std::uint16_t>(BrokerCode::registered),
                                               .actor = cluster_.node(b).entity().value});
}

/// Moves a controlled shutdown on; true when the broker may end now (BrokerHeartbeatManager.calculateNextBrokerState).
bool Controller::may_shut_down(BrokerId b) {
  BrokerRegistration& broker = brokers_[index(b)];
  if (broker.fenced) return true;
  if (!broker.shutdown_at && leads_any(b)) {
    begin_shutdown(b);
    return false;
  }
  if (broker.shutdown_at) {
    const bool all_know =
        cluster_.options().zookeeper ||
        std::all_of(brokers_.begin(), brokers_.end(), [&](const BrokerRegistration& other) {
          return other.fenced || other.shutdown_at || other.metadata_offset >= *broker.shutdown_at;
        });
    if (leads_any(b) || !all_know) return false;
  }
  if (cluster_.options().zookeeper) return true;  // its session ends, of which the controller hears
  fence(b);
  return true;
}

/// ReplicationControlManager.handleBrokerInControlledShutdown
void Controller::begin_shutdown(BrokerId b) {
  brokers_[index(b)].shutdown_at = 0;  // from now on it is no candidate
  write(b, BrokerCode::shutting_down);
  leave_in_sync_sets(b);
  brokers_[index(b)].shutdown_at = end();
}

bool Controller::leads_any(BrokerId b) const {
  return std::any_of(partitions_.begin(), partitions_.end(),
                     [b](const PartitionState* state) { return state->leader == b; });
}

void Controller::fence(BrokerId b) {
  BrokerRegistration& broker = brokers_[index(b)];
  if (broker.fenced) return;
  broker.fenced = true;
  broker.shutdown_at.reset();
  broker.session->disarm();
  write(b, BrokerCode::fenced);
  leave_in_sync_sets(b);
}

void Controller::leave_in_sync_sets(BrokerId b) {
  for (std::uint32_t p = 0; p < partitions_.size(); ++p) {
    const PartitionState& state = *partitions_[p];
    if (state.leader == b || contains(state.isr, b)) change(PartitionIndex{p}, without(state.isr, b));
  }
}

void Controller::unfence(BrokerId b) {
  brokers_[index(b)].fenced = false;
  write(b, BrokerCode::unfenced);
  for (std::uint32_t p = 0; p < partitions_.size(); ++p) {
    const PartitionState& state = *partitions_[p];
    if (state.exists() && state.leader == kNoBroker) change(PartitionIndex{p}, state.isr);
  }
}

/// ReplicationControlManager.handleBrokerUncleanShutdown
void Controller::shut_down_uncleanly(BrokerId b) {
  for (std::uint32_t p = 0; p < partitions_.size(); ++p) {
    const PartitionState& state = *partitions_[p];
    if (contains(state.isr, b) || contains(state.elr, b)) change(PartitionIndex{p}, without(state.isr, b), b);
  }
}

// ---- partitions ---------------------------------------------------------------------------------------------------

bool Controller::unclean_allowed(PartitionIndex p) const {
  return config_of(p).unclean_leader_election_enable.value_or(
      cluster_.options().config.unclean_leader_election_enable);
}

void Controller::change(PartitionIndex p, std::vector<BrokerId> isr, BrokerId unclean, By by) {
  const PartitionState& now = this->now(p);
  PartitionState next = now;
  next.isr = std::move(isr);
  if (has_elr()) retain_eligible(p, next, unclean);
  const Election election = elect(p, next);
  // Without eligible leader replicas the last member stays in the in-sync set: it alone may come back as a clean leader.
  if (next.isr.empty() && !has_elr()) next.isr = now.isr;
  if (next.leader != kNoBroker)
    next.last_known_leader = kNoBroker;
  else if (has_elr() && next.isr.empty() && !now.isr.empty())
    next.last_known_leader = now.leader;
  const bool same = next.leader == now.leader && next.isr == now.isr && next.elr == now.elr;
  if (same) return;
  // A change of leader raises the epoch; with KRaft before 3.6 a mere shrink does, too
  // (PartitionChangeBuilder.java: triggerLeaderEpochBumpIfNeeded), and with ZooKeeper one that no leader has asked for
  // (ReplicaStateMachine.doRemoveReplicasFromIsr: LeaderAndIsr.newLeaderAndIsr): by that the leader begins anew with its
  // followers, and its high watermark waits no longer for who was caught up a moment ago.
  const bool changes = next.leader != now.leader;
  if (changes || (bumps_on_shrink(by) && shrinks(now.isr, next.isr)))
    next.leader_epoch = now.leader_epoch + 1;
  write(p, std::move(next), changes ? election : Election::kept);
}

/// PartitionChangeBuilder.maybePopulateTargetElr
void Controller::retain_eligible(PartitionIndex p, PartitionState& next, BrokerId unclean) const {
  const PartitionState& now = this->now(p);
  if (static_cast<std::int32_t>(next.isr.size()) >= min_insync(p)) return next.elr.clear();
  for (const BrokerId b : now.isr) {
    if (!contains(next.elr, b)) next.elr.push_back(b);
  }
  std::erase_if(next.elr, [&](BrokerId b) { return b == unclean || contains(next.isr, b); });
}

/// PartitionChangeBuilder.electAnyLeader
Election Controller::elect(PartitionIndex p, PartitionState& next, bool unclean_asked) const {
  const auto valid = [&](BrokerId b) {
    return active(b) && (contains(next.isr, b) || (next.isr.empty() && contains(next.elr, b)));
  };
  if (valid(next.leader)) return Election::kept;
  const std::vector<BrokerId>& replicas = cluster_.replicas(p, next);
  const auto clean = std::find_if(replicas.begin(), replicas.end(), valid);
  if (clean != replicas.end()) {
    next.leader = *clean;
    if (next.isr.empty()) next.isr = {*clean};
    std::erase(next.elr, *clean);
    return Election::clean;
  }
  next.leader = kNoBroker;
  if (next.isr.empty() && next.elr.empty() && active(next.last_known_leader)) {
    next.leader = next.last_known_leader;
  } else if (unclean_asked || unclean_allowed(p)) {
    const auto any = std::find_if(replicas.begin(), replicas.end(), [&](BrokerId b) { return active(b); });
    if (any != replicas.end()) next.leader = *any;
  }
  if (next.leader == kNoBroker) return Election::none;
  next.isr = {next.leader};
  next.elr.clear();
  return Election::unclean;
}

void Controller::write(PartitionIndex p, PartitionState next, Election election) {
  next.partition_epoch = now(p).partition_epoch + 1;
  write({.partition = p, .state = std::move(next), .election = election});
}

void Controller::write(BrokerId b, BrokerCode code) {
  write({.broker = b,
         .code = code,
         .fenced = code == BrokerCode::fenced || code == BrokerCode::registered,
         .shutting_down = code == BrokerCode::shutting_down,
         .broker_epoch = brokers_[index(b)].epoch,
         .incarnation = brokers_[index(b)].incarnation});
}

void Controller::write(MetadataChange change) {
  const MetadataChange& written = log_.store(std::move(change));
  if (written.config) {
    alter(altered_, written.topic, written.config);
  } else if (written.broker == kNoBroker) {
    const auto leaderless = [](const PartitionState& state) {
      return state.exists() && state.leader == kNoBroker;
    };
    const std::int32_t before = leaderless_;
    leaderless_ -= leaderless(now(written.partition)) ? 1 : 0;
    leaderless_ += leaderless(written.state) ? 1 : 0;
    if (before == 0 && leaderless_ > 0) leaderless_since_ = cluster_.context().now();
    partitions_[written.partition.value] = &written.state;
  }
  if (writer_ != nullptr) return writer_->append(written);
  log_.commit(written);
  wake_followers();
}

void Controller::handle(Ref<AlterPartitionCall> call) {
  if (!active()) {
    call->error = ErrorCode::not_controller;
    return answer(std::move(call));
  }
  for (AlterPartitionCall::Item& item : call->items) alter_partition(*call, item);
  call->response_bytes = 60 + 40 * static_cast<std::uint32_t>(call->items.size());
  answer_when_committed(std::move(call));
}

void Controller::alter_partition(const AlterPartitionCall& call, AlterPartitionCall::Item& item) {
  const PartitionState& now = this->now(item.partition);
  if (call.leader != now.leader || item.leader_epoch != now.leader_epoch) {
    item.error = ErrorCode::fenced_leader_epoch;
    return;
  }
  if (item.partition_epoch != now.partition_epoch) {
    item.error = ErrorCode::invalid_update_version;
    return;
  }
  if (!eligible(call, item)) {
    item.error = ErrorCode::ineligible_replica;
    return;
  }
  const std::span<const BrokerId> asked = call.isr(item);
  PartitionState next = now;
  next.isr.assign(asked.begin(), asked.end());
  // What the leader asked for has been overtaken where that completes a reassignment: it reads the metadata.
  if (complete_reassignment(item.partition, next)) item.error = ErrorCode::fenced_leader_epoch;
  if (next.moved != now.moved)
    write(item.partition, std::move(next));
  else
    change(item.partition, {asked.begin(), asked.end()}, kNoBroker, By::leader);
  item.partition_epoch = this->now(item.partition).partition_epoch;
  // Partition.handleAlterPartitionUpdate: an answer of another epoch is none; the leader reads the metadata.
  if (this->now(item.partition).leader_epoch != item.leader_epoch)
    item.error = ErrorCode::fenced_leader_epoch;
}

/// ReplicationControlManager.ineligibleReplicasForIsr
bool Controller::eligible(const AlterPartitionCall& call, const AlterPartitionCall::Item& item) const {
  const ProtocolRules& rules = cluster_.options().rules;
  for (std::size_t i = item.first; i < item.first + item.count; ++i) {
    const BrokerId b = call.brokers[i];
    if (rules.has(Rule::fenced_stay_out_of_sync) && !active(b)) return false;
    const std::int64_t epoch = i < call.epochs.size() ? call.epochs[i] : -1;
    const bool of_another = epoch != -1 && epoch != brokers_[index(b)].epoch;
    if (of_another && rules.has(Rule::broker_epochs_in_sync)) return false;
  }
  return true;
}

void Controller::rebalance_preferred_leaders() {
  rebalance_timer_.arm_after(cluster_.options().config.leader_imbalance_check_interval);
  if (cluster_.options().zookeeper) return rebalance_imbalanced();
  // Every partition whose preferred leader is alive and in sync goes back to it, whatever the share of such partitions
  // (ReplicationControlManager.maybeBalancePartitionLeaders; leader.imbalance.per.broker.percentage was ZooKeeper's).
  int left = kMostElectionsPerImbalance;
  for (std::uint32_t p = 0; p < partitions_.size() && left > 0; ++p) {
    if (elect_preferred(PartitionIndex{p})) --left;
  }
}

/// KafkaController.checkAndTriggerAutoLeaderRebalance: a broker gets its partitions back when it lacks more than that share of
/// those of which it is the preferred leader.
void Controller::rebalance_imbalanced() {
  struct Share {
    std::int64_t preferred = 0;
    std::int64_t elsewhere = 0;
  };
  std::vector<Share> shares(brokers_.size());
  const auto share_of = [&](PartitionIndex p) -> Share& {
    return shares[index(cluster_.replicas(p, now(p)).front())];
  };
  for (std::uint32_t p = 0; p < partitions_.size(); ++p) {
    if (!exists(PartitionIndex{p})) continue;
    Share& share = share_of(PartitionIndex{p});
    ++share.preferred;
    if (now(PartitionIndex{p}).leader != cluster_.replicas(PartitionIndex{p}, now(PartitionIndex{p})).front())
      ++share.elsewhere;
  }
  const std::int64_t most = cluster_.options().config.leader_imbalance_per_broker_percentage;
  for (std::uint32_t p = 0; p < partitions_.size(); ++p) {
    if (!exists(PartitionIndex{p})) continue;
    const Share& share = share_of(PartitionIndex{p});
    if (share.elsewhere * 100 > most * share.preferred) elect_preferred(PartitionIndex{p});
  }
}

bool Controller::elect_preferred(PartitionIndex p) {
  const PartitionState& now = this->now(p);
  const BrokerId preferred = cluster_.replicas(p, now).front();
  if (now.leader == preferred || !active(preferred) || !contains(now.isr, preferred)) return false;
  PartitionState next = now;
  next.leader = preferred;
  next.leader_epoch = now.leader_epoch + 1;
  write(p, std::move(next));
  return true;
}

bool Controller::elect_preferred(TopicIndex topic) {
  const TopicInfo& info = cluster_.topic(topic);
  bool changed = false;
  for (std::uint32_t n = 0; n < static_cast<std::uint32_t>(info.partitions_most); ++n)
    changed |= elect_preferred(PartitionIndex{info.first.value + n});
  return changed;
}

// ---- the metadata log ---------------------------------------------------------------------------------------------

void Controller::handle(Ref<MetadataLogCall> call) {
  if (call->from == log_.committed()) {
    parked_.push_back(std::move(call));
    return;
  }
  call->to = log_.committed();
  answer(std::move(call));
}

void Controller::wake_followers() {
  // One election changes many partitions: answer once, after all of them.
  if (waking_ || parked_.empty()) return;
  waking_ = true;
  cluster_.context().simulation.post([this] {
    waking_ = false;
    std::vector<Ref<MetadataLogCall>> waiting;
    waiting.swap(parked_);
    for (Ref<MetadataLogCall>& call : waiting) {
      call->to = log_.committed();
      answer(std::move(call));
    }
  });
}

}  // namespace models::kafka
