#include "models/kafka/consumer/effect_site.hpp"

#include "models/kafka/broker/replica.hpp"

namespace models::kafka {

MessageRun messages_at(Cluster& cluster, PartitionIndex partition, LeaderEpoch epoch, Offset offset) {
  const Branch& branch = cluster.shared(partition).store.branch(epoch);
  const Extent& extent = branch[branch.find(offset)];
  return {extent.lane, extent.first_seq + (offset - extent.base), extent.end() - offset};
}

}  // namespace models::kafka
