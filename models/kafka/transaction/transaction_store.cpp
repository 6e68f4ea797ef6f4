#include "models/kafka/transaction/transaction_store.hpp"

namespace models::kafka {

void TransactionStore::append(PartitionIndex partition, LeaderEpoch epoch, Offset end, std::string_view id,
                              const TransactionMetadata& metadata) {
  Shard& shard = shards_[partition];
  // A deposed leader that does not know it yet: its successor's log lacks this.
  if (epoch < shard.epoch) return;
  auto found = shard.ids.find(id);
  if (found == shard.ids.end()) {
    found = shard.ids.emplace(std::string(id), static_cast<std::uint32_t>(shard.folded.size())).first;
    shard.folded.emplace_back();
  }
  shard.records.push_back({end, found->second, metadata});
}

void TransactionStore::replicated(PartitionIndex partition, LeaderEpoch epoch, Offset high_watermark) {
  Shard& shard = shards_[partition];
  if (keep_history_ || epoch < shard.epoch) return;
  std::size_t done = 0;
  for (; done < shard.records.size() && shard.records[done].end <= high_watermark; ++done) {
    Record& record = shard.records[done];
    shard.folded[record.id] = {record.end, std::move(record.metadata)};
  }
  shard.records.erase(shard.records.begin(), shard.records.begin() + static_cast<std::ptrdiff_t>(done));
}

void TransactionStore::elected(PartitionIndex partition, LeaderEpoch epoch, Offset log_end) {
  Shard& shard = shards_[partition];
  if (epoch < shard.epoch) return;
  shard.epoch = epoch;
  while (!shard.records.empty() && shard.records.back().end > log_end) shard.records.pop_back();
  for (Image& image : shard.folded) {
    if (image.end > log_end) image = Image{};
  }
}

std::vector<std::pair<std::string, TransactionMetadata>> TransactionStore::load(
    PartitionIndex partition) const {
  std::vector<std::pair<std::string, TransactionMetadata>> loaded;
  const auto found = shards_.find(partition);
  if (found == shards_.end()) return loaded;
  const Shard& shard = found->second;
  std::vector<Image> images = shard.folded;
  for (const Record& record : shard.records) images[record.id] = {record.end, record.metadata};
  for (const auto& [id, number] : shard.ids) {
    const bool there = images[number].end > 0 && images[number].metadata.state != TransactionState::dead;
    if (there) loaded.emplace_back(id, std::move(images[number].metadata));
  }
  return loaded;
}

}  // namespace models::kafka
