#include "models/kafka/broker/log_cleaner.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "models/kafka/broker/log_manager.hpp"

namespace models::kafka {

LogCleaner::LogCleaner(Cluster& cluster, Node& node, LogManager& logs)
    : cluster_(cluster),
      node_(node),
      logs_(logs),
      phases_(cluster.context().simulation.seed(), "broker/" + node.name() + "/log-cleaner"),
      timer_(cluster.context().simulation, node, [this] { work(); }) {}

void LogCleaner::start() {
  if (!config().enable) return;
  const auto somewhere = phases_.uniform() * static_cast<double>(config().backoff.count());
  timer_.arm_after(sim::Duration{static_cast<std::int64_t>(somewhere)});
}

void LogCleaner::crashed() {
  timer_.disarm();
  busy_ = 0;
  for (Replica* replica : logs_to_clean_) replica->disk.cleaning = false;
}

void LogCleaner::restarted() {
  if (config().enable) timer_.arm_after({});
}

void LogCleaner::added(Replica& replica) {
  if (busy_ == 0) replica.disk.cleaning = false;
  logs_to_clean_.push_back(&replica);
}

/// A cleaning under way is given up (LogCleaner.abortCleaning).
void LogCleaner::removed(Replica& replica) {
  std::erase(logs_to_clean_, &replica);
  ++replica.disk.cuts;
}

/// An entry of the map takes the 16 bytes of an MD5 and 8 of an offset (SkimpyOffsetMap).
std::size_t LogCleaner::keys_most() const {
  constexpr double kEntry = 24;
  const double of_each = static_cast<double>(config().dedupe_buffer_size) / config().threads;
  return std::max<std::size_t>(1,
                               static_cast<std::size_t>(of_each / kEntry * config().io_buffer_load_factor));
}

// ---- which one ----------------------------------------------------------------------------------------------------

/// LogCleanerManager.cleanableOffsets, LogToClean
LogCleaner::Cleanable LogCleaner::cleanable(const Replica& replica) const {
  const sim::Time now = wall_clock();
  const CompactionConfig& topic = topic_config(replica);
  const std::vector<Segment>& segments = replica.disk.segments.all();
  Cleanable part;
  part.first_dirty = std::max(replica.disk.first_dirty, replica.log.start());
  Offset stable = replica.high_watermark;
  if (replica.shared->transactional && stable > part.first_dirty)
    stable = Decisions(replica.log, part.first_dirty, stable).first_open();
  const sim::Duration least = topic.min_compaction_lag.value_or(config().min_compaction_lag);
  const sim::Duration most = topic.max_compaction_lag.value_or(config().max_compaction_lag);
  part.end = part.first_dirty;
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    const Offset end = segments[i + 1].base;
    if (end <= part.first_dirty) {
      part.clean_bytes += segments[i].bytes;
      continue;
    }
    if (stable < end || (least > sim::Duration{} && segments[i].largest_timestamp > now - least)) break;
    part.end = end;
    part.dirty_bytes += segments[i].bytes;
    if (most != kNever && segments[i].bytes > 0 && segments[i].first_timestamp < now - most)
      part.overdue = true;
  }
  return part;
}

/// LogCleanerManager.grabFilthiestCompactedLog
LogCleaner::Choice LogCleaner::filthiest() const {
  Choice best;
  for (Replica* replica : logs_to_clean_) {
    if (replica->disk.cleaning) continue;
    const Cleanable part = cleanable(*replica);
    if (part.dirty_bytes == 0) continue;
    const double least =
        topic_config(*replica).min_cleanable_dirty_ratio.value_or(config().min_cleanable_ratio);
    if (!part.overdue && part.ratio() <= least) continue;
    if (best.replica == nullptr || part.ratio() > best.part.ratio()) best = {replica, part};
  }
  return best;
}

void LogCleaner::work() {
  bool cleaned = false;
  while (busy_ < config().threads) {
    const Choice choice = filthiest();
    if (choice.replica == nullptr) break;
    clean(choice);
    cleaned = true;
  }
  for (Replica* replica : logs_to_clean_) {
    if (!replica->disk.cleaning) logs_.delete_old_segments(*replica);
  }
  if (!cleaned || busy_ < config().threads) timer_.arm_after(config().backoff);
}

// ---- one cleaning -------------------------------------------------------------------------------------------------

void LogCleaner::clean(const Choice& choice) {
  Replica& replica = *choice.replica;
  CleaningJob job{
      .log = replica.log,
      .keys = cluster_.record_keys(),
      .first_dirty = choice.part.first_dirty,
      .end = choice.part.end,
      .now = wall_clock(),
      .delete_retention = topic_config(replica).delete_retention.value_or(config().delete_retention),
      .keys_most = keys_most(),
      .transactional = replica.shared->transactional};
  if (!cluster_.options().rules.has(Rule::dated_tombstones)) go_by_segments(replica, job);
  auto result = std::make_unique<CleaningResult>(kafka::clean(job, map_));
  const double rate = config().io_max_bytes_per_second / config().threads;
  const std::int64_t bytes = result->dirty_bytes + result->bytes_read + result->bytes_written;
  // Kafka's default is no bound; what would take less than a nanosecond takes no time.
  const double ns = static_cast<double>(bytes) / rate * 1e9;
  if (ns < 1) return swap_in(replica, *result);
  ++busy_;
  replica.disk.cleaning = true;
  cluster_.context().simulation.schedule_after(
      sim::Duration{static_cast<std::int64_t>(std::min(ns, 1e18))},
      [this, &replica, life = node_.incarnation(), cuts = replica.disk.cuts, done = std::move(result)] {
        if (life != node_.incarnation()) return;
        --busy_;
        replica.disk.cleaning = false;
        // LogCleaningAbortedException
        if (cuts == replica.disk.cuts) swap_in(replica, *done);
        timer_.arm_after({});  // held back while the process is paused
      });
}

/// Cleaner.clean before 3.1: none goes in the first cleaning.
void LogCleaner::go_by_segments(const Replica& replica, CleaningJob& job) {
  job.segments = replica.disk.segments.all();
  job.discards_to = sim::Time{sim::Duration{-1}};
  for (const Segment& segment : job.segments) {
    if (segment.base >= job.first_dirty) break;
    job.discards_to = segment.largest_timestamp - job.delete_retention;
  }
}

void LogCleaner::swap_in(Replica& replica, const CleaningResult& result) {
  Survivors survivors = result.survivors;
  if (const Survivors* old = replica.log.survivors(); old != nullptr && old->end() > result.end) {
    // A follower may hold gaps beyond: its leader had cleaned more.
    for (std::size_t i = old->find(result.end); i < old->runs().size(); ++i) {
      Surviving run = old->runs()[i];
      run.from = std::max(run.from, result.end);
      survivors.add(run);
    }
    survivors.reach(old->end());
  }
  if (replica.log.start() > 0) survivors.raise_start(replica.log.start());
  replica.log.compacted(std::move(survivors));
  replica.disk.first_dirty = std::max(result.end, replica.log.start());
  swap_segments(replica, result.end);
  const bool off_line = replica.shared->line != &replica.log;
  cluster_.context().emit(Kind::compacted, {.code = off_line ? kOffLine : std::uint16_t{0},
                                            .actor = node_.entity().value,
                                            .place = cluster_.partition(replica.partition).entity.value,
                                            .a = result.end,
                                            .b = result.bytes_read - result.bytes_written,
                                            .c = result.removed});
}

/// Segments are cleaned into as few as segment.bytes allows (Cleaner.groupSegmentsBySize).
void LogCleaner::swap_segments(Replica& replica, Offset end) {
  LogSegments& segments = replica.disk.segments;
  for (std::size_t first = 0; first + 1 < segments.all().size() && segments.all()[first].base < end;
       ++first) {
    const std::vector<Segment>& all = segments.all();
    Segment cleaned = all[first];
    const std::int64_t before = segments.bytes();
    std::int64_t bytes = cleaned.bytes;
    std::size_t next = first + 1;
    for (; next + 1 < all.size() && all[next].base < end &&
           bytes + all[next].bytes <= replica.disk.segment_bytes;
         ++next) {
      bytes += all[next].bytes;
      cleaned.largest_timestamp = std::max(cleaned.largest_timestamp, all[next].largest_timestamp);
    }
    cleaned.bytes = replica.log.bytes_in(cleaned.base, all[next].base);
    segments.replace(first, next - first, cleaned);
    // The cleaned file is another one, beside those that it replaces.
    logs_.files_deleted(replica, before - segments.bytes() + cleaned.bytes);
  }
}

}  // namespace models::kafka
