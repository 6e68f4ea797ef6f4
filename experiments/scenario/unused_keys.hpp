// Keys that are given, and right by themselves, and would have no effect, or one without end: what they go with is absent.
#pragma once

#include "experiments/scenario/misfit.hpp"
#include "experiments/scenario/value.hpp"
#include "models/scenario.hpp"

namespace experiments {

FoundMisfit unused_key(const models::Scenario& scenario, const Value& checked);

}  // namespace experiments
