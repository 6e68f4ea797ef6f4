// RabbitMQ's part of a world: the broker, the producers and groups that are its clients, built, connected and owned.
// The World makes their nodes, and asks when all is done.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/context.hpp"
#include "models/network/network.hpp"
#include "models/network/node.hpp"
#include "models/scenario.hpp"

namespace models {

namespace rabbitmq {
class Broker;
class Publisher;
class Workers;
}  // namespace rabbitmq

class RabbitPart {
 public:
  using NodeMaker = std::function<Node&(EntityKind, const std::string& name, EntityId parent,
                                        std::uint32_t index, Location location)>;
  /// By this name clients say that they are its clients.
  static constexpr const char* kCluster = "rabbitmq";

  /// Throws ScenarioError where names do not fit together. Requires scenario.rabbitmq. Everything outlives it.
  RabbitPart(Context& context, const Scenario& scenario, const NodeMaker& add_node);
  ~RabbitPart();
  RabbitPart(const RabbitPart&) = delete;
  RabbitPart& operator=(const RabbitPart&) = delete;

  rabbitmq::Broker& broker() { return *broker_; }

  /// Who reads which queue. Before anything starts.
  void tell() const;
  void start();
  void stop_arrivals();
  /// Publishers have their answers, and what groups that have members read is empty.
  bool idle() const;
  /// What is left in the queues. When the run ends.
  void tell_depths() const;

 private:
  void add_publishers(const Scenario& scenario, const NodeMaker& add_node);
  void add_workers(const Scenario& scenario, const NodeMaker& add_node);

  Context& context_;
  std::unique_ptr<rabbitmq::Broker> broker_;
  std::vector<std::unique_ptr<rabbitmq::Publisher>> publishers_;
  std::vector<std::unique_ptr<rabbitmq::Workers>> workers_;
};

}  // namespace models
