#include "models/kafka/operations.hpp"

#include <algorithm>

#include "models/kafka/broker/controller.hpp"
#include "models/scenario_error.hpp"

namespace models::kafka {
namespace {

std::optional<ConfigError> set_all(TopicConfig& config, const BrokerConfig& broker,
                                   const TopicSettings& settings) {
  for (const auto& [key, value] : settings) {
    if (auto error = set(config, key, value)) return error;
  }
  return validate(config, broker);
}

}  // namespace

Controller* office(Cluster& cluster) {
  Controller* const active = cluster.active_controller();
  return active == nullptr || active->node().paused() ? nullptr : active;
}

std::function<bool()> altering(Cluster& cluster, TopicIndex topic, const std::string& path,
                               const TopicSettings& settings) {
  for (const auto& [key, value] : settings) {
    if (key == "remote.storage.enable")
      throw ScenarioError(path + "." + key,
                          "is as the topic begins: mqlab neither enables nor disables it later");
  }
  TopicConfig tried = cluster.topic(topic).config;
  if (const auto error = set_all(tried, cluster.options().config, settings))
    throw ScenarioError(path + "." + error->key, error->message);
  return [&cluster, topic, settings] {
    Controller* const active = office(cluster);
    if (active == nullptr) return false;
    TopicConfig next = active->config(topic);
    // INVALID_CONFIG: beside what others have set since it makes no sense.
    return !set_all(next, cluster.options().config, settings) && active->alter_config(topic, next);
  };
}

bool would_compact(const TopicSettings& settings) {
  return std::any_of(settings.begin(), settings.end(), [](const auto& setting) {
    return setting.first == "cleanup.policy" && setting.second.find("compact") != std::string::npos;
  });
}

}  // namespace models::kafka
