#include "models/kafka/broker/producer_state.hpp"

#include <algorithm>
#include <limits>

namespace models::kafka {

const ProducerStates::State* ProducerStates::find(ProducerId id) const {
  const std::vector<State>& states = now_.states;
  const auto at = std::lower_bound(states.begin(), states.end(), id,
                                   [](const State& s, ProducerId i) { return s.id < i; });
  return at != states.end() && at->id == id ? &*at : nullptr;
}

ProducerStates::Verdict ProducerStates::check(ProducerId id, std::int16_t epoch, std::int32_t base_sequence,
                                              std::int32_t count) const {
  const State* state = find(id);
  if (state == nullptr) {
    if (accepts_unknown_ || base_sequence == 0) return {};
    return {.error = ErrorCode::unknown_producer_id};
  }
  if (epoch < state->epoch) return {.error = ErrorCode::invalid_producer_epoch};
  if (epoch > state->epoch) {
    if (base_sequence != 0) return {.error = ErrorCode::out_of_order_sequence_number};
    return {};
  }
  const std::int32_t last = advance_sequence(base_sequence, count - 1);
  for (std::size_t i = 0; knows_repeated_ && i < state->size; ++i) {
    const Batch& batch = state->batches[i];
    if (batch.first == base_sequence && batch.last == last)
      return {.duplicate = true, .base_offset = batch.base};
  }
  // An epoch that a marker has brought: it begins at 0.
  if (state->size == 0 && base_sequence != 0) {
    return {.error =
                accepts_unknown_ ? ErrorCode::out_of_order_sequence_number : ErrorCode::unknown_producer_id};
  }
  if (state->size > 0 && base_sequence != advance_sequence(state->batches[state->size - 1u].last, 1)) {
    return {.error = ErrorCode::out_of_order_sequence_number};
  }
  return {};
}

void ProducerStates::appended(const Extent& extent) {
  add(extent);
  now_.epoch = leading_;
}

void ProducerStates::add(const Extent& extent) {
  if (++since_snapshot_ > kSnapshotEvery) take_snapshot();
  now_.end = extent.end();
  if (extent.producer_id == kNoProducerId) return;
  State& state = state_of(extent.producer_id);
  if (extent.producer_epoch != state.epoch) {
    state.epoch = extent.producer_epoch;
    state.size = 0;
  }
  state.newest = extent.max_timestamp;
  if (extent.is_marker()) return end_transaction(state, extent);
  if (extent.kind == BatchKind::transactional && state.txn_first == kNoOffset) {
    has_transactions_ = true;
    state.txn_first = extent.base;
    state.lane = extent.lane;
    open_.push_back({.producer_id = extent.producer_id, .first = extent.base, .lane = extent.lane});
  }
  if (state.size == kBatches) {
    std::move(state.batches.begin() + 1, state.batches.end(), state.batches.begin());
    --state.size;
  }
  state.batches[state.size++] = {extent.base_sequence,
                                 advance_sequence(extent.base_sequence, extent.count - 1), extent.base};
}

ProducerStates::State& ProducerStates::state_of(ProducerId id) {
  std::vector<State>& states = now_.states;
  auto at = std::lower_bound(states.begin(), states.end(), id,
                             [](const State& s, ProducerId i) { return s.id < i; });
  if (at == states.end() || at->id != id) at = states.insert(at, State{.id = id});
  return *at;
}

// ---- transactions -------------------------------------------------------------------------------------------------

/// ProducerAppendInfo.checkProducerEpoch, checkCoordinatorEpoch
ErrorCode ProducerStates::check_marker(ProducerId id, std::int16_t epoch,
                                       std::int32_t coordinator_epoch) const {
  const State* state = find(id);
  if (state == nullptr) return ErrorCode::none;
  if (coordinator_epoch < state->coordinator_epoch) return ErrorCode::transaction_coordinator_fenced;
  return epoch < state->epoch ? ErrorCode::invalid_producer_epoch : ErrorCode::none;
}

void ProducerStates::coordinator_is(ProducerId id, std::int32_t coordinator_epoch) {
  state_of(id).coordinator_epoch = coordinator_epoch;
}

/// ProducerAppendInfo.appendEndTxnMarker, ProducerStateManager.completeTxn
void ProducerStates::end_transaction(State& state, const Extent& marker) {
  has_transactions_ = true;
  last_ended_ = {.producer_id = state.id, .first = marker.base, .marker = marker.base, .lane = state.lane};
  if (state.txn_first == kNoOffset) return;
  last_ended_.first = state.txn_first;
  state.txn_first = kNoOffset;
  std::erase_if(open_, [&state](const Transaction& t) { return t.producer_id == state.id; });
  last_ended_.last_stable = open_.empty() ? marker.end() : open_.front().first;
  unreplicated_.push_back(last_ended_);
  if (marker.kind == BatchKind::abort_marker) aborted_.push_back(last_ended_);
}

Offset ProducerStates::first_unstable() const {
  Offset first = std::numeric_limits<Offset>::max();
  if (!open_.empty()) first = open_.front().first;
  for (const Transaction& ended : unreplicated_) first = std::min(first, ended.first);
  return first;
}

void ProducerStates::replicated(Offset high_watermark) {
  std::erase_if(unreplicated_, [high_watermark](const Transaction& t) { return t.marker < high_watermark; });
}

void ProducerStates::forget_beyond(Offset end) {
  const auto beyond = [end](const Transaction& t) { return t.marker >= end; };
  std::erase_if(unreplicated_, beyond);
  std::erase_if(aborted_, beyond);
  open_.clear();
  for (const State& state : now_.states) {
    if (state.txn_first != kNoOffset)
      open_.push_back({.producer_id = state.id, .first = state.txn_first, .lane = state.lane});
  }
  std::sort(open_.begin(), open_.end(),
            [](const Transaction& a, const Transaction& b) { return a.first < b.first; });
}

void ProducerStates::expire(sim::Time limit) {
  std::erase_if(now_.states,
                [limit](const State& s) { return s.txn_first == kNoOffset && s.newest <= limit; });
}

void ProducerStates::forget_below(Offset start) {
  const auto kept = std::partition_point(aborted_.begin(), aborted_.end(),
                                         [start](const Transaction& t) { return t.marker < start; });
  aborted_.erase(aborted_.begin(), kept);
}

void ProducerStates::take_snapshot() {
  since_snapshot_ = 1;
  if (snapshots_.size() == kSnapshots) snapshots_.erase(snapshots_.begin());
  snapshots_.push_back(now_);
}

void ProducerStates::rebuild(const ReplicaLog& log) {
  while (!snapshots_.empty() && !snapshots_.back().holds(log)) snapshots_.pop_back();
  if (!now_.holds(log)) {
    now_ = snapshots_.empty() ? Snapshot{} : snapshots_.back();
    if (has_transactions_) forget_beyond(now_.end);
  }
  log.for_each(now_.end, [this](const Extent& extent, LeaderEpoch epoch) {
    add(extent);
    now_.epoch = epoch;
    ++batches_read_;
  });
  leading_ = log.latest_epoch();
}

}  // namespace models::kafka
