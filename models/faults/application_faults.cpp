#include "models/faults/application_faults.hpp"

#include "models/scenario_error.hpp"

namespace models::faults {

Striker failover(const FaultBinding& binding) {
  const FaultTargets::Application& application =
      binding.targets.resolve_application(binding.key("target"), binding.spec.target);
  if (binding.spec.duration)
    throw ScenarioError(binding.key("for"), "means nothing here: there is no way back");
  return [&application]() -> std::optional<Strike> {
    Strike strike;
    strike.actor = application.entity;
    strike.later = true;
    strike.instant = true;
    strike.act = [&application](const std::function<void()>& struck) {
      if (application.fail_over()) struck();
    };
    strike.heal = [] {};
    return strike;
  };
}

Striker wrong_schema(const FaultBinding& binding) {
  const FaultTargets::Writer& writer =
      binding.targets.resolve_writer(binding.key("target"), binding.spec.target);
  if (binding.spec.version.empty())
    throw ScenarioError(binding.key("version"), "is missing: what the messages are written with");
  if (binding.spec.duration)
    throw ScenarioError(binding.key("for"), "means nothing here: `messages` says how many they are");
  return [&writer, &spec = binding.spec]() -> std::optional<Strike> {
    Strike strike;
    strike.actor = writer.entity;
    strike.later = true;
    strike.instant = true;
    strike.act = [&writer, &spec](const std::function<void()>& struck) {
      if (writer.write_wrong(spec.version, spec.messages.value_or(1))) struck();
    };
    strike.heal = [] {};
    return strike;
  };
}

Striker deny_delivery(const FaultBinding& binding) {
  const FaultTargets::Subscription& subscription =
      binding.targets.resolve_subscription(binding.key("target"), binding.spec.target);
  return [&subscription]() -> std::optional<Strike> {
    Strike strike;
    strike.actor = subscription.entity;
    strike.act = [&subscription](const std::function<void()>&) { subscription.deny(true); };
    strike.heal = [&subscription] { subscription.deny(false); };
    return strike;
  };
}

}  // namespace models::faults
