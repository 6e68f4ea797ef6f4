// A broker's log cleaner: which compacted log is cleaned when, by how many threads, and how fast (LogCleaner.scala,
// LogCleanerManager.scala).
//
// Each replica is cleaned by its own broker. What may be cleaned ends at the last stable offset, at the active segment and at
// the first segment younger than min.compaction.lag.ms, and at the beginning of the segment that any of these lies in. The
// dirtiest log comes first, if its share of dirty bytes is above min.cleanable.dirty.ratio, or if something in it has waited for
// longer than max.compaction.lag.ms. After each cleaning, and every log.cleaner.backoff.ms without one, retention is applied to
// all compacted logs that are not being cleaned.
//
// Model: a cleaning takes no time unless log.cleaner.io.max.bytes.per.second bounds it; threads share that bound evenly, and
// sleep together. A log is swapped as a whole when its cleaning ends; Kafka swaps group by group of segments.
#pragma once

#include <functional>
#include <vector>

#include "models/kafka/broker/cleaning.hpp"
#include "models/kafka/broker/replica.hpp"
#include "models/kafka/cluster.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class LogManager;

class LogCleaner {
 public:
  LogCleaner(Cluster& cluster, Node& node, LogManager& logs);

  void added(Replica& replica);
  /// Its topic is not compacted any more; nothing where it was not.
  void removed(Replica& replica);
  /// The broker has been up for a while.
  void start();
  void crashed();
  void restarted();

  /// The part of a log that may be cleaned, as it is now.
  struct Cleanable {
    Offset first_dirty = 0;
    Offset end = 0;
    std::int64_t clean_bytes = 0;
    std::int64_t dirty_bytes = 0;  ///< that may be cleaned
    bool overdue = false;          ///< by max.compaction.lag.ms
    double ratio() const {
      const std::int64_t all = clean_bytes + dirty_bytes;
      return all == 0 ? 0 : static_cast<double>(dirty_bytes) / static_cast<double>(all);
    }
  };
  Cleanable cleanable(const Replica& replica) const;

 private:
  struct Choice {
    Replica* replica = nullptr;
    Cleanable part;
  };
  void work();
  Choice filthiest() const;
  void clean(const Choice& choice);
  static void go_by_segments(const Replica& replica, CleaningJob& job);
  void swap_in(Replica& replica, const CleaningResult& result);
  void swap_segments(Replica& replica, Offset end);
  static const CompactionConfig& topic_config(const Replica& replica) {
    return replica.disk.topic->compaction;
  }
  sim::Time wall_clock() const { return cluster_.context().now() + node_.clock_ahead(); }
  const CleanerConfig& config() const { return cluster_.options().config.log_cleaner; }
  std::size_t keys_most() const;

  Cluster& cluster_;
  Node& node_;
  LogManager& logs_;
  std::vector<Replica*> logs_to_clean_;
  OffsetMap map_;
  std::int32_t busy_ = 0;  // threads at work
  sim::Stream phases_;
  NodeTimer<std::function<void()>> timer_;
};

}  // namespace models::kafka
