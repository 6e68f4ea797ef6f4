// Groups' offsets at the target of a mirror, so that a group can go on there (MirrorCheckpointTask, KIP-545).
//
// Every emit.checkpoints.interval.seconds each group's committed offsets are read at the source and translated; a translation
// never takes a checkpoint back. With sync.group.offsets.enabled they are committed at the target every
// sync.group.offsets.interval.seconds, for groups that have no members there, where they are ahead of what is committed.
//
// Model: the task knows the coordinators of groups; Connect's asks for them. One request for a group is under way at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/kafka/rpc.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class Mirror;

class Checkpoints {
 public:
  Checkpoints(Mirror& mirror, Node& node);

  void start();
  void stop();

 private:
  struct Row {
    std::string group;
    std::vector<Offset> offsets;  ///< at the target, by place in Mirror::partitions(); kNoOffset: none
  };
  using Channels = std::vector<std::unique_ptr<RpcChannel>>;

  static Channels channels_to(Cluster& cluster, Node& node);
  /// The connection to a group's coordinator, or null.
  static RpcChannel* coordinator(Cluster& cluster, Channels& channels, const std::string& group);
  Row* row_of(const std::string& group);
  void emit();
  void sync();
  void on_committed(BrokerId from, Ref<OffsetFetchCall> call);
  void on_present(BrokerId from, Ref<OffsetFetchCall> call);
  void on_synced(BrokerId from, Ref<OffsetCommitCall> call);

  Mirror& mirror_;
  Node& node_;
  std::vector<Row> rows_;
  Channels source_, target_;
  NodeTimer<std::function<void()>> emit_timer_, sync_timer_;
};

}  // namespace models::kafka
