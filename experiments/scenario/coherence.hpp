// What no single key shows: names that must exist, numbers that must fit each other.
#pragma once

#include "experiments/scenario/value.hpp"
#include "models/scenario.hpp"

namespace experiments {

/// Throws BadScenario at the key to blame: a topic that does not exist, 12 replicas on 3 brokers, settings
/// that Kafka refuses together, two things of one name. `checked` is the tree that `scenario` was bound from.
void check_coherence(const Value& checked, const models::Scenario& scenario);

}  // namespace experiments
