// The share coordinator of a broker: keeps what leaders of partitions say of their in-flight records, for the partitions of
// __share_group_state that this broker leads (ShareCoordinatorShard.java, ShareCoordinatorService.java).
//
// A write is answered once the high watermark has passed its record. Of two leaders of a partition the one with the older epoch
// is fenced, from the moment that the newer one has read on, which is a write of its epoch. A new coordinator finds what its log
// holds.
//
// Model: every write is one record, of about the size of a ShareUpdateValue; loading takes no time; a write waits for its
// replicas however long.
#pragma once

#include <deque>
#include <map>

#include "models/kafka/cluster.hpp"
#include "models/kafka/group/coordinator_host.hpp"
#include "models/kafka/share/share_state_store.hpp"

namespace models::kafka {

class ShareCoordinator {
 public:
  /// Tokens of CoordinatorHost::append that belong to it have this bit.
  static constexpr std::uint64_t kTokenBit = std::uint64_t{1} << 62;

  ShareCoordinator(CoordinatorHost& host, Cluster& cluster) : host_(host), cluster_(cluster) {}

  void elected(PartitionIndex partition, LeaderEpoch epoch, Offset log_end);
  void resigned(PartitionIndex partition);
  void crashed() { shards_.clear(); }
  /// The end of CoordinatorHost::append.
  void appended(std::uint64_t token, ErrorCode error);
  /// What CoordinatorHost::append has taken, from that of token `first` on, will never be in the log, which ends at `log_end`.
  void refused(PartitionIndex partition, std::uint64_t first, Offset log_end);
  void receive(Ref<ShareGroupStateCall> call);

  /// As this coordinator has it, what is being written included; null where it has nothing. For tools and tests.
  const ShareGroupState* state(const ShareKey& key) const;

 private:
  struct Waiting {
    std::uint64_t token = 0;
    Offset end = 0;
    Ref<ShareGroupStateCall> call;
  };
  struct Shard {
    LeaderEpoch epoch = kNoEpoch;
    std::map<ShareKey, ShareGroupState> states;
    std::deque<Waiting> waiting;
  };
  void write(PartitionIndex kept_in, Shard& shard, const ShareKey& key, Ref<ShareGroupStateCall> call);
  void reply(Ref<ShareGroupStateCall> call, ErrorCode error);

  CoordinatorHost& host_;
  Cluster& cluster_;
  std::map<PartitionIndex, Shard> shards_;
  std::uint64_t next_write_ = 1;
};

}  // namespace models::kafka
