// Keys of [[bridges]], and what of them makes no sense together.
#pragma once

#include <vector>

#include "experiments/scenario/keys.hpp"
#include "experiments/scenario/misfit.hpp"

namespace experiments {

const std::vector<Row<models::BridgeOptions>>& bridge_rows();
FoundMisfit bridge_misfit(const Value& checked, const models::Scenario& scenario);

}  // namespace experiments
