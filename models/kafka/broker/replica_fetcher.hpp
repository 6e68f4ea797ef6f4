// A broker's fetcher thread for one source broker: copies the partitions that the source leads and this broker follows
// (AbstractFetcherThread.java, ReplicaFetcherThread.scala; num.replica.fetchers = 1).
//
// One fetch is under way at a time, over an incremental session. Truncation is decided on fetch: the follower tells the epoch
// of its last record, the leader answers with the point where the logs diverge (KIP-595, KIP-279), and the follower cuts its
// log to the smaller of the leader's and its own end of that epoch.
#pragma once

#include <functional>
#include <vector>

#include "models/kafka/broker/replica.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/rpc.hpp"

namespace models::kafka {

class ReplicaFetcher {
 public:
  ReplicaFetcher(Broker& broker, BrokerId source);

  void add(Replica& replica);
  void remove(PartitionIndex p);
  /// Forgets everything: the broker crashed.
  void stop();

 private:
  struct Entry {
    Replica* replica;
    bool changed = true;        // the source does not know its present offset
    sim::Time delayed_until{};  // after an error
    bool known = false;         // stands in the source's session
  };
  void send();
  void on_fetched(BrokerId, Ref<FetchCall> call);
  void apply(const FetchedPartition& fetched);
  void truncate(Entry& entry, const FetchedPartition& fetched);
  Entry* find(PartitionIndex p);
  void restart_session();

  Broker& broker_;
  RpcChannel channel_;
  std::vector<Entry> entries_;  // sorted by partition
  std::vector<PartitionIndex> forgotten_;
  std::uint64_t session_ = 0;
  bool in_flight_ = false;
  sim::Time backing_off_until_{};
  NodeTimer<std::function<void()>> retry_timer_;
};

}  // namespace models::kafka
