#include "models/kafka/broker/log.hpp"

#include <algorithm>

#include "sim/assert.hpp"

namespace models::kafka {
namespace {

/// DefaultRecordBatch.RECORD_BATCH_OVERHEAD
constexpr std::int32_t kBatchHeader = 61;

}  // namespace

// ---- Branch -------------------------------------------------------------------------------------------------------

void Branch::append(Extent extent) {
  if (size_ % kChunk == 0) chunks_.push_back(std::make_unique<std::array<Extent, kChunk>>());
  if (size_ > 0) extent.max_timestamp = std::max(extent.max_timestamp, (*this)[size_ - 1].max_timestamp);
  extent.bytes_before = bytes_;
  bytes_ += extent.bytes;
  end_ = extent.end();
  (*chunks_[size_ / kChunk])[size_ % kChunk] = extent;
  ++size_;
}

std::size_t Branch::find(Offset offset) const {
  MQLAB_ASSERT(offset >= start_ && offset < end_, "an offset outside its branch");
  MQLAB_ASSERT((*this)[first_].base <= offset, "an offset whose batch has been let go");
  // Readers are near the end: gallop backwards, then bisect.
  std::size_t high = size_;
  std::size_t step = 1;
  while (high > first_ + step && (*this)[high - step].base > offset) {
    high -= step;
    step *= 2;
  }
  std::size_t low = high > first_ + step ? high - step : first_;
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    if ((*this)[middle].base <= offset)
      low = middle;
    else
      high = middle;
  }
  return low;
}

void Branch::forget_below(Offset offset) {
  while (first_ + kChunk < size_ && (*this)[first_ + kChunk].base <= offset) {
    chunks_[first_ / kChunk].reset();
    first_ += kChunk;
  }
}

// ---- PartitionStore -----------------------------------------------------------------------------------------------

Branch& PartitionStore::open(LeaderEpoch epoch, Offset start) {
  MQLAB_ASSERT(branches_.empty() || branches_.back()->epoch() != epoch, "one leader per epoch");
  const auto at = std::upper_bound(branches_.begin(), branches_.end(), epoch,
                                   [](LeaderEpoch e, const auto& b) { return e < b->epoch(); });
  return **branches_.insert(at, std::make_unique<Branch>(epoch, start));
}

const Branch& PartitionStore::branch(LeaderEpoch epoch) const {
  if (branches_.back()->epoch() == epoch) return *branches_.back();
  const auto at = std::lower_bound(branches_.begin(), branches_.end(), epoch,
                                   [](const auto& b, LeaderEpoch e) { return b->epoch() < e; });
  MQLAB_ASSERT(at != branches_.end() && (*at)->epoch() == epoch, "no branch of that epoch");
  return **at;
}

void PartitionStore::forget_below(Offset offset) {
  for (const auto& branch : branches_) branch->forget_below(offset);
}

std::size_t PartitionStore::kept() const {
  std::size_t kept = 0;
  for (const auto& branch : branches_) kept += branch->kept();
  return kept;
}

// ---- ReplicaLog ---------------------------------------------------------------------------------------------------

void ReplicaLog::begin_epoch(LeaderEpoch epoch) {
  MQLAB_ASSERT(epoch > latest_epoch(), "leader epochs only rise");
  epochs_.push_back({epoch, end_});
  writing_ = nullptr;
}

Offset ReplicaLog::append(Extent extent) {
  if (writing_ == nullptr) {
    writing_ = &store_->open(latest_epoch(), end_);
    runs_.push_back({latest_epoch(), end_});
  }
  MQLAB_ASSERT(writing_->epoch() == latest_epoch() && writing_->end() == end_,
               "append at the end of the own branch");
  extent.base = end_;
  writing_->append(extent);
  end_ = extent.end();
  return extent.base;
}

void ReplicaLog::copy(LeaderEpoch epoch, Offset from, Offset to) {
  MQLAB_ASSERT(from == end_ && to > from, "a follower appends at its end");
  append_run(epoch, from);
  MQLAB_ASSERT(store_->branch(epoch).end() >= to, "a follower holds no more than its leader appended");
  end_ = to;
  writing_ = nullptr;
}

void ReplicaLog::copy(LeaderEpoch epoch, Offset from, Offset to, const CompactedCopy& what) {
  MQLAB_ASSERT(from == end_ && to > from, "a follower appends at its end");
  Survivors& survivors = own_survivors(from);
  // UnifiedLog.append assigns an epoch where its first batch begins.
  if (what.first_batch > from && (runs_.empty() || runs_.back().epoch != epoch))
    runs_.push_back({kNoEpoch, from});
  append_run(epoch, what.first_batch);
  end_ = to;
  writing_ = nullptr;
  for (Surviving run : what.records) {
    const Surviving* before = survivors.runs().empty() ? nullptr : &survivors.runs().back();
    run.bytes = bytes_of(at(run.from), run.from, run.to, before);
    survivors.add(run);
  }
  survivors.reach(to);
}

void ReplicaLog::append_run(LeaderEpoch epoch, Offset from) {
  if (epoch != latest_epoch()) {
    // An epoch begun here without a record leaves no trace: a leader elected after it may hold records of older epochs from
    // this offset on, which had not been cut yet (UnifiedLog.truncateTo: "a conflicting epoch entry at the end of the log").
    while (!epochs_.empty() && epochs_.back().start == end_) epochs_.pop_back();
    if (epoch != latest_epoch()) {
      // Of a log that has diverged (LeaderEpochFileCache.maybeTruncateNonMonotonicEntries).
      while (!epochs_.empty() && epochs_.back().epoch >= epoch) epochs_.pop_back();
      epochs_.push_back({epoch, from});
    }
  }
  if (runs_.empty() || runs_.back().epoch != epoch) runs_.push_back({epoch, from});
}

void ReplicaLog::truncate(Offset offset) {
  if (offset >= end_) return;
  reload(offset);
}

void ReplicaLog::reload(Offset offset) {
  end_ = std::min(end_, std::max(offset, start_));
  while (!epochs_.empty() && epochs_.back().start >= end_) epochs_.pop_back();
  while (!runs_.empty() && runs_.back().start >= end_) runs_.pop_back();
  if (survivors_ && survivors_->end() > end_) own_survivors(start_).truncate(end_);
  writing_ = nullptr;
}

void ReplicaLog::raise_start(Offset offset) {
  MQLAB_ASSERT(offset >= start_ && offset <= end_, "a log starts within its records");
  start_ = offset;
  // LeaderEpochFileCache.truncateFromStart: the epoch that holds the first record begins with it.
  const auto clip = [offset](std::vector<EpochStart>& starts) {
    while (starts.size() > 1 && starts[1].start <= offset) starts.erase(starts.begin());
    if (!starts.empty()) starts.front().start = std::max(starts.front().start, offset);
  };
  clip(epochs_);
  clip(runs_);
  if (survivors_) own_survivors(start_).raise_start(start_);
}

void ReplicaLog::restart_at(Offset offset) {
  start_ = offset;
  end_ = offset;
  epochs_.clear();
  runs_.clear();
  survivors_.reset();
  writing_ = nullptr;
}

void ReplicaLog::adopt(const ReplicaLog& other, Offset start) {
  *this = other;
  writing_ = nullptr;
  if (start > start_) raise_start(start);
}

std::size_t ReplicaLog::epoch_index(Offset offset) const {
  std::size_t i = runs_.size() - 1;
  while (runs_[i].start > offset) --i;
  return i;
}

LeaderEpoch ReplicaLog::epoch_at(Offset offset) const {
  MQLAB_ASSERT(offset >= start_ && offset < end_, "an offset outside the log");
  return runs_[epoch_index(offset)].epoch;
}

EpochEnd ReplicaLog::end_of(LeaderEpoch epoch) const {
  for (std::size_t i = epochs_.size(); i-- > 0;) {
    if (epochs_[i].epoch <= epoch)
      return {epochs_[i].epoch, i + 1 < epochs_.size() ? epochs_[i + 1].start : end_};
  }
  if (epoch == kNoEpoch || epochs_.empty()) return {};
  return {epoch, epochs_.front().start};
}

ReadResult ReplicaLog::read(Offset from, Offset limit, std::int64_t max_bytes) const {
  limit = std::min(limit, end_);
  if (from >= limit || from < start_) return {.end = from};
  if (survivors_ && from < survivors_->end()) return read_compacted(from, limit, max_bytes);
  const std::size_t i = epoch_index(from);
  const Offset stop = std::min(limit, run_end(i));
  const Branch& branch = store_->branch(runs_[i].epoch);
  std::size_t e = branch.find(from);
  const std::int64_t first_byte = branch[e].bytes_before;
  Offset end = std::min(branch[e].end(), stop);
  std::int64_t bytes = branch[e].bytes;
  while (++e < branch.size() && branch[e].end() <= stop) {
    const std::int64_t total = branch[e].bytes_before + branch[e].bytes - first_byte;
    if (total > max_bytes) break;
    end = branch[e].end();
    bytes = total;
  }
  return {.end = end, .bytes = static_cast<std::int32_t>(bytes), .epoch = branch.epoch()};
}

Offset ReplicaLog::first_younger(sim::Time time) const {
  Offset found = end_;
  for_each(start_, [&](const Extent& extent, LeaderEpoch) {
    if (extent.max_timestamp >= time) found = std::min(found, std::max(extent.base, start_));
  });
  return found;
}

const Extent& ReplicaLog::at(Offset offset) const {
  const Branch& branch = store_->branch(epoch_at(offset));
  return branch[branch.find(offset)];
}

Offset ReplicaLog::common_prefix(const ReplicaLog& other) const {
  const Offset shorter = std::min(end_, other.end_);
  Offset same = std::max(start_, other.start_);
  while (same < shorter) {
    const std::size_t i = epoch_index(same);
    const std::size_t j = other.epoch_index(same);
    const Offset stop = std::min(run_end(i), other.run_end(j));
    if (runs_[i].epoch != other.runs_[j].epoch && first_held_by_both(other, same, stop) < stop) break;
    same = stop;
  }
  return std::min(same, shorter);
}

std::vector<OffsetRange> ReplicaLog::differences(const ReplicaLog& other, Offset limit) const {
  std::vector<OffsetRange> found;
  limit = std::min({limit, end_, other.end_});
  for (Offset from = std::max(start_, other.start_); from < limit;) {
    const std::size_t i = epoch_index(from);
    const std::size_t j = other.epoch_index(from);
    const Offset to = std::min({limit, run_end(i), other.run_end(j)});
    if (runs_[i].epoch != other.runs_[j].epoch && first_held_by_both(other, from, to) < to) {
      const bool joined = !found.empty() && found.back().to == from;
      joined ? void(found.back().to = to) : found.push_back({from, to});
    }
    from = to;
  }
  return found;
}

// ---- compaction ---------------------------------------------------------------------------------------------------

std::int64_t ReplicaLog::bytes_of(const Extent& extent, Offset from, Offset to, const Surviving* before) {
  if (to - from == extent.count) return extent.bytes;
  const bool goes_on = before != nullptr && before->from >= extent.base;
  const std::int64_t records = std::max<std::int64_t>(extent.bytes - kBatchHeader, 0);
  return (goes_on ? 0 : kBatchHeader) + records * (to - from) / extent.count;
}

std::int64_t ReplicaLog::bytes_in(Offset from, Offset to) const {
  std::int64_t bytes = 0;
  Surviving last;
  bool any = false;
  for_each_held(from, to, [&](const Extent& extent, Offset first, Offset end, sim::Time) {
    bytes += bytes_of(extent, first, end, any ? &last : nullptr);
    last = {.from = first, .to = end};
    any = true;
  });
  return bytes;
}

void ReplicaLog::compacted(Survivors survivors) {
  survivors_ = std::make_shared<Survivors>(std::move(survivors));
}

/// Its survivors, which reach at least to `reach`, for a change.
Survivors& ReplicaLog::own_survivors(Offset reach) {
  if (!survivors_)
    survivors_ = std::make_shared<Survivors>(start_);
  else if (survivors_.use_count() > 1)
    survivors_ = std::make_shared<Survivors>(*survivors_);
  if (survivors_->end() >= reach) return *survivors_;
  Survivors whole = *survivors_;
  for_each_held(whole.end(), reach, [&whole](const Extent& extent, Offset from, Offset to, sim::Time) {
    whole.add({.from = from, .to = to, .bytes = bytes_of(extent, from, to, nullptr)});
  });
  *survivors_ = std::move(whole);
  survivors_->reach(reach);
  return *survivors_;
}

ReadResult ReplicaLog::read_compacted(Offset from, Offset limit, std::int64_t max_bytes) const {
  const std::vector<Surviving>& runs = survivors_->runs();
  const std::size_t first = survivors_->find(from);
  if (first == runs.size() || runs[first].from >= limit) {
    // The header of the last batch.
    const Offset end = survivors_->end();
    if (first < runs.size() || end > limit || epoch_at(end - 1) == kNoEpoch)
      return {.end = from, .gaps = true};
    return {.end = end,
            .bytes = kBatchHeader,
            .epoch = epoch_at(end - 1),
            .gaps = true,
            .first_batch = std::max(from, at(end - 1).base)};
  }
  // A map that was full may have ended a cleaning inside a batch.
  const Offset stop = std::min(limit, survivors_->end());
  const Extent* batch = &at(runs[first].from);
  ReadResult result{.end = std::min(batch->end(), stop),
                    .epoch = epoch_at(runs[first].from),
                    .gaps = true,
                    .first_batch = std::max(from, batch->base)};
  std::size_t next = first + 1;
  for (; next < runs.size() && runs[next].from < stop; ++next) {
    const bool same_batch = runs[next].from < batch->end();
    if (!same_batch &&
        (survivors_->bytes(first, next + 1) > max_bytes || epoch_at(runs[next].from) != result.epoch))
      break;
    if (same_batch) continue;
    batch = &at(runs[next].from);
    result.end = std::min(batch->end(), stop);
  }
  result.bytes = static_cast<std::int32_t>(survivors_->bytes(first, next));
  return result;
}

/// First offset of [from, to) that the log holds a record at, or `to`.
Offset ReplicaLog::first_held(Offset from, Offset to) const {
  if (from >= to) return to;
  if (survivors_ && from < survivors_->end()) {
    const std::size_t i = survivors_->find(from);
    from = i < survivors_->runs().size() ? std::max(from, survivors_->runs()[i].from) : survivors_->end();
  }
  return std::min(from, to);
}

Offset ReplicaLog::first_held_by_both(const ReplicaLog& other, Offset from, Offset to) const {
  for (;;) {
    const Offset here = first_held(from, to);
    from = other.first_held(here, to);
    if (from == here || from >= to) return std::min(from, to);
  }
}

}  // namespace models::kafka
