// Finds out where to read: the committed offset of a partition that was assigned, the beginning or end when there is none or
// it is out of range (auto.offset.reset), and after a change of leader whether the new one's log still holds what was read
// (ConsumerCoordinator.initWithCommittedOffsetsIfNeeded, OffsetFetcher.java, OffsetsForLeaderEpochClient.java).
//
// Model: Kafka's poll() blocks while committed offsets are fetched; here partitions that already have a position go on being
// read during that round trip.
#pragma once

#include <vector>

#include "models/kafka/consumer/assignment.hpp"
#include "models/kafka/consumer/connections.hpp"
#include "models/kafka/consumer/membership.hpp"
#include "models/kafka/metadata.hpp"

namespace models::kafka {

class PositionsOwner {
 public:
  virtual ~PositionsOwner() = default;
  /// Positions became known, or it is time to ask again.
  virtual void positions_changed() = 0;
};

class Positions {
 public:
  Positions(ConsumerGroup& group, Node& node, Assignment& assignment, Membership& membership,
            Connections& connections, Metadata& metadata, PositionsOwner& owner);

  /// Called inside poll(): sends what is missing. False when auto.offset.reset is `none` and a position would be needed:
  /// the exception ends the application.
  bool update();
  /// A fetch found the position outside of the log.
  void out_of_range(PartitionIndex p) { assignment_.change_state(p, FetchState::awaiting_reset); }
  /// The assignment changed: answers under way are not waited for.
  void assignment_changed() { committed_pending_ = {}; }
  void forget();

 private:
  void follow_metadata();
  bool ask_committed();
  void seek_to_database();
  bool ask_leaders();
  void on_committed(BrokerId from, Ref<OffsetFetchCall> call);
  void on_offsets(BrokerId from, Ref<ListOffsetsCall> call);
  void on_epoch_ends(BrokerId from, Ref<OffsetForLeaderEpochCall> call);
  void validated(const OffsetForLeaderEpochCall::Item& item);
  void retry_later(PartitionIndex p);
  void arm_retry(sim::Time at);

  /// What auto.offset.reset says of where to begin.
  ListOffsetsCall::Item reset_item(PartitionIndex p, LeaderEpoch epoch) const;

  const ConsumerConfig& config_;
  const std::string& group_name_;
  const EffectSite& site_;
  Cluster& cluster_;
  Context& context_;
  const Node& node_;
  Assignment& assignment_;
  Membership& membership_;
  Connections& connections_;
  Metadata& metadata_;
  PositionsOwner& owner_;
  std::uint64_t metadata_version_ = 0;
  Ref<OffsetFetchCall> committed_pending_;
  sim::Time committed_not_before_{};
  bool nowhere_to_begin_ = false;
  std::vector<Ref<ListOffsetsCall>> lists_;            // being filled, by broker
  std::vector<Ref<OffsetForLeaderEpochCall>> epochs_;  // being filled, by broker
  NodeTimer<std::function<void()>> retry_timer_;
};

}  // namespace models::kafka
