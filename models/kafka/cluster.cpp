#include "models/kafka/cluster.hpp"

#include <algorithm>

#include "models/kafka/broker/broker.hpp"
#include "models/kafka/broker/controller.hpp"
#include "models/kafka/broker/replica.hpp"
#include "models/kafka/group/offsets_store.hpp"
#include "models/kafka/placement.hpp"
#include "models/kafka/share/share_state_store.hpp"
#include "models/kafka/tiers/remote_store.hpp"
#include "models/kafka/transaction/transaction_store.hpp"
#include "models/kafka/zookeeper/ensemble.hpp"
#include "models/network/network.hpp"
#include "sim/assert.hpp"

namespace models::kafka {

std::int32_t java_hash(std::string_view text) {
  std::uint32_t hash = 0;
  for (const char c : text) hash = 31 * hash + static_cast<unsigned char>(c);
  return static_cast<std::int32_t>(hash);
}

std::int32_t java_abs(std::int32_t n) {
  return n == INT32_MIN ? 0 : n < 0 ? -n : n;
}

namespace {

/// Of __consumer_offsets, unless offsets.topic.replication.factor says otherwise.
constexpr std::int32_t kCoordinatorsTopicCopies = 3;

/// Utils.abs(name.hashCode()) % numPartitions
PartitionIndex partition_of(const TopicInfo& topic, std::string_view name) {
  const std::int32_t number = java_abs(java_hash(name)) % topic.partitions;
  return PartitionIndex{topic.first.value + static_cast<std::uint32_t>(number)};
}

std::string place_of(const std::vector<std::string>& names, std::int32_t broker) {
  return names.empty() ? std::string{} : names[static_cast<std::size_t>(broker) % names.size()];
}

}  // namespace

Cluster::Cluster(Context& context, const ClusterOptions& options) : context_(context), options_(options) {
  const auto add_node = [this](EntityKind kind, std::string name, Location location, std::uint32_t index) {
    const EntityId entity = context_.entities.add(kind, name, {}, index);
    const HostId host = context_.network.add_host(name, std::move(location));
    nodes_.push_back(
        std::make_unique<Node>(context_.simulation, context_.network, entity, host, std::move(name)));
  };
  for (std::int32_t b = 0; b < options_.brokers; ++b) {
    add_node(EntityKind::broker, options_.name + "/" + std::to_string(b),
             {place_of(options_.racks, b), place_of(options_.zones, b), place_of(options_.regions, b)},
             static_cast<std::uint32_t>(b));
  }
  for (std::int32_t n = 0; n < options_.controllers; ++n) {
    add_node(EntityKind::controller,
             options_.prefix() + (options_.zookeeper          ? std::string("zookeeper")
                                  : options_.controllers == 1 ? std::string("controller")
                                                              : "controller/" + std::to_string(n)),
             {place_of(options_.racks, n), place_of(options_.zones, n), place_of(options_.regions, n)},
             static_cast<std::uint32_t>(n));
  }
  if (options_.config.tiers.system_enable) {
    add_node(EntityKind::store, options_.prefix() + "remote-storage", {}, 0);
    remote_store_ = std::make_unique<RemoteStore>(*nodes_.back(), options_.remote);
  }
  add_racks();
  add_topics();
  auto empty = std::make_shared<ClusterView>();
  empty->leaders.resize(partitions_.size());
  empty->partitions.resize(topics_.size());
  empty_view_ = std::move(empty);
  // Who may lead without records that its predecessor had shown brings their older values back.
  const bool keep_history = options_.config.unclean_leader_election_enable || options_.power_may_fail ||
                            !options_.rules.has(Rule::leader_epoch_truncation) ||
                            !options_.rules.offsets_count();
  offsets_store_ =
      std::make_unique<OffsetsStore>(keep_history, [this](PartitionIndex p) { return compact_internal(p); });
  transaction_store_ = std::make_unique<TransactionStore>(keep_history);
  share_state_store_ = std::make_unique<ShareStateStore>(keep_history);
  metadata_log_ = std::make_unique<MetadataLog>(*this);
  if (options_.zookeeper) zookeeper_ = std::make_unique<ZooKeeper>(*this, node(kController), *metadata_log_);
  for (std::int32_t b = 0; options_.zookeeper && b < options_.brokers; ++b)
    controllers_.push_back(std::make_unique<Controller>(*this, node(BrokerId{b}), *metadata_log_, b));
  for (std::int32_t n = 0; !options_.zookeeper && n < options_.controllers; ++n)
    controllers_.push_back(std::make_unique<Controller>(*this, node(controller_id(n)), *metadata_log_, n));
  for (std::int32_t b = 0; b < options_.brokers; ++b) {
    brokers_.push_back(std::make_unique<Broker>(*this, BrokerId{b}, *nodes_[static_cast<std::size_t>(b)]));
  }
}

Cluster::~Cluster() = default;

/// Model: the cleaner keeps the newest record of each key; what __consumer_offsets says is kept by OffsetsStore, so that its
/// batches can go as soon as no replica will read them.
Offset Cluster::compact_internal(PartitionIndex p) {
  const ReplicaLog* line = shared(p).line;
  if (line == nullptr) return 0;
  Offset agreed = line->end();
  for (const BrokerId b : partitions_[p.value].replicas) {
    const Replica* replica = broker(b).replica(p);
    if (replica == nullptr) return 0;
    agreed = std::min(agreed, line->common_prefix(replica->log));
    if (options_.power_may_fail) agreed = std::min(agreed, replica->disk.written);
    if (!options_.rules.has(Rule::leader_epoch_truncation))
      agreed = std::min({agreed, replica->high_watermark, replica->disk.checkpointed_high_watermark});
  }
  shared(p).store.forget_below(agreed);
  return agreed;
}

void Cluster::add_racks() {
  std::vector<std::string> names;
  for (std::int32_t b = 0; b < options_.brokers; ++b) {
    names.push_back(with_rack(options_.config.broker_rack, place_of(options_.racks, b)));
  }
  racks_ = names;
  std::sort(racks_.begin(), racks_.end());
  racks_.erase(std::unique(racks_.begin(), racks_.end()), racks_.end());
  std::erase(racks_, "");
  for (const std::string& name : names) rack_of_.push_back(find_rack(name));
}

std::int32_t Cluster::find_rack(std::string_view name) const {
  const auto at = std::find(racks_.begin(), racks_.end(), name);
  return at == racks_.end() ? kNoRack : static_cast<std::int32_t>(at - racks_.begin());
}

void Cluster::add_topics() {
  hosted_by_.resize(static_cast<std::size_t>(options_.brokers));
  for (const TopicOptions& topic : options_.topics) add_topic(topic, false);
  const BrokerConfig& c = options_.config;
  offsets_topic_ = add_coordinators_topic("__consumer_offsets", c.offsets_topic_num_partitions,
                                          c.offsets_topic_replication_factor, std::nullopt);
  if (options_.transactional) {
    transactions_topic_ =
        add_coordinators_topic("__transaction_state", c.transaction_state_log_num_partitions,
                               c.transaction_state_log_replication_factor, c.transaction_state_log_min_isr);
  }
  if (!options_.share_groups.empty()) {
    share_state_topic_ =
        add_coordinators_topic("__share_group_state", c.share_state_topic_num_partitions,
                               c.share_state_topic_replication_factor, c.share_state_topic_min_isr);
  }
}

/// Model: unless the replication factor is given (offsets.topic.replication.factor, transaction.state.log.replication.factor,
/// share.coordinator.state.topic.replication.factor), a cluster of fewer than 3 brokers keeps as many copies as it has brokers;
/// in Kafka the topic, and with it all that needs it, waits for the third (StripedReplicaPlacer refuses it).
TopicIndex Cluster::add_coordinators_topic(std::string name, std::int32_t partitions,
                                           std::optional<std::int32_t> replication_factor,
                                           std::optional<std::int32_t> min_insync) {
  const TopicIndex added{static_cast<std::uint32_t>(topics_.size())};
  TopicOptions topic;
  topic.name = std::move(name);
  topic.partitions = partitions;
  topic.replication_factor =
      replication_factor.value_or(std::min(kCoordinatorsTopicCopies, options_.brokers));
  topic.config.min_insync_replicas = min_insync;
  add_topic(topic, true);
  return added;
}

void Cluster::add_topic(const TopicOptions& topic, bool internal) {
  MQLAB_ASSERT(topic.replication_factor >= 1 && topic.replication_factor <= options_.brokers,
               "no more replicas than brokers");
  const TopicIndex index{static_cast<std::uint32_t>(topics_.size())};
  const EntityId entity = context_.entities.add(EntityKind::topic, options_.prefix() + topic.name);
  topics_.push_back({topic.name, entity, PartitionIndex{static_cast<std::uint32_t>(partitions_.size())},
                     topic.created_later ? 0 : topic.partitions,
                     std::max(topic.partitions, topic.partitions_most), topic.config, internal});
  topics_.back().keys_read = topic.keys_read;
  if (topic.created_later) topics_.back().partitions_created = topic.partitions;
  topics_.back().times_read = topic.times_read;
  if (!internal)
    topics_.back().cleanup =
        topic.config.compaction.cleanup_policy.value_or(options_.config.log_cleanup_policy);
  StripedPlacer placer(rack_of_);
  for (std::int32_t n = 0; n < topics_.back().partitions_most; ++n) {
    PartitionInfo info;
    info.topic = index;
    info.number = n;
    info.entity = context_.entities.add(internal ? EntityKind::internal_partition : EntityKind::partition,
                                        options_.prefix() + topic.name + "/" + std::to_string(n), entity,
                                        static_cast<std::uint32_t>(n));
    if (static_cast<std::size_t>(n) < topic.assignment.size()) {
      for (const std::int32_t b : topic.assignment[static_cast<std::size_t>(n)])
        info.replicas.push_back(BrokerId{b});
    } else {
      info.replicas = placer.place(topic.replication_factor);
    }
    info.hosts = info.replicas;
    for (const std::int32_t b : topic.moves_to) {
      if (b < 0 || b >= options_.brokers) continue;  // the fault that says so is refused when it is bound
      if (std::find(info.hosts.begin(), info.hosts.end(), BrokerId{b}) == info.hosts.end())
        info.hosts.push_back(BrokerId{b});
    }
    for (const BrokerId b : info.hosts)
      hosted_by_[static_cast<std::size_t>(b.value)].push_back(
          PartitionIndex{static_cast<std::uint32_t>(partitions_.size())});
    partitions_.push_back(std::move(info));
    shared_.push_back(std::make_unique<SharedPartition>());
  }
}

void Cluster::start() {
  metadata_log_->start();
  for (const auto& controller : controllers_) controller->start();
  if (zookeeper_) zookeeper_->start();
  for (const auto& broker : brokers_) broker->start();
}

void Cluster::forget_expired(PartitionIndex p) {
  Offset lowest = LogReader::kNoLowest;
  for (const BrokerId b : partitions_[p.value].hosts) {
    const ReplicaLog& log = log_of(b, p);
    // One that holds nothing will begin where its leader's does, which counts itself.
    if (log.end() > log.start() || broker(b).replica(p)->leads) lowest = std::min(lowest, log.start());
  }
  for (const LogReader* reader : readers_) lowest = std::min(lowest, reader->lowest_in_hand(p));
  if (lowest != LogReader::kNoLowest) shared(p).store.forget_below(lowest);
}

const ReplicaLog& Cluster::log_of(BrokerId b, PartitionIndex p) {
  return broker(b).replica(p)->log;
}

void Cluster::tell_divergence() {
  for (std::uint32_t n = 0; n < partitions_.size(); ++n) {
    const PartitionIndex p{n};
    const PartitionState& state = metadata_log_->state(p);
    if (topic_of(p).internal || state.leader == kNoBroker) continue;
    const Replica& leader = *broker(state.leader).replica(p);
    for (const BrokerId b : state.isr) {
      const ReplicaLog& log = broker(b).replica(p)->log;
      for (const OffsetRange& range : log.differences(leader.log, leader.high_watermark)) {
        context_.emit(Kind::diverged, {.actor = node(b).entity().value,
                                       .place = partitions_[n].entity.value,
                                       .a = range.from,
                                       .b = range.to - range.from});
      }
    }
  }
}

void Cluster::tell_removed() {
  for (std::uint32_t n = 0; n < partitions_.size(); ++n) {
    const ReplicaLog* const line = shared_[n]->line;
    if (line == nullptr || line->survivors() == nullptr) continue;
    Offset next = line->start();
    const auto tell_until = [&](Offset held) {
      if (held > next)
        context_.emit(Kind::emptied, {.place = partitions_[n].entity.value, .a = next, .b = held - next});
    };
    const Offset end = std::min(line->survivors()->end(), line->end());
    line->for_each_held(next, end, [&](const Extent&, Offset from, Offset to, sim::Time) {
      tell_until(from);
      next = to;
    });
    tell_until(end);
  }
}

RpcServer& Cluster::server(BrokerId id) {
  if (id == kController && zookeeper_) return *zookeeper_;
  if (id.value <= kController.value) return controller(controller_number(id));
  return *brokers_[static_cast<std::size_t>(id.value)];
}

Node* Cluster::remote_storage() {
  return remote_store_ ? &remote_store_->node() : nullptr;
}

Node& Cluster::node(BrokerId id) {
  const std::int32_t at = id.value <= kController.value ? broker_count() + controller_number(id) : id.value;
  return *nodes_[static_cast<std::size_t>(at)];
}

Controller* Cluster::active_controller() {
  // A deposed one that has not heard of its successor believes that it is active: the newest epoch counts.
  Controller* found = nullptr;
  for (std::size_t n = 0; n < controllers_.size(); ++n) {
    Controller& one = *controllers_[n];
    if (!one.active() || (found != nullptr && found->epoch() > one.epoch())) continue;
    found = &one;
    last_active_ = n;
  }
  return found;
}

Controller& Cluster::controller() {
  Controller* const active = active_controller();
  return active != nullptr ? *active : *controllers_[last_active_];
}

const std::vector<BrokerId>& Cluster::replicas(PartitionIndex p, const PartitionState& state) const {
  return state.moved ? state.moved->replicas : partition(p).replicas;
}

std::optional<TopicIndex> Cluster::find_topic(std::string_view name) const {
  for (std::uint32_t t = 0; t < topics_.size(); ++t) {
    if (topics_[t].name == name && !topics_[t].internal) return TopicIndex{t};
  }
  return std::nullopt;
}

std::int32_t Cluster::min_insync(PartitionIndex p, const TopicConfig& config) const {
  const std::int32_t asked = config.min_insync_replicas.value_or(options_.config.min_insync_replicas);
  return std::min(asked, static_cast<std::int32_t>(partition(p).replicas.size()));
}

PartitionIndex Cluster::offsets_partition(std::string_view group) const {
  return partition_of(topics_[offsets_topic_.value], group);
}

PartitionIndex Cluster::transaction_partition(std::string_view transactional_id) const {
  MQLAB_ASSERT(options_.transactional, "somebody is known to use transactions");
  return partition_of(topics_[transactions_topic_.value], transactional_id);
}

PartitionIndex Cluster::share_state_partition(EntityId group, PartitionIndex p) const {
  MQLAB_ASSERT(!options_.share_groups.empty(), "there is a share group");
  // SharePartitionKey.asCoordinatorKey, with the topic's name in place of its id, which is random.
  return partition_of(
      topics_[share_state_topic_.value],
      context_.entities[group].name + ":" + topic_of(p).name + ":" + std::to_string(partition(p).number));
}

const ShareGroupConfig* Cluster::share_group(EntityId group) const {
  return share_group(std::string_view(context_.entities[group].name));
}

const ShareGroupConfig* Cluster::share_group(std::string_view name) const {
  for (const auto& [known, config] : options_.share_groups) {
    if (known == name) return &config;
  }
  return nullptr;
}

void Cluster::assign_producer_id(InitProducerIdCall& call) {
  if (call.producer_id == kNoProducerId || call.producer_epoch == INT16_MAX - 1) {
    call.producer_id = next_producer_id_++;
    call.producer_epoch = 0;
  } else {
    ++call.producer_epoch;
  }
}

}  // namespace models::kafka
