// Policies and operator policies beside arguments, as RabbitMQ merges them.
#include "models/rabbitmq/policies.hpp"
#include "tests/catch.hpp"
#include "tests/models/rabbitmq/desk.hpp"

using namespace models::rabbitmq;
using models::Metric;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

QueueOptions queue(const std::string& name) {
  QueueOptions q;
  q.name = name;
  return q;
}

PolicyOptions policy(const std::string& pattern, std::int32_t priority, PolicyDefinition definition = {}) {
  PolicyOptions p;
  p.name = pattern + std::to_string(priority);
  p.pattern = pattern;
  p.priority = priority;
  p.definition = std::move(definition);
  return p;
}

PolicyDefinition length(std::int64_t most) {
  PolicyDefinition d;
  d.max_length = most;
  return d;
}

QueueArguments effective(const BrokerOptions& broker) {
  return with_policies(broker).queues.front().arguments;
}

}  // namespace

TEST_CASE("of the policies that match a queue the one of the highest priority applies, and none beside it",
          "[rabbitmq]") {
  PolicyDefinition ttl;
  ttl.message_ttl = seconds{1};
  const std::vector<PolicyOptions> policies{policy("^orders", 1, ttl), policy("eu$", 5, length(10)),
                                            policy(".*", 0)};
  CHECK(policy_of(queue("orders.eu"), policies)->priority == 5);
  CHECK(policy_of(queue("orders.us"), policies)->priority == 1);
  CHECK(policy_of(queue("audit"), policies)->priority == 0);
  BrokerOptions broker;
  broker.queues.push_back(queue("orders.eu"));
  broker.policies = policies;
  CHECK(effective(broker).max_length == 10);
  CHECK_FALSE(effective(broker).message_ttl);
  CHECK(with_policies(broker).policies.empty());
}

TEST_CASE("of equal priorities the first policy applies", "[rabbitmq]") {
  CHECK(
      policy_of(queue("q"), {policy("q", 1, length(1)), policy("q", 1, length(2))})->definition.max_length ==
      1);
}

TEST_CASE("a pattern is found anywhere in a name unless it is anchored", "[rabbitmq]") {
  CHECK(pattern_matches("rder", "orders"));
  CHECK_FALSE(pattern_matches("^rder", "orders"));
  CHECK(pattern_matches("^(?!amq\\.).*", "jobs"));
  CHECK_FALSE(pattern_matches("^(?!amq\\.).*", "amq.gen-1"));
  CHECK(pattern_error("a|b").empty());
  CHECK_FALSE(pattern_error("a(").empty());
}

TEST_CASE("of policy, operator policy and argument the lowest limit counts", "[rabbitmq]") {
  BrokerOptions broker;
  broker.queues.push_back(queue("q"));
  QueueArguments& own = broker.queues.front().arguments;
  own.max_length = 50;
  own.message_ttl = seconds{5};
  broker.policies.push_back(policy("q", 0, length(100)));
  CHECK(effective(broker).max_length == 50);
  broker.policies.front().definition.max_length = 20;
  CHECK(effective(broker).max_length == 20);
  PolicyDefinition by_operator = length(10);
  by_operator.message_ttl = seconds{9};
  by_operator.expires = seconds{60};
  by_operator.max_length_bytes = 1000;
  broker.operator_policies.push_back(policy("q", 0, by_operator));
  CHECK(effective(broker).max_length == 10);
  CHECK(effective(broker).message_ttl == seconds{5});
  CHECK(effective(broker).expires == seconds{60});
  CHECK(effective(broker).max_length_bytes == 1000);
}

TEST_CASE("an overflow is the argument's, else the operator's, else the policy's", "[rabbitmq]") {
  BrokerOptions broker;
  broker.queues.push_back(queue("q"));
  PolicyDefinition d = length(1);
  d.overflow = Overflow::reject_publish;
  broker.policies.push_back(policy("q", 0, d));
  CHECK(effective(broker).overflow == Overflow::reject_publish);
  d.overflow = Overflow::reject_publish_dlx;
  broker.operator_policies.push_back(policy("q", 0, d));
  CHECK(effective(broker).overflow == Overflow::reject_publish_dlx);
  broker.queues.front().arguments.overflow_given = true;
  CHECK(effective(broker).overflow == Overflow::drop_head);
  // rabbit_quorum_queue: policy_has_precedence
  broker.queues.front().arguments.type = QueueType::quorum;
  CHECK(effective(broker).overflow == Overflow::reject_publish_dlx);
}

TEST_CASE("a queue's own dead letter exchange counts before a policy's", "[rabbitmq]") {
  BrokerOptions broker;
  broker.queues.push_back(queue("q"));
  PolicyDefinition d;
  d.dead_letter_exchange = "theirs";
  d.dead_letter_routing_key = "key";
  broker.policies.push_back(policy("q", 0, d));
  CHECK(effective(broker).dead_letter_exchange == "theirs");
  broker.queues.front().arguments.dead_letter_exchange = "mine";
  CHECK(effective(broker).dead_letter_exchange == "mine");
  CHECK(effective(broker).dead_letter_routing_key == "key");
}

TEST_CASE("a delivery limit below 0 is none, and the other one counts", "[rabbitmq]") {
  PolicyDefinition a, b;
  a.delivery_limit = -1;
  b.delivery_limit = 7;
  CHECK(merged(a, b).delivery_limit == 7);
  a.delivery_limit = 3;
  CHECK(merged(a, b).delivery_limit == 3);
}

TEST_CASE("a policy with keys that a queue's type does not know does not apply to it", "[rabbitmq]") {
  PolicyDefinition d = length(5);
  d.delivery_limit = 3;
  QueueOptions classic = queue("q");
  QueueOptions quorum = queue("q");
  quorum.arguments.type = QueueType::quorum;
  CHECK(policy_of(classic, {policy("q", 0, d)}) == nullptr);
  CHECK(policy_of(quorum, {policy("q", 0, d)}) != nullptr);
  PolicyDefinition lazy;
  lazy.queue_mode = true;
  CHECK(policy_of(classic, {policy("q", 0, lazy)}) != nullptr);
  CHECK(policy_of(quorum, {policy("q", 0, lazy)}) == nullptr);
}

TEST_CASE("apply-to says what a policy is for", "[rabbitmq]") {
  std::vector<PolicyOptions> one{policy(".*", 0)};
  QueueOptions quorum = queue("q");
  quorum.arguments.type = QueueType::quorum;
  ExchangeOptions exchange;
  exchange.name = "x";
  const auto reached = [&](ApplyTo to) {
    one.front().apply_to = to;
    return std::string(policy_of(queue("q"), one) != nullptr ? "c" : "") +
           (policy_of(quorum, one) != nullptr ? "q" : "") + (policy_of(exchange, one) != nullptr ? "x" : "");
  };
  CHECK(reached(ApplyTo::all) == "cqx");
  CHECK(reached(ApplyTo::queues) == "cq");
  CHECK(reached(ApplyTo::classic_queues) == "c");
  CHECK(reached(ApplyTo::quorum_queues) == "q");
  CHECK(reached(ApplyTo::exchanges) == "x");
  CHECK(reached(ApplyTo::streams).empty());
}

TEST_CASE("at-least-once without reject-publish or an exchange falls back to at-most-once", "[rabbitmq]") {
  BrokerOptions broker;
  broker.queues.push_back(queue("q"));
  QueueArguments& own = broker.queues.front().arguments;
  own.type = QueueType::quorum;
  own.dead_letter_exchange = "";
  PolicyDefinition d;
  d.dead_letter_at_least_once = true;
  broker.policies.push_back(policy("q", 0, d));
  CHECK_FALSE(effective(broker).at_least_once);
  broker.policies.front().definition.overflow = Overflow::reject_publish;
  CHECK(effective(broker).at_least_once);
  own.dead_letter_exchange.reset();
  CHECK_FALSE(effective(broker).at_least_once);
  own.dead_letter_exchange = "";
  own.strategy_given = true;
  CHECK_FALSE(effective(broker).at_least_once);
}

TEST_CASE("the world tells a stream from a classic queue", "[rabbitmq]") {
  models::Scenario s = rabbitmq_test::desk(1);
  s.groups.clear();
  s.rabbitmq->queues[0].arguments.type = QueueType::stream;
  const rabbitmq_test::Run run(s);
  CHECK(run.world.queues()[0].type == "stream");
}

TEST_CASE("a policy gives an exchange its alternate exchange, unless it has one", "[rabbitmq]") {
  BrokerOptions broker;
  broker.exchanges.resize(2);
  broker.exchanges[0].name = "a";
  broker.exchanges[1].name = "b";
  broker.exchanges[1].alternate_exchange = "own";
  PolicyDefinition d;
  d.alternate_exchange = "strays";
  broker.policies.push_back(policy(".*", 0, d));
  CHECK(with_policies(broker).exchanges[0].alternate_exchange == "strays");
  CHECK(with_policies(broker).exchanges[1].alternate_exchange == "own");
}

TEST_CASE("a policy bounds a queue in a run, and the world lists it by name", "[rabbitmq]") {
  models::Scenario s = rabbitmq_test::desk(100);
  s.groups.clear();
  s.rabbitmq->policies.push_back(policy("^jobs$", 0, length(30)));
  const rabbitmq_test::Run run(s);
  CHECK(run.value(Metric::stored) == 100);
  const auto queues = run.world.queues();
  REQUIRE(queues.size() == 1);
  CHECK(queues[0].ready == 30);
  CHECK(queues[0].policy == "^jobs$0");
  CHECK(queues[0].operator_policy.empty());
  CHECK(queues[0].consumers == 0);
}
