// What a group cannot process, and what it does with it.
#pragma once

#include "experiments/scenario/keys.hpp"
#include "experiments/scenario/misfit.hpp"
#include "models/scenario.hpp"

namespace experiments {

const Section& poison_section();
models::PoisonOptions bind_poison(const Value& v);

/// The first thing that does not fit together of what groups hand on to retry topics and dead letter topics.
FoundMisfit retry_misfit(const models::Scenario& scenario);

}  // namespace experiments
