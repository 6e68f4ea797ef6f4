// RabbitMQ's definitions (rabbitmqctl export_definitions, /api/definitions) as a scenario file.
//
// Read are exchanges, queues, bindings and policies of one virtual host, and of the parameters the operator policies alone. What
// else an export holds (users, password hashes, permissions, other parameters with their URIs and tokens) is not looked at and so
// cannot come out. What mqlab does not model is left out and named.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/scenario/value.hpp"

namespace experiments {

struct DefinitionsScenario {
  std::string toml;
  std::vector<std::string> left_out;  ///< a line each, by name
};

/// `vhost`: which one, needed where the export has several. `name` is the scenario's. Throws BadScenario at the place in the
/// export that is wrong, UsageError for a virtual host that is to be chosen or is not there.
DefinitionsScenario scenario_of_definitions(const Value& document, const std::optional<std::string>& vhost,
                                            const std::string& name);

}  // namespace experiments
