// Producers and groups for an imported topology, for want of what definitions do not say: who publishes, and who consumes.
#pragma once

#include <string>

#include "experiments/definitions/topology_text.hpp"

namespace experiments {

/// A producer for each exchange that messages come in by, and for each queue that nothing leads to; a group for each queue that
/// is to be read.
std::string clients_text(const TopologyText& topology);

}  // namespace experiments
