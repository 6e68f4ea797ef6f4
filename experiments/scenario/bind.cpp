#include "experiments/scenario/bind.hpp"

#include "experiments/scenario/flow_tables.hpp"
#include "experiments/scenario/key_tables.hpp"
#include "experiments/scenario/rabbitmq_tables.hpp"
#include "experiments/scenario/schema_tables.hpp"
#include "experiments/scenario/sqs_tables.hpp"
#include "experiments/scenario/versions.hpp"
#include "models/kafka/librdkafka.hpp"

namespace experiments {

bool asks_for_idempotence(const Value& producer) {
  const Value* config = producer.find("config");
  return config != nullptr && config->find("enable.idempotence") != nullptr;
}

namespace {

/// Where it was not asked for and the other settings rule it out.
void turn_off_idempotence(const Value& checked, models::Scenario& out) {
  for (std::size_t i = 0; i < out.producers.size(); ++i) {
    if (!asks_for_idempotence(checked.find("producers")->items[i]))
      models::kafka::turn_off_idempotence(out.producers[i].config);
  }
  for (std::size_t i = 0; i < out.groups.size(); ++i) {
    const Value* const transform = checked.find("groups")->items[i].find("transform");
    if (transform != nullptr && !asks_for_idempotence(*transform))
      models::kafka::turn_off_idempotence(out.groups[i].transform->config);
  }
  for (std::size_t i = 0; i < out.services.size(); ++i) {
    if (!asks_for_idempotence(checked.find("services")->items[i]))
      models::kafka::turn_off_idempotence(out.services[i].config);
  }
  for (std::size_t i = 0; i < out.relays.size(); ++i) {
    if (!asks_for_idempotence(checked.find("relays")->items[i]))
      models::kafka::turn_off_idempotence(out.relays[i].config);
  }
  for (std::size_t i = 0; i < out.gateways.size(); ++i) {
    if (!asks_for_idempotence(checked.find("gateways")->items[i]))
      models::kafka::turn_off_idempotence(out.gateways[i].config);
  }
}

}  // namespace

models::Scenario bind_scenario(const Value& checked, const BindContext& context) {
  models::Scenario out;
  if (const Value* v = checked.find("scenario")) bind_rows(*v, scenario_rows(), out, context);
  if (const Value* v = checked.find("network")) bind_rows(*v, network_rows(), out.network, context);
  if (const Value* v = checked.find("kafka")) bind_rows(*v, kafka_rows(), out.kafka.emplace(), context);
  if (const Value* v = checked.find("clusters")) {
    for (const Value& item : v->items) bind_rows(item, cluster_rows(), out.clusters.emplace_back(), context);
  }
  if (const Value* v = checked.find("mirrors")) {
    for (const Value& item : v->items) bind_rows(item, mirror_rows(), out.mirrors.emplace_back(), context);
  }
  if (const Value* v = checked.find("rabbitmq"))
    bind_rows(*v, rabbitmq_rows(), out.rabbitmq.emplace(), context);
  if (const Value* v = checked.find("sqs")) bind_rows(*v, sqs_rows(), out.sqs.emplace(), context);
  if (const Value* v = checked.find("producers")) {
    for (const Value& item : v->items) {
      bind_rows(item, producer_rows(), out.producers.emplace_back(), context);
      models::kafka::ProducerConfig& config = out.producers.back().config;
      if (config.client == models::kafka::Client::librdkafka) models::kafka::finish_librdkafka(config);
    }
  }
  if (const Value* v = checked.find("groups")) {
    for (const Value& item : v->items) {
      models::GroupOptions& group = out.groups.emplace_back();
      bind_rows(item, group_rows(), group, context);
    }
  }
  if (const Value* v = checked.find("dependencies")) {
    for (const Value& item : v->items)
      bind_rows(item, dependency_rows(), out.dependencies.emplace_back(), context);
  }
  if (const Value* v = checked.find("registry")) bind_rows(*v, registry_rows(), out.registry, context);
  if (const Value* v = checked.find("subjects")) {
    for (const Value& item : v->items) bind_rows(item, subject_rows(), out.subjects.emplace_back(), context);
  }
  if (const Value* v = checked.find("alerts")) bind_rows(*v, alert_rows(), out.alerts.emplace(), context);
  if (const Value* v = checked.find("databases")) {
    for (const Value& item : v->items)
      bind_rows(item, database_rows(), out.databases.emplace_back(), context);
  }
  if (const Value* v = checked.find("services")) {
    for (const Value& item : v->items)
      bind_rows(item, application_service_rows(), out.services.emplace_back(), context);
  }
  if (const Value* v = checked.find("relays")) {
    for (const Value& item : v->items) bind_rows(item, relay_rows(), out.relays.emplace_back(), context);
  }
  if (const Value* v = checked.find("gateways")) {
    for (const Value& item : v->items) bind_rows(item, gateway_rows(), out.gateways.emplace_back(), context);
  }
  if (const Value* v = checked.find("saga")) bind_rows(*v, saga_rows(), out.saga, context);
  set_earlier_defaults(checked, out);
  turn_off_idempotence(checked, out);
  if (const Value* v = checked.find("faults")) {
    for (const Value& item : v->items) bind_rows(item, fault_rows(), out.faults.emplace_back(), context);
  }
  for (models::GroupOptions& group : out.groups) {
    group.config.enable_auto_commit =
        group.commit == models::CommitMode::automatic || group.commit == models::CommitMode::stored;
  }
  return out;
}

}  // namespace experiments
