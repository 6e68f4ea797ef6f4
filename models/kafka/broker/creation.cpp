// Topics and partitions that are added to a cluster in use (ReplicationControlManager.createTopics, createPartitions).
#include "models/kafka/broker/controller.hpp"

namespace models::kafka {

sim::Duration Controller::muted(const Asker& asker) const {
  if (!asker.permissive) return {};
  return mutations_.muted(asker.client, cluster_.context().now());
}

bool Controller::create_topic(TopicIndex topic, const Asker& asker) {
  const TopicInfo& info = cluster_.topic(topic);
  if (exists(info.first)) return false;  // TOPIC_ALREADY_EXISTS
  const std::int32_t count = info.partitions_created;
  // The policy is asked first (ReplicationControlManager.createTopic), and of operators, too.
  if (count > cluster_.options().create_topic_policy.partitions_max) {
    refuse(topic, asker, count, RefusalCode::against_policy, ErrorCode::policy_violation);
    return true;
  }
  return !within_quota(topic, asker, count) || begin_partitions(topic, 0, count);
}

bool Controller::create_partitions(TopicIndex topic, std::int32_t count, const Asker& asker) {
  const TopicInfo& info = cluster_.topic(topic);
  if (!exists(info.first)) return false;  // UNKNOWN_TOPIC_OR_PARTITION
  std::int32_t have = 1;
  while (have < count && exists(PartitionIndex{info.first.value + static_cast<std::uint32_t>(have)})) ++have;
  if (have == count) return false;  // INVALID_PARTITIONS
  return !within_quota(topic, asker, count - have) || begin_partitions(topic, have, count);
}

/// Only active replicas begin in sync, the first of them leads.
bool Controller::begin_partitions(TopicIndex topic, std::int32_t from, std::int32_t to) {
  const PartitionIndex first = cluster_.topic(topic).first;
  bool created = false;
  for (std::int32_t n = from; n < to; ++n) {
    const PartitionIndex p{first.value + static_cast<std::uint32_t>(n)};
    if (exists(p)) continue;
    PartitionState begun{kNoBroker, 0, -1, {}};
    for (const BrokerId b : cluster_.partition(p).replicas) {
      if (active(b)) begun.isr.push_back(b);
    }
    if (begun.isr.empty()) return created;  // INVALID_REPLICA_ASSIGNMENT
    begun.leader = begun.isr.front();
    write(p, std::move(begun));
    created = true;
  }
  return created;
}

bool Controller::within_quota(TopicIndex topic, const Asker& asker, std::int32_t partitions) {
  if (asker.client.empty()) return true;
  if (mutations_.accept(asker.client, asker.permissive, partitions, cluster_.context().now())) return true;
  refuse(topic, asker, partitions, RefusalCode::over_quota, ErrorCode::throttling_quota_exceeded);
  return false;
}

void Controller::refuse(TopicIndex topic, const Asker& asker, std::int32_t partitions, RefusalCode code,
                        ErrorCode error) {
  const Context& context = cluster_.context();
  const std::string name{error_name(error)};
  EntityId told = context.entities.find(name);
  if (told == EntityId{}) told = context.entities.add(EntityKind::error, name);
  EntityId client = context.entities.find(asker.client);
  if (client == EntityId{}) client = context.entities.find(asker.client + "/0");
  context.emit(Kind::operation_refused, {.code = static_cast<std::uint16_t>(code),
                                         .actor = asker.client.empty() ? node_.entity().value : client.value,
                                         .place = cluster_.topic(topic).entity.value,
                                         .peer = told.value,
                                         .a = partitions});
}

}  // namespace models::kafka
