#include "experiments/scenario/unused_keys.hpp"

#include "experiments/scenario/paths.hpp"

namespace experiments {
namespace {

bool given(const Value& checked, const std::string& path) {
  return look_up(checked, Path::parse(path, checked.place)) != nullptr;
}

}  // namespace

FoundMisfit unused_key(const models::Scenario& s, const Value& checked) {
  if (given(checked, "registry") && s.subjects.empty())
    return Misfit{"registry", "knows no schemas: [[subjects]] say which there are"};
  for (const models::GatewayOptions& gateway : s.gateways) {
    const std::string puback = join_path("gateways", gateway.name) + ".puback";
    if (gateway.qos == 0 && given(checked, puback))
      return Misfit{puback, "is for qos = 1: with QoS 0 there is none"};
  }
  return {};
}

}  // namespace experiments
