#include "experiments/scenario/bind.hpp"

#include "experiments/scenario/key_tables.hpp"

namespace experiments {

bool asks_for_idempotence(const Value& producer) {
  const Value* config = producer.find("config");
  return config != nullptr && config->find("enable.idempotence") != nullptr;
}

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
  if (const Value* v = checked.find("producers")) {
    for (const Value& item : v->items) {
      bind_rows(item, producer_rows(), out.producers.emplace_back(), context);
      if (!asks_for_idempotence(item)) models::kafka::turn_off_idempotence(out.producers.back().config);
    }
  }
  if (const Value* v = checked.find("groups")) {
    for (const Value& item : v->items) {
      models::GroupOptions& group = out.groups.emplace_back();
      bind_rows(item, group_rows(), group, context);
      if (group.transform && !asks_for_idempotence(*item.find("transform")))
        models::kafka::turn_off_idempotence(group.transform->config);
    }
  }
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
