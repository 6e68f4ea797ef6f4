// Whether the databases, services and relays of a scenario fit together.
#pragma once

#include <optional>
#include <string>

#include "models/scenario.hpp"

namespace experiments {

struct Misfit {
  std::string path;
  std::string message;
};
/// The first that is found.
std::optional<Misfit> application_misfit(const models::Scenario& scenario);

}  // namespace experiments
