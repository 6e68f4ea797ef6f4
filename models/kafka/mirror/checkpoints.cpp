#include "models/kafka/mirror/checkpoints.hpp"

#include <algorithm>

#include "models/kafka/broker/controller.hpp"
#include "models/kafka/mirror/mirror.hpp"

namespace models::kafka {

Checkpoints::Checkpoints(Mirror& mirror, Node& node)
    : mirror_(mirror),
      node_(node),
      source_(channels_to(mirror.from(), node)),
      target_(channels_to(mirror.to(), node)),
      emit_timer_(mirror.to().context().simulation, node, [this] { emit(); }),
      sync_timer_(mirror.to().context().simulation, node, [this] { sync(); }) {
  for (const std::string& group : mirror.groups())
    rows_.push_back({group, std::vector<Offset>(mirror.partitions().size(), kNoOffset)});
}

Checkpoints::Channels Checkpoints::channels_to(Cluster& cluster, Node& node) {
  Channels channels;
  for (std::int32_t b = 0; b < cluster.broker_count(); ++b)
    channels.push_back(std::make_unique<RpcChannel>(cluster, node, BrokerId{b}, RpcOptions{}));
  return channels;
}

RpcChannel* Checkpoints::coordinator(Cluster& cluster, Channels& channels, const std::string& group) {
  const BrokerId leader = cluster.metadata_log().state(cluster.offsets_partition(group)).leader;
  return leader == kNoBroker ? nullptr : channels[static_cast<std::size_t>(leader.value)].get();
}

void Checkpoints::start() {
  const MirrorConfig& config = mirror_.options().config;
  if (rows_.empty() || !config.sync_group_offsets_enabled) return;  // nobody reads them otherwise
  emit_timer_.arm_after(config.emit_checkpoints_interval);
  sync_timer_.arm_after(config.sync_group_offsets_interval);
}

/// What has been emitted is in a topic at the target, and outlives the task.
void Checkpoints::stop() {
  emit_timer_.disarm();
  sync_timer_.disarm();
  for (Channels* channels : {&source_, &target_}) {
    for (const auto& channel : *channels) channel->abandon();
  }
}

Checkpoints::Row* Checkpoints::row_of(const std::string& group) {
  const auto at =
      std::find_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.group == group; });
  return at == rows_.end() ? nullptr : &*at;
}

void Checkpoints::emit() {
  emit_timer_.arm_after(mirror_.options().config.emit_checkpoints_interval);
  for (const Row& row : rows_) {
    RpcChannel* const channel = coordinator(mirror_.from(), source_, row.group);
    if (channel == nullptr) continue;
    Ref<OffsetFetchCall> call = mirror_.from().take<OffsetFetchCall>();
    call->group = row.group;
    for (const PartitionIndex p : mirror_.partitions()) call->items.push_back({.partition = p});
    channel->call<&Checkpoints::on_committed>(*this, std::move(call));
  }
}

void Checkpoints::on_committed(BrokerId, Ref<OffsetFetchCall> call) {
  if (call->error != ErrorCode::none) return;
  Row& row = *row_of(call->group);
  for (std::size_t i = 0; i < call->items.size(); ++i) {
    const OffsetFetchCall::Item& item = call->items[i];
    if (item.offset < 0) continue;
    const std::optional<Offset> there = mirror_.syncs(item.partition).translated(item.offset);
    if (there) row.offsets[i] = std::max(row.offsets[i], *there);
  }
}

void Checkpoints::sync() {
  sync_timer_.arm_after(mirror_.options().config.sync_group_offsets_interval);
  for (const Row& row : rows_) {
    RpcChannel* const channel = coordinator(mirror_.to(), target_, row.group);
    if (channel == nullptr) continue;
    Ref<OffsetFetchCall> call = mirror_.to().take<OffsetFetchCall>();
    call->group = row.group;
    for (const PartitionIndex p : mirror_.partitions())
      call->items.push_back({.partition = mirror_.copy_of(p)});
    channel->call<&Checkpoints::on_present>(*this, std::move(call));
  }
}

void Checkpoints::on_present(BrokerId, Ref<OffsetFetchCall> present) {
  if (present->error != ErrorCode::none) return;
  const Row& row = *row_of(present->group);
  Ref<OffsetCommitCall> call = mirror_.to().take<OffsetCommitCall>();
  for (std::size_t i = 0; i < present->items.size(); ++i) {
    if (row.offsets[i] > present->items[i].offset)
      call->items.push_back({.partition = present->items[i].partition, .offset = row.offsets[i]});
  }
  RpcChannel* const channel = coordinator(mirror_.to(), target_, row.group);
  if (call->items.empty() || channel == nullptr) return;
  call->group = row.group;
  call->member_id.clear();
  call->instance_id.clear();
  call->generation = -1;
  call->member = node_.entity();
  channel->call<&Checkpoints::on_synced>(*this, std::move(call));
}

/// A group with members refuses: it commits for itself.
void Checkpoints::on_synced(BrokerId, Ref<OffsetCommitCall>) {}

}  // namespace models::kafka
