#include "models/kafka/lag_reader.hpp"

#include <algorithm>
#include <utility>

#include "models/kafka/quorum/metadata_log.hpp"

namespace models::kafka {

LagReader::LagReader(Cluster& cluster, Node& node, std::string group, const std::vector<std::string>& topics,
                     sim::Duration every, std::function<void(std::int64_t)> seen)
    : cluster_(cluster),
      group_(std::move(group)),
      every_(every),
      seen_(std::move(seen)),
      lists_(static_cast<std::size_t>(cluster.broker_count())),
      timer_(cluster.context().simulation, node, [this] { ask(); }) {
  for (const std::string& name : topics) {
    const TopicInfo& topic = cluster.topic(*cluster.find_topic(name));
    for (std::int32_t n = 0; n < topic.partitions_most; ++n)
      rows_.push_back({PartitionIndex{topic.first.value + static_cast<std::uint32_t>(n)}});
  }
  for (std::int32_t b = 0; b < cluster.broker_count(); ++b)
    channels_.push_back(std::make_unique<RpcChannel>(cluster, node, BrokerId{b}, RpcOptions{}));
}

void LagReader::start() {
  timer_.arm_after(every_);
}

void LagReader::stop() {
  timer_.disarm();
  for (const auto& channel : channels_) channel->abandon();
}

LagReader::Row* LagReader::find(PartitionIndex p) {
  const auto at =
      std::find_if(rows_.begin(), rows_.end(), [p](const Row& row) { return row.partition == p; });
  return at == rows_.end() ? nullptr : &*at;
}

void LagReader::ask() {
  timer_.arm_after(every_);
  const BrokerId coordinator = cluster_.metadata_log().state(cluster_.offsets_partition(group_)).leader;
  if (coordinator == kNoBroker) return;
  Ref<OffsetFetchCall> call = cluster_.take<OffsetFetchCall>();
  call->group = group_;
  for (const Row& row : rows_) call->items.push_back({.partition = row.partition});
  channels_[static_cast<std::size_t>(coordinator.value)]->call<&LagReader::on_committed>(*this,
                                                                                         std::move(call));
}

void LagReader::on_committed(BrokerId, Ref<OffsetFetchCall> call) {
  if (call->error != ErrorCode::none) return;
  for (const OffsetFetchCall::Item& item : call->items)
    find(item.partition)->committed = std::max<Offset>(item.offset, 0);
  missing_ = 0;
  for (Row& row : rows_) {
    row.end = kNoOffset;
    const PartitionState& state = cluster_.metadata_log().state(row.partition);
    if (!state.exists()) continue;
    ++missing_;
    if (state.leader == kNoBroker) continue;  // nothing is told this time
    Ref<ListOffsetsCall>& list = lists_[static_cast<std::size_t>(state.leader.value)];
    if (!list) list = cluster_.take<ListOffsetsCall>();
    list->items.push_back({.partition = row.partition});
  }
  for (std::size_t b = 0; b < lists_.size(); ++b) {
    if (lists_[b]) channels_[b]->call<&LagReader::on_ends>(*this, std::move(lists_[b]));
  }
}

void LagReader::on_ends(BrokerId, Ref<ListOffsetsCall> call) {
  if (call->error != ErrorCode::none) return;
  for (const ListOffsetsCall::Item& item : call->items) {
    Row& row = *find(item.partition);
    if (item.error != ErrorCode::none || row.end != kNoOffset) continue;
    row.end = item.offset;
    --missing_;
  }
  if (missing_ > 0) return;
  std::int64_t lag = 0;
  for (const Row& row : rows_) lag += row.end == kNoOffset ? 0 : std::max<Offset>(row.end - row.committed, 0);
  seen_(lag);
}

}  // namespace models::kafka
