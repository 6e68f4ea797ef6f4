// How a broker follows the metadata log, changes roles and keeps in-sync sets (ReplicaManager.applyDelta, Partition.makeLeader
// and makeFollower, Partition.maybeShrinkIsr and maybeExpandIsr).
#include <algorithm>
#include <span>
#include <utility>

#include "models/kafka/backoff.hpp"
#include "models/kafka/broker/broker.hpp"
#include "models/kafka/broker/replica_fetcher.hpp"
#include "models/kafka/group/group_coordinator.hpp"
#include "models/kafka/share/share_coordinator.hpp"
#include "models/kafka/share/share_partition_manager.hpp"
#include "models/kafka/transaction/transaction_coordinator.hpp"

namespace models::kafka {
namespace {

/// Until a broker that found no active controller looks again (NodeToControllerRequestThread.doWork).
constexpr sim::Duration kControllerRetry = std::chrono::milliseconds{100};

}  // namespace

void Broker::start() {
  broker_epoch_ = id_.value + 1;  // as Controller::start() gave it
  for (std::size_t b = 0; b < epochs_.size(); ++b) epochs_[b] = static_cast<std::int64_t>(b) + 1;
  image_.reserve(replicas_.size());
  for (std::uint32_t p = 0; p < replicas_.size(); ++p)
    image_.push_back(&cluster_.metadata_log().first(PartitionIndex{p}));
  for (const auto& replica : owned_) {
    const PartitionState& state = image(replica->partition);
    if (state.leader == id_) become_leader(*replica, state);
  }
  for (const auto& replica : owned_) {
    const PartitionState& state = image(replica->partition);
    if (state.leader != id_ && keeps_replica(state, replica->partition)) become_follower(*replica, state);
  }
  has_roles_ = true;
  if (zookeeper_) {
    logs_.start();
    isr_timer_.arm_after(config().replica_lag_time_max / 2);
    return zookeeper_->start();
  }
  follow_metadata();
  // Brokers were not started at the same instant: at time zero each is anywhere between two heartbeats.
  logs_.start();
  heartbeat_timer_.arm_after(sim::Duration{static_cast<std::int64_t>(
      lifecycle_stream_.uniform() * static_cast<double>(config().broker_heartbeat_interval.count()))});
  isr_timer_.arm_after(config().replica_lag_time_max / 2);
  producer_timer_.arm_after(config().producer_id_expiration_check_interval);
}

// ---- the metadata log ---------------------------------------------------------------------------------------------

void Broker::follow_metadata() {
  Ref<MetadataLogCall> call = cluster_.take<MetadataLogCall>();
  call->from = metadata_position_;
  controllers_.introduce(*call);
  // One controller answers when there is something; a dead connection is noticed by the heartbeats' own. A quorum's leader
  // answers within half a second, or is not there any more.
  const sim::Duration patience = controllers_.learns() ? sim::Duration{} : kForEver;
  controllers_.metadata().call<&Broker::on_metadata>(*this, std::move(call), patience);
}

void Broker::on_metadata(BrokerId, Ref<MetadataLogCall> call) {
  controllers_.heard(*call);
  if (call->error != ErrorCode::none) {
    // Model: a broker that lost the only controller asks again every 100 ms, about as often as KRaft's observers do.
    return metadata_timer_.arm_after(controllers_.learns() ? config().controller_quorum_retry_backoff
                                                           : kControllerRetry);
  }
  read_metadata(call->to);
  follow_metadata();
}

/// What a controller that ZooKeeper has made one tells; one of an older epoch is refused (KafkaApis.handleLeaderAndIsrRequest).
void Broker::handle_update(Ref<UpdateMetadataCall> call) {
  if (call->controller_epoch < controller_epoch_) {
    call->error = ErrorCode::stale_controller_epoch;
  } else {
    controller_epoch_ = call->controller_epoch;
    controllers_.learn(call->controller);
    read_metadata(call->to);
  }
  answer(std::move(call));
}

/// One answer is one delta (MetadataDelta): of a partition only the last of several states is taken up, so that a broker that
/// catches up never acts in a role it has already lost.
void Broker::read_metadata(std::size_t to) {
  touched_.clear();
  bool unfenced = false;
  for (; metadata_position_ < to; ++metadata_position_) {
    const MetadataChange& change = cluster_.metadata_log().change(metadata_position_);
    note(change);
    unfenced = unfenced || (change.broker != kNoBroker && !change.fenced && !change.shutting_down);
  }
  cluster_.metadata_log().read(id_, metadata_position_);
  if (!has_roles_) {
    if (!knows_its_registration()) return;
    has_roles_ = true;
    touched_.clear();
    for (const auto& replica : owned_) touched_.push_back(replica.get());
  }
  for (Replica* replica : touched_) take_up_role(*replica);
  if (unfenced) readmit_followers();
}

/// Of this process: what it reads before that does not say what it has lost. A controller alone answers nothing before.
bool Broker::knows_its_registration() const {
  return !controllers_.learns() ||
         (broker_epoch_ != -1 && epochs_[static_cast<std::size_t>(id_.value)] == broker_epoch_);
}

/// A follower that was fenced goes on fetching, and joins the in-sync set at its first fetch after it was unfenced. Its
/// fetches name only partitions in which something has changed, which are none in a quiet one.
void Broker::readmit_followers() {
  for (const auto& replica : owned_) {
    if (!replica->leads) continue;
    for (Follower& f : replica->followers) {
      if (f.session != nullptr && !replica->in_maximal_isr(f.broker)) maybe_expand(*replica, f);
    }
  }
}

/// The in-sync set is another one. Kafka looks at every partition of a follower's session with each of its fetches
/// (ReplicaManager.readFromLog, Partition.maybeExpandIsr): who caught up while the leader waited to be told that set is asked
/// for with its next one, which names only partitions in which something has changed.
void Broker::left_out(Replica& replica) {
  for (Follower& f : replica.followers) {
    if (f.session == nullptr || replica.in_maximal_isr(f.broker)) continue;
    std::vector<PartitionIndex>& out = f.session->left_out;
    if (std::find(out.begin(), out.end(), replica.partition) == out.end()) out.push_back(replica.partition);
  }
}

void Broker::readmit(FetchSession& session) {
  const std::vector<PartitionIndex> partitions = std::exchange(session.left_out, {});
  for (const PartitionIndex p : partitions) {
    Replica* const replica = replicas_[p.value];
    Follower* const f =
        replica == nullptr || !replica->leads ? nullptr : replica->follower(session.replica());
    if (f != nullptr && f->session == &session && !replica->in_maximal_isr(f->broker))
      maybe_expand(*replica, *f);
  }
}

void Broker::note(const MetadataChange& change) {
  if (change.control) return;
  if (change.config) {
    for (const auto& replica : owned_) {
      if (cluster_.partition(replica->partition).topic == change.topic) configure(*replica, *change.config);
    }
    return;
  }
  if (change.broker != kNoBroker) {
    const auto b = static_cast<std::size_t>(change.broker.value);
    // Before KIP-841 nobody asks.
    ineligible_[b] = rules().has(Rule::fenced_stay_out_of_sync) && (change.fenced || change.shutting_down);
    epochs_[b] = change.broker_epoch;
    return;
  }
  image_[change.partition.value] = &change.state;
  views_.clear();
  counted_.clear();
  Replica* replica = replicas_[change.partition.value];
  if (replica != nullptr && std::find(touched_.begin(), touched_.end(), replica) == touched_.end()) {
    touched_.push_back(replica);
  }
}

/// TopicConfigHandler.processConfigChanges. A lower min.insync.replicas lets the high watermark rise with the next append or
/// fetch, not by itself (Partition.maybeIncrementLeaderHW).
void Broker::configure(Replica& replica, const TopicConfig& config) {
  replica.min_insync = cluster_.min_insync(replica.partition, config);
  logs_.configure(replica, config);
}

void Broker::take_up_role(Replica& replica) {
  const PartitionState& state = image(replica.partition);
  if (!keeps_replica(state, replica.partition)) return give_up(replica, state);
  if (state.leader != id_) return become_follower(replica, state);
  if (state.leader_epoch > replica.leader_epoch || !replica.leads) return become_leader(replica, state);
  if (state.partition_epoch <= replica.partition_epoch) return;
  replica.isr = state.isr;
  replica.partition_epoch = state.partition_epoch;
  replica.asked_isr.reset();
  follow_assignment(replica, state);
  left_out(replica);
  advance_high_watermark(replica);
}

bool Broker::keeps_replica(const PartitionState& state, PartitionIndex p) const {
  if (!state.moved) {
    const std::vector<BrokerId>& replicas = cluster_.partition(p).replicas;
    return std::find(replicas.begin(), replicas.end(), id_) != replicas.end();
  }
  const std::vector<BrokerId>& replicas = state.moved->replicas;
  return std::find(replicas.begin(), replicas.end(), id_) != replicas.end();
}

/// A leader goes on with other followers.
void Broker::follow_assignment(Replica& replica, const PartitionState& state) {
  if (!state.moved) return;
  const std::vector<BrokerId>& replicas = state.moved->replicas;
  std::erase_if(replica.followers, [&](const Follower& f) {
    return std::find(replicas.begin(), replicas.end(), f.broker) == replicas.end();
  });
  for (const BrokerId b : replicas) {
    if (b != id_ && replica.follower(b) == nullptr) replica.followers.push_back({.broker = b});
  }
}

/// The replica has been moved away (ReplicaManager.stopPartitions, with deletion).
void Broker::give_up(Replica& replica, const PartitionState& state) {
  if (replica.leads) resign(replica);
  if (replica.leader != kNoBroker && replica.leader != id_)
    fetcher_from(replica.leader, replica.partition).remove(replica.partition);
  replica.leader = kNoBroker;
  replica.leader_epoch = state.leader_epoch;
  replica.partition_epoch = state.partition_epoch;
  logs_.role_changed(replica);
  // Model: files are deleted at once, not a minute later; but not those of the last leader, which its successor is compared with.
  if (replica.shared->line == &replica.log) return;
  replica.restart_at(0);
}

// ---- roles --------------------------------------------------------------------------------------------------------

void Broker::become_leader(Replica& replica, const PartitionState& state) {
  if (replica.leader != kNoBroker && replica.leader != id_)
    fetcher_from(replica.leader, replica.partition).remove(replica.partition);
  const bool new_epoch = state.leader_epoch > replica.log.latest_epoch();
  replica.leads = true;
  replica.leader = id_;
  replica.leader_epoch = state.leader_epoch;
  replica.partition_epoch = state.partition_epoch;
  replica.isr = state.isr;
  replica.asked_isr.reset();
  if (new_epoch) replica.log.begin_epoch(state.leader_epoch);
  replica.epoch_start = replica.log.end();
  logs_.role_changed(replica);
  replica.followers.clear();
  for (const BrokerId b : cluster_.replicas(replica.partition, state)) {
    if (b == id_) continue;
    // Replica.resetReplicaState: members of the in-sync set count as caught up until they have had their time.
    const bool in_sync = replica.in_sync(b);
    replica.followers.push_back({.broker = b,
                                 .log_end = state.leader_epoch == 0 ? 0 : kNoOffset,
                                 .last_caught_up = in_sync ? wall_clock() : sim::Time{},
                                 .ever_fetched = in_sync});
  }
  const bool internal = cluster_.topic_of(replica.partition).internal;
  if (!internal) replica.producers.rebuild(replica.log);
  if (replica.producers.has_transactions()) replica.producers.replicated(replica.high_watermark);
  declare_line(replica);
  context().emit(Kind::leader_changed, {.code = static_cast<std::uint16_t>(LeaderCode::elected),
                                        .actor = node_.entity().value,
                                        .place = cluster_.partition(replica.partition).entity.value,
                                        .a = state.leader_epoch,
                                        .b = replica.log.end()});
  advance_high_watermark(replica);
  wake(replica, true);  // sessions of an older epoch learn the error
  wake(replica, false);
  if (!internal) {
    if (shares_) shares_->role_changed(replica.partition);
    return;
  }
  if (cluster_.is_share_state(replica.partition))
    share_coordinator_->elected(replica.partition, state.leader_epoch, replica.log.end());
  else if (cluster_.is_offsets(replica.partition))
    coordinator_->elected(replica.partition, state.leader_epoch, replica.log.end());
  else
    transactions_->elected(replica.partition, state.leader_epoch, replica.log.end());
}

void Broker::declare_line(Replica& replica) {
  // Who hears of its election after that of its successor (it was paused) has never led anybody.
  if (replica.leader_epoch < replica.shared->line_epoch) return;
  const ReplicaLog* before = replica.shared->line;
  replica.shared->line = &replica.log;
  replica.shared->line_epoch = replica.leader_epoch;
  if (before == nullptr || before == &replica.log || cluster_.topic_of(replica.partition).internal) return;
  const Offset same = replica.log.common_prefix(*before);
  if (same < before->end()) {
    context().emit(Kind::truncated, {.actor = node_.entity().value,
                                     .place = cluster_.partition(replica.partition).entity.value,
                                     .a = same,
                                     .b = before->end() - same,
                                     .c = replica.leader_epoch});
  }
  declare_restored(replica, same);
  logs_.start_moved(replica, before->start());
}

/// An in-sync follower that has not heard of its leader yet keeps what that one lacks. Elected in this state it brings it
/// back: records of a leader of long ago.
void Broker::declare_restored(const Replica& replica, Offset from) {
  replica.log.for_each(from, [&](const Extent& extent, std::int64_t epoch) {
    // Model: a marker that comes back with such records is not told: its transaction shows as open.
    if (extent.is_marker()) return;
    const Offset first = std::max(extent.base, from);
    const Offset end = std::min(extent.end(), replica.log.end());
    context().emit(Kind::stored,
                   {.code = static_cast<std::uint16_t>(
                        kRestored | (extent.kind == BatchKind::transactional ? kTransactional : 0)),
                    .actor = node_.entity().value,
                    .place = cluster_.partition(replica.partition).entity.value,
                    .peer = extent.lane.value,
                    .a = extent.first_seq + (first - extent.base),
                    .b = end - first,
                    .c = first},
                   {&epoch, 1});
  });
}

void Broker::become_follower(Replica& replica, const PartitionState& state) {
  if (replica.leads) resign(replica);
  if (replica.leader != kNoBroker && replica.leader != state.leader) {
    fetcher_from(replica.leader, replica.partition).remove(replica.partition);
  }
  const bool same_leader = replica.leader == state.leader && replica.leader_epoch == state.leader_epoch;
  replica.leader = state.leader;
  replica.leader_epoch = state.leader_epoch;
  replica.partition_epoch = state.partition_epoch;
  logs_.role_changed(replica);
  // ReplicaManager.applyLocalFollowersDelta: a broker in controlled shutdown, out of the in-sync set, fetches no more.
  // ZooKeeper's controller tells it to stop (StopReplica); KRaft's never did before KIP-841.
  const bool told = zookeeper_ != nullptr || rules().has(Rule::fenced_stay_out_of_sync);
  const bool stays_out =
      told && shutdown_ != Shutdown::no && !std::count(state.isr.begin(), state.isr.end(), id_);
  if (stays_out && state.leader != kNoBroker)
    return fetcher_from(state.leader, replica.partition).remove(replica.partition);
  if (state.leader != kNoBroker && !same_leader) fetcher_from(state.leader, replica.partition).add(replica);
}

void Broker::resign(Replica& replica) {
  replica.leads = false;
  replica.asked_isr.reset();
  replica.followers.clear();
  fail_waiting(replica, ErrorCode::not_leader_or_follower);
  wake(replica, true);
  wake(replica, false);
  replica.verifying.clear();
  gathered_.drop(replica.partition);
  if (!cluster_.topic_of(replica.partition).internal) {
    if (shares_) shares_->role_changed(replica.partition);
    return;
  }
  if (cluster_.is_share_state(replica.partition))
    share_coordinator_->resigned(replica.partition);
  else if (cluster_.is_offsets(replica.partition))
    coordinator_->resigned(replica.partition);
  else
    transactions_->resigned(replica.partition);
}

void Broker::follower_moved(Replica& replica, Offset leader_high_watermark) {
  // A follower's high watermark: the leader's, as far as its own log reaches.
  const Offset before = replica.high_watermark;
  replica.high_watermark =
      std::max(replica.high_watermark, std::min(leader_high_watermark, replica.log.end()));
  if (replica.high_watermark > before && !replica.watchers.empty()) wake(replica, false);
}

/// AbstractFetcherManager.getFetcherId: the partitions of a leader are spread over its fetchers.
ReplicaFetcher& Broker::fetcher_from(BrokerId leader, PartitionIndex p) {
  const std::int32_t count = config().num_replica_fetchers;
  const auto hash = 31 * static_cast<std::uint32_t>(java_hash(cluster_.topic_of(p).name)) +
                    static_cast<std::uint32_t>(cluster_.partition(p).number);
  const std::int32_t number = count == 1 ? 0 : java_abs(static_cast<std::int32_t>(hash)) % count;
  auto& fetcher = fetchers_[static_cast<std::size_t>(leader.value * count + number)];
  if (!fetcher) fetcher = std::make_unique<ReplicaFetcher>(*this, leader, number);
  return *fetcher;
}

// ---- heartbeats ---------------------------------------------------------------------------------------------------

void Broker::register_process() {
  const bool of_zookeeper = zookeeper_ != nullptr && broker_epoch_ == -1;
  of_zookeeper ? zookeeper_->restarted() : send_heartbeat();
}

void Broker::send_heartbeat() {
  if (heartbeat_in_flight_) return;
  if (node_.heartbeats_lost()) return heartbeat_timer_.arm_after(config().broker_heartbeat_interval);
  RpcChannel* const controller = controllers_.active();
  if (controller == nullptr) return heartbeat_timer_.arm_after(kControllerRetry);
  Ref<BrokerHeartbeatCall> call = cluster_.take<BrokerHeartbeatCall>();
  call->broker = id_;
  call->broker_epoch = broker_epoch_;
  call->incarnation = node_.incarnation();
  call->metadata_offset = metadata_position_;
  call->want_shut_down = shutdown_ != Shutdown::no;
  call->previous_broker_epoch = clean_shutdown_epoch_;
  heartbeat_in_flight_ = true;
  controller->call<&Broker::on_heartbeat>(*this, std::move(call), config().broker_session_timeout / 2);
}

void Broker::on_heartbeat(BrokerId, Ref<BrokerHeartbeatCall> call) {
  heartbeat_in_flight_ = false;
  const bool no_controller =
      call->error == ErrorCode::not_controller || call->error == ErrorCode::disconnected;
  if (controllers_.learns() && no_controller) return heartbeat_timer_.arm_after(kControllerRetry);
  if (call->error != ErrorCode::none) {
    // BrokerLifecycleManager.resendExponentialBackoff
    return heartbeat_timer_.arm_after(exponential_backoff(std::chrono::milliseconds{100},
                                                          config().broker_session_timeout,
                                                          heartbeat_failures_++, lifecycle_stream_, 0.02));
  }
  heartbeat_failures_ = 0;
  controllers_.answered();
  const bool registered = broker_epoch_ == -1;
  broker_epoch_ = call->broker_epoch;
  // What a new incarnation reads of the metadata log holds its own registration: it sees what it has lost before it
  // takes up any role (BrokerLifecycleManager: initialCatchUpFuture).
  if (registered && !has_roles_ && !controllers_.learns()) follow_metadata();
  if (shutdown_ != Shutdown::no) return on_shutdown_reply(*call);
  if (registered) return send_heartbeat();  // asks to be unfenced at once
  heartbeat_timer_.arm_after(config().broker_heartbeat_interval);
}

// ---- in-sync sets -------------------------------------------------------------------------------------------------

void Broker::shrink_in_sync_sets() {
  const sim::Time now = wall_clock();
  for (const auto& replica : owned_) {
    if (!replica->leads || replica->asked_isr) continue;
    const auto lags = [&](BrokerId b) {
      const Follower* const f = replica->follower(b);
      return f != nullptr && !replica->caught_up(*f, now, config().replica_lag_time_max);
    };
    if (std::none_of(replica->isr.begin(), replica->isr.end(), lags)) continue;
    std::vector<BrokerId> kept = replica->isr;
    std::erase_if(kept, lags);
    ask_in_sync_set(*replica, std::move(kept));
  }
  isr_timer_.arm_after(config().replica_lag_time_max / 2);
}

void Broker::maybe_expand(Replica& replica, Follower& follower) {
  // Partition.isReplicaIsrEligible: neither fenced nor shutting down (KIP-841), and the process that the controller knows
  // (KIP-903).
  const auto b = static_cast<std::size_t>(follower.broker.value);
  if (ineligible_[b]) return;
  if (broker_epochs_count() && follower.broker_epoch != -1 && follower.broker_epoch != epochs_[b]) return;
  // Partition.isFollowerInSync: at the high watermark and past the start of this leader's epoch.
  if (replica.asked_isr || follower.log_end < replica.high_watermark ||
      follower.log_end < replica.epoch_start)
    return;
  const PartitionState& known = image(replica.partition);
  if (known.leader != id_) return;
  std::vector<BrokerId> wanted = replica.isr;
  wanted.push_back(follower.broker);
  ask_in_sync_set(replica, std::move(wanted));
}

/// ZooKeeper's brokers never told theirs (ZkMetadataCache.hasAliveBroker is all that is asked).
bool Broker::broker_epochs_count() const {
  return zookeeper_ == nullptr && rules().has(Rule::broker_epochs_in_sync);
}

/// Before AlterPartition (KIP-497) leaders wrote their in-sync sets themselves.
bool Broker::writes_in_sync_sets() const {
  return zookeeper_ != nullptr && !rules().has(Rule::alter_partition);
}

void Broker::ask_in_sync_set(Replica& replica, std::vector<BrokerId> wanted) {
  replica.asked_isr = std::move(wanted);
  if (writes_in_sync_sets()) return write_in_sync_set(replica);
  unasked_.push_back(replica.partition);
  propagate();
}

void Broker::add_change(AlterPartitionCall& call, const Replica& replica) {
  call.add({.partition = replica.partition,
            .leader_epoch = replica.leader_epoch,
            .partition_epoch = replica.partition_epoch},
           *replica.asked_isr);
  for (const BrokerId b : *replica.asked_isr) call.epochs.push_back(fetched_epoch(replica, b));
}

/// Everything that has not been asked for yet goes with one request, and there is one at a time
/// (DefaultAlterPartitionManager.maybePropagateIsrChanges).
/// Model: a change that its leader has given up meanwhile, as it read newer metadata, is not sent; Kafka sends it to be refused,
/// and puts off what the leader wants next until it was.
void Broker::propagate() {
  if (alteration_in_flight_ || ask_timer_.armed() || unasked_.empty()) return;
  RpcChannel* const controller = controllers_.alterations();
  if (controller == nullptr) return ask_timer_.arm_after(kControllerRetry);
  std::sort(unasked_.begin(), unasked_.end());
  unasked_.erase(std::unique(unasked_.begin(), unasked_.end()), unasked_.end());
  Ref<AlterPartitionCall> call = cluster_.take<AlterPartitionCall>();
  call->leader = id_;
  for (const PartitionIndex p : unasked_) {
    const Replica& replica = *replicas_[p.value];
    if (replica.leads && replica.asked_isr) add_change(*call, replica);
  }
  unasked_.clear();
  if (call->items.empty()) return;
  call->request_bytes = 60 + 40 * static_cast<std::uint32_t>(call->items.size());
  alteration_in_flight_ = true;
  controller->call<&Broker::on_propagated>(*this, std::move(call));
}

void Broker::write_in_sync_set(const Replica& replica) {
  Ref<AlterPartitionCall> call = cluster_.take<AlterPartitionCall>();
  call->leader = id_;
  add_change(*call, replica);
  zookeeper_->set_in_sync(replica.partition, *replica.asked_isr, [this, call](ErrorCode error) {
    AlterPartitionCall::Item& item = call->items.front();
    if (error == ErrorCode::none) ++item.partition_epoch;
    on_altered(*call, item, error);
  });
}

void Broker::ask_again_later(PartitionIndex p) {
  unasked_.push_back(p);
  if (!ask_timer_.armed()) ask_timer_.arm_after(kControllerRetry);
}

void Broker::ask_again() {
  if (!writes_in_sync_sets()) return propagate();
  std::vector<PartitionIndex> partitions;
  partitions.swap(unasked_);
  for (const PartitionIndex p : partitions) {
    Replica& replica = *replicas_[p.value];
    if (replica.leads && replica.asked_isr) ask_in_sync_set(replica, *replica.asked_isr);
  }
}

/// The broker epoch with which `b` last fetched (Partition.addBrokerEpochToIsr); -1 before its first fetch of this leader.
std::int64_t Broker::fetched_epoch(const Replica& replica, BrokerId b) const {
  if (!broker_epochs_count()) return -1;
  if (b == id_) return broker_epoch_;
  const auto at = std::find_if(replica.followers.begin(), replica.followers.end(),
                               [b](const Follower& f) { return f.broker == b; });
  return at == replica.followers.end() ? -1 : at->broker_epoch;
}

/// What is asked for as these are taken up goes with the next request (AlterPartitionManager: the flag is cleared after the
/// callbacks).
void Broker::on_propagated(BrokerId, Ref<AlterPartitionCall> call) {
  for (const AlterPartitionCall::Item& item : call->items)
    on_altered(*call, item, call->error != ErrorCode::none ? call->error : item.error);
  alteration_in_flight_ = false;
  propagate();
}

void Broker::on_altered(const AlterPartitionCall& call, const AlterPartitionCall::Item& item,
                        ErrorCode error) {
  Replica& replica = *replicas_[item.partition.value];
  const std::span<const BrokerId> isr = call.isr(item);
  const auto still_asked = [&] {
    return replica.asked_isr &&
           std::equal(replica.asked_isr->begin(), replica.asked_isr->end(), isr.begin(), isr.end());
  };
  if (!replica.leads || replica.leader_epoch != item.leader_epoch || !still_asked()) return;
  const bool of_old = error != ErrorCode::disconnected && error != ErrorCode::not_controller &&
                      error != ErrorCode::none && item.partition_epoch != replica.partition_epoch;
  if (of_old) return;
  // Partition.handleAlterPartitionError: the asked set goes on to count until it is known whether it was granted.
  switch (error) {
    case ErrorCode::none:
      break;
    case ErrorCode::ineligible_replica:  // not attempted; asked again at the next scan or fetch
      replica.asked_isr.reset();
      return left_out(replica);
    case ErrorCode::disconnected:
    case ErrorCode::not_controller:
      if (controllers_.learns()) return ask_again_later(item.partition);
      return ask_in_sync_set(replica, *replica.asked_isr);
    default:
      return;  // the controller knows better: its metadata are on their way
  }
  if (item.partition_epoch <= replica.partition_epoch) return;
  replica.isr = std::move(*replica.asked_isr);
  replica.asked_isr.reset();
  replica.partition_epoch = item.partition_epoch;
  left_out(replica);
  advance_high_watermark(replica);
}

void Broker::handle_metadata(Ref<MetadataCall> call) {
  call->view = view_of(call->topics);
  call->response_bytes = 100 + 30 * call->view->named;
  answer(std::move(call));
}

std::shared_ptr<const ClusterView> Broker::view_of(const std::vector<TopicIndex>& topics) {
  // A broker that ZooKeeper's controller has told nothing yet knows no topics.
  const bool knows_none = zookeeper_ && !has_roles_;
  if (!knows_none) {
    for (const auto& [of, view] : views_) {
      if (of == topics) return view;
    }
  }
  auto view = std::make_shared<ClusterView>();
  view->leaders.resize(image_.size());
  view->partitions.resize(cluster_.topics().size());
  if (knows_none) return view;
  for (std::uint32_t p = 0; p < image_.size(); ++p) {
    const PartitionInfo& info = cluster_.partition(PartitionIndex{p});
    if (!topics.empty() && std::find(topics.begin(), topics.end(), info.topic) == topics.end()) continue;
    const PartitionState& known = *image_[p];
    if (!known.exists()) continue;
    view->leaders[p] = {known.leader, known.leader_epoch};
    std::int32_t& count = view->partitions[info.topic.value];
    count = std::max(count, info.number + 1);
    ++view->named;
  }
  views_.emplace_back(topics, view);
  return view;
}

/// With the partitions that this broker has heard of.
std::vector<AssignorTopic> Broker::assignor_topics(std::span<const TopicIndex> wanted) {
  std::vector<AssignorTopic> topics = kafka::assignor_topics(cluster_, wanted);
  for (AssignorTopic& topic : topics) {
    const auto [known, is_new] = counted_.try_emplace(topic.topic, 0);
    if (is_new) {
      const std::uint32_t end =
          topic.first.value + static_cast<std::uint32_t>(cluster_.topic(topic.topic).partitions_most);
      for (std::uint32_t p = topic.first.value; p < end && image_[p]->exists(); ++p) ++known->second;
    }
    topic.partitions = known->second;
  }
  return topics;
}

}  // namespace models::kafka
