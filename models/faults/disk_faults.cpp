#include "models/faults/disk_faults.hpp"

#include "models/disk.hpp"
#include "models/scenario_error.hpp"

namespace models::faults {
namespace {

Disk* disk_of(const Node& node) {
  return node.program() == nullptr ? nullptr : node.program()->disk();
}

template <class Act, class Heal>
Striker on_disk(const FaultBinding& binding, Act act, Heal heal) {
  const FaultTarget target = binding.targets.resolve(binding.key("target"), binding.spec.target);
  for (const Node* const node : target.nodes()) {
    if (disk_of(*node) == nullptr)
      throw ScenarioError(binding.key("target"),
                          "'" + node->name() + "' writes nothing to a disk: brokers do");
  }
  return [&binding, target, act, heal]() -> std::optional<Strike> {
    Node* const node = target.pick(binding.choice, [](const Node& n) { return disk_of(n) != nullptr; });
    if (node == nullptr) return std::nullopt;
    Strike strike;
    strike.actor = node->entity();
    strike.act = [node, act](const std::function<void()>&) { act(*disk_of(*node), *node); };
    strike.heal = [node, heal] { heal(*disk_of(*node), *node); };
    return strike;
  };
}

}  // namespace

Striker disk_slow(const FaultBinding& binding) {
  if (!binding.spec.delay) throw ScenarioError(binding.key("delay"), "is missing: what a write takes longer");
  return on_disk(
      binding, [&binding](Disk& disk, Node&) { disk.slow_down(*binding.spec.delay); },
      [](Disk& disk, Node&) { disk.speed_up(); });
}

Striker disk_stall(const FaultBinding& binding) {
  return on_disk(
      binding, [](Disk& disk, Node&) { disk.stall(); }, [](Disk& disk, Node&) { disk.go_on(); });
}

/// An operator who makes room starts what has died of it.
Striker disk_full(const FaultBinding& binding) {
  return on_disk(
      binding, [](Disk& disk, Node&) { disk.fill(); },
      [](Disk& disk, Node& node) {
        disk.make_room();
        node.restart();
      });
}

Striker disk_loss(const FaultBinding& binding) {
  return on_disk(
      binding,
      [](Disk& disk, Node& node) {
        disk.replace();
        node.lose_power();
      },
      [](Disk&, Node& node) { node.restart(); });
}

}  // namespace models::faults
