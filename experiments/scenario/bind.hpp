// From a checked tree to models::Scenario.
#pragma once

#include "experiments/scenario/keys.hpp"
#include "experiments/scenario/value.hpp"
#include "models/scenario.hpp"

namespace experiments {

/// `checked` is a whole file after check_table(); what selects or judges runs ([sweep], [[variant]],
/// [[expect]]) is left aside.
models::Scenario bind_scenario(const Value& checked, const BindContext& context);

}  // namespace experiments
