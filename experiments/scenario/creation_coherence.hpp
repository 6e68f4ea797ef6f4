// Whether what is created while a run lasts fits together: topics, partitions, and who may create them.
#pragma once

#include "experiments/scenario/misfit.hpp"
#include "models/scenario.hpp"

namespace experiments {

/// The first that is found.
FoundMisfit creation_misfit(const models::Scenario& scenario);

}  // namespace experiments
