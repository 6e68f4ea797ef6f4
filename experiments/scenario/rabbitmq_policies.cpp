#include "experiments/scenario/rabbitmq_policies.hpp"

#include "experiments/scenario/paths.hpp"
#include "experiments/scenario/table_parts.hpp"
#include "models/rabbitmq/policies.hpp"

namespace experiments {
namespace {

using models::rabbitmq::ApplyTo;
using models::rabbitmq::Overflow;
using models::rabbitmq::PolicyDefinition;
using models::rabbitmq::PolicyOptions;

Row<PolicyDefinition> refused(std::string_view name, std::string_view why) {
  return {{name, KeyType::refused, why}, [](const Value&, PolicyDefinition&, const BindContext&) {}};
}

sim::Duration milliseconds(const Value& v) {
  return std::chrono::milliseconds{v.integer};
}

}  // namespace

const std::vector<Row<PolicyDefinition>>& definition_rows() {
  static const std::vector<Row<PolicyDefinition>> rows{
      {{"message-ttl", KeyType::integer, "ms, as x-message-ttl: the lower of all counts", "", false, 0, 1e12},
       [](const Value& v, PolicyDefinition& d, const BindContext&) { d.message_ttl = milliseconds(v); }},
      {{"expires", KeyType::integer, "ms, as x-expires: the lower of all counts", "", false, 1, 1e12},
       [](const Value& v, PolicyDefinition& d, const BindContext&) { d.expires = milliseconds(v); }},
      {{"max-length", KeyType::integer, "messages, as x-max-length: the lower of all counts", "", false, 0,
        1e12},
       [](const Value& v, PolicyDefinition& d, const BindContext&) { d.max_length = v.integer; }},
      {{"max-length-bytes", KeyType::integer, "as x-max-length-bytes: the lower of all counts", "", false, 0,
        1e15},
       [](const Value& v, PolicyDefinition& d, const BindContext&) { d.max_length_bytes = v.integer; }},
      {choice_key("overflow",
                  "as x-overflow, which counts before it in classic queues, and behind it in quorum queues",
                  "", {"drop-head", "reject-publish", "reject-publish-dlx"}),
       [](const Value& v, PolicyDefinition& d, const BindContext&) {
         d.overflow = v.text == "drop-head"        ? Overflow::drop_head
                      : v.text == "reject-publish" ? Overflow::reject_publish
                                                   : Overflow::reject_publish_dlx;
       }},
      {{"dead-letter-exchange", KeyType::text, "as x-dead-letter-exchange, which counts before it"},
       [](const Value& v, PolicyDefinition& d, const BindContext&) { d.dead_letter_exchange = v.text; }},
      {{"dead-letter-routing-key", KeyType::text, "as x-dead-letter-routing-key, which counts before it"},
       [](const Value& v, PolicyDefinition& d, const BindContext&) { d.dead_letter_routing_key = v.text; }},
      {{"alternate-exchange", KeyType::name, "of exchanges: as their own, which counts before it"},
       [](const Value& v, PolicyDefinition& d, const BindContext&) { d.alternate_exchange = v.text; }},
      {{"consumer-timeout", KeyType::integer, "ms, as x-consumer-timeout: the lower of both", "", false, 0,
        1e12},
       [](const Value& v, PolicyDefinition& d, const BindContext&) { d.consumer_timeout = milliseconds(v); }},
      {{"delivery-limit", KeyType::integer,
        "of quorum queues, as x-delivery-limit: the lower of both that are limits", "", false, -1, 1e9},
       [](const Value& v, PolicyDefinition& d, const BindContext&) { d.delivery_limit = v.integer; }},
      {choice_key("dead-letter-strategy",
                  "of quorum queues, as x-dead-letter-strategy, which counts before it", "",
                  {"at-most-once", "at-least-once"}),
       [](const Value& v, PolicyDefinition& d, const BindContext&) {
         d.dead_letter_at_least_once = v.text == "at-least-once";
       }},
      {choice_key("queue-mode", "of classic queues: lazy and default are the same since 3.12", "",
                  {"default", "lazy"}),
       [](const Value&, PolicyDefinition& d, const BindContext&) { d.queue_mode = true; }},
      refused("queue-version", "the storage of version 2 is modelled, for all classic queues"),
      refused("max-in-memory-length", "nothing heeds it since 3.10"),
      refused("max-in-memory-bytes", "nothing heeds it since 3.10"),
      refused("target-group-size", "members do not come and go by themselves"),
      refused("consumer-disconnected-timeout", "is a setting of rabbitmq.conf alone here"),
      refused("delayed-retry-type", "is an argument of queues alone here: x-delayed-retry-type"),
      refused("delayed-retry-min", "is an argument of queues alone here: x-delayed-retry-min"),
      refused("delayed-retry-max", "is an argument of queues alone here: x-delayed-retry-max"),
      refused("queue-leader-locator", "a queue says on which node it is declared: node"),
      refused("queue-master-locator", "a queue says on which node it is declared: node"),
      refused("initial-cluster-size", "is an argument of streams alone here: x-initial-cluster-size"),
      refused("max-age", "is an argument of streams alone here: x-max-age"),
      refused("stream-max-segment-size-bytes", "is an argument of streams alone here"),
      refused("stream-filter-size-bytes", "filters of streams are not modelled"),
      refused("ha-mode", "a queue has its mirrors in a table of its own: mirrors"),
      refused("ha-params", "a queue has its mirrors in a table of its own: mirrors"),
      refused("ha-sync-mode", "a queue has its mirrors in a table of its own: mirrors"),
      refused("ha-sync-batch-size", "mirrors synchronise in one step"),
      refused("ha-promote-on-failure", "a queue has its mirrors in a table of its own: mirrors"),
      refused("ha-promote-on-shutdown", "a queue has its mirrors in a table of its own: mirrors"),
      refused("federation-upstream", "federation is not modelled"),
      refused("federation-upstream-set", "federation is not modelled"),
      refused("federation-upstream-pattern", "federation is not modelled"),
  };
  return rows;
}

const std::vector<Row<PolicyOptions>>& rabbitmq_policy_rows() {
  static const Section definition = section_of("what it gives", definition_rows());
  static const std::vector<Row<PolicyOptions>> rows{
      {{"name", KeyType::name, "the policy's name", "", true},
       [](const Value& v, PolicyOptions& p, const BindContext&) { p.name = v.text; }},
      {{"pattern", KeyType::text, "a regular expression, found somewhere in the names that it is for", "",
        true},
       [](const Value& v, PolicyOptions& p, const BindContext&) { p.pattern = v.text; }},
      {choice_key("apply-to", "what it is for", "\"all\"",
                  {"all", "queues", "classic_queues", "quorum_queues", "streams", "exchanges"}),
       [](const Value& v, PolicyOptions& p, const BindContext&) {
         p.apply_to = v.text == "queues"           ? ApplyTo::queues
                      : v.text == "classic_queues" ? ApplyTo::classic_queues
                      : v.text == "quorum_queues"  ? ApplyTo::quorum_queues
                      : v.text == "streams"        ? ApplyTo::streams
                      : v.text == "exchanges"      ? ApplyTo::exchanges
                                                   : ApplyTo::all;
       }},
      {{"priority", KeyType::integer, "of those that match one name the highest applies, and no other", "0",
        false, -1e9, 1e9},
       [](const Value& v, PolicyOptions& p, const BindContext&) { p.priority = whole<std::int32_t>(v); }},
      {table_key("definition", "what it gives", definition),
       [](const Value& v, PolicyOptions& p, const BindContext& c) {
         bind_rows(v, definition_rows(), p.definition, c);
       }},
  };
  return rows;
}

FoundMisfit policy_misfit(const models::rabbitmq::BrokerOptions& broker, const Value& checked) {
  for (const bool by_operator : {false, true}) {
    const std::string tables = by_operator ? "rabbitmq.operator_policies" : "rabbitmq.policies";
    const auto& policies = by_operator ? broker.operator_policies : broker.policies;
    for (std::size_t i = 0; i < policies.size(); ++i) {
      const std::string path = join_path(tables, policies[i].name);
      if (const std::string wrong = models::rabbitmq::pattern_error(policies[i].pattern); !wrong.empty())
        return Misfit{path + ".pattern", "is no regular expression: " + wrong};
      const Value* const table =
          checked.find("rabbitmq")->find(by_operator ? "operator_policies" : "policies");
      const Value* const definition = table->items[i].find("definition");
      if (definition == nullptr || definition->members.empty())
        return Misfit{path, "has no definition: no policy provided"};
      if (!by_operator) continue;
      // operator_policy_validator (rabbit_policies.erl); overflow since 3.13
      for (const auto& [key, value] : definition->members) {
        const bool known = key == "expires" || key == "message-ttl" || key == "max-length" ||
                           key == "max-length-bytes" || key == "delivery-limit" ||
                           (key == "overflow" && broker.version != "3.12");
        if (!known) return Misfit{path + ".definition." + key, "is no key of operator policies"};
      }
    }
  }
  return std::nullopt;
}

}  // namespace experiments
