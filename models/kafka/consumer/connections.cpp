#include "models/kafka/consumer/connections.hpp"

namespace models::kafka {

RpcOptions rpc_options_of(const ConsumerConfig& config) {
  return {config.request_timeout, config.reconnect_backoff, config.reconnect_backoff_max,
          config.connections_max_idle};
}

MetadataOptions metadata_options_of(const ConsumerConfig& config) {
  return {config.metadata_max_age, config.retry_backoff, config.retry_backoff_max, rpc_options_of(config)};
}

Connections::Connections(Cluster& cluster, Node& node, const ConsumerConfig& config)
    : cluster_(cluster),
      node_(node),
      options_(rpc_options_of(config)),
      data_(static_cast<std::size_t>(cluster.broker_count())),
      group_(static_cast<std::size_t>(cluster.broker_count())) {}

RpcChannel& Connections::data(BrokerId broker) {
  std::unique_ptr<RpcChannel>& channel = data_[static_cast<std::size_t>(broker.value)];
  if (!channel) channel = std::make_unique<RpcChannel>(cluster_, node_, broker, options_);
  return *channel;
}

RpcChannel& Connections::group(BrokerId broker) {
  std::unique_ptr<RpcChannel>& channel = group_[static_cast<std::size_t>(broker.value)];
  if (!channel) {
    channel = std::make_unique<RpcChannel>(cluster_, node_, broker, options_);
    channel->on_change([this, broker] {
      if (changed_) changed_(broker);
    });
  }
  return *channel;
}

RpcChannel& Connections::least_loaded() {
  const std::int32_t brokers = cluster_.broker_count();
  // Members begin with different brokers, without a draw.
  const auto first = static_cast<std::int32_t>(node_.entity().value % static_cast<std::uint32_t>(brokers));
  RpcChannel* best = nullptr;
  const auto rank = [](const RpcChannel& channel) {
    if (channel.ready()) return channel.in_flight();
    return channel.backing_off() ? std::size_t{2'000'000} : std::size_t{1'000'000};
  };
  for (std::int32_t i = 0; i < brokers; ++i) {
    RpcChannel& channel = data(BrokerId{(first + i) % brokers});
    if (best == nullptr || rank(channel) < rank(*best)) best = &channel;
  }
  return *best;
}

void Connections::abandon() {
  for (const Channels* channels : {&data_, &group_}) {
    for (const auto& channel : *channels) {
      if (channel) channel->abandon();
    }
  }
}

}  // namespace models::kafka
