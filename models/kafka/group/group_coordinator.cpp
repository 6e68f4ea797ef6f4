#include "models/kafka/group/group_coordinator.hpp"

#include <utility>

#include "sim/assert.hpp"

namespace models::kafka {
namespace {

/// A token names its partition, so that appended() finds the shard.
constexpr unsigned kPartitionBits = 24;
constexpr std::uint64_t kPartitionMask = (std::uint64_t{1} << kPartitionBits) - 1;

// Model: a group's record on disk has about the size of a GroupMetadataValue.
constexpr std::size_t kMetadataBytes = 100;
constexpr std::size_t kMemberBytes = 250;

/// What an append's error becomes in a response
/// (GroupMetadataManager.appendGroupMetadataErrorToResponseError).
ErrorCode response_error(ErrorCode error) {
  switch (error) {
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::not_enough_replicas:
    case ErrorCode::request_timed_out:
      return ErrorCode::coordinator_not_available;
    case ErrorCode::not_leader_or_follower:
      return ErrorCode::not_coordinator;
    default:
      return error;
  }
}

/// One that is part of another (GroupOptions::part_of) is told of as that one.
EntityId group_entity(const Entities& entities, std::string_view name) {
  const std::vector<Entity>& all = entities.all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].kind == EntityKind::group && all[i].name == name)
      return all[i].parent == EntityId{} ? EntityId{static_cast<std::uint32_t>(i)} : all[i].parent;
  }
  return {};
}

}  // namespace

GroupCoordinator::GroupCoordinator(CoordinatorHost& host) : host_(host) {}
GroupCoordinator::~GroupCoordinator() = default;

GroupCoordinator::Shard::Shard(GroupCoordinator& coordinator, PartitionIndex of, LeaderEpoch leader_epoch)
    : partition(of), epoch(leader_epoch), write_timer(coordinator.simulation(), [&coordinator, of] {
        // Found again by its number: a paused broker looks at it later, and may have lost it by then.
        coordinator.host_.node().run_or_hold([&coordinator, of] {
          const auto found = coordinator.shards_.find(of);
          if (found != coordinator.shards_.end()) coordinator.time_out_writes(found->second);
        });
      }) {}

// ---- finding ----------------------------------------------------------------------------------------------

GroupCoordinator::Shard* GroupCoordinator::shard_of(std::string_view group_name) {
  const auto found = shards_.find(host_.offsets_partition(group_name));
  return found == shards_.end() ? nullptr : &found->second;
}

Group* GroupCoordinator::find(Shard& shard, std::string_view name) {
  const auto found = shard.groups.find(name);
  return found == shard.groups.end() ? nullptr : &found->second;
}

Group* GroupCoordinator::find_loaded(std::string_view name) {
  Shard* const shard = shard_of(name);
  return shard == nullptr ? nullptr : find(*shard, name);
}

const Group* GroupCoordinator::group(std::string_view name) const {
  const auto found = shards_.find(host_.offsets_partition(name));
  if (found == shards_.end()) return nullptr;
  const auto at = found->second.groups.find(name);
  return at == found->second.groups.end() ? nullptr : &at->second;
}

Group& GroupCoordinator::create(Shard& shard, const std::string& name) {
  const auto [at, is_new] = shard.groups.try_emplace(name, simulation(), static_cast<GroupTimers&>(*this),
                                                     name, group_entity(host_.context().entities, name));
  MQLAB_ASSERT(is_new, "a group is created once");
  at->second.state_since = now();
  return at->second;
}

// ---- loading and unloading --------------------------------------------------------------------------------

void GroupCoordinator::elected(PartitionIndex partition, LeaderEpoch epoch, Offset log_end) {
  host_.offsets_store().elected(partition, epoch, log_end);
  const auto [at, is_new] = shards_.try_emplace(partition, *this, partition, epoch);
  // Elected again in a new epoch without having lost the lead: all is still here (CoordinatorRuntime: already
  // active).
  at->second.epoch = epoch;
  if (is_new) load(at->second);
}

void GroupCoordinator::load(Shard& shard) {
  for (const LoadedGroup& loaded : host_.offsets_store().load(shard.partition)) load_group(shard, loaded);
}

void GroupCoordinator::load_group(Shard& shard, const LoadedGroup& loaded) {
  Group& group = create(shard, loaded.name);
  group.offsets = loaded.offsets;
  group.pending_offsets = loaded.pending;
  if (loaded.metadata != nullptr) {
    group.generation = loaded.metadata->generation;
    group.protocol = loaded.metadata->protocol;
    group.state_since = loaded.metadata->state_since;
    for (const auto& member : loaded.metadata->members) restart_session(group.restore(*member));
    group.leader = loaded.metadata->leader;
    group.had_members = loaded.metadata->had_members;
  }
  if (!group.members().empty()) group.state = GroupState::stable;
  if (loaded.metadata != nullptr && loaded.metadata->modern != nullptr) load_modern(group, *loaded.metadata);
  emit_state(group, GroupState::dead);
  for (const LoadedGroup::Found& found : loaded.unannounced) {
    emit_committed(group, found.commit, found.before);
  }
  if (group.is(GroupState::empty) || !host_.has(Rule::offsets_of_live_groups_stay)) watch_retention(group);
  if (group.members().size() > static_cast<std::size_t>(host_.config().group_max_size))
    prepare_rebalance(shard, group);
}

void GroupCoordinator::resigned(PartitionIndex partition) {
  const auto found = shards_.find(partition);
  if (found == shards_.end()) return;
  // A call that comes in while these are answered finds no coordinator here.
  auto shard = shards_.extract(found);
  std::deque<Waiting> waiting = std::move(shard.mapped().waiting);
  for (Waiting& one : waiting) {
    if (auto* commit = std::get_if<Ref<OffsetCommitCall>>(&one.then)) {
      // Unknown: the record may be in the next leader's log, which then says so.
      refuse_commit(std::move(*commit), ErrorCode::not_coordinator);
    } else if (auto* fetch = std::get_if<Ref<OffsetFetchCall>>(&one.then)) {
      reply(std::move(*fetch), ErrorCode::not_coordinator);
    } else if (auto* leave = std::get_if<Ref<LeaveGroupCall>>(&one.then)) {
      reply(std::move(*leave), ErrorCode::not_coordinator);
    } else if (auto* heartbeat = std::get_if<Ref<ConsumerGroupHeartbeatCall>>(&one.then)) {
      reply(std::move(*heartbeat), ErrorCode::not_coordinator);
    } else if (auto* offsets = std::get_if<Ref<TxnOffsetCommitCall>>(&one.then)) {
      reply(std::move(*offsets), ErrorCode::not_coordinator);
    } else if (auto* marker = std::get_if<MarkerWrite>(&one.then)) {
      marker->call->items[marker->index].error = ErrorCode::not_leader_or_follower;
      host_.marker_settled(std::move(marker->call));
    }
  }
  for (auto& [name, group] : shard.mapped().groups) answer_not_coordinator(group);
}

void GroupCoordinator::answer_not_coordinator(Group& group) {
  for (auto& [id, member] : group.members()) {
    if (member.join) reply(group.unpark(member), ErrorCode::not_coordinator);
    if (member.sync) reply(std::exchange(member.sync, {}), ErrorCode::not_coordinator);
  }
}

void GroupCoordinator::crashed() {
  shards_.clear();
}

void GroupCoordinator::receive(AnyCall call) {
  switch (call->api) {
    case Api::join_group:
      return receive(std::move(call).take<JoinGroupCall>());
    case Api::sync_group:
      return receive(std::move(call).take<SyncGroupCall>());
    case Api::heartbeat:
      return receive(std::move(call).take<HeartbeatCall>());
    case Api::leave_group:
      return receive(std::move(call).take<LeaveGroupCall>());
    case Api::consumer_group_heartbeat:
      return receive(std::move(call).take<ConsumerGroupHeartbeatCall>());
    case Api::offset_commit:
      return receive(std::move(call).take<OffsetCommitCall>());
    case Api::offset_fetch:
      return receive(std::move(call).take<OffsetFetchCall>());
    case Api::txn_offset_commit:
      return receive(std::move(call).take<TxnOffsetCommitCall>());
    default:
      MQLAB_ASSERT(false, "a call that is not for a group coordinator");
  }
}

void GroupCoordinator::receive(Ref<FindCoordinatorCall> call) {
  call->coordinator = host_.leader(host_.offsets_partition(call->group));
  const bool known = call->coordinator != kNoBroker;
  reply(std::move(call), known ? ErrorCode::none : ErrorCode::coordinator_not_available);
}

// ---- waiting for the log ----------------------------------------------------------------------------------

bool GroupCoordinator::begin_write(Shard& shard, Group* group, std::int32_t records, std::int32_t bytes,
                                   Follow& then, Offset& end, bool transactional) {
  const std::uint64_t token = next_write_++ << kPartitionBits | shard.partition.value;
  end = transactional ? host_.append_at_once(shard.partition, records, bytes, token)
                      : host_.append(shard.partition, records, bytes, token);
  if (end == kNoOffset) return false;
  shard.waiting.push_back({token, end, group, now(), std::move(then)});
  if (!shard.write_timer.armed()) shard.write_timer.arm_after(host_.config().offsets_commit_timeout);
  return true;
}

bool GroupCoordinator::write_metadata(Shard& shard, Group& group,
                                      std::shared_ptr<const GroupMetadata> metadata, Follow& then) {
  const std::size_t bytes = kMetadataBytes + kMemberBytes * metadata->members.size();
  Offset end = kNoOffset;
  if (!begin_write(shard, &group, 1, static_cast<std::int32_t>(bytes), then, end)) return false;
  host_.offsets_store().append(shard.partition, shard.epoch, end, group.name, std::move(metadata));
  return true;
}

bool GroupCoordinator::write_metadata(Shard& shard, Group& group,
                                      std::shared_ptr<const GroupMetadata> metadata) {
  Follow nothing;
  return write_metadata(shard, group, std::move(metadata), nothing);
}

void GroupCoordinator::after_writes(Shard& shard, Group* group, Follow then) {
  if (shard.waiting.empty()) return follow(shard, group, now(), then, ErrorCode::none);
  shard.waiting.push_back({0, 0, group, now(), std::move(then)});
  if (!shard.write_timer.armed()) shard.write_timer.arm_after(host_.config().offsets_commit_timeout);
}

void GroupCoordinator::appended(std::uint64_t token, ErrorCode error) {
  const PartitionIndex partition{static_cast<std::uint32_t>(token & kPartitionMask)};
  const auto found = shards_.find(partition);
  if (found == shards_.end()) return;
  if (error == ErrorCode::not_leader_or_follower) return resigned(partition);
  Shard& shard = found->second;
  for (Waiting& one : shard.waiting) {
    if (one.token != token) continue;
    // Any other error means that the record was stored all the same, on fewer replicas than wanted.
    one.done = true;
    host_.offsets_store().replicated(partition, shard.epoch, one.end);
    return drain(shard);
  }
}

/// CoordinatorRuntime.failCurrentBatch: nobody is told that it is done, and groups are again as the log has them.
/// Model: what was forgotten of committed offsets, as expired, comes back with the next coordinator only.
void GroupCoordinator::refused(PartitionIndex partition, std::uint64_t first, Offset log_end) {
  const auto found = shards_.find(partition);
  if (found == shards_.end()) return;
  Shard& shard = found->second;
  host_.offsets_store().elected(partition, shard.epoch, log_end);  // what lies beyond never happened
  const auto from = std::find_if(shard.waiting.begin(), shard.waiting.end(),
                                 [first](const Waiting& one) { return one.token == first; });
  std::vector<Waiting> gone(std::make_move_iterator(from), std::make_move_iterator(shard.waiting.end()));
  shard.waiting.erase(from, shard.waiting.end());
  for (auto& [name, group] : shard.groups) {
    if (group.modern) revert_modern(partition, group);
  }
  for (Waiting& one : gone) {
    if (std::get_if<std::unique_ptr<LateCommit>>(&one.then) != nullptr) continue;
    follow(shard, one.group, one.since, one.then, ErrorCode::not_enough_replicas);
  }
}

/// In order of writing: whatever waits behind an unfinished write goes on waiting.
void GroupCoordinator::drain(Shard& shard) {
  while (!shard.waiting.empty() && (shard.waiting.front().done || shard.waiting.front().token == 0)) {
    Waiting one = std::move(shard.waiting.front());
    shard.waiting.pop_front();
    follow(shard, one.group, one.since, one.then, ErrorCode::none);
  }
}

void GroupCoordinator::follow(Shard& shard, Group* group, sim::Time since, Follow& then, ErrorCode error) {
  if (auto* commit = std::get_if<Ref<OffsetCommitCall>>(&then)) {
    if (error == ErrorCode::none) return committed(*group, since, std::move(*commit));
    auto late = std::make_unique<LateCommit>();
    for (const OffsetCommitCall::Item& item : (*commit)->items) {
      late->push_back({item.partition, item.offset, since, (*commit)->member});
    }
    refuse_commit(std::move(*commit), response_error(error));
    then = std::move(late);
  } else if (auto* fetch = std::get_if<Ref<OffsetFetchCall>>(&then)) {
    if (error == ErrorCode::none) return answer_fetch(group, std::move(*fetch));
    reply(std::move(*fetch), response_error(error));
    then = std::monostate{};
  } else if (auto* leave = std::get_if<Ref<LeaveGroupCall>>(&then)) {
    reply(std::move(*leave), response_error(error));
    then = std::monostate{};
  } else if (auto* heartbeat = std::get_if<Ref<ConsumerGroupHeartbeatCall>>(&then)) {
    reply(std::move(*heartbeat), response_error(error));
    then = std::monostate{};
  } else if (auto* assigning = std::get_if<std::unique_ptr<Assigning>>(&then)) {
    const std::unique_ptr<Assigning> mine = std::move(*assigning);
    then = std::monostate{};
    assigned(shard, *group, *mine->metadata, response_error(error));
  } else if (auto* takeover = std::get_if<std::unique_ptr<Takeover>>(&then)) {
    const std::unique_ptr<Takeover> mine = std::move(*takeover);
    then = std::monostate{};
    taken_over(*group, *mine, response_error(error));
  } else if (auto* offsets = std::get_if<Ref<TxnOffsetCommitCall>>(&then)) {
    // Model: neither these nor markers are given up after offsets.commit.timeout.ms: they wait for their replicas.
    if (error == ErrorCode::none) pending_offsets_written(*group, since, std::move(*offsets));
  } else if (auto* marker = std::get_if<MarkerWrite>(&then)) {
    if (error == ErrorCode::none) transaction_ended(shard, std::move(*marker));
  } else if (auto* late = std::get_if<std::unique_ptr<LateCommit>>(&then)) {
    for (const CommittedOffset& one : **late) apply_commit(*group, one);
  }
}

/// offsets.commit.timeout.ms: what was not replicated in time is reported as failed. It stays in the log and
/// may get through.
void GroupCoordinator::time_out_writes(Shard& shard) {
  const sim::Duration patience = host_.config().offsets_commit_timeout;
  // By place: failing one may begin other writes, which come last.
  for (std::size_t i = 0; i < shard.waiting.size(); ++i) {
    if (shard.waiting[i].timed_out) continue;
    if (shard.waiting[i].since + patience > now()) {
      shard.write_timer.arm_at(shard.waiting[i].since + patience);
      break;
    }
    shard.waiting[i].timed_out = true;
    Follow then = std::exchange(shard.waiting[i].then, std::monostate{});
    follow(shard, shard.waiting[i].group, shard.waiting[i].since, then, ErrorCode::request_timed_out);
    shard.waiting[i].then = std::move(then);
  }
}

// ---- telling ----------------------------------------------------------------------------------------------

void GroupCoordinator::transition(Group& group, GroupState to) {
  MQLAB_ASSERT(may_follow(group.state, to), "a group follows the arrows of its state machine");
  group.previous_state = group.state;
  group.state = to;
  group.state_since = now();
  emit_state(group, group.previous_state);
}

void GroupCoordinator::emit_state(const Group& group, GroupState before) {
  host_.context().emit(Kind::group_state, {.code = static_cast<std::uint16_t>(before),
                                           .actor = host_.node().entity().value,
                                           .peer = group.entity.value,
                                           .a = static_cast<std::int64_t>(group.state),
                                           .b = group.generation});
}

void GroupCoordinator::emit_evicted(const Group& group, EntityId member) {
  host_.context().emit(Kind::member_state, {.code = static_cast<std::uint16_t>(MemberCode::evicted),
                                            .actor = member.value,
                                            .peer = group.entity.value,
                                            .b = group.generation});
}

void GroupCoordinator::emit_committed(const Group& group, const CommittedOffset& commit, Offset before) {
  host_.context().emit(Kind::committed, {.actor = commit.member.value,
                                         .place = host_.entity(commit.partition).value,
                                         .peer = group.entity.value,
                                         .a = commit.offset,
                                         .b = before});
}

}  // namespace models::kafka
