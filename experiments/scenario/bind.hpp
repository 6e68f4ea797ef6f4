// From a checked tree to models::Scenario.
#pragma once

#include "experiments/scenario/keys.hpp"
#include "experiments/scenario/value.hpp"
#include "models/scenario.hpp"

namespace experiments {

/// `checked` is a whole file after check_table(); what selects or judges runs ([sweep], [[variant]],
/// [[expect]]) is left aside.
/// A producer whose file says nothing of enable.idempotence loses it when other settings rule it out, as Kafka's
/// does (models::kafka::turn_off_idempotence).
models::Scenario bind_scenario(const Value& checked, const BindContext& context);

/// Does the table of a producer say itself what enable.idempotence is?
bool asks_for_idempotence(const Value& producer);

}  // namespace experiments
