#include "models/rabbit_part.hpp"

#include <algorithm>

#include "models/rabbitmq/broker.hpp"
#include "models/rabbitmq/publisher.hpp"
#include "models/rabbitmq/workers.hpp"
#include "models/scenario_error.hpp"

namespace models {
namespace {

bool joins_later(const Scenario& scenario, const std::string& member) {
  return std::any_of(scenario.faults.begin(), scenario.faults.end(), [&member](const FaultSpec& fault) {
    return fault.kind == "join" && fault.target == member;
  });
}

}  // namespace

RabbitPart::RabbitPart(Context& context, const Scenario& scenario, const NodeMaker& add_node)
    : context_(context) {
  const rabbitmq::BrokerOptions& options = *scenario.rabbitmq;
  Node& node = add_node(EntityKind::broker, std::string(kCluster) + "/0", {}, 0,
                        {options.rack, options.zone, options.region});
  broker_ = std::make_unique<rabbitmq::Broker>(context, options, node);
  add_publishers(scenario, add_node);
  add_workers(scenario, add_node);
}

RabbitPart::~RabbitPart() {
  // Clients close their connections while the broker is there.
  workers_.clear();
  publishers_.clear();
}

void RabbitPart::add_publishers(const Scenario& scenario, const NodeMaker& add_node) {
  for (const ProducerOptions& options : scenario.producers) {
    if (options.cluster != kCluster) continue;
    for (std::uint32_t i = 0; i < options.instances; ++i) {
      const std::string name = options.instances == 1 ? options.name : options.name + "/" + std::to_string(i);
      Node& node = add_node(EntityKind::producer, name, {}, i, {options.rack, options.zone, options.region});
      publishers_.push_back(std::make_unique<rabbitmq::Publisher>(context_, *broker_, node, options));
    }
  }
}

void RabbitPart::add_workers(const Scenario& scenario, const NodeMaker& add_node) {
  for (const GroupOptions& options : scenario.groups) {
    if (options.cluster != kCluster) continue;
    const EntityId group = context_.entities.add(EntityKind::group, options.name);
    workers_.push_back(std::make_unique<rabbitmq::Workers>(context_, *broker_, options, group));
    for (std::uint32_t i = 0; i < options.members; ++i) {
      const std::string name = options.name + "/" + std::to_string(i);
      const std::string rack = options.racks.empty() ? options.rack : options.racks[i % options.racks.size()];
      workers_.back()->add_member(
          add_node(EntityKind::member, name, group, i, {rack, options.zone, options.region}));
      if (joins_later(scenario, name)) workers_.back()->stand_by();
    }
  }
}

void RabbitPart::tell() const {
  broker_->tell();
}

void RabbitPart::start() {
  for (const auto& group : workers_) group->start();
  for (const auto& publisher : publishers_) publisher->start();
}

void RabbitPart::stop_arrivals() {
  for (const auto& publisher : publishers_) publisher->stop_arrivals();
}

bool RabbitPart::idle() const {
  return broker_->idle() &&
         std::all_of(publishers_.begin(), publishers_.end(), [](const auto& p) { return p->idle(); }) &&
         std::all_of(workers_.begin(), workers_.end(), [](const auto& g) { return g->idle(); });
}

void RabbitPart::tell_depths() const {
  broker_->tell_depths();
}

}  // namespace models
