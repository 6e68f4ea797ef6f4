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
      view_(cluster.empty_view()),
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
  view_ = cluster_.empty_view();
  mine_.reset();
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
  found_nothing_ = call->view->named == 0;
  const bool changed = take_up(call->view) || !known_;
  known_ = true;
  if (changed) ++version_;
  wanted_ = false;  // whoever asked meanwhile is served by this answer (Metadata.update: needFullUpdate)
  failures_ = 0;
  equivalent_ = changed ? 0 : equivalent_ + 1;
  back_off();
  if (lacks_topic()) {
    // UNKNOWN_TOPIC_OR_PARTITION of a topic that somebody may yet create (Metadata.handleMetadataResponse).
    wanted_ = true;
    timer_.arm_at(allowed_at_);
  } else {
    timer_.arm_after(options_.max_age);  // from the answer on (Metadata.lastSuccessfulRefreshMs)
  }
  if (updated_) updated_();
}

bool Metadata::lacks_topic() const {
  return std::any_of(topics_.begin(), topics_.end(), [this](TopicIndex t) {
    return cluster_.topic(t).partitions == 0 && view_->partitions[t.value] == 0;
  });
}

/// Metadata.updateLatestMetadata: an older epoch never replaces a newer one. True when some leader has changed.
bool Metadata::take_up(const std::shared_ptr<const ClusterView>& told) {
  if (told == view_) return false;
  if (view_ == cluster_.empty_view()) {
    view_ = told;
    return std::any_of(told->leaders.begin(), told->leaders.end(),
                       [](const PartitionLeader& one) { return one.epoch != kNoEpoch; });
  }
  bool changed = false;
  std::shared_ptr<ClusterView> merged;  // made when this client knows something better
  const auto keep = [&]() -> ClusterView& {
    if (merged == nullptr) merged = std::make_shared<ClusterView>(*told);
    return *merged;
  };
  for (std::uint32_t p = 0; p < told->leaders.size(); ++p) {
    const PartitionLeader theirs = told->leaders[p];
    const PartitionLeader ours = view_->leaders[p];
    if (theirs.epoch == ours.epoch && theirs.leader == ours.leader) continue;
    if (theirs.epoch < ours.epoch) {
      keep().leaders[p] = ours;
      continue;
    }
    changed = true;
    if (ours.epoch != kNoEpoch && theirs.leader != kNoBroker) tell_refreshed(PartitionIndex{p}, theirs.epoch);
  }
  for (std::size_t t = 0; t < told->partitions.size(); ++t) {
    if (told->partitions[t] < view_->partitions[t]) keep().partitions[t] = view_->partitions[t];
  }
  mine_ = std::move(merged);
  view_ = mine_ != nullptr ? mine_ : told;
  return changed;
}

/// Metadata.updatePartitionLeadership: only what is newer than what is known counts.
bool Metadata::hear(PartitionIndex p, PartitionLeader leader) {
  const LeaderEpoch before = view_->leaders[p.value].epoch;
  if (!known_ || leader.leader == kNoBroker || leader.epoch <= before) return false;
  if (mine_ == nullptr) {
    mine_ = std::make_shared<ClusterView>(*view_);
    view_ = mine_;
  }
  mine_->leaders[p.value] = leader;
  ++version_;
  if (before != kNoEpoch) tell_refreshed(p, leader.epoch);
  return true;
}

void Metadata::tell_refreshed(PartitionIndex p, LeaderEpoch epoch) {
  cluster_.context().emit(
      Kind::client_refreshed,
      {.actor = client_.entity().value, .place = cluster_.partition(p).entity.value, .a = epoch});
}

void Metadata::back_off() {
  const std::uint32_t attempts = std::max(failures_, equivalent_);
  allowed_at_ = cluster_.context().simulation.after(
      std::max(exponential_backoff(options_.retry_backoff, options_.retry_backoff_max,
                                   attempts > 0 ? attempts - 1 : 0, jitter_),
               sim::Duration{1}));
}

}  // namespace models::kafka
