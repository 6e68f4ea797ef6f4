#include "models/bridges/bridges.hpp"

#include <algorithm>

#include "models/bridges/log_to_queue.hpp"
#include "models/bridges/queue_to_log.hpp"
#include "models/kafka/consumer/group.hpp"
#include "models/kafka/system.hpp"
#include "models/rabbitmq/cluster.hpp"
#include "models/rabbitmq/queue.hpp"
#include "models/rabbitmq/system.hpp"
#include "models/scenario_error.hpp"

namespace models {

Bridges::Bridges(const Site& site, kafka::System* kafka, rabbitmq::System* rabbitmq)
    : site_(site), kafka_(kafka), rabbitmq_(rabbitmq) {
  for (const BridgeOptions& options : site.scenario.bridges) {
    const std::string path = "bridges." + options.name;
    for (const auto& [key, cluster] : {std::pair{".from", &options.from}, std::pair{".to", &options.to}}) {
      if (*cluster == kRabbitMq ? rabbitmq_ == nullptr : kafka_ == nullptr)
        throw ScenarioError(path + key, "there is no [" + *cluster + "]");
    }
    if (options.from == kRabbitMq)
      add_queue_to_log(options);
    else
      add_log_to_queue(options);
  }
}

Bridges::~Bridges() = default;

void Bridges::add_queue_to_log(const BridgeOptions& options) {
  const std::string path = "bridges." + options.name;
  rabbitmq::Cluster& broker = rabbitmq_->broker();
  const auto queue = broker.topology().find_queue(options.source);
  if (!queue)
    throw ScenarioError(path + ".source", "there is no queue '" + options.source + "' in [rabbitmq]");
  if (broker.reader(*queue) != EntityId{})
    throw ScenarioError(path + ".source", "'" + options.source + "' is read by another group");
  kafka::Cluster& cluster = *kafka_->cluster();
  if (!cluster.find_topic(options.destination))
    throw ScenarioError(path + ".destination", "there is no topic '" + options.destination + "' in [kafka]");
  auto producer = std::make_unique<ProducerOptions>();
  producer->name = options.name;
  producer->to = options.destination;
  producer->size = options.size;
  producer->config = options.producer;
  const EntityId group = site_.context.entities.add(EntityKind::group, options.name);
  broker.read_by(*queue, group);
  for (std::uint32_t i = 0; i < options.tasks; ++i) {
    Node& node = site_.add_node(EntityKind::member, options.name + "/" + std::to_string(i), group, i,
                                {options.rack, options.zone, options.region});
    reading_.push_back({std::make_unique<QueueToLog>(site_.context, broker, *queue, cluster, node, options,
                                                     *producer, group),
                        queue->value});
  }
  producers_.push_back(std::move(producer));
}

void Bridges::add_log_to_queue(const BridgeOptions& options) {
  const std::string path = "bridges." + options.name;
  kafka::Cluster& cluster = *kafka_->cluster();
  if (!cluster.find_topic(options.source))
    throw ScenarioError(path + ".source", "there is no topic '" + options.source + "' in [kafka]");
  rabbitmq::Cluster& broker = rabbitmq_->broker();
  // To a queue by the default exchange.
  const bool to_exchange = broker.topology().find_exchange(options.destination).has_value();
  if (!to_exchange && !broker.topology().find_queue(options.destination))
    throw ScenarioError(path + ".destination",
                        "there is no exchange or queue '" + options.destination + "' in [rabbitmq]");
  const std::uint16_t address = broker.address(
      *broker.topology().find_exchange(to_exchange ? options.destination : ""), options.destination, {});
  if (broker.targets(address).empty())
    throw ScenarioError(path + ".destination",
                        "leads to no queue with the routing key '" + options.destination + "'");
  GroupOptions group;
  group.name = options.name;
  group.topics = {options.source};
  group.members = options.tasks;
  group.commit =
      options.ack == BridgeAck::no_ack ? CommitMode::before_processing : CommitMode::after_processing;
  group.rack = options.rack;
  group.zone = options.zone;
  group.region = options.region;
  group.config = options.consumer;
  group.config.enable_auto_commit = false;
  const EntityId entity = site_.context.entities.add(EntityKind::group, options.name);
  kafka::ConsumerGroup& tasks = kafka_->add_group(group, entity);
  tasks.give_to(
      [&cluster, &broker, address, &options, entity](Node& node, std::uint32_t, kafka::OutletOwner& owner) {
        return std::make_unique<LogToQueue>(cluster, broker, address, node, options, entity, owner);
      });
  for (std::uint32_t i = 0; i < options.tasks; ++i) {
    tasks.add_member(site_.add_node(EntityKind::member, options.name + "/" + std::to_string(i), entity, i,
                                    {options.rack, options.zone, options.region}));
  }
}

void Bridges::start() {
  for (const Reading& one : reading_) one.task->start();
}

bool Bridges::idle() const {
  return std::all_of(reading_.begin(), reading_.end(), [this](const Reading& one) {
    if (!one.task->works()) return true;
    const auto depth = rabbitmq_->broker().queue(rabbitmq::QueueIndex{one.queue}).depth();
    return one.task->idle() && depth.ready == 0 && depth.unacknowledged == 0;
  });
}

}  // namespace models
