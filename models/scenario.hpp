// A scenario as plain data: what a scenario file says, read and checked, before anything is built from it.
// The reader in experiments/ fills it; World (models/world.hpp) builds a run from it; outside programs may fill it by hand.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/apps/gateway_options.hpp"
#include "models/apps/options.hpp"
#include "models/bridges/options.hpp"
#include "models/clients/workload.hpp"
#include "models/faults/fault_spec.hpp"
#include "models/kafka/mirror/options.hpp"
#include "models/kafka/options.hpp"
#include "models/network/network.hpp"
#include "models/rabbitmq/options.hpp"
#include "models/schema/options.hpp"
#include "models/sns/options.hpp"
#include "models/sqs/options.hpp"
#include "sim/time.hpp"

namespace models {

/// Thresholds for a group's lag, looked at with every sample; what is not given raises no alarm.
struct AlertOptions {
  std::string group;
  std::optional<std::int64_t> records;  ///< lag of the group
  std::optional<sim::Duration> age;     ///< of the oldest unprocessed record of any partition
  std::optional<double> growth;         ///< records a second, over `window`
  sim::Duration window = std::chrono::seconds{10};
  sim::Duration lasts{};  ///< so long it must hold (`for`)
};

struct Scenario {
  std::string name;
  std::string question;
  sim::Duration duration{};  ///< then arrivals stop, faults heal and the run drains
  sim::Duration warmup{};    ///< left out of steady-state metrics, never out of verdicts
  sim::Duration drain = std::chrono::seconds{60};  ///< the longest that the run goes on after `duration`
  sim::Duration sample = std::chrono::seconds{1};  ///< distance of time series points
  NetworkOptions network;
  std::optional<kafka::ClusterOptions> kafka;
  std::vector<kafka::ClusterOptions> clusters;  ///< beside it, each with a name of its own
  std::vector<kafka::MirrorOptions> mirrors;
  std::optional<rabbitmq::BrokerOptions> rabbitmq;  ///< the cluster "rabbitmq"
  std::optional<sqs::ServiceOptions> sqs;           ///< the cluster "sqs"
  std::optional<sns::ServiceOptions> sns;           ///< the cluster "sns"
  std::vector<ProducerOptions> producers;
  std::vector<GroupOptions> groups;
  std::vector<DependencyOptions> dependencies;
  schema::RegistryOptions registry;
  std::vector<schema::SubjectOptions> subjects;  ///< none: there is no registry
  std::optional<AlertOptions> alerts;
  std::vector<DatabaseOptions> databases;
  std::vector<ServiceOptions> services;
  std::vector<RelayOptions> relays;
  std::vector<GatewayOptions> gateways;
  std::vector<BridgeOptions> bridges;
  SagaOptions saga;
  std::vector<FaultSpec> faults;
};

}  // namespace models
