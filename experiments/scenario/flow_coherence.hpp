// Whether what regulates load fits together.
#pragma once

#include "experiments/scenario/misfit.hpp"
#include "experiments/scenario/value.hpp"
#include "models/scenario.hpp"

namespace experiments {

/// The first that is found. `checked` says what was given.
FoundMisfit flow_misfit(const models::Scenario& scenario, const Value& checked);

/// Of the calls of a group that reads a queue. `rejects`: its broker knows messages that are refused for good.
FoundMisfit queue_calls_misfit(const std::string& path, const models::GroupOptions& group,
                               const models::Scenario& scenario, bool rejects);

}  // namespace experiments
