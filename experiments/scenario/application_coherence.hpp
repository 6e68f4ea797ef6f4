// Whether the databases, services and relays of a scenario fit together.
#pragma once

#include "experiments/scenario/misfit.hpp"
#include "models/scenario.hpp"

namespace experiments {

/// The first that is found.
FoundMisfit application_misfit(const models::Scenario& scenario);

}  // namespace experiments
