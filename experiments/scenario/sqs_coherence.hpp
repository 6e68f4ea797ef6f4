// What must fit together where SQS is; and what is left for the other families' rules.
#pragma once

#include "experiments/scenario/misfit.hpp"
#include "experiments/scenario/value.hpp"
#include "models/scenario.hpp"

namespace experiments {

/// Requires s.sqs. `checked` says what the file gives.
FoundMisfit sqs_misfit(const Value& checked, const models::Scenario& s);

/// The scenario without SQS and its clients. It has a Kafka cluster, if only one without topics.
models::Scenario without_sqs(models::Scenario s);

}  // namespace experiments
