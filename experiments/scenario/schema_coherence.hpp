// Whether subjects, and those who use them, fit together.
#pragma once

#include "experiments/scenario/misfit.hpp"
#include "models/scenario.hpp"

namespace experiments {

/// The first that is found.
FoundMisfit schema_misfit(const models::Scenario& scenario);

}  // namespace experiments
