#include "models/kafka/consumer/effect_site.hpp"

#include "models/kafka/broker/replica.hpp"

namespace models::kafka {

MessageRun messages_at(Cluster& cluster, PartitionIndex partition, LeaderEpoch epoch, Offset offset) {
  const Branch& branch = cluster.shared(partition).store.branch(epoch);
  const Extent& extent = branch[branch.find(offset)];
  return {extent.lane, extent.first_seq + (offset - extent.base), extent.end() - offset};
}

EffectSite::EffectSite(Cluster& cluster, const GroupOptions& group) : cluster_(cluster) {
  if (group.effect) {
    const ProcessedIds ids = group.effect->processed_ids;
    keyed_ = group.effect->idempotency_key || ids != ProcessedIds::none;
    if (ids == ProcessedIds::after_effect || ids == ProcessedIds::before_effect) two_ = ids;
  }
  if (group.effect && group.effect->fencing_token) tokens_.resize(cluster.partitions().size());
  if (group.commit == CommitMode::with_effect) offsets_.resize(cluster.partitions().size());
}

bool EffectSite::known(PartitionIndex partition, LeaderEpoch epoch, Offset offset) {
  const MessageRun message = messages_at(cluster_, partition, epoch, offset);
  return seen(message.lane).at(message.first_seq) > 0;
}

void EffectSite::remember(PartitionIndex partition, LeaderEpoch epoch, Offset offset) {
  const MessageRun message = messages_at(cluster_, partition, epoch, offset);
  seen(message.lane).add(message.first_seq, message.first_seq + 1);
}

}  // namespace models::kafka
