#include "models/kafka/broker/broker.hpp"

#include <algorithm>

#include "models/kafka/broker/replica_fetcher.hpp"
#include "models/kafka/broker/transaction_verifier.hpp"
#include "models/kafka/group/coordinator_threads.hpp"
#include "models/kafka/group/group_coordinator.hpp"
#include "models/kafka/share/share_coordinator.hpp"
#include "models/kafka/share/share_partition_manager.hpp"
#include "models/kafka/tiers/remote_reader.hpp"
#include "models/kafka/transaction/transaction_coordinator.hpp"
#include "sim/assert.hpp"

namespace models::kafka {
namespace {

/// It ends with an append to a log, on the request handler's thread.
/// Model: what group coordinators write by themselves, and in answer to other requests, waits for no disk.
bool writes(const AnyCall& call) {
  return call.is<ProduceCall>() || call.is<OffsetCommitCall>() || call.is<TxnOffsetCommitCall>() ||
         call.is<WriteTxnMarkersCall>() || call.is<AddPartitionsToTxnCall>() || call.is<EndTxnCall>();
}

}  // namespace

Broker::Broker(Cluster& cluster, BrokerId id, Node& node)
    : cluster_(cluster),
      id_(id),
      node_(node),
      replicas_(cluster.partitions().size(), nullptr),
      logs_(cluster, node, owned_),
      ineligible_(static_cast<std::size_t>(cluster.broker_count()), false),
      epochs_(static_cast<std::size_t>(cluster.broker_count())),
      lifecycle_stream_(cluster.context().simulation.seed(), "broker/" + node.name() + "/lifecycle"),
      quotas_(cluster.context(), cluster.options()),
      reassignment_bytes_(11, std::chrono::seconds{1}),  // replication.quota.window.num, .size.seconds
      queue_(cluster.options().config),
      disk_stream_(cluster.context().simulation.seed(), "broker/" + node.name() + "/disk"),
      service_stream_(cluster.context().simulation.seed(), "broker/" + node.name() + "/service"),
      free_service_(cluster.options().service.free() && cluster.options().disk.flush.mean() == 0),
      controllers_(cluster, node),
      appended_step_(cluster.context().steps.cell(node.entity(), Step::appended)),
      unreplicated_step_(cluster.context().steps.cell(node.entity(), Step::acknowledged_not_replicated)),
      heartbeat_timer_(cluster.context().simulation, node, [this] { register_process(); }),
      isr_timer_(cluster.context().simulation, node, [this] { shrink_in_sync_sets(); }),
      fetch_timer_(cluster.context().simulation, node, [this] { expire_fetches(); }),
      produce_timer_(cluster.context().simulation, node, [this] { expire_produce(); }),
      metadata_timer_(cluster.context().simulation, node, [this] { follow_metadata(); }),
      producer_timer_(cluster.context().simulation, node, [this] { expire_producers(); }),
      ask_timer_(cluster.context().simulation, node, [this] { ask_again(); }),
      gather_timer_(cluster.context().simulation, node, [this] { append_gathered(); }) {
  node.set_program(*this);
  disk_.when_it_goes_on([this] { disk_goes_on(); });
  for (const PartitionIndex p : cluster.hosted_by(id)) {
    owned_.push_back(std::make_unique<Replica>(p, cluster.shared(p)));
    Replica& made = *owned_.back();
    made.producers.know_repeated(rules().has(Rule::sequence_window));
    made.producers.accept_unknown(rules().has(Rule::recovery_by_epoch));
    replicas_[p.value] = &made;
    configure(made, cluster.topic_of(p).config);
  }
  if (cluster.options().zookeeper) {
    Controller& controller = cluster.controller(id.value);
    zookeeper_ = std::make_unique<ZooKeeperSession>(
        cluster, id, node, controller, [this](std::int64_t session) { broker_epoch_ = session; });
    controller.use(*zookeeper_);
  }
  fetchers_.resize(static_cast<std::size_t>(cluster.broker_count() * config().num_replica_fetchers));
  coordinator_ = std::make_unique<GroupCoordinator>(*this);
  if (!cluster.options().service.coordinators_free() && rules().has(Rule::coordinator_threads)) {
    const std::string name = "broker/" + node.name() + "/coordinator";
    const std::uint64_t seed = cluster.context().simulation.seed();
    coordinator_threads_ = std::make_unique<CoordinatorThreads>(
        *this, cluster.options().service.coordinator, sim::Stream(seed, name + "/service"),
        sim::Stream(seed, name + "/order"), [this](AnyCall call) { coordinator_->receive(std::move(call)); });
  }
  if (cluster.options().transactional)
    transactions_ = std::make_unique<TransactionCoordinator>(*this, cluster);
  if (cluster.options().config.tiers.system_enable) {
    remote_reader_ = std::make_unique<RemoteReader>(
        cluster, node,
        [this](const RemoteRead& read, const RemoteReadResult& result) { remotely_read(read, result); });
  }
  if (!cluster.options().share_groups.empty()) {
    shares_ = std::make_unique<SharePartitionManager>(*this);
    share_coordinator_ = std::make_unique<ShareCoordinator>(*this, cluster);
  }
}

Broker::~Broker() = default;

// ---- the request queue --------------------------------------------------------------------------------------------

void Broker::receive(AnyCall call) {
  if (admit(call)) take_up(std::move(call));
}

void Broker::take_up(AnyCall call) {
  if (free_service_ && !disk_.hinders()) return handle(std::move(call));
  if (busy_threads_ == config().num_io_threads) return queue_.push(std::move(call));
  const sim::Duration time = service_time(call);
  begin_service(std::move(call), time);
}

sim::Duration Broker::service_time(const AnyCall& call) {
  const ServiceOptions& service = cluster_.options().service;
  sim::Duration time = service.request.sample_duration(service_stream_);
  if (const auto* produce = call.get_if<ProduceCall>()) {
    std::int64_t bytes = 0;
    for (const ProduceBatch& batch : produce->batches) {
      bytes += batch.bytes;
      const Replica* replica = replicas_[batch.partition.value];
      if (replica != nullptr && replica->leads && LogManager::flushes(*replica, batch.count))
        time += cluster_.options().disk.flush.sample_duration(service_stream_);
    }
    time += service.per_batch * static_cast<std::int64_t>(produce->batches.size());
    time += sim::Duration{service.per_kilobyte.count() * bytes / 1000};
  } else if (const auto* fetch = call.get_if<FetchCall>()) {
    time += service.per_batch * static_cast<std::int64_t>(fetch->partitions.size());
  }
  if (!coordinator_threads_ && !service.coordinators_free() && coordinated_group(call) != nullptr)
    time += service.coordinator.sample_duration(service_stream_);
  time = node_.stretched(time);
  if (disk_.delay() != nullptr && writes(call)) time += disk_.delay()->sample_duration(disk_stream_);
  return time;
}

void Broker::begin_service(AnyCall call, sim::Duration time) {
  ++busy_threads_;
  call->service = time;
  context().simulation.schedule_after(
      time, [this, life = node_.incarnation(), work = std::move(call)]() mutable {
        if (life != node_.incarnation()) return;
        node_.paused()
            ? node_.run_or_hold([this, held = std::move(work)]() mutable { finish_service(std::move(held)); })
            : finish_service(std::move(work));
      });
}

void Broker::finish_service(AnyCall call) {
  if (disk_.stalled() && writes(call)) return stuck_.push_back(std::move(call));
  --busy_threads_;
  handle(std::move(call));
  if (!node_.up() || queue_.empty() || busy_threads_ == config().num_io_threads) return;
  AnyCall next = next_in_queue();
  const sim::Duration time = service_time(next);
  begin_service(std::move(next), time);
}

AnyCall Broker::next_in_queue() {
  AnyCall next = queue_.pop(released_);
  for (AnyCall& kept : released_) send(std::move(kept));
  released_.clear();
  return next;
}

void Broker::handle(AnyCall call) {
  switch (call->api) {
    case Api::produce:
      return handle_produce(std::move(call).take<ProduceCall>());
    case Api::fetch:
      return handle_fetch(std::move(call).take<FetchCall>());
    case Api::list_offsets:
      return handle_list_offsets(std::move(call).take<ListOffsetsCall>());
    case Api::offset_for_leader_epoch:
      return handle_epoch_ends(std::move(call).take<OffsetForLeaderEpochCall>());
    case Api::metadata:
      return handle_metadata(std::move(call).take<MetadataCall>());
    case Api::add_partitions_to_txn:
      return transactions_->receive(std::move(call).take<AddPartitionsToTxnCall>());
    case Api::add_offsets_to_txn:
      return transactions_->receive(std::move(call).take<AddOffsetsToTxnCall>());
    case Api::end_txn:
      return transactions_->receive(std::move(call).take<EndTxnCall>());
    case Api::write_txn_markers:
      return handle_markers(std::move(call).take<WriteTxnMarkersCall>());
    case Api::txn_offset_commit:
      return handle_offsets_of_transaction(std::move(call).take<TxnOffsetCommitCall>());
    case Api::init_producer_id:
      return handle_init_producer_id(std::move(call).take<InitProducerIdCall>());
    case Api::find_coordinator:
      return handle_find_coordinator(std::move(call).take<FindCoordinatorCall>());
    case Api::join_group:
    case Api::sync_group:
    case Api::heartbeat:
    case Api::leave_group:
    case Api::consumer_group_heartbeat:
    case Api::offset_commit:
    case Api::offset_fetch:
      return coordinate(std::move(call));
    case Api::share_fetch:
      return shares_->receive(std::move(call).take<ShareFetchCall>());
    case Api::share_acknowledge:
      return shares_->receive(std::move(call).take<ShareAcknowledgeCall>());
    case Api::share_group_state:
      return share_coordinator_->receive(std::move(call).take<ShareGroupStateCall>());
    case Api::broker_heartbeat:
      return cluster_.controller(id_.value).handle(std::move(call).take<BrokerHeartbeatCall>());
    case Api::alter_partition:
      return cluster_.controller(id_.value).handle(std::move(call).take<AlterPartitionCall>());
    case Api::update_metadata:
      return handle_update(std::move(call).take<UpdateMetadataCall>());
    case Api::metadata_log:
    case Api::vote:
    case Api::begin_quorum_epoch:
    case Api::end_quorum_epoch:
    case Api::zookeeper:
      break;
  }
  MQLAB_ASSERT(false, "a call that is not for a broker");
}

void Broker::handle_offsets_of_transaction(Ref<TxnOffsetCommitCall> call) {
  if (!verify(call)) coordinate(std::move(call));
}

void Broker::coordinate(AnyCall call) {
  if (coordinator_threads_) return coordinator_threads_->add(std::move(call));
  coordinator_->receive(std::move(call));
}

void Broker::handle_init_producer_id(Ref<InitProducerIdCall> call) {
  if (!call->transactional_id.empty()) return transactions_->receive(std::move(call));
  cluster_.assign_producer_id(*call);
  answer(std::move(call));
}

void Broker::handle_find_coordinator(Ref<FindCoordinatorCall> call) {
  if (call->transactional_id.empty()) return coordinator_->receive(std::move(call));
  call->coordinator = transactions_->find(call->transactional_id);
  call->error = call->coordinator == kNoBroker ? ErrorCode::coordinator_not_available : ErrorCode::none;
  answer(std::move(call));
}

void Broker::answer(AnyCall call) {
  if (!node_.up()) return;  // crashed while it worked on the call
  if (node_.paused())       // paused, at a named step
    return node_.run_or_hold([this, held = std::move(call)]() mutable { answer(std::move(held)); });
  CallBase& shared = *call;
  if (quotas_.any() && call.is<ProduceCall>()) {
    shared.throttle =
        quotas_.produced(shared.origin->client().entity(), shared.request_bytes, shared.service, true);
  }
  if (shared.throttle > sim::Duration{} && !rules().has(Rule::answer_before_throttling)) {
    context().simulation.schedule_after(
        shared.throttle, [this, life = node_.incarnation(), late = std::move(call)]() mutable {
          if (life != node_.incarnation()) return;
          late->throttle = {};
          node_.run_or_hold([this, held = std::move(late)]() mutable { send(std::move(held)); });
        });
    return;
  }
  send(std::move(call));
}

void Broker::send(AnyCall answer) {
  if (queue_.keeps(answer)) return;
  read_on(*answer);
  respond(context().network, std::move(answer));
}

/// What comes next on the connection may be handled: now, or when it has been throttled for long enough.
void Broker::read_on(const CallBase& answered) {
  answered.throttle > sim::Duration{} ? mute(answered) : take_up_next(answered);
}

/// Reads nothing from the connection for a while (ClientQuotaManager.throttle).
void Broker::mute(const CallBase& answered) {
  context().simulation.schedule_after(
      answered.throttle,
      [this, life = node_.incarnation(), connection = answered.connection, origin = answered.origin] {
        if (life != node_.incarnation()) return;
        CallBase muted;
        muted.connection = connection;
        muted.origin = origin;
        node_.run_or_hold([this, muted] { take_up_next(muted); });
      });
}

void Broker::take_up_next(const CallBase& answered) {
  std::optional<AnyCall> next = next_after(answered);
  if (!next) return;
  // Posted: an answer is often given in the middle of a partition's work, which must not be entered a second time.
  context().simulation.post([this, life = node_.incarnation(), work = std::move(*next)]() mutable {
    if (life != node_.incarnation()) return;
    if (!node_.paused()) return take_up(std::move(work));
    node_.run_or_hold([this, held = std::move(work)]() mutable { take_up(std::move(held)); });
  });
}

// ---- life ---------------------------------------------------------------------------------------------------------

void Broker::crashed() {
  const bool orderly = shutdown_ == Shutdown::ending;
  if (orderly) logs_.close();
  const BrokerCode how = orderly ? BrokerCode::stopped : BrokerCode::crashed;
  context().emit(Kind::broker_state,
                 {.code = static_cast<std::uint16_t>(how), .actor = node_.entity().value});
  for (auto* timer : {&heartbeat_timer_, &isr_timer_, &fetch_timer_, &produce_timer_, &metadata_timer_,
                      &producer_timer_, &ask_timer_, &gather_timer_})
    timer->disarm();
  coordinator_->crashed();
  if (coordinator_threads_) coordinator_threads_->crashed();
  if (transactions_) transactions_->crashed();
  if (shares_) {
    shares_->crashed();
    share_coordinator_->crashed();
  }
  if (verifier_) verifier_->crashed();
  if (remote_reader_) remote_reader_->crashed();
  for (const auto& fetcher : fetchers_) {
    if (fetcher) fetcher->stop();
  }
  drop_sessions();
  queue_.clear();
  gathered_.clear();
  stuck_.clear();
  while (!produce_purgatory_.empty()) produce_purgatory_.pop();
  busy_threads_ = 0;
  quotas_.forget();
  for (const auto& replica : owned_) {
    while (!replica->waiting.empty()) replica->waiting.pop();
    replica->leads = false;
    replica->leader = kNoBroker;
    replica->asked_isr.reset();
    replica->followers.clear();
    replica->verifying.clear();
  }
  logs_.crashed();
  controllers_.abandon();
  if (zookeeper_) {
    cluster_.controller(id_.value).crashed();
    zookeeper_->crashed();
  }
  unasked_.clear();
  clean_shutdown_epoch_ = orderly ? broker_epoch_ : -1;
  broker_epoch_ = -1;
  heartbeat_in_flight_ = alteration_in_flight_ = false;
  heartbeat_failures_ = 0;
  has_roles_ = false;
  shutdown_ = Shutdown::no;
  start_again_ = told_to_end_ = false;
}

void Broker::power_lost() {
  logs_.power_lost(disk_.take_replaced());
}

void Broker::restarted() {
  context().emit(Kind::broker_state,
                 {.code = static_cast<std::uint16_t>(BrokerCode::restarted), .actor = node_.entity().value});
  const sim::Duration recovery = logs_.restarted();
  // Registers, then follow_metadata().
  recovery > sim::Duration{} ? heartbeat_timer_.arm_after(recovery) : register_process();
  // An observer of the quorum follows its log from the start, and so learns whom to register with.
  if (controllers_.learns() && !zookeeper_) follow_metadata();
  isr_timer_.arm_after(config().replica_lag_time_max / 2);
  producer_timer_.arm_after(config().producer_id_expiration_check_interval);
}

}  // namespace models::kafka
