// The bridges of a scenario, built, connected and owned. A part of the World, which makes their nodes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/broker_system.hpp"
#include "models/clients/workload.hpp"

namespace models {

class QueueToLog;

namespace kafka {
class System;
}
namespace rabbitmq {
class System;
}

class Bridges {
 public:
  /// Throws ScenarioError where names do not fit together. `kafka` and `rabbitmq` (null: there is none) outlive it.
  Bridges(const Site& site, kafka::System* kafka, rabbitmq::System* rabbitmq);
  ~Bridges();
  Bridges(const Bridges&) = delete;
  Bridges& operator=(const Bridges&) = delete;

  /// Of those that read logs: they start with their groups.
  void start();
  /// What bridges that live can read is read, and what they have read is where it is to be. Those that read logs: their groups
  /// say so.
  bool idle() const;

 private:
  void add_queue_to_log(const BridgeOptions& options);
  void add_log_to_queue(const BridgeOptions& options);

  const Site& site_;
  kafka::System* kafka_;
  rabbitmq::System* rabbitmq_;
  std::vector<std::unique_ptr<ProducerOptions>> producers_;
  /// A task and whether its queue is empty.
  struct Reading {
    std::unique_ptr<QueueToLog> task;
    std::uint16_t queue = 0;
  };
  std::vector<Reading> reading_;
};

}  // namespace models
