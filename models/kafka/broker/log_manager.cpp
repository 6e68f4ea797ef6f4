#include "models/kafka/broker/log_manager.hpp"

#include <algorithm>

namespace models::kafka {

LogManager::LogManager(Cluster& cluster, Node& node, const std::vector<std::unique_ptr<Replica>>& replicas)
    : cluster_(cluster),
      replicas_(replicas),
      phases_(cluster.context().simulation.seed(), "broker/" + node.name() + "/log-manager"),
      flush_task_(cluster.context().simulation, node, [this] { flush_dirty_logs(); }),
      recovery_point_task_(cluster.context().simulation, node, [this] { checkpoint_recovery_points(); }),
      high_watermark_task_(cluster.context().simulation, node, [this] { checkpoint_high_watermarks(); }),
      write_back_timer_(cluster.context().simulation, [this] { write_back(); }) {}

void LogManager::added(Replica& replica) {
  replica.disk.flush_messages = cluster_.topic_of(replica.partition)
                                    .config.flush_messages.value_or(config().log_flush_interval_messages);
}

const BrokerConfig& LogManager::config() const {
  return cluster_.options().config;
}

sim::Duration LogManager::somewhere_in(sim::Duration interval) {
  return sim::Duration{static_cast<std::int64_t>(phases_.uniform() * static_cast<double>(interval.count()))};
}

void LogManager::start() {
  high_watermark_task_.arm_after(somewhere_in(config().replica_high_watermark_checkpoint_interval));
  if (recovery_takes_time())
    recovery_point_task_.arm_after(somewhere_in(config().log_flush_offset_checkpoint_interval));
  if (config().log_flush_scheduler_interval != kNever)
    flush_task_.arm_after(somewhere_in(config().log_flush_scheduler_interval));
  if (cluster_.options().power_may_fail)
    write_back_timer_.arm_after(somewhere_in(cluster_.options().disk.write_back_every));
}

// ---- what reaches the disk ----------------------------------------------------------------------------------------

void LogManager::flush(Replica& replica) {
  replica.disk.flushed = replica.log.end();
  replica.disk.written = replica.log.end();
  replica.disk.last_flush = cluster_.context().now();
  replica.disk.dirty_since.reset();
}

sim::Duration LogManager::flush_interval(const Replica& replica) const {
  return cluster_.topic_of(replica.partition)
      .config.flush_interval.value_or(
          config().log_flush_interval.value_or(config().log_flush_scheduler_interval));
}

void LogManager::flush_dirty_logs() {
  const sim::Time now = cluster_.context().now();
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

// ---- what a crash leaves ------------------------------------------------------------------------------------------

void LogManager::crashed() {
  for (Task* task : {&flush_task_, &recovery_point_task_, &high_watermark_task_}) task->disarm();
  for (const auto& replica : replicas_) {
    replica->log.reload(replica->log.end());
    replica->high_watermark = std::min(replica->disk.checkpointed_high_watermark, replica->log.end());
  }
}

void LogManager::power_lost() {
  write_back_timer_.disarm();
  for (const auto& replica : replicas_) {
    if (replica->disk.written >= replica->log.end()) continue;
    replica->shared->cut_by_power_loss(replica->log);
    replica->log.reload(replica->disk.written);
    replica->high_watermark = std::min(replica->high_watermark, replica->log.end());
    replica->disk.truncated(replica->log.end());
    replica->disk.dirty_since.reset();
  }
}

sim::Duration LogManager::restarted() {
  high_watermark_task_.arm_after(config().replica_high_watermark_checkpoint_interval);
  if (config().log_flush_scheduler_interval != kNever)
    flush_task_.arm_after(config().log_flush_scheduler_interval);
  if (cluster_.options().power_may_fail && !write_back_timer_.armed())
    write_back_timer_.arm_after(cluster_.options().disk.write_back_every);
  if (!recovery_takes_time()) return {};
  recovery_point_task_.arm_after(config().log_flush_offset_checkpoint_interval);
  std::int64_t bytes = 0;
  for (const auto& replica : replicas_) {
    replica->log.for_each(replica->disk.checkpointed_recovery_point,
                          [&bytes](const Extent& extent, LeaderEpoch) { bytes += extent.bytes; });
  }
  return sim::Duration{static_cast<std::int64_t>(static_cast<double>(bytes) * 1e9 /
                                                 cluster_.options().disk.recovery_bytes_per_s)};
}

}  // namespace models::kafka
