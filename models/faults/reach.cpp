#include "models/faults/reach.hpp"

#include <algorithm>
#include <array>

#include "models/scenario_error.hpp"

namespace models {
namespace {

struct Row {
  EntityKind kind;
  bool links, answers, heartbeats;
};

/// Model: applications wait for a dependency, and brokers for remote storage, for as long as those say; these ways lead over no
/// link.
constexpr std::array kRows{
    Row{EntityKind::broker, true, true, true},
    Row{EntityKind::controller, true, true, false},
    Row{EntityKind::producer, true, false, false},
    Row{EntityKind::member, true, false, true},
    Row{EntityKind::database, true, true, false},
    Row{EntityKind::service, true, false, false},
    Row{EntityKind::relay, true, false, false},
    Row{EntityKind::gateway, true, false, false},
    Row{EntityKind::registry, true, true, false},
    Row{EntityKind::nothing, true, false, false},  // an autoscaler
    Row{EntityKind::dependency, false, false, false},
    Row{EntityKind::store, false, false, false},
};

bool has(EntityKind kind, Reach reach) {
  const auto row = std::find_if(kRows.begin(), kRows.end(), [kind](const Row& r) { return r.kind == kind; });
  if (row == kRows.end()) return false;
  switch (reach) {
    case Reach::links:
      return row->links;
    case Reach::answers:
      return row->answers;
    case Reach::heartbeats:
      return row->heartbeats;
  }
  return false;
}

std::string refusal(const std::string& name, Reach reach) {
  switch (reach) {
    case Reach::links:
      return "'" + name + "' is behind no link of the network: it can crash, or be paused";
    case Reach::answers:
      return "'" + name + "' answers nobody: name the broker whose response gets lost, and '" + name +
             "' as `other`";
    case Reach::heartbeats:
      return "'" + name + "' sends no heartbeats: members of groups and brokers do";
  }
  return {};
}

}  // namespace

void check_reach(const FaultBinding& binding, std::string_view key, Reach reach) {
  const std::string& name = key == "target" ? binding.spec.target : binding.spec.other;
  const FaultTarget target = binding.targets.resolve(binding.key(key), name);
  const bool any = std::any_of(target.nodes().begin(), target.nodes().end(), [&](const Node* node) {
    return has(binding.context.entities[node->entity()].kind, reach) ||
           (reach == Reach::heartbeats && node->program() != nullptr && node->program()->sends_heartbeats());
  });
  if (!any) throw ScenarioError(binding.key(key), refusal(name, reach));
}

}  // namespace models
