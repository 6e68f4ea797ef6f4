#include "models/kafka/share/share_coordinator.hpp"

#include <algorithm>
#include <utility>

namespace models::kafka {
namespace {

/// A token names its partition, so that appended() finds the shard.
constexpr unsigned kPartitionBits = 24;
constexpr std::uint64_t kPartitionMask = (std::uint64_t{1} << kPartitionBits) - 1;

constexpr std::int32_t kRecordBytes = 80;
constexpr std::int32_t kBatchBytes = 20;

/// CoordinatorOperationExceptionHelper
ErrorCode response_error(ErrorCode error) {
  if (error == ErrorCode::none) return error;
  return error == ErrorCode::not_leader_or_follower ? ErrorCode::not_coordinator
                                                    : ErrorCode::coordinator_not_available;
}

}  // namespace

void ShareCoordinator::elected(PartitionIndex partition, LeaderEpoch epoch, Offset log_end) {
  cluster_.share_state_store().elected(partition, epoch, log_end);
  const auto [at, is_new] = shards_.try_emplace(partition);
  at->second.epoch = epoch;
  if (is_new) at->second.states = cluster_.share_state_store().load(partition);
}

void ShareCoordinator::resigned(PartitionIndex partition) {
  const auto found = shards_.find(partition);
  if (found == shards_.end()) return;
  auto shard = shards_.extract(found);
  for (Waiting& one : shard.mapped().waiting) reply(std::move(one.call), ErrorCode::not_coordinator);
}

void ShareCoordinator::receive(Ref<ShareGroupStateCall> call) {
  const ShareKey key{call->group, call->partition};
  const PartitionIndex kept_in = cluster_.share_state_partition(key.group, key.partition);
  const auto found = shards_.find(kept_in);
  if (found == shards_.end()) return reply(std::move(call), ErrorCode::not_coordinator);
  Shard& shard = found->second;
  ShareGroupState& state = shard.states[key];
  if (call->state.leader_epoch < state.leader_epoch)
    return reply(std::move(call), ErrorCode::fenced_leader_epoch);
  if (!call->write && call->state.leader_epoch == state.leader_epoch) {
    call->state = state;
    return reply(std::move(call), ErrorCode::none);
  }
  write(kept_in, shard, key, std::move(call));
}

/// What a leader has to say. From a newer leader that only reads, it is its epoch: no older one can write from now on, at
/// whatever coordinator (ShareCoordinatorShard.maybeUpdateLeaderEpochAndRead).
void ShareCoordinator::write(PartitionIndex kept_in, Shard& shard, const ShareKey& key,
                             Ref<ShareGroupStateCall> call) {
  ShareGroupState& state = shard.states[key];
  if (!call->write) {
    call->state.start_offset = state.start_offset;
    call->state.batches.clear();  // of an answer that did not come
  }
  const std::uint64_t token = kTokenBit | next_write_++ << kPartitionBits | kept_in.value;
  const auto bytes = kRecordBytes + kBatchBytes * static_cast<std::int32_t>(call->state.batches.size());
  const Offset end = host_.append(kept_in, 1, bytes, token);
  if (end == kNoOffset) return reply(std::move(call), ErrorCode::coordinator_not_available);
  cluster_.share_state_store().append(kept_in, shard.epoch, end, key, call->state);
  merge(state, call->state);
  if (!call->write) call->state = state;
  shard.waiting.push_back({token, end, std::move(call)});
}

void ShareCoordinator::appended(std::uint64_t token, ErrorCode error) {
  const PartitionIndex partition{static_cast<std::uint32_t>(token & kPartitionMask)};
  const auto found = shards_.find(partition);
  if (found == shards_.end()) return;
  std::deque<Waiting>& waiting = found->second.waiting;
  const auto at = std::find_if(waiting.begin(), waiting.end(),
                               [token](const Waiting& one) { return one.token == token; });
  if (at == waiting.end()) return;
  Waiting done = std::move(*at);
  waiting.erase(at);
  if (error == ErrorCode::none)
    cluster_.share_state_store().replicated(partition, found->second.epoch, done.end);
  reply(std::move(done.call), response_error(error));
}

/// CoordinatorRuntime.failCurrentBatch
void ShareCoordinator::refused(PartitionIndex partition, std::uint64_t first, Offset log_end) {
  const auto found = shards_.find(partition);
  if (found == shards_.end()) return;
  Shard& shard = found->second;
  ShareStateStore& store = cluster_.share_state_store();
  store.elected(partition, shard.epoch, log_end);  // what lies beyond never happened
  shard.states = store.load(partition);
  const auto from = std::find_if(shard.waiting.begin(), shard.waiting.end(),
                                 [first](const Waiting& one) { return one.token == first; });
  std::vector<Waiting> gone(std::make_move_iterator(from), std::make_move_iterator(shard.waiting.end()));
  shard.waiting.erase(from, shard.waiting.end());
  for (Waiting& one : gone) reply(std::move(one.call), response_error(ErrorCode::not_enough_replicas));
}

const ShareGroupState* ShareCoordinator::state(const ShareKey& key) const {
  const auto shard = shards_.find(cluster_.share_state_partition(key.group, key.partition));
  if (shard == shards_.end()) return nullptr;
  const auto found = shard->second.states.find(key);
  return found == shard->second.states.end() ? nullptr : &found->second;
}

void ShareCoordinator::reply(Ref<ShareGroupStateCall> call, ErrorCode error) {
  call->error = error;
  host_.answer(AnyCall(std::move(call)));
}

}  // namespace models::kafka
