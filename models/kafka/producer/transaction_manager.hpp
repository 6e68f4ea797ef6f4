// A producer's side of transactions (TransactionManager.java): its transactional id, what it has told the coordinators, and
// in which state of a transaction it is.
//
// One request is under way at a time, in Kafka's order: find the coordinator, initialise, add partitions and offsets, end. The
// end waits until no batch is open any more. An abortable error leaves abort() as the only way on; a fatal one, nothing.
// transaction.version 0 and 1: partitions and offsets are named to the coordinator before anything is sent to them. 2
// (KIP-890): brokers do that, and every end of a transaction brings a new epoch.
//
// Model: these requests go over connections of their own, not over those of the batches.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/kafka/producer/sequences.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class TransactionOwner {
 public:
  virtual ~TransactionOwner() = default;
  /// An answer came: the sender may go on, or the application.
  virtual void transaction_moved() = 0;
};

/// What sendOffsetsToTransaction() is given (ConsumerGroupMetadata).
struct GroupMembership {
  std::string group;
  std::string member_id;
  std::string instance_id;
  EntityId member{};
  std::int32_t generation = -1;
};

class TransactionManager {
 public:
  enum class State : std::uint8_t {
    uninitialized,
    initializing,
    ready,
    in_transaction,
    committing,
    aborting,
    abortable_error,
    fatal_error,
  };

  TransactionManager(Cluster& cluster, Node& node, const ProducerConfig& config, std::string transactional_id,
                     Sequences& sequences, TransactionOwner& owner);

  const std::string& transactional_id() const { return id_; }
  State state() const { return state_; }
  bool is(State state) const { return state_ == state; }
  ErrorCode last_error() const { return last_error_; }

  // ---- the application ----
  /// initTransactions()
  void start();
  /// The process died or closed.
  void forget();
  void begin();
  /// sendOffsetsToTransaction(): added when offsets_pending() is false.
  void add_offsets(const GroupMembership& group, std::vector<OffsetCommitCall::Item> offsets);
  bool offsets_pending() const { return !offsets_.empty(); }
  /// commitTransaction() or abortTransaction(): over when the state is ready, or an error.
  void end(bool commit);

  // ---- the sender ----
  /// Batches for this partition may be sent: it is part of the transaction. Sees to it that it will be.
  bool may_send(PartitionIndex partition);
  /// Something was made part of a transaction that has not ended, and that the producer can still end.
  bool open() const { return state_ != State::fatal_error && (started_ || completing()); }
  bool completing() const { return state_ == State::committing || state_ == State::aborting; }
  /// What has not been sent yet is not to be sent any more.
  bool drops_unsent() const {
    return state_ == State::aborting || state_ == State::abortable_error || state_ == State::fatal_error;
  }
  /// All that can be done now; `batches_open`: some batch is waiting or on the wire.
  void run(bool batches_open);
  void batch_failed(ErrorCode error);

 private:
  enum class Request : std::uint8_t {
    none,
    find_coordinator,
    find_group,
    init_producer_id,
    add_partitions,
    add_offsets,
    offsets,
    end
  };

  Request next_request(bool batches_open) const;
  void send(Request request);
  void look_up(bool of_group);
  RpcChannel& channel(BrokerId broker);
  void on_found(BrokerId from, Ref<FindCoordinatorCall> call);
  void on_producer_id(BrokerId from, Ref<InitProducerIdCall> call);
  void on_partitions_added(BrokerId from, Ref<AddPartitionsToTxnCall> call);
  void on_offsets_added(BrokerId from, Ref<AddOffsetsToTxnCall> call);
  void on_offsets_committed(BrokerId from, Ref<TxnOffsetCommitCall> call);
  void on_ended(BrokerId from, Ref<EndTxnCall> call);
  /// True when the error is one after which the request is sent again; what must come before is arranged.
  bool again(ErrorCode error, BrokerId& coordinator);
  void wait(sim::Duration backoff);
  void go_on_in_new_epoch(const InitProducerIdCall& call);
  void fail(ErrorCode error, bool fatal);
  void finish_transaction();
  void moved() { owner_.transaction_moved(); }
  static bool fences(ErrorCode error) {
    return error == ErrorCode::invalid_producer_epoch || error == ErrorCode::producer_fenced;
  }

  Cluster& cluster_;
  Node& node_;
  const ProducerConfig& config_;
  std::string id_;
  Sequences& sequences_;
  TransactionOwner& owner_;
  bool v2_;
  bool bumps_;  // Rule::recovery_by_epoch

  State state_ = State::uninitialized;
  ErrorCode last_error_ = ErrorCode::none;
  bool started_ = false;  // something has been made part of the transaction
  bool end_requested_ = false;
  bool commits_ = false;
  bool epoch_bump_required_ = false;
  bool bumping_ = false;  // InitProducerId names the producer itself
  bool midway_ = false;   // a new epoch in a transaction that goes on, until its partitions are known
  Request under_way_ = Request::none;
  sim::Time not_before_{};
  BrokerId coordinator_ = kNoBroker;
  BrokerId group_coordinator_ = kNoBroker;
  std::size_t next_broker_;                     // asked next for a coordinator
  std::vector<PartitionIndex> partitions_;      // of the transaction
  std::vector<PartitionIndex> new_partitions_;  // not named to the coordinator yet
  GroupMembership group_;
  bool group_added_ = false;
  std::vector<OffsetCommitCall::Item> offsets_;
  std::vector<std::unique_ptr<RpcChannel>> channels_;  // by broker
  StepCell& offsets_step_;
  StepCell& end_sent_step_;
  StepCell& ended_step_;
  NodeTimer<std::function<void()>> timer_;
};

}  // namespace models::kafka
