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
#include <memory>
#include <string>
#include <vector>

#include "models/broker_system.hpp"
#include "models/context.hpp"
#include "models/entities.hpp"
#include "models/faults/injector.hpp"
#include "models/faults/steps.hpp"
#include "models/network/network.hpp"
#include "models/network/node.hpp"
#include "models/scenario.hpp"
#include "sim/simulation.hpp"
#include "sim/trace.hpp"

namespace models {

class Applications;
class Bridges;

namespace kafka {
class Cluster;
class System;
}  // namespace kafka
namespace sns {
class Service;
class System;
}  // namespace sns
namespace sqs {
class Service;
class System;
}  // namespace sqs

namespace rabbitmq {
class System;
}

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
  /// A run goes on for so long after it has drained: time for what nobody waits for.
  sim::Duration settle{};
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
  /// The cluster of [kafka]. Requires that there is one.
  kafka::Cluster& kafka();
  /// SQS, if the scenario has it.
  sqs::Service* sqs();
  /// The same of SNS.
  sns::Service* sns();
  FaultInjector& faults() { return *faults_; }

  /// Once. Sinks are added before.
  RunOutcome run();
  /// What is under way now or is left unread, and who or what it waits for: a line each.
  std::vector<std::string> unfinished() const;
  /// Queues as their brokers' management pages show them now.
  std::vector<QueueView> queues() const;
  std::vector<NodeView> nodes_with_queues() const;

 private:
  Node& add_node(EntityKind kind, const std::string& name, EntityId parent, std::uint32_t index,
                 Location location);
  void add_systems();
  void add_registry();
  void add_dependencies();
  Dependency& dependency(const std::string& path, const std::string& name);
  void add_applications();
  void add_bridges();
  void run_until(sim::Time end);
  void advance(sim::Time end);
  void look();
  void phase(PhaseCode code);
  bool idle() const;

  Scenario scenario_;
  sim::Simulation simulation_;
  sim::Trace trace_;
  Entities entities_;
  Steps steps_;
  Network network_;
  Context context_;
  Site site_;
  std::vector<std::unique_ptr<Node>> nodes_;  // of clients
  std::unique_ptr<schema::Schemas> schemas_;  // null: there are no subjects
  std::vector<std::unique_ptr<Dependency>> dependencies_;
  std::vector<std::unique_ptr<BrokerSystem>> systems_;
  kafka::System* kafka_ = nullptr;              // of these, Kafka's
  rabbitmq::System* rabbitmq_ = nullptr;        // of these, RabbitMQ's
  sqs::System* sqs_ = nullptr;                  // and SQS's
  sns::System* sns_ = nullptr;                  // and SNS's
  std::unique_ptr<Bridges> bridges_;            // null: there are none
  std::unique_ptr<Applications> applications_;  // null: there are none
  std::unique_ptr<FaultInjector> faults_;
  bool checked_;
  sim::Duration settle_;
  std::vector<Look> looks_;
  std::size_t next_look_ = 0;
};

}  // namespace models
