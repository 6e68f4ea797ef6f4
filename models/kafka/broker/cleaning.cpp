#include "models/kafka/broker/cleaning.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

namespace models::kafka {

// ---- transactions -------------------------------------------------------------------------------------------------

Decisions::Decisions(const ReplicaLog& log, Offset from, Offset to) : first_open_(to) {
  log.for_each_held(from, to, [this](const Extent& batch, Offset at, Offset, sim::Time) {
    if (batch.is_marker()) markers_.push_back({batch.producer_id, at, batch.kind});
  });
  std::sort(markers_.begin(), markers_.end(), [](const Marker& a, const Marker& b) {
    return std::tie(a.producer, a.offset) < std::tie(b.producer, b.offset);
  });
  log.for_each_held(from, to, [this](const Extent& batch, Offset at, Offset, sim::Time) {
    const bool open = batch.kind == BatchKind::transactional && ended(batch) == BatchKind::plain;
    if (open) first_open_ = std::min(first_open_, at);
  });
}

/// The marker that ended the batch's transaction; plain: none has.
BatchKind Decisions::ended(const Extent& batch) const {
  const auto at = std::partition_point(markers_.begin(), markers_.end(), [&batch](const Marker& m) {
    return std::tie(m.producer, m.offset) < std::tie(batch.producer_id, batch.base);
  });
  return at == markers_.end() || at->producer != batch.producer_id ? BatchKind::plain : at->kind;
}

// ---- the map ------------------------------------------------------------------------------------------------------

void OffsetMap::clear() {
  for (const std::uint32_t key : used_) newest_[key] = kNoOffset;
  used_.clear();
}

void OffsetMap::put(std::uint32_t key, Offset offset) {
  if (key >= newest_.size()) newest_.resize(key + 1, kNoOffset);
  if (newest_[key] == kNoOffset) used_.push_back(key);
  newest_[key] = offset;
}

namespace {

class Cleaning {
 public:
  Cleaning(const CleaningJob& job, OffsetMap& map)
      : job_(job), map_(map), result_{.survivors = Survivors(job.log.start()), .end = job.end} {
    if (job.transactional) decisions_.emplace(job.log, job.log.start(), job.log.end());
  }

  CleaningResult run() {
    build_map();
    job_.log.for_each_held(job_.log.start(), result_.end,
                           [this](const Extent& batch, Offset from, Offset to, sim::Time horizon) {
                             filter(batch, from, to, horizon);
                           });
    close_batch();
    result_.survivors.reach(result_.end);
    result_.bytes_written = result_.survivors.bytes(0, result_.survivors.runs().size());
    return std::move(result_);
  }

 private:
  std::uint32_t key_at(const Extent& batch, Offset offset) const {
    return job_.keys.at(batch.lane, batch.first_seq + (offset - batch.base));
  }
  bool aborted(const Extent& batch) const {
    return batch.kind == BatchKind::transactional && decisions_ && decisions_->aborted(batch);
  }

  /// Cleaner.buildOffsetMap
  void build_map() {
    map_.clear();
    bool full = false;
    job_.log.for_each_held(job_.first_dirty, job_.end,
                           [&](const Extent& batch, Offset from, Offset to, sim::Time) {
                             if (full || batch.is_marker() || aborted(batch)) return;
                             for (Offset at = from; at < to; ++at) {
                               if (map_.size() == job_.keys_most) {
                                 full = true;
                                 result_.end = at;
                                 return;
                               }
                               map_.put(key_at(batch, at) & ~kTombstone, at);
                             }
                           });
    result_.dirty_bytes = job_.log.bytes_in(job_.first_dirty, result_.end);
    result_.bytes_read = job_.log.bytes_in(job_.log.start(), result_.end);
  }

  void filter(const Extent& batch, Offset from, Offset to, sim::Time horizon) {
    if (batch.base != batch_) close_batch();
    batch_ = batch.base;
    horizon_ = horizon;
    if (batch.is_marker()) return filter_marker(batch, from, to);
    if (batch.kind == BatchKind::transactional) {
      const auto at = std::lower_bound(with_records_.begin(), with_records_.end(), batch.producer_id);
      if (at == with_records_.end() || *at != batch.producer_id) with_records_.insert(at, batch.producer_id);
      if (aborted(batch)) {
        result_.removed += to - from;
        return;
      }
    }
    for (Offset at = from; at < to; ++at) {
      const std::uint32_t key = key_at(batch, at);
      const bool newest = at >= map_.newest(key & ~kTombstone);
      const bool tombstone = (key & kTombstone) != 0;
      if (newest && !(tombstone && may_go(at))) {
        keep(batch, at);
        has_tombstones_ |= tombstone;
      } else {
        ++result_.removed;
      }
    }
  }

  /// CleanedTransactionMetadata.onControlBatchRead
  void filter_marker(const Extent& marker, Offset from, Offset to) {
    const auto at = std::lower_bound(with_records_.begin(), with_records_.end(), marker.producer_id);
    const bool empty = at == with_records_.end() || *at != marker.producer_id;
    if (!empty) with_records_.erase(at);
    if (empty && may_go(from)) return;
    for (; from < to; ++from) keep(marker, from);
    has_tombstones_ |= empty;
  }

  /// Of a tombstone at `at`, or a marker without records. Asked by rising offset.
  bool may_go(Offset at) {
    if (job_.segments.empty()) return job_.now >= horizon_;
    while (segment_ + 1 < job_.segments.size() && job_.segments[segment_ + 1].base <= at) ++segment_;
    return job_.segments[segment_].largest_timestamp <= job_.discards_to;
  }

  void keep(const Extent& batch, Offset at) {
    if (!kept_.empty() && kept_.back().to == at) {
      kept_.back().to = at + 1;
    } else {
      kept_.push_back({.from = at, .to = at + 1});
    }
    extent_ = &batch;
  }

  /// A batch that keeps a tombstone gets its horizon when it is first cleaned.
  void close_batch() {
    if (has_tombstones_ && job_.segments.empty() && horizon_ == sim::kNever)
      horizon_ = job_.now + job_.delete_retention;
    const Surviving* before = nullptr;
    for (Surviving& run : kept_) {
      run.bytes = ReplicaLog::bytes_of(*extent_, run.from, run.to, before);
      run.horizon = horizon_;
      result_.survivors.add(run);
      before = &run;
    }
    kept_.clear();
    has_tombstones_ = false;
  }

  const CleaningJob& job_;
  OffsetMap& map_;
  CleaningResult result_;
  std::optional<Decisions> decisions_;
  std::vector<ProducerId> with_records_;  // producers of whose open transaction a record has been seen
  std::vector<Surviving> kept_;           // of the batch being cleaned
  const Extent* extent_ = nullptr;
  Offset batch_ = kNoOffset;  // its base
  sim::Time horizon_ = sim::kNever;
  std::size_t segment_ = 0;  // of the offset last asked about
  bool has_tombstones_ = false;
};

}  // namespace

CleaningResult clean(const CleaningJob& job, OffsetMap& map) {
  return Cleaning(job, map).run();
}

}  // namespace models::kafka
