// All of a scenario that speaks Kafka's protocol: clusters, the mirrors between them, producers, consumer groups and their
// autoscalers; built, connected and owned. A part of the World.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/broker_system.hpp"
#include "models/kafka/types.hpp"

namespace models::kafka {

class Autoscaler;
class Cluster;
class ConsumerGroup;
class Invariants;
class Mirror;
class Producer;

class System final : public BrokerSystem {
 public:
  /// Makes the clusters. `site` outlives it. Requires that the scenario has one. All that builds throws ScenarioError when
  /// parts of the scenario do not fit together.
  explicit System(const Site& site);
  ~System() override;
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  /// The cluster of [kafka]; null where there is none.
  Cluster* cluster() { return clusters_.empty() ? nullptr : clusters_.front().get(); }
  /// Throws ScenarioError at `path` when there is none of that name.
  Cluster& cluster(const std::string& path, const std::string& name);
  /// A group of [kafka]'s cluster, without members yet, for an application to add them before the run.
  ConsumerGroup& add_group(const GroupOptions& options, EntityId entity);

  // BrokerSystem
  void add_writers() override;
  void add_readers() override;
  void add_targets(FaultInjector& faults) override;
  void watch_invariants() override;
  void tell() override;
  void start_brokers() override;
  void start_readers() override;
  void start_writers() override;
  void stop_arrivals() override;
  bool idle() const override;
  void tell_unfinished(std::vector<std::string>& lines) const override;
  void tell_end() override;
  std::optional<std::string> broken() override;

 private:
  /// An instance of an application that sends.
  struct Sending {
    std::string name;  // of its table
    std::unique_ptr<Producer> producer;
    bool standing_by = false;
  };
  /// A group's members, and those that stand by elsewhere.
  struct Moving {
    ConsumerGroup* from;
    ConsumerGroup* to;
  };

  const Scenario& scenario() const { return site_.scenario; }
  Context& context() const { return site_.context; }

  void add_cluster(ClusterOptions options);
  void add_producers();
  void add_producer(const ProducerOptions& options, const std::string& table, Cluster& cluster,
                    const Location& location);
  void add_mirrors();
  ConsumerGroup& add_group(const GroupOptions& options, EntityId entity, const std::string& name,
                           Cluster& cluster, const Location& location);
  /// The group whose application it is part of, and that one's, as far as that goes: who reads the topic itself.
  const GroupOptions& root_of(const GroupOptions& group) const;
  void tell_retries();
  std::vector<std::string> topics_at(Cluster& cluster, const GroupOptions& group) const;
  bool joins_later(const std::string& member) const;

  // system_faults.cpp
  void add_failovers(FaultInjector& faults);
  bool fail_over(const ProducerOptions& options);
  bool fail_over(ConsumerGroup& from, ConsumerGroup& to);
  void add_topic_roles(FaultInjector& faults, Cluster& cluster);
  /// An operator deletes the records of a topic that lie below `offset` and are older, or all that are replicated.
  bool delete_records(Cluster& cluster, TopicIndex topic, std::optional<std::int64_t> offset,
                      std::optional<sim::Duration> older_than);

  // system_idle.cpp
  bool read_to_the_end(ConsumerGroup& group) const;
  static bool all_down(Cluster& cluster);
  bool shared_to_the_end(ConsumerGroup& group, PartitionIndex p) const;

  const Site& site_;
  std::vector<std::unique_ptr<Cluster>> clusters_;
  std::vector<std::unique_ptr<Mirror>> mirrors_;
  std::vector<std::unique_ptr<ProducerOptions>> elsewhere_;  // of producers that stand by
  std::vector<Sending> producers_;
  std::map<std::string, EntityId> first_of_;              // of each [[producers]], its first instance
  std::vector<std::pair<EntityId, EntityId>> same_keys_;  // a producer, and the one whose keys it has as well
  std::vector<std::unique_ptr<ConsumerGroup>> groups_;
  std::vector<Moving> moving_;
  std::vector<std::unique_ptr<Autoscaler>> autoscalers_;
  std::vector<std::unique_ptr<Invariants>> invariants_;  // of a checked run
};

}  // namespace models::kafka
