// The transaction coordinator of a broker, for the transactional ids whose partition of __transaction_state this broker leads
// (TransactionCoordinator.scala, TransactionStateManager.scala, TransactionMarkerChannelManager.scala).
//
// A transaction is decided when PrepareCommit or PrepareAbort is in the log behind the high watermark; its client is answered
// then. Markers go to the leaders of its partitions until each has one, whoever they are by then; CompleteCommit or
// CompleteAbort follows. A new coordinator finds the last record of each id and goes on from there. A transaction that is open
// longer than its client's transaction.timeout.ms is aborted under a raised epoch, which fences the client.
//
// An id that has had no transaction for transactional.id.expiration.ms is forgotten, with a tombstone: its client is a stranger
// then (INVALID_PRODUCER_ID_MAPPING).
//
// Model: loading takes no time; a write of the transaction log waits for its replicas however long.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/kafka/group/coordinator_host.hpp"
#include "models/kafka/transaction/transaction_metadata.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class TransactionCoordinator {
 public:
  /// Tokens of CoordinatorHost::append that belong to it have this bit.
  static constexpr std::uint64_t kTokenBit = std::uint64_t{1} << 63;

  TransactionCoordinator(CoordinatorHost& host, Cluster& cluster);

  void elected(PartitionIndex partition, LeaderEpoch epoch, Offset log_end);
  void resigned(PartitionIndex partition);
  void crashed();
  /// The end of CoordinatorHost::append.
  void appended(std::uint64_t token, ErrorCode error);

  void receive(Ref<InitProducerIdCall> call);
  void receive(Ref<AddPartitionsToTxnCall> call);
  void receive(Ref<AddOffsetsToTxnCall> call);
  void receive(Ref<EndTxnCall> call);
  /// Who coordinates this id, as far as this broker knows.
  BrokerId find(std::string_view transactional_id);

  /// The id as this coordinator has it, or null. For tests.
  const TransactionMetadata* transaction(std::string_view transactional_id) const;

 private:
  /// What follows when the record is in the log.
  using Follow = std::variant<std::monostate, Ref<InitProducerIdCall>, Ref<AddPartitionsToTxnCall>,
                              Ref<AddOffsetsToTxnCall>, Ref<EndTxnCall>>;
  struct Entry {
    std::string id;
    TransactionMetadata now;
    TransactionMetadata next;  ///< being written while `pending`
    bool pending = false;
    bool fencing = false;             ///< the end being written is not the client's own
    bool failed_epoch_fence = false;  ///< the raised epoch may not be in the log: it is not raised again
    Offset end = 0;                   ///< log offset after the record being written
    std::uint64_t token = 0;          ///< of that write
    Follow then;
    std::uint64_t number = 0;                 ///< of the transaction whose markers are under way
    std::vector<PartitionIndex> unmarked;     ///< partitions whose marker has not been written
    std::vector<PartitionIndex> unaddressed;  ///< of these, those no request is under way for
  };
  struct Shard {
    LeaderEpoch epoch = kNoEpoch;
    std::map<std::string, Entry, std::less<>> entries;
  };

  Shard* shard_of(std::string_view id);
  Entry* entry_of(std::string_view id);
  /// The entry of the call's id and producer, or the error that it meets.
  template <class CallT>
  Entry* checked_entry(const CallT& call, ErrorCode& error);
  void write(PartitionIndex partition, Shard& shard, Entry& entry, TransactionMetadata next, Follow then);
  void written(PartitionIndex partition, Shard& shard, Entry& entry, ErrorCode error);
  void follow(Entry& entry, Follow then, ErrorCode error);
  /// Ends an ongoing transaction in its client's place, under a raised epoch (prepareFenceProducerEpoch).
  void fence(PartitionIndex partition, Shard& shard, Entry& entry, Follow then);
  template <class CallT>
  void add(Ref<CallT> call, const std::vector<PartitionIndex>& partitions);
  void verify(Ref<AddPartitionsToTxnCall> call);
  void prepare_markers(Entry& entry);
  void send_markers(Shard& shard, Entry& entry);
  void complete(PartitionIndex home, Shard& shard, Entry& entry);
  void on_markers(BrokerId from, Ref<WriteTxnMarkersCall> call);
  void abort_timed_out();
  void remove_expired();
  void retry_markers();
  /// Until this broker dies of it.
  template <class Visit>
  void each_entry(Visit&& visit);
  RpcChannel& channel(BrokerId broker);
  template <class CallT>
  void reply(Ref<CallT> call, ErrorCode error) {
    call->error = error;
    host_.answer(AnyCall(std::move(call)));
  }

  CoordinatorHost& host_;
  Cluster& cluster_;
  std::map<PartitionIndex, Shard> shards_;
  std::vector<std::unique_ptr<RpcChannel>> channels_;  // by broker, made when first needed
  std::vector<PartitionIndex> scratch_;
  std::uint64_t next_number_ = 1;
  StepCell& prepared_step_;
  NodeTimer<std::function<void()>> abort_timer_;
  NodeTimer<std::function<void()>> retry_timer_;
  NodeTimer<std::function<void()>> expiry_timer_;
};

}  // namespace models::kafka
