// What a fault can reach of a node, by the kind of thing that runs there. What it cannot is refused: a fault that strikes without
// effect would be taken for a system that withstands it.
#pragma once

#include <string_view>

#include "models/faults/catalogue.hpp"

namespace models {

enum class Reach {
  links,       ///< its requests go over the network
  answers,     ///< others connect to it, and are answered
  heartbeats,  ///< it sends some
};

/// Throws ScenarioError at `key` ("target", "other") when nothing that the fault can hit there has it. Requires a name that is
/// one of a node, of a role, or of several nodes.
void check_reach(const FaultBinding& binding, std::string_view key, Reach reach);

}  // namespace models
