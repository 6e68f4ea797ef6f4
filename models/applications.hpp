// The applications of a scenario that have databases of their own, built, connected and owned: databases, services, relays;
// and gateways, which stand between devices and a topic.
// A part of the World, which makes their nodes and groups of consumers.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/apps/database.hpp"
#include "models/apps/gateway.hpp"
#include "models/apps/relay.hpp"
#include "models/apps/service.hpp"
#include "models/broker_system.hpp"
#include "models/context.hpp"
#include "models/kafka/system.hpp"
#include "models/scenario.hpp"

namespace models {

class Applications {
 public:
  /// Throws ScenarioError where names do not fit together. `kafka` (null: there is none) gets the groups of services that read
  /// topics; both outlive it.
  Applications(const Site& site, kafka::System* kafka);
  ~Applications();
  Applications(const Applications&) = delete;
  Applications& operator=(const Applications&) = delete;

  /// Says what types of facts there are, and what they are to sagas.
  void tell() const;
  /// Services that read topics are started by their members.
  void start();
  void stop_arrivals();
  bool idle() const;

 private:
  Database& database(const std::string& path, const std::string& name) const;
  SenderMaker sender_maker(const std::string& path, const std::string& name, const std::string& to,
                           const sim::Distribution& size, const KeyOptions& keys,
                           const kafka::ProducerConfig& config);
  void add_plan(const ServiceOptions& options);
  void add_service(const ServicePlan& plan);
  void add_readers(const ServicePlan& plan, const SenderMaker& make_sender);
  void add_relay(const RelayOptions& options);
  void add_gateway(const GatewayOptions& options);
  void find_views();
  std::int64_t answered_by(FactType type) const;

  const Site& site_;
  Context& context_;
  const Scenario& scenario_;
  kafka::System* kafka_;
  FactBook book_;
  std::vector<std::pair<std::string, std::unique_ptr<Database>>> databases_;
  std::vector<std::unique_ptr<ServicePlan>> plans_;
  std::vector<std::unique_ptr<Service>> services_;
  std::vector<Service*> started_here_;
  std::vector<std::unique_ptr<Relay>> relays_;
  std::vector<std::unique_ptr<Gateway>> gateways_;
};

}  // namespace models
