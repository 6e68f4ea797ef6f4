#include "models/kafka/invariants.hpp"

#include <algorithm>
#include <utility>

#include "models/kafka/broker/broker.hpp"
#include "models/kafka/broker/controller.hpp"
#include "models/kafka/group/group_coordinator.hpp"
#include "models/kafka/group/modern_group.hpp"
#include "models/kafka/share/share_partition_manager.hpp"

namespace models::kafka {

Finding check_log_matching(const ReplicaLog& a, const ReplicaLog& b) {
  const Offset same = a.common_prefix(b);
  const Offset shorter = std::min(a.end(), b.end());
  // Epochs rise along a log, so they meet again, if they do, where both begin one.
  for (const ReplicaLog::EpochStart& begun : a.epochs()) {
    for (const ReplicaLog::EpochStart& other : b.epochs()) {
      const Offset at = std::max({begun.start, other.start, same});
      if (begun.epoch != other.epoch || at >= shorter) continue;
      if (a.epoch_at(at) != begun.epoch || b.epoch_at(at) != begun.epoch) continue;
      return "both hold records of leader epoch " + std::to_string(begun.epoch) + " at offset " +
             std::to_string(at) + ", and differ at offset " + std::to_string(same);
    }
  }
  return std::nullopt;
}

Invariants::Invariants(Cluster& cluster)
    : cluster_(cluster),
      quorum_(cluster),
      logs_match_(cluster.options().rules.has(Rule::epoch_in_epoch_end) &&
                  cluster.options().rules.has(Rule::fetch_epoch_fencing)),
      // Before KIP-903 a follower whose disk has lost records may be let in by what it held before.
      offsets_count_(
          cluster.options().rules.offsets_count() && cluster.options().rules.has(Rule::fetch_epoch_fencing) &&
          (cluster.options().rules.has(Rule::broker_epochs_in_sync) || !cluster.options().power_may_fail)) {
  for (std::uint32_t p = 0; p < cluster.partitions().size(); ++p) {
    const PartitionIndex index{p};
    Partition partition{.index = index,
                        .may_give_up = !offsets_count_ ||
                                       cluster.topic_of(index).config.unclean_leader_election_enable.value_or(
                                           cluster.options().config.unclean_leader_election_enable),
                        .covered = ReplicaLog(cluster.shared(index).store)};
    for (const BrokerId b : cluster.partition(index).hosts) {
      partition.replicas.push_back(cluster.broker(b).replica(index));
    }
    partition.seen.resize(partition.replicas.size());
    partitions_.push_back(std::move(partition));
  }
}

Finding Invariants::check() {
  if (Finding broken = quorum_.check()) return broken;
  for (Partition& partition : partitions_) {
    if (Finding broken = check(partition)) return broken;
  }
  for (const std::string& group : groups_) {
    if (Finding broken = check_committed(group)) return broken;
  }
  return check_shared();
}

Finding Invariants::found(const Partition& partition, const std::string& what) const {
  return cluster_.context().entities[cluster_.partition(partition.index).entity].name + ": " + what;
}

Finding Invariants::check(Partition& partition) {
  const PartitionState& granted = cluster_.metadata_log().state(partition.index);
  bool changed = granted.partition_epoch != partition.partition_epoch;
  bool logs_changed = false;
  for (std::size_t i = 0; i < partition.replicas.size(); ++i) {
    const Replica& replica = *partition.replicas[i];
    const Seen now{replica.log.end(), replica.high_watermark, replica.log.latest_epoch(),
                   replica.leader_epoch, replica.leads};
    if (now == partition.seen[i]) continue;
    if (Finding broken = check_replica(replica, partition.seen[i], now)) {
      return found(partition, "replica " + std::to_string(i) + ": " + *broken);
    }
    logs_changed |= now.end != partition.seen[i].end || now.latest_epoch != partition.seen[i].latest_epoch;
    partition.seen[i] = now;
    changed = true;
  }
  if (!changed) return std::nullopt;
  if (Finding broken = check_epochs(partition, granted)) return broken;
  for (std::size_t i = 0; logs_match_ && logs_changed && i < partition.replicas.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (Finding broken = check_log_matching(partition.replicas[i]->log, partition.replicas[j]->log)) {
        return found(partition,
                     "replicas " + std::to_string(j) + " and " + std::to_string(i) + ": " + *broken);
      }
    }
  }
  return check_leader(partition, granted);
}

Finding Invariants::check_replica(const Replica& replica, const Seen& before, const Seen& now) {
  if (replica.high_watermark > replica.log.end()) {
    return "the high watermark " + std::to_string(replica.high_watermark) + " is beyond the log's end " +
           std::to_string(replica.log.end());
  }
  const bool same_reign = before.leads && now.leads && before.leader_epoch == now.leader_epoch;
  if (same_reign && now.high_watermark < before.high_watermark) {
    return "a leader's high watermark fell from " + std::to_string(before.high_watermark) + " to " +
           std::to_string(now.high_watermark);
  }
  return std::nullopt;
}

Finding Invariants::check_epochs(Partition& partition, const PartitionState& granted) {
  if (granted.partition_epoch < partition.partition_epoch || granted.leader_epoch < partition.granted_epoch) {
    return found(partition, "its epochs fell from " + std::to_string(partition.granted_epoch) + " and " +
                                std::to_string(partition.partition_epoch) + " to " +
                                std::to_string(granted.leader_epoch) + " and " +
                                std::to_string(granted.partition_epoch));
  }
  partition.partition_epoch = granted.partition_epoch;
  partition.granted_epoch = granted.leader_epoch;
  const bool leads = granted.leader != kNoBroker;
  if (leads && std::find(granted.isr.begin(), granted.isr.end(), granted.leader) == granted.isr.end())
    return found(partition, "broker " + std::to_string(granted.leader.value) + " leads and is not in sync");
  for (const Replica* const replica : partition.replicas) {
    if (!replica->leads) continue;
    const auto epoch = static_cast<std::size_t>(replica->leader_epoch);
    if (partition.led.size() <= epoch) partition.led.resize(epoch + 1, kNoBroker);
    BrokerId& leader = partition.led[epoch];
    if (leader == kNoBroker) leader = replica->leader;
    if (leader != replica->leader) {
      return found(partition, "brokers " + std::to_string(leader.value) + " and " +
                                  std::to_string(replica->leader.value) + " have both led in epoch " +
                                  std::to_string(epoch));
    }
  }
  return std::nullopt;
}

bool Invariants::gives_up(const Partition& partition) {
  return partition.may_give_up || cluster_.shared(partition.index).gave_up;
}

Finding Invariants::check_leader(Partition& partition, const PartitionState& granted) {
  if (granted.leader == kNoBroker) return std::nullopt;
  const Replica& leader = *cluster_.broker(granted.leader).replica(partition.index);
  if (!leader.leads || leader.leader_epoch != granted.leader_epoch)
    return std::nullopt;  // has not heard of it yet
  for (const BrokerId b : granted.isr) {
    if (!offsets_count_ || (cluster_.shared(partition.index).gave_up && !cluster_.controller().knows(b)))
      continue;
    const ReplicaLog& log = cluster_.broker(b).replica(partition.index)->log;
    const Offset same = log.common_prefix(leader.log);
    if (same < leader.high_watermark) {
      return found(partition, "broker " + std::to_string(b.value) +
                                  " is in sync and agrees with its leader only up to " +
                                  std::to_string(same) + ", below the high watermark " +
                                  std::to_string(leader.high_watermark));
    }
  }
  const bool new_leader =
      partition.leader != granted.leader || partition.leader_epoch != granted.leader_epoch;
  if (new_leader && !gives_up(partition) &&
      leader.log.common_prefix(partition.covered) < partition.covered.end()) {
    return found(partition, "the leader of epoch " + std::to_string(granted.leader_epoch) +
                                " lacks records below an earlier high watermark, " +
                                std::to_string(partition.covered.end()));
  }
  partition.leader = granted.leader;
  partition.leader_epoch = granted.leader_epoch;
  if (new_leader && gives_up(partition)) partition.covered.truncate(0);
  if (leader.high_watermark > partition.covered.end()) {
    partition.covered = leader.log;
    partition.covered.truncate(leader.high_watermark);
  }
  return std::nullopt;
}

Finding check_image(const ModernGroupImage& image, const ModernGroupImage* before) {
  if (image.target_epoch > image.epoch) return "its target is ahead of the group's epoch";
  std::map<PartitionIndex, std::string> holders;
  for (const ModernMember& member : image.members) {
    if (member.epoch > image.target_epoch) return member.id + " is at an epoch of no target";
    for (const AssignedPartitions* some : {&member.assigned, &member.pending_revocation}) {
      for (const AssignedPartition& one : *some) {
        const auto [at, first] = holders.emplace(one.partition, member.id);
        if (!first && !image.share) {
          return "partition " + std::to_string(one.partition.value) + " is held by " + at->second +
                 " and by " + member.id;
        }
        if (one.epoch > std::max(member.epoch, kJoinEpoch))
          return member.id + " holds a partition of an epoch that it has not reached";
      }
    }
    const ModernMember* const then = before == nullptr ? nullptr : before->find(member.id);
    if (then != nullptr && member.epoch > kJoinEpoch && member.epoch < then->epoch)
      return member.id + " fell back to an older epoch";
  }
  return std::nullopt;
}

Finding check_owners(const Group& group) {
  std::map<PartitionIndex, std::string> owners;
  for (const auto& [id, member] : group.members()) {
    for (const PartitionIndex p : member.assignment) {
      const auto [at, first] = owners.emplace(p, id);
      if (!first) {
        return "partition " + std::to_string(p.value) + " is assigned to " + at->second + " and to " + id +
               " in generation " + std::to_string(group.generation);
      }
    }
  }
  return std::nullopt;
}

/// What every leader holds of share groups, where it has changed.
Finding Invariants::check_shared() {
  Finding broken;
  for (std::int32_t b = 0; b < cluster_.broker_count() && !broken; ++b) {
    const SharePartitionManager* const shares = cluster_.broker(BrokerId{b}).shares();
    if (shares == nullptr) return std::nullopt;
    shares->for_each([&](const ShareKey& key, const SharePartition& records) {
      std::uint64_t& seen = shared_[{key, b}];
      if (broken || seen == records.revision()) return;
      seen = records.revision();
      if (const char* what = records.broken())
        broken = cluster_.context().entities[cluster_.partition(key.partition).entity].name + ": " + what;
    });
  }
  return broken;
}

Finding Invariants::check_committed(const std::string& group) {
  const BrokerId coordinator = cluster_.metadata_log().state(cluster_.offsets_partition(group)).leader;
  if (coordinator == kNoBroker) return std::nullopt;
  const Group* const known = cluster_.broker(coordinator).coordinator().group(group);
  if (known == nullptr) return std::nullopt;
  if (known->modern) {
    // Images do not change: one is looked at once. What a coordinator had not got into the log its successor lacks.
    // Nor is the earlier one compared with where records may have been given up.
    const PartitionIndex home = cluster_.offsets_partition(group);
    const LeaderEpoch reign = cluster_.metadata_log().state(home).leader_epoch;
    SeenImage& seen = images_[group];
    if (seen.reign != reign || gives_up(partitions_[home.value])) seen = {reign, nullptr};
    if (seen.image != known->modern->shared_image()) {
      if (Finding broken = check_image(known->modern->image(), seen.image.get()))
        return group + ": " + *broken;
      seen.image = known->modern->shared_image();
    }
  }
  // Assignments of a generation do not change while it lasts.
  const bool claims_count = cluster_.options().rules.has(Rule::generation_with_owned);
  if (!known->modern && claims_count && known->is(GroupState::stable)) {
    const auto [at, first] = generations_.try_emplace(group, -1);
    if (std::exchange(at->second, known->generation) != known->generation) {
      if (Finding broken = check_owners(*known)) return group + ": " + *broken;
    }
  }
  for (const CommittedOffset& committed : known->offsets.entries()) {
    const Partition& partition = partitions_[committed.partition.value];
    const ReplicaLog* const line = cluster_.shared(committed.partition).line;
    if (gives_up(partition) || line == nullptr || committed.offset <= line->end()) continue;
    return found(partition, group + " has committed offset " + std::to_string(committed.offset) +
                                ", beyond the log's end " + std::to_string(line->end()));
  }
  return std::nullopt;
}

}  // namespace models::kafka
