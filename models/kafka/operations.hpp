// What an operator asks of a cluster by its controller, where that is more than one call.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "models/kafka/cluster.hpp"

namespace models::kafka {

/// By Kafka's names, values as texts.
using TopicSettings = std::vector<std::pair<std::string, std::string>>;

/// Who does what an operator asks for; null: nobody at the moment.
Controller* office(Cluster& cluster);

/// What gives the topic these settings beside those that it has by then; it returns false when nobody takes the request. Throws
/// ScenarioError at `path` for what is no setting of a topic, or makes no sense beside the others.
std::function<bool()> altering(Cluster& cluster, TopicIndex topic, const std::string& path,
                               const TopicSettings& settings);

/// They have the topic compacted.
bool would_compact(const TopicSettings& settings);

}  // namespace models::kafka
