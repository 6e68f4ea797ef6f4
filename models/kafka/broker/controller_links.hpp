// A broker's connections to the controllers: to the one that is active, as far as it knows, and to the one whose metadata log it
// follows.
//
// An observer learns from the answers to its fetches who leads the quorum, and asks any voter when it does not know or its leader
// does not answer (KafkaRaftClient.pollFollowerAsObserver); requests go to whom its fetches name
// (NodeToControllerChannelManager). With one controller there is nothing to learn.
#pragma once

#include <memory>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/kafka/rpc.hpp"
#include "sim/random.hpp"

namespace models::kafka {

class ControllerLinks {
 public:
  ControllerLinks(Cluster& cluster, Node& broker);

  /// There are several controllers, of which it has to learn which one is active.
  bool learns() const { return learns_; }
  /// A controller that ZooKeeper has made one says so.
  void learn(BrokerId controller) { leader_ = controller.value; }
  /// For heartbeats; null while no active controller is known.
  RpcChannel* active() { return leader_ == kNoController ? nullptr : known().heartbeats.get(); }
  /// For AlterPartition, beside the heartbeats, which must not wait behind it (NodeToControllerChannelManager "heartbeat" and
  /// "alter-partition").
  RpcChannel* alterations() { return leader_ == kNoController ? nullptr : known().alterations.get(); }
  /// To fetch metadata from.
  RpcChannel& metadata() { return *metadata_[static_cast<std::size_t>(asked_)]; }
  /// Fills in what a fetch says of the quorum.
  void introduce(MetadataLogCall& call);
  /// A fetch was answered, or failed.
  void heard(const MetadataLogCall& call);
  /// The only controller has answered a heartbeat: a fetch that waits at a process of it which has died meanwhile, behind a cut
  /// link, fails. (Kafka's ends after controller.quorum.request.timeout.ms.)
  void answered();
  /// The broker's process died: connections are gone, whom it knew is on its disk.
  void abandon();

 private:
  struct Requests {
    std::unique_ptr<RpcChannel> heartbeats;
    std::unique_ptr<RpcChannel> alterations;
  };
  Requests& known() { return requests_[static_cast<std::size_t>(leader_)]; }
  void ask_another();

  std::vector<Requests> requests_;  // by controller
  std::vector<std::unique_ptr<RpcChannel>> metadata_;
  std::int32_t leader_ = 0;
  std::int32_t asked_ = 0;
  std::int32_t epoch_ = 1;
  std::size_t seen_ = 0;
  bool learns_;
  Node* only_ = nullptr;             ///< the controller that is alone
  std::uint32_t asked_process_ = 0;  ///< of it
  sim::Stream choice_;
};

}  // namespace models::kafka
