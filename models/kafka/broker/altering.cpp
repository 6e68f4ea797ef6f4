// Settings of topics that change while the cluster is in use (ConfigurationControlManager.incrementalAlterConfigs), and leaders
// that lack records, chosen because somebody asks for them or has come to allow it (ReplicationControlManager.electLeader,
// maybeElectUncleanLeaders).
//
// What is written here takes effect at a broker when it reads of it (Broker::note). The controller itself goes by it at once.
// That an unclean election is allowed now is noticed by a look every unclean.leader.election.interval.ms, the first so long
// after somebody was left without a leader; ZooKeeper's controller looks when it hears of the setting
// (KafkaController.processTopicUncleanLeaderElectionEnable).
//
// Model: with ZooKeeper, too, settings go through the controller; kafka-configs writes them itself, and brokers have a watch on
// them.
#include <algorithm>
#include <memory>

#include "models/kafka/broker/controller.hpp"

namespace models::kafka {

const TopicConfig& Controller::config(TopicIndex topic) const {
  const TopicConfig* const altered = find_altered(altered_, topic);
  return altered == nullptr ? cluster_.topic(topic).config : *altered;
}

bool Controller::alter_config(TopicIndex topic, const TopicConfig& config) {
  const TopicInfo& info = cluster_.topic(topic);
  if (!exists(info.first)) return false;  // UNKNOWN_TOPIC_OR_PARTITION
  const bool in_sync = config.min_insync_replicas != this->config(topic).min_insync_replicas;
  write({.config = std::make_shared<const TopicConfig>(config), .topic = topic});
  if (in_sync && has_elr()) forget_eligible(topic);
  if (leaderless_ == 0) return true;
  if (cluster_.options().zookeeper) {
    elect_leaderless();
  } else if (!unclean_timer_.armed()) {
    const sim::Duration every = cluster_.options().config.unclean_leader_election_interval;
    const sim::Duration since = cluster_.context().now() - leaderless_since_;
    unclean_timer_.arm_after(every - since % every);
  }
  return true;
}

/// ClearElrRecord: who was eligible by another number of replicas in sync is so no longer (docs/ops.html of 4.1: "If
/// min.insync.replicas is updated for a topic, the ELR field will be cleaned").
void Controller::forget_eligible(TopicIndex topic) {
  const TopicInfo& info = cluster_.topic(topic);
  for (std::uint32_t n = 0; n < static_cast<std::uint32_t>(info.partitions_most); ++n) {
    const PartitionIndex p{info.first.value + n};
    if (!exists(p) || (now(p).elr.empty() && now(p).last_known_leader == kNoBroker)) continue;
    PartitionState next = now(p);
    next.elr.clear();
    next.last_known_leader = kNoBroker;
    write(p, std::move(next));
  }
}

void Controller::count_leaderless() {
  leaderless_ = static_cast<std::int32_t>(std::count_if(
      partitions_.begin(), partitions_.end(),
      [](const PartitionState* state) { return state->exists() && state->leader == kNoBroker; }));
  leaderless_since_ = cluster_.context().now();
}

void Controller::elect_leaderless() {
  bool more = false;
  for (std::uint32_t n = 0; n < partitions_.size() && leaderless_ > 0; ++n) {
    const PartitionIndex p{n};
    if (exists(p) && now(p).leader == kNoBroker && unclean_allowed(p)) more = !elect_unclean(p) || more;
  }
  if (more && !cluster_.options().zookeeper)
    unclean_timer_.arm_after(cluster_.options().config.unclean_leader_election_interval);
}

bool Controller::elect_unclean(PartitionIndex p) {
  if (!exists(p) || now(p).leader != kNoBroker) return false;  // ELECTION_NOT_NEEDED
  PartitionState next = now(p);
  const Election election = elect(p, next, true);
  if (next.leader == kNoBroker) return false;  // ELIGIBLE_LEADERS_NOT_AVAILABLE
  next.last_known_leader = kNoBroker;
  next.leader_epoch = now(p).leader_epoch + 1;
  write(p, std::move(next), election);
  return true;
}

bool Controller::elect_unclean(TopicIndex topic) {
  const TopicInfo& info = cluster_.topic(topic);
  bool changed = false;
  for (std::uint32_t n = 0; n < static_cast<std::uint32_t>(info.partitions_most); ++n)
    changed |= elect_unclean(PartitionIndex{info.first.value + n});
  return changed;
}

}  // namespace models::kafka
