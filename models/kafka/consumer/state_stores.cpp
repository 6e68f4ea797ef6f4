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

void StateStores::for_each_change(PartitionIndex p,
                                  const std::function<void(const CountChange&)>& visit) const {
  const ReplicaLog* line = changelog(p);
  if (line == nullptr) return;
  // What an open transaction holds does not count, nor does what was aborted: markers say so behind it.
  struct Batch {
    Extent extent;
    bool counts;
  };
  std::vector<Batch> batches;
  std::map<ProducerId, std::vector<std::size_t>> open;  // of each producer's transaction, in `batches`
  line->for_each(line->start(), [&](const Extent& extent, LeaderEpoch) {
    if (!extent.is_marker()) {
      if (extent.kind == BatchKind::transactional) open[extent.producer_id].push_back(batches.size());
      return batches.push_back({extent, extent.kind == BatchKind::plain});
    }
    std::vector<std::size_t>& ended = open[extent.producer_id];
    for (const std::size_t at : ended) batches[at].counts = extent.kind == BatchKind::commit_marker;
    ended.clear();
  });
  for (const Batch& batch : batches) {
    if (!batch.counts) continue;
    for (std::int32_t i = 0; i < batch.extent.count; ++i) {
      if (const CountChange* change = changes_->at(batch.extent.lane, batch.extent.first_seq + i))
        visit(*change);
    }
  }
}

void StateStores::tell_counts(const Context& context, EntityId group,
                              const std::vector<TopicIndex>& topics) const {
  struct Window {
    std::int64_t last = 0;
    std::vector<std::pair<std::uint32_t, std::int64_t>> inputs{};  // lane and seq
  };
  std::int64_t windows = 0, high = 0, low = 0, excess = 0, deficit = 0;
  const auto compare = [&](Window& window) {
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
      std::map<std::pair<std::int64_t, std::uint32_t>, Window> counted;
      for_each_change(PartitionIndex{topic.first.value + static_cast<std::uint32_t>(n)},
                      [&counted](const CountChange& change) {
                        Window& window = counted[{change.window, change.key}];
                        window.last = change.count;
                        window.inputs.emplace_back(change.input.value, change.input_seq);
                      });
      for (auto& [name, window] : counted) compare(window);
    }
  }
  const std::array<std::int64_t, 2> by{excess, deficit};
  context.emit(Kind::window_counts, {.peer = group.value, .a = windows, .b = high, .c = low}, by);
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
