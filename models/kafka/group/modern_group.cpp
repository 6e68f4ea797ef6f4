#include "models/kafka/group/modern_group.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "sim/assert.hpp"

namespace models::kafka {
namespace {

template <class Members>
auto lower(Members& members, std::string_view id) {
  return std::lower_bound(
      members.begin(), members.end(), id,
      [](const ModernMember& m, std::string_view wanted) { return m.id.compare(wanted) < 0; });
}

}  // namespace

const AssignedPartition* find(const AssignedPartitions& partitions, PartitionIndex p) {
  const auto at =
      std::lower_bound(partitions.begin(), partitions.end(), p,
                       [](const AssignedPartition& a, PartitionIndex b) { return a.partition < b; });
  return at != partitions.end() && at->partition == p ? &*at : nullptr;
}

// ---- the image --------------------------------------------------------------------------------------------

const ModernMember* ModernGroupImage::find(std::string_view id) const {
  const auto at = lower(members, id);
  return at != members.end() && at->id == id ? &*at : nullptr;
}

ModernMember* ModernGroupImage::find(std::string_view id) {
  return const_cast<ModernMember*>(std::as_const(*this).find(id));
}

const ModernMember* ModernGroupImage::find_static(std::string_view instance_id) const {
  const auto at = std::find_if(members.begin(), members.end(),
                               [&](const ModernMember& m) { return m.instance_id == instance_id; });
  return at == members.end() || instance_id.empty() ? nullptr : &*at;
}

ModernMember& ModernGroupImage::insert(ModernMember member) {
  const auto at = lower(members, member.id);
  MQLAB_ASSERT(at == members.end() || at->id != member.id, "a member.id is taken once");
  return *members.insert(at, std::move(member));
}

void ModernGroupImage::remove(std::string_view id) {
  const auto at = lower(members, id);
  if (at != members.end() && at->id == id) members.erase(at);
}

std::vector<PartitionIndex> ModernGroupImage::held_by_others(const ModernMember& member) const {
  std::vector<PartitionIndex> held;
  const auto collect = [&](const AssignedPartitions& assigned) {
    for (const AssignedPartition& one : assigned) {
      if (std::binary_search(member.target.begin(), member.target.end(), one.partition))
        held.push_back(one.partition);
    }
  };
  for (const ModernMember& other : members) {
    if (other.id == member.id) continue;
    collect(other.assigned);
    collect(other.pending_revocation);
  }
  std::sort(held.begin(), held.end());
  return held;
}

std::vector<TopicIndex> ModernGroupImage::topics() const {
  std::vector<TopicIndex> all;
  for (const ModernMember& member : members)
    all.insert(all.end(), member.topics.begin(), member.topics.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::int32_t ModernGroupImage::set_target(TargetAssignment target, sim::Time now) {
  MQLAB_ASSERT(target.size() == members.size(), "a target is for all members");
  std::int32_t records = 1;
  for (std::size_t m = 0; m < members.size(); ++m) {
    if (members[m].target == target[m]) continue;
    members[m].target = std::move(target[m]);
    ++records;
  }
  target_epoch = epoch;
  target_made_at = now;
  return records;
}

GroupState ModernGroupImage::state() const {
  if (members.empty()) return GroupState::empty;
  if (share) return GroupState::stable;  // ShareGroup.java: nobody waits for anybody
  if (epoch > target_epoch) return GroupState::assigning;
  const bool all = std::all_of(members.begin(), members.end(),
                               [this](const ModernMember& m) { return m.is_reconciled_to(target_epoch); });
  return all ? GroupState::stable : GroupState::reconciling;
}

std::optional<ServerAssignor> ModernGroupImage::preferred_assignor() const {
  std::array<std::size_t, 2> votes{};
  for (const ModernMember& member : members) {
    if (member.assignor) ++votes[static_cast<std::size_t>(*member.assignor)];
  }
  const auto most_range = votes[static_cast<std::size_t>(ServerAssignor::range)];
  const auto most_uniform = votes[static_cast<std::size_t>(ServerAssignor::uniform)];
  if (most_range == 0 && most_uniform == 0) return std::nullopt;
  return most_range >= most_uniform ? ServerAssignor::range : ServerAssignor::uniform;
}

ErrorCode check_member_epoch(const ModernMember& member, const ConsumerGroupHeartbeatCall& call) {
  if (call.member_epoch == kJoinEpoch || call.member_epoch == member.epoch) return ErrorCode::none;
  if (call.member_epoch > member.epoch) return ErrorCode::fenced_member_epoch;
  // The answer that raised its epoch may have been lost.
  const bool subset =
      call.says_owned && std::all_of(call.owned.begin(), call.owned.end(),
                                     [&](PartitionIndex p) { return find(member.assigned, p) != nullptr; });
  return call.member_epoch == member.previous_epoch && subset ? ErrorCode::none
                                                              : ErrorCode::fenced_member_epoch;
}

// ---- offsets ----------------------------------------------------------------------------------------------

ErrorCode ModernGroup::may_commit(const std::string& member_id, std::int32_t epoch,
                                  std::span<const OffsetCommitCall::Item> items) const {
  // Without an epoch: a tool, or a consumer that manages its partitions itself.
  if (epoch < 0 && image_->members.empty()) return ErrorCode::none;
  const ModernMember* const member = image_->find(member_id);
  if (member == nullptr) return ErrorCode::unknown_member_id;
  if (epoch == member->epoch) return ErrorCode::none;
  if (epoch > member->epoch) return ErrorCode::stale_member_epoch;
  // An older epoch of the member's is good for what it has had since then (KIP-1251).
  for (const OffsetCommitCall::Item& item : items) {
    const AssignedPartition* held = find(member->assigned, item.partition);
    if (held == nullptr) held = find(member->pending_revocation, item.partition);
    if (held == nullptr || epoch < held->epoch) return ErrorCode::stale_member_epoch;
  }
  return ErrorCode::none;
}

bool ModernGroup::is_current(const std::string& member_id, std::int32_t epoch) const {
  const ModernMember* const member = image_->find(member_id);
  return member == nullptr || epoch == member->epoch;
}

ErrorCode ModernGroup::may_fetch(const OffsetFetchCall& call) const {
  if (call.member_id.empty() && call.member_epoch < 0) return ErrorCode::none;
  const ModernMember* const member = image_->find(call.member_id);
  if (member == nullptr) return ErrorCode::unknown_member_id;
  return call.member_epoch == member->epoch ? ErrorCode::none : ErrorCode::stale_member_epoch;
}

// ---- timers -----------------------------------------------------------------------------------------------

ModernGroup::Timers::Timers(sim::Simulation& simulation, GroupTimers& timers, Group& group,
                            const std::string& id)
    : member_id(id),
      session(simulation, [&timers, &group, this] { timers.modern_session_expired(group, member_id); }),
      revocation(simulation, [&timers, &group, this] {
        timers.modern_revocation_expired(group, member_id, revoking_epoch);
      }) {}

ModernGroup::Timers& ModernGroup::timers_of(const std::string& member_id) {
  const auto found = by_member_.find(member_id);
  if (found != by_member_.end()) return found->second;
  return by_member_.try_emplace(member_id, simulation_, timers_, group_, member_id).first->second;
}

void ModernGroup::adopt(std::shared_ptr<const ModernGroupImage> image) {
  image_ = std::move(image);
  auto member = image_->members.begin();  // both are in order of ids
  for (auto at = by_member_.begin(); at != by_member_.end();) {
    while (member != image_->members.end() && member->id < at->first) ++member;
    const bool stays = member != image_->members.end() && member->id == at->first;
    at = stays ? std::next(at) : by_member_.erase(at);
  }
}

void ModernGroup::restart_session(const std::string& member_id, sim::Duration timeout) {
  timers_of(member_id).session.arm_after(timeout);
}

void ModernGroup::watch_revocation(const ModernMember& member) {
  Timers& timers = timers_of(member.id);
  if (member.state != Reconciliation::unrevoked_partitions) return timers.revocation.disarm();
  timers.revoking_epoch = member.epoch;
  timers.revocation.arm_after(member.rebalance_timeout);
}

bool ModernGroup::session_armed(const std::string& member_id) const {
  const auto found = by_member_.find(member_id);
  return found != by_member_.end() && found->second.session.armed();
}

bool ModernGroup::revocation_armed(const std::string& member_id) const {
  const auto found = by_member_.find(member_id);
  return found != by_member_.end() && found->second.revocation.armed();
}

}  // namespace models::kafka
