#include "models/kafka/group/coordinator_threads.hpp"

#include <utility>

namespace models::kafka {

const std::string* coordinated_group(const AnyCall& call) {
  if (const auto* c = call.get_if<JoinGroupCall>()) return &c->group;
  if (const auto* c = call.get_if<SyncGroupCall>()) return &c->group;
  if (const auto* c = call.get_if<HeartbeatCall>()) return &c->group;
  if (const auto* c = call.get_if<LeaveGroupCall>()) return &c->group;
  if (const auto* c = call.get_if<ConsumerGroupHeartbeatCall>()) return &c->group;
  if (const auto* c = call.get_if<OffsetCommitCall>()) return &c->group;
  if (const auto* c = call.get_if<OffsetFetchCall>()) return &c->group;
  if (const auto* c = call.get_if<TxnOffsetCommitCall>()) return &c->group;
  return nullptr;
}

CoordinatorThreads::CoordinatorThreads(CoordinatorHost& host, const sim::Distribution& time,
                                       sim::Stream times, sim::Stream order,
                                       std::function<void(AnyCall)> work)
    : host_(host), time_(time), times_(times), order_(order), work_(std::move(work)) {}

void CoordinatorThreads::add(AnyCall call) {
  const std::size_t p = host_.offsets_partition(*coordinated_group(call)).value;
  while (queues_.size() <= p) queues_.emplace_back();
  Queue& queue = queues_[p];
  if (queue.calls.empty() && !queue.in_flight) available_.push_back(p);
  queue.calls.push(std::move(call));
  take_up();
}

void CoordinatorThreads::take_up() {
  while (busy_ < static_cast<std::size_t>(host_.config().group_coordinator_threads) && !available_.empty()) {
    // EventAccumulator.randomKey
    std::size_t& one = available_[order_.uniform_int(available_.size())];
    const std::size_t p = std::exchange(one, available_.back());
    available_.pop_back();
    begin(p);
  }
}

void CoordinatorThreads::begin(std::size_t p) {
  ++busy_;
  queues_[p].in_flight = true;
  const sim::Duration time = host_.node().stretched(time_.sample_duration(times_));
  host_.context().simulation.schedule_after(
      time, [this, p, life = host_.node().incarnation(), call = queues_[p].calls.pop()]() mutable {
        if (life != host_.node().incarnation()) return;
        if (!host_.node().paused()) return finish(p, std::move(call));
        host_.node().run_or_hold([this, p, held = std::move(call)]() mutable { finish(p, std::move(held)); });
      });
}

void CoordinatorThreads::finish(std::size_t p, AnyCall call) {
  work_(std::move(call));
  if (!host_.node().up()) return;  // died of what it did: crashed() has run
  --busy_;
  queues_[p].in_flight = false;
  if (!queues_[p].calls.empty()) available_.push_back(p);
  take_up();
}

void CoordinatorThreads::crashed() {
  for (Queue& queue : queues_) {
    while (!queue.calls.empty()) queue.calls.pop();
    queue.in_flight = false;
  }
  available_.clear();
  busy_ = 0;
}

}  // namespace models::kafka
