// What of a broker's logs is on disk, what a crash leaves of them, and what retention removes (LogManager.scala,
// UnifiedLog.scala, LogLoader.java, ReplicaManager.checkpointHighWatermarks).
//
// An append lands in the page cache, which outlives the process and not the machine. It reaches the disk when the log is
// flushed (log.flush.*, by default never but at the roll of a segment) or when the kernel writes dirty pages back. A process
// crash therefore takes nothing of a log, a power loss its suffix that had not been written. Either takes the high watermark
// back to its last checkpoint, and what lies above the recovery point is read before the broker is back.
//
// Retention removes whole segments, the oldest first and only below the high watermark, at each replica by itself: those whose
// newest record is older than retention.ms, and those without which the log still has retention.bytes. When all are to go the
// active one is rolled first. The log then starts with the first record of what is left, and followers start no lower than
// their leader.
//
// Of a topic with remote storage what local.retention.* removes must have been copied, and stays in the log; what its leader
// finds to be older than retention.* goes from there (tiers/remote_log_manager.hpp).
//
// The logs of compacted topics are cleaned by LogCleaner, which also applies retention to them.
//
// Model: the kernel writes a file back as a whole: what one of its pages was dirty for long takes the newer ones along (as
// fs/fs-writeback.c does with an expired inode). Pages are written in order of offsets.
// Model: what a follower cuts off frees its space at once; in Kafka after file.delete.delay.ms, too.
// Model: a flush takes a leader's request handler the time that [kafka.disk] says; flushes of followers and by time take none.
// Checkpoints and leader epoch caches are on disk when they are written, as Kafka syncs them.
// Model: a broker registers when it has recovered its logs; Kafka's registers before and stays fenced until it has.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "models/kafka/broker/log_cleaner.hpp"
#include "models/kafka/broker/replica.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/tiers/remote_log_manager.hpp"
#include "models/network/node.hpp"
#include "sim/random.hpp"
#include "sim/timer.hpp"

namespace models::kafka {

class LogManager {
 public:
  /// `replicas` are the broker's own; they stay.
  LogManager(Cluster& cluster, Node& node, const std::vector<std::unique_ptr<Replica>>& replicas);

  /// One of them has been made, or its topic has other settings, which outlive it (LogManager.updateTopicConfig).
  void configure(Replica& replica, const TopicConfig& config);
  /// The broker has been up for a while: its tasks are anywhere between two rounds.
  void start();
  /// Records were appended to this log at `base`, as its leader or its follower; `newest` is the creation of the newest.
  void appended(Replica& replica, Offset base, std::int64_t bytes, sim::Time newest) {
    if (replica.disk.segmented) segmented(replica, base, bytes, newest);
    if (replica.log.end() - replica.disk.flushed >= replica.disk.flush_messages) flush(replica);
  }
  /// Segments of this log are gone from it: their files stay for file.delete.delay.ms.
  void files_deleted(const Replica& replica, std::int64_t bytes);
  /// So many bytes more fit on the disk. Logs of Kafka's own topics are not counted.
  bool has_room(std::int64_t bytes);
  /// Whether an append of `records` would be flushed before it is answered.
  static bool flushes(const Replica& replica, std::int64_t records) {
    return replica.log.end() + records - replica.disk.flushed >= replica.disk.flush_messages;
  }
  /// All that the log holds is on disk now.
  void flush(Replica& replica);
  /// Removes the segments that may go (UnifiedLog.deleteOldSegments).
  void delete_old_segments(Replica& replica);
  /// A follower has heard where its leader's log starts.
  void leader_starts_at(Replica& replica, Offset start);
  /// What lies below `start` is deleted; `segments` of them.
  void raise_start(Replica& replica, Offset start, std::int64_t segments = 0);
  /// The log that counts started at `before` until now: says what has expired.
  void start_moved(const Replica& replica, Offset before, std::int64_t segments = 0);
  /// A replica of this broker leads now, or follows now.
  void role_changed(Replica& replica) {
    if (replica.disk.tiered) tiers_->role_changed(replica);
  }
  /// A follower takes over from remote storage what is on its leader's disk no more: that one's log starts at `start`, its disk
  /// begins at `local_start`, and the record before is of `epoch`. False: it cannot be done now.
  bool rebuild_from_remote(Replica& replica, Offset start, Offset local_start, LeaderEpoch epoch);
  /// A follower that ends below its leader's start begins there.
  void restart_at(Replica& replica, Offset start);
  /// An orderly end: all of it is on disk, and so are its marks.
  void close();
  /// The process died: what it had not checkpointed is forgotten.
  void crashed();
  /// The machine lost its power: what was not on disk is gone. Also when the process was down already.
  /// `disk_lost`: nothing is left at all. Model: but where a log begins, which Kafka is told by the leader it follows then.
  void power_lost(bool disk_lost);
  /// The process starts again, its tasks with it. Returns how long it reads its logs first.
  sim::Duration restarted();

 private:
  using Task = NodeTimer<std::function<void()>>;

  void segmented(Replica& replica, Offset base, std::int64_t bytes, sim::Time newest);
  void flush_up_to(Replica& replica, Offset offset);
  void clean_up();
  /// Deletes the oldest segments as long as they may go and `expired(segment, next)` says so.
  template <class Expired>
  void delete_segments(Replica& replica, Expired&& expired);
  void flush_dirty_logs();
  void checkpoint_recovery_points();
  void checkpoint_high_watermarks();
  void write_back();
  const BrokerConfig& config() const;
  bool recovery_takes_time() const { return cluster_.options().disk.recovery_bytes_per_s > 0; }
  sim::Time wall_clock() const { return cluster_.context().now() + node_.clock_ahead(); }
  sim::Duration somewhere_in(sim::Duration interval);
  sim::Duration flush_interval(const Replica& replica) const;
  /// The records of a segment that ends at `end` can be read elsewhere, or not at all any more.
  static bool may_leave_disk(const Replica& replica, Offset end);
  /// retention.*, or local.retention.* of what is tiered; negative: no bound.
  std::int64_t kept_bytes(const Replica& replica) const;
  std::int64_t kept_ms(const Replica& replica) const;

  /// Files with the suffix .deleted, of a disk that may be full.
  struct DeletedFiles {
    sim::Time until{};
    std::int64_t bytes = 0;
  };

  Cluster& cluster_;
  const std::vector<std::unique_ptr<Replica>>& replicas_;
  sim::Stream phases_;
  Node& node_;
  bool started_ = false;
  std::int64_t used_ = 0;  ///< of the disk, at most: what has been deleted since is found out when it matters
  std::vector<DeletedFiles> deleted_;  // those that are still there, and some that are not
  Task retention_task_;
  Task flush_task_;
  Task recovery_point_task_;
  Task high_watermark_task_;
  std::unique_ptr<LogCleaner> cleaner_;      // null where nothing is compacted
  std::unique_ptr<RemoteLogManager> tiers_;  // null where nothing is tiered
  sim::Timer write_back_timer_;              // the kernel's: it goes on while the process is down
};

}  // namespace models::kafka
