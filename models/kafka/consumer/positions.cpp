#include "models/kafka/consumer/positions.hpp"

#include <algorithm>
#include <array>

namespace models::kafka {

Positions::Positions(ConsumerGroup& group, Node& node, Assignment& assignment, Membership& membership,
                     Connections& connections, Metadata& metadata, PositionsOwner& owner)
    : config_(group.options().config),
      group_name_(group.options().name),
      site_(group.effects()),
      cluster_(group.cluster()),
      context_(group.cluster().context()),
      node_(node),
      assignment_(assignment),
      membership_(membership),
      connections_(connections),
      metadata_(metadata),
      owner_(owner),
      lists_(static_cast<std::size_t>(group.cluster().broker_count())),
      epochs_(static_cast<std::size_t>(group.cluster().broker_count())),
      retry_timer_(context_.simulation, node, [this] { owner_.positions_changed(); }) {}

void Positions::forget() {
  metadata_version_ = 0;
  committed_pending_ = {};
  committed_not_before_ = {};
  nowhere_to_begin_ = false;
  retry_timer_.disarm();
}

bool Positions::update() {
  follow_metadata();
  if (!assignment_.unsettled()) return true;
  return ask_committed() && ask_leaders() && !nowhere_to_begin_;
}

void Positions::follow_metadata() {
  if (metadata_version_ == metadata_.version()) return;
  metadata_version_ = metadata_.version();
  for (const PartitionIndex p : assignment_.partitions()) {
    HeldPartition& held = assignment_[p];
    const PartitionLeader leader = metadata_.leader(p);
    if (held.state != FetchState::fetching && held.state != FetchState::awaiting_validation) continue;
    if (leader.leader == kNoBroker ||
        (leader.leader == held.leader.leader && leader.epoch == held.leader.epoch))
      continue;
    held.leader = leader;
    held.retry_at = {};
    held.preferred_read_replica = kNoBroker;
    // Without an epoch there is nothing to compare (SubscriptionState.maybeValidatePosition).
    if (held.offset_epoch != kNoEpoch && cluster_.options().rules.has(Rule::fetch_epoch_fencing))
      assignment_.change_state(p, FetchState::awaiting_validation);
  }
}

// ---- committed offsets --------------------------------------------------------------------------------------------

/// onPartitionsAssigned: consumer.seek() to what the database holds.
void Positions::seek_to_database() {
  for (const PartitionIndex p : assignment_.partitions()) {
    if (assignment_[p].state != FetchState::initializing) continue;
    const EffectSite::Stored& stored = site_.offset_of(p);
    if (stored.offset == kNoOffset) {
      assignment_.change_state(p, FetchState::awaiting_reset);
      continue;
    }
    assignment_[p].leader = metadata_.leader(p);
    if (cluster_.options().rules.has(Rule::fetch_epoch_fencing))
      assignment_.set_unvalidated_position(p, stored.offset, stored.epoch, ResetCode::sought);
    else
      assignment_.set_position(p, stored.offset, kNoEpoch, ResetCode::sought);
  }
}

bool Positions::ask_committed() {
  if (site_.holds_offsets()) {
    seek_to_database();
    return true;
  }
  if (committed_pending_ || context_.now() < committed_not_before_) return true;
  Ref<OffsetFetchCall> call;
  for (const PartitionIndex p : assignment_.partitions()) {
    if (assignment_[p].state != FetchState::initializing) continue;
    if (context_.now() < assignment_[p].restored_at) {
      arm_retry(assignment_[p].restored_at);
      continue;
    }
    if (!call) call = cluster_.take<OffsetFetchCall>();
    call->items.push_back({.partition = p});
  }
  if (!call) return true;
  RpcChannel* channel = membership_.coordinator();
  if (channel == nullptr) return true;
  call->group = group_name_;
  membership_.sign(*call);
  committed_pending_ = call;
  channel->call<&Positions::on_committed>(*this, std::move(call));
  return true;
}

void Positions::on_committed(BrokerId from, Ref<OffsetFetchCall> call) {
  const bool current = call.get() == committed_pending_.get();
  if (current) committed_pending_ = {};
  if (call->error == ErrorCode::disconnected) membership_.lose_coordinator(from, false);
  if (call->error == ErrorCode::not_coordinator || call->error == ErrorCode::coordinator_not_available) {
    membership_.lose_coordinator(from, true);
  }
  if (!current) return;
  if (call->error != ErrorCode::none) {
    committed_not_before_ = context_.simulation.after(config_.retry_backoff);
    return arm_retry(committed_not_before_);
  }
  membership_.coordinator_answered();
  for (const OffsetFetchCall::Item& item : call->items) {
    if (assignment_[item.partition].state != FetchState::initializing) continue;
    if (item.offset >= 0) {
      // With the epoch that was committed the leader can tell whether its log holds what was read (KIP-320).
      assignment_[item.partition].leader = metadata_.leader(item.partition);
      const bool known = item.epoch != kNoEpoch && cluster_.options().rules.has(Rule::fetch_epoch_fencing);
      if (known)
        assignment_.set_unvalidated_position(item.partition, item.offset, item.epoch, ResetCode::committed);
      else
        assignment_.set_position(item.partition, item.offset, kNoEpoch, ResetCode::committed);
    } else {
      assignment_.change_state(item.partition, FetchState::awaiting_reset);
    }
  }
  owner_.positions_changed();
}

// ---- what only leaders know ---------------------------------------------------------------------------------------

bool Positions::ask_leaders() {
  const sim::Time now = context_.now();
  for (const PartitionIndex p : assignment_.partitions()) {
    HeldPartition& held = assignment_[p];
    const bool reset = held.state == FetchState::awaiting_reset;
    if (!reset && held.state != FetchState::awaiting_validation) continue;
    // NoOffsetForPartitionException, OffsetOutOfRangeException
    if (reset && config_.auto_offset_reset == AutoOffsetReset::none) return false;
    if (held.asked || now < held.retry_at) continue;
    const PartitionLeader leader = metadata_.leader(p);
    // Records of a later epoch have been read than that of the leader known here (Metadata.updateLastSeenEpochIfNewer).
    const bool outdated = !reset && leader.epoch < held.offset_epoch;
    if (outdated || leader.leader == kNoBroker || connections_.data(leader.leader).backing_off()) {
      metadata_.request_update();
      retry_later(p);
      continue;
    }
    held.asked = true;
    const auto broker = static_cast<std::size_t>(leader.leader.value);
    if (reset) {
      if (!lists_[broker]) lists_[broker] = cluster_.take<ListOffsetsCall>();
      lists_[broker]->items.push_back(reset_item(p, leader.epoch));
    } else {
      if (!epochs_[broker]) epochs_[broker] = cluster_.take<OffsetForLeaderEpochCall>();
      epochs_[broker]->items.push_back({.partition = p,
                                        .current_leader_epoch = leader.epoch,
                                        .epoch = held.offset_epoch,
                                        .position = held.position});
    }
  }
  for (std::size_t b = 0; b < lists_.size(); ++b) {
    RpcChannel& channel = connections_.data(BrokerId{static_cast<std::int32_t>(b)});
    if (lists_[b]) channel.call<&Positions::on_offsets>(*this, std::move(lists_[b]));
    if (epochs_[b]) channel.call<&Positions::on_epoch_ends>(*this, std::move(epochs_[b]));
  }
  return true;
}

ListOffsetsCall::Item Positions::reset_item(PartitionIndex p, LeaderEpoch epoch) const {
  ListOffsetsCall::Item item{
      .partition = p,
      .current_leader_epoch = cluster_.options().rules.has(Rule::fetch_epoch_fencing) ? epoch : kNoEpoch,
      .read_committed = config_.read_committed};
  if (config_.auto_offset_reset == AutoOffsetReset::earliest) item.spec = OffsetSpec::earliest;
  if (config_.auto_offset_reset == AutoOffsetReset::by_duration) {
    // AutoOffsetResetStrategy.timestamp: by the client's clock, anew with each request.
    item.spec = OffsetSpec::timestamp;
    item.timestamp = context_.now() + node_.clock_ahead() - config_.reset_duration;
  }
  return item;
}

void Positions::on_offsets(BrokerId, Ref<ListOffsetsCall> call) {
  for (const ListOffsetsCall::Item& item : call->items) {
    HeldPartition& held = assignment_[item.partition];
    if (held.state != FetchState::awaiting_reset || !held.asked) continue;
    if (call->error != ErrorCode::none || item.error != ErrorCode::none) {
      metadata_.request_update();
      retry_later(item.partition);
      continue;
    }
    held.leader = metadata_.leader(item.partition);
    constexpr std::array kCodes{ResetCode::earliest, ResetCode::latest, ResetCode::by_duration};
    assignment_.set_position(item.partition, item.offset, kNoEpoch,
                             kCodes[static_cast<std::size_t>(item.spec)]);
  }
  owner_.positions_changed();
}

void Positions::on_epoch_ends(BrokerId, Ref<OffsetForLeaderEpochCall> call) {
  for (const OffsetForLeaderEpochCall::Item& item : call->items) {
    HeldPartition& held = assignment_[item.partition];
    if (held.state != FetchState::awaiting_validation || !held.asked) continue;
    // An answer about a position that it has left since says nothing (SubscriptionState.maybeCompleteValidation).
    const bool moved = held.position != item.position || held.offset_epoch != item.epoch;
    held.asked = false;
    if (moved || held.leader.epoch != item.current_leader_epoch) continue;
    if (call->error != ErrorCode::none || item.error != ErrorCode::none) {
      metadata_.request_update();
      retry_later(item.partition);
      continue;
    }
    validated(item);
  }
  owner_.positions_changed();
}

/// SubscriptionState.maybeCompleteValidation
void Positions::validated(const OffsetForLeaderEpochCall::Item& item) {
  HeldPartition& held = assignment_[item.partition];
  const bool undefined = item.end_offset == kNoOffset || item.end_epoch == kNoEpoch;
  if (!undefined && item.end_offset >= held.position) {
    return assignment_.validated(item.partition);
  }
  if (config_.auto_offset_reset == AutoOffsetReset::none) {
    nowhere_to_begin_ = true;  // LogTruncationException
  } else if (undefined) {
    assignment_.change_state(item.partition, FetchState::awaiting_reset);
  } else {
    assignment_.set_position(item.partition, item.end_offset, item.end_epoch, ResetCode::sought);
  }
}

void Positions::retry_later(PartitionIndex p) {
  HeldPartition& held = assignment_[p];
  held.asked = false;
  held.retry_at = context_.simulation.after(config_.retry_backoff);
  arm_retry(held.retry_at);
}

void Positions::arm_retry(sim::Time at) {
  if (!retry_timer_.armed() || retry_timer_.deadline() > at) retry_timer_.arm_at(at);
}

}  // namespace models::kafka
