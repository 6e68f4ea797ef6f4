// Whether what regulates load fits together.
#pragma once

#include "experiments/scenario/misfit.hpp"
#include "models/scenario.hpp"

namespace experiments {

/// The first that is found.
FoundMisfit flow_misfit(const models::Scenario& scenario);

}  // namespace experiments
