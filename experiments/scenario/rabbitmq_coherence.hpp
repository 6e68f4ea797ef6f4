// What must fit together where RabbitMQ is; and what is left for Kafka's own rules.
#pragma once

#include "experiments/scenario/misfit.hpp"
#include "experiments/scenario/value.hpp"
#include "models/scenario.hpp"

namespace experiments {

/// Requires s.rabbitmq. `checked` says what the file gives.
FoundMisfit rabbitmq_misfit(const Value& checked, const models::Scenario& s);

/// The scenario without RabbitMQ and its clients. It has a Kafka cluster, if only one without topics.
models::Scenario without_rabbitmq(models::Scenario s);

}  // namespace experiments
