// Whether anything is under way.
#include <algorithm>

#include "models/kafka/broker/broker.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/consumer/consumer.hpp"
#include "models/kafka/consumer/group.hpp"
#include "models/kafka/consumer/share_consumer.hpp"
#include "models/kafka/producer/producer.hpp"
#include "models/kafka/share/share_partition_manager.hpp"
#include "models/kafka/system.hpp"

namespace models::kafka {

bool System::all_down(Cluster& cluster) {
  for (std::int32_t b = 0; b < cluster.broker_count(); ++b) {
    if (cluster.node(BrokerId{b}).up()) return false;
  }
  return true;
}

bool System::idle() const {
  // A region that stays lost is not waited for.
  const auto lost = [this](Cluster& cluster) { return clusters_.size() > 1 && all_down(cluster); };
  return std::all_of(producers_.begin(), producers_.end(),
                     [](const Sending& one) { return one.standing_by || one.producer->idle(); }) &&
         std::none_of(clusters_.begin(), clusters_.end(),
                      [&](const auto& cluster) { return cluster->producing() && !lost(*cluster); }) &&
         std::all_of(groups_.begin(), groups_.end(),
                     [&](const auto& g) { return lost(g->cluster()) || (g->idle() && read_to_the_end(*g)); });
}

/// Nothing is left in flight, and nothing behind it.
bool System::shared_to_the_end(ConsumerGroup& group, PartitionIndex p) const {
  Cluster& cluster = group.cluster();
  const BrokerId leader = cluster.metadata_log().state(p).leader;
  if (leader == kNoBroker) return false;
  Broker& broker = cluster.broker(leader);
  const Offset end = broker.replica(p)->log.end();
  const SharePartition* const shared = broker.shares()->find({group.entity(), p});
  return shared == nullptr ? end == 0 : shared->start_offset() >= end;
}

bool System::read_to_the_end(ConsumerGroup& group) const {
  if (group.shared()) {
    const auto& all = group.share_members();
    if (std::none_of(all.begin(), all.end(), [](const auto& m) { return m->running(); })) return true;
  }
  const auto& members = group.members();
  const auto running = [](const auto& member) { return member->running(); };
  if (!group.shared() && std::none_of(members.begin(), members.end(), running))
    return true;  // nobody is left to read
  Cluster& cluster = group.cluster();
  const auto end_of = [&](PartitionIndex p) -> std::optional<Offset> {
    const BrokerId leader = cluster.metadata_log().state(p).leader;
    if (leader == kNoBroker) return std::nullopt;
    return cluster.broker(leader).replica(p)->log.end();
  };
  std::vector<bool> read(cluster.partitions().size());  // by some member; a position beyond the end: a
                                                        // truncation that is to be found out yet
  for (const auto& member : members) {
    if (!member->running()) continue;
    const Assignment& held = member->assignment();
    for (const PartitionIndex p : held.partitions())
      if (held.can_fetch(p) && held[p].position == end_of(p)) read[p.value] = true;
  }
  for (const TopicIndex t : group.topics()) {
    const TopicInfo& topic = cluster.topic(t);
    for (std::uint32_t n = 0; n < static_cast<std::uint32_t>(topic.partitions_most); ++n) {
      const PartitionIndex p{topic.first.value + n};
      if (!cluster.metadata_log().state(p).exists()) continue;
      if (group.shared()) {
        if (!shared_to_the_end(group, p)) return false;
        continue;
      }
      if (!read[p.value]) return false;
    }
  }
  return true;
}

}  // namespace models::kafka
