// The producer's way to the cluster: connections, client metadata and its producer id, as seen from the
// sender (NetworkClient.java). A test puts a scripted cluster in its place.
#pragma once

#include <memory>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/kafka/metadata.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

/// What comes back. Nothing comes back after ProducerGateway::stop().
class GatewayListener {
 public:
  virtual ~GatewayListener() = default;
  /// A produce request was answered, or its connection was lost (call.error).
  virtual void on_produced(ProduceCall& call) = 0;
  /// call.error says whether there is one.
  virtual void on_producer_id(InitProducerIdCall& call) = 0;
  virtual void on_connection_changed(BrokerId broker) = 0;
  virtual void on_metadata() = 0;
};

class ProducerGateway {
 public:
  virtual ~ProducerGateway() = default;
  /// Asks for the first metadata.
  virtual void start() = 0;
  /// The process died or closed: nothing comes back any more.
  virtual void stop() = 0;

  virtual std::int32_t broker_count() const = 0;
  /// Connected, and fewer than max.in.flight.requests.per.connection requests under way.
  virtual bool ready(BrokerId broker) const = 0;
  /// Connects, after the back-off where there is one. No effect when connected or connecting.
  virtual void connect(BrokerId broker) = 0;
  /// Requires ready(broker). With acks=0 nothing comes back.
  virtual void produce(BrokerId broker, Ref<ProduceCall> call) = 0;
  /// Asks some broker for a producer id.
  virtual void init_producer_id() = 0;

  virtual bool metadata_known() const = 0;
  virtual PartitionLeader leader(PartitionIndex partition) const = 0;
  /// How many partitions the topic is known to have; 0: all that the producer was made with.
  virtual std::uint32_t partitions() const { return 0; }
  /// The last metadata did not name it.
  virtual bool topic_missing() const { return false; }
  virtual void request_metadata() = 0;

  /// A cleared call.
  virtual Ref<ProduceCall> take_call() = 0;
};

/// The real one.
class ClusterGateway final : public ProducerGateway {
 public:
  ClusterGateway(Cluster& cluster, Node& node, const ProducerConfig& config, TopicIndex topic,
                 GatewayListener& listener, sim::Duration clock_ahead = {});

  void start() override { metadata_.start(); }
  void stop() override;
  std::int32_t broker_count() const override { return cluster_.broker_count(); }
  bool ready(BrokerId broker) const override {
    const RpcChannel& channel = *channels_[static_cast<std::size_t>(broker.value)];
    return channel.ready() && channel.in_flight() < in_flight_most_;
  }
  void connect(BrokerId broker) override;
  void produce(BrokerId broker, Ref<ProduceCall> call) override;
  void init_producer_id() override;
  bool metadata_known() const override {
    // Of a topic that nobody has created yet there is nothing to know (KafkaProducer.waitOnMetadata).
    return metadata_.known() && (metadata_.partitions(topic_) > 0 || cluster_.topic(topic_).partitions > 0);
  }
  bool topic_missing() const override { return metadata_.found_nothing(); }
  PartitionLeader leader(PartitionIndex partition) const override { return metadata_.leader(partition); }
  std::uint32_t partitions() const override {
    return static_cast<std::uint32_t>(metadata_.partitions(topic_));
  }
  void request_metadata() override { metadata_.request_update(); }
  Ref<ProduceCall> take_call() override { return cluster_.take<ProduceCall>(); }

 private:
  RpcChannel& channel(BrokerId broker) { return *channels_[static_cast<std::size_t>(broker.value)]; }
  void hear_leaders(const ProduceCall& call);
  void produced(BrokerId from, Ref<ProduceCall> call) {
    static_cast<void>(from);
    hear_leaders(*call);
    listener_.on_produced(*call);
  }
  void producer_id_given(BrokerId from, Ref<InitProducerIdCall> call);
  void changed(BrokerId broker);

  Cluster& cluster_;
  sim::Duration clock_ahead_;
  GatewayListener& listener_;
  TopicIndex topic_;
  Metadata metadata_;
  std::vector<std::unique_ptr<RpcChannel>> channels_;
  std::size_t in_flight_most_;
  std::size_t next_broker_;  ///< asked next for a producer id
};

}  // namespace models::kafka
