// ConsumerGroupHeartbeat: members join, are taken to their targets and leave, all by the one request of the consumer
// protocol (KIP-848; GroupMetadataManager.consumerGroupHeartbeat, consumerGroupLeave, consumerGroupFenceMember).
//
// Nothing here waits for a member: the target is made when a heartbeat finds the group's epoch ahead of it, at most once in
// group.consumer.assignment.interval.ms (KIP-1263, 4.3), and each member is taken to it by its own heartbeats. An answer
// leaves once the log has what it says.
//
// Model: the assignor takes no time (4.3 runs it in a background thread, group.consumer.assignor.offload.enable); a group
// has members of one protocol only, as they all come from one [[groups]] entry: a heartbeat for a classic group with members
// is answered as under group.consumer.migration.policy=disabled.
#include <algorithm>
#include <utility>

#include "models/kafka/group/group_coordinator.hpp"
#include "models/kafka/group/modern_group.hpp"
#include "models/kafka/group/simple_assignor.hpp"
#include "sim/assert.hpp"

namespace models::kafka {
namespace {

// Model: a group's records on disk have about the size of a ConsumerGroupMemberMetadataValue.
constexpr std::int32_t kRecordBytes = 120;
/// Subscription, target and current assignment of a member.
constexpr std::int32_t kRecordsOfMember = 3;
/// What a timer's work is put off by when the log refuses it (CoordinatorRuntime's timers: RETRY_BACKOFF_MS).
constexpr sim::Duration kTimerRetry{500'000'000};

/// Takes over what the call says. Returns whether the group is to have a new epoch.
bool take_up(ModernMember& member, const ConsumerGroupHeartbeatCall& call) {
  if (!call.instance_id.empty()) member.instance_id = call.instance_id;
  if (call.rebalance_timeout) member.rebalance_timeout = *call.rebalance_timeout;
  if (!call.assignor.empty()) member.assignor = find_server_assignor(call.assignor);
  member.entity = call.member;
  if (call.topics.empty() || member.topics == call.topics) return false;
  member.topics = call.topics;
  return true;
}

/// Of a share group: nobody gives anything up first (ShareGroupAssignmentBuilder.java).
ModernMember take_target(const ModernMember& member, std::int32_t target_epoch) {
  ModernMember next = member;
  next.assigned.clear();
  for (const PartitionIndex p : member.target) next.assigned.push_back({p, target_epoch});
  next.previous_epoch = member.epoch;
  next.epoch = target_epoch;
  return next;
}

/// A steady member's heartbeat, which is nearly every one: nothing that it says is new, and nothing is due to it.
bool changes_nothing(const ModernGroupImage& image, const ModernMember& member,
                     const ConsumerGroupHeartbeatCall& call, bool target_due) {
  return !target_due && call.member_epoch == member.epoch && member.is_reconciled_to(image.target_epoch) &&
         !call.rebalance_timeout && call.topics.empty() && call.assignor.empty() &&
         call.member == member.entity;
}

}  // namespace

GroupCoordinator::ModernSettings GroupCoordinator::settings_of(bool share, std::string_view group) {
  const BrokerConfig& c = host_.config();
  if (!share) {
    return {c.group_consumer_session_timeout, c.group_consumer_heartbeat_interval,
            c.group_consumer_assignment_interval, c.group_consumer_max_size};
  }
  const ShareGroupConfig* const own = host_.share_group(group);
  const ShareGroupConfig none;
  const ShareGroupConfig& g = own == nullptr ? none : *own;
  return {g.session_timeout.value_or(c.group_share_session_timeout),
          g.heartbeat_interval.value_or(c.group_share_heartbeat_interval), c.group_share_assignment_interval,
          c.group_share_max_size};
}

// ---- joining and staying ----------------------------------------------------------------------------------

void GroupCoordinator::receive(Ref<ConsumerGroupHeartbeatCall> call) {
  Shard* const shard = shard_of(call->group);
  if (shard == nullptr) return reply(std::move(call), ErrorCode::not_coordinator);
  if (!call->assignor.empty()) {
    const auto& known = host_.config().group_consumer_assignors;
    const std::optional<ServerAssignor> wanted = find_server_assignor(call->assignor);
    if (!wanted || std::find(known.begin(), known.end(), *wanted) == known.end())
      return reply(std::move(call), ErrorCode::unsupported_assignor);
  }
  Group* const group = find(*shard, call->group);
  // Of the other kind there is none of this name (GroupMetadataManager.consumerGroup, shareGroup).
  const bool modern = group != nullptr && group->modern != nullptr &&
                      (group->modern->image().share == call->share || group->is(GroupState::empty));
  if (call->member_epoch < kJoinEpoch) {
    if (!modern) return reply(std::move(call), ErrorCode::group_id_not_found);
    return leave_modern(*shard, *group, std::move(call));
  }
  // A group that only has offsets, or an empty classic one, makes way.
  const bool may_begin =
      call->member_epoch == kJoinEpoch && (group == nullptr || group->is(GroupState::empty));
  if (!modern && !may_begin) return reply(std::move(call), ErrorCode::group_id_not_found);
  heartbeat_modern(*shard, group, std::move(call));
}

void GroupCoordinator::heartbeat_modern(Shard& shard, Group* group, Ref<ConsumerGroupHeartbeatCall> call) {
  static const ModernGroupImage kNew;
  const bool begins = group == nullptr || !group->modern;
  const ModernGroupImage& now_is = begins ? kNew : group->modern->image();
  const ModernMember* const known = begins ? nullptr : group->modern->member(call->member_id);
  const ModernSettings settings = settings_of(call->share, call->group);
  call->heartbeat_interval = settings.heartbeat_interval;
  if (known != nullptr && call->instance_id == known->instance_id && !topics_changed(*group->modern) &&
      changes_nothing(now_is, *known, *call, target_due(now_is, settings.assignment_interval))) {
    group->modern->restart_session(known->id, settings.session_timeout);
    call->has_assignment = false;
    return after_writes(shard, group, std::move(call));
  }
  Change change{std::make_shared<ModernGroupImage>(now_is), 0};
  change.image->share = call->share;
  const ErrorCode error = admit_modern(change, *call, settings.max_size);
  if (error != ErrorCode::none) return reply(std::move(call), error);
  const std::string member_id = call->member_id;
  ModernMember& member = *change.image->edit(member_id);
  const AssignedPartitions before = member.assigned;
  const bool subscribes_anew = take_up(member, *call);
  const std::int32_t partitions = count_partitions(*change.image);
  if (subscribes_anew || partitions != change.image->partitions) {
    change.image->partitions = partitions;
    ++change.image->epoch;
    change.records += 2;
  }
  if (target_due(*change.image, settings.assignment_interval)) make_target(change);
  const Reconciliation was = member.state;
  const std::int32_t was_at = member.epoch;
  if (!member.is_reconciled_to(change.image->target_epoch)) {
    ModernMember next =
        call->share ? take_target(member, change.image->target_epoch)
                    : reconcile(member, change.image->target_epoch, call->says_owned ? &call->owned : nullptr,
                                change.image->held_by_others(member));
    if (next != member) ++change.records;
    member = std::move(next);
  }
  const bool moved = member.state != was || member.epoch != was_at;
  call->has_assignment = call->is_full() || member.assigned != before;
  call->assigned.clear();
  for (const AssignedPartition& one : member.assigned) call->assigned.push_back(one.partition);
  call->member_epoch = member.epoch;
  const std::shared_ptr<const ModernGroupImage> image = change.image;
  group = store_modern(shard, group, std::move(change), std::move(call));
  if (group == nullptr) return;
  group->modern->metadata_version = host_.metadata_version();
  group->modern->restart_session(member_id, settings.session_timeout);
  if (moved) group->modern->watch_revocation(*image->find(member_id));
}

/// getOrMaybeSubscribeDynamicConsumerGroupMember, getOrMaybeSubscribeStaticConsumerGroupMember: afterwards the image has
/// the member.
ErrorCode GroupCoordinator::admit_modern(Change& change, const ConsumerGroupHeartbeatCall& call,
                                         std::int32_t max_size) {
  ModernGroupImage& image = *change.image;
  const bool joins = call.member_epoch == kJoinEpoch;
  const ModernMember* const known = image.find(call.member_id);
  if (known == nullptr && image.members.size() >= static_cast<std::size_t>(max_size))
    return ErrorCode::group_max_size_reached;
  const ModernMember* const holder = image.find_static(call.instance_id);
  if (!call.instance_id.empty() && !joins) {
    if (holder == nullptr) return ErrorCode::unknown_member_id;
    if (holder->id != call.member_id) return ErrorCode::fenced_instance_id;
  }
  if (holder != nullptr && joins) {
    // Whoever holds the name, be it this same member whose answer was lost, must have said that it goes.
    if (holder->epoch != kStaticLeaveEpoch) return ErrorCode::unreleased_instance_id;
    ModernMember heir = *holder;
    image.remove(heir.id);
    heir.id = call.member_id;
    heir.epoch = heir.previous_epoch = kJoinEpoch;
    image.insert(std::move(heir));
    change.records += 2 * kRecordsOfMember;
    return ErrorCode::none;
  }
  if (known != nullptr) return check_member_epoch(*known, call);
  if (!joins) return ErrorCode::unknown_member_id;
  ModernMember fresh;
  fresh.id = call.member_id;
  fresh.client_id = call.client_id;
  image.insert(std::move(fresh));
  return ErrorCode::none;
}

std::int32_t GroupCoordinator::count_partitions(const ModernGroupImage& image) {
  std::int32_t count = 0;
  for (const AssignorTopic& topic : host_.assignor_topics(image.topics())) count += topic.partitions;
  return count;
}

/// Looked at once after each change of the metadata (ModernGroup.requestMetadataRefresh).
bool GroupCoordinator::topics_changed(ModernGroup& group) {
  if (group.metadata_version == host_.metadata_version()) return false;
  if (count_partitions(group.image()) != group.image().partitions) return true;
  group.metadata_version = host_.metadata_version();
  return false;
}

// ---- the target -------------------------------------------------------------------------------------------

bool GroupCoordinator::target_due(const ModernGroupImage& image, sim::Duration interval) {
  if (image.epoch <= image.target_epoch) return false;
  return !image.target_made_at || now() >= *image.target_made_at + interval;
}

void GroupCoordinator::make_target(Change& change) {
  ModernGroupImage& image = *change.image;
  std::vector<AssignorMember> members;
  for (const ModernMember& one : image.members)
    members.push_back({one.id, one.instance_id, one.topics, one.target});
  if (image.share) {
    change.records += image.set_target(assign_shared(members, host_.assignor_topics(image.topics())), now());
    return;
  }
  const ServerAssignor assignor =
      image.preferred_assignor().value_or(host_.config().group_consumer_assignors.front());
  change.records +=
      image.set_target(kafka::assign(assignor, members, host_.assignor_topics(image.topics())), now());
}

// ---- leaving ----------------------------------------------------------------------------------------------

void GroupCoordinator::leave_modern(Shard& shard, Group& group, Ref<ConsumerGroupHeartbeatCall> call) {
  const ModernGroupImage& image = group.modern->image();
  const ModernMember* member = nullptr;
  if (call->instance_id.empty()) {
    member = image.find(call->member_id);
  } else {
    member = image.find_static(call->instance_id);
    if (member != nullptr && member->id != call->member_id)
      return reply(std::move(call), ErrorCode::fenced_instance_id);
  }
  if (member == nullptr) return reply(std::move(call), ErrorCode::unknown_member_id);
  Change change{std::make_shared<ModernGroupImage>(image), 0};
  const bool for_a_while = !call->instance_id.empty() && call->member_epoch == kStaticLeaveEpoch;
  if (for_a_while) {
    // It keeps its place until its session ends, for the next instance of its name.
    ModernMember& away = *change.image->edit(member->id);
    away.epoch = kStaticLeaveEpoch;
    away.pending_revocation.clear();
    for (AssignedPartition& one : away.assigned) one.epoch = kJoinEpoch;
    ++change.records;
  } else {
    remove_modern(change, member->id);
  }
  call->has_assignment = false;
  static_cast<void>(store_modern(shard, &group, std::move(change), std::move(call)));
}

void GroupCoordinator::remove_modern(Change& change, std::string_view member_id) {
  change.image->remove(member_id);
  ++change.image->epoch;
  change.records += kRecordsOfMember + 1;
}

/// The member is not heard of, or does not give up what it should. False when the log refuses it.
bool GroupCoordinator::fence_modern(Group& group, std::string_view member_id) {
  const EntityId entity = group.modern->image().find(member_id)->entity;
  Change change{std::make_shared<ModernGroupImage>(group.modern->image()), 0};
  remove_modern(change, member_id);
  if (!write_modern(*shard_of(group.name), group, change, Follow{})) return false;
  // A process that has come back under a new id is a member all the same: nobody has to notice that it is gone.
  const auto& members = change.image->members;
  const bool is_back = std::any_of(members.begin(), members.end(),
                                   [entity](const ModernMember& one) { return one.entity == entity; });
  if (!is_back) emit_evicted(group, entity);
  adopt(group, std::move(change.image));
  return true;
}

// ---- the log ----------------------------------------------------------------------------------------------

bool GroupCoordinator::write_modern(Shard& shard, Group& group, const Change& change, Follow&& then) {
  auto metadata = std::make_shared<GroupMetadata>();
  metadata->generation = change.image->epoch;
  metadata->state_since = now();
  metadata->modern = change.image;
  Offset end = kNoOffset;
  if (!begin_write(shard, &group, change.records, change.records * kRecordBytes, then, end)) return false;
  host_.offsets_store().append(shard.partition, shard.epoch, end, group.name, std::move(metadata));
  return true;
}

/// The change counts from now on, and is answered when it is stored. Null when the log has refused it.
Group* GroupCoordinator::store_modern(Shard& shard, Group* group, Change change,
                                      Ref<ConsumerGroupHeartbeatCall> call) {
  if (change.records == 0) {
    after_writes(shard, group, std::move(call));
    return group;
  }
  const bool is_new = group == nullptr;
  if (is_new) group = &create(shard, call->group);
  Follow then = call;
  if (!write_modern(shard, *group, change, std::move(then))) {
    if (is_new) shard.groups.erase(shard.groups.find(call->group));
    reply(std::move(call), ErrorCode::coordinator_not_available);
    return nullptr;
  }
  if (is_new) emit_state(*group, GroupState::dead);
  adopt(*group, std::move(change.image));
  return group;
}

void GroupCoordinator::adopt(Group& group, std::shared_ptr<const ModernGroupImage> image) {
  if (!group.modern) group.become_modern();
  const GroupState before = group.state;
  const bool told = image->epoch == group.generation && image->state() == before;
  group.generation = image->epoch;
  group.state = image->state();
  group.modern->adopt(std::move(image));
  if (told) return;
  group.previous_state = before;
  group.state_since = now();
  emit_state(group, before);
  if (!group.is(GroupState::empty)) {
    group.retention_timer.disarm();
  } else if (before != GroupState::empty) {
    watch_retention(group);
  }
}

/// It is again what the newest record says that the log has.
void GroupCoordinator::revert_modern(PartitionIndex partition, Group& group) {
  const std::shared_ptr<const GroupMetadata> stored = host_.offsets_store().newest(partition, group.name);
  std::shared_ptr<const ModernGroupImage> image = stored == nullptr ? nullptr : stored->modern;
  if (image == nullptr) {
    auto empty = std::make_shared<ModernGroupImage>();
    empty->share = group.modern->image().share;
    image = std::move(empty);
  }
  if (image.get() == &group.modern->image()) return;
  adopt(group, image);
  for (const ModernMember& member : image->members) {
    if (!group.modern->session_armed(member.id))
      group.modern->restart_session(member.id, settings_of(image->share, group.name).session_timeout);
    group.modern->watch_revocation(member);
  }
}

/// Sessions start afresh (GroupMetadataManager.onLoaded).
void GroupCoordinator::load_modern(Group& group, const GroupMetadata& metadata) {
  group.become_modern();
  group.modern->adopt(metadata.modern);
  group.state = metadata.modern->state();
  for (const ModernMember& member : metadata.modern->members) {
    group.modern->restart_session(member.id, settings_of(metadata.modern->share, group.name).session_timeout);
    group.modern->watch_revocation(member);
  }
}

// ---- timers -----------------------------------------------------------------------------------------------

void GroupCoordinator::modern_session_expired(Group& group, const std::string& member_id) {
  const auto due = [id = member_id](Group& g) {
    return g.modern != nullptr && g.modern->image().find(id) != nullptr && !g.modern->session_armed(id);
  };
  const auto work = [this, id = member_id](Group& g) {
    if (!fence_modern(g, id)) g.modern->restart_session(id, kTimerRetry);
  };
  host_.node().run_or_hold([this, name = group.name, due, work] {
    if (Group* const found = find_loaded(name); found != nullptr && due(*found)) work(*found);
  });
}

void GroupCoordinator::modern_revocation_expired(Group& group, const std::string& member_id,
                                                 std::int32_t epoch) {
  host_.node().run_or_hold([this, name = group.name, id = member_id, epoch] {
    Group* const found = find_loaded(name);
    if (found == nullptr || !found->modern || found->modern->revocation_armed(id)) return;
    const ModernMember* const member = found->modern->image().find(id);
    // It may have moved on meanwhile.
    const bool late =
        member != nullptr && member->epoch == epoch && member->state == Reconciliation::unrevoked_partitions;
    if (late && !fence_modern(*found, id)) found->modern->watch_revocation(*member);
  });
}

}  // namespace models::kafka
