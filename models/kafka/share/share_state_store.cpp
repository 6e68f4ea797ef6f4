#include "models/kafka/share/share_state_store.hpp"

#include <algorithm>

namespace models::kafka {
namespace {

/// Takes [first, end) out of what `batches` say.
void cut(std::vector<ShareStateBatch>& batches, Offset first, Offset end) {
  for (std::size_t i = 0; i < batches.size() && batches[i].first < end;) {
    if (batches[i].end <= first) {
      ++i;
      continue;
    }
    const ShareStateBatch whole = batches[i];
    const auto at = [&] { return batches.begin() + static_cast<std::ptrdiff_t>(i); };
    batches.erase(at());
    if (whole.first < first) {
      batches.insert(at(), {whole.first, first, whole.state, whole.delivery_count});
      ++i;
    }
    if (whole.end > end) {
      batches.insert(at(), {end, whole.end, whole.state, whole.delivery_count});
      ++i;
    }
  }
}

void insert(std::vector<ShareStateBatch>& batches, const ShareStateBatch& batch) {
  const auto at =
      std::lower_bound(batches.begin(), batches.end(), batch.first,
                       [](const ShareStateBatch& one, Offset first) { return one.first < first; });
  const auto alike = [&batch](const ShareStateBatch& one) {
    return one.state == batch.state && one.delivery_count == batch.delivery_count;
  };
  if (at != batches.begin() && std::prev(at)->end == batch.first && alike(*std::prev(at))) {
    std::prev(at)->end = batch.end;
    if (at != batches.end() && at->first == batch.end && alike(*at)) {
      std::prev(at)->end = at->end;
      batches.erase(at);
    }
    return;
  }
  if (at != batches.end() && at->first == batch.end && alike(*at)) {
    at->first = batch.first;
    return;
  }
  batches.insert(at, batch);
}

}  // namespace

void merge(ShareGroupState& state, const ShareGroupState& update) {
  if (update.start_offset != kNoOffset) state.start_offset = update.start_offset;
  if (update.leader_epoch != kNoEpoch) state.leader_epoch = update.leader_epoch;
  for (const ShareStateBatch& batch : update.batches) {
    cut(state.batches, batch.first, batch.end);
    insert(state.batches, batch);
  }
  cut(state.batches, 0, std::max<Offset>(0, state.start_offset));
}

void ShareStateStore::append(PartitionIndex partition, LeaderEpoch epoch, Offset end, const ShareKey& key,
                             const ShareGroupState& update) {
  Shard& shard = shards_[partition];
  // A deposed leader that does not know it yet: its successor's log lacks this.
  if (epoch < shard.epoch) return;
  shard.records.push_back({end, key, update});
}

void ShareStateStore::replicated(PartitionIndex partition, LeaderEpoch epoch, Offset high_watermark) {
  Shard& shard = shards_[partition];
  if (keep_history_ || epoch < shard.epoch) return;
  std::size_t done = 0;
  for (; done < shard.records.size() && shard.records[done].end <= high_watermark; ++done)
    merge(shard.folded[shard.records[done].key], shard.records[done].update);
  shard.records.erase(shard.records.begin(), shard.records.begin() + static_cast<std::ptrdiff_t>(done));
}

void ShareStateStore::elected(PartitionIndex partition, LeaderEpoch epoch, Offset log_end) {
  Shard& shard = shards_[partition];
  if (epoch < shard.epoch) return;
  shard.epoch = epoch;
  while (!shard.records.empty() && shard.records.back().end > log_end) shard.records.pop_back();
}

std::map<ShareKey, ShareGroupState> ShareStateStore::load(PartitionIndex partition) const {
  const auto found = shards_.find(partition);
  if (found == shards_.end()) return {};
  std::map<ShareKey, ShareGroupState> states = found->second.folded;
  for (const Record& record : found->second.records) merge(states[record.key], record.update);
  return states;
}

}  // namespace models::kafka
