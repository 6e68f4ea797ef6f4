#include "models/rabbitmq/policies.hpp"

#include <algorithm>
#include <regex>
#include <utility>

namespace models::rabbitmq {
namespace {

/// Keys that a queue's type does not know keep the whole policy from applying (rabbit_queue_type:is_policy_applicable, and
/// `unsupported_policies` of each type).
bool applicable(const QueueOptions& queue, const PolicyDefinition& d) {
  const bool of_quorum = d.delivery_limit || d.dead_letter_at_least_once;
  if (queue.arguments.type == QueueType::classic) return !of_quorum;
  if (queue.arguments.type == QueueType::quorum) return !d.queue_mode;
  return !of_quorum && !d.message_ttl && !d.expires && !d.max_length && !d.overflow &&
         !d.dead_letter_exchange && !d.dead_letter_routing_key && !d.queue_mode;
}

bool reaches(const QueueOptions& queue, ApplyTo to) {
  switch (to) {
    case ApplyTo::all:
    case ApplyTo::queues:
      return true;
    case ApplyTo::classic_queues:
      return queue.arguments.type == QueueType::classic;
    case ApplyTo::quorum_queues:
      return queue.arguments.type == QueueType::quorum;
    case ApplyTo::streams:
      return queue.arguments.type == QueueType::stream;
    case ApplyTo::exchanges:
      break;
  }
  return false;
}

template <class Matches>
const PolicyOptions* highest(const std::vector<PolicyOptions>& policies, Matches matches) {
  const PolicyOptions* best = nullptr;
  for (const PolicyOptions& policy : policies) {
    if ((best == nullptr || policy.priority > best->priority) && matches(policy)) best = &policy;
  }
  return best;
}

template <class T>
std::optional<T> lower(const std::optional<T>& a, const std::optional<T>& b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

/// The first that is there.
template <class T>
std::optional<T> first_of(const std::optional<T>& a, const std::optional<T>& b) {
  return a ? a : b;
}

/// The lower; but -1 is no limit at all, and where one of them is that the other counts.
std::optional<std::int64_t> lower_limit(const std::optional<std::int64_t>& a,
                                        const std::optional<std::int64_t>& b) {
  if (a && b && (*a < 0 || *b < 0)) return std::max(*a, *b);
  return lower(a, b);
}

void resolve(QueueArguments& a, const PolicyDefinition& d) {
  a.message_ttl = lower(a.message_ttl, d.message_ttl);
  a.expires = lower(a.expires, d.expires);
  a.max_length = lower(a.max_length, d.max_length);
  a.max_length_bytes = lower(a.max_length_bytes, d.max_length_bytes);
  a.consumer_timeout = lower(a.consumer_timeout, d.consumer_timeout);
  a.dead_letter_exchange = first_of(a.dead_letter_exchange, d.dead_letter_exchange);
  a.dead_letter_routing_key = first_of(a.dead_letter_routing_key, d.dead_letter_routing_key);
  // rabbit_amqqueue_process: res_arg; rabbit_quorum_queue: policy_has_precedence
  if (d.overflow && (!a.overflow_given || a.type != QueueType::classic)) a.overflow = *d.overflow;
  a.delivery_limit = lower_limit(a.delivery_limit, d.delivery_limit);
  if (d.dead_letter_at_least_once && !a.strategy_given) a.at_least_once = *d.dead_letter_at_least_once;
  // rabbit_quorum_queue, dlh: "falling back to dead-letter-strategy at-most-once", with a warning in its log; without an exchange
  // there are no dead letters at all.
  if (a.overflow != Overflow::reject_publish || !a.dead_letter_exchange) a.at_least_once = false;
}

}  // namespace

bool pattern_matches(const std::string& pattern, const std::string& name) {
  return std::regex_search(name, std::regex(pattern));
}

std::string pattern_error(const std::string& pattern) {
  try {
    const std::regex compiled(pattern);
    return {};
  } catch (const std::regex_error& error) {
    return error.what();
  }
}

const PolicyOptions* policy_of(const QueueOptions& queue, const std::vector<PolicyOptions>& policies) {
  return highest(policies, [&queue](const PolicyOptions& policy) {
    return reaches(queue, policy.apply_to) && applicable(queue, policy.definition) &&
           pattern_matches(policy.pattern, queue.name);
  });
}

const PolicyOptions* policy_of(const ExchangeOptions& exchange, const std::vector<PolicyOptions>& policies) {
  return highest(policies, [&exchange](const PolicyOptions& policy) {
    return (policy.apply_to == ApplyTo::all || policy.apply_to == ApplyTo::exchanges) &&
           pattern_matches(policy.pattern, exchange.name);
  });
}

PolicyDefinition merged(const PolicyDefinition& policy, const PolicyDefinition& by_operator) {
  PolicyDefinition out = policy;
  out.message_ttl = lower(policy.message_ttl, by_operator.message_ttl);
  out.expires = lower(policy.expires, by_operator.expires);
  out.max_length = lower(policy.max_length, by_operator.max_length);
  out.max_length_bytes = lower(policy.max_length_bytes, by_operator.max_length_bytes);
  out.delivery_limit = lower_limit(policy.delivery_limit, by_operator.delivery_limit);
  out.overflow = first_of(by_operator.overflow, policy.overflow);
  return out;
}

BrokerOptions with_policies(BrokerOptions options) {
  const std::vector<PolicyOptions> policies = std::exchange(options.policies, {});
  const std::vector<PolicyOptions> by_operators = std::exchange(options.operator_policies, {});
  for (QueueOptions& queue : options.queues) {
    const PolicyOptions* const policy = policy_of(queue, policies);
    const PolicyOptions* const by_operator = policy_of(queue, by_operators);
    resolve(queue.arguments, merged(policy == nullptr ? PolicyDefinition{} : policy->definition,
                                    by_operator == nullptr ? PolicyDefinition{} : by_operator->definition));
  }
  for (ExchangeOptions& exchange : options.exchanges) {
    const PolicyOptions* const policy = policy_of(exchange, policies);
    if (policy != nullptr && exchange.alternate_exchange.empty())
      exchange.alternate_exchange = policy->definition.alternate_exchange.value_or("");
  }
  return options;
}

}  // namespace models::rabbitmq
