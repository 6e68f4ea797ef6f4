// A broker: takes calls from a queue, works on them with its request handler threads, leads some replicas and follows others.
//
// The parts: request_queue.hpp in front; produce.cpp appends and acknowledges; fetch.cpp serves consumers and followers;
// leadership.cpp follows the controller's metadata log, becomes leader and follower, and keeps the in-sync sets;
// replica_fetcher.hpp copies from other leaders; log_manager.hpp knows what is on disk; group/coordinator keeps groups;
// remote_fetch.cpp reads for consumers what is in remote storage alone; shutdown.cpp ends the process in an orderly way; disk.cpp
// says what it does when its disk fails it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "models/disk.hpp"
#include "models/kafka/broker/controller.hpp"
#include "models/kafka/broker/controller_links.hpp"
#include "models/kafka/broker/fetch_session.hpp"
#include "models/kafka/broker/gathered_appends.hpp"
#include "models/kafka/broker/log_manager.hpp"
#include "models/kafka/broker/quotas.hpp"
#include "models/kafka/broker/replica.hpp"
#include "models/kafka/broker/request_queue.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/group/coordinator_host.hpp"
#include "models/kafka/rpc.hpp"
#include "models/kafka/zookeeper/session.hpp"
#include "models/network/node.hpp"
#include "sim/random.hpp"
#include "sim/ring.hpp"

namespace models::kafka {

class CoordinatorThreads;
class GroupCoordinator;
struct RemoteRead;
class RemoteReader;
struct RemoteReadResult;
class ReplicaFetcher;
class ShareCoordinator;
class SharePartitionManager;
class TransactionCoordinator;
class TransactionVerifier;

class Broker final : public RpcServer, public NodeProgram, public CoordinatorHost {
 public:
  Broker(Cluster& cluster, BrokerId id, Node& node);
  ~Broker() override;

  /// Takes up the roles that the controller's first state gives it and begins to send heartbeats.
  void start();
  void receive(AnyCall call) override;

  BrokerId id() const { return id_; }
  Cluster& cluster() { return cluster_; }
  /// This broker's replica of `p`, or null.
  Replica* replica(PartitionIndex p) const { return replicas_[p.value]; }
  GroupCoordinator& coordinator() { return *coordinator_; }
  /// Null where nobody uses transactions.
  TransactionCoordinator* transactions() { return transactions_.get(); }
  /// Null where there are no share groups.
  SharePartitionManager* shares() { return shares_.get(); }
  ShareCoordinator* share_coordinator() { return share_coordinator_.get(); }
  /// What this broker believes of `p`: as old as its copy of the metadata log.
  const PartitionState& image(PartitionIndex p) const { return *image_[p.value]; }

  /// DeleteRecords, as the leader of `p` gets it: what lies below `offset` (kNoOffset: the high watermark) is deleted.
  ErrorCode delete_records(PartitionIndex p, Offset offset);

  // NodeProgram
  void crashed() override;
  void power_lost() override;
  void restarted() override;
  bool can_shut_down() const override { return true; }
  void shut_down() override;
  void start_up() override;
  bool takes_time() const override { return !free_service_; }
  bool reads_wall_clock() const override { return true; }
  Disk* disk() override { return &disk_; }
  std::int64_t epoch() const { return broker_epoch_; }
  /// Null with KRaft.
  ZooKeeperSession* zookeeper() { return zookeeper_.get(); }
  /// RestingTraffic::rouse() of one of its sessions.
  void go_on(FetchSession& session);

  // CoordinatorHost
  Context& context() override { return cluster_.context(); }
  OffsetsStore& offsets_store() override { return cluster_.offsets_store(); }
  PartitionIndex offsets_partition(std::string_view group) override {
    return cluster_.offsets_partition(group);
  }
  BrokerId leader(PartitionIndex partition) override { return image(partition).leader; }
  EntityId entity(PartitionIndex partition) override { return cluster_.partition(partition).entity; }
  Node& node() override { return node_; }
  const BrokerConfig& config() override { return cluster_.options().config; }
  bool has(Rule rule) const override { return rules().has(rule); }
  Offset append(PartitionIndex partition, std::int32_t records, std::int32_t bytes,
                std::uint64_t token) override;
  Offset append_at_once(PartitionIndex partition, std::int32_t records, std::int32_t bytes,
                        std::uint64_t token) override;
  std::vector<AssignorTopic> assignor_topics(std::span<const TopicIndex> wanted) override;
  const ShareGroupConfig* share_group(std::string_view group) override { return cluster_.share_group(group); }
  std::size_t metadata_version() override { return metadata_position_; }
  void answer(AnyCall call) override;
  void marker_settled(Ref<WriteTxnMarkersCall> call) override;

  // ---- for ReplicaFetcher ----
  /// The leader's answer for a partition this broker follows has been applied.
  void follower_moved(Replica& replica, Offset leader_high_watermark);
  LogManager& logs() { return logs_; }
  /// So many bytes can be appended to a log. If not, that was its last log directory: the process is about to end.
  bool can_write(std::int64_t bytes);
  /// How long a write of the replica fetcher takes.
  sim::Duration write_delay();
  const ProtocolRules& rules() const { return cluster_.options().rules; }
  /// Who leads it, as far as this broker knows, for a client that took it for the leader.
  PartitionLeader hint(PartitionIndex p) const;

 private:
  // ---- the request queue (broker.cpp) ----
  void take_up(AnyCall call);
  void take_up_next(const CallBase& answered);
  void mute(const CallBase& answered);
  void read_on(const CallBase& answered);
  void send(AnyCall answer);
  sim::Duration service_time(const AnyCall& call);
  AnyCall next_in_queue();
  void begin_service(AnyCall call, sim::Duration time);
  void finish_service(AnyCall call);
  void handle(AnyCall call);
  void coordinate(AnyCall call);

  // ---- disk.cpp ----
  void disk_goes_on();

  // ---- produce.cpp ----
  void handle_produce(Ref<ProduceCall> call);
  void append_batch(Ref<ProduceCall>& call, ProduceBatch& batch, std::uint32_t index);
  std::int64_t unsent_records(const ProduceBatch& batch) const;
  Offset append_extent(Replica& replica, Extent extent);
  ErrorCode stamp(const TopicConfig& topic, sim::Time& created);
  sim::Duration append_linger(PartitionIndex partition);
  void await_replicas(Replica& replica, Offset required, std::uint64_t token);
  void append_gathered();
  void append_gathered(const GatheredAppends::Batch& batch);
  void fail_gathered(const GatheredAppends::Batch& batch);
  void advance_high_watermark(Replica& replica);
  void complete_waiting(Replica& replica);
  void settle(WaitingAppend& append, ErrorCode error);
  void fail_waiting(Replica& replica, ErrorCode error);
  void forget_answered();
  void expire_producers();
  void park(const Ref<ProduceCall>& call);
  void expire_produce();

  // ---- transactions.cpp ----
  TransactionVerifier& verifier();
  bool verify(Ref<ProduceCall>& call, sim::Time since);
  bool wait_for_marker(const Ref<ProduceCall>& call, sim::Time since);
  bool verify(Ref<TxnOffsetCommitCall>& call);
  void verified(AnyCall call, ErrorCode error);
  bool may_open_transaction(Replica& replica, const ProduceBatch& batch);
  void handle_offsets_of_transaction(Ref<TxnOffsetCommitCall> call);
  void handle_init_producer_id(Ref<InitProducerIdCall> call);
  void handle_find_coordinator(Ref<FindCoordinatorCall> call);
  void handle_markers(Ref<WriteTxnMarkersCall> call);
  void write_marker(const Ref<WriteTxnMarkersCall>& call, std::uint32_t index);
  void emit_marker(const Replica& replica, const Extent& marker);

  // ---- fetch.cpp ----
  void handle_fetch(Ref<FetchCall> call);
  FetchSession* session_of(FetchCall& call);
  void update_session(FetchSession& session, const FetchCall& call);
  void note_follower_fetch(FetchSession& session, const FetchPartition& fetch);
  Offset read_limit(const FetchSession& session, const Replica& replica) const;
  bool has_news(const FetchSession& session, const FetchSession::Entry& entry, const Replica* replica) const;
  static bool may_serve(const FetchSession& session, const Replica* replica);
  bool enough(FetchSession& session);
  void answer_fetch(FetchSession& session);
  void take_back(FetchSession& session, FetchCall& call);
  Offset left_from(const Replica& replica, Offset offset) const;
  bool serve_entry(FetchSession& session, FetchSession::Entry& entry, std::int64_t& room, FetchCall& call);
  void wake(Replica& replica, bool followers);
  BrokerId preferred_read_replica(const FetchSession& session, const Replica& replica, Offset offset) const;
  void await_records(FetchSession& session);
  bool rest(FetchSession& session);
  void rouse(FetchSession& session);
  void expire_fetches();
  /// nullptr: there is none of that id.
  FetchSession* find_session(std::uint64_t id);
  void forget_session(FetchSession& session);
  void drop_sessions();
  void handle_list_offsets(Ref<ListOffsetsCall> call);
  void handle_epoch_ends(Ref<OffsetForLeaderEpochCall> call);

  // ---- remote_fetch.cpp ----
  bool is_remote(const FetchSession& session, const FetchSession::Entry& entry, const Replica& replica) const;
  bool read_remotely(FetchSession& session);
  void remotely_read(const RemoteRead& read, const RemoteReadResult& result);
  void gave_up_reading(FetchSession& session);
  void tell_remote(const Replica& replica, std::uint16_t what, Offset from);

  // ---- leadership.cpp ----
  void follow_metadata();
  bool knows_its_registration() const;
  void on_metadata(BrokerId, Ref<MetadataLogCall> call);
  void read_metadata(std::size_t to);
  void handle_update(Ref<UpdateMetadataCall> call);
  void register_process();
  void note(const MetadataChange& change);
  void configure(Replica& replica, const TopicConfig& config);
  void take_up_role(Replica& replica);
  bool keeps_replica(const PartitionState& state, PartitionIndex p) const;
  void follow_assignment(Replica& replica, const PartitionState& state);
  void give_up(Replica& replica, const PartitionState& state);
  /// Bytes a second that this broker may send to followers being added, this one among them; 0: no bound, or it is not.
  double throttle_of(const Replica& replica, BrokerId follower) const;
  bool throttled(const Replica& replica, BrokerId follower);
  void count_reassigned(const Replica& replica, BrokerId follower, std::int64_t bytes);
  void become_leader(Replica& replica, const PartitionState& state);
  void become_follower(Replica& replica, const PartitionState& state);
  void resign(Replica& replica);
  void declare_line(Replica& replica);
  void declare_restored(const Replica& replica, Offset from);
  void send_heartbeat();
  void on_heartbeat(BrokerId, Ref<BrokerHeartbeatCall> call);
  void shrink_in_sync_sets();
  void readmit_followers();
  void left_out(Replica& replica);
  void readmit(FetchSession& session);
  void maybe_expand(Replica& replica, Follower& follower);
  bool broker_epochs_count() const;
  void ask_in_sync_set(Replica& replica, std::vector<BrokerId> wanted);
  bool writes_in_sync_sets() const;
  void add_change(AlterPartitionCall& call, const Replica& replica);
  void propagate();
  void ask_again_later(PartitionIndex p);
  void ask_again();
  void on_propagated(BrokerId, Ref<AlterPartitionCall> call);
  void on_altered(const AlterPartitionCall& call, const AlterPartitionCall::Item& item, ErrorCode error);
  void write_in_sync_set(const Replica& replica);
  void handle_metadata(Ref<MetadataCall> call);
  std::shared_ptr<const ClusterView> view_of(const std::vector<TopicIndex>& topics);
  ReplicaFetcher& fetcher_from(BrokerId leader, PartitionIndex p);
  std::int64_t fetched_epoch(const Replica& replica, BrokerId b) const;

  // ---- shutdown.cpp ----
  void on_shutdown_reply(const BrokerHeartbeatCall& call);
  void begin_to_end();
  void end_process();

  Cluster& cluster_;
  BrokerId id_;
  Node& node_;
  std::vector<Replica*> replicas_;  // by PartitionIndex, null where none
  std::vector<std::unique_ptr<Replica>> owned_;
  LogManager logs_;
  std::vector<const PartitionState*>
      image_;  // by PartitionIndex: the controller's, as far as this broker has read
  std::vector<std::pair<std::vector<TopicIndex>, std::shared_ptr<const ClusterView>>>
      views_;                                   // by topics asked for: answers from image_ as it is
  std::map<TopicIndex, std::int32_t> counted_;  // partitions that image_ has of topics of groups
  std::vector<bool> ineligible_;      // by broker: fenced or shutting down, as the metadata log says
  std::vector<std::int64_t> epochs_;  // by broker, when it was last unfenced, as the metadata log says
  std::size_t metadata_position_ = 0;
  std::vector<Replica*> touched_;  // by the metadata answer being read
  bool has_roles_ = false;         // false from a restart until the metadata log has been read
  std::int64_t broker_epoch_ = -1;
  std::int64_t clean_shutdown_epoch_ = -1;  ///< what the clean shutdown file says; a crash leaves none
  bool heartbeat_in_flight_ = false;
  bool alteration_in_flight_ = false;
  std::uint32_t heartbeat_failures_ = 0;
  enum class Shutdown : std::uint8_t { no, pending, answered, ending };
  Shutdown shutdown_ = Shutdown::no;  // of this process
  bool told_to_end_ = false;          // while it stood still
  bool start_again_ = false;          // once the one that is ending has ended
  sim::Stream lifecycle_stream_;

  ClientQuotas quotas_;
  SampledRate reassignment_bytes_;  // sent to replicas that are being added
  RequestQueue queue_;
  std::vector<AnyCall> released_;  // answers that a network thread kept
  std::int32_t busy_threads_ = 0;
  Disk disk_;
  std::vector<AnyCall> stuck_;  // calls that wait for the disk, each with its request handler thread
  sim::Stream disk_stream_;
  sim::Stream service_stream_;
  bool free_service_;

  struct OpenSession {
    std::uint64_t id;
    std::unique_ptr<FetchSession> session;
  };
  std::vector<OpenSession> sessions_;  // by rising id
  std::uint64_t next_session_ = 1;
  std::vector<FetchSession*> fetch_purgatory_;  // waiting; the timer looks for expired ones
  struct ParkedProduce {
    Ref<ProduceCall> call;
    sim::Time deadline;
  };
  sim::Ring<ParkedProduce> produce_purgatory_;  // in order of arrival

  ControllerLinks controllers_;
  std::unique_ptr<ZooKeeperSession> zookeeper_;
  std::int32_t controller_epoch_ = 0;                      // the newest that told it something
  std::vector<PartitionIndex> unasked_;                    // whose AlterPartition has not been sent
  std::vector<std::unique_ptr<ReplicaFetcher>> fetchers_;  // num.replica.fetchers for each source broker
  std::unique_ptr<GroupCoordinator> coordinator_;
  std::unique_ptr<CoordinatorThreads> coordinator_threads_;  // null where it takes no time of its own
  std::unique_ptr<TransactionCoordinator> transactions_;
  std::unique_ptr<TransactionVerifier> verifier_;  // made when first needed
  std::unique_ptr<SharePartitionManager> shares_;
  std::unique_ptr<ShareCoordinator> share_coordinator_;
  std::unique_ptr<RemoteReader> remote_reader_;  // null without remote storage
  std::vector<PartitionIndex> unverified_;
  GatheredAppends gathered_;
  StepCell& appended_step_;
  StepCell& unreplicated_step_;

  NodeTimer<std::function<void()>> heartbeat_timer_;
  NodeTimer<std::function<void()>> isr_timer_;
  NodeTimer<std::function<void()>> fetch_timer_;
  NodeTimer<std::function<void()>> produce_timer_;
  NodeTimer<std::function<void()>> metadata_timer_;
  NodeTimer<std::function<void()>> producer_timer_;
  NodeTimer<std::function<void()>> ask_timer_;
  NodeTimer<std::function<void()>> gather_timer_;
};

}  // namespace models::kafka
