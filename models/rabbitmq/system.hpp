// All of a scenario that speaks AMQP to RabbitMQ: the broker, the producers and groups that are its clients; built, connected and
// owned. A part of the World.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/broker_system.hpp"

namespace models::rabbitmq {

class Cluster;
class Publisher;
class Workers;

class System final : public BrokerSystem {
 public:
  /// Makes the nodes. `site` outlives it. Requires that the scenario has one. All that builds throws ScenarioError when parts of
  /// the scenario do not fit together.
  explicit System(const Site& site);
  ~System() override;
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  Cluster& broker() { return *broker_; }

  // BrokerSystem
  void add_writers() override;
  void add_readers() override;
  void add_targets(FaultInjector& faults) override;
  void watch_invariants() override {}
  void tell() override;
  void start_brokers() override;
  void start_readers() override;
  void start_writers() override;
  void stop_arrivals() override;
  /// Publishers have their answers, and what groups that have members read is empty.
  bool idle() const override;
  void tell_unfinished(std::vector<std::string>& lines) const override;
  void tell_end() override;
  void list_queues(std::vector<QueueView>& queues) const override;
  void list_nodes(std::vector<NodeView>& nodes) const override;
  std::optional<std::string> broken() override;

 private:
  const Site& site_;
  std::unique_ptr<Cluster> broker_;
  std::vector<std::unique_ptr<Publisher>> publishers_;
  std::vector<std::unique_ptr<Workers>> workers_;
};

}  // namespace models::rabbitmq
