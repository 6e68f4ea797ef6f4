#include "models/kafka/share/share_partition.hpp"

#include <algorithm>

#include "sim/assert.hpp"

namespace models::kafka {
namespace {

bool terminal(ShareRecordState state) {
  return state == ShareRecordState::acknowledged || state == ShareRecordState::archived;
}

ShareRecordState state_of(AcknowledgeType type) {
  if (type == AcknowledgeType::accept) return ShareRecordState::acknowledged;
  return type == AcknowledgeType::release ? ShareRecordState::available : ShareRecordState::archived;
}

}  // namespace

// ---- the window ---------------------------------------------------------------------------------------------------

void SharePartition::initialize(const ShareGroupState& stored) {
  ++revision_;
  start_ = end_ = search_ = std::max<Offset>(0, stored.start_offset);
  batches_.clear();
  for (const ShareStateBatch& batch : stored.batches) {
    const Offset first = std::max(batch.first, start_);
    if (first >= batch.end) continue;
    make_room(batch.end);
    for (Offset o = end_; o < first; ++o) at(o) = Record{};
    for (Offset o = first; o < batch.end; ++o)
      at(o) = Record{.state = batch.state, .delivery_count = batch.delivery_count};
    end_ = batch.end;
    batches_.push_back({first, batch.end, false});
  }
  advance_start();
}

void SharePartition::make_room(Offset end) {
  const auto wanted = static_cast<std::size_t>(end - start_);
  if (wanted <= records_.size()) return;
  std::size_t size = records_.size();
  while (size < wanted) size *= 2;
  std::vector<Record> larger(size);
  for (Offset o = start_; o < end_; ++o) larger[static_cast<std::size_t>(o) & (size - 1)] = at(o);
  records_.swap(larger);
  mask_ = size - 1;
}

Offset SharePartition::next_fetch_offset() {
  search_ = std::max(search_, start_);
  while (search_ < end_ && !available(search_)) ++search_;
  return search_;
}

/// The first available record of [from, end), or `end`.
Offset SharePartition::first_available(Offset from, Offset end) const {
  while (from < end && !available(from)) ++from;
  return from;
}

bool SharePartition::available(Offset offset) const {
  const Record& one = record(offset);
  return one.state == ShareRecordState::available && !one.in_transition;
}

std::int64_t SharePartition::count(ShareRecordState state) const {
  std::int64_t found = 0;
  for (Offset o = start_; o < end_; ++o) found += record(o).state == state ? 1 : 0;
  return found;
}

bool SharePartition::advance_start() {
  ++revision_;
  const Offset before = start_;
  while (start_ < end_ && terminal(record(start_).state) && !record(start_).in_transition) ++start_;
  if (start_ == before) return false;
  log_start_moved(start_);
  return true;
}

void SharePartition::log_start_moved(Offset log_start) {
  ++revision_;
  if (log_start > start_) start_ = log_start;
  end_ = std::max(end_, start_);
  const auto passed = std::find_if(batches_.begin(), batches_.end(),
                                   [this](const Batch& batch) { return batch.end > start_; });
  batches_.erase(batches_.begin(), passed);
}

void SharePartition::insert_batch(Batch batch) {
  const auto at = std::lower_bound(batches_.begin(), batches_.end(), batch.first,
                                   [](const Batch& one, Offset first) { return one.first < first; });
  batches_.insert(at, batch);
}

/// Batches of which [first, end) holds a part only go on record by record.
void SharePartition::split_batches(Offset first, Offset end) {
  for (Batch& batch : batches_) {
    if (batch.end <= first) continue;
    if (batch.first >= end) return;
    if (batch.first < first || batch.end > end || batch.first < start_) batch.per_offset = true;
  }
}

void SharePartition::lock(Offset offset, ShareMember member, sim::Time now) {
  Record& one = at(offset);
  one.state = ShareRecordState::acquired;
  ++one.delivery_count;
  one.member = member;
  one.locked_until = now + options_.lock_duration;
}

void SharePartition::add(std::vector<AcquiredRecords>& acquired, Offset offset, std::int16_t count) const {
  // What stands before is of other partitions.
  if (acquired.size() > acquired_before_ && acquired.back().end == offset &&
      acquired.back().delivery_count == count) {
    ++acquired.back().end;
  } else {
    acquired.push_back({.first = offset, .end = offset + 1, .delivery_count = count});
  }
}

void SharePartition::add(std::vector<ShareStateBatch>& changes, Offset offset, const Record& record) {
  if (!changes.empty() && changes.back().end == offset && changes.back().state == record.state &&
      changes.back().delivery_count == record.delivery_count) {
    ++changes.back().end;
  } else {
    changes.push_back({offset, offset + 1, record.state, record.delivery_count});
  }
}

// ---- acquiring ----------------------------------------------------------------------------------------------------

std::int64_t SharePartition::acquire(const Acquire& request, std::span<const LogBatch> batches, sim::Time now,
                                     std::vector<AcquiredRecords>& acquired) {
  if (request.max_records <= 0 || batches.empty()) return 0;
  ++revision_;
  archive_stale(request.fetch_offset, batches.front().base);
  acquired_before_ = acquired.size();
  // lastOffsetAndMaxRecordsToAcquire
  Offset to = batches.back().end;
  std::int64_t most = std::min<std::int64_t>(request.max_records, options_.max_record_locks - in_flight());
  if (most <= 0) {
    // The window is full, but something inside it was given back.
    if (request.fetch_offset >= end_) return 0;
    most = std::min<std::int64_t>(request.max_records, end_ - request.fetch_offset);
    to = std::min(to, end_);
  }
  const Offset from = std::max(batches.front().base, start_);
  if (from >= to) return 0;
  std::int64_t taken = 0;
  if (from < end_) taken = acquire_in_flight(request, batches, from, to, most, now, acquired);
  if (taken < most && end_ < to)
    taken += acquire_new(request, batches, std::max(from, end_), to, most - taken, now, acquired);
  return taken;
}

/// The first batch of the log begins behind where it was read: compaction has removed what was available in between
/// (maybeArchiveStaleBatches).
void SharePartition::archive_stale(Offset from, Offset first_batch) {
  for (Offset o = std::max(from, start_); o < std::min(first_batch, end_); ++o) {
    if (available(o)) at(o).state = ShareRecordState::archived;
  }
  split_batches(from, first_batch);
}

/// What was in flight before. Lowers `most` to what has been acquired where nothing else is to come with it.
std::int64_t SharePartition::acquire_in_flight(const Acquire& request, std::span<const LogBatch> batches,
                                               Offset from, Offset to, std::int64_t& most, sim::Time now,
                                               std::vector<AcquiredRecords>& acquired) {
  std::int64_t taken = 0;
  Offset next = from;
  for (std::size_t i = 0; i < batches_.size() && batches_[i].first < to; ++i) {
    if (batches_[i].end <= from) continue;
    if (taken >= most) break;
    if (next < batches_[i].first) {
      const Offset gap = first_available(next, batches_[i].first);
      next = batches_[i].first;
      if (gap < next) taken += acquire_new(request, batches, gap, next, most - taken, now, acquired);
      // What was inserted stands before it now.
      while (batches_[i].first < next) ++i;
      if (taken >= most) break;
    }
    Batch& batch = batches_[i];
    next = batch.end;
    const bool whole = batch.first >= from && batch.end <= to;
    const bool cut = request.mode == ShareAcquireMode::record_limit && batch.end - batch.first > most - taken;
    const bool slow = throttled(batch, from, to);
    // A record that may be bad is delivered without others, so that they are not archived with it.
    if (slow && taken > 0) {
      most = taken;
      break;
    }
    if (whole && !batch.per_offset && !cut && !slow) {
      taken += acquire_whole(request, batch, now, acquired);
      continue;
    }
    if (!batch.per_offset) {
      if (!available(std::max(batch.first, start_))) continue;
      batch.per_offset = true;
    }
    const std::int64_t some = acquire_some(request, batch, from, to, most - taken, now, acquired);
    taken += some;
    if (slow && some > 0) {
      most = taken;
      break;
    }
  }
  // A gap that goes on beyond what was read.
  const Offset stop = std::min(to, end_);
  next = first_available(next, stop);
  if (taken < most && next < stop)
    taken += acquire_new(request, batches, next, stop, most - taken, now, acquired);
  return taken;
}

std::int64_t SharePartition::acquire_whole(const Acquire& request, const Batch& batch, sim::Time now,
                                           std::vector<AcquiredRecords>& acquired) {
  if (!available(batch.first)) return 0;
  for (Offset o = batch.first; o < batch.end; ++o) lock(o, request.member, now);
  acquired.push_back(
      {.first = batch.first, .end = batch.end, .delivery_count = record(batch.first).delivery_count});
  return batch.end - batch.first;
}

/// shouldThrottleRecordsDelivery: some record of it has been delivered half as often as the limit allows.
bool SharePartition::throttled(const Batch& batch, Offset from, Offset to) const {
  const int limit = std::max(2, (options_.delivery_count_limit + 1) / 2);
  if (!batch.per_offset) return record(std::max(batch.first, start_)).delivery_count >= limit;
  for (Offset o = std::max({batch.first, from, start_}); o < std::min(batch.end, to); ++o) {
    const Record& one = record(o);
    if (one.state == ShareRecordState::available && one.delivery_count >= limit) return true;
  }
  return false;
}

/// acquireSubsetBatchRecords: record by record; all there are of the batch, unless the mode or a bad record says otherwise.
std::int64_t SharePartition::acquire_some(const Acquire& request, Batch& batch, Offset from, Offset to,
                                          std::int64_t most, sim::Time now,
                                          std::vector<AcquiredRecords>& acquired) {
  const int limit = options_.delivery_count_limit;
  const int slow_from = std::max(2, (limit + 1) / 2);
  std::int64_t taken = 0;
  std::int64_t slow_most = -1;
  for (Offset o = std::max({batch.first, from, start_}); o < std::min(batch.end, to); ++o) {
    if (!available(o)) continue;
    const int count = record(o).delivery_count;
    // On its last attempt a record is delivered alone.
    if (limit > 2 && count == limit - 1 && taken > 0) break;
    if (count >= slow_from && slow_most < 0)
      slow_most = std::max<std::int64_t>(1, (batch.end - batch.first) >> (count - slow_from + 1));
    lock(o, request.member, now);
    add(acquired, o, record(o).delivery_count);
    ++taken;
    if (limit > 2 && record(o).delivery_count == limit) break;
    if (request.mode == ShareAcquireMode::record_limit && taken == most) break;
    if (taken == slow_most) break;
  }
  return taken;
}

/// acquireNewBatchRecords: offsets [first, end), which no batch holds yet.
std::int64_t SharePartition::acquire_new(const Acquire& request, std::span<const LogBatch> batches,
                                         Offset first, Offset end, std::int64_t most, sim::Time now,
                                         std::vector<AcquiredRecords>& acquired) {
  if (most < end - first) {
    // Up to the end of the batch that holds the last one wanted.
    const Offset last = first + most - 1;
    const auto holds = std::find_if(batches.begin(), batches.end(),
                                    [last](const LogBatch& batch) { return last < batch.end; });
    end = std::min(end, holds == batches.end() ? last + 1 : std::max(holds->end, last + 1));
  }
  make_room(end);
  const bool beyond = end > end_;
  if (beyond) {
    // Where the log has no records there is nothing to wait for.
    for (Offset o = end_; o < first; ++o) at(o) = Record{.state = ShareRecordState::archived};
    for (Offset o = std::max(first, end_); o < end; ++o) at(o) = Record{};
    if (end_ == start_ && first > start_) start_ = first;
    end_ = end;
  }
  if (request.mode == ShareAcquireMode::record_limit) {
    // The window holds the whole batch; what is beyond the limit waits for others.
    const Offset stop = std::min(end, first + most);
    insert_batch({first, end, stop < end});
    for (Offset o = first; o < stop; ++o) lock(o, request.member, now);
    search_ = std::min(search_, stop);
    acquired.push_back({.first = first, .end = stop, .delivery_count = record(first).delivery_count});
    return stop - first;
  }
  // createBatches: in flight together are as many batches of the log as hold batch_size records.
  Offset begin = first;
  const auto close = [&](Offset at_end) {
    insert_batch({begin, at_end, false});
    for (Offset o = begin; o < at_end; ++o) lock(o, request.member, now);
    acquired.push_back({.first = begin, .end = at_end, .delivery_count = record(begin).delivery_count});
    begin = at_end;
  };
  if (end - first > request.batch_size) {
    for (const LogBatch& batch : batches) {
      if (batch.base >= end) break;
      if (batch.base - begin >= request.batch_size) close(batch.base);
    }
  }
  close(end);
  return end - first;
}

// ---- acknowledging ------------------------------------------------------------------------------------------------

ErrorCode SharePartition::acknowledge(ShareMember member, std::span<const AcknowledgementBatch> batches,
                                      sim::Time now, std::vector<ShareStateBatch>& changes) {
  ++revision_;
  const std::size_t before = changes.size();
  for (const AcknowledgementBatch& batch : batches) {
    if (batch.end <= start_) continue;
    const ErrorCode error = acknowledge(member, batch, now, changes);
    if (error == ErrorCode::none) continue;
    complete(std::span(changes).subspan(before), false, now);
    changes.resize(before);
    return error;
  }
  return ErrorCode::none;
}

ErrorCode SharePartition::acknowledge(ShareMember member, const AcknowledgementBatch& batch, sim::Time now,
                                      std::vector<ShareStateBatch>& changes) {
  if (start_ == end_) return ErrorCode::invalid_record_state;
  if (batch.end > end_) return ErrorCode::invalid_request;
  split_batches(batch.first, batch.end);
  for (Offset o = std::max(batch.first, start_); o < batch.end; ++o) {
    Record& one = at(o);
    if (one.state != ShareRecordState::acquired || one.in_transition || one.member != member)
      return ErrorCode::invalid_record_state;
    if (batch.type == AcknowledgeType::renew) {
      one.locked_until = now + options_.lock_duration;
      continue;
    }
    begin_transition(one, state_of(batch.type));
    add(changes, o, one);
  }
  return ErrorCode::none;
}

/// InFlightState.startStateTransition
void SharePartition::begin_transition(Record& record, ShareRecordState to) {
  record.state_before = record.state;
  record.count_before = record.delivery_count;
  record.in_transition = true;
  if (to == ShareRecordState::available && record.delivery_count >= options_.delivery_count_limit)
    to = ShareRecordState::archived;
  record.state = to;
}

void SharePartition::release(ShareMember member, std::vector<ShareStateBatch>& changes) {
  ++revision_;
  for (Offset o = start_; o < end_; ++o) {
    Record& one = at(o);
    if (one.state != ShareRecordState::acquired || one.in_transition || one.member != member) continue;
    begin_transition(one, ShareRecordState::acquired);
    one.state = ShareRecordState::available;
    --one.delivery_count;
    add(changes, o, one);
  }
}

void SharePartition::complete(std::span<const ShareStateBatch> changes, bool stored, sim::Time now,
                              std::vector<ShareStateBatch>* archived) {
  ++revision_;
  for (const ShareStateBatch& batch : changes) {
    for (Offset o = std::max(batch.first, start_); o < batch.end; ++o) {
      MQLAB_ASSERT(at(o).in_transition, "what is completed was in transition");
      end_transition(at(o), stored, now);
      if (!stored && archived != nullptr && at(o).state == ShareRecordState::archived)
        add(*archived, o, at(o));
      if (available(o)) search_ = std::min(search_, o);
    }
  }
}

void SharePartition::end_transition(Record& record, bool stored, sim::Time now) {
  record.in_transition = false;
  if (!stored) {
    record.state = record.state_before;
    record.delivery_count = record.count_before;
    // Unless its lock has ended meanwhile (InFlightState.completeStateTransition).
    if (record.state == ShareRecordState::acquired && record.locked_until <= now) give_back(record);
  }
  if (record.state == ShareRecordState::acquired) return;
  record.member = 0;
  record.locked_until = sim::kNever;
}

void SharePartition::archive(ShareMember member, Offset first, Offset end) {
  ++revision_;
  split_batches(first, end);
  for (Offset o = std::max(first, start_); o < std::min(end, end_); ++o) {
    Record& one = at(o);
    if (one.state != ShareRecordState::acquired || one.in_transition || one.member != member) continue;
    one.state = ShareRecordState::archived;
    one.member = 0;
    one.locked_until = sim::kNever;
  }
}

// ---- locks --------------------------------------------------------------------------------------------------------

void SharePartition::give_back(Record& record) {
  record.state = record.delivery_count >= options_.delivery_count_limit ? ShareRecordState::archived
                                                                        : ShareRecordState::available;
  record.member = 0;
  record.locked_until = sim::kNever;
}

void SharePartition::expire(sim::Time now, std::vector<ShareStateBatch>& changes) {
  ++revision_;
  for (Offset o = start_; o < end_; ++o) {
    Record& one = at(o);
    if (one.state != ShareRecordState::acquired || one.in_transition || one.locked_until > now) continue;
    give_back(one);
    if (one.state == ShareRecordState::available) search_ = std::min(search_, o);
    add(changes, o, one);
  }
  for (const ShareStateBatch& batch : changes) split_batches(batch.first, batch.end);
}

sim::Time SharePartition::next_deadline() const {
  sim::Time next = sim::kNever;
  for (Offset o = start_; o < end_; ++o) {
    const Record& one = record(o);
    if (one.state == ShareRecordState::acquired && !one.in_transition)
      next = std::min(next, one.locked_until);
  }
  return next;
}

// ---- what must hold -----------------------------------------------------------------------------------------------

const char* SharePartition::broken() const {
  if (start_ > end_) return "the start offset is beyond the end of what is in flight";
  Offset last = 0;
  for (const Batch& batch : batches_) {
    if (batch.first >= batch.end || batch.first < last) return "batches overlap";
    if (batch.end <= start_ || batch.end > end_) return "a batch lies outside of the window";
    last = batch.end;
  }
  for (Offset o = start_; o < end_; ++o) {
    const Record& one = record(o);
    const bool held = one.member != 0;
    if (one.delivery_count < 0 || one.delivery_count > options_.delivery_count_limit)
      return "a record was delivered more often than the limit allows";
    if (one.state == ShareRecordState::acquired && !held) return "a record is acquired by nobody";
    if (one.state != ShareRecordState::acquired && held && !one.in_transition)
      return "a record that is not acquired has a holder";
    if (one.state == ShareRecordState::available && !one.in_transition && o < search_)
      return "an available record lies below where the next fetch begins";
    if (one.state == ShareRecordState::available && one.delivery_count >= options_.delivery_count_limit)
      return "a record is available again that was delivered as often as the limit allows";
  }
  return nullptr;
}

}  // namespace models::kafka
