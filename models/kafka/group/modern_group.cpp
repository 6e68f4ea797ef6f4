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

std::size_t ModernGroupImage::place(std::string_view id) const {
  const auto at = lower(members, id);
  return at != members.end() && (*at)->id == id ? static_cast<std::size_t>(at - members.begin())
                                                : members.size();
}

const ModernMember* ModernGroupImage::find(std::string_view id) const {
  const std::size_t at = place(id);
  return at < members.size() ? &*members[at] : nullptr;
}

ModernMember* ModernGroupImage::edit(std::string_view id) {
  const std::size_t at = place(id);
  return at < members.size() ? &members[at].edit() : nullptr;
}

const ModernMember* ModernGroupImage::find_static(std::string_view instance_id) const {
  const auto at = std::find_if(members.begin(), members.end(),
                               [&](const ModernMember& m) { return m.instance_id == instance_id; });
  return at == members.end() || instance_id.empty() ? nullptr : &**at;
}

ModernMember& ModernGroupImage::insert(ModernMember member) {
  const auto at = lower(members, member.id);
  MQLAB_ASSERT(at == members.end() || (*at)->id != member.id, "a member.id is taken once");
  return members.emplace(at, std::move(member))->edit();
}

void ModernGroupImage::remove(std::string_view id) {
  const std::size_t at = place(id);
  if (at < members.size()) members.erase(members.begin() + static_cast<std::ptrdiff_t>(at));
}

std::vector<PartitionIndex> ModernGroupImage::held_by_others(const ModernMember& member) const {
  std::vector<PartitionIndex> lacks;
  for (const PartitionIndex p : member.target)
    if (kafka::find(member.assigned, p) == nullptr) lacks.push_back(p);
  std::vector<PartitionIndex> held;
  if (lacks.empty()) return held;
  const auto collect = [&](const AssignedPartitions& assigned) {
    for (const AssignedPartition& one : assigned) {
      if (std::binary_search(lacks.begin(), lacks.end(), one.partition)) held.push_back(one.partition);
    }
  };
  for (const ModernMember& other : members) {
    if (&other == &member) continue;
    collect(other.assigned);
    collect(other.pending_revocation);
  }
  std::sort(held.begin(), held.end());
  return held;
}

std::vector<TopicIndex> ModernGroupImage::topics() const {
  std::vector<TopicIndex> all;
  const std::vector<TopicIndex>* before = nullptr;  // most members subscribe to the same
  for (const ModernMember& member : members) {
    if (before == nullptr || *before != member.topics)
      all.insert(all.end(), member.topics.begin(), member.topics.end());
    before = &member.topics;
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

bool ModernGroupImage::has_members_of(const ModernGroupImage& other) const {
  return std::equal(
      members.begin(), members.end(), other.members.begin(), other.members.end(),
      [](const auto& ours, const auto& theirs) { return ours.shares(theirs) || ours->id == theirs->id; });
}

std::int32_t ModernGroupImage::set_target(TargetAssignment target, sim::Time now) {
  MQLAB_ASSERT(target.size() == members.size(), "a target is for all members");
  std::int32_t records = 1;
  for (std::size_t m = 0; m < members.size(); ++m) {
    if (members[m]->target == target[m]) continue;
    members[m].edit().target = std::move(target[m]);
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
  const ModernMember* const member = this->member(member_id);
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
  const ModernMember* const member = this->member(call.member_id);
  if (member == nullptr) return ErrorCode::unknown_member_id;
  return call.member_epoch == member->epoch ? ErrorCode::none : ErrorCode::stale_member_epoch;
}

// ---- timers -----------------------------------------------------------------------------------------------

ModernGroup::Timers::Timers(sim::Simulation& simulation, GroupTimers& timers, Group& group,
                            const std::string& member_id)
    : id(member_id),
      session(simulation, [&timers, &group, this] { timers.modern_session_expired(group, id); }),
      revocation(simulation,
                 [&timers, &group, this] { timers.modern_revocation_expired(group, id, revoking_epoch); }) {}

ModernGroup::Timers& ModernGroup::timers_of(const std::string& member_id) {
  if (Timers* const known = by_id_.find(member_id)) return *known;
  Timers& made = by_member_.try_emplace(member_id, simulation_, timers_, group_, member_id).first->second;
  made.place = image_->place(member_id);
  by_id_.insert(made);
  return made;
}

const ModernMember* ModernGroup::member(std::string_view member_id) const {
  const Timers* const known = by_id_.find(member_id);
  const std::size_t place = known != nullptr ? known->place : image_->place(member_id);
  return place < image_->members.size() ? &*image_->members[place] : nullptr;
}

void ModernGroup::adopt(std::shared_ptr<const ModernGroupImage> image) {
  const bool same = image_->has_members_of(*image);
  image_ = std::move(image);
  if (same) return;
  const auto& members = image_->members;  // in order of ids, as are the timers
  std::size_t place = 0;
  for (auto at = by_member_.begin(); at != by_member_.end();) {
    while (place < members.size() && members[place]->id < at->first) ++place;
    const bool stays = place < members.size() && members[place]->id == at->first;
    at->second.place = place;
    if (!stays) by_id_.erase(at->second);
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
  const Timers* const known = by_id_.find(member_id);
  return known != nullptr && known->session.armed();
}

bool ModernGroup::revocation_armed(const std::string& member_id) const {
  const Timers* const known = by_id_.find(member_id);
  return known != nullptr && known->revocation.armed();
}

}  // namespace models::kafka
