// Reads a group's lag as tools and autoscalers do: the committed offsets from the coordinator (OffsetFetch), then the ends of the
// partitions from their leaders (ListOffsets), every so often; what it tells is as old as that takes, and lacks what is done but
// not committed. Part of a program on a node: start() and stop() come with its life.
//
// Without an answer to all of it nothing is told that time. Partitions without a commit count from offset 0, as with
// auto.offset.reset=earliest (KEDA's kafka scaler, scaleToZeroOnInvalidOffset=false).
//
// Model: it knows coordinator and leaders without asking for them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class LagReader {
 public:
  /// `seen(records)` runs with each reading, for the sum over the partitions of `topics`.
  LagReader(Cluster& cluster, Node& node, std::string group, const std::vector<std::string>& topics,
            sim::Duration every, std::function<void(std::int64_t)> seen);

  void start();
  void stop();

 private:
  struct Row {
    PartitionIndex partition{};
    Offset committed = 0;
    Offset end = kNoOffset;
  };

  void ask();
  void on_committed(BrokerId from, Ref<OffsetFetchCall> call);
  void on_ends(BrokerId from, Ref<ListOffsetsCall> call);
  Row* find(PartitionIndex p);

  Cluster& cluster_;
  std::string group_;
  sim::Duration every_;
  std::function<void(std::int64_t)> seen_;
  std::vector<Row> rows_;
  std::vector<std::unique_ptr<RpcChannel>> channels_;
  std::vector<Ref<ListOffsetsCall>> lists_;  // being filled, by broker
  std::size_t missing_ = 0;                  // ends that have not come
  NodeTimer<std::function<void()>> timer_;
};

}  // namespace models::kafka
