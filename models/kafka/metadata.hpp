// A client's view of who leads what, as old as its last Metadata response.
//
// A request for an update goes to one broker at a time, round robin over those that can be reached; updates are asked for on
// start, when metadata.max.age.ms has passed and when a response said that the view is stale. Between two there is a
// back-off: retry.backoff.ms, doubled up to retry.backoff.max.ms while attempts fail or answers bring nothing new
// (Metadata.java: timeToAllowUpdate). `updated` runs after every response; where a partition's leader epoch rose a
// client_refreshed record is emitted.
//
// Model: once known a partition stays so, though a broker that is behind may not name it.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "models/kafka/cluster.hpp"

namespace models::kafka {

struct MetadataOptions {
  sim::Duration max_age{300'000'000'000};
  sim::Duration retry_backoff{100'000'000};
  sim::Duration retry_backoff_max{1'000'000'000};
  RpcOptions rpc;
};

class Metadata {
 public:
  Metadata(Cluster& cluster, Node& client, const MetadataOptions& options, std::vector<TopicIndex> topics);

  /// Asks for the first view. Also after a restart.
  void start();
  /// Forgets all and stops: crash or close.
  void stop();
  /// Something was stale: refresh as soon as the back-off allows.
  void request_update();
  /// A produce or fetch answer has named the leader (KIP-951). True where that is news; what waits for an answer about it is
  /// still asked for.
  bool hear(PartitionIndex p, PartitionLeader leader);
  void on_update(std::function<void()> updated) { updated_ = std::move(updated); }

  /// False until the first response.
  bool known() const { return known_; }
  /// The last response named no partition: a broker that has heard of none.
  bool found_nothing() const { return found_nothing_; }
  PartitionLeader leader(PartitionIndex p) const { return view_->leaders[p.value]; }
  /// How many partitions the topic has, as far as is known; 0 when nothing is.
  std::int32_t partitions(TopicIndex topic) const { return view_->partitions[topic.value]; }
  /// Raised with every change of any leader: cheap to compare.
  std::uint64_t version() const { return version_; }

 private:
  void send();
  void back_off();
  void on_response(BrokerId from, Ref<MetadataCall> call);
  /// One that does not exist from the start, and that no answer has named yet.
  bool lacks_topic() const;
  bool take_up(const std::shared_ptr<const ClusterView>& told);
  void tell_refreshed(PartitionIndex p, LeaderEpoch epoch);

  Cluster& cluster_;
  Node& client_;
  MetadataOptions options_;
  std::vector<TopicIndex> topics_;
  std::shared_ptr<const ClusterView> view_;  // never null
  std::shared_ptr<ClusterView> mine_;        // the same, when it is this client's alone
  std::vector<std::unique_ptr<RpcChannel>> channels_;
  std::function<void()> updated_;
  std::uint64_t version_ = 0;
  std::size_t next_broker_ = 0;
  bool known_ = false;
  bool found_nothing_ = false;
  bool in_flight_ = false;
  bool wanted_ = false;
  std::uint32_t failures_ = 0;    // since the last answer
  std::uint32_t equivalent_ = 0;  // answers in a row that brought nothing new
  sim::Time allowed_at_{};        // the next attempt, not before
  sim::Stream jitter_;
  NodeTimer<std::function<void()>> timer_;
};

}  // namespace models::kafka
