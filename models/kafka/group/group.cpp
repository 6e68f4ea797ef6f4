#include "models/kafka/group/group.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "models/kafka/group/modern_group.hpp"
#include "sim/assert.hpp"

namespace models::kafka {

// ---- states -----------------------------------------------------------------------------------------------

std::string_view group_state_name(GroupState state) {
  static constexpr std::array<std::string_view, 7> kNames{
      "Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead", "Assigning", "Reconciling"};
  return kNames[static_cast<std::size_t>(state)];
}

bool may_follow(GroupState before, GroupState after) {
  using enum GroupState;
  switch (after) {
    case empty:
      return before == preparing_rebalance;
    case preparing_rebalance:
      return before == stable || before == completing_rebalance || before == empty;
    case completing_rebalance:
      return before == preparing_rebalance;
    case stable:
      return before == completing_rebalance;
    case dead:
      break;
    case assigning:
    case reconciling:
      return false;
  }
  return true;
}

// ---- members ----------------------------------------------------------------------------------------------

GroupMember::GroupMember(sim::Simulation& simulation, GroupTimers& timers, Group& group)
    : session(simulation, [&timers, &group, this] { timers.session_expired(group, *this); }) {}

bool GroupMember::matches(const JoinGroupCall& call) const {
  const Subscription& other = call.subscription;
  return protocols == call.protocols && subscription.topics == other.topics &&
         subscription.owned == other.owned && subscription.generation == other.generation &&
         subscription.rack == other.rack;
}

Group::Group(sim::Simulation& simulation, GroupTimers& timers, std::string group_name, EntityId group_entity)
    : name(std::move(group_name)),
      entity(group_entity),
      join_timer(simulation, [&timers, this] { timers.join_due(*this); }),
      sync_timer(simulation, [&timers, this] { timers.sync_due(*this); }),
      retention_timer(simulation, [&timers, this] { timers.retention_due(*this); }),
      simulation_(simulation),
      timers_(timers) {}

Group::~Group() = default;

void Group::become_modern() {
  // Offsets of such a group expire by the time of their commit, whether it has had members or not.
  had_members = false;
  modern = std::make_unique<ModernGroup>(simulation_, timers_, *this);
}

void Group::become_classic() {
  modern.reset();
  generation = 0;
}

GroupMember* Group::find(std::string_view member_id) {
  return by_id_.find(member_id);
}

const std::string* Group::static_member(std::string_view instance_id) const {
  const auto found = static_members_.find(instance_id);
  return found == static_members_.end() ? nullptr : &found->second;
}

ErrorCode Group::validate(std::string_view member_id, std::string_view instance_id) {
  const GroupMember* const member = find(member_id);
  if (!instance_id.empty() && (member == nullptr || member->instance_id != instance_id)) {
    const std::string* const holder = static_member(instance_id);
    if (holder == nullptr) return ErrorCode::unknown_member_id;
    if (*holder != member_id) return ErrorCode::fenced_instance_id;
  }
  return member == nullptr ? ErrorCode::unknown_member_id : ErrorCode::none;
}

GroupMember& Group::emplace(const std::string& member_id, const std::string& instance_id) {
  const auto [at, is_new] = members_.try_emplace(member_id, simulation_, timers_, *this);
  MQLAB_ASSERT(is_new, "a member.id is given once");
  GroupMember& member = at->second;
  member.id = member_id;
  member.instance_id = instance_id;
  by_id_.insert(member);
  if (member.is_static()) {
    const bool first_holder = static_members_.emplace(instance_id, member_id).second;
    MQLAB_ASSERT(first_holder, "an instance id has one holder");
  }
  had_members = true;
  if (leader.empty()) leader = member_id;
  return member;
}

GroupMember& Group::add(const std::string& member_id, const JoinGroupCall& call) {
  GroupMember& member = emplace(member_id, call.instance_id);
  member.is_new = true;
  pending_.erase(member_id);
  update(member, call);
  return member;
}

GroupMember& Group::restore(const GroupMetadata::Member& record) {
  GroupMember& member = emplace(record.member_id, record.instance_id);
  member.entity = record.entity;
  member.client_id = record.client_id;
  member.session_timeout = record.session_timeout;
  member.rebalance_timeout = record.rebalance_timeout;
  member.subscription = record.subscription;
  member.assignment = record.assignment;
  // The log keeps what was said about the chosen assignor only.
  member.protocols = {protocol};
  count_protocols(member, 1);
  return member;
}

void Group::update(GroupMember& member, const JoinGroupCall& call) {
  count_protocols(member, -1);
  member.protocols = call.protocols;
  count_protocols(member, 1);
  member.subscription = call.subscription;
  member.session_timeout = call.session_timeout;
  member.rebalance_timeout = call.rebalance_timeout;
  member.entity = call.member;
  member.client_id = call.client_id;
  member.record.reset();
}

void Group::assign(GroupMember& member, std::vector<PartitionIndex> partitions) {
  member.assignment = std::move(partitions);
  member.record.reset();
}

void Group::remove(const std::string& member_id) {
  const std::string gone = member_id;  // may be the member's own
  pending_.erase(gone);
  if (const auto at = members_.find(gone); at != members_.end()) {
    GroupMember& member = at->second;
    count_protocols(member, -1);
    expect_sync(member, false);
    if (member.join) --awaiting_join_;
    if (member.is_static()) static_members_.erase(member.instance_id);
    by_id_.erase(member);
    members_.erase(at);
  }
  if (leader == gone) leader = members_.empty() ? std::string() : members_.begin()->first;
}

void Group::rename(GroupMember& member, const std::string& new_id) {
  auto node = members_.extract(member.id);
  MQLAB_ASSERT(!node.empty(), "only a member can be renamed");
  if (leader == member.id) leader = new_id;
  node.key() = new_id;
  by_id_.erase(member);
  member.id = new_id;
  by_id_.insert(member);
  member.record.reset();
  static_members_[member.instance_id] = new_id;
  members_.insert(std::move(node));
}

sim::Duration Group::rebalance_timeout() const {
  sim::Duration longest{};
  for (const auto& [id, member] : members_) longest = std::max(longest, member.rebalance_timeout);
  return longest;
}

// ---- joining ----------------------------------------------------------------------------------------------

Group::Pending::Pending(sim::Simulation& simulation, GroupTimers& timers, Group& group, std::string member_id)
    : id(std::move(member_id)),
      timer(simulation, [&timers, &group, this] { timers.pending_expired(group, id); }) {}

void Group::add_pending(const std::string& member_id, sim::Duration timeout) {
  const auto [at, is_new] = pending_.try_emplace(member_id, simulation_, timers_, *this, member_id);
  MQLAB_ASSERT(is_new, "a member.id is given once");
  at->second.timer.arm_after(timeout);
}

bool Group::pending_timer_armed(std::string_view member_id) const {
  const auto found = pending_.find(member_id);
  return found != pending_.end() && found->second.timer.armed();
}

void Group::park(GroupMember& member, Ref<JoinGroupCall> call) {
  if (!member.join) ++awaiting_join_;
  member.join = std::move(call);
}

Ref<JoinGroupCall> Group::unpark(GroupMember& member) {
  if (member.join) --awaiting_join_;
  return std::exchange(member.join, {});
}

bool Group::elect_joined_leader() {
  if (leader.empty()) return false;
  if (find(leader)->join) return true;
  for (const auto& [id, member] : members_) {
    if (!member.join) continue;
    leader = id;
    return true;
  }
  return false;
}

void Group::count_protocols(const GroupMember& member, int by) {
  for (const std::string& one : member.protocols) {
    std::size_t& count = supporters_[one];
    count = by > 0 ? count + 1 : count - 1;
  }
}

bool Group::supports(const std::vector<std::string>& protocols) const {
  if (is(GroupState::empty)) return !protocols.empty();
  return std::any_of(protocols.begin(), protocols.end(), [this](const std::string& one) {
    const auto found = supporters_.find(one);
    return (found == supporters_.end() ? 0 : found->second) == members_.size();
  });
}

std::string Group::select_protocol() const {
  std::map<std::string, std::size_t, std::less<>> votes;
  for (const auto& [id, member] : members_) {
    const auto choice = std::find_if(
        member.protocols.begin(), member.protocols.end(),
        [this](const std::string& one) { return supporters_.find(one)->second == members_.size(); });
    MQLAB_ASSERT(choice != member.protocols.end(),
                 "who supports none of the group's protocols is not let in");
    ++votes[*choice];
  }
  const auto most = std::max_element(votes.begin(), votes.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  MQLAB_ASSERT(most != votes.end(), "an empty group selects no protocol");
  return most->first;
}

std::vector<JoinGroupCall::Member> Group::joined_members() const {
  std::vector<JoinGroupCall::Member> all;
  all.reserve(members_.size());
  for (const auto& [id, member] : members_) all.push_back({id, member.instance_id, member.subscription});
  return all;
}

// ---- syncing ----------------------------------------------------------------------------------------------

void Group::expect_sync(GroupMember& member, bool expected) {
  if (member.sync_expected == expected) return;
  member.sync_expected = expected;
  syncs_expected_ = expected ? syncs_expected_ + 1 : syncs_expected_ - 1;
}

void Group::expect_no_sync() {
  for (auto& [id, member] : members_) expect_sync(member, false);
}

std::shared_ptr<GroupMetadata> Group::metadata() {
  auto record = std::make_shared<GroupMetadata>();
  record->generation = generation;
  record->had_members = had_members;
  record->protocol = protocol;
  record->leader = leader;
  record->state_since = state_since;
  record->members.reserve(members_.size());
  for (auto& [id, member] : members_) {
    if (member.record == nullptr) {
      member.record = std::make_shared<const GroupMetadata::Member>(GroupMetadata::Member{
          id, member.instance_id, member.entity, member.session_timeout, member.rebalance_timeout,
          member.subscription, member.assignment, member.client_id});
    }
    record->members.push_back(member.record);
  }
  return record;
}

}  // namespace models::kafka
