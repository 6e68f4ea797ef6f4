// Reads and writes the state of share partitions for their leader, from and to share coordinators
// (DefaultStatePersister.java, PersisterStateManager.java).
//
// What fails because a coordinator is away is tried again, five times with a back-off of a second and more; what a newer leader
// has fenced is not.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/kafka/share/share_state_store.hpp"
#include "models/network/node.hpp"
#include "sim/random.hpp"

namespace models::kafka {

class SharePersister {
 public:
  /// `done(call)` runs once for each request with call->error set, unless the broker crashes first.
  using Done = std::function<void(Ref<ShareGroupStateCall>)>;
  SharePersister(Cluster& cluster, Node& node, std::function<BrokerId(PartitionIndex)> leader, Done done);

  void read(const ShareKey& key, LeaderEpoch epoch, std::uint64_t token);
  void write(const ShareKey& key, LeaderEpoch epoch, Offset start_offset,
             std::span<const ShareStateBatch> changes, std::uint64_t token);
  void crashed();

 private:
  struct Request {
    Ref<ShareGroupStateCall> call;
    std::uint32_t failures = 0;
    sim::Time retry_at = sim::kNever;
  };
  void add(Ref<ShareGroupStateCall> call);
  void send(Request& request);
  void on_answer(BrokerId from, Ref<ShareGroupStateCall> call);
  void failed(Request& request, ErrorCode error);
  void retry();
  void arm();

  Cluster& cluster_;
  Node& node_;
  std::function<BrokerId(PartitionIndex)> leader_;
  Done done_;
  std::vector<std::unique_ptr<RpcChannel>> channels_;  // by broker, made when first needed
  std::vector<Request> requests_;
  sim::Stream jitter_;
  NodeTimer<std::function<void()>> retry_timer_;
};

}  // namespace models::kafka
