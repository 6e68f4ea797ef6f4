#include "experiments/scenario/unused_keys.hpp"

#include <algorithm>

#include "experiments/scenario/paths.hpp"

namespace experiments {
namespace {

using models::GroupOptions;
using models::Scenario;

bool given(const Value& checked, const std::string& path) {
  return look_up(checked, Path::parse(path, checked.place)) != nullptr;
}

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

FoundMisfit of(const std::string& path, const GroupOptions& g) {
  if (!g.transform) return {};
  if (g.streams && holds(g.topics, g.transform->to))
    return Misfit{path + ".streams.changelog",
                  "is what the group reads: each change would make another one, without end"};
  if (g.transform->aborts >= 1)
    return Misfit{path + ".transform.aborts", "must be below 1: what is aborted is done again, without end"};
  return {};
}

FoundMisfit saga(const models::SagaOptions& s, const Value& checked) {
  if (given(checked, "saga") && s.succeeds.empty() && s.fails.empty())
    return Misfit{"saga", "judges nothing: `succeeds` and `fails` name types of facts"};
  for (const std::string& fact : s.fails) {
    if (holds(s.succeeds, fact)) return Misfit{"saga.fails", "and `succeeds` both name '" + fact + "'"};
  }
  return {};
}

}  // namespace

FoundMisfit unused_key(const Scenario& s, const Value& checked) {
  if (given(checked, "registry") && s.subjects.empty())
    return Misfit{"registry", "knows no schemas: [[subjects]] say which there are"};
  if (given(checked, "registry") && s.registry.timeout.count() <= 0)
    return Misfit{"registry.timeout", "must be above 0: nothing would ever be answered in time"};
  for (const models::GatewayOptions& gateway : s.gateways) {
    const std::string puback = join_path("gateways", gateway.name) + ".puback";
    if (gateway.qos == 0 && given(checked, puback))
      return Misfit{puback, "is for qos = 1: with QoS 0 there is none"};
  }
  for (const GroupOptions& group : s.groups) {
    if (auto wrong = of(join_path("groups", group.name), group)) return wrong;
  }
  if (given(checked, "kafka.disk.size") && s.kafka->disk.size <= 0)
    return Misfit{"kafka.disk.size", "must be above 0: nothing would fit"};
  return saga(s.saga, checked);
}

}  // namespace experiments
