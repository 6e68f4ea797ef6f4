// A member's connections: one to each broker for data, and one more to its coordinator, so that a fetch that waits for
// records holds up no heartbeat (AbstractCoordinator uses Integer.MAX_VALUE - id as the coordinator's node id).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/kafka/metadata.hpp"
#include "models/kafka/rpc.hpp"

namespace models::kafka {

/// What a member's requests and its metadata follow of its settings.
RpcOptions rpc_options_of(const ConsumerConfig& config);
MetadataOptions metadata_options_of(const ConsumerConfig& config);

class Connections {
 public:
  Connections(Cluster& cluster, Node& node, const ConsumerConfig& config);

  /// The connection for metadata, fetches and offsets; made when first asked for.
  RpcChannel& data(BrokerId broker);
  /// The connection for group requests. `changed(broker)` runs when it opens or breaks.
  RpcChannel& group(BrokerId broker);
  void on_group_change(std::function<void(BrokerId)> changed) { changed_ = std::move(changed); }

  /// Where a request goes that any broker can answer (NetworkClient.leastLoadedNode): an open connection with the least
  /// in flight, else one that can be opened at once, else any.
  RpcChannel& least_loaded();

  /// Forgets all connections and what is in flight on them; no handler runs.
  void abandon();

 private:
  using Channels = std::vector<std::unique_ptr<RpcChannel>>;

  Cluster& cluster_;
  Node& node_;
  RpcOptions options_;
  Channels data_;
  Channels group_;
  std::function<void(BrokerId)> changed_;
};

}  // namespace models::kafka
