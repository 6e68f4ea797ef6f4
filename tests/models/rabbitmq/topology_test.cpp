#include "models/rabbitmq/topology.hpp"

#include "models/scenario_error.hpp"
#include "tests/catch.hpp"

using namespace models::rabbitmq;

namespace {

/// Names of the queues that a message reaches.
std::vector<std::string> reached(const BrokerOptions& options, const std::string& exchange,
                                 const std::string& key, const Headers& headers = {}) {
  const Topology topology(options);
  std::vector<std::string> names;
  for (const QueueIndex q : topology.route(*topology.find_exchange(exchange), key, headers))
    names.push_back(topology.queue(q).name);
  return names;
}

using Names = std::vector<std::string>;

BrokerOptions three_queues() {
  BrokerOptions options;
  options.queues = {{"a"}, {"b"}, {"c"}};
  return options;
}

}  // namespace

TEST_CASE("the default exchange takes a message to the queue that its routing key names", "[rabbitmq]") {
  CHECK(reached(three_queues(), "", "b") == Names{"b"});
  CHECK(reached(three_queues(), "", "nobody").empty());
}

TEST_CASE("a direct exchange compares keys, a fanout exchange takes all", "[rabbitmq]") {
  BrokerOptions options = three_queues();
  options.exchanges = {{"d", ExchangeType::direct}, {"f", ExchangeType::fanout}};
  options.bindings = {
      {"d", "a", false, "red"}, {"d", "b", false, "blue"}, {"f", "a", false, "red"}, {"f", "c"}};
  CHECK(reached(options, "d", "red") == Names{"a"});
  CHECK(reached(options, "d", "green").empty());
  CHECK(reached(options, "f", "green") == Names{"a", "c"});
}

TEST_CASE("in a topic * is one word and # any number of them", "[rabbitmq]") {
  CHECK(topic_matches("order.*.paid", "order.eu.paid"));
  CHECK_FALSE(topic_matches("order.*.paid", "order.paid"));
  CHECK_FALSE(topic_matches("order.*", "order.eu.paid"));
  CHECK(topic_matches("order.#", "order"));
  CHECK(topic_matches("order.#", "order.eu.paid"));
  CHECK(topic_matches("#.paid", "order.eu.paid"));
  CHECK(topic_matches("#.paid", "paid"));
  CHECK_FALSE(topic_matches("#.paid", "order.eu"));
  CHECK(topic_matches("#", ""));
  CHECK_FALSE(topic_matches("*", ""));
  CHECK(topic_matches("a.#.b.#", "a.b"));
  CHECK(topic_matches("a.#.b.#", "a.x.b.y.z"));
  CHECK_FALSE(topic_matches("a.#.b.#", "a.x.y"));
}

TEST_CASE("a headers exchange wants all or any, and leaves names out that begin with x", "[rabbitmq]") {
  const Headers wanted{{"format", "pdf"}, {"type", "report"}};
  CHECK(headers_match(wanted, false, {{"type", "report"}, {"format", "pdf"}, {"lang", "en"}}));
  CHECK_FALSE(headers_match(wanted, false, {{"format", "pdf"}}));
  CHECK(headers_match(wanted, true, {{"format", "pdf"}}));
  CHECK_FALSE(headers_match(wanted, true, {{"format", "txt"}}));
  CHECK(headers_match({{"x-trace", "1"}}, false, {}));
  CHECK_FALSE(headers_match({}, true, {{"format", "pdf"}}));
}

TEST_CASE("a queue that several bindings match gets one copy", "[rabbitmq]") {
  BrokerOptions options = three_queues();
  options.exchanges = {{"t", ExchangeType::topic}};
  options.bindings = {{"t", "a", false, "order.*"}, {"t", "a", false, "#"}, {"t", "b", false, "order.eu"}};
  CHECK(reached(options, "t", "order.eu") == Names{"a", "b"});
}

TEST_CASE("exchanges lead to exchanges, and circles end", "[rabbitmq]") {
  BrokerOptions options = three_queues();
  options.exchanges = {{"one", ExchangeType::fanout}, {"two", ExchangeType::fanout}};
  options.bindings = {{"one", "two", true}, {"two", "one", true}, {"one", "a"}, {"two", "a"}, {"two", "b"}};
  CHECK(reached(options, "one", "") == Names{"a", "b"});
}

TEST_CASE("what matches no binding goes to the alternate exchange, and only that", "[rabbitmq]") {
  BrokerOptions options = three_queues();
  options.exchanges = {{"main", ExchangeType::direct, "rest"}, {"rest", ExchangeType::fanout}};
  options.bindings = {{"main", "a", false, "known"}, {"rest", "c"}};
  CHECK(reached(options, "main", "known") == Names{"a"});
  CHECK(reached(options, "main", "other") == Names{"c"});
}

TEST_CASE("bindings that RabbitMQ would refuse are refused", "[rabbitmq]") {
  BrokerOptions options = three_queues();
  options.exchanges = {{"t", ExchangeType::topic}};
  const auto refused = [&](const BindingOptions& binding) {
    options.bindings = {binding};
    CHECK_THROWS_AS(Topology(options), models::ScenarioError);
  };
  refused({"", "a", false, "a"});
  refused({"t", "nobody", false, "a"});
  refused({"nobody", "a", false, "a"});
  refused({"t", "a", false, "#.x.#.y.#"});
  options.bindings = {{"t", "a", false, "#.x.#"}};
  CHECK_NOTHROW(Topology(options));
}
