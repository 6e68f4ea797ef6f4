#include "models/kafka/mirror/mirror_task.hpp"

#include <algorithm>

#include "models/kafka/broker/replica.hpp"

namespace models::kafka {
namespace {

// The producer's defaults: max.request.size, request.timeout.ms, retry.backoff.ms.
constexpr std::int64_t kMostBytes = 1'048'576;
constexpr sim::Duration kRequestTimeout = std::chrono::seconds{30};
constexpr sim::Duration kRetryBackoff = std::chrono::milliseconds{100};
/// An estimate, as of other producers (ClusterGateway).
constexpr std::uint32_t kOverhead = 60;
constexpr std::uint32_t kPartitionOverhead = 10;
constexpr std::uint32_t kPartitionAnswer = 40;

/// Not RetriableException: the task fails.
bool fatal(ErrorCode error) {
  return error == ErrorCode::message_too_large || error == ErrorCode::invalid_producer_epoch;
}

}  // namespace

MirrorTask::MirrorTask(Mirror& mirror, Node& node, OutletOwner& owner,
                       std::unique_ptr<Checkpoints> checkpoints)
    : mirror_(mirror),
      target_(mirror.to()),
      owner_(owner),
      metadata_(target_, node, {}, mirror.remote_topics()),
      retry_timer_(target_.context().simulation, node, [this] { send(); }),
      checkpoints_(std::move(checkpoints)) {
  for (std::int32_t b = 0; b < target_.broker_count(); ++b) {
    brokers_.emplace_back().channel = std::make_unique<RpcChannel>(target_, node, BrokerId{b}, RpcOptions{});
  }
  metadata_.on_update([this] { send(); });
}

void MirrorTask::start() {
  metadata_.start();
  for (const PartitionIndex p : mirror_.partitions()) mirror_.syncs(p).task_started();
  if (checkpoints_) checkpoints_->start();
}

void MirrorTask::crashed() {
  working_ = false;
  waiting_.clear();
  sent_ = 0;
  for (Destination& broker : brokers_) {
    broker.in_flight.clear();
    broker.channel->abandon();
  }
  retry_timer_.disarm();
  metadata_.stop();
  if (checkpoints_) checkpoints_->stop();
}

void MirrorTask::take(const Work& work, const GroupMembership&) {
  working_ = true;
  for (const Work::Range& range : work.ranges())
    make_copies(range.partition, range.from, range.to, range.epoch);
  send();
  finish_if_done();
}

void MirrorTask::make_copies(PartitionIndex source, Offset from, Offset to, LeaderEpoch epoch) {
  const Branch& branch = mirror_.from().shared(source).store.branch(epoch);
  for (Offset at = from; at < to;) {
    const Extent& extent = branch[branch.find(at)];
    const Offset end = std::min(to, extent.end());
    Copy copy{source, at, {}};
    copy.batch.partition = mirror_.copy_of(source);
    copy.batch.lane = extent.lane;
    copy.batch.first_seq = extent.first_seq + (at - extent.base);
    copy.batch.count = static_cast<std::int32_t>(end - at);
    copy.batch.bytes = static_cast<std::int32_t>(std::int64_t{extent.bytes} * (end - at) / extent.count);
    copy.batch.max_timestamp = extent.max_timestamp;
    waiting_.push_back(copy);
    at = end;
  }
}

bool MirrorTask::on_the_way(PartitionIndex target) const {
  return std::any_of(brokers_.begin(), brokers_.end(), [target](const Destination& broker) {
    return std::any_of(broker.in_flight.begin(), broker.in_flight.end(),
                       [target](const Copy& copy) { return copy.batch.partition == target; });
  });
}

void MirrorTask::send() {
  if (waiting_.empty()) return;
  for (std::int32_t b = 0; b < target_.broker_count(); ++b) send_to(BrokerId{b});
  const auto leaderless = [this](const Copy& copy) {
    return metadata_.leader(copy.batch.partition).leader == kNoBroker;
  };
  if (std::any_of(waiting_.begin(), waiting_.end(), leaderless)) metadata_.request_update();
}

bool MirrorTask::send_to(BrokerId id) {
  Destination& broker = brokers_[static_cast<std::size_t>(id.value)];
  if (!broker.in_flight.empty()) return false;
  std::vector<Copy> chosen;
  std::int64_t bytes = 0;
  for (const Copy& copy : waiting_) {
    const PartitionIndex target = copy.batch.partition;
    if (metadata_.leader(target).leader != id || on_the_way(target)) continue;
    if (!chosen.empty() && bytes + copy.batch.bytes > kMostBytes) break;
    bytes += copy.batch.bytes;
    chosen.push_back(copy);
  }
  if (chosen.empty()) return false;
  std::erase_if(waiting_, [&chosen](const Copy& copy) {
    return std::any_of(chosen.begin(), chosen.end(), [&copy](const Copy& other) {
      return other.source == copy.source && other.upstream == copy.upstream;
    });
  });
  Ref<ProduceCall> call = target_.take<ProduceCall>();
  call->acks = -1;
  call->timeout = kRequestTimeout;
  call->request_bytes = kOverhead;
  call->response_bytes = kOverhead;
  for (const Copy& copy : chosen) {
    call->batches.push_back(copy.batch);
    call->request_bytes += static_cast<std::uint32_t>(copy.batch.bytes) + kPartitionOverhead;
    call->response_bytes += kPartitionAnswer;
  }
  sent_ += chosen.size();
  broker.in_flight = std::move(chosen);
  broker.channel->call<&MirrorTask::on_produced>(*this, std::move(call));
  return true;
}

void MirrorTask::on_produced(BrokerId from, Ref<ProduceCall> call) {
  std::vector<Copy> sent = std::move(brokers_[static_cast<std::size_t>(from.value)].in_flight);
  brokers_[static_cast<std::size_t>(from.value)].in_flight.clear();
  sent_ -= sent.size();
  bool failed = false;
  // Backwards, so that what is to be sent again stays in order before the rest.
  for (std::size_t i = sent.size(); i-- > 0;) {
    const ErrorCode error = call->error != ErrorCode::none ? call->error : call->batches[i].error;
    if (error == ErrorCode::none) continue;
    if (fatal(error)) {
      crashed();
      return owner_.transformed(TransformOutcome::fatal);
    }
    failed = true;
    waiting_.push_front(sent[i]);
  }
  for (std::size_t i = 0; i < sent.size(); ++i) {
    if (call->error != ErrorCode::none || call->batches[i].error != ErrorCode::none) continue;
    mirror_.syncs(sent[i].source)
        .copied(sent[i].upstream, call->batches[i].base_offset, sent[i].batch.count,
                mirror_.options().config.offset_lag_max);
  }
  if (failed)
    retry_later();
  else
    send();
  finish_if_done();
}

void MirrorTask::retry_later() {
  metadata_.request_update();
  if (!retry_timer_.armed()) retry_timer_.arm_after(kRetryBackoff);
}

void MirrorTask::finish_if_done() {
  if (!working_ || !waiting_.empty() || sent_ > 0) return;
  working_ = false;
  owner_.transformed(TransformOutcome::done);
}

}  // namespace models::kafka
