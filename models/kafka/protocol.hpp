// The requests and responses that mqlab's Kafka exchanges, by Kafka's own API names.
//
// A Call is one request together with its response. The client fills the request part, the call travels to the broker, the
// broker fills the response part and the same call travels back; the client keeps a reference meanwhile, so that after a
// disconnect it still knows what it had asked. The broker must not touch a response after it has been sent.
//
// Model: payload bytes do not exist. A produce batch names its messages by (lane, first seq, count); a fetch response gives
// offset ranges. Sizes on the wire are estimates (request_bytes, response_bytes) and only matter for bandwidth.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/ids.hpp"
#include "models/kafka/broker/survivors.hpp"
#include "models/kafka/call.hpp"
#include "models/kafka/cluster_view.hpp"
#include "models/kafka/types.hpp"
#include "sim/time.hpp"

namespace models::kafka {

// ---- data ---------------------------------------------------------------------------------------------------------

/// One record batch on its way into a log.
struct ProduceBatch {
  PartitionIndex partition;
  LaneId lane;
  std::int64_t first_seq = 0;  ///< lane seq of the first record
  std::int32_t count = 0;
  std::int32_t bytes = 0;
  ProducerId producer_id = kNoProducerId;  ///< -1 without idempotence
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
  sim::Time max_timestamp{};  ///< creation time of the newest record
  std::uint32_t token = 0;    ///< the producer's own reference to its batch
  bool transactional = false;
  // response
  ErrorCode error = ErrorCode::none;
  Offset base_offset = kNoOffset;
  PartitionLeader current_leader{};  ///< where the error is that it is another (KIP-951)
};

struct ProduceCall : Call<ProduceCall, Api::produce> {
  std::int16_t acks = -1;  ///< 0, 1 or -1 (all)
  sim::Duration timeout{};
  std::vector<ProduceBatch> batches;
  std::string transactional_id;  ///< of the transactional batches, if there are any
  std::uint32_t awaiting = 0;    ///< the broker's own: batches that still wait for replication
  bool verified = false;         ///< the broker's own: the coordinator knows the partitions, or refused them
  void clear() {
    clear_base();
    batches.clear();
    transactional_id.clear();
    awaiting = 0;
    verified = false;
  }
};

struct FetchPartition {
  PartitionIndex partition;
  Offset fetch_offset = 0;
  LeaderEpoch current_leader_epoch = kNoEpoch;  ///< as the fetcher knows it; -1 skips the check
  /// Of the record before fetch_offset (KIP-595 truncation on fetch).
  LeaderEpoch last_fetched_epoch = kNoEpoch;
  std::int32_t max_bytes = 1048576;
};

struct FetchedPartition {
  PartitionIndex partition;
  ErrorCode error = ErrorCode::none;
  LeaderEpoch asked_epoch = kNoEpoch;  ///< the leader epoch in which the client asked
  Offset base_offset = 0;  ///< data are offsets [base_offset, end_offset); end_offset == base_offset: none
  Offset end_offset = 0;
  std::int32_t bytes = 0;
  LeaderEpoch last_epoch = kNoEpoch;  ///< leader epoch of the last record returned
  Offset high_watermark = 0;
  Offset log_start = 0;
  /// To be asked from now on, instead of the leader (KIP-392); nothing was read then.
  BrokerId preferred_read_replica = kNoBroker;
  PartitionLeader current_leader{};  ///< where the error is that it is another (KIP-951)
  /// Up to which offset transactions are decided; a reader of committed data gets nothing beyond.
  Offset last_stable_offset = 0;
  bool has_transactions = false;  ///< the log holds markers: offsets are not all records
  /// Where the aborted transactions of this range begin in FetchCall::aborted, and how many there are.
  std::uint32_t first_aborted = 0;
  std::uint32_t aborted = 0;
  /// The log has been compacted there: these of FetchCall::survivors are the records of this range.
  bool gaps = false;
  std::uint32_t first_survivor = 0;
  std::uint32_t survivors = 0;
  Offset first_batch = 0;  ///< with gaps: where the first batch begins
  /// With OFFSET_OUT_OF_RANGE: the leader's end; with OFFSET_MOVED_TO_TIERED_STORAGE: the start of what is on its disk, and
  /// `last_epoch` is that of the record before.
  Offset log_end = kNoOffset;
  /// Set when the fetcher's log diverges: truncate to min(...), ask again.
  LeaderEpoch diverging_epoch = kNoEpoch;
  Offset diverging_end = kNoOffset;
};

/// A producer's transaction that was aborted: its records from `first` to its marker are none (AbortedTxn.java).
struct AbortedTransaction {
  ProducerId producer_id = kNoProducerId;
  Offset first = 0;
  Offset marker = 0;
};

/// Incremental fetch session (KIP-227): `partitions` lists only what changed since the session's last request.
/// On the wire, of a session in which nothing has changed, either way.
inline constexpr std::uint32_t kEmptyFetchBytes = 100;

/// Who sent a fetch.
class FetchSender {
 public:
  virtual ~FetchSender() = default;
  /// Whether it would send the same again at once if this fetch were answered with nothing. It may then be left to wait on
  /// (RpcChannel::rest()), until the sender rouses it.
  virtual bool would_ask_again(BrokerId broker) = 0;
};

struct FetchCall : Call<FetchCall, Api::fetch> {
  FetchSender* sender = nullptr;    ///< a consumer
  BrokerId replica = kNoBroker;     ///< a follower's id; -1 for a consumer
  std::int64_t replica_epoch = -1;  ///< a follower's broker epoch (KIP-903)
  EntityId client{};
  std::int32_t rack = -1;       ///< a consumer's client.rack, where a broker is (Cluster::find_rack)
  std::uint64_t session = 0;    ///< 0 opens a new full session; the response names it
  bool full = false;            ///< partitions replace the session's
  bool read_committed = false;  ///< isolation.level
  sim::Duration max_wait{};
  std::int32_t min_bytes = 1;
  std::int32_t max_bytes = 52428800;
  std::vector<FetchPartition> partitions;
  std::vector<PartitionIndex> forgotten;
  /// Response: partitions with data, an error or a new high watermark.
  std::vector<FetchedPartition> fetched;
  std::vector<AbortedTransaction> aborted;  ///< response, for readers of committed data
  std::vector<Surviving> survivors;         ///< response, of compacted logs
  void clear() {
    clear_base();
    sender = nullptr;
    replica = kNoBroker;
    replica_epoch = -1;
    client = {};
    rack = -1;
    session = 0;
    full = false;
    read_committed = false;
    aborted.clear();
    survivors.clear();
    partitions.clear();
    forgotten.clear();
    fetched.clear();
  }
};

enum class OffsetSpec : std::uint8_t { earliest, latest, timestamp };

struct ListOffsetsCall : Call<ListOffsetsCall, Api::list_offsets> {
  struct Item {
    PartitionIndex partition;
    LeaderEpoch current_leader_epoch = kNoEpoch;
    bool read_committed = false;
    OffsetSpec spec = OffsetSpec::latest;
    sim::Time
        timestamp{};  ///< of OffsetSpec::timestamp: the first record that is not older; without any, the end
    ErrorCode error = ErrorCode::none;
    Offset offset = kNoOffset;
  };
  std::vector<Item> items;
  void clear() {
    clear_base();
    items.clear();
  }
};

/// A follower or consumer asks where its last epoch ended (OffsetForLeaderEpoch).
struct OffsetForLeaderEpochCall : Call<OffsetForLeaderEpochCall, Api::offset_for_leader_epoch> {
  struct Item {
    PartitionIndex partition;
    LeaderEpoch current_leader_epoch = kNoEpoch;
    LeaderEpoch epoch = kNoEpoch;
    Offset position = kNoOffset;  ///< the client's own: of the position that it asks about
    ErrorCode error = ErrorCode::none;
    LeaderEpoch end_epoch = kNoEpoch;
    Offset end_offset = kNoOffset;
  };
  std::vector<Item> items;
  void clear() {
    clear_base();
    items.clear();
  }
};

// ---- metadata -----------------------------------------------------------------------------------------------------

/// Asks a broker for the leaders of all partitions of the named topics (empty: all).
struct MetadataCall : Call<MetadataCall, Api::metadata> {
  std::vector<TopicIndex> topics;
  std::shared_ptr<const ClusterView> view;  ///< response
  void clear() {
    clear_base();
    topics.clear();
    view.reset();
  }
};

struct InitProducerIdCall : Call<InitProducerIdCall, Api::init_producer_id> {
  ProducerId producer_id = kNoProducerId;  ///< in: current one, or -1; out: the one to use
  std::int16_t producer_epoch = -1;
  std::string transactional_id;  ///< empty: idempotent only
  sim::Duration transaction_timeout{};
  void clear() {
    clear_base();
    producer_id = kNoProducerId;
    producer_epoch = -1;
    transactional_id.clear();
  }
};

// ---- groups ------------------------------------------------------------------------------------

struct FindCoordinatorCall : Call<FindCoordinatorCall, Api::find_coordinator> {
  std::string group;
  std::string transactional_id;  ///< in place of a group
  BrokerId coordinator = kNoBroker;
  void clear() {
    clear_base();
    group.clear();
    transactional_id.clear();
    coordinator = kNoBroker;
  }
};

/// What a member tells its assignor (ConsumerProtocolSubscription).
struct Subscription {
  std::vector<TopicIndex> topics;
  std::vector<PartitionIndex> owned;  ///< sticky and cooperative: what it holds now
  std::int32_t generation = -1;       ///< generation in which `owned` was assigned (KIP-792)
  std::string rack{};                 ///< client.rack (KIP-881); empty: not told
};

struct JoinGroupCall : Call<JoinGroupCall, Api::join_group> {
  std::string group;
  std::string member_id;    ///< empty at the first join
  std::string instance_id;  ///< empty: dynamic member
  std::string_view
      client_id{};    ///< empty: Kafka's own client makes one (ConsumerConfig.maybeOverrideClientId)
  EntityId member{};  ///< for the trace
  sim::Duration session_timeout{};
  sim::Duration rebalance_timeout{};
  std::vector<std::string> protocols;  ///< assignors, most preferred first
  Subscription subscription;
  // response
  std::int32_t generation = -1;
  std::string protocol;
  std::string leader_id;
  struct Member {
    std::string member_id;
    std::string instance_id;
    Subscription subscription;
  };
  std::vector<Member> members;  ///< only for the leader
  bool skip_assignment = false;
  void clear() {
    JoinGroupCall fresh;
    fresh.refs = refs;
    fresh.home = home;
    *this = std::move(fresh);
  }
};

struct SyncGroupCall : Call<SyncGroupCall, Api::sync_group> {
  std::string group;
  std::string member_id;
  std::string instance_id;
  std::int32_t generation = -1;
  struct Assignment {
    std::string member_id;
    std::vector<PartitionIndex> partitions;
  };
  std::vector<Assignment> assignments;   ///< only from the leader
  std::vector<PartitionIndex> assigned;  ///< response
  void clear() {
    clear_base();
    member_id.clear();
    instance_id.clear();
    generation = -1;
    assignments.clear();
    assigned.clear();
  }
};

struct HeartbeatCall : Call<HeartbeatCall, Api::heartbeat> {
  std::string group;
  std::string member_id;
  std::string instance_id;
  std::int32_t generation = -1;
  void clear() { clear_base(); }
};

struct LeaveGroupCall : Call<LeaveGroupCall, Api::leave_group> {
  std::string group;
  std::string member_id;
  std::string reason;
  void clear() { clear_base(); }
};

/// The one request of the consumer protocol (KIP-848, ConsumerGroupHeartbeatRequest.json): joins, says what is held, leaves.
struct ConsumerGroupHeartbeatCall : Call<ConsumerGroupHeartbeatCall, Api::consumer_group_heartbeat> {
  std::string group;
  std::string member_id;         ///< the consumer's own choice, for the life of its process (KIP-1082)
  std::string instance_id;       ///< empty: dynamic member
  std::string_view client_id{};  ///< as in JoinGroupCall
  EntityId member{};             ///< for the trace
  std::int32_t member_epoch =
      0;  ///< 0 joins, -1 leaves, -2: a static member leaves for a while; response: the epoch to use
  // What has not changed since the last request is left out.
  std::optional<sim::Duration> rebalance_timeout;
  std::vector<TopicIndex> topics;  ///< ascending; empty: left out
  std::string assignor;            ///< group.remote.assignor; empty: none wanted
  bool says_owned = false;
  std::vector<PartitionIndex> owned;  ///< ascending
  // response
  sim::Duration heartbeat_interval{};
  bool has_assignment = false;
  std::vector<PartitionIndex> assigned;  ///< ascending
  bool share =
      false;  ///< of a share group: ShareGroupHeartbeat (KIP-932), which is the same but for what is owned

  /// Such a request is answered with the whole assignment.
  bool is_full() const { return member_epoch == 0 || (rebalance_timeout && !topics.empty() && says_owned); }
  void clear() {
    clear_base();
    member_id.clear();
    instance_id.clear();
    client_id = {};
    member_epoch = 0;
    rebalance_timeout.reset();
    topics.clear();
    assignor.clear();
    says_owned = false;
    owned.clear();
    has_assignment = false;
    assigned.clear();
    share = false;
  }
};

struct OffsetCommitCall : Call<OffsetCommitCall, Api::offset_commit> {
  std::string group;
  std::string member_id;
  std::string instance_id;
  EntityId member{};
  std::int32_t generation = -1;  ///< or member epoch
  struct Item {
    PartitionIndex partition;
    Offset offset = kNoOffset;
    /// Of the last record before `offset`, as far as the member knows (KIP-320).
    LeaderEpoch epoch = kNoEpoch;
    ErrorCode error = ErrorCode::none;
  };
  std::vector<Item> items;
  void clear() {
    clear_base();
    items.clear();
  }
};

struct OffsetFetchCall : Call<OffsetFetchCall, Api::offset_fetch> {
  std::string group;
  std::string member_id;           ///< empty with the classic protocol: not checked
  std::int32_t member_epoch = -1;  ///< without a member id: not checked
  struct Item {
    PartitionIndex partition;
    Offset offset = kNoOffset;     ///< response; -1: nothing committed
    LeaderEpoch epoch = kNoEpoch;  ///< response; as committed
  };
  std::vector<Item> items;
  void clear() {
    clear_base();
    member_id.clear();
    member_epoch = -1;
    items.clear();
  }
};

// ---- transactions -------------------------------------------------------------------------------------------------

/// From a producer (transaction.version 0 and 1), or from a partition's leader: to ask whether the partitions are part of
/// the transaction (verify_only), or to make them so (KIP-890).
struct AddPartitionsToTxnCall : Call<AddPartitionsToTxnCall, Api::add_partitions_to_txn> {
  std::string transactional_id;
  ProducerId producer_id = kNoProducerId;
  std::int16_t producer_epoch = -1;
  bool verify_only = false;
  std::vector<PartitionIndex> partitions;
  void clear() {
    clear_base();
    verify_only = false;
    partitions.clear();
  }
};

struct AddOffsetsToTxnCall : Call<AddOffsetsToTxnCall, Api::add_offsets_to_txn> {
  std::string transactional_id;
  ProducerId producer_id = kNoProducerId;
  std::int16_t producer_epoch = -1;
  std::string group;
  void clear() { clear_base(); }
};

/// Offsets of a consumer group that become committed with the transaction.
struct TxnOffsetCommitCall : Call<TxnOffsetCommitCall, Api::txn_offset_commit> {
  std::string transactional_id;
  ProducerId producer_id = kNoProducerId;
  std::int16_t producer_epoch = -1;
  std::string group;
  std::string member_id;
  std::string instance_id;
  EntityId member{};
  std::int32_t generation = -1;
  std::vector<OffsetCommitCall::Item> items;
  void clear() {
    clear_base();
    items.clear();
  }
};

struct EndTxnCall : Call<EndTxnCall, Api::end_txn> {
  std::string transactional_id;
  ProducerId producer_id = kNoProducerId;  ///< out, with transaction.version 2: to be used from now on
  std::int16_t producer_epoch = -1;
  bool commit = false;
  void clear() { clear_base(); }
};

/// From a transaction coordinator to the leaders of the transaction's partitions.
struct WriteTxnMarkersCall : Call<WriteTxnMarkersCall, Api::write_txn_markers> {
  ProducerId producer_id = kNoProducerId;
  std::int16_t producer_epoch = -1;
  std::int32_t coordinator_epoch = -1;
  bool commit = false;
  std::uint64_t transaction = 0;  ///< the coordinator's own reference
  struct Item {
    PartitionIndex partition;
    ErrorCode error = ErrorCode::none;
  };
  std::vector<Item> items;
  std::uint32_t awaiting = 0;  ///< the broker's own: markers that still wait for replication
  void clear() {
    clear_base();
    items.clear();
    awaiting = 0;
  }
};

// ---- brokers to controller ----------------------------------------------------------------------------------------

struct BrokerHeartbeatCall : Call<BrokerHeartbeatCall, Api::broker_heartbeat> {
  BrokerId broker = kNoBroker;
  std::int64_t broker_epoch = -1;  ///< in: -1 asks to register; out: the epoch given
  std::uint32_t incarnation = 0;   ///< of the process that asks to register (incarnationId)
  /// In which this broker last shut down cleanly; -1: it did not (CleanShutdownFileHandler.java).
  std::int64_t previous_broker_epoch = -1;
  std::size_t metadata_offset = 0;  ///< how far it has read the metadata log
  bool want_shut_down = false;
  bool should_shut_down = false;  ///< response
  void clear() {
    clear_base();
    broker = kNoBroker;
    broker_epoch = -1;
    incarnation = 0;
    metadata_offset = 0;
    want_shut_down = false;
    should_shut_down = false;
    previous_broker_epoch = -1;
  }
};

/// A leader asks for the in-sync sets of any number of its partitions, and is answered for each (AlterPartitionRequest.json).
struct AlterPartitionCall : Call<AlterPartitionCall, Api::alter_partition> {
  struct Item {
    PartitionIndex partition;
    LeaderEpoch leader_epoch = kNoEpoch;
    std::int32_t partition_epoch = -1;  ///< in: as known; out: the new one
    /// Where its in-sync set begins in `brokers`, and how many are in it.
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    ErrorCode error = ErrorCode::none;  ///< response
  };
  BrokerId leader = kNoBroker;
  std::vector<Item> items;
  std::vector<BrokerId> brokers;     ///< of all items
  std::vector<std::int64_t> epochs;  ///< of `brokers`, as they last fetched; -1: not known (KIP-903)

  void add(Item item, std::span<const BrokerId> isr) {
    item.first = static_cast<std::uint32_t>(brokers.size());
    item.count = static_cast<std::uint32_t>(isr.size());
    items.push_back(item);
    brokers.insert(brokers.end(), isr.begin(), isr.end());
  }
  std::span<const BrokerId> isr(const Item& item) const {
    return std::span(brokers).subspan(item.first, item.count);
  }
  void clear() {
    clear_base();
    items.clear();
    brokers.clear();
    epochs.clear();
  }
};

struct MetadataChange;

/// A record of the metadata log, as a voter of the controllers' quorum keeps it.
struct RaftRecord {
  std::int32_t epoch = 0;  ///< of the leader that wrote it
  const MetadataChange* change = nullptr;
  friend bool operator==(const RaftRecord&, const RaftRecord&) = default;
};

/// No controller, by number.
inline constexpr std::int32_t kNoController = -1;

/// A broker follows the controller's metadata log (a KRaft observer's Fetch): asks for changes from number `from` on and is
/// answered when there are some. Changes never alter once written, so the call carries only their range. A voter of the
/// controllers' quorum fetches records that are not committed yet: the call carries them.
struct MetadataLogCall : Call<MetadataLogCall, Api::metadata_log> {
  std::size_t from = 0;
  std::size_t to = 0;  ///< response
  // of a quorum
  std::int32_t voter = kNoController;   ///< the voter that asks; kNoController: a broker
  std::int32_t epoch = 0;               ///< in: that its sender knows; out: that of the one that answers
  std::int32_t leader = kNoController;  ///< response
  std::int32_t last_epoch = 0;          ///< of a voter's last record
  std::size_t seen = 0;                 ///< up to where a broker has been sent records; response
  std::int32_t diverging_epoch =
      -1;  ///< response: the logs part; that epoch ends at diverging_end in the leader's
  std::size_t diverging_end = 0;
  std::vector<RaftRecord> records;  ///< response, for a voter
  std::uint32_t round = 0;          ///< the sender's own
  void clear() {
    clear_base();
    from = 0;
    to = 0;
    voter = kNoController;
    epoch = 0;
    leader = kNoController;
    last_epoch = 0;
    seen = 0;
    diverging_epoch = -1;
    diverging_end = 0;
    records.clear();
    round = 0;
  }
};

// ---- between controllers ------------------------------------------------------------------------------------------

struct VoteCall : Call<VoteCall, Api::vote> {
  std::int32_t candidate = kNoController;
  std::int32_t epoch = 0;  ///< in: of the election; out: of the one that answers
  std::int32_t last_epoch = 0;
  std::size_t end = 0;  ///< of the candidate's log
  bool pre_vote = false;
  std::int32_t leader = kNoController;  ///< response
  bool granted = false;                 ///< response
  std::uint32_t round = 0;              ///< the sender's own
  void clear() {
    clear_base();
    pre_vote = false;
    granted = false;
    leader = kNoController;
  }
};

/// A new leader says that it is.
struct BeginQuorumEpochCall : Call<BeginQuorumEpochCall, Api::begin_quorum_epoch> {
  std::int32_t epoch = 0;               ///< in: of the sender; out: of the one that answers
  std::int32_t leader = kNoController;  ///< in: the sender; out: whom the one that answers knows
  std::uint32_t round = 0;
  void clear() { clear_base(); }
};

/// A leader has resigned.
struct EndQuorumEpochCall : Call<EndQuorumEpochCall, Api::end_quorum_epoch> {
  std::int32_t epoch = 0;
  std::int32_t leader = kNoController;
  std::vector<std::int32_t> successors;  ///< preferred first
  std::uint32_t round = 0;
  void clear() {
    clear_base();
    successors.clear();
  }
};

// ---- before KRaft -------------------------------------------------------------------------------------------------

inline constexpr std::int64_t kNoSession = -1;

enum class ZooKeeperOp : std::uint8_t {
  create,       ///< a session, and with it /brokers/ids/N
  ping,         ///< the session lasts
  elect,        ///< creates /controller, where nobody has
  write,        ///< the controller's changes
  set_in_sync,  ///< a leader's own change of an in-sync set
  propagate,    ///< /isr_change_notification
  watch,        ///< waits until another version is there; tells who is alive and who is the controller
  close,        ///< the session
};

/// What a broker asks of ZooKeeper.
struct ZooKeeperCall : Call<ZooKeeperCall, Api::zookeeper> {
  struct Alive {
    BrokerId broker = kNoBroker;
    std::int64_t session = kNoSession;
    std::uint32_t incarnation = 0;
  };
  ZooKeeperOp op{};
  BrokerId broker = kNoBroker;
  std::int64_t session = kNoSession;  ///< response of create
  std::uint32_t incarnation = 0;
  std::uint64_t version = 0;  ///< of what is watched: as known; response
  std::int32_t controller_epoch = 0;
  std::size_t first = 0;  ///< number of the first of `changes` among those of this controller
  std::vector<const MetadataChange*> changes;
  bool conflict = false;            ///< response of write: some states have changed since they were read
  BrokerId controller = kNoBroker;  ///< response
  std::vector<Alive> alive;         ///< response
  void clear() {
    clear_base();
    version = 0;
    controller_epoch = 0;
    first = 0;
    changes.clear();
    conflict = false;
    controller = kNoBroker;
    alive.clear();
  }
};

/// The controller tells a broker what has changed (LeaderAndIsr, UpdateMetadata).
struct UpdateMetadataCall : Call<UpdateMetadataCall, Api::update_metadata> {
  BrokerId controller = kNoBroker;
  std::int32_t controller_epoch = 0;
  std::size_t to = 0;  ///< of the changes that have been written
  void clear() { clear_base(); }
};

}  // namespace models::kafka
