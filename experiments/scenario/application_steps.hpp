// Whether the named steps that faults wait for ever happen at databases, services and relays of these kinds.
#pragma once

#include "experiments/scenario/misfit.hpp"
#include "models/scenario.hpp"

namespace experiments {

/// The first that never does.
FoundMisfit application_step_misfit(const models::Scenario& scenario);

}  // namespace experiments
