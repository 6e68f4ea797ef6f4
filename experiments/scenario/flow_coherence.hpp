// Whether what regulates load fits together.
#pragma once

#include "experiments/scenario/misfit.hpp"
#include "experiments/scenario/value.hpp"
#include "models/scenario.hpp"

namespace experiments {

/// The first that is found. `checked` says what was given.
FoundMisfit flow_misfit(const models::Scenario& scenario, const Value& checked);

}  // namespace experiments
