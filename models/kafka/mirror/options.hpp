// A mirror between two clusters as plain data (MirrorMaker 2: connect/mirror).
#pragma once

#include <string>
#include <vector>

#include "models/kafka/config.hpp"

namespace models::kafka {

struct MirrorOptions {
  std::string name;
  std::string from = "kafka", to;   ///< clusters
  std::vector<std::string> topics;  ///< of the first
  std::string rack, zone, region;   ///< of the tasks' hosts
  MirrorConfig config;

  /// What a topic of the source is called at the target (DefaultReplicationPolicy.formatRemoteTopic,
  /// IdentityReplicationPolicy).
  std::string remote_topic(const std::string& topic) const {
    return config.identity_policy ? topic : from + "." + topic;
  }
};

}  // namespace models::kafka
