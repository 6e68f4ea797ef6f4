#include "models/kafka/metadata.hpp"

#include <algorithm>

#include "models/kafka/backoff.hpp"

namespace models::kafka {

Metadata::Metadata(Cluster& cluster, Node& client, const MetadataOptions& options,
                   std::vector<TopicIndex> topics)
    : cluster_(cluster),
      client_(client),
      options_(options),
      topics_(std::move(topics)),
      leaders_(cluster.partitions().size()),
      counts_(cluster.topics().size()),
      jitter_(cluster.context().simulation.seed(), "kafka/metadata/" + client.name()),
      timer_(cluster.context().simulation, client, [this] { send(); }) {
  for (std::int32_t b = 0; b < cluster.broker_count(); ++b) {
    channels_.push_back(std::make_unique<RpcChannel>(cluster, client, BrokerId{b}, options.rpc));
  }
  // Different clients begin with different brokers (LeastLoadedNode starts at random); no draw, so that it moves nothing.
  next_broker_ = client.entity().value % channels_.size();
}

void Metadata::start() {
  wanted_ = true;
  send();
}

void Metadata::stop() {
  for (const auto& channel : channels_) channel->abandon();
  timer_.disarm();
  std::fill(leaders_.begin(), leaders_.end(), PartitionLeader{});
  std::fill(counts_.begin(), counts_.end(), 0);
  known_ = false;
  in_flight_ = false;
  wanted_ = false;
  failures_ = 0;
  equivalent_ = 0;
  allowed_at_ = {};
}

void Metadata::request_update() {
  if (wanted_) return;
  wanted_ = true;
  if (in_flight_) return;
  if (allowed_at_ <= cluster_.context().now())
    send();
  else
    timer_.arm_at(allowed_at_);
}

void Metadata::send() {
  if (in_flight_) return;
  // The next broker that is not backing off; when all are, the one whose turn it is.
  std::size_t choice = next_broker_;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    const std::size_t candidate = (next_broker_ + i) % channels_.size();
    if (channels_[candidate]->backing_off()) continue;
    choice = candidate;
    break;
  }
  // Stay with a broker that answers; move on after a failure (on_response).
  next_broker_ = choice;
  in_flight_ = true;
  wanted_ = false;
  Ref<MetadataCall> call = cluster_.take<MetadataCall>();
  call->topics = topics_;
  channels_[choice]->call<&Metadata::on_response>(*this, std::move(call));
}

void Metadata::on_response(BrokerId, Ref<MetadataCall> call) {
  in_flight_ = false;
  if (call->error != ErrorCode::none) {
    next_broker_ = (next_broker_ + 1) % channels_.size();
    wanted_ = true;
    ++failures_;
    equivalent_ = 0;
    back_off();
    return timer_.arm_at(allowed_at_);
  }
  bool changed = !known_;
  found_nothing_ = call->items.empty();
  known_ = true;
  for (const MetadataCall::Item& item : call->items) {
    const PartitionInfo& partition = cluster_.partition(item.partition);
    std::int32_t& count = counts_[partition.topic.value];
    count = std::max(count, partition.number + 1);
    changed = learn(item.partition, item.leader) || changed;
  }
  if (changed) ++version_;
  wanted_ = false;  // whoever asked meanwhile is served by this answer (Metadata.update: needFullUpdate)
  failures_ = 0;
  equivalent_ = changed ? 0 : equivalent_ + 1;
  back_off();
  timer_.arm_after(options_.max_age);  // from the answer on (Metadata.lastSuccessfulRefreshMs)
  if (updated_) updated_();
}

/// Metadata.updateLatestMetadata: an older epoch never replaces a newer one.
bool Metadata::learn(PartitionIndex p, PartitionLeader leader) {
  PartitionLeader& view = leaders_[p.value];
  if (leader.epoch < view.epoch || (leader.epoch == view.epoch && leader.leader == view.leader)) return false;
  const bool refreshed = view.epoch != kNoEpoch && leader.leader != kNoBroker;
  view = leader;
  if (refreshed) {
    cluster_.context().emit(
        Kind::client_refreshed,
        {.actor = client_.entity().value, .place = cluster_.partition(p).entity.value, .a = leader.epoch});
  }
  return true;
}

/// Metadata.updatePartitionLeadership: only what is newer than what is known counts.
bool Metadata::hear(PartitionIndex p, PartitionLeader leader) {
  if (!known_ || leader.leader == kNoBroker || leader.epoch <= leaders_[p.value].epoch) return false;
  if (!learn(p, leader)) return false;
  ++version_;
  return true;
}

void Metadata::back_off() {
  const std::uint32_t attempts = std::max(failures_, equivalent_);
  allowed_at_ = cluster_.context().simulation.after(
      std::max(exponential_backoff(options_.retry_backoff, options_.retry_backoff_max,
                                   attempts > 0 ? attempts - 1 : 0, jitter_),
               sim::Duration{1}));
}

}  // namespace models::kafka
