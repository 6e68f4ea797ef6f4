// A world: everything a scenario describes, built, connected and owned; and its run from the first event to the end of the
// drain. This is the main path of a trial:
//
//   models::World world(scenario, seed);
//   world.trace().add_sink(observers);
//   const models::RunOutcome outcome = world.run();
//   world.trace().digest();
//
// A run is a function of (scenario, seed): the same records in the same order, whatever watches.
//
// After `duration` arrivals stop and faults heal; the run goes on until nothing is under way (every producer has its answers,
// every group has read and committed all there is) or until `drain` has passed. That state is looked at every 100 ms of
// virtual time, which decides only when a run ends.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/context.hpp"
#include "models/entities.hpp"
#include "models/faults/injector.hpp"
#include "models/faults/steps.hpp"
#include "models/kafka/types.hpp"
#include "models/network/network.hpp"
#include "models/network/node.hpp"
#include "models/scenario.hpp"
#include "sim/simulation.hpp"
#include "sim/trace.hpp"

namespace models {

class Dependency;

namespace schema {
struct Schemas;
}

namespace kafka {
class Cluster;
class Producer;
class Autoscaler;
class ConsumerGroup;
class Invariants;
class Mirror;
}  // namespace kafka

class Applications;
class RabbitPart;

struct RunOutcome {
  bool drained = false;  ///< nothing was under way at the end
  sim::Time end{};       ///< when the run ended
  std::uint64_t events = 0;
  std::uint64_t records = 0;                ///< trace records
  std::vector<std::uint64_t> faults_fired;  ///< of each fault of the scenario, in its order
};

class World;

/// Something to be seen while a run stands still at a time, after all that happens then. Looking changes nothing.
struct Look {
  sim::Time at{};  ///< a run that ends before it is looked at in its end
  std::function<void(World&)> look;
};

struct WorldOptions {
  bool shuffle_ties = false;  ///< permute simultaneous events by seed
  bool checked = false;       ///< assert the cluster's invariants after every event; changes no digest
  /// More at one instant are a livelock.
  std::uint64_t events_per_instant_max = sim::Simulation::Options{}.events_per_instant_max;
  std::vector<Look> looks{};  ///< in order of time
};

class World {
 public:
  /// Throws ScenarioError when parts of the scenario do not fit together (a fault's target, a topic).
  World(const Scenario& scenario, std::uint64_t seed, const WorldOptions& options = {});
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  sim::Trace& trace() { return trace_; }
  sim::Simulation& simulation() { return simulation_; }
  const Entities& entities() const { return entities_; }
  Context& context() { return context_; }
  Network& network() { return network_; }
  /// The cluster of [kafka].
  kafka::Cluster& kafka() { return *clusters_.front(); }
  /// That of [rabbitmq]; null where there is none.
  RabbitPart* rabbit() { return rabbit_.get(); }
  /// Throws ScenarioError at `path` when there is none of that name.
  kafka::Cluster& cluster(const std::string& path, const std::string& name);
  FaultInjector& faults() { return *faults_; }

  /// Once. Sinks are added before.
  RunOutcome run();

 private:
  Node& add_node(EntityKind kind, const std::string& name, EntityId parent, std::uint32_t index,
                 Location location);
  void add_clusters();
  void add_cluster(kafka::ClusterOptions options);
  void add_registry();
  void add_mirrors();
  void add_producers();
  void add_producer(const ProducerOptions& options, const std::string& name, kafka::Cluster& cluster,
                    const Location& location);
  void add_dependencies();
  void add_groups();
  kafka::ConsumerGroup& add_group(const GroupOptions& options, EntityId entity, const std::string& name,
                                  kafka::Cluster& cluster, const Location& location);
  std::vector<std::string> topics_at(kafka::Cluster& cluster, const GroupOptions& group) const;
  void add_applications();
  void add_rabbit();
  void add_failovers();
  bool fail_over(const ProducerOptions& options);
  bool fail_over(kafka::ConsumerGroup& from, kafka::ConsumerGroup& to);
  void add_topic_roles(kafka::Cluster& cluster);
  bool of_rabbit(const std::string& cluster) const;
  bool joins_later(const std::string& member) const;
  /// An operator deletes the records of a topic that lie below `offset` and are older, or all that are replicated.
  bool delete_records(kafka::Cluster& cluster, kafka::TopicIndex topic, std::optional<std::int64_t> offset,
                      std::optional<sim::Duration> older_than);
  void run_until(sim::Time end);
  void advance(sim::Time end);
  void look();
  void phase(PhaseCode code);
  bool idle() const;
  bool read_to_the_end(kafka::ConsumerGroup& group) const;
  bool shared_to_the_end(kafka::ConsumerGroup& group, kafka::PartitionIndex p) const;

  Scenario scenario_;
  sim::Simulation simulation_;
  sim::Trace trace_;
  Entities entities_;
  Steps steps_;
  Network network_;
  Context context_;
  /// An instance of an application that sends.
  struct Sending {
    std::string name;  // of its table
    std::unique_ptr<kafka::Producer> producer;
    bool standing_by = false;
  };
  /// A group's members, and those that stand by elsewhere.
  struct Moving {
    kafka::ConsumerGroup* from;
    kafka::ConsumerGroup* to;
  };

  std::vector<std::unique_ptr<kafka::Cluster>> clusters_;
  std::vector<std::unique_ptr<Node>> nodes_;  // of clients
  std::unique_ptr<schema::Schemas> schemas_;  // null: there are no subjects
  std::vector<std::unique_ptr<Dependency>> dependencies_;
  std::vector<std::unique_ptr<kafka::Mirror>> mirrors_;
  std::vector<std::unique_ptr<ProducerOptions>> elsewhere_;  // of producers that stand by
  std::vector<Sending> producers_;
  std::map<std::string, EntityId> first_of_;              // of each [[producers]], its first instance
  std::vector<std::pair<EntityId, EntityId>> same_keys_;  // a producer, and the one whose keys it has as well
  std::vector<std::unique_ptr<kafka::ConsumerGroup>> groups_;
  std::vector<Moving> moving_;
  std::vector<std::unique_ptr<kafka::Autoscaler>> autoscalers_;
  std::unique_ptr<Applications> applications_;  // null: there are none
  std::unique_ptr<RabbitPart> rabbit_;          // RabbitMQ and its clients; null: there are none
  std::unique_ptr<FaultInjector> faults_;
  std::vector<std::unique_ptr<kafka::Invariants>> invariants_;  // of a checked run
  std::vector<Look> looks_;
  std::size_t next_look_ = 0;
};

}  // namespace models
