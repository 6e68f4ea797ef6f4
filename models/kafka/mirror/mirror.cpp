#include "models/kafka/mirror/mirror.hpp"

#include "models/kafka/mirror/checkpoints.hpp"
#include "models/kafka/mirror/mirror_task.hpp"
#include "sim/assert.hpp"

namespace models::kafka {

Mirror::Mirror(Cluster& from, Cluster& to, MirrorOptions options, std::vector<std::string> groups)
    : from_(from),
      to_(to),
      options_(std::move(options)),
      groups_(std::move(groups)),
      copies_(from.partitions().size()),
      syncs_(from.partitions().size()) {
  for (const std::string& name : options_.topics) {
    const std::optional<TopicIndex> source = from.find_topic(name);
    const std::optional<TopicIndex> remote = to.find_topic(options_.remote_topic(name));
    MQLAB_ASSERT(source && remote, "a mirror's topics are at both clusters: " + name);
    remote_topics_.push_back(*remote);
    const TopicInfo& topic = from.topic(*source);
    const TopicInfo& copy = to.topic(*remote);
    MQLAB_ASSERT(copy.partitions >= topic.partitions_most, "a copy has a partition for each of its source");
    for (std::uint32_t n = 0; n < static_cast<std::uint32_t>(topic.partitions_most); ++n) {
      partitions_.push_back(PartitionIndex{topic.first.value + n});
      copies_[partitions_.back().value] = PartitionIndex{copy.first.value + n};
    }
  }
}

GroupOptions Mirror::group_options(const MirrorOptions& options) {
  GroupOptions group;
  group.name = options.name;
  group.cluster = options.from;
  group.topics = options.topics;
  group.members = static_cast<std::uint32_t>(options.config.tasks_max);
  group.commit = CommitMode::automatic;
  group.rack = options.rack;
  group.zone = options.zone;
  group.region = options.region;
  group.config.auto_offset_reset = AutoOffsetReset::earliest;  // MirrorConnectorConfig.sourceConsumerConfig
  group.config.auto_commit_interval = options.config.offset_flush_interval;
  return group;
}

void Mirror::tell() const {
  for (const PartitionIndex p : partitions_) {
    from_.context().emit(Kind::mirrors, {.actor = group_.value,
                                         .place = to_.partition(copies_[p.value]).entity.value,
                                         .peer = from_.partition(p).entity.value});
  }
}

std::unique_ptr<Outlet> Mirror::make_task(Node& node, OutletOwner& owner) {
  std::unique_ptr<Checkpoints> checkpoints;
  if (!has_checkpoints_) checkpoints = std::make_unique<Checkpoints>(*this, node);
  has_checkpoints_ = true;
  return std::make_unique<MirrorTask>(*this, node, owner, std::move(checkpoints));
}

}  // namespace models::kafka
