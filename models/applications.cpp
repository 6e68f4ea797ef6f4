#include "models/applications.hpp"

#include <algorithm>
#include <utility>

#include "models/kafka/cluster.hpp"
#include "models/kafka/consumer/consumer.hpp"
#include "models/kafka/consumer/group.hpp"
#include "models/kafka/consumer/service_outlet.hpp"
#include "models/kafka/producer/kafka_event_sender.hpp"
#include "models/near_miss.hpp"
#include "models/scenario_error.hpp"

namespace models {
namespace {

/// Where aggregates have no keys of their own, as many of these are told apart.
/// Model: an event's key is its aggregate's number modulo this; it decides on the partition, and nothing else.
constexpr std::uint32_t kKeys = 4096;

KeyOptions keys_of(const KeyOptions& given) {
  KeyOptions keys = given;
  if (keys.count == 0) keys.count = kKeys;
  return keys;
}

std::string instance_name(const std::string& name, std::uint32_t instances, std::uint32_t index) {
  return instances == 1 ? name : name + "/" + std::to_string(index);
}

}  // namespace

Applications::Applications(const Site& site, kafka::System* kafka)
    : site_(site), context_(site.context), scenario_(site.scenario), kafka_(kafka) {
  for (const DatabaseOptions& options : scenario_.databases) {
    Node& node = site_.add_node(EntityKind::database, options.name, {}, 0,
                                {options.rack, options.zone, options.region});
    databases_.emplace_back(options.name, std::make_unique<Database>(context_, node, options));
  }
  for (const ServiceOptions& options : scenario_.services) add_plan(options);
  find_views();
  for (const auto& plan : plans_) add_service(*plan);
  for (const RelayOptions& options : scenario_.relays) add_relay(options);
  for (const GatewayOptions& options : scenario_.gateways) add_gateway(options);
}

Applications::~Applications() = default;

Database& Applications::database(const std::string& path, const std::string& name) const {
  std::vector<std::string_view> known;
  for (const auto& [own, database] : databases_) {
    if (own == name) return *database;
    known.push_back(own);
  }
  throw ScenarioError(path, "there is no database '" + name + "'" + did_you_mean(name, known));
}

SenderMaker Applications::sender_maker(const std::string& path, const std::string& name,
                                       const std::string& to, const sim::Distribution& size,
                                       const KeyOptions& keys, const kafka::ProducerConfig& config) {
  if (kafka_ == nullptr || !kafka_->cluster()->find_topic(to))
    throw ScenarioError(path + ".to", "there is no topic '" + to + "'");
  ProducerOptions options;
  options.name = name;
  options.to = to;
  options.size = size;
  options.keys = keys_of(keys);
  options.config = config;
  return [this, options](Node& node, EventSenderOwner& owner) -> std::unique_ptr<EventSender> {
    return std::make_unique<kafka::KafkaEventSender>(*kafka_->cluster(), node, options, book_, owner);
  };
}

void Applications::add_plan(const ServiceOptions& options) {
  const std::string path = "services." + options.name;
  const EntityId entity =
      context_.entities.add(options.reads.empty() ? EntityKind::service : EntityKind::group, options.name);
  plans_.push_back(
      std::make_unique<ServicePlan>(options, book_, database(path + ".database", options.database), entity));
  ServicePlan& plan = *plans_.back();
  plan.told_by_log =
      std::any_of(scenario_.relays.begin(), scenario_.relays.end(), [&](const RelayOptions& relay) {
        return relay.kind == RelayKind::capture && relay.database == options.database;
      });
  if (options.publish == Publishing::two_phase) plan.queue = &database(path + ".queue", options.queue);
}

void Applications::add_service(const ServicePlan& plan) {
  const ServiceOptions& options = plan.options;
  SenderMaker make_sender;
  if (options.publish == Publishing::after_commit || options.publish == Publishing::before_commit)
    make_sender = sender_maker("services." + options.name, options.name, options.to, options.size,
                               options.keys, options.config);
  if (!options.reads.empty()) return add_readers(plan, make_sender);
  for (std::uint32_t i = 0; i < options.instances; ++i) {
    Node& node = site_.add_node(EntityKind::service, instance_name(options.name, options.instances, i),
                                plan.entity, i, {options.rack, options.zone, options.region});
    services_.push_back(std::make_unique<Service>(context_, node, plan, i, make_sender));
    started_here_.push_back(services_.back().get());
  }
}

void Applications::add_readers(const ServicePlan& plan, const SenderMaker& make_sender) {
  const ServiceOptions& options = plan.options;
  GroupOptions group;
  group.name = options.name;
  group.topics = options.reads;
  group.members = options.instances;
  group.commit = CommitMode::after_processing;
  group.rack = options.rack;
  group.zone = options.zone;
  group.region = options.region;
  group.start = options.start;
  group.config = options.consumer;
  group.config.enable_auto_commit = false;
  kafka::ConsumerGroup& readers = kafka_->add_group(group, plan.entity);
  readers.give_to([this, &plan, make_sender](Node& node, std::uint32_t index, kafka::OutletOwner& owner) {
    services_.push_back(std::make_unique<Service>(context_, node, plan, index, make_sender));
    return std::make_unique<kafka::ServiceOutlet>(*kafka_->cluster(), *services_.back(), book_, owner);
  });
  for (std::uint32_t i = 0; i < options.instances; ++i) {
    readers.add_member(site_.add_node(EntityKind::member, options.name + "/" + std::to_string(i), plan.entity,
                                      i, {options.rack, options.zone, options.region}));
  }
}

void Applications::find_views() {
  for (const auto& plan : plans_) {
    if (!plan->options.own_read) continue;
    const std::string& name = plan->options.own_read->view;
    const auto view = std::find_if(plans_.begin(), plans_.end(),
                                   [&name](const auto& other) { return other->options.name == name; });
    if (view == plans_.end())
      throw ScenarioError("services." + plan->options.name + ".own_read.view",
                          "there is no service '" + name + "'");
    plan->view = &(*view)->database;
    plan->view_entity = (*view)->entity;
  }
}

void Applications::add_relay(const RelayOptions& options) {
  const std::string path = "relays." + options.name;
  Database& from = database(path + ".database", options.database);
  const std::uint32_t reader = from.add_reader();
  if (options.kind == RelayKind::capture) from.keep_log();
  KeyOptions keys;
  for (const ServiceOptions& service : scenario_.services) {
    if (service.database == options.database && service.keys.count > 0) keys = service.keys;
  }
  const SenderMaker make_sender =
      sender_maker(path, options.name, options.to, options.size, keys, options.config);
  const EntityId entity = context_.entities.add(EntityKind::nothing, options.name + " (relay)");
  for (std::uint32_t i = 0; i < options.instances; ++i) {
    Node& node = site_.add_node(EntityKind::relay, instance_name(options.name, options.instances, i), entity,
                                i, {options.rack, options.zone, options.region});
    relays_.push_back(std::make_unique<Relay>(node, options, from, reader, make_sender));
  }
}

void Applications::add_gateway(const GatewayOptions& options) {
  const EntityId devices = context_.entities.add(EntityKind::nothing, options.name + " (devices)");
  Node& node =
      site_.add_node(EntityKind::gateway, options.name, {}, 0, {options.rack, options.zone, options.region});
  const SenderMaker make_sender = sender_maker("gateways." + options.name, options.name, options.to,
                                               options.devices.size, options.devices.keys, options.config);
  gateways_.push_back(std::make_unique<Gateway>(context_, node, devices, options, book_, make_sender));
}

void Applications::tell() const {
  const SagaOptions& saga = scenario_.saga;
  const auto among = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (saga.succeeds.empty() && saga.fails.empty()) return;
  for (std::size_t t = 0; t < book_.types().size(); ++t) {
    const std::string& name = book_.types()[t];
    const FactRole role = among(saga.succeeds, name) ? FactRole::succeeds
                          : among(saga.fails, name)  ? FactRole::fails
                                                     : FactRole::step;
    std::int64_t undoes = -1;
    for (const SagaOptions::Undo& undo : saga.undo) {
      const auto of = std::find(book_.types().begin(), book_.types().end(), undo.fact);
      if (undo.by == name && of != book_.types().end()) undoes = of - book_.types().begin();
    }
    context_.emit(Kind::fact_type, {.code = static_cast<std::uint16_t>(t),
                                    .a = static_cast<std::int64_t>(role),
                                    .b = undoes,
                                    .c = answered_by(static_cast<FactType>(t))});
  }
}

/// To which events the services with which sagas begin answer by a fact of this type: a bit each, or -1.
std::int64_t Applications::answered_by(FactType type) const {
  bool theirs = false;
  FactTypeSet answered = 0;
  for (const auto& plan : plans_) {
    if (plan->options.begins.empty()) continue;
    theirs = theirs || plan->begins == type;
    for (const ServicePlan::Reaction& reaction : plan->reactions) {
      if (reaction.then != type && reaction.otherwise != type) continue;
      theirs = true;
      answered |= set_of(reaction.on);
    }
  }
  return theirs ? static_cast<std::int64_t>(answered) : -1;
}

void Applications::start() {
  for (Service* const service : started_here_) service->start();
  for (const auto& relay : relays_) relay->start();
  for (const auto& gateway : gateways_) gateway->start();
}

void Applications::stop_arrivals() {
  for (const auto& service : services_) service->stop_arrivals();
  for (const auto& gateway : gateways_) gateway->stop_arrivals();
}

bool Applications::idle() const {
  return std::all_of(services_.begin(), services_.end(), [](const auto& s) { return s->idle(); }) &&
         std::all_of(databases_.begin(), databases_.end(),
                     [](const auto& d) { return !d.second->node().up() || d.second->idle(); }) &&
         std::all_of(relays_.begin(), relays_.end(),
                     [](const auto& r) { return !r->running() || r->idle(); }) &&
         std::all_of(gateways_.begin(), gateways_.end(), [](const auto& g) { return g->idle(); });
}

}  // namespace models
