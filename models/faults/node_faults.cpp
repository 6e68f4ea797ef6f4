#include "models/faults/node_faults.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "models/faults/reach.hpp"
#include "models/network/network.hpp"
#include "models/scenario_error.hpp"

namespace models::faults {
namespace {

/// A fault that does `act` to a node that `fits`, and `heal` afterwards.
template <class Fits, class Act, class Heal>
Striker on_node(const FaultBinding& binding, Fits fits, Act act, Heal heal) {
  return [&binding, target = binding.targets.resolve(binding.key("target"), binding.spec.target), fits, act,
          heal]() -> std::optional<Strike> {
    Node* const node = target.pick(binding.choice, fits);
    if (node == nullptr) return std::nullopt;
    Strike strike;
    strike.actor = node->entity();
    strike.act = [node, act](const std::function<void()>&) { act(*node); };
    strike.heal = [node, heal] { heal(*node); };
    return strike;
  };
}

bool can_withdraw(const Node& node) {
  return node.program() != nullptr && node.program()->can_withdraw();
}

void check_can_withdraw(const FaultBinding& binding) {
  const FaultTarget target = binding.targets.resolve(binding.key("target"), binding.spec.target);
  for (const Node* const node : target.nodes()) {
    if (can_withdraw(*node)) continue;
    throw ScenarioError(binding.key("target"),
                        "'" + node->name() + "' cannot join or leave: only members of groups do");
  }
}

bool can_shut_down(const Node& node) {
  return node.program() != nullptr && node.program()->can_shut_down();
}

void check_can_shut_down(const FaultBinding& binding) {
  const FaultTarget target = binding.targets.resolve(binding.key("target"), binding.spec.target);
  for (const Node* const node : target.nodes()) {
    if (can_shut_down(*node)) continue;
    throw ScenarioError(
        binding.key("target"),
        "'" + node->name() + "' cannot be restarted in an orderly way: brokers and members can");
  }
}

Strike orderly_restart(Node& node) {
  Strike strike;
  strike.actor = node.entity();
  strike.act = [&node](const std::function<void()>&) { node.program()->shut_down(); };
  strike.heal = [&node] { node.program()->start_up(); };
  return strike;
}

/// Without `for` the member stays as the fault left it.
Striker stays(Striker striker) {
  return [striker = std::move(striker)] {
    std::optional<Strike> strike = striker();
    if (strike) strike->heals_by_itself = false;
    return strike;
  };
}

}  // namespace

Striker crash(const FaultBinding& binding) {
  Striker striker = on_node(
      binding, [](const Node& node) { return node.up(); }, [](Node& node) { node.crash(); },
      [](Node& node) { node.restart(); });
  return [&binding, striker = std::move(striker)] {
    std::optional<Strike> strike = striker();
    if (strike) {
      const EntityKind kind = binding.context.entities[strike->actor].kind;
      strike->heals_by_itself =
          kind == EntityKind::broker || kind == EntityKind::controller || kind == EntityKind::store;
    }
    return strike;
  };
}

Striker power_loss(const FaultBinding& binding) {
  // A node or a role is hit by itself, any other name stands for all that are there.
  std::vector<Node*> there = binding.targets.found_at(binding.context.network, binding.spec.target);
  if (there.empty()) {
    return on_node(
        binding, [](const Node& node) { return node.up(); }, [](Node& node) { node.lose_power(); },
        [](Node& node) { node.restart(); });
  }
  const EntityId known = binding.context.entities.find(binding.spec.target);
  const EntityId entity =
      known == EntityId{} ? binding.context.entities.add(EntityKind::link, binding.spec.target) : known;
  return [there = std::move(there), entity]() -> std::optional<Strike> {
    std::vector<Node*> hit;
    std::copy_if(there.begin(), there.end(), std::back_inserter(hit),
                 [](const Node* node) { return node->up(); });
    if (hit.empty()) return std::nullopt;
    Strike strike;
    strike.actor = entity;
    strike.act = [hit](const std::function<void()>&) {
      for (Node* const node : hit) node->lose_power();
    };
    strike.heal = [hit] {
      for (Node* const node : hit) node->restart();
    };
    return strike;
  };
}

Striker pause(const FaultBinding& binding) {
  return on_node(
      binding, [](const Node& node) { return node.up() && !node.paused(); }, [](Node& node) { node.pause(); },
      [](Node& node) { node.resume(); });
}

Striker heartbeat_loss(const FaultBinding& binding) {
  check_reach(binding, "target", Reach::heartbeats);
  return on_node(
      binding, [](const Node& node) { return !node.heartbeats_lost(); },
      [](Node& node) { node.set_heartbeats_lost(true); },
      [](Node& node) { node.set_heartbeats_lost(false); });
}

Striker slowdown(const FaultBinding& binding) {
  const double factor = binding.spec.factor;
  if (factor <= 0)
    throw ScenarioError(binding.key("factor"), "is missing: how many times as long work takes");
  const FaultTarget target = binding.targets.resolve(binding.key("target"), binding.spec.target);
  for (const Node* const node : target.nodes()) {
    if (node->program() != nullptr && node->program()->takes_time()) continue;
    throw ScenarioError(
        binding.key("target"),
        "nothing that '" + node->name() +
            "' does takes time: brokers have [kafka.service], members and "
            "dependencies a `service`, databases their transactions; a producer's send() takes "
            "none, and its messages come when they come");
  }
  return on_node(
      binding, [](const Node&) { return true; }, [factor](Node& node) { node.slow_down(factor); },
      [factor](Node& node) { node.speed_up(factor); });
}

Striker clock_skew(const FaultBinding& binding) {
  const FaultSpec& spec = binding.spec;
  const sim::Duration by = spec.ahead.value_or(sim::Duration{}) - spec.behind.value_or(sim::Duration{});
  if (by == sim::Duration{})
    throw ScenarioError(binding.key("ahead"), "is missing: how far the clock is ahead, or `behind`");
  const FaultTarget target = binding.targets.resolve(binding.key("target"), spec.target);
  for (const Node* const node : target.nodes()) {
    if (node->program() != nullptr && node->program()->reads_wall_clock()) continue;
    throw ScenarioError(binding.key("target"),
                        "'" + node->name() +
                            "' does nothing by the wall clock here: brokers, producers and members of groups "
                            "do (of controllers the sessions of "
                            "brokers go by the monotonic clock, and the next message of another voter sets a "
                            "timer of the quorum anew before "
                            "it is looked at)");
  }
  return on_node(
      binding, [](const Node&) { return true; }, [by](Node& node) { node.step_clock(by); },
      [by](Node& node) { node.step_clock(-by); });
}

Striker join(const FaultBinding& binding) {
  check_can_withdraw(binding);
  return stays(on_node(
      binding, [](const Node& node) { return node.up() && can_withdraw(node); },
      [](Node& node) { node.program()->take_part(); }, [](Node& node) { node.program()->withdraw(); }));
}

Striker leave(const FaultBinding& binding) {
  check_can_withdraw(binding);
  return stays(on_node(
      binding, [](const Node& node) { return node.up() && can_withdraw(node); },
      [](Node& node) { node.program()->withdraw(); }, [](Node& node) { node.program()->take_part(); }));
}

Striker restart(const FaultBinding& binding) {
  check_can_shut_down(binding);
  return [&binding, target = binding.targets.resolve(binding.key("target"),
                                                     binding.spec.target)]() -> std::optional<Strike> {
    Node* const node = target.pick(binding.choice, [](const Node& n) { return n.up() && can_shut_down(n); });
    if (node == nullptr) return std::nullopt;
    return orderly_restart(*node);
  };
}

Striker rolling(const FaultBinding& binding) {
  check_can_shut_down(binding);
  if (binding.spec.every) throw ScenarioError(binding.key("rate"), "a rolling restart begins at one moment");
  if (!binding.spec.duration) throw ScenarioError(binding.key("for"), "is missing: how long each is down");
  const FaultTarget target = binding.targets.resolve(binding.key("target"), binding.spec.target);
  if (target.is_role()) throw ScenarioError(binding.key("target"), "names no brokers or members");
  const std::vector<Node*> nodes = target.nodes();
  return [&binding, nodes, next = std::size_t{0}]() mutable -> std::optional<Strike> {
    // Who is down already is passed over.
    while (next < nodes.size() && !nodes[next]->up()) ++next;
    if (next == nodes.size()) return std::nullopt;
    Strike strike = orderly_restart(*nodes[next++]);
    if (next < nodes.size()) strike.again = binding.spec.gap.value_or(sim::Duration{});
    return strike;
  };
}

}  // namespace models::faults
