#include "models/kafka/broker/log_manager.hpp"

#include <algorithm>

#include "models/kafka/broker/fetch_session.hpp"

namespace models::kafka {

LogManager::LogManager(Cluster& cluster, Node& node, const std::vector<std::unique_ptr<Replica>>& replicas)
    : cluster_(cluster),
      replicas_(replicas),
      phases_(cluster.context().simulation.seed(), "broker/" + node.name() + "/log-manager"),
      node_(node),
      retention_task_(cluster.context().simulation, node, [this] { clean_up(); }),
      flush_task_(cluster.context().simulation, node, [this] { flush_dirty_logs(); }),
      recovery_point_task_(cluster.context().simulation, node, [this] { checkpoint_recovery_points(); }),
      high_watermark_task_(cluster.context().simulation, node, [this] { checkpoint_high_watermarks(); }),
      write_back_timer_(cluster.context().simulation, [this] { write_back(); }) {}

void LogManager::configure(Replica& replica, const TopicConfig& topic) {
  const bool internal = cluster_.topic_of(replica.partition).internal;
  ReplicaDisk& disk = replica.disk;
  disk.topic = &topic;
  if (!internal) disk.cleanup = topic.compaction.cleanup_policy.value_or(config().log_cleanup_policy);
  disk.flush_messages = topic.flush_messages.value_or(config().log_flush_interval_messages);
  disk.segment_bytes = topic.segment_bytes.value_or(config().log_segment_bytes);
  disk.segment_interval =
      topic.segment_interval.value_or(config().log_roll.value_or(config().log_roll_hours));
  disk.segmented = !internal;
  const bool was_tiered = disk.tiered;
  disk.tiered = topic.tiers.remote_storage_enable && config().tiers.system_enable && !internal;
  if (disk.tiered && !was_tiered) {
    if (!tiers_) tiers_ = std::make_unique<RemoteLogManager>(cluster_, node_, *this);
    tiers_->added(replica);
  }
  const bool was_compacted = disk.compacted;
  disk.compacted = disk.cleanup.compacts && !internal;
  if (was_compacted && !disk.compacted) cleaner_->removed(replica);
  if (!disk.compacted) return;
  // LogConfig.maxSegmentMs: what is due to be compacted must not lie in the active segment.
  disk.segment_interval =
      std::min(disk.segment_interval,
               topic.compaction.max_compaction_lag.value_or(config().log_cleaner.max_compaction_lag));
  if (!cleaner_) {
    cleaner_ = std::make_unique<LogCleaner>(cluster_, node_, *this);
    if (started_) cleaner_->start();
  }
  if (!was_compacted) cleaner_->added(replica);
}

const BrokerConfig& LogManager::config() const {
  return cluster_.options().config;
}

sim::Duration LogManager::somewhere_in(sim::Duration interval) {
  return sim::Duration{static_cast<std::int64_t>(phases_.uniform() * static_cast<double>(interval.count()))};
}

void LogManager::start() {
  started_ = true;
  high_watermark_task_.arm_after(somewhere_in(config().replica_high_watermark_checkpoint_interval));
  if (recovery_takes_time())
    recovery_point_task_.arm_after(somewhere_in(config().log_flush_offset_checkpoint_interval));
  if (config().log_flush_scheduler_interval != kNever)
    flush_task_.arm_after(somewhere_in(config().log_flush_scheduler_interval));
  retention_task_.arm_after(somewhere_in(config().log_retention_check_interval));
  if (cleaner_) cleaner_->start();
  if (tiers_) tiers_->start();
  if (cluster_.options().power_may_fail)
    write_back_timer_.arm_after(somewhere_in(cluster_.options().disk.write_back_every));
}

// ---- what reaches the disk ----------------------------------------------------------------------------------------

void LogManager::flush(Replica& replica) {
  replica.disk.flushed = replica.log.end();
  replica.disk.written = replica.log.end();
  replica.disk.last_flush = wall_clock();
  replica.disk.dirty_since.reset();
}

sim::Duration LogManager::flush_interval(const Replica& replica) const {
  return replica.disk.topic->flush_interval.value_or(
      config().log_flush_interval.value_or(config().log_flush_scheduler_interval));
}

void LogManager::flush_dirty_logs() {
  const sim::Time now = wall_clock();
  for (const auto& replica : replicas_) {
    const bool dirty = replica->log.end() > replica->disk.flushed;
    if (dirty && now - replica->disk.last_flush >= flush_interval(*replica)) flush(*replica);
  }
  flush_task_.arm_after(config().log_flush_scheduler_interval);
}

void LogManager::write_back() {
  const DiskOptions& disk = cluster_.options().disk;
  const sim::Time now = cluster_.context().now();
  for (const auto& replica : replicas_) {
    ReplicaDisk& of = replica->disk;
    if (replica->log.end() <= of.written) continue;
    if (!of.dirty_since) {
      of.dirty_since = now;
    } else if (now - *of.dirty_since >= disk.write_back_after) {
      of.written = replica->log.end();
      of.dirty_since.reset();
    }
  }
  write_back_timer_.arm_after(disk.write_back_every);
}

void LogManager::checkpoint_recovery_points() {
  for (const auto& replica : replicas_) replica->disk.checkpointed_recovery_point = replica->disk.flushed;
  recovery_point_task_.arm_after(config().log_flush_offset_checkpoint_interval);
}

void LogManager::checkpoint_high_watermarks() {
  for (const auto& replica : replicas_) replica->disk.checkpointed_high_watermark = replica->high_watermark;
  high_watermark_task_.arm_after(config().replica_high_watermark_checkpoint_interval);
}

// ---- segments and retention ---------------------------------------------------------------------------------------

void LogManager::segmented(Replica& replica, Offset base, std::int64_t bytes, sim::Time newest) {
  ReplicaDisk& disk = replica.disk;
  if (disk.segments.should_roll(bytes, newest, disk.segment_bytes, disk.segment_interval)) {
    disk.segments.roll(base);
    flush_up_to(replica, base);  // UnifiedLog.roll: "flush-log"
  }
  disk.segments.append(bytes, newest);
}

bool LogManager::has_room(std::int64_t bytes) {
  const std::int64_t size = cluster_.options().disk.size;
  if (size == 0) return true;
  used_ += bytes;
  if (used_ <= size) return true;
  used_ = bytes;
  for (const auto& replica : replicas_) used_ += replica->disk.segments.bytes();
  const sim::Time now = cluster_.context().now();
  std::erase_if(deleted_, [now](const DeletedFiles& files) { return files.until <= now; });
  for (const DeletedFiles& files : deleted_) used_ += files.bytes;
  return used_ <= size;
}

/// LocalLog.deleteSegmentFiles: renamed at once, deleted by a task of the scheduler.
void LogManager::files_deleted(const Replica& replica, std::int64_t bytes) {
  if (cluster_.options().disk.size == 0 || bytes == 0) return;
  const sim::Time now = cluster_.context().now();
  std::erase_if(deleted_, [now](const DeletedFiles& files) { return files.until <= now; });
  deleted_.push_back(
      {now + replica.disk.topic->file_delete_delay.value_or(config().log_segment_delete_delay), bytes});
}

void LogManager::flush_up_to(Replica& replica, Offset offset) {
  replica.disk.flushed = std::max(replica.disk.flushed, offset);
  replica.disk.written = std::max(replica.disk.written, offset);
}

void LogManager::clean_up() {
  for (const auto& replica : replicas_) {
    if (replica->disk.segmented && !replica->disk.compacted) delete_old_segments(*replica);
  }
  retention_task_.arm_after(config().log_retention_check_interval);
}

/// UnifiedLog.deleteOldSegments
void LogManager::delete_old_segments(Replica& replica) {
  delete_segments(replica, [&replica](const Segment&, const Segment* next) {
    return next != nullptr && next->base <= replica.local_start();
  });
  if (!replica.disk.cleanup.deletes) return;
  const std::int64_t most = kept_bytes(replica);
  if (most >= 0 && replica.disk.segments.bytes() >= most) {
    std::int64_t excess = replica.disk.segments.bytes() - most;
    delete_segments(replica, [&excess](const Segment& segment, const Segment*) {
      if (excess < segment.bytes) return false;
      excess -= segment.bytes;
      return true;
    });
  }
  const std::int64_t longest = kept_ms(replica);
  if (longest >= 0) {
    const sim::Time oldest = wall_clock() - sim::Duration{longest * 1'000'000};
    delete_segments(replica, [oldest](const Segment& segment, const Segment*) {
      return segment.largest_timestamp < oldest;
    });
  }
}

std::int64_t LogManager::kept_bytes(const Replica& replica) const {
  const TopicConfig& topic = *replica.disk.topic;
  const std::int64_t local = topic.tiers.local_retention_bytes.value_or(config().tiers.local_retention_bytes);
  if (replica.disk.tiered && local != -2) return local;
  return topic.retention_bytes.value_or(config().log_retention_bytes);
}

std::int64_t LogManager::kept_ms(const Replica& replica) const {
  const TopicConfig& topic = *replica.disk.topic;
  const std::int64_t local = topic.tiers.local_retention_ms.value_or(config().tiers.local_retention_ms);
  if (replica.disk.tiered && local != -2) return local;
  return topic.retention_ms.value_or(config().retention_ms());
}

/// UnifiedLog.deletableSegments, isSegmentEligibleForDeletion
bool LogManager::may_leave_disk(const Replica& replica, Offset end) {
  return !replica.disk.tiered || end <= replica.disk.remote_end || end <= replica.log.start();
}

template <class Expired>
void LogManager::delete_segments(Replica& replica, Expired&& expired) {
  LogSegments& segments = replica.disk.segments;
  const std::vector<Segment>& all = segments.all();
  std::size_t n = 0;
  bool roll = false;
  for (; n < all.size(); ++n) {
    const Segment* next = n + 1 < all.size() ? &all[n + 1] : nullptr;
    const Offset end = next != nullptr ? next->base : replica.log.end();
    const bool empty = next == nullptr && all[n].bytes == 0;
    if (empty || replica.high_watermark < end || !expired(all[n], next)) break;
    // What is active cannot be copied: it is rolled, and goes when it has been.
    roll = replica.disk.tiered && next == nullptr;
    if (roll || !may_leave_disk(replica, end)) break;
  }
  if (n == 0 && !roll) return;
  if (n == all.size() || roll) {
    segments.roll(replica.log.end());
    flush_up_to(replica, replica.log.end());
  }
  if (n == 0) return;
  const Offset start = all[n].base;
  std::int64_t bytes = segments.bytes();
  segments.drop_oldest(n);
  bytes -= segments.bytes();
  files_deleted(replica, bytes);
  if (replica.disk.tiered) {
    replica.disk.local_start = std::max(replica.disk.local_start, start);
    return;
  }
  if (start > replica.log.start()) raise_start(replica, start, static_cast<std::int64_t>(n));
}

void LogManager::raise_start(Replica& replica, Offset start, std::int64_t segments) {
  const Offset before = replica.log.start();
  cluster_.tell_expiry(replica.partition, replica.log, start);
  replica.log.raise_start(start);
  replica.disk.local_start = std::max(replica.disk.local_start, start);
  replica.producers.forget_below(start);
  for (const Watcher& watcher : replica.watchers) {
    if (watcher.session->follower()) watcher.session->queue(watcher.entry);  // told with the next answer
  }
  if (replica.shared->line == &replica.log) start_moved(replica, before, segments);
  cluster_.forget_expired(replica.partition);
}

void LogManager::start_moved(const Replica& replica, Offset before, std::int64_t segments) {
  if (replica.log.start() <= before) return;
  cluster_.context().emit(Kind::expired, {.actor = node_.entity().value,
                                          .place = cluster_.partition(replica.partition).entity.value,
                                          .a = before,
                                          .b = replica.log.start() - before,
                                          .c = segments});
}

void LogManager::leader_starts_at(Replica& replica, Offset start) {
  if (start > replica.log.start() && start <= replica.high_watermark) raise_start(replica, start);
}

bool LogManager::rebuild_from_remote(Replica& replica, Offset start, Offset local_start, LeaderEpoch epoch) {
  const RemoteSegment* last =
      replica.disk.tiered ? tiers_->rebuilds_from(replica, epoch, local_start) : nullptr;
  if (last == nullptr || last->end < start) return false;
  replica.shared->keep_line(replica.log);
  replica.log.adopt(last->lineage, start);
  replica.high_watermark = replica.log.end();
  replica.disk.restarted(replica.log.end());
  replica.disk.segments.restart(replica.log.end());
  cluster_.forget_expired(replica.partition);
  return true;
}

void LogManager::restart_at(Replica& replica, Offset start) {
  replica.restart_at(start);
  cluster_.forget_expired(replica.partition);
}

// ---- what a crash leaves ------------------------------------------------------------------------------------------

void LogManager::close() {
  for (const auto& replica : replicas_) flush(*replica);
  checkpoint_recovery_points();
  checkpoint_high_watermarks();
}

void LogManager::crashed() {
  for (Task* task : {&retention_task_, &flush_task_, &recovery_point_task_, &high_watermark_task_})
    task->disarm();
  deleted_
      .clear();  // by the next process, before it loads its logs (LogLoader.removeTempFilesAndCollectSwapFiles)
  if (cleaner_) cleaner_->crashed();
  if (tiers_) tiers_->crashed();
  for (const auto& replica : replicas_) {
    replica->log.reload(replica->log.end());
    replica->high_watermark =
        std::clamp(replica->disk.checkpointed_high_watermark, replica->log.start(), replica->log.end());
  }
}

void LogManager::power_lost(bool disk_lost) {
  write_back_timer_.disarm();
  for (const auto& replica : replicas_) {
    const double torn = cluster_.options().disk.torn;
    Offset written = replica->disk.written;
    const bool may_tear = torn > 0 && written > replica->disk.flushed && written > replica->log.start();
    if (may_tear && phases_.uniform() < torn)
      written = std::max(replica->disk.flushed, replica->log.at(written - 1).base);
    if (disk_lost) written = replica->log.start();
    if (written >= replica->log.end()) continue;
    replica->shared->gave_up = true;
    replica->truncate(written);
    replica->disk.dirty_since.reset();
  }
}

sim::Duration LogManager::restarted() {
  high_watermark_task_.arm_after(config().replica_high_watermark_checkpoint_interval);
  retention_task_.arm_after(config().log_initial_task_delay);
  if (cleaner_) cleaner_->restarted();
  if (config().log_flush_scheduler_interval != kNever) flush_task_.arm_after(config().log_initial_task_delay);
  if (cluster_.options().power_may_fail && !write_back_timer_.armed())
    write_back_timer_.arm_after(cluster_.options().disk.write_back_every);
  if (!recovery_takes_time()) return {};
  recovery_point_task_.arm_after(config().log_initial_task_delay);
  std::int64_t bytes = 0;
  for (const auto& replica : replicas_) {
    replica->log.for_each(replica->disk.checkpointed_recovery_point,
                          [&bytes](const Extent& extent, LeaderEpoch) { bytes += extent.bytes; });
  }
  return sim::Duration{static_cast<std::int64_t>(static_cast<double>(bytes) * 1e9 /
                                                 cluster_.options().disk.recovery_bytes_per_s)};
}

}  // namespace models::kafka
