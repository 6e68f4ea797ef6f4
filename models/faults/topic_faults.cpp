#include "models/faults/topic_faults.hpp"

#include <algorithm>
#include <charconv>
#include <memory>

#include "models/scenario_error.hpp"

namespace models::faults {
namespace {

/// What an operator has done to the topic, and is not undone. `act` returns false when there was nothing to be done.
template <class Act>
Striker at_once(const FaultTargets::Topic& topic, Act act) {
  return [&topic, act]() -> std::optional<Strike> {
    Strike strike;
    strike.actor = topic.entity;
    strike.later = true;
    strike.instant = true;
    strike.act = [act](const std::function<void()>& struck) {
      if (act()) struck();
    };
    strike.heal = [] {};
    return strike;
  };
}

}  // namespace

namespace {

using Asker = FaultTargets::Topic::Asker;

/// A request of a client or operator; its connection may not be read for a while, for what it has asked before.
template <class Ask>
Striker asked(const FaultBinding& binding, const FaultTargets::Topic& topic, Ask ask) {
  const Asker asker{binding.spec.client, binding.spec.permissive};
  if (asker.permissive && asker.client.empty())
    throw ScenarioError(binding.key("permissive"), "goes with `client`: an operator has no quota");
  sim::Simulation& simulation = binding.context.simulation;
  return [&topic, &simulation, asker, ask]() -> std::optional<Strike> {
    const auto waiting = std::make_shared<sim::EventHandle>();
    Strike strike;
    strike.actor = topic.entity;
    strike.later = true;
    strike.instant = true;
    strike.act = [&topic, &simulation, asker, ask, waiting](const std::function<void()>& struck) {
      const sim::Duration muted = topic.muted(asker);
      if (muted <= sim::Duration{}) {
        if (ask(asker)) struck();
        return;
      }
      auto later = std::make_shared<std::function<void()>>([ask, asker, struck] {
        if (ask(asker)) struck();
      });
      *waiting = simulation.schedule_after(muted, [later = std::move(later)] { (*later)(); });
    };
    strike.heal = [&simulation, waiting] { simulation.cancel(*waiting); };
    return strike;
  };
}

}  // namespace

Striker create_topic(const FaultBinding& binding) {
  const FaultTargets::Topic& topic =
      binding.targets.resolve_topic(binding.key("target"), binding.spec.target);
  if (binding.spec.duration)
    throw ScenarioError(binding.key("for"), "means nothing here: topics are never deleted");
  return asked(binding, topic, [&topic](const Asker& asker) { return topic.create(asker); });
}

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
  return asked(binding, topic, [&topic, count](const Asker& asker) { return topic.grow(count, asker); });
}

std::int32_t broker_number(const std::string& name, const std::string& cluster) {
  const std::string broker = cluster + "/";
  std::int32_t number = -1;
  if (name.compare(0, broker.size(), broker) != 0) return -1;
  const char* const end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + broker.size(), end, number);
  return error == std::errc{} && stop == end ? number : -1;
}

Striker reassign(const FaultBinding& binding) {
  const FaultTargets::Topic& topic =
      binding.targets.resolve_topic(binding.key("target"), binding.spec.target);
  std::vector<std::int32_t> brokers;
  for (const std::string& name : binding.spec.brokers) brokers.push_back(broker_number(name, topic.cluster));
  if (binding.spec.duration) throw ScenarioError(binding.key("for"), "means nothing here: replicas stay");
  if (static_cast<std::int32_t>(brokers.size()) < topic.replicas) {
    throw ScenarioError(binding.key("brokers"), "names fewer brokers than a partition has replicas");
  }
  for (std::size_t i = 0; i < brokers.size(); ++i) {
    const bool twice = std::find(brokers.begin(), brokers.begin() + static_cast<std::ptrdiff_t>(i),
                                 brokers[i]) != brokers.begin() + static_cast<std::ptrdiff_t>(i);
    if (brokers[i] < 0 || brokers[i] >= topic.brokers || twice) {
      throw ScenarioError(binding.key("brokers"), "each is a broker of the cluster, and named once");
    }
  }
  return at_once(topic,
                 [&binding, &topic, brokers] { return topic.reassign(brokers, binding.spec.throttle); });
}

Striker elect_preferred_leaders(const FaultBinding& binding) {
  const FaultTargets::Topic& topic =
      binding.targets.resolve_topic(binding.key("target"), binding.spec.target);
  if (binding.spec.duration) throw ScenarioError(binding.key("for"), "means nothing here: leaders stay");
  return at_once(topic, [&topic] { return topic.elect_preferred(); });
}

Striker alter_config(const FaultBinding& binding) {
  const FaultTargets::Topic& topic =
      binding.targets.resolve_topic(binding.key("target"), binding.spec.target);
  if (binding.spec.config.empty())
    throw ScenarioError(binding.key("config"), "is missing: the settings, by Kafka's names");
  if (binding.spec.duration)
    throw ScenarioError(binding.key("for"), "means nothing here: settings stay until they are altered again");
  return at_once(topic, topic.alter(binding.key("config"), binding.spec.config));
}

Striker elect_unclean_leaders(const FaultBinding& binding) {
  const FaultTargets::Topic& topic =
      binding.targets.resolve_topic(binding.key("target"), binding.spec.target);
  if (binding.spec.duration) throw ScenarioError(binding.key("for"), "means nothing here: leaders stay");
  return at_once(topic, [&topic] { return topic.elect_unclean(); });
}

Striker delete_records(const FaultBinding& binding) {
  const FaultTargets::Topic& topic =
      binding.targets.resolve_topic(binding.key("target"), binding.spec.target);
  if (binding.spec.duration)
    throw ScenarioError(binding.key("for"), "means nothing here: deleted records never come back");
  return at_once(topic, [&binding, &topic] {
    return topic.delete_records(binding.spec.offset, binding.spec.older_than);
  });
}

}  // namespace models::faults
