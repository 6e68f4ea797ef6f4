// RabbitMQ's definitions as scenarios: what comes out, what does not, and what is refused.
#include "experiments/definitions/definitions.hpp"

#include <sstream>

#include "experiments/commands/commands.hpp"
#include "experiments/definitions/json_document.hpp"
#include "experiments/errors.hpp"
#include "experiments/scenario/experiment.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments;
using namespace experiments_test;

namespace {

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// As `rabbitmqctl export_definitions` of 3.12 writes it: two virtual hosts, users, permissions, a shovel's secret.
constexpr const char* kOld = R"json({
 "rabbit_version": "3.12.14",
 "rabbitmq_version": "3.12.14",
 "product_name": "RabbitMQ",
 "product_version": "3.12.14",
 "users": [
  {"name": "s3cr3t-admin", "password_hash": "HASHhashHASHhash+/==", "hashing_algorithm": "rabbit_password_hashing_sha256",
   "tags": ["administrator"], "limits": {}}
 ],
 "vhosts": [{"name": "/"}, {"name": "shop"}],
 "permissions": [{"user": "s3cr3t-admin", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
 "topic_permissions": [],
 "parameters": [
  {"value": {"src-uri": "amqp://mover:T0KEN@elsewhere", "src-queue": "a", "dest-queue": "b"},
   "vhost": "shop", "component": "shovel", "name": "mover"},
  {"value": {"apply-to": "queues", "definition": {"max-length": 5000, "message-ttl": 3600000}, "pattern": "^orders",
    "priority": 3},
   "vhost": "shop", "component": "operator_policy", "name": "bounds"}
 ],
 "global_parameters": [{"name": "cluster_name", "value": "rabbit@T0KEN"}],
 "policies": [
  {"vhost": "shop", "name": "dead letters", "pattern": "^orders\\.", "apply-to": "queues",
   "definition": {"dead-letter-exchange": "dead", "ha-mode": "all", "queue-mode": "lazy"}, "priority": 7},
  {"vhost": "shop", "name": "fed", "pattern": "^fed", "apply-to": "exchanges",
   "definition": {"federation-upstream": "amqp://peer:T0KEN@up"}, "priority": 0},
  {"vhost": "/", "name": "other", "pattern": ".*", "apply-to": "all", "definition": {"expires": 1000}, "priority": 0}
 ],
 "queues": [
  {"name": "orders.eu", "vhost": "shop", "durable": true, "auto_delete": false,
   "arguments": {"x-max-length": 1000, "x-overflow": "reject-publish", "x-own": 1}},
  {"name": "orders.us", "vhost": "shop", "durable": true, "auto_delete": false, "arguments": {}},
  {"name": "retry/5s", "vhost": "shop", "durable": true, "auto_delete": false,
   "arguments": {"x-message-ttl": 5000, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "orders.eu"}},
  {"name": "graves", "vhost": "shop", "durable": true, "auto_delete": false, "arguments": {}},
  {"name": "replies", "vhost": "shop", "durable": false, "auto_delete": true, "arguments": {}},
  {"name": "elsewhere", "vhost": "/", "durable": true, "auto_delete": false, "arguments": {}}
 ],
 "exchanges": [
  {"name": "orders", "vhost": "shop", "type": "topic", "durable": true, "auto_delete": false, "internal": false,
   "arguments": {"alternate-exchange": "strays"}},
  {"name": "strays", "vhost": "shop", "type": "fanout", "durable": true, "auto_delete": false, "internal": false,
    "arguments": {}},
  {"name": "dead", "vhost": "shop", "type": "fanout", "durable": true, "auto_delete": false, "internal": false, "arguments": {}},
  {"name": "later", "vhost": "shop", "type": "x-delayed-message", "durable": true, "auto_delete": false, "internal": false,
   "arguments": {"x-delayed-type": "direct"}}
 ],
 "bindings": [
  {"source": "orders", "vhost": "shop", "destination": "orders.eu", "destination_type": "queue",
    "routing_key": "order.eu.#", "arguments": {}},
  {"source": "orders", "vhost": "shop", "destination": "orders.us", "destination_type": "queue",
    "routing_key": "order.us.*", "arguments": {}},
  {"source": "dead", "vhost": "shop", "destination": "graves", "destination_type": "queue", "routing_key": "", "arguments": {}},
  {"source": "amq.headers", "vhost": "shop", "destination": "replies", "destination_type": "queue", "routing_key": "",
   "arguments": {"x-match": "any", "format": "pdf", "pages": 2}},
  {"source": "later", "vhost": "shop", "destination": "orders.us", "destination_type": "queue", "routing_key": "",
    "arguments": {}}
 ]
})json";

/// As 4.1 writes it: of a virtual host with a default queue type, metadata, tags.
constexpr const char* kNew = R"json({
 "rabbitmq_version": "4.1.3", "product_name": "RabbitMQ", "product_version": "4.1.3",
 "rabbitmq_definition_format": "cluster", "original_cluster_name": "rabbit@node-1",
 "explanation": "Definitions of cluster 'rabbit@node-1'",
 "users": [{"name": "guest", "password_hash": "HASHhashHASHhash+/==", "hashing_algorithm": "rabbit_password_hashing_sha256",
  "tags": ["administrator"], "limits": {}}],
 "vhosts": [{"name": "/", "description": "Default virtual host", "metadata": {"description": "Default", "tags": [],
  "default_queue_type": "classic"}, "tags": [], "default_queue_type": "classic"}],
 "permissions": [], "topic_permissions": [], "parameters": [], "global_parameters": [],
 "policies": [{"vhost": "/", "name": "limits", "pattern": "^work", "apply-to": "classic_queues",
  "definition": {"max-length-bytes": 1048576, "overflow": "reject-publish", "consumer-timeout": 600000}, "priority": 0}],
 "queues": [
  {"name": "work", "vhost": "/", "durable": true, "auto_delete": false, "arguments": {"x-queue-type": "classic",
    "x-max-priority": 5}},
  {"name": "session-7", "vhost": "/", "durable": true, "auto_delete": false, "arguments": {"x-expires": 60000}}
 ],
 "exchanges": [{"name": "tasks", "vhost": "/", "type": "direct", "durable": true, "auto_delete": false,
   "internal": false, "arguments": {}}],
 "bindings": [{"source": "tasks", "vhost": "/", "destination": "work", "destination_type": "queue",
   "routing_key": "work", "arguments": {}}]
})json";

DefinitionsScenario made(const std::string& json, const std::optional<std::string>& vhost = std::nullopt) {
  return scenario_of_definitions(parse_json_document(json, "definitions.json"), vhost, "imported");
}

std::string refused(const std::string& json, const std::optional<std::string>& vhost = std::nullopt) {
  try {
    made(json, vhost);
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  REQUIRE(holds(text, from));
  text.replace(text.find(from), from.size(), to);
  return text;
}

models::RunOutcome ran(const std::string& toml) {
  const Resolved resolved = resolve_toml(toml, "imported.toml");
  models::World world(resolved.scenario, 1);
  return world.run();
}

}  // namespace

TEST_CASE("an export of 3.12 makes a scenario that loads and runs and drains") {
  const DefinitionsScenario out = made(kOld, "shop");
  INFO(out.toml);
  CHECK(ran(out.toml).drained);
  const models::Scenario s = resolve_toml(out.toml, "imported.toml").scenario;
  CHECK(s.rabbitmq->version == "3.12");
  REQUIRE(s.rabbitmq->queues.size() == 5);
  CHECK(s.rabbitmq->queues[0].arguments.max_length == 1000);
  CHECK(s.rabbitmq->queues[2].arguments.dead_letter_routing_key == "orders.eu");
  CHECK_FALSE(s.rabbitmq->queues[4].durable);
  CHECK(s.rabbitmq->queues[4].auto_delete);
  CHECK(s.rabbitmq->exchanges[0].alternate_exchange == "strays");
  REQUIRE(s.rabbitmq->policies.size() == 1);
  CHECK(s.rabbitmq->policies[0].priority == 7);
  CHECK(s.rabbitmq->policies[0].definition.dead_letter_exchange == "dead");
  REQUIRE(s.rabbitmq->operator_policies.size() == 1);
  CHECK(s.rabbitmq->operator_policies[0].definition.max_length == 5000);
  REQUIRE(s.rabbitmq->bindings.size() == 4);
  CHECK(s.rabbitmq->bindings[3].any);
  CHECK(s.rabbitmq->bindings[3].headers.size() == 2);
}

TEST_CASE("an export of 4.1 makes a scenario that loads and runs and drains") {
  const DefinitionsScenario out = made(kNew);
  INFO(out.toml);
  CHECK(out.left_out.empty());
  CHECK(ran(out.toml).drained);
  const models::Scenario s = resolve_toml(out.toml, "imported.toml").scenario;
  CHECK(s.rabbitmq->version == "4.1");
  CHECK(s.rabbitmq->queues[1].arguments.expires == std::chrono::seconds{60});
  CHECK(s.rabbitmq->policies[0].definition.overflow == models::rabbitmq::Overflow::reject_publish);
}

TEST_CASE("users, hashes, permissions and the secrets of parameters never come out") {
  for (const DefinitionsScenario& out : {made(kOld, "shop"), made(kNew)}) {
    std::string all = out.toml;
    for (const std::string& line : out.left_out) all += line + '\n';
    for (const char* const secret :
         {"s3cr3t", "HASH", "T0KEN", "guest", "administrator", "amqp://", "mover", "password"})
      CHECK_FALSE(holds(all, secret));
  }
  // Nor where the file is broken just behind one.
  CHECK_FALSE(
      holds(refused(replaced(kOld, "\"HASHhashHASHhash+/==\",", "\"HASHhashHASHhash+/==\"")), "HASH"));
}

TEST_CASE("what is not modelled is left out by its name, in the file and on the screen") {
  const DefinitionsScenario out = made(kOld, "shop");
  const auto named = [&out](const std::string& part) {
    bool said = false;
    for (const std::string& line : out.left_out) said = said || holds(line, part);
    return said && holds(out.toml, "# Left out: ");
  };
  CHECK(named("\"x-own\" of queue \"orders.eu\""));
  CHECK(named("\"ha-mode\" of policy \"dead letters\""));
  CHECK(named("exchange \"later\", of the type \"x-delayed-message\""));
  CHECK(named("binding \"later\" to \"orders.us\""));
  CHECK(named("policy \"fed\""));
}

TEST_CASE("of several virtual hosts one is asked for") {
  CHECK(holds(refused(kOld), "choose one by --vhost"));
  CHECK(holds(refused(kOld, "shpo"), "did you mean 'shop'"));
  CHECK(holds(made(kOld, "/").toml, "\"elsewhere\""));
  CHECK_FALSE(holds(made(kOld, "shop").toml, "\"elsewhere\""));
}

TEST_CASE("a wrong export is refused at its place") {
  CHECK(holds(refused("[]"), "is no export of RabbitMQ's definitions"));
  CHECK(holds(refused("{\n \"queues\": [,]}"), "definitions.json:2:13: no JSON"));
  CHECK(holds(refused("{\"queues\": [{\"durable\": true}]}"),
              "definitions.json:1:13: queues.0: has no 'name'"));
  CHECK(holds(refused("{\"queues\": {}}"), "queues: must be a list"));
  const std::string wrong = refused(replaced(kNew, "\"x-max-priority\": 5", "\"x-max-priority\": 300"));
  CHECK(holds(wrong, "definitions.json:14:"));
  CHECK(holds(wrong, "x-max-priority"));
  CHECK(holds(refused(replaced(kNew, "\"^work\"", "\"^(work\"")), "is no regular expression"));
}

TEST_CASE("JSON is read as it is written") {
  const Value v =
      parse_json_document(R"({"a": "\u00e9\ud83d\ude00\n\"", "b": [1, -2.5e1, true, null], "c": null})", "j");
  CHECK(v.find("a")->text == "\xC3\xA9\xF0\x9F\x98\x80\n\"");
  CHECK(v.find("b")->items.size() == 3);
  CHECK(v.find("b")->items[1].number == -25);
  CHECK(v.find("c") == nullptr);
  for (const char* const bad : {"", "{", "{\"a\" 1}", "[1 2]", "\"a", "\"\\x\"", "\"\\ud800\"", "tru", "1e",
                                "{\"a\":1,\"a\":2}", "[] []"})
    CHECK_THROWS_AS(parse_json_document(bad, "j"), BadScenario);
  CHECK_THROWS_AS(parse_json_document(std::string(100, '['), "j"), BadScenario);
}

TEST_CASE("the command writes a file that runs, or nothing") {
  const TempFolder folder;
  const std::string json = folder.write("my shop.json", kOld);
  const std::string toml = folder.path("shop.toml");
  std::ostringstream out, err;
  CHECK_THROWS_AS(import_command({{json}, toml, {}}, {out, err}), UsageError);
  CHECK_FALSE(std::filesystem::exists(toml));
  CHECK(import_command({{json}, toml, "shop"}, {out, err}) == 0);
  CHECK(holds(err.str(), "left out: \"x-own\""));
  CHECK(holds(folder.read("shop.toml"), "name = \"my_shop\""));
  CHECK_THROWS_AS(import_command({{json}, toml, "shop"}, {out, err}), UsageError);  // it is there
  // An alternate exchange that mqlab does not know: nothing is written.
  const std::string bad = folder.write(
      "bad.json", replaced(kOld, "\"alternate-exchange\": \"strays\"", "\"alternate-exchange\": \"later\""));
  CHECK_THROWS_AS(import_command({{bad}, folder.path("bad.toml"), "shop"}, {out, err}), BadScenario);
  CHECK_FALSE(std::filesystem::exists(folder.path("bad.toml")));
}
