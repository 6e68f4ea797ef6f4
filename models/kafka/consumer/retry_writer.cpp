#include "models/kafka/consumer/retry_writer.hpp"

#include <utility>

#include "models/kafka/broker/replica.hpp"
#include "models/kafka/consumer/effect_site.hpp"

namespace models::kafka {
namespace {

// The producer's defaults: request.timeout.ms, retry.backoff.ms.
constexpr sim::Duration kRequestTimeout = std::chrono::seconds{30};
constexpr sim::Duration kRetryBackoff = std::chrono::milliseconds{100};
/// An estimate, as of other producers (ClusterGateway).
constexpr std::uint32_t kOverhead = 70;
constexpr std::uint32_t kAnswer = 100;

}  // namespace

RetryWriter::RetryWriter(Cluster& cluster, Node& node, TopicIndex to, std::function<void()> written)
    : cluster_(cluster),
      to_(to),
      written_(std::move(written)),
      metadata_(cluster, node, {}, {to}),
      retry_timer_(cluster.context().simulation, node, [this] { send(); }) {
  for (std::int32_t b = 0; b < cluster.broker_count(); ++b)
    channels_.push_back(std::make_unique<RpcChannel>(cluster, node, BrokerId{b}, RpcOptions{}));
  metadata_.on_update([this] { send(); });
}

void RetryWriter::start() {
  if (!std::exchange(started_, true)) metadata_.start();
}

void RetryWriter::crashed() {
  started_ = false;
  busy_ = in_flight_ = false;
  retry_timer_.disarm();
  for (const auto& channel : channels_) channel->abandon();
  metadata_.stop();
}

void RetryWriter::put(PartitionIndex from, LeaderEpoch epoch, Offset offset) {
  const MessageRun message = messages_at(cluster_, from, epoch, offset);
  const Branch& branch = cluster_.shared(from).store.branch(epoch);
  const Extent& extent = branch[branch.find(offset)];
  batch_ = {};
  batch_.partition = PartitionIndex{cluster_.topic(to_).first.value +
                                    static_cast<std::uint32_t>(cluster_.partition(from).number)};
  batch_.lane = message.lane;
  batch_.first_seq = message.first_seq;
  batch_.count = 1;
  batch_.bytes = extent.bytes / extent.count;
  batch_.max_timestamp = cluster_.context().now();
  busy_ = true;
  send();
}

void RetryWriter::send() {
  if (!busy_ || in_flight_) return;
  const BrokerId leader = metadata_.leader(batch_.partition).leader;
  if (leader == kNoBroker) return metadata_.request_update();
  Ref<ProduceCall> call = cluster_.take<ProduceCall>();
  call->acks = -1;
  call->timeout = kRequestTimeout;
  call->request_bytes = kOverhead + static_cast<std::uint32_t>(batch_.bytes);
  call->response_bytes = kAnswer;
  call->batches.push_back(batch_);
  in_flight_ = true;
  channels_[static_cast<std::size_t>(leader.value)]->call<&RetryWriter::on_produced>(*this, std::move(call));
}

void RetryWriter::on_produced(BrokerId, Ref<ProduceCall> call) {
  in_flight_ = false;
  const ErrorCode error = call->error != ErrorCode::none ? call->error : call->batches.front().error;
  if (error == ErrorCode::none) {
    busy_ = false;
    return written_();
  }
  metadata_.request_update();
  if (!retry_timer_.armed()) retry_timer_.arm_after(kRetryBackoff);
}

}  // namespace models::kafka
