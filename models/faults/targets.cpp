#include "models/faults/targets.hpp"

#include <algorithm>
#include <string>

#include "models/near_miss.hpp"
#include "models/network/network.hpp"
#include "models/scenario_error.hpp"

namespace models {

Node* FaultTarget::pick(sim::Stream& choice, const std::function<bool(const Node&)>& fits) const {
  if (role_) {
    Node* const node = role_();
    return node != nullptr && fits(*node) ? node : nullptr;
  }
  std::vector<Node*> candidates;
  for (Node* const node : nodes_) {
    if (fits(*node)) candidates.push_back(node);
  }
  if (candidates.empty()) return nullptr;
  return candidates.size() == 1 ? candidates.front() : candidates[choice.uniform_int(candidates.size())];
}

Node* FaultTargets::find(std::string_view name) const {
  for (Node* const node : nodes_) {
    if (node->name() == name) return node;
  }
  return nullptr;
}

FaultTarget FaultTargets::resolve(const std::string& path, const std::string& name) const {
  if (Node* const node = find(name)) return FaultTarget(std::vector<Node*>{node});
  if (const auto role = roles_.find(name); role != roles_.end()) return role->second;
  if (name.size() > 2 && name.substr(name.size() - 2) == "/*") {
    const std::string prefix = name.substr(0, name.size() - 1);
    std::vector<Node*> members;
    for (Node* const node : nodes_) {
      if (node->name().compare(0, prefix.size(), prefix) == 0) members.push_back(node);
    }
    if (!members.empty()) return FaultTarget(std::move(members));
  }
  unknown(path, name);
}

std::vector<Node*> FaultTargets::found_at(const Network& network, std::string_view name) const {
  std::vector<Node*> found;
  if (name.empty() || find(name) != nullptr || roles_.find(name) != roles_.end()) return found;
  const std::vector<HostId> hosts = network.hosts_at(name);
  const std::string prefix = std::string(name) + "/";
  for (Node* const node : nodes_) {
    const bool there = std::find(hosts.begin(), hosts.end(), node->host()) != hosts.end();
    if (there || node->name().compare(0, prefix.size(), prefix) == 0) found.push_back(node);
  }
  return found;
}

Node& FaultTargets::resolve_node(const std::string& path, const std::string& name) const {
  if (Node* const node = find(name)) return *node;
  unknown(path, name);
}

const FaultTargets::Topic& FaultTargets::resolve_topic(const std::string& path,
                                                       const std::string& name) const {
  if (const auto topic = topics_.find(name); topic != topics_.end()) return topic->second;
  std::vector<std::string_view> known;
  for (const auto& [topic, row] : topics_) known.push_back(topic);
  throw ScenarioError(path, "there is no topic called '" + name + "'" + did_you_mean(name, known));
}

const FaultTargets::Application& FaultTargets::resolve_application(const std::string& path,
                                                                   const std::string& name) const {
  if (const auto found = applications_.find(name); found != applications_.end()) return found->second;
  std::vector<std::string_view> known;
  for (const auto& [application, row] : applications_) known.push_back(application);
  throw ScenarioError(path, "'" + name + "' has nowhere to go: `failover` of a producer or group says where" +
                                did_you_mean(name, known));
}

const FaultTargets::Writer& FaultTargets::resolve_writer(const std::string& path,
                                                         const std::string& name) const {
  if (const auto found = writers_.find(name); found != writers_.end()) return found->second;
  std::vector<std::string_view> known;
  for (const auto& [writer, row] : writers_) known.push_back(writer);
  throw ScenarioError(path, "there is no producer '" + name + "'" + did_you_mean(name, known));
}

const FaultTargets::Subscription& FaultTargets::resolve_subscription(const std::string& path,
                                                                     const std::string& name) const {
  if (const auto found = subscriptions_.find(name); found != subscriptions_.end()) return found->second;
  std::vector<std::string_view> known;
  for (const auto& [subscription, row] : subscriptions_) known.push_back(subscription);
  throw ScenarioError(path, "there is no subscription '" + name + "' in [sns]" + did_you_mean(name, known));
}

void FaultTargets::unknown(const std::string& path, const std::string& name) const {
  if (name.empty()) throw ScenarioError(path, "is missing: name a node, as in 'kafka/0' or 'billing/1'");
  std::vector<std::string_view> known;
  for (const Node* const node : nodes_) known.push_back(node->name());
  for (const auto& [role, player] : roles_) known.push_back(role);
  throw ScenarioError(path, "nothing here is called '" + name + "'" + did_you_mean(name, known));
}

}  // namespace models
