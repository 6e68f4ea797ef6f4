#include "models/kafka/broker/producer_state.hpp"

#include <algorithm>

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
  if (state == nullptr) return {};
  if (epoch < state->epoch) return {.error = ErrorCode::invalid_producer_epoch};
  if (epoch > state->epoch) {
    if (base_sequence != 0) return {.error = ErrorCode::out_of_order_sequence_number};
    return {};
  }
  const std::int32_t last = advance_sequence(base_sequence, count - 1);
  for (std::size_t i = 0; i < state->size; ++i) {
    const Batch& batch = state->batches[i];
    if (batch.first == base_sequence && batch.last == last)
      return {.duplicate = true, .base_offset = batch.base};
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
  std::vector<State>& states = now_.states;
  auto at = std::lower_bound(states.begin(), states.end(), extent.producer_id,
                             [](const State& s, ProducerId i) { return s.id < i; });
  if (at == states.end() || at->id != extent.producer_id)
    at = states.insert(at, State{.id = extent.producer_id});
  State& state = *at;
  if (extent.producer_epoch != state.epoch) {
    state.epoch = extent.producer_epoch;
    state.size = 0;
  }
  if (state.size == kBatches) {
    std::move(state.batches.begin() + 1, state.batches.end(), state.batches.begin());
    --state.size;
  }
  state.batches[state.size++] = {extent.base_sequence,
                                 advance_sequence(extent.base_sequence, extent.count - 1), extent.base};
}

void ProducerStates::take_snapshot() {
  since_snapshot_ = 1;
  if (snapshots_.size() == kSnapshots) snapshots_.erase(snapshots_.begin());
  snapshots_.push_back(now_);
}

void ProducerStates::rebuild(const ReplicaLog& log) {
  while (!snapshots_.empty() && !snapshots_.back().holds(log)) snapshots_.pop_back();
  if (!now_.holds(log)) now_ = snapshots_.empty() ? Snapshot{} : snapshots_.back();
  log.for_each(now_.end, [this](const Extent& extent, LeaderEpoch epoch) {
    add(extent);
    now_.epoch = epoch;
    ++batches_read_;
  });
  leading_ = log.latest_epoch();
}

}  // namespace models::kafka
