// A broker's fetcher thread for one source broker: copies partitions that the source leads and this broker follows
// (AbstractFetcherThread.java, ReplicaFetcherThread.scala). There are num.replica.fetchers of them for each source.
//
// One fetch is under way at a time, over an incremental session. Truncation is decided on fetch: the follower tells the epoch
// of its last record, the leader answers with the point where the logs diverge (KIP-595, KIP-279), and the follower cuts its
// log to the smaller of the leader's and its own end of that epoch. Older rules (protocol_rules.hpp) truncate before the first
// fetch from a new leader: to where that says the follower's last epoch ends (OffsetForLeaderEpoch, KIP-101), or to the
// follower's own high watermark.
//
// Model: a fetch that is out of range is answered with the leader's log start and end; Kafka's follower asks for them
// (ListOffsets).
// Model: a follower that has diverged may ask for the rest of a batch and gets it; Kafka's would get the whole batch, refuse
// it (UnexpectedAppendOffsetException) and give the partition up.
#pragma once

#include <functional>
#include <vector>

#include "models/kafka/broker/replica.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/rpc.hpp"

namespace models::kafka {

class ReplicaFetcher {
 public:
  /// The `number`th of this broker's from that one.
  ReplicaFetcher(Broker& broker, BrokerId source, std::int32_t number);

  void add(Replica& replica);
  void remove(PartitionIndex p);
  /// What had come is written now.
  void disk_goes_on();
  /// Forgets everything: the broker crashed.
  void stop();

 private:
  struct Entry {
    Replica* replica;
    bool changed = false;       // the source does not know its present offset
    sim::Time delayed_until{};  // after an error
    bool known = false;         // stands in the source's session
    bool truncating =
        false;  // fetches nothing before its log has been cut (AbstractFetcherThread: Truncating)
  };
  void send();
  void on_fetched(BrokerId, Ref<FetchCall> call);
  void take(const Ref<FetchCall>& call);
  void apply(const FetchedPartition& fetched, const FetchCall& call);
  /// Cuts what can be cut at once, and asks for the rest. True when an answer is waited for.
  bool truncate_first();
  void on_epoch_ends(BrokerId, Ref<OffsetForLeaderEpochCall> call);
  /// Cuts the log to where the leader's answer says. False when that was not all (KIP-279).
  bool truncate(Entry& entry, EpochEnd leaders);
  void change(Entry& entry);
  void delay(Entry& entry);
  Entry* find(PartitionIndex p);
  void restart_session();

  Broker& broker_;
  EntityId name_;  ///< by which the source tells the sessions of this broker's fetchers apart
  RpcChannel channel_;
  std::vector<Entry> entries_;           // sorted by partition
  std::vector<PartitionIndex> changed_;  // those, and some that have been removed
  std::vector<PartitionIndex> forgotten_;
  std::uint64_t session_ = 0;
  bool in_flight_ = false;
  Ref<FetchCall> held_;  // an answer that waits for the disk
  sim::Time backing_off_until_{};
  NodeTimer<std::function<void()>> retry_timer_;
  NodeTimer<std::function<void()>> write_timer_;
};

}  // namespace models::kafka
