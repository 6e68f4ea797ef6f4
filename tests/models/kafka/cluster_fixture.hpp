// A cluster with a client that speaks the protocol by hand, for tests of brokers without producers and consumers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/context.hpp"
#include "models/kafka/broker/broker.hpp"
#include "models/kafka/cluster.hpp"
#include "models/network/network.hpp"
#include "models/network/node.hpp"

namespace kafka_test {

using namespace models;
using namespace models::kafka;
using namespace std::chrono_literals;

/// Remembers every record of a trace.
class Recorder : public sim::TraceSink {
 public:
  void consume(const sim::TraceBlock& block) override {
    records.insert(records.end(), block.records.begin(), block.records.end());
  }
  std::vector<sim::TraceRecord> of(Kind kind) const {
    std::vector<sim::TraceRecord> found;
    for (const sim::TraceRecord& r : records) {
      if (r.kind == static_cast<std::uint16_t>(kind)) found.push_back(r);
    }
    return found;
  }
  std::vector<sim::TraceRecord> records;
};

struct FixtureOptions {
  std::int32_t brokers = 3;
  std::int32_t controllers = 1;
  bool zookeeper = false;
  std::int32_t partitions = 1;
  std::int32_t replication_factor = 3;
  BrokerConfig config{};
  ProtocolRules rules{};
  DiskOptions disk{};
  bool power_may_fail = false;
  TopicConfig topic{};
  RemoteOptions remote{};
  std::vector<std::pair<std::string, ShareGroupConfig>> share_groups{};
};

class ClusterFixture : public NodeProgram {
 public:
  explicit ClusterFixture(const FixtureOptions& options = {})
      : network(simulation, network_options()),
        context{simulation, trace, entities, network, steps},
        cluster(context, cluster_options(options)),
        client_entity(entities.add(EntityKind::producer, "client")),
        client(simulation, network, client_entity, network.add_host("client"), "client") {
    client.set_program(*this);
    trace.add_sink(recorder);
    cluster.start();
    for (std::int32_t b = 0; b < options.brokers; ++b) {
      channels.push_back(std::make_unique<RpcChannel>(cluster, client, BrokerId{b}, RpcOptions{}));
    }
    lane = entities.add_lane(client_entity, cluster.partition(PartitionIndex{0}).entity);
    run_for(100ms);
  }

  void crashed() override {}
  void restarted() override {}

  void run_for(sim::Duration d) {
    simulation.run_until(simulation.now() + d);
    trace.flush();
  }

  struct Produced {
    bool answered = false;
    ErrorCode error = ErrorCode::none;
    Offset base_offset = kNoOffset;
    sim::Time at{};
  };

  /// Sends one batch; the result is filled in when the answer comes.
  std::shared_ptr<Produced> produce(BrokerId to, std::int32_t count, std::int16_t acks = -1,
                                    ProducerId id = kNoProducerId, std::int32_t sequence = -1,
                                    PartitionIndex p = {}) {
    Ref<ProduceCall> call = cluster.take<ProduceCall>();
    call->acks = acks;
    call->timeout = 30s;
    ProduceBatch batch;
    batch.partition = p;
    batch.lane = lane;
    batch.first_seq = next_seq;
    batch.count = count;
    batch.bytes = 100 * count;
    batch.max_timestamp = simulation.now();
    batch.producer_id = id;
    batch.producer_epoch = id == kNoProducerId ? std::int16_t{-1} : std::int16_t{0};
    batch.base_sequence = sequence;
    call->batches.push_back(batch);
    next_seq += count;
    auto result = std::make_shared<Produced>();
    produced.push_back(result);
    call->batches.back().token = static_cast<std::uint32_t>(produced.size() - 1);
    channels[static_cast<std::size_t>(to.value)]->call<&ClusterFixture::on_produced>(*this, std::move(call));
    return result;
  }

  struct Fetched {
    bool answered = false;
    ErrorCode error = ErrorCode::none;
    Offset base = 0, end = 0, high_watermark = 0;
    sim::Time at{};
  };

  /// A full fetch of one partition as a consumer.
  std::shared_ptr<Fetched> fetch(BrokerId from, Offset offset, LeaderEpoch epoch = 0,
                                 sim::Duration wait = 500ms, PartitionIndex p = {}) {
    Ref<FetchCall> call = cluster.take<FetchCall>();
    call->client = client_entity;
    call->max_wait = wait;
    FetchPartition item;
    item.partition = p;
    item.fetch_offset = offset;
    item.current_leader_epoch = epoch;
    call->partitions.push_back(item);
    fetched = std::make_shared<Fetched>();
    channels[static_cast<std::size_t>(from.value)]->call<&ClusterFixture::on_fetched>(*this, std::move(call));
    return fetched;
  }

  /// A fetch made by hand, whose answer is of no interest.
  void send(BrokerId to, Ref<FetchCall> call) {
    fetched = std::make_shared<Fetched>();
    channels[static_cast<std::size_t>(to.value)]->call<&ClusterFixture::on_fetched>(*this, std::move(call));
  }

  Broker& broker(std::int32_t b) { return cluster.broker(BrokerId{b}); }
  Replica& replica(std::int32_t b, PartitionIndex p = {}) { return *broker(b).replica(p); }
  Node& node(std::int32_t b) { return cluster.node(BrokerId{b}); }
  /// The broker that leads by its own belief and the newest epoch; -1 when none does.
  std::int32_t leader(PartitionIndex p = {}) {
    std::int32_t found = -1;
    LeaderEpoch epoch = kNoEpoch;
    for (std::int32_t b = 0; b < cluster.broker_count(); ++b) {
      const Replica* r = broker(b).replica(p);
      if (r != nullptr && r->leads && node(b).up() && r->leader_epoch > epoch) {
        found = b;
        epoch = r->leader_epoch;
      }
    }
    return found;
  }

  sim::Simulation simulation;
  sim::Trace trace;
  Entities entities;
  Steps steps;
  Network network;
  Context context;
  Cluster cluster;
  EntityId client_entity;
  Node client;
  Recorder recorder;
  LaneId lane{};
  std::int64_t next_seq = 0;
  std::vector<std::unique_ptr<RpcChannel>> channels;
  std::vector<std::shared_ptr<Produced>> produced;
  std::shared_ptr<Fetched> fetched;

 private:
  static NetworkOptions network_options() {
    NetworkOptions options;
    options.base.latency = sim::Distribution::constant(250'000);
    return options;
  }
  static ClusterOptions cluster_options(const FixtureOptions& options) {
    ClusterOptions cluster;
    cluster.brokers = options.brokers;
    cluster.controllers = options.controllers;
    cluster.zookeeper = options.zookeeper;
    cluster.config = options.config;
    cluster.rules = options.rules;
    cluster.disk = options.disk;
    cluster.remote = options.remote;
    cluster.share_groups = options.share_groups;
    cluster.power_may_fail = options.power_may_fail;
    TopicOptions topic;
    topic.name = "orders";
    topic.partitions = options.partitions;
    topic.replication_factor = options.replication_factor;
    topic.config = options.topic;
    cluster.topics.push_back(topic);
    return cluster;
  }
  void on_produced(BrokerId, Ref<ProduceCall> call) {
    Produced& result = *produced[call->batches.front().token];
    result.answered = true;
    result.error = call->error != ErrorCode::none ? call->error : call->batches.front().error;
    result.base_offset = call->batches.front().base_offset;
    result.at = simulation.now();
  }
  void on_fetched(BrokerId, Ref<FetchCall> call) {
    fetched->answered = true;
    fetched->error = call->error;
    fetched->at = simulation.now();
    for (const FetchedPartition& part : call->fetched) {
      fetched->error = part.error;
      fetched->base = part.base_offset;
      fetched->end = part.end_offset;
      fetched->high_watermark = part.high_watermark;
    }
  }
};

}  // namespace kafka_test
