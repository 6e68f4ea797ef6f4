#include "models/kafka/tiers/remote_log_manager.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "models/kafka/broker/log_manager.hpp"
#include "models/kafka/broker/replica.hpp"

namespace models::kafka {
namespace {

/// How often a copy that waits for its quota looks again (RemoteLogManager.quotaTimeout).
constexpr sim::Duration kQuotaTimeout = std::chrono::seconds{1};

}  // namespace

RemoteLogManager::Task::Task(RemoteLogManager& manager, Replica& of)
    : replica(of),
      round(manager.cluster_.context().simulation, manager.node_, [&manager, this] { manager.round(*this); }),
      copying(manager.cluster_.context().simulation, manager.node_,
              [&manager, this] { throttled ? manager.copy_next(*this) : manager.copy_round(*this); }),
      transfer(manager.cluster_.context().simulation, manager.node_, manager.cluster_.remote_store(),
               [&manager, this](bool succeeded) { manager.copied(*this, succeeded); }) {}

RemoteLogManager::RemoteLogManager(Cluster& cluster, Node& node, LogManager& logs)
    : cluster_(cluster),
      node_(node),
      logs_(logs),
      draws_(cluster.context().simulation.seed(), "broker/" + node.name() + "/remote-log-manager"),
      // remote.log.manager.copy.quota.window.num, .size.seconds
      copied_bytes_(11, std::chrono::seconds{1}) {}

void RemoteLogManager::added(Replica& replica) {
  if (!replica.shared->remote) replica.shared->remote = std::make_unique<RemoteLog>();
  tasks_.push_back(std::make_unique<Task>(*this, replica));
}

sim::Duration RemoteLogManager::somewhere_in_a_round() {
  return sim::Duration{static_cast<std::int64_t>(
      draws_.uniform() * static_cast<double>(config().manager_task_interval.count()))};
}

void RemoteLogManager::start() {
  running_ = true;
  for (const auto& task : tasks_) {
    if (task->role == Role::none) continue;
    task->round.arm_after(somewhere_in_a_round());
    if (task->role == Role::leader) task->copying.arm_after(somewhere_in_a_round());
  }
}

void RemoteLogManager::role_changed(Replica& replica) {
  const auto at = std::find_if(tasks_.begin(), tasks_.end(),
                               [&replica](const auto& task) { return &task->replica == &replica; });
  Task& task = **at;
  const Role role = replica.leads ? Role::leader : replica.leader == kNoBroker ? Role::none : Role::follower;
  if (role == task.role) return;
  task.role = role;
  task.copying.disarm();
  task.transfer.cancel();
  task.round.disarm();
  task.throttled = false;
  task.start_known = false;
  task.copied.reset();
  if (!running_ || role == Role::none) return;
  task.round.arm_after({});
  if (role == Role::leader) task.copying.arm_after({});
}

void RemoteLogManager::crashed() {
  running_ = true;  // from the next start of the process on
  for (const auto& task : tasks_) {
    task->role = Role::none;
    task->round.disarm();
    task->copying.disarm();
    task->transfer.cancel();
    task->replica.disk.remote_end = 0;
  }
}

const RemoteSegment* RemoteLogManager::rebuilds_from(const Replica& replica, LeaderEpoch epoch,
                                                     Offset local_start) const {
  RemoteStore& store = cluster_.remote_store();
  if (!store.up() || store.node().paused()) return nullptr;
  return replica.shared->remote->find(epoch, local_start - 1);
}

void RemoteLogManager::tell(const Replica& replica, std::uint16_t what, Offset from, Offset end,
                            std::int64_t bytes) {
  cluster_.context().emit(Kind::tiered, {.code = what,
                                         .actor = node_.entity().value,
                                         .place = cluster_.partition(replica.partition).entity.value,
                                         .a = from,
                                         .b = end - from,
                                         .c = bytes});
}

/// RLMFollowerTask, RLMExpirationTask
void RemoteLogManager::round(Task& task) {
  if (task.role == Role::leader) {
    expire(task.replica);
  } else {
    Offset& known = task.replica.disk.remote_end;
    known = std::max(known, task.replica.shared->remote->copied_of(task.replica.log));
  }
  task.round.arm_after(config().manager_task_interval);
}

// ---- copying (RLMCopyTask) ------------------------------------------------------------------------------------------

void RemoteLogManager::copy_round(Task& task) {
  Replica& replica = task.replica;
  const RemoteLog& remote = *replica.shared->remote;
  if (!task.start_known) {
    // maybeUpdateLogStartOffsetOnBecomingLeader: its predecessor may have removed more than it knows.
    const Offset first = remote.first_of(replica.log);
    const Offset start = first == kNoOffset ? replica.local_start() : first;
    if (start > replica.log.start() && start <= replica.high_watermark) logs_.raise_start(replica, start);
    task.start_known = true;
  }
  if (!task.copied) {
    task.copied = remote.copied_of(replica.log);
    replica.disk.remote_end = std::max(replica.disk.remote_end, *task.copied);
  }
  task.until = replica.last_stable_offset();
  copy_next(task);
}

void RemoteLogManager::copy_next(Task& task) {
  Replica& replica = task.replica;
  const Offset from = std::max(*task.copied, replica.log.start());
  const std::vector<Segment>& all = replica.disk.segments.all();
  task.throttled = false;
  std::size_t next = 1;
  while (next < all.size() && all[next].base <= from) ++next;
  if (next == all.size() || all[next].base > task.until)
    return task.copying.arm_after(config().manager_task_interval);
  const sim::Time now = cluster_.context().now();
  if (config().copy_max_bytes_per_second < std::numeric_limits<std::int64_t>::max() &&
      copied_bytes_.per_second(now) > static_cast<double>(config().copy_max_bytes_per_second)) {
    task.throttled = true;
    return task.copying.arm_after(kQuotaTimeout);
  }
  copied_bytes_.record(static_cast<double>(all[next - 1].bytes), now);
  task.segment = all[next - 1];
  task.segment_end = all[next].base;
  task.transfer.begin(task.segment.bytes, draws_);
}

void RemoteLogManager::copied(Task& task, bool succeeded) {
  Replica& replica = task.replica;
  const Segment& segment = task.segment;
  if (!succeeded) {
    tell(replica, kCopyFailed, segment.base, task.segment_end, segment.bytes);
    return task.copying.arm_after(config().manager_task_interval);
  }
  if (task.segment_end > replica.log.start()) {  // or it was deleted while it was copied
    ReplicaLog lineage = replica.log;
    lineage.reload(task.segment_end);
    replica.shared->remote->add({.base = segment.base,
                                 .end = task.segment_end,
                                 .bytes = segment.bytes,
                                 .largest_timestamp = segment.largest_timestamp,
                                 .lineage = std::move(lineage)});
  }
  tell(replica, kCopied, segment.base, task.segment_end, segment.bytes);
  task.copied = task.segment_end;
  replica.disk.remote_end = std::max(replica.disk.remote_end, task.segment_end);
  copy_next(task);
}

// ---- retention of both tiers (RLMExpirationTask.cleanupExpiredRemoteLogSegments) -----------------------------------

/// Bytes above retention.bytes, of what is remote and of what is not remote yet (buildRetentionSizeData).
std::int64_t RemoteLogManager::excess(const Replica& replica, const RemoteLog& remote) const {
  const std::int64_t most =
      replica.disk.topic->retention_bytes.value_or(cluster_.options().config.log_retention_bytes);
  if (most < 0) return 0;
  std::int64_t bytes = 0;
  for (const RemoteSegment& segment : remote.segments())
    bytes += RemoteLog::within(segment, replica.log) ? segment.bytes : 0;
  for (const Segment& local : replica.disk.segments.all())
    bytes += local.base >= replica.disk.remote_end ? local.bytes : 0;
  return std::max<std::int64_t>(bytes - most, 0);
}

void RemoteLogManager::expire(Replica& replica) {
  RemoteLog& remote = *replica.shared->remote;
  const std::int64_t longest =
      replica.disk.topic->retention_ms.value_or(cluster_.options().config.retention_ms());
  const sim::Time now = cluster_.context().now() + node_.clock_ahead();
  std::int64_t breached = excess(replica, remote);
  const Offset before = replica.log.start();
  Offset start = before;
  std::int64_t segments = 0;
  for (const RemoteSegment& segment : remote.segments()) {
    if (!RemoteLog::within(segment, replica.log)) continue;
    if (segment.end <= before) continue;
    const bool too_old =
        longest >= 0 && segment.largest_timestamp <= now - sim::Duration{longest * 1'000'000};
    const bool too_much = breached > 0 && segment.bytes <= breached;
    if (!too_old && !too_much) break;
    breached = std::max<std::int64_t>(breached - segment.bytes, 0);
    start = std::max(start, segment.end);
    ++segments;
  }
  if (start > before && start <= replica.high_watermark) logs_.raise_start(replica, start, segments);
  // While remote storage fails, what is to be deleted stays, and is below the log start offset in the next round, too.
  if (!cluster_.remote_store().up() || replica.log.epochs().empty()) return;
  const LeaderEpoch earliest = replica.log.epochs().front().epoch;
  remote.erase_if([&](const RemoteSegment& segment) {
    const LeaderEpoch last = segment.lineage.epochs().back().epoch;
    const bool deleted = last < earliest || (last == earliest && segment.end <= replica.log.start()) ||
                         (RemoteLog::within(segment, replica.log) && segment.end <= replica.log.start());
    if (deleted) tell(replica, kRemoteDeleted, segment.base, segment.end, segment.bytes);
    return deleted;
  });
}

}  // namespace models::kafka
