#include "models/kafka/quorum/metadata_log.hpp"

#include <algorithm>
#include <utility>

#include "models/kafka/broker/replica.hpp"

namespace models::kafka {

const TopicConfig* find_altered(const AlteredConfigs& altered, TopicIndex topic) {
  const auto at =
      std::find_if(altered.begin(), altered.end(), [topic](const auto& one) { return one.first == topic; });
  return at == altered.end() ? nullptr : at->second.get();
}

void alter(AlteredConfigs& altered, TopicIndex topic, std::shared_ptr<const TopicConfig> config) {
  const auto at =
      std::find_if(altered.begin(), altered.end(), [topic](const auto& one) { return one.first == topic; });
  if (at == altered.end())
    altered.emplace_back(topic, std::move(config));
  else
    at->second = std::move(config);
}

void MetadataLog::start() {
  for (std::int32_t b = 0; b < cluster_.broker_count(); ++b)
    brokers_.push_back({.epoch = b + 1, .fenced = false});
  first_.reserve(cluster_.partitions().size());
  for (const PartitionInfo& partition : cluster_.partitions()) {
    const PartitionIndex p{static_cast<std::uint32_t>(first_.size())};
    if (partition.number >= cluster_.topic_of(p).partitions) {
      first_.push_back({kNoBroker, kNoEpoch, -1, {}});
      continue;
    }
    first_.push_back({partition.replicas.front(), 0, 0, partition.replicas});
    if (!cluster_.topic_of(p).internal) tell_in_sync(p, first_.back());
  }
  for (const PartitionState& state : first_) states_.push_back(&state);
}

const MetadataChange& MetadataLog::store(MetadataChange change) {
  if (free_.empty()) return changes_.emplace_back(std::move(change));
  MetadataChange& place = *free_.back();
  free_.pop_back();
  return place = std::move(change);
}

void MetadataLog::read(BrokerId broker, std::size_t n) {
  read_.resize(brokers_.size());
  read_[static_cast<std::size_t>(broker.value)] = n;
  std::size_t all = *std::min_element(read_.begin(), read_.end());
  if (cluster_.options().controllers > 1) {
    // The newest stays in every voter's log: it tells the log's last epoch.
    all = std::min(all, std::max<std::size_t>(committed(), 1) - 1);
    const auto holds = [all](const MetadataKeeper* keeper) { return keeper->holds(all); };
    if (all <= forgotten_ || !std::all_of(keepers_.begin(), keepers_.end(), holds)) return;
    for (MetadataKeeper* const keeper : keepers_) keeper->forget_below(all);
  }
  if (all <= forgotten_) return;
  retry_.swap(in_use_);
  for (const MetadataChange* const gone : retry_) release(gone);
  retry_.clear();
  while (forgotten_ < all) forget_first();
}

/// The newest change of a partition stays: its state is what everybody points to.
void MetadataLog::forget_first() {
  const MetadataChange* gone = committed_.front();
  committed_.pop_front();
  ++forgotten_;
  newest_.resize(first_.size());
  const bool of_partition = !gone->control && !gone->config && gone->broker == kNoBroker;
  if (of_partition) std::swap(gone, newest_[gone->partition.value]);
  if (gone != nullptr) release(gone);
}

void MetadataLog::release(const MetadataChange* gone) {
  const bool used = std::any_of(keepers_.begin(), keepers_.end(),
                                [gone](const MetadataKeeper* keeper) { return keeper->uses(*gone); });
  if (used)
    in_use_.push_back(gone);
  else
    free_.push_back(const_cast<MetadataChange*>(gone));
}

void MetadataLog::commit(const MetadataChange& change) {
  committed_.push_back(&change);
  if (change.control) return;
  if (change.config) return alter(altered_, change.topic, change.config);
  if (change.broker == kNoBroker) {
    const PartitionState& before = state(change.partition);
    if (change.election != Election::kept) tell_election(change.partition, change.state, change.election);
    if (change.state.isr != before.isr) tell_in_sync(change.partition, change.state);
    states_[change.partition.value] = &change.state;
    return;
  }
  RegisteredBroker& broker = brokers_[static_cast<std::size_t>(change.broker.value)];
  broker.epoch = change.broker_epoch;
  broker.fenced = change.fenced;
  broker.shutting_down = change.shutting_down;
  if (change.code == BrokerCode::registered) broker.incarnation = change.incarnation;
  cluster_.context().emit(Kind::broker_state, {.code = static_cast<std::uint16_t>(change.code),
                                               .actor = cluster_.node(change.broker).entity().value});
}

void MetadataLog::tell_election(PartitionIndex p, const PartitionState& next, Election election) {
  if (election == Election::clean) return;  // told by the leader when it hears of it
  if (election == Election::unclean) cluster_.shared(p).gave_up = true;
  const bool offline = next.leader == kNoBroker;
  cluster_.context().emit(
      Kind::leader_changed,
      {.code = static_cast<std::uint16_t>(offline ? LeaderCode::offline : LeaderCode::unclean),
       .actor = offline ? 0 : cluster_.node(next.leader).entity().value,
       .place = cluster_.partition(p).entity.value,
       .a = next.leader_epoch,
       .b = -1});
}

void MetadataLog::tell_in_sync(PartitionIndex p, const PartitionState& state) {
  std::vector<std::int64_t> members;
  for (const BrokerId b : state.isr) members.push_back(cluster_.node(b).entity().value);
  cluster_.context().emit(
      Kind::isr_changed,
      {.actor = state.leader == kNoBroker ? 0 : cluster_.node(state.leader).entity().value,
       .place = cluster_.partition(p).entity.value,
       .a = state.partition_epoch,
       .b = static_cast<std::int64_t>(state.isr.size())},
      members);
}

}  // namespace models::kafka
