#include "models/rabbitmq/system.hpp"

#include <algorithm>

#include "models/rabbitmq/broker.hpp"
#include "models/rabbitmq/cluster.hpp"
#include "models/rabbitmq/policies.hpp"
#include "models/rabbitmq/publisher.hpp"
#include "models/rabbitmq/workers.hpp"

namespace models::rabbitmq {
namespace {

std::string_view type_name(QueueType type) {
  return type == QueueType::quorum ? "quorum" : type == QueueType::stream ? "stream" : "classic";
}

bool joins_later(const Scenario& scenario, const std::string& member) {
  return std::any_of(scenario.faults.begin(), scenario.faults.end(), [&member](const FaultSpec& fault) {
    return fault.kind == "join" && fault.target == member;
  });
}

}  // namespace

System::System(const Site& site) : site_(site) {
  const BrokerOptions& options = *site.scenario.rabbitmq;
  const auto of = [](const std::vector<std::string>& several, const std::string& one, std::size_t i) {
    return several.empty() ? one : several[i % several.size()];
  };
  std::vector<Node*> nodes;
  for (std::uint16_t i = 0; i < options.nodes; ++i) {
    const Location location{of(options.racks, options.rack, i), of(options.zones, options.zone, i),
                            of(options.regions, options.region, i)};
    nodes.push_back(&site.add_node(EntityKind::broker, std::string(kRabbitMq) + "/" + std::to_string(i), {},
                                   i, location));
  }
  broker_ = std::make_unique<Cluster>(site.context, with_policies(options), nodes);
}

System::~System() {
  // Clients close their connections while the broker is there.
  workers_.clear();
  publishers_.clear();
}

void System::add_writers() {
  for (const ProducerOptions& options : site_.scenario.producers) {
    if (!of_rabbitmq(site_.scenario, options.cluster)) continue;
    for (std::uint32_t i = 0; i < options.instances; ++i) {
      const std::string name = options.instances == 1 ? options.name : options.name + "/" + std::to_string(i);
      Node& node =
          site_.add_node(EntityKind::producer, name, {}, i, {options.rack, options.zone, options.region});
      publishers_.push_back(std::make_unique<Publisher>(site_.context, *broker_, node, options));
    }
  }
}

void System::add_readers() {
  for (const GroupOptions& options : site_.scenario.groups) {
    if (!of_rabbitmq(site_.scenario, options.cluster)) continue;
    const EntityId group = site_.context.entities.add(EntityKind::group, options.name);
    workers_.push_back(std::make_unique<Workers>(site_.context, *broker_, options, group));
    if (options.calls)
      workers_.back()->jobs().call(
          site_.dependency("groups." + options.name + ".calls.to", options.calls->to));
    for (std::uint32_t i = 0; i < options.members; ++i) {
      const std::string name = options.name + "/" + std::to_string(i);
      const std::string rack = options.racks.empty() ? options.rack : options.racks[i % options.racks.size()];
      workers_.back()->add_member(
          site_.add_node(EntityKind::member, name, group, i, {rack, options.zone, options.region}));
      if (joins_later(site_.scenario, name)) workers_.back()->stand_by();
    }
  }
}

/// The nodes are the World's, which has added them: each is a host with one node on it as a client's is.
void System::add_targets(FaultInjector&) {}

void System::tell() {
  broker_->tell();
}

void System::start_brokers() {
  broker_->start();
}

void System::start_readers() {
  for (const auto& group : workers_) group->start();
}

void System::start_writers() {
  for (const auto& publisher : publishers_) publisher->start();
}

void System::stop_arrivals() {
  for (const auto& publisher : publishers_) publisher->stop_arrivals();
}

bool System::idle() const {
  return broker_->idle() &&
         std::all_of(publishers_.begin(), publishers_.end(), [](const auto& p) { return p->idle(); }) &&
         std::all_of(workers_.begin(), workers_.end(), [](const auto& g) { return g->idle(); });
}

void System::list_queues(std::vector<QueueView>& queues) const {
  const BrokerOptions& options = *site_.scenario.rabbitmq;
  const auto name_of = [](const PolicyOptions* policy) {
    return policy == nullptr ? std::string() : policy->name;
  };
  for (std::size_t i = 0; i < options.queues.size(); ++i) {
    const Queue& queue = broker_->queue(QueueIndex{static_cast<std::uint16_t>(i)});
    const Queue::Depth depth = queue.depth();
    queues.push_back({queue.entity(), std::string(type_name(options.queues[i].arguments.type)),
                      name_of(policy_of(options.queues[i], options.policies)),
                      name_of(policy_of(options.queues[i], options.operator_policies)), depth.ready,
                      depth.unacknowledged, depth.consumers, queue.exists()});
  }
}

void System::list_nodes(std::vector<NodeView>& nodes) const {
  const BrokerOptions& options = broker_->options();
  for (std::size_t i = 0; i < broker_->size(); ++i) {
    const Broker& broker = broker_->broker(i);
    const Broker::Counts& counts = broker.counts();
    const Queue::Usage usage = broker.usage();
    nodes.push_back({broker.node().entity(), broker.node().up(), counts.received, counts.received_confirm,
                     counts.confirmed, counts.connections_opened, counts.connections_closed,
                     counts.publishers, usage.memory, options.memory_limit(), options.disk_size - usage.disk,
                     options.disk_size > 0 ? options.disk_limit() : 0, broker.memory_alarm(),
                     broker.disk_alarm()});
  }
}

void System::tell_end() {
  broker_->tell_depths();
}

std::optional<std::string> System::broken() {
  return broker_->broken();
}

}  // namespace models::rabbitmq
