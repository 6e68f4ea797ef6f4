#include "experiments/scenario/bridge_tables.hpp"

#include <algorithm>
#include <set>

#include "experiments/scenario/kafka_keys.hpp"
#include "experiments/scenario/paths.hpp"
#include "experiments/scenario/table_parts.hpp"
#include "experiments/scenario/units.hpp"
#include "models/broker_system.hpp"

namespace experiments {
namespace {

using models::BridgeAck;
using models::BridgeOptions;

Key kafka_settings(std::string_view name, std::string_view about, models::kafka::KeyScope scope) {
  Key key = config_key(about, scope);
  key.name = name;
  return key;
}

FoundMisfit misfit(const Value& table, const models::Scenario& s, const BridgeOptions& b,
                   const std::string& path) {
  if (b.from == b.to) return Misfit{path + ".to", "is where it comes from: a bridge joins two brokers"};
  const bool from_queue = b.from == models::kRabbitMq;
  for (const std::string_view key : {"prefetch", "producer"}) {
    if (!from_queue && table.find(key) != nullptr)
      return Misfit{path + "." + std::string(key), "is of bridges from a queue to a log"};
  }
  if (from_queue && table.find("consumer") != nullptr)
    return Misfit{path + ".consumer", "is of bridges from a log to a queue"};
  if (b.connection.recovery_interval <= sim::Duration{})
    return Misfit{path + ".reconnect_delay", "must be above 0"};
  if (!b.producer.transactional_id.empty())
    return Misfit{path + ".producer.transactional.id", "is not modelled of bridges"};
  if (from_queue) {
    if (const auto wrong = models::kafka::validate(b.producer))
      return Misfit{path + ".producer." + std::string(wrong->key), wrong->message};
  } else if (s.kafka) {
    if (const auto wrong = models::kafka::validate(b.consumer, s.kafka->config))
      return Misfit{path + ".consumer." + std::string(wrong->key), wrong->message};
  }
  return std::nullopt;
}

}  // namespace

const std::vector<Row<BridgeOptions>>& bridge_rows() {
  static const std::vector<Row<BridgeOptions>> rows{
      {{"name", KeyType::name, "also the group that its tasks are, name/0 …", "", true},
       [](const Value& v, BridgeOptions& b, const BindContext&) { b.name = v.text; }},
      {choice_key("from", "whose messages it takes", "\"rabbitmq\"", {"rabbitmq", "kafka"}),
       [](const Value& v, BridgeOptions& b, const BindContext&) { b.from = v.text; }},
      {{"source", KeyType::name, "queue, or topic", "", true},
       [](const Value& v, BridgeOptions& b, const BindContext&) { b.source = v.text; }},
      {choice_key("to", "where it takes them", "\"kafka\"", {"kafka", "rabbitmq"}),
       [](const Value& v, BridgeOptions& b, const BindContext&) { b.to = v.text; }},
      {{"destination", KeyType::name, "topic; or exchange, with this for routing key, or queue", "", true},
       [](const Value& v, BridgeOptions& b, const BindContext&) { b.destination = v.text; }},
      {{"tasks", KeyType::integer, "that share the work", "1", false, 1, 1000},
       [](const Value& v, BridgeOptions& b, const BindContext&) { b.tasks = whole<std::uint32_t>(v); }},
      {choice_key(
           "ack_mode",
           "on-confirm: the source hears of it when the destination has confirmed it; on-publish: when "
           "it was handed to the destination's client; no-ack: before anything was done with it",
           "\"on-confirm\"", {"on-confirm", "on-publish", "no-ack"}),
       [](const Value& v, BridgeOptions& b, const BindContext&) {
         b.ack = v.text == "on-publish" ? BridgeAck::on_publish
                 : v.text == "no-ack"   ? BridgeAck::no_ack
                                        : BridgeAck::on_confirm;
       }},
      {{"prefetch", KeyType::integer,
        "src-prefetch-count: unacknowledged messages of a queue, at most; 0: no limit", "1000", false, 0,
        65535},
       [](const Value& v, BridgeOptions& b, const BindContext&) { b.prefetch = whole<std::uint32_t>(v); }},
      {{"reconnect_delay", KeyType::duration, "from the end of a connection to RabbitMQ to the next attempt",
        "\"5s\""},
       [](const Value& v, BridgeOptions& b, const BindContext&) {
         b.connection.recovery_interval = parse_duration(v.text);
       }},
      {{"heartbeat", KeyType::duration, "of that connection: the lower of it and the broker's counts",
        "\"60s\""},
       [](const Value& v, BridgeOptions& b, const BindContext&) {
         b.connection.heartbeat = parse_duration(v.text);
       }},
      {draw_key("size", "bytes of what it writes", "\"100B\"", Draws::sizes),
       [](const Value& v, BridgeOptions& b, const BindContext&) {
         b.size = make_distribution(v, Draws::sizes);
       }},
      {kafka_settings("producer", "settings of what writes to a topic by Kafka's names",
                      models::kafka::KeyScope::producer),
       [](const Value& v, BridgeOptions& b, const BindContext&) {
         b.producer = bind_kafka_config<models::kafka::ProducerConfig>(v);
       }},
      {kafka_settings("consumer", "settings of what reads a topic by Kafka's names",
                      models::kafka::KeyScope::consumer),
       [](const Value& v, BridgeOptions& b, const BindContext&) {
         b.consumer = bind_kafka_config<models::kafka::ConsumerConfig>(v);
       }},
      {{"rack", KeyType::name, "of its hosts"},
       [](const Value& v, BridgeOptions& b, const BindContext&) { b.rack = v.text; }},
      {{"zone", KeyType::name, "of its hosts"},
       [](const Value& v, BridgeOptions& b, const BindContext&) { b.zone = v.text; }},
      {{"region", KeyType::name, "of its hosts"},
       [](const Value& v, BridgeOptions& b, const BindContext&) { b.region = v.text; }},
  };
  return rows;
}

FoundMisfit bridge_misfit(const Value& checked, const models::Scenario& s) {
  std::set<std::string> taken;
  for (const models::ProducerOptions& p : s.producers) taken.insert(p.name);
  for (const models::GroupOptions& g : s.groups) taken.insert(g.name);
  for (std::size_t i = 0; i < s.bridges.size(); ++i) {
    const BridgeOptions& b = s.bridges[i];
    const std::string path = join_path("bridges", b.name);
    if (!taken.insert(b.name).second || b.name.find('/') != std::string::npos)
      return Misfit{path + ".name", "'" + b.name + "' must be nobody else's name, and hold no slash"};
    if (FoundMisfit wrong = misfit(checked.find("bridges")->items[i], s, b, path)) return wrong;
  }
  return std::nullopt;
}

}  // namespace experiments
