#include "experiments/scenario/creation_coherence.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "experiments/scenario/check.hpp"
#include "experiments/scenario/paths.hpp"

namespace experiments {
namespace {

using models::FaultSpec;
using models::Scenario;
using models::kafka::ClusterOptions;

bool creates(const FaultSpec& fault) {
  return fault.kind == "create-topic" || fault.kind == "grow";
}

std::string path_of(const Scenario& s, const FaultSpec& fault) {
  const auto index = static_cast<std::size_t>(&fault - s.faults.data());
  return fault.name.empty() ? "faults." + std::to_string(index) : join_path("faults", fault.name);
}

std::string path_of(const ClusterOptions& cluster) {
  return cluster.name == "kafka" ? "kafka" : join_path("clusters", cluster.name);
}

FoundMisfit asker(const Scenario& s, const FaultSpec& fault) {
  if (!creates(fault)) return {};
  if (fault.permissive && fault.client.empty())
    return Misfit{path_of(s, fault) + ".permissive", "goes with `client`: an operator has no quota"};
  if (fault.client.empty()) return {};
  std::vector<std::string_view> clients;
  for (const auto& producer : s.producers) clients.push_back(producer.name);
  for (const auto& group : s.groups) clients.push_back(group.name);
  if (std::find(clients.begin(), clients.end(), fault.client) != clients.end()) return {};
  return Misfit{path_of(s, fault) + ".client",
                "'" + fault.client + "' is no producer or group" + hint(fault.client, clients)};
}

/// A topic that does not exist from the start is for producers and groups that read it; others expect theirs to be there.
FoundMisfit users_of_later(const Scenario& s, const FaultSpec& fault) {
  if (fault.kind != "create-topic") return {};
  const std::string& topic = fault.target;
  const auto among = [&topic](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), topic) != names.end();
  };
  const auto wrong = [&](const std::string& whose) {
    return Misfit{path_of(s, fault) + ".target", "is not modelled of a topic that " + whose +
                                                     ": it is there from the start, or is nobody's but "
                                                     "producers' and consumer groups'"};
  };
  for (const models::GroupOptions& group : s.groups) {
    if (among(group.topics) && (group.type == models::GroupType::share || group.streams))
      return wrong("a share group or Streams reads");
    if (group.transform && group.transform->to == topic) return wrong("a group transforms into");
    if (group.calls && group.calls->dead_letters == topic) return wrong("dead letters go to");
  }
  for (const auto& mirror : s.mirrors) {
    if (among(mirror.topics)) return wrong("is mirrored");
  }
  for (const auto& service : s.services) {
    if (among(service.reads) || service.to == topic) return wrong("a service uses");
  }
  for (const auto& relay : s.relays) {
    if (relay.to == topic) return wrong("a relay writes to");
  }
  return {};
}

/// Limits that nobody can come to.
FoundMisfit limits(const Scenario& s, const ClusterOptions& cluster) {
  const bool by_clients = std::any_of(s.faults.begin(), s.faults.end(), [](const FaultSpec& fault) {
    return creates(fault) && !fault.client.empty();
  });
  for (const auto& quota : cluster.quotas) {
    if (quota.controller_mutation_rate <= 0 || by_clients) continue;
    const std::string name = quota.client.value_or("");
    return Misfit{
        join_path(path_of(cluster) + ".quotas", name.empty() ? "*" : name) + ".controller_mutation_rate",
        "has no effect: no fault \"create-topic\" or \"grow\" has a `client`"};
  }
  return {};
}

}  // namespace

FoundMisfit creation_misfit(const Scenario& s) {
  for (const FaultSpec& fault : s.faults) {
    for (const FoundMisfit& wrong : {asker(s, fault), users_of_later(s, fault)}) {
      if (wrong) return wrong;
    }
  }
  if (FoundMisfit wrong = limits(s, *s.kafka)) return wrong;
  for (const ClusterOptions& cluster : s.clusters) {
    if (FoundMisfit wrong = limits(s, cluster)) return wrong;
  }
  return {};
}

}  // namespace experiments
