// A Kafka cluster: brokers, controller and topics, connected and owned. The one object that clients hold on to.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "models/context.hpp"
#include "models/kafka/options.hpp"
#include "models/kafka/protocol.hpp"
#include "models/kafka/record_keys.hpp"
#include "models/kafka/rpc.hpp"

namespace models::kafka {

class Broker;
class Controller;
class MetadataLog;
class ZooKeeper;
struct PartitionState;
class OffsetsStore;
class RemoteStore;
class ReplicaLog;
class ShareStateStore;
class TransactionStore;
struct SharedPartition;

/// Somebody who looks at batches outside of requests: what was fetched names offsets, and the log says what they hold.
class LogReader {
 public:
  virtual ~LogReader() = default;
  /// The lowest offset of `p` whose batch it may still look at; kNoLowest: none.
  virtual Offset lowest_in_hand(PartitionIndex p) const = 0;
  /// What lies below `below` is about to leave a replica's log at its start; it may have left another's before.
  virtual void expires(PartitionIndex, const ReplicaLog&, Offset) {}
  static constexpr Offset kNoLowest = std::numeric_limits<Offset>::max();
};

/// String.hashCode of Java, which chooses a group's coordinator and a partition's fetcher.
std::int32_t java_hash(std::string_view text);
/// Utils.abs: of the least integer it is 0.
std::int32_t java_abs(std::int32_t n);

struct TopicInfo {
  std::string name;
  EntityId entity{};
  PartitionIndex first{};       ///< its partitions are first, first+1, …
  std::int32_t partitions = 0;  ///< at the start; 0: it does not exist yet
  std::int32_t partitions_most =
      0;  ///< at the end: those in between exist from Controller::create_partitions() on
  TopicConfig config;
  bool internal = false;    ///< __consumer_offsets, __transaction_state
  CleanupPolicy cleanup{};  ///< of the topic, or the broker's
  bool keys_read = false;   ///< record_keys() has the keys of its records, as of a compacted topic's
  std::int32_t partitions_created = 0;  ///< of one that does not exist yet: by Controller::create_topic()
  bool times_read = false;              ///< record_times() has their timestamps
};

struct PartitionInfo {
  TopicIndex topic{};
  std::int32_t number = 0;  ///< within its topic
  EntityId entity{};
  std::vector<BrokerId> replicas;  ///< at the start, preferred leader first
  std::vector<BrokerId> hosts;     ///< these, and the brokers that it may be moved to
};

class Cluster {
 public:
  Cluster(Context& context, const ClusterOptions& options);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  /// Elects the first leaders and starts brokers and controller: at time 0 the cluster is up and has been for a while.
  void start();

  /// Says where in-sync replicas hold other records than their leader below its high watermark: at the end of a run.
  void tell_divergence();
  /// Says which places of the logs compaction has emptied. When the run ends.
  void tell_removed();

  Context& context() { return context_; }
  const ClusterOptions& options() const { return options_; }

  /// No rack, or none that any broker is in.
  static constexpr std::int32_t kNoRack = -1;
  /// Of those that brokers tell (broker.rack).
  std::int32_t find_rack(std::string_view name) const;
  std::string_view rack_name(std::int32_t rack) const { return racks_[static_cast<std::size_t>(rack)]; }
  std::int32_t rack_of(BrokerId b) const { return rack_of_[static_cast<std::size_t>(b.value)]; }

  // ---- who is there (static for the length of a run) ----
  std::int32_t broker_count() const { return options_.brokers; }
  Broker& broker(BrokerId id) { return *brokers_[static_cast<std::size_t>(id.value)]; }
  /// The active controller, or the one that was last.
  Controller& controller();
  Controller& controller(std::int32_t number) { return *controllers_[static_cast<std::size_t>(number)]; }
  /// Null while there is none.
  Controller* active_controller();
  /// Null with KRaft.
  ZooKeeper* zookeeper() { return zookeeper_.get(); }
  /// Requires remote.log.storage.system.enable.
  RemoteStore& remote_store() { return *remote_store_; }
  /// Where it runs; null without.
  Node* remote_storage();
  /// What the controllers have committed.
  MetadataLog& metadata_log() { return *metadata_log_; }
  /// Where the replicas of `p` are in that state, preferred leader first.
  const std::vector<BrokerId>& replicas(PartitionIndex p, const PartitionState& state) const;
  /// Receiver and node of calls to `id`, controllers included (controller_id()).
  RpcServer& server(BrokerId id);
  Node& node(BrokerId id);
  std::optional<TopicIndex> find_topic(std::string_view name) const;
  const TopicInfo& topic(TopicIndex t) const { return topics_[t.value]; }
  const TopicInfo& topic_of(PartitionIndex p) const { return topics_[partitions_[p.value].topic.value]; }
  const PartitionInfo& partition(PartitionIndex p) const { return partitions_[p.value]; }
  /// min.insync.replicas of `p` where its topic has these settings: a partition cannot ask for more than it has
  /// (Partition.effectiveMinIsr).
  std::int32_t min_insync(PartitionIndex p, const TopicConfig& config) const;
  std::span<const TopicInfo> topics() const { return topics_; }
  std::span<const PartitionInfo> partitions() const { return partitions_; }
  /// The partitions of which this broker has a replica, or may get one; rising.
  std::span<const PartitionIndex> hosted_by(BrokerId b) const {
    return hosted_by_[static_cast<std::size_t>(b.value)];
  }
  /// The partition of __consumer_offsets that keeps this group (abs(hash) % offsets.topic.num.partitions).
  PartitionIndex offsets_partition(std::string_view group) const;
  bool is_offsets(PartitionIndex p) const { return partitions_[p.value].topic == offsets_topic_; }
  /// The partition of __transaction_state that keeps this transactional id. Requires ClusterOptions::transactional.
  PartitionIndex transaction_partition(std::string_view transactional_id) const;
  bool is_share_state(PartitionIndex p) const {
    return !options_.share_groups.empty() && partitions_[p.value].topic == share_state_topic_;
  }
  /// The partition of __share_group_state that keeps what `group` has done to `p`. Requires a share group.
  PartitionIndex share_state_partition(EntityId group, PartitionIndex p) const;
  /// What the group has set for itself; null for one that is no share group.
  const ShareGroupConfig* share_group(std::string_view group) const;
  const ShareGroupConfig* share_group(EntityId group) const;
  /// Clients and brokers speak of transactions as KIP-890 has it.
  bool transactions_v2() const {
    return options_.transaction_version >= 2 && options_.rules.has(Rule::transactions_v2);
  }

  /// That of a client which has heard of nothing.
  const std::shared_ptr<const ClusterView>& empty_view() const { return empty_view_; }

  /// The log of `p` at `b`, which has a replica of it.
  const ReplicaLog& log_of(BrokerId b, PartitionIndex p);
  /// What the replicas of `p` share.
  SharedPartition& shared(PartitionIndex p) { return *shared_[p.value]; }
  /// Batches that `reader` has in hand outlive their log. It must outlive the cluster's use.
  void add_reader(LogReader& reader) { readers_.push_back(&reader); }
  /// Lets go of the batches of `p` that no replica holds and no reader has in hand.
  void forget_expired(PartitionIndex p);
  /// Before what lies below `below` leaves that replica's log.
  void tell_expiry(PartitionIndex p, const ReplicaLog& log, Offset below) {
    for (LogReader* reader : readers_) reader->expires(p, log, below);
  }
  /// Of the records in compacted topics, and in those whose keys somebody else looks at.
  RecordKeys& record_keys() { return record_keys_; }
  RecordTimes& record_times() { return record_times_; }
  OffsetsStore& offsets_store() { return *offsets_store_; }
  TransactionStore& transaction_store() { return *transaction_store_; }
  ShareStateStore& share_state_store() { return *share_state_store_; }
  /// A new producer id, or the next epoch of the one the call names (ProducerIdManager, InitProducerId).
  void assign_producer_id(InitProducerIdCall& call);
  ProducerId new_producer_id() { return next_producer_id_++; }

  /// A cleared call from its pool.
  template <class CallT>
  Ref<CallT> take() {
    return std::get<Pool<CallT>>(pools_).take();
  }
  /// A produce request is under way, be it that nobody waits for its answer any more: acks=0, or a producer that is gone.
  bool producing() const { return std::get<Pool<ProduceCall>>(pools_).out() > 0; }

 private:
  void add_racks();
  void add_topics();
  TopicIndex add_coordinators_topic(std::string name, std::int32_t partitions,
                                    std::optional<std::int32_t> replication_factor,
                                    std::optional<std::int32_t> min_insync);
  void add_topic(const TopicOptions& topic, bool internal);
  /// Lets go of batches of an internal partition that all replicas hold; returns up to where they do.
  Offset compact_internal(PartitionIndex p);

  std::tuple<Pool<ProduceCall>, Pool<FetchCall>, Pool<ListOffsetsCall>, Pool<MetadataCall>,
             Pool<InitProducerIdCall>, Pool<FindCoordinatorCall>, Pool<JoinGroupCall>, Pool<SyncGroupCall>,
             Pool<HeartbeatCall>, Pool<LeaveGroupCall>, Pool<OffsetCommitCall>, Pool<OffsetFetchCall>,
             Pool<OffsetForLeaderEpochCall>, Pool<AddPartitionsToTxnCall>, Pool<AddOffsetsToTxnCall>,
             Pool<TxnOffsetCommitCall>, Pool<EndTxnCall>, Pool<WriteTxnMarkersCall>,
             Pool<BrokerHeartbeatCall>, Pool<AlterPartitionCall>, Pool<MetadataLogCall>,
             Pool<ConsumerGroupHeartbeatCall>, Pool<VoteCall>, Pool<BeginQuorumEpochCall>,
             Pool<EndQuorumEpochCall>, Pool<ShareFetchCall>, Pool<ShareAcknowledgeCall>,
             Pool<ShareGroupStateCall>, Pool<ZooKeeperCall>, Pool<UpdateMetadataCall>>
      pools_;
  Context& context_;
  ClusterOptions options_;
  std::vector<std::string> racks_;     // names, sorted
  std::vector<std::int32_t> rack_of_;  // by broker
  std::vector<TopicInfo> topics_;
  std::vector<PartitionInfo> partitions_;
  std::shared_ptr<const ClusterView> empty_view_;
  std::vector<std::vector<PartitionIndex>> hosted_by_;
  std::vector<std::unique_ptr<SharedPartition>> shared_;
  std::vector<LogReader*> readers_;
  RecordKeys record_keys_;
  RecordTimes record_times_;
  std::vector<std::unique_ptr<Node>> nodes_;  // brokers, then controllers
  std::unique_ptr<OffsetsStore> offsets_store_;
  std::unique_ptr<TransactionStore> transaction_store_;
  std::unique_ptr<ShareStateStore> share_state_store_;
  TopicIndex offsets_topic_{};
  TopicIndex transactions_topic_{};
  TopicIndex share_state_topic_{};
  ProducerId next_producer_id_ = 1000;
  std::unique_ptr<MetadataLog> metadata_log_;
  std::vector<std::unique_ptr<Controller>> controllers_;
  std::size_t last_active_ = 0;
  std::unique_ptr<ZooKeeper> zookeeper_;
  std::unique_ptr<RemoteStore> remote_store_;
  std::vector<std::unique_ptr<Broker>> brokers_;
};

}  // namespace models::kafka
