#include "models/faults/topic_faults.hpp"

#include "models/scenario_error.hpp"

namespace models::faults {

Striker grow(const FaultBinding& binding) {
  const FaultTargets::Topic& topic =
      binding.targets.resolve_topic(binding.key("target"), binding.spec.target);
  if (!binding.spec.partitions) {
    throw ScenarioError(binding.key("partitions"), "is missing: how many the topic has then");
  }
  if (binding.spec.duration) {
    throw ScenarioError(binding.key("for"), "means nothing here: partitions are never taken back");
  }
  const std::int32_t count = *binding.spec.partitions;
  if (count <= topic.partitions) {
    throw ScenarioError(binding.key("partitions"), "the topic has " + std::to_string(topic.partitions) +
                                                       " already, and partitions are never taken back");
  }
  return [&topic, count]() -> std::optional<Strike> {
    Strike strike;
    strike.actor = topic.entity;
    strike.later = true;
    strike.instant = true;
    strike.act = [&topic, count](const std::function<void()>& struck) {
      if (topic.grow(count)) struck();
    };
    strike.heal = [] {};
    return strike;
  };
}

}  // namespace models::faults
