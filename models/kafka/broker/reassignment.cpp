// How replicas are moved to other brokers (ReplicationControlManager.alterPartitionReassignments,
// PartitionReassignmentReplicas.java): those to come are added and copy the log like any follower; when all of them are in sync
// the old ones are removed, with a new leader where theirs is among them.
#include <algorithm>

#include "models/kafka/broker/controller.hpp"

namespace models::kafka {
namespace {

bool contains(const std::vector<BrokerId>& set, BrokerId b) {
  return std::find(set.begin(), set.end(), b) != set.end();
}

std::vector<BrokerId> without(const std::vector<BrokerId>& set, const std::vector<BrokerId>& gone) {
  std::vector<BrokerId> rest;
  for (const BrokerId b : set) {
    if (!contains(gone, b)) rest.push_back(b);
  }
  return rest;
}

}  // namespace

bool Controller::reassign(TopicIndex topic, const std::vector<BrokerId>& target, double throttle) {
  const TopicInfo& info = cluster_.topic(topic);
  bool moves = false;
  for (std::uint32_t n = 0; n < static_cast<std::uint32_t>(info.partitions_most); ++n) {
    const PartitionIndex p{info.first.value + n};
    if (!exists(p)) continue;
    PartitionState next = now(p);
    const std::vector<BrokerId> before = cluster_.replicas(p, next);
    std::vector<BrokerId> wanted;
    for (std::size_t r = 0; r < cluster_.partition(p).replicas.size(); ++r) {
      wanted.push_back(target[(n + r) % target.size()]);
    }
    if (wanted == before) continue;
    auto moved = std::make_shared<Reassignment>();
    moved->adding = without(wanted, before);
    moved->removing = without(before, wanted);
    moved->replicas = wanted;
    moved->replicas.insert(moved->replicas.end(), moved->removing.begin(), moved->removing.end());
    moved->throttle = throttle;
    next.moved = std::move(moved);
    complete_reassignment(p, next);
    write(p, std::move(next));
    moves = true;
  }
  return moves;
}

/// True when `next` had a reassignment under way that is now complete.
bool Controller::complete_reassignment(PartitionIndex p, PartitionState& next) {
  if (!next.moved || (next.moved->adding.empty() && next.moved->removing.empty())) return false;
  const Reassignment& moving = *next.moved;
  const std::vector<BrokerId> kept = without(next.isr, moving.removing);
  const bool all_in_sync = std::all_of(moving.adding.begin(), moving.adding.end(),
                                       [&kept](BrokerId b) { return contains(kept, b); });
  if (!all_in_sync || kept.empty()) return false;
  auto done = std::make_shared<Reassignment>();
  done->replicas = without(moving.replicas, moving.removing);
  const bool shed = !moving.removing.empty();
  next.moved = std::move(done);
  next.isr = kept;
  next.elr = without(next.elr, moving.removing);
  if (static_cast<std::int32_t>(kept.size()) >= min_insync(p)) next.elr.clear();
  if (!contains(kept, next.leader)) {
    const std::vector<BrokerId>& candidates = cluster_.replicas(p, next);
    const auto first = std::find_if(candidates.begin(), candidates.end(),
                                    [&](BrokerId b) { return active(b) && contains(kept, b); });
    next.leader = first == candidates.end() ? kNoBroker : *first;
  }
  // Who has been removed must learn of it (triggerLeaderEpochBumpForReplicaReassignmentIfNeeded).
  if (shed) next.leader_epoch = now(p).leader_epoch + 1;
  return shed;
}

}  // namespace models::kafka
