#include "models/faults/connection_faults.hpp"

#include <memory>

#include "models/faults/reach.hpp"
#include "models/network/network.hpp"

namespace models::faults {
namespace {

/// The node at the other end; null for anybody.
const Node* other_end(const FaultBinding& binding) {
  if (binding.spec.other.empty()) return nullptr;
  check_reach(binding, "other", Reach::links);
  return &binding.targets.resolve_node(binding.key("other"), binding.spec.other);
}

EntityId entity_of(const Node* node) {
  return node == nullptr ? EntityId{} : node->entity();
}

}  // namespace

Striker response_loss(const FaultBinding& binding) {
  check_reach(binding, "target", Reach::answers);
  return [&binding, target = binding.targets.resolve(binding.key("target"), binding.spec.target),
          client = other_end(binding)]() -> std::optional<Strike> {
    const Node* const server = target.pick(binding.choice, [](const Node& node) { return node.up(); });
    if (server == nullptr) return std::nullopt;
    Network& network = binding.context.network;
    const auto id = std::make_shared<DropId>();
    Strike strike;
    strike.actor = server->entity();
    strike.place = entity_of(client);
    strike.later = true;
    strike.instant = true;
    strike.act = [&network, server, client, id](const std::function<void()>& struck) {
      *id = network.drop_next_response(*server, client, struck);
    };
    strike.heal = [&network, id] { network.cancel_drop(*id); };
    return strike;
  };
}

Striker connection_reset(const FaultBinding& binding) {
  check_reach(binding, "target", Reach::links);
  return [&binding, target = binding.targets.resolve(binding.key("target"), binding.spec.target),
          other = other_end(binding)]() -> std::optional<Strike> {
    const Node* const node = target.pick(binding.choice, [](const Node& n) { return n.up(); });
    if (node == nullptr) return std::nullopt;
    Network& network = binding.context.network;
    Strike strike;
    strike.actor = node->entity();
    strike.place = entity_of(other);
    strike.later = true;
    strike.instant = true;
    strike.act = [&network, node, other](const std::function<void()>& struck) {
      if (network.reset_all(*node, other) > 0) struck();  // its victims hear of it after this callback
    };
    strike.heal = [] {};
    return strike;
  };
}

}  // namespace models::faults
