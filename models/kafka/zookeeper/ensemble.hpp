// ZooKeeper, as Kafka used it before 4.0: it keeps the brokers' sessions, says which of them is the controller, and holds the
// state of the partitions.
//
// Rules: KafkaZkClient.scala, KafkaController.scala, ZooKeeper's session tracker. A session lasts zookeeper.session.timeout.ms
// from the last request that arrived; when it ends its ephemeral nodes go: /brokers/ids/N, and /controller where that broker
// is the controller. Brokers hear of it by their watches, and the first to create /controller anew is the next one, in a new
// epoch. A state is written by whom holds the newest epoch (KAFKA-6082), and on top of the version that its writer has read.
//
// Model: the ensemble is one host, "zookeeper", that loses nothing; back again it gives every session its full time. A watch and
// the reading that follows it are one request, which waits until there is something new.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/kafka/quorum/metadata_log.hpp"
#include "models/kafka/rpc.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class ZooKeeper final : public RpcServer, public NodeProgram {
 public:
  ZooKeeper(Cluster& cluster, Node& node, MetadataLog& log);

  /// At time 0 every broker has a session, and the first is the controller.
  void start();
  void receive(AnyCall call) override;

  // NodeProgram
  void crashed() override;
  void restarted() override;

  BrokerId controller() const { return controller_; }
  std::int32_t controller_epoch() const { return controller_epoch_; }
  bool alive(BrokerId b) const { return session(b).id != kNoSession; }

 private:
  struct Session {
    std::int64_t id = kNoSession;
    std::uint32_t incarnation = 0;
    std::unique_ptr<NodeTimer<std::function<void()>>> expiry;
  };
  const Session& session(BrokerId b) const { return sessions_[static_cast<std::size_t>(b.value)]; }
  Session& session(BrokerId b) { return sessions_[static_cast<std::size_t>(b.value)]; }

  void dispatch(AnyCall call);
  void answer(Ref<ZooKeeperCall> call);
  void create(ZooKeeperCall& call);
  void elect(ZooKeeperCall& call);
  void write(ZooKeeperCall& call);
  void set_in_sync(ZooKeeperCall& call);
  void tell(ZooKeeperCall& call) const;
  void end_session(BrokerId b);
  void changed();

  Cluster& cluster_;
  Node& node_;
  MetadataLog& log_;
  std::vector<Session> sessions_;  // by broker
  BrokerId controller_ = kNoBroker;
  std::int32_t controller_epoch_ = 0;
  std::int64_t next_session_ = 1;
  std::uint64_t version_ = 1;  // of what watches are about
  bool waking_ = false;
  std::vector<Ref<ZooKeeperCall>> watches_;
  std::size_t applied_ = 0;  // of what this controller has written, so that nothing is applied twice
};

}  // namespace models::kafka
