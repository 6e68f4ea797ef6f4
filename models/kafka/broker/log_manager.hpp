// What of a broker's logs is on disk, and what a crash leaves of them (LogManager.scala, UnifiedLog.flush, ReplicaManager.
// checkpointHighWatermarks, LogLoader.java).
//
// An append lands in the page cache, which outlives the process and not the machine. It reaches the disk when the log is
// flushed (log.flush.*, by default never but at the roll of a segment) or when the kernel writes dirty pages back. A process
// crash therefore takes nothing of a log, a power loss its suffix that had not been written. Either takes the high watermark
// back to its last checkpoint, and what lies above the recovery point is read before the broker is back.
//
// Model: the kernel writes a file back as a whole: what one of its pages was dirty for long takes the newer ones along (as
// fs/fs-writeback.c does with an expired inode). Pages are written in order of offsets, and none is torn.
// Model: a flush takes no time. Checkpoints and leader epoch caches are on disk when they are written, as Kafka syncs them.
// Model: a broker registers when it has recovered its logs; Kafka's registers before and stays fenced until it has.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "models/kafka/broker/replica.hpp"
#include "models/kafka/cluster.hpp"
#include "models/network/node.hpp"
#include "sim/random.hpp"
#include "sim/timer.hpp"

namespace models::kafka {

class LogManager {
 public:
  /// `replicas` are the broker's own; they stay.
  LogManager(Cluster& cluster, Node& node, const std::vector<std::unique_ptr<Replica>>& replicas);

  /// One of them has been made.
  void added(Replica& replica);
  /// The broker has been up for a while: its tasks are anywhere between two rounds.
  void start();
  /// Records were appended to this log, as its leader or its follower.
  void appended(Replica& replica) {
    if (replica.log.end() - replica.disk.flushed >= replica.disk.flush_messages) flush(replica);
  }
  /// All that the log holds is on disk now.
  void flush(Replica& replica);
  /// The process died: what it had not checkpointed is forgotten.
  void crashed();
  /// The machine lost its power: what was not on disk is gone. Also when the process was down already.
  void power_lost();
  /// The process starts again, its tasks with it. Returns how long it reads its logs first.
  sim::Duration restarted();

 private:
  using Task = NodeTimer<std::function<void()>>;

  void flush_dirty_logs();
  void checkpoint_recovery_points();
  void checkpoint_high_watermarks();
  void write_back();
  const BrokerConfig& config() const;
  bool recovery_takes_time() const { return cluster_.options().disk.recovery_bytes_per_s > 0; }
  sim::Duration somewhere_in(sim::Duration interval);
  sim::Duration flush_interval(const Replica& replica) const;

  Cluster& cluster_;
  const std::vector<std::unique_ptr<Replica>>& replicas_;
  sim::Stream phases_;
  Task flush_task_;
  Task recovery_point_task_;
  Task high_watermark_task_;
  sim::Timer write_back_timer_;  // the kernel's: it goes on while the process is down
};

}  // namespace models::kafka
