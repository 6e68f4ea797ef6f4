#include "models/kafka/share/share_persister.hpp"

#include <algorithm>
#include <utility>

#include "models/kafka/backoff.hpp"

namespace models::kafka {
namespace {

// PersisterStateManager: REQUEST_BACKOFF_MS, REQUEST_BACKOFF_MAX_MS, MAX_FIND_COORD_ATTEMPTS
constexpr sim::Duration kBackoff{1'000'000'000};
constexpr sim::Duration kBackoffMax{30'000'000'000};
constexpr std::uint32_t kAttempts = 5;

bool again(ErrorCode error) {
  return error == ErrorCode::disconnected || error == ErrorCode::not_coordinator ||
         error == ErrorCode::coordinator_not_available || error == ErrorCode::coordinator_load_in_progress;
}

}  // namespace

SharePersister::SharePersister(Cluster& cluster, Node& node, std::function<BrokerId(PartitionIndex)> leader,
                               Done done)
    : cluster_(cluster),
      node_(node),
      leader_(std::move(leader)),
      done_(std::move(done)),
      channels_(static_cast<std::size_t>(cluster.broker_count())),
      jitter_(cluster.context().simulation.seed(), "kafka/share-persister/" + node.name()),
      retry_timer_(cluster.context().simulation, node, [this] { retry(); }) {}

void SharePersister::crashed() {
  requests_.clear();
  retry_timer_.disarm();
  for (const auto& channel : channels_) {
    if (channel) channel->abandon();
  }
}

void SharePersister::read(const ShareKey& key, LeaderEpoch epoch, std::uint64_t token) {
  Ref<ShareGroupStateCall> call = cluster_.take<ShareGroupStateCall>();
  call->group = key.group;
  call->partition = key.partition;
  call->state.leader_epoch = epoch;
  call->token = token;
  add(std::move(call));
}

void SharePersister::write(const ShareKey& key, LeaderEpoch epoch, Offset start_offset,
                           std::span<const ShareStateBatch> changes, std::uint64_t token) {
  Ref<ShareGroupStateCall> call = cluster_.take<ShareGroupStateCall>();
  call->group = key.group;
  call->partition = key.partition;
  call->write = true;
  call->state.leader_epoch = epoch;
  call->state.start_offset = start_offset;
  call->state.batches.assign(changes.begin(), changes.end());
  call->token = token;
  add(std::move(call));
}

void SharePersister::add(Ref<ShareGroupStateCall> call) {
  requests_.push_back({std::move(call)});
  send(requests_.back());
}

void SharePersister::send(Request& request) {
  const BrokerId coordinator =
      leader_(cluster_.share_state_partition(request.call->group, request.call->partition));
  if (coordinator == kNoBroker) return failed(request, ErrorCode::coordinator_not_available);
  auto& channel = channels_[static_cast<std::size_t>(coordinator.value)];
  if (!channel) {
    channel = std::make_unique<RpcChannel>(cluster_, node_, coordinator,
                                           RpcOptions{.request_timeout = std::chrono::seconds{30}});
  }
  request.retry_at = sim::kNever;
  request.call->error = ErrorCode::none;
  request.call->request_bytes = static_cast<std::uint32_t>(100 + 20 * request.call->state.batches.size());
  channel->call<&SharePersister::on_answer>(*this, request.call);
}

void SharePersister::on_answer(BrokerId, Ref<ShareGroupStateCall> call) {
  const auto asked = std::find_if(requests_.begin(), requests_.end(),
                                  [&call](const Request& one) { return one.call.get() == call.get(); });
  if (asked == requests_.end()) return;
  if (call->error != ErrorCode::none) return failed(*asked, call->error);
  requests_.erase(asked);
  done_(std::move(call));
}

void SharePersister::failed(Request& request, ErrorCode error) {
  if (again(error) && ++request.failures < kAttempts) {
    request.retry_at = cluster_.context().simulation.after(
        exponential_backoff(kBackoff, kBackoffMax, request.failures - 1, jitter_));
    return arm();
  }
  Ref<ShareGroupStateCall> call = std::move(request.call);
  call->error = error;
  requests_.erase(requests_.begin() + (&request - requests_.data()));
  done_(std::move(call));
}

void SharePersister::retry() {
  const sim::Time now = cluster_.context().now();
  for (std::size_t i = 0; i < requests_.size();) {
    if (requests_[i].retry_at > now) {
      ++i;
      continue;
    }
    // Sent as a call of its own: the one before is still named by the connection that brought its answer.
    Ref<ShareGroupStateCall> next = cluster_.take<ShareGroupStateCall>();
    const ShareGroupStateCall& old = *requests_[i].call;
    next->group = old.group;
    next->partition = old.partition;
    next->write = old.write;
    next->state = old.state;
    next->token = old.token;
    requests_[i].call = std::move(next);
    const std::size_t before = requests_.size();
    send(requests_[i]);
    if (!node_.up()) return;
    if (requests_.size() == before) ++i;
  }
  arm();
}

void SharePersister::arm() {
  sim::Time next = sim::kNever;
  for (const Request& request : requests_) next = std::min(next, request.retry_at);
  if (next != sim::kNever) retry_timer_.arm_at(std::max(next, cluster_.context().now()));
}

}  // namespace models::kafka
