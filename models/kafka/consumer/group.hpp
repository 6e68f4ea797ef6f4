// A consumer group as an application: its members, and what they share by being one program run several times.
//
// The group itself is no actor of the protocol (that is the coordinator's part, models/kafka/group): it makes the members,
// starts them one after the other, and keeps what belongs to messages and not to members: how often each record was handed
// out (the attempt that keys its service time) and which effects the outside world has seen.
//
// Use: one ConsumerGroup per [[groups]] entry; add_member() for each member's node, in order of their numbers; start() when
// the world is built. The cluster and the options must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "models/clients/dependency.hpp"
#include "models/clients/offset_counts.hpp"
#include "models/clients/workload.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/consumer/effect_site.hpp"
#include "models/kafka/consumer/outlet.hpp"
#include "models/kafka/consumer/poison.hpp"
#include "models/network/node.hpp"
#include "sim/random.hpp"

namespace models::schema {
struct Schemas;
}

namespace models::kafka {

class Consumer;
class ShareConsumer;
class Mirror;
class StateStores;
class GroupSchemas;

class ConsumerGroup final : public LogReader {
 public:
  /// Requires: every topic of `options` exists in the cluster.
  ConsumerGroup(Cluster& cluster, const GroupOptions& options, EntityId group);
  ~ConsumerGroup() override;
  ConsumerGroup(const ConsumerGroup&) = delete;
  ConsumerGroup& operator=(const ConsumerGroup&) = delete;

  /// The next member, running on `node`, whose entity is the member's.
  Consumer& add_member(Node& node);
  std::vector<std::unique_ptr<Consumer>>& members() { return members_; }
  /// The same of a group of GroupType::share, which has no others.
  ShareConsumer& add_share_member(Node& node);
  std::vector<std::unique_ptr<ShareConsumer>>& share_members() { return share_members_; }
  bool shared() const { return options_.type == GroupType::share; }

  /// This member does not start with the others: somebody starts it later (fault "join").
  void stand_by(std::uint32_t index) { standing_by_[index] = true; }
  /// Emits `subscribed` for every partition, and starts the members at options.start, options.start + stagger, …
  void start();
  /// Every member closes cleanly.
  void stop();
  /// Of a Streams application with windows: how its counts compare with what it has counted. When the run ends.
  void tell_counts() const;
  /// No member holds anything fetched and not processed, or processed and not committed.
  bool idle() const;

  /// Its members are the tasks of that mirror. Before members are added.
  void serve(Mirror& mirror) { mirror_ = &mirror; }
  /// Null of an application's group.
  Mirror* mirror() { return mirror_; }
  /// What its members do with their records is made by others. Before members are added.
  using OutletMaker =
      std::function<std::unique_ptr<Outlet>(Node& node, std::uint32_t index, OutletOwner& owner)>;
  void give_to(OutletMaker make) { make_outlet_ = std::move(make); }
  const OutletMaker& outlet_maker() const { return make_outlet_; }

  // LogReader
  Offset lowest_in_hand(PartitionIndex p) const override;
  void expires(PartitionIndex p, const ReplicaLog& log, Offset below) override;

  Cluster& cluster() { return cluster_; }
  const GroupOptions& options() const { return options_; }
  EntityId entity() const { return entity_; }
  const std::vector<TopicIndex>& topics() const { return topics_; }

  /// How often each record of `p` has been handed to a member of this group.
  OffsetCounts& attempts(PartitionIndex p) { return attempts_[p.value]; }
  /// The key of the service times of `p`'s records.
  sim::StreamKey service_key(PartitionIndex p) const {
    return service_keys_[cluster_.partition(p).topic.value];
  }
  /// Where the effects of this group's messages happen.
  EffectSite& effects() { return effects_; }
  /// Those of its tasks; null unless it is a Streams application.
  StateStores* stores() { return stores_.get(); }
  /// Its application calls that. Before members are added.
  void call(Dependency& dependency) { dependency_ = &dependency; }
  /// Requires options().calls.
  Dependency& dependency() { return *dependency_; }
  /// Its application reads with a schema. Before members are added. Requires options().schema.
  void read_with(schema::Schemas& schemas);
  /// Null unless it does.
  GroupSchemas* schemas() { return schemas_.get(); }
  /// What its application cannot process.
  PoisonedRecords& poison() { return poison_; }

 private:
  Cluster& cluster_;
  GroupOptions options_;
  EntityId entity_;
  Mirror* mirror_ = nullptr;
  Dependency* dependency_ = nullptr;
  OutletMaker make_outlet_;
  std::vector<TopicIndex> topics_;
  std::vector<sim::StreamKey> service_keys_;  // by topic of the cluster
  std::vector<OffsetCounts> attempts_;        // by partition of the cluster
  EffectSite effects_;
  PoisonedRecords poison_;
  std::unique_ptr<StateStores> stores_;
  std::unique_ptr<GroupSchemas> schemas_;
  std::vector<std::unique_ptr<Consumer>> members_;
  std::vector<std::unique_ptr<ShareConsumer>> share_members_;
  std::vector<bool> standing_by_;  // by member
};

}  // namespace models::kafka
