#include "models/faults/link_faults.hpp"

#include <memory>

#include "models/faults/reach.hpp"
#include "models/network/network.hpp"
#include "models/scenario_error.hpp"

namespace models::faults {
namespace {

/// One end of a link: a node that is picked at each strike, or hosts that stand for a host, rack, zone or
/// region.
struct End {
  std::optional<FaultTarget> node;
  std::vector<HostId> hosts;
  EntityId entity{};
};

/// The entity of that name; made as a link's end where the scenario has none.
EntityId end_entity(Entities& entities, const std::string& name) {
  const EntityId known = entities.find(name);
  return known == EntityId{} ? entities.add(EntityKind::link, name) : known;
}

End resolve_end(const FaultBinding& binding, std::string_view key, const std::string& name) {
  End end;
  end.hosts = binding.context.network.hosts_at(name);
  if (binding.targets.find(name) == nullptr && !end.hosts.empty()) {
    end.entity = end_entity(binding.context.entities, name);
  } else {
    end.node = binding.targets.resolve(binding.key(key), name);
    check_reach(binding, key, Reach::links);
  }
  return end;
}

/// Where the end is now: false when nobody plays its role.
bool locate(End& end, sim::Stream& choice) {
  if (!end.node) return true;
  const Node* const node = end.node->pick(choice, [](const Node&) { return true; });
  if (node == nullptr) return false;
  end.hosts = {node->host()};
  end.entity = node->entity();
  return true;
}

/// Impairs the routes between the spec's ends as `harm` says. Does not strike again while it lasts.
Striker on_link(const FaultBinding& binding, const Impairment& harm) {
  const FaultSpec& spec = binding.spec;
  Impairment impairment = harm;
  impairment.one_way = spec.one_way;
  impairment.cable = binding.context.network.find_cable(spec.target, spec.other);
  if (impairment.cable && spec.one_way) {
    throw ScenarioError(binding.key("one_way"), "a cable of the topology is hit in both directions");
  }
  End target, other;
  if (impairment.cable) {
    target.entity = end_entity(binding.context.entities, spec.target);
    other.entity = end_entity(binding.context.entities, spec.other);
  } else {
    target = resolve_end(binding, "target", spec.target);
    if (!spec.other.empty()) other = resolve_end(binding, "other", spec.other);
  }
  return [&binding, impairment, target, other,
          lasts = std::make_shared<bool>(false)]() mutable -> std::optional<Strike> {
    if (*lasts || !locate(target, binding.choice) || !locate(other, binding.choice)) return std::nullopt;
    impairment.from = target.hosts;
    impairment.to = other.hosts;
    Network& network = binding.context.network;
    const auto id = std::make_shared<ImpairmentId>();
    Strike strike;
    strike.actor = target.entity;
    strike.place = other.entity;
    strike.act = [&network, impairment, id, lasts](const std::function<void()>&) {
      *lasts = true;
      *id = network.impair(impairment);
    };
    strike.heal = [&network, id, lasts] {
      *lasts = false;
      network.heal(*id);
    };
    return strike;
  };
}

}  // namespace

Striker link_cut(const FaultBinding& binding) {
  if (binding.spec.other.empty()) {
    throw ScenarioError(binding.key("other"), "is missing: a link has two ends (or use kind = \"isolate\")");
  }
  Impairment harm;
  harm.cut = true;
  return on_link(binding, harm);
}

Striker isolate(const FaultBinding& binding) {
  Impairment harm;
  harm.cut = true;
  return on_link(binding, harm);
}

Striker message_loss(const FaultBinding& binding) {
  if (!(binding.spec.probability > 0 && binding.spec.probability <= 1)) {
    throw ScenarioError(binding.key("probability"), "the probability of a loss is above 0 and at most 1");
  }
  Impairment harm;
  harm.loss = binding.spec.probability;
  return on_link(binding, harm);
}

Striker delay(const FaultBinding& binding) {
  if (!binding.spec.delay)
    throw ScenarioError(binding.key("delay"), "is missing: how much longer a segment takes");
  Impairment harm;
  harm.delay = binding.spec.delay;
  return on_link(binding, harm);
}

Striker bandwidth(const FaultBinding& binding) {
  if (!(binding.spec.bandwidth_bits_per_s > 0)) {
    throw ScenarioError(binding.key("bandwidth"),
                        "is missing or not positive: what is left of the bandwidth");
  }
  Impairment harm;
  harm.bandwidth_bits_per_s = binding.spec.bandwidth_bits_per_s;
  return on_link(binding, harm);
}

}  // namespace models::faults
