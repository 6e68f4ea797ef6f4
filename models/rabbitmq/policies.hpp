// Policies and operator policies: what they make of the arguments of queues and exchanges (rabbit_policy.erl,
// rabbit_policies.erl, rabbit_queue_type_util:args_policy_lookup). Pure.
//
// Of all policies whose pattern matches a queue's name one applies, that of the highest priority, and one operator policy
// beside it. They are not added up with others: what the one says counts, whatever those say. Of the two and of the queue's own
// arguments the lower number counts; a dead letter exchange is the queue's own where it has one; an overflow is the operator's
// before the policy's, and of classic queues the argument's before both, of quorum queues after them.
#pragma once

#include <string>

#include "models/rabbitmq/options.hpp"

namespace models::rabbitmq {

/// Whether the pattern, a regular expression, is found in a name.
/// Model: ECMAScript's regular expressions (std::regex); RabbitMQ's are PCRE's, which have more.
bool pattern_matches(const std::string& pattern, const std::string& name);
/// What is wrong with a pattern; empty: nothing.
std::string pattern_error(const std::string& pattern);

/// The policy of those that applies to the queue; null: none. Of equal priorities the first.
const PolicyOptions* policy_of(const QueueOptions& queue, const std::vector<PolicyOptions>& policies);
const PolicyOptions* policy_of(const ExchangeOptions& exchange, const std::vector<PolicyOptions>& policies);

/// rabbit_policy:merge_operator_definitions
PolicyDefinition merged(const PolicyDefinition& policy, const PolicyDefinition& by_operator);

/// The same broker with queues and exchanges that have as arguments what policies and arguments say together, and no policies.
BrokerOptions with_policies(BrokerOptions options);

}  // namespace models::rabbitmq
