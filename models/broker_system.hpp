// A family of brokers with its clients, as a part of a World, which owns one of each family that a scenario has.
//
// To add a family: a folder of its own, in it a BrokerSystem that builds from the Scenario what belongs to it, and its line in
// World::add_systems(). The order in which parts are made is the order in which entities are numbered, and so part of the trace.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/context.hpp"
#include "models/faults/injector.hpp"
#include "models/network/network.hpp"
#include "models/network/node.hpp"
#include "models/scenario.hpp"

namespace models {

class Dependency;

namespace schema {
struct Schemas;
}

/// Clients say by its name whose they are: these are [rabbitmq]'s and [sqs]'s, all others are Kafka's.
inline constexpr const char* kRabbitMq = "rabbitmq";
inline bool of_rabbitmq(const Scenario& scenario, const std::string& cluster) {
  return scenario.rabbitmq && cluster == kRabbitMq;
}
inline constexpr const char* kSqs = "sqs";
inline bool of_sqs(const Scenario& scenario, const std::string& cluster) {
  return scenario.sqs && cluster == kSqs;
}
/// That of [sns], whose clients are publishers alone.
inline constexpr const char* kSns = "sns";
inline bool of_sns(const Scenario& scenario, const std::string& cluster) {
  return scenario.sns && cluster == kSns;
}
inline bool of_kafka(const Scenario& scenario, const std::string& cluster) {
  return !of_rabbitmq(scenario, cluster) && !of_sqs(scenario, cluster) && !of_sns(scenario, cluster);
}

/// What a World lends its parts. It outlives them.
struct Site {
  Context& context;
  const Scenario& scenario;
  /// A host of a client, with one node on it, which faults can strike by its name.
  std::function<Node&(EntityKind, const std::string& name, EntityId parent, std::uint32_t index,
                      Location location)>
      add_node;
  /// Throws ScenarioError at `path` when there is none of that name.
  std::function<Dependency&(const std::string& path, const std::string& name)> dependency;
  schema::Schemas* schemas = nullptr;  ///< null: there are no subjects
};

/// A queue as the management page shows it.
struct QueueView {
  EntityId queue{};
  std::string type{};
  std::string policy{}, operator_policy{};  ///< by name; empty: none
  std::uint64_t ready = 0;
  std::uint64_t unacknowledged = 0;
  std::uint64_t consumers = 0;
  bool exists = true;
};

/// A node of a broker with queues, as its management page shows it.
struct NodeView {
  EntityId node{};
  bool up = true;
  std::uint64_t received = 0;          ///< messages from publishers …
  std::uint64_t received_confirm = 0;  ///< … that are to be confirmed
  std::uint64_t confirmed = 0;
  std::uint64_t connections_opened = 0;
  std::uint64_t connections_closed = 0;
  std::uint64_t publishers = 0;
  std::int64_t memory = 0;
  std::int64_t memory_limit = 0;  ///< 0: none
  std::int64_t disk_free = 0;
  std::int64_t disk_free_limit = 0;  ///< 0: none
  bool memory_alarm = false;
  bool disk_alarm = false;
};

class BrokerSystem {
 public:
  virtual ~BrokerSystem() = default;

  // ---- building, in this order; brokers are made by the constructor -----------------------------------------------
  virtual void add_writers() = 0;
  virtual void add_readers() = 0;
  /// What of its brokers faults can strike, and what an operator can do to it.
  virtual void add_targets(FaultInjector& faults) = 0;
  /// A checked run asks broken() from now on.
  virtual void watch_invariants() = 0;

  // ---- the run ----------------------------------------------------------------------------------------------------
  /// What observers are told before anything happens.
  virtual void tell() = 0;
  virtual void start_brokers() = 0;
  virtual void start_readers() = 0;
  virtual void start_writers() = 0;
  virtual void stop_arrivals() = 0;
  /// Nothing is under way: every writer has its answers, every reader has read and settled all there is.
  virtual bool idle() const = 0;
  /// Adds a line for each thing that is under way now or is left unread, with who or what it waits for.
  virtual void tell_unfinished(std::vector<std::string>& lines) const { static_cast<void>(lines); }
  /// What observers are told when the run ends.
  virtual void tell_end() = 0;
  /// Adds its queues as they stand.
  virtual void list_queues(std::vector<QueueView>& queues) const { static_cast<void>(queues); }
  virtual void list_nodes(std::vector<NodeView>& nodes) const { static_cast<void>(nodes); }

  /// The invariant of its state that is broken, in words. Changes nothing.
  virtual std::optional<std::string> broken() = 0;
};

}  // namespace models
