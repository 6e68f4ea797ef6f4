// The settings of a mirror, by the names of MirrorMaker 2 (MirrorConnectorConfig.java, MirrorSourceConfig.java,
// MirrorCheckpointConfig.java) and of its Connect worker.
#pragma once

#include <vector>

#include "models/kafka/config.hpp"

namespace models::kafka {

void append_mirror_keys(std::vector<KeyInfo>& rows);

}  // namespace models::kafka
