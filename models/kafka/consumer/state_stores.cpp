#include "models/kafka/consumer/state_stores.hpp"

#include <algorithm>

#include "models/kafka/broker/replica.hpp"

namespace models::kafka {

StateStores::StateStores(Cluster& cluster, const GroupOptions& options)
    : cluster_(cluster),
      options_(*options.streams),
      changelog_(*cluster.find_topic(options.transform->to)),
      members_(options.members),
      stores_(cluster.partitions().size()) {
  for (Store& store : stores_) store.held.assign(members_, kNothing);
}

Offset StateStores::changelog_end(PartitionIndex p) const {
  const TopicInfo& topic = cluster_.topic(changelog_);
  const auto number = static_cast<std::uint32_t>(cluster_.partition(p).number % topic.partitions);
  const ReplicaLog* line = cluster_.shared(PartitionIndex{topic.first.value + number}).line;
  return line == nullptr ? kNothing : line->end();
}

bool StateStores::is_standby(std::uint32_t member, PartitionIndex p) const {
  const auto place = static_cast<std::uint32_t>(cluster_.partition(p).number) % members_;
  return (member + members_ - place) % members_ <=
         static_cast<std::uint32_t>(options_.config.num_standby_replicas);
}

void StateStores::note_owner(PartitionIndex p) {
  Store& store = stores_[p.value];
  if (store.owner != kNobody) store.held[store.owner] = changelog_end(p);
}

sim::Duration StateStores::open(std::uint32_t member, PartitionIndex p) {
  note_owner(p);
  Store& store = stores_[p.value];
  const Offset end = changelog_end(p);
  const bool current = options_.config.num_standby_replicas > 0 && is_standby(member, p);
  const Offset missing = current ? 0 : end - std::min(end, store.held[member]);
  store.owner = member;
  return missing * options_.restore;
}

void StateStores::crashed(std::uint32_t member) {
  for (std::uint32_t p = 0; p < stores_.size(); ++p) {
    Store& store = stores_[p];
    if (store.owner == member) {
      note_owner(PartitionIndex{p});
      store.owner = kNobody;
    }
    if (options_.config.exactly_once) store.held[member] = kNothing;
  }
}

}  // namespace models::kafka
