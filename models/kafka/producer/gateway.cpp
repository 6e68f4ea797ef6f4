#include "models/kafka/producer/gateway.hpp"

namespace models::kafka {
namespace {

RpcOptions rpc_options(const ProducerConfig& config) {
  return {config.request_timeout, config.reconnect_backoff, config.reconnect_backoff_max,
          config.connections_max_idle};
}

/// Header, topic name and per partition an index and a length: an estimate, for bandwidth.
constexpr std::uint32_t kRequestOverhead = 60;
constexpr std::uint32_t kPartitionOverhead = 10;
constexpr std::uint32_t kPartitionAnswer = 40;

}  // namespace

ClusterGateway::ClusterGateway(Cluster& cluster, Node& node, const ProducerConfig& config, TopicIndex topic,
                               GatewayListener& listener, sim::Duration clock_ahead)
    : cluster_(cluster),
      clock_ahead_(clock_ahead),
      listener_(listener),
      topic_(topic),
      metadata_(
          cluster, node,
          {config.metadata_max_age, config.retry_backoff, config.retry_backoff_max, rpc_options(config)},
          {topic}),
      in_flight_most_(static_cast<std::size_t>(config.max_in_flight_requests_per_connection)),
      next_broker_(node.entity().value % static_cast<std::size_t>(cluster.broker_count())) {
  for (std::int32_t b = 0; b < cluster.broker_count(); ++b) {
    channels_.push_back(std::make_unique<RpcChannel>(cluster, node, BrokerId{b}, rpc_options(config)));
    channels_.back()->on_change([this, b] { changed(BrokerId{b}); });
  }
  metadata_.on_update([this] { listener_.on_metadata(); });
}

void ClusterGateway::stop() {
  for (const auto& channel : channels_) channel->abandon();
  metadata_.stop();
}

void ClusterGateway::connect(BrokerId broker) {
  if (!channel(broker).ready()) channel(broker).connect();
}

void ClusterGateway::produce(BrokerId broker, Ref<ProduceCall> call) {
  call->request_bytes = kRequestOverhead;
  call->response_bytes = kRequestOverhead;
  for (ProduceBatch& batch : call->batches) {
    batch.max_timestamp += clock_ahead_;
    call->request_bytes += static_cast<std::uint32_t>(batch.bytes) + kPartitionOverhead;
    call->response_bytes += kPartitionAnswer;
  }
  if (call->acks == 0)
    channel(broker).send_only(std::move(call));
  else
    channel(broker).call<&ClusterGateway::produced>(*this, std::move(call));
}

/// Sender.handleProduceResponse (KIP-951): a refusal may name the leader, which is asked without waiting for metadata.
void ClusterGateway::hear_leaders(const ProduceCall& call) {
  bool news = false;
  for (const ProduceBatch& batch : call.batches) {
    if (batch.current_leader.leader != kNoBroker)
      news = metadata_.hear(batch.partition, batch.current_leader) || news;
  }
  if (news) listener_.on_metadata();
}

void ClusterGateway::init_producer_id() {
  // NetworkClient.leastLoadedNode, without a draw: the next one that is not backing off.
  std::size_t choice = next_broker_;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    choice = (next_broker_ + i) % channels_.size();
    if (!channels_[choice]->backing_off()) break;
  }
  next_broker_ = choice;
  channels_[choice]->call<&ClusterGateway::producer_id_given>(*this, cluster_.take<InitProducerIdCall>());
}

void ClusterGateway::producer_id_given(BrokerId, Ref<InitProducerIdCall> call) {
  if (call->error != ErrorCode::none) next_broker_ = (next_broker_ + 1) % channels_.size();
  listener_.on_producer_id(*call);
}

void ClusterGateway::changed(BrokerId broker) {
  // A lost or refused connection is a hint that leaders have moved (NetworkClient.handleServerDisconnect).
  if (channel(broker).backing_off()) metadata_.request_update();
  listener_.on_connection_changed(broker);
}

}  // namespace models::kafka
