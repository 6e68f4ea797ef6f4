// What a transaction coordinator answers to a request to end a transaction, by what it is at.
#include <memory>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/kafka/quorum/metadata_log.hpp"
#include "models/kafka/rpc.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace std::chrono_literals;
using namespace models;
using namespace models::kafka;

namespace {

/// Three brokers that lead a partition of "orders" each. One coordinates, one is to be the client of this test.
struct Ends {
  Ends()
      : world(scenario(), 1,
              {.looks = {{sim::Time{1s}, [this](World&) { transact(); }},
                         {sim::Time{2s}, [this](World&) { begin(); }},
                         {sim::Time{3s}, [this](World&) { end(true); }},
                         {sim::Time{4s}, [this](World&) { end(false); }},
                         {sim::Time{5s}, [this](World&) { lost->restart(); }},
                         {sim::Time{20s}, [this](World&) { end(false); }},
                         {sim::Time{21s}, [](World&) {}}}}) {
    world.run();
  }

  static Scenario scenario() {
    Scenario s = orders_scenario(22s, sim::ArrivalProcess::poisson(1));
    s.kafka->brokers = 3;
    s.kafka->topics[0].partitions = 3;
    s.kafka->topics[0].replication_factor = 1;
    s.kafka->config.transaction_state_log_num_partitions = 1;
    s.kafka->config.transaction_state_log_replication_factor = 1;
    s.kafka->config.transaction_state_log_min_isr = 1;
    s.producers[0].transactions = TransactionOptions{1s, 0};
    return s;
  }
  BrokerId leader(PartitionIndex p) { return world.kafka().metadata_log().state(p).leader; }

  void transact() {
    Cluster& cluster = world.kafka();
    const BrokerId coordinator = leader(cluster.transaction_partition("mine"));
    const BrokerId client{(coordinator.value + 1) % 3};
    const BrokerId other{(coordinator.value + 2) % 3};
    lost = &cluster.node(other);
    for (std::uint32_t n = 0; n < 3; ++n) {
      const PartitionIndex p{cluster.topic(*cluster.find_topic("orders")).first.value + n};
      if (leader(p) == other) written = p;
    }
    channel = std::make_unique<RpcChannel>(cluster, cluster.node(client), coordinator, RpcOptions{});
    Ref<InitProducerIdCall> call = cluster.take<InitProducerIdCall>();
    call->transactional_id = "mine";
    call->transaction_timeout = 60s;
    channel->call<&Ends::on_id>(*this, std::move(call));
  }
  void begin() {
    Ref<AddPartitionsToTxnCall> call = world.kafka().take<AddPartitionsToTxnCall>();
    call->transactional_id = "mine";
    call->producer_id = id;
    call->producer_epoch = epoch;
    call->partitions = {written};
    channel->call<&Ends::on_added>(*this, std::move(call));
  }
  void end(bool commit) {
    if (commit) lost->crash();  // its marker cannot be written
    Ref<EndTxnCall> call = world.kafka().take<EndTxnCall>();
    call->transactional_id = "mine";
    call->producer_id = id;
    call->producer_epoch = epoch;
    call->commit = commit;
    channel->call<&Ends::on_end>(*this, std::move(call));
  }
  void on_id(BrokerId, Ref<InitProducerIdCall> call) { id = call->producer_id, epoch = call->producer_epoch; }
  void on_added(BrokerId, Ref<AddPartitionsToTxnCall> call) { errors.push_back(call->error); }
  void on_end(BrokerId, Ref<EndTxnCall> call) {
    errors.push_back(call->error);
    if (call->error == ErrorCode::none) epoch = call->producer_epoch;
  }

  World world;
  std::unique_ptr<RpcChannel> channel;
  Node* lost = nullptr;
  PartitionIndex written{};
  ProducerId id = kNoProducerId;
  std::int16_t epoch = -1;
  std::vector<ErrorCode> errors;
};

}  // namespace

// KAFKA-18464. With the epoch that the end of the first has brought: it would fence itself.
TEST_CASE("who aborts a transaction without a record while the one before is being ended is told to wait") {
  const Ends ends;
  CHECK(ends.errors ==
        std::vector{ErrorCode::none, ErrorCode::none, ErrorCode::concurrent_transactions, ErrorCode::none});
}
