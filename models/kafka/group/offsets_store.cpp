#include "models/kafka/group/offsets_store.hpp"

#include <algorithm>
#include <utility>

#include "sim/assert.hpp"

namespace models::kafka {

std::uint32_t OffsetsStore::group_number(Shard& shard, std::string_view group) {
  if (const auto found = shard.groups.find(group); found != shard.groups.end()) return found->second;
  const auto number = static_cast<std::uint32_t>(shard.folded.size());
  shard.groups.emplace(std::string(group), number);
  shard.folded.emplace_back();
  return number;
}

void OffsetsStore::append(PartitionIndex partition, LeaderEpoch epoch, Offset end, std::string_view group,
                          std::shared_ptr<const GroupMetadata> metadata) {
  Shard& shard = shards_[partition];
  if (epoch < shard.epoch) return;
  Record record;
  record.end = end;
  record.group = group_number(shard, group);
  record.what = What::metadata;
  record.metadata = std::move(metadata);
  shard.records.push_back(std::move(record));
}

void OffsetsStore::append(PartitionIndex partition, LeaderEpoch epoch, Offset end, std::string_view group,
                          std::span<const CommittedOffset> offsets) {
  Shard& shard = shards_[partition];
  if (epoch < shard.epoch) return;
  const std::uint32_t number = group_number(shard, group);
  for (const CommittedOffset& offset : offsets) {
    Record record;
    record.end = end;
    record.group = number;
    record.offset = offset;
    shard.records.push_back(std::move(record));
  }
}

void OffsetsStore::append_pending(PartitionIndex partition, LeaderEpoch epoch, Offset end,
                                  std::string_view group, ProducerId producer_id,
                                  std::span<const CommittedOffset> offsets) {
  Shard& shard = shards_[partition];
  if (epoch < shard.epoch) return;
  const std::uint32_t number = group_number(shard, group);
  for (const CommittedOffset& offset : offsets) {
    Record record;
    record.end = end;
    record.group = number;
    record.what = What::pending_offset;
    record.producer_id = producer_id;
    record.offset = offset;
    shard.records.push_back(std::move(record));
  }
}

void OffsetsStore::append_marker(PartitionIndex partition, LeaderEpoch epoch, Offset end,
                                 ProducerId producer_id, bool commit) {
  Shard& shard = shards_[partition];
  if (epoch < shard.epoch) return;
  Record record;
  record.end = end;
  record.what = commit ? What::commit_marker : What::abort_marker;
  record.producer_id = producer_id;
  shard.records.push_back(std::move(record));
}

void OffsetsStore::fold(std::vector<Image>& images, const Record& record) {
  switch (record.what) {
    case What::offset:
      return images[record.group].commit(record.offset, record.end);
    case What::metadata:
      images[record.group].metadata = record.metadata;
      images[record.group].metadata_end = record.end;
      return;
    case What::pending_offset:
      images[record.group].pending.push_back({{record.producer_id, record.offset}, record.end});
      return;
    case What::commit_marker:
    case What::abort_marker:
      return end_transaction(images, record);
  }
}

void OffsetsStore::end_transaction(std::vector<Image>& images, const Record& marker) {
  for (Image& image : images) {
    std::erase_if(image.pending, [&](const Image::Pending& pending) {
      if (pending.offset.producer_id != marker.producer_id) return false;
      if (marker.what == What::commit_marker) image.commit(pending.offset.commit, marker.end);
      return true;
    });
  }
}

void OffsetsStore::find_unannounced(const std::vector<Image>& images, const Record& record,
                                    std::vector<std::vector<LoadedGroup::Found>>& unannounced) {
  if (record.what == What::offset && record.offset.offset != kNoOffset) {
    const Offset before = images[record.group].offsets.offset(record.offset.partition);
    unannounced[record.group].push_back({record.offset, before});
  }
  if (record.what != What::commit_marker) return;
  for (std::size_t g = 0; g < images.size(); ++g) {
    for (const Image::Pending& pending : images[g].pending) {
      const CommittedOffset& commit = pending.offset.commit;
      if (pending.offset.producer_id == record.producer_id)
        unannounced[g].push_back({commit, images[g].offsets.offset(commit.partition)});
    }
  }
}

void OffsetsStore::replicated(PartitionIndex partition, LeaderEpoch epoch, Offset high_watermark) {
  Shard& shard = shards_[partition];
  if (epoch < shard.epoch) return;
  std::size_t at = shard.first;
  for (; at < shard.records.size() && shard.records[at].end <= high_watermark; ++at) {
    shard.records[at].announced = true;
    if (!keep_history_) fold(shard.folded, shard.records[at]);
  }
  shard.first = at;
  constexpr std::uint32_t kWorthAsking = 256;
  if (agreed_ && ++shard.writes >= kWorthAsking) fold_agreed(partition, shard, high_watermark);
  if (keep_history_) return;
  constexpr std::size_t kWorthMoving = 256;
  if (at == shard.records.size() || (at > kWorthMoving && 2 * at > shard.records.size())) {
    shard.records.erase(shard.records.begin(), shard.records.begin() + static_cast<std::ptrdiff_t>(at));
    shard.first = 0;
  }
}

void OffsetsStore::fold_agreed(PartitionIndex partition, Shard& shard, Offset high_watermark) {
  shard.writes = 0;
  const Offset agreed = std::min(agreed_(partition), high_watermark);
  if (!keep_history_) return;
  std::size_t at = 0;
  for (; at < shard.first && shard.records[at].end <= agreed; ++at) {
    fold(shard.folded, shard.records[at]);
  }
  shard.records.erase(shard.records.begin(), shard.records.begin() + static_cast<std::ptrdiff_t>(at));
  shard.first -= at;
}

void OffsetsStore::forget_beyond(Image& image, Offset log_end) {
  if (image.metadata_end > log_end) {
    image.metadata = nullptr;
    image.metadata_end = 0;
  }
  std::erase_if(image.pending, [log_end](const Image::Pending& pending) { return pending.end > log_end; });
  image.offsets.remove_if([log_end](const Image::Committed& one) { return one.end > log_end; });
}

void OffsetsStore::elected(PartitionIndex partition, LeaderEpoch epoch, Offset log_end) {
  Shard& shard = shards_[partition];
  if (epoch < shard.epoch) return;
  shard.epoch = epoch;
  while (!shard.records.empty() && shard.records.back().end > log_end) shard.records.pop_back();
  shard.first = std::min(shard.first, shard.records.size());
  for (Image& image : shard.folded) forget_beyond(image, log_end);
}

std::vector<LoadedGroup> OffsetsStore::load(PartitionIndex partition) {
  Shard& shard = shards_[partition];
  std::vector<Image> images = shard.folded;
  std::vector<std::vector<LoadedGroup::Found>> unannounced(images.size());
  const std::size_t from = keep_history_ ? 0 : shard.first;
  for (std::size_t i = from; i < shard.records.size(); ++i) {
    Record& record = shard.records[i];
    if (!record.announced) find_unannounced(images, record, unannounced);
    fold(images, record);
    record.announced = true;
  }
  std::vector<LoadedGroup> loaded;
  for (const auto& [name, number] : shard.groups) {
    Image& image = images[number];
    if (image.metadata == nullptr && image.offsets.empty() && image.pending.empty()) continue;
    loaded.push_back({name, image.metadata, {}, std::move(unannounced[number]), {}});
    for (const Image::Committed& one : image.offsets.entries()) loaded.back().offsets.apply(one);
    for (Image::Pending& pending : image.pending) loaded.back().pending.push_back(pending.offset);
  }
  return loaded;
}

std::shared_ptr<const GroupMetadata> OffsetsStore::newest(PartitionIndex partition,
                                                          std::string_view group) const {
  const auto found = shards_.find(partition);
  if (found == shards_.end()) return nullptr;
  const Shard& shard = found->second;
  const auto number = shard.groups.find(group);
  if (number == shard.groups.end()) return nullptr;
  for (auto record = shard.records.rbegin(); record != shard.records.rend(); ++record) {
    if (record->what == What::metadata && record->group == number->second) return record->metadata;
  }
  return shard.folded[number->second].metadata;
}

std::size_t OffsetsStore::kept_records(PartitionIndex partition) const {
  const auto found = shards_.find(partition);
  return found == shards_.end() ? 0 : found->second.records.size();
}

}  // namespace models::kafka
