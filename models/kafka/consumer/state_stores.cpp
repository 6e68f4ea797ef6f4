#include "models/kafka/consumer/state_stores.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "models/kafka/broker/replica.hpp"

namespace models::kafka {

StateStores::StateStores(Cluster& cluster, const GroupOptions& options)
    : cluster_(cluster),
      options_(*options.streams),
      changelog_(*cluster.find_topic(options.transform->to)),
      members_(options.members),
      stores_(cluster.partitions().size()) {
  for (Store& store : stores_) store.held.assign(members_, kNothing);
  if (options_.windows) changes_ = std::make_unique<ChangeBook>();
}

const ReplicaLog* StateStores::changelog(PartitionIndex p) const {
  const TopicInfo& topic = cluster_.topic(changelog_);
  const auto number = static_cast<std::uint32_t>(cluster_.partition(p).number % topic.partitions);
  return cluster_.shared(PartitionIndex{topic.first.value + number}).line;
}

Offset StateStores::changelog_end(PartitionIndex p) const {
  const ReplicaLog* line = changelog(p);
  return line == nullptr ? kNothing : line->end();
}

void StateStores::visit_changes(const Extent& batch,
                                const std::function<void(const CountChange&)>& visit) const {
  for (std::int32_t i = 0; i < batch.count; ++i) {
    if (const CountChange* change = changes_->at(batch.lane, batch.first_seq + i)) visit(*change);
  }
}

void StateStores::for_each_change(PartitionIndex p,
                                  const std::function<void(const CountChange&)>& visit) const {
  const ReplicaLog* line = changelog(p);
  if (line == nullptr) return;
  const auto changes_of = [&](const Extent& batch) { visit_changes(batch, visit); };
  ChangelogReader reader;
  reader.read(*line, line->end(), changes_of);
  reader.finish(changes_of);
}

// ---- what the changelog counts ------------------------------------------------------------------------------------

void StateStores::Tally::add(const CountChange& change) {
  Window& window = windows[{change.window, change.key}];
  window.last = change.count;
  window.inputs.emplace_back(change.input.value, change.input_seq);
}

/// What a changelog has said it has said, though nobody can read it any more.
void StateStores::expires(PartitionIndex p, const ReplicaLog& log, Offset below) {
  if (!changes_ || cluster_.partition(p).topic != changelog_) return;
  Tally& tally = tallies_[cluster_.partition(p).number];
  tally.reader.read(log, below, [&](const Extent& batch) {
    visit_changes(batch, [&tally](const CountChange& change) { tally.add(change); });
  });
}

StateStores::Tally StateStores::tally_of(PartitionIndex p) const {
  const ReplicaLog* line = changelog(p);
  if (line == nullptr) return {};
  const auto begun = tallies_.find(cluster_.partition(p).number % cluster_.topic(changelog_).partitions);
  Tally tally = begun == tallies_.end() ? Tally{} : begun->second;
  if (tally.reader.next() > line->end()) tally = {};  // the log was lost, with all that it had said
  const auto add = [&](const Extent& batch) {
    visit_changes(batch, [&tally](const CountChange& change) { tally.add(change); });
  };
  tally.reader.read(*line, line->end(), add);
  tally.reader.finish(add);
  return tally;
}

void StateStores::tell_counts(const Context& context, EntityId group,
                              const std::vector<TopicIndex>& topics) const {
  std::int64_t windows = 0, high = 0, low = 0, excess = 0, deficit = 0;
  const auto compare = [&](Tally::Window& window) {
    std::sort(window.inputs.begin(), window.inputs.end());
    const auto end = std::unique(window.inputs.begin(), window.inputs.end());
    const std::int64_t more = window.last - (end - window.inputs.begin());
    ++windows;
    high += more > 0 ? 1 : 0;
    low += more < 0 ? 1 : 0;
    excess += std::max<std::int64_t>(more, 0);
    deficit += std::max<std::int64_t>(-more, 0);
  };
  for (const TopicIndex t : topics) {
    const TopicInfo& topic = cluster_.topic(t);
    for (std::int32_t n = 0; n < topic.partitions; ++n) {
      Tally tally = tally_of(PartitionIndex{topic.first.value + static_cast<std::uint32_t>(n)});
      for (auto& [name, window] : tally.windows) compare(window);
    }
  }
  const std::array<std::int64_t, 2> by{excess, deficit};
  context.emit(Kind::window_counts, {.peer = group.value, .a = windows, .b = high, .c = low}, by);
}

// ---- who holds which store ----------------------------------------------------------------------------------------

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
  ++store.opened;
  return missing * options_.restore;
}

void StateStores::closed_dirty(std::uint32_t member) {
  for (std::uint32_t p = 0; p < stores_.size(); ++p) {
    Store& store = stores_[p];
    if (store.owner == member) {
      note_owner(PartitionIndex{p});
      store.owner = kNobody;
    }
    if (options_.config.exactly_once) store.held[member] = kNothing;
  }
}

void StateStores::corrupted(std::uint32_t member) {
  for (Store& store : stores_) {
    if (store.owner != member) continue;
    store.owner = kNobody;
    store.held[member] = kNothing;
  }
}

}  // namespace models::kafka
