// A broker's session with ZooKeeper, and with it the controller that this broker may become.
//
// It pings every third of zookeeper.session.timeout.ms, watches who is alive and who is the controller, and tries to be it
// whenever nobody is (KafkaController.elect). Elected, it reads the state of all partitions, which takes a time for each
// (ClusterOptions::zookeeper_load_per_partition), and is active from then on: what it writes goes to ZooKeeper, and what is
// written it sends to each broker, one request after the other (ControllerChannelManager: LeaderAndIsr and UpdateMetadata),
// with its epoch: who has heard of a newer one refuses it. It hears that it is the controller no longer from its watch, or
// from ZooKeeper, or from such a refusal; a process that stood still meanwhile goes on for so long.
//
// Model: LeaderAndIsr and UpdateMetadata are one request, about all that the broker has not been told.
// Model: changes that leaders write themselves (before KIP-497) are told to others by the controller after their notification
// (IsrChangeNotificationConfig: 2.5 s, 5 s, 60 s), or with the next change of any other kind.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/kafka/quorum/metadata_log.hpp"
#include "models/kafka/quorum/metadata_writer.hpp"
#include "models/kafka/rpc.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class Controller;

class ZooKeeperSession final : public MetadataWriter, public MetadataKeeper {
 public:
  /// `registered` runs when a session begins, with its number; `ended` when the broker has closed it.
  ZooKeeperSession(Cluster& cluster, BrokerId broker, Node& node, Controller& controller,
                   std::function<void(std::int64_t)> registered);

  /// At time 0; the first broker is the controller.
  void start();
  void crashed();
  void restarted();
  void close(std::function<void()> closed);

  /// A leader writes its in-sync set; `done` runs with the outcome.
  void set_in_sync(PartitionIndex p, const std::vector<BrokerId>& isr, std::function<void(ErrorCode)> done);

  // MetadataWriter
  void append(const MetadataChange& change) override;
  std::size_t end() const override { return written_; }
  std::size_t done() const override { return done_; }
  bool claimed() const override { return claimed_; }
  std::int32_t epoch() const override { return controller_epoch_; }
  /// A write that may have to be sent again, or what a controller goes by that does not know that it is one no more.
  bool uses(const MetadataChange& change) const override;

 private:
  struct Told {
    std::unique_ptr<RpcChannel> channel;
    std::int64_t session = -1;  ///< as alive; -1: not
    std::size_t to = 0;
    bool in_flight = false;
  };
  Ref<ZooKeeperCall> ask(ZooKeeperOp op);
  void create();
  void on_created(BrokerId, Ref<ZooKeeperCall> call);
  void ping();
  void on_pinged(BrokerId, Ref<ZooKeeperCall> call);
  void watch();
  void on_watched(BrokerId, Ref<ZooKeeperCall> call);
  void elect();
  void on_elected(BrokerId, Ref<ZooKeeperCall> call);
  void load();
  void claim();
  void renounce();
  void expired();
  void note_alive(const ZooKeeperCall& call);
  void flush();
  void on_written(BrokerId, Ref<ZooKeeperCall> call);
  void on_set(BrokerId, Ref<ZooKeeperCall> call);
  void maybe_propagate();
  void on_propagated(BrokerId, Ref<ZooKeeperCall>) {}
  void on_closed(BrokerId, Ref<ZooKeeperCall> call);
  void push();
  void send(std::size_t b);
  void on_told(BrokerId to, Ref<UpdateMetadataCall> call);

  Cluster& cluster_;
  BrokerId broker_;
  Node& node_;
  Controller& controller_;
  std::function<void(std::int64_t)> registered_;
  std::function<void()> closed_;
  RpcChannel requests_;
  RpcChannel watches_;
  std::int64_t session_ = -1;
  std::uint64_t version_ = 0;
  bool electing_ = false;
  bool claimed_ = false;
  std::int32_t controller_epoch_ = 0;
  std::size_t written_ = 0;  // in this office
  std::size_t done_ = 0;
  bool writing_ = false;
  std::vector<const MetadataChange*> unwritten_;  // from number done_ on
  std::vector<Told> told_;                        // by broker
  struct InSync {
    const MetadataChange* change;
    std::function<void(ErrorCode)> done;
  };
  std::vector<InSync> sets_;
  bool unpropagated_ = false;
  sim::Time last_set_{};
  sim::Time last_propagation_{};

  NodeTimer<std::function<void()>> ping_timer_;
  NodeTimer<std::function<void()>> retry_timer_;  // of sessions and watches
  NodeTimer<std::function<void()>> load_timer_;
  NodeTimer<std::function<void()>> push_timer_;
  NodeTimer<std::function<void()>> propagate_timer_;
};

}  // namespace models::kafka
