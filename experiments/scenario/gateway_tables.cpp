// Keys of [[gateways]].
#include "experiments/scenario/draws.hpp"
#include "experiments/scenario/kafka_keys.hpp"
#include "experiments/scenario/key_tables.hpp"
#include "experiments/scenario/table_parts.hpp"
#include "experiments/scenario/units.hpp"

namespace experiments {

const std::vector<Row<models::GatewayOptions>>& gateway_rows() {
  using models::GatewayOptions;
  static const std::vector<Row<GatewayOptions>> rows{
      {{"name", KeyType::name, "by which faults, metrics and random streams know it", "", true},
       [](const Value& v, GatewayOptions& g, const BindContext&) { g.name = g.devices.name = v.text; }},
      {{"to", KeyType::name, "topic", "", true},
       [](const Value& v, GatewayOptions& g, const BindContext&) { g.to = v.text; }},
      {{"arrivals", KeyType::arrivals, "when devices publish", "", true},
       [](const Value& v, GatewayOptions& g, const BindContext& c) { make_arrivals(v, g.devices, c); }},
      {{"messages", KeyType::integer, "stop after so many; 0: go on until duration", "0", false, 0, 1e12},
       [](const Value& v, GatewayOptions& g, const BindContext&) {
         g.devices.messages = whole<std::uint64_t>(v);
       }},
      {{"keys", KeyType::keys, "which device it is; one alone unless given"},
       [](const Value& v, GatewayOptions& g, const BindContext&) { g.devices.keys = make_keys(v); }},
      {draw_key("size", "bytes of a message", "\"100B\"", Draws::sizes),
       [](const Value& v, GatewayOptions& g, const BindContext&) {
         g.devices.size = make_distribution(v, Draws::sizes);
       }},
      {{"qos", KeyType::integer, "0: a device forgets what it has published; 1: it keeps it until the PUBACK",
        "1", false, 0, 1},
       [](const Value& v, GatewayOptions& g, const BindContext&) { g.qos = whole<std::uint32_t>(v); }},
      {choice_key("puback", "with QoS 1: as a message comes in, or once Kafka has acknowledged it",
                  "\"stored\"", {"received", "stored"}),
       [](const Value& v, GatewayOptions& g, const BindContext&) {
         g.puback = v.text == "received" ? GatewayOptions::PubAck::received : GatewayOptions::PubAck::stored;
       }},
      {{"queue", KeyType::integer,
        "messages that Kafka has not acknowledged, at most: then QoS 1 waits, and QoS 0 is dropped", "10000",
        false, 1, 1e9},
       [](const Value& v, GatewayOptions& g, const BindContext&) { g.queue = whole<std::uint32_t>(v); }},
      {{"latency", KeyType::duration, "of the devices, one way", "\"20ms\""},
       [](const Value& v, GatewayOptions& g, const BindContext&) { g.latency = parse_duration(v.text); }},
      {{"reconnect", KeyType::duration, "from its return until its devices are back", "\"1s\""},
       [](const Value& v, GatewayOptions& g, const BindContext&) { g.reconnect = parse_duration(v.text); }},
      {{"rack", KeyType::name, "of its host"},
       [](const Value& v, GatewayOptions& g, const BindContext&) { g.rack = v.text; }},
      {{"zone", KeyType::name, "of its host"},
       [](const Value& v, GatewayOptions& g, const BindContext&) { g.zone = v.text; }},
      {{"region", KeyType::name, "of its host"},
       [](const Value& v, GatewayOptions& g, const BindContext&) { g.region = v.text; }},
      {config_key("settings of its producer by Kafka's names", models::kafka::KeyScope::producer),
       [](const Value& v, GatewayOptions& g, const BindContext&) {
         g.config = bind_kafka_config<models::kafka::ProducerConfig>(v);
       }},
  };
  return rows;
}

}  // namespace experiments
