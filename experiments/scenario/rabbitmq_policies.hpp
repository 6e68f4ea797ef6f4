// The tables [[rabbitmq.policies]] and [[rabbitmq.operator_policies]].
#pragma once

#include "experiments/scenario/keys.hpp"
#include "experiments/scenario/misfit.hpp"
#include "models/rabbitmq/options.hpp"

namespace experiments {

const std::vector<Row<models::rabbitmq::PolicyDefinition>>& definition_rows();
const std::vector<Row<models::rabbitmq::PolicyOptions>>& rabbitmq_policy_rows();

/// A policy that RabbitMQ would not take.
FoundMisfit policy_misfit(const models::rabbitmq::BrokerOptions& broker, const Value& checked);

}  // namespace experiments
