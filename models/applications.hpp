// The applications of a scenario that have databases of their own, built, connected and owned: databases, services, relays;
// and gateways, which stand between devices and a topic.
// A part of the World, which makes their nodes and groups of consumers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/apps/database.hpp"
#include "models/apps/gateway.hpp"
#include "models/apps/relay.hpp"
#include "models/apps/service.hpp"
#include "models/context.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/consumer/group.hpp"
#include "models/scenario.hpp"

namespace models {

class Applications {
 public:
  using NodeMaker = std::function<Node&(EntityKind, const std::string& name, EntityId parent,
                                        std::uint32_t index, Location location)>;
  /// Throws ScenarioError where names do not fit together. Everything outlives it; `groups` is added to.
  Applications(Context& context, const Scenario& scenario, kafka::Cluster* cluster, const NodeMaker& add_node,
               std::vector<std::unique_ptr<kafka::ConsumerGroup>>& groups);
  ~Applications();
  Applications(const Applications&) = delete;
  Applications& operator=(const Applications&) = delete;

  /// Says what types of facts there are, and what they are to sagas.
  void tell() const;
  /// Services that read topics are started by their members.
  void start();
  void stop_arrivals();
  bool idle() const;
  /// Adds who is not, or is down with something to do, and why.
  void tell_unfinished(std::vector<std::string>& lines) const;

 private:
  Database& database(const std::string& path, const std::string& name) const;
  SenderMaker sender_maker(const std::string& path, const std::string& name, const std::string& to,
                           const sim::Distribution& size, const KeyOptions& keys,
                           const kafka::ProducerConfig& config);
  void add_plan(const ServiceOptions& options);
  void add_service(const ServicePlan& plan, const NodeMaker& add_node,
                   std::vector<std::unique_ptr<kafka::ConsumerGroup>>& groups);
  void add_readers(const ServicePlan& plan, const SenderMaker& make_sender, const NodeMaker& add_node,
                   std::vector<std::unique_ptr<kafka::ConsumerGroup>>& groups);
  void add_relay(const RelayOptions& options, const NodeMaker& add_node);
  void add_gateway(const GatewayOptions& options, const NodeMaker& add_node);
  void find_views();
  std::int64_t answered_by(FactType type) const;

  Context& context_;
  const Scenario& scenario_;
  kafka::Cluster* cluster_;
  FactBook book_;
  std::vector<std::pair<std::string, std::unique_ptr<Database>>> databases_;
  std::vector<std::unique_ptr<ServicePlan>> plans_;
  std::vector<std::unique_ptr<Service>> services_;
  std::vector<Service*> started_here_;
  std::vector<std::unique_ptr<Relay>> relays_;
  std::vector<std::unique_ptr<Gateway>> gateways_;
};

}  // namespace models
