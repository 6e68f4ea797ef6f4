#include "experiments/scenario/rabbitmq_tables.hpp"

#include <algorithm>

#include "experiments/errors.hpp"
#include "experiments/scenario/rabbitmq_conf.hpp"
#include "experiments/scenario/rabbitmq_policies.hpp"
#include "experiments/scenario/table_parts.hpp"
#include "experiments/scenario/units.hpp"

namespace experiments {
namespace {

using models::rabbitmq::BindingOptions;
using models::rabbitmq::BrokerOptions;
using models::rabbitmq::Config;
using models::rabbitmq::DelayedRetry;
using models::rabbitmq::ExchangeOptions;
using models::rabbitmq::ExchangeType;
using models::rabbitmq::Headers;
using models::rabbitmq::LeaderLocator;
using models::rabbitmq::OffsetTracking;
using models::rabbitmq::Overflow;
using models::rabbitmq::PublisherOptions;
using models::rabbitmq::QueueArguments;
using models::rabbitmq::QueueOptions;
using models::rabbitmq::QueueType;
using models::rabbitmq::StreamConsumerOptions;
using models::rabbitmq::StreamOffset;
using models::rabbitmq::StreamPublisherOptions;
using models::rabbitmq::SubscriberOptions;

QueueType queue_type(const Value& v) {
  return v.text == "quorum" ? QueueType::quorum : v.text == "stream" ? QueueType::stream : QueueType::classic;
}

/// A key that RabbitMQ has and mqlab does not.
template <class Target>
Row<Target> refused(std::string_view name, std::string_view why) {
  return {{name, KeyType::refused, why}, [](const Value&, Target&, const BindContext&) {}};
}

sim::Duration milliseconds(const Value& v) {
  return std::chrono::milliseconds{v.integer};
}

/// rabbit_date_time / rabbit_amqqueue:check_max_age: "7D".
sim::Duration age(const Value& v) {
  static const std::string units = "YMDhms";
  static constexpr std::int64_t kSeconds[] = {31'536'000, 2'592'000, 86'400, 3'600, 60, 1};
  const std::size_t unit = v.text.empty() ? std::string::npos : units.find(v.text.back());
  const std::string number = v.text.substr(0, v.text.empty() ? 0 : v.text.size() - 1);
  if (unit == std::string::npos || number.empty() || number.size() > 8 ||
      number.find_first_not_of("0123456789") != std::string::npos)
    throw BadScenario(v.place, "x-max-age",
                      "'" + v.text + "' must be a number and a unit: Y, M, D, h, m or s, as in \"7D\"");
  return std::chrono::seconds{std::stoll(number) * kSeconds[unit]};
}

/// x-stream-offset: a word, an offset, or an age.
StreamOffset stream_offset(const Value& v) {
  using At = StreamOffset::At;
  if (v.text == "first") return {At::first, 0, {}};
  if (v.text == "last") return {At::last, 0, {}};
  if (v.text == "next") return {At::next, 0, {}};
  if (!v.text.empty() && v.text.size() < 19 && v.text.find_first_not_of("0123456789") == std::string::npos)
    return {At::offset, std::stoll(v.text), {}};
  return {At::ago, 0, age(v)};
}

/// "name=value" each.
Headers headers(const Value& v) {
  Headers out;
  for (const Value& item : v.items) {
    const std::size_t at = item.text.find('=');
    if (at == std::string::npos || at == 0)
      throw BadScenario(item.place, "headers",
                        "'" + item.text + "' must be a name and a value: \"format=pdf\"");
    out.emplace_back(item.text.substr(0, at), item.text.substr(at + 1));
  }
  return out;
}

const std::vector<Row<Config>>& config_rows() {
  static const std::vector<Row<Config>> rows{
      {{"heartbeat", KeyType::integer, "s, proposed to clients; 0: none", "60", false, 0, 65535},
       [](const Value& v, Config& c, const BindContext&) { c.heartbeat = std::chrono::seconds{v.integer}; }},
      {{"consumer_timeout", KeyType::integer,
        "ms after which a channel is closed that has not acknowledged a delivery; of classic queues until "
        "4.2; 0: never",
        "1800000", false, 0, 1e12},
       [](const Value& v, Config& c, const BindContext&) { c.consumer_timeout = milliseconds(v); }},
      {{"total_memory_available_override_value", KeyType::size,
        "memory of each node: what its alarm is a share of; no memory alarms unless given"},
       [](const Value& v, Config& c, const BindContext&) { c.total_memory = parse_size(v.text); }},
      {{"vm_memory_high_watermark.relative", KeyType::share,
        "of its memory: a node that uses more has every publisher's connection blocked; 0.4 until 3.13",
        "0.6"},
       [](const Value& v, Config& c, const BindContext&) { c.memory_watermark = v.as_double(); }},
      {{"vm_memory_high_watermark.absolute", KeyType::size, "the same in bytes, and counts before it"},
       [](const Value& v, Config& c, const BindContext&) { c.memory_watermark_bytes = parse_size(v.text); }},
      {{"disk_free_limit.absolute", KeyType::size,
        "a node with less room on its disk has every publisher's connection blocked, where rabbitmq.disk has "
        "a size",
        "\"50MB\""},
       [](const Value& v, Config& c, const BindContext&) { c.disk_free_limit = parse_size(v.text); }},
      {{"disk_free_limit.relative", KeyType::number,
        "the same as a share of its memory, and counts before it", "", false, 0, 1000},
       [](const Value& v, Config& c, const BindContext&) { c.disk_free_share = v.as_double(); }},
      {{"credit_flow_default_credit", KeyType::numbers,
        "of advanced.config: messages that a channel may send a queue before it hears of it, and after how "
        "many it does",
        "[400, 200]"},
       [](const Value& v, Config& c, const BindContext&) {
         if (v.items.size() != 2 || v.items[0].integer < 1 || v.items[1].integer < 1 ||
             v.items[1].integer > v.items[0].integer)
           throw BadScenario(v.place, "rabbitmq.config.credit_flow_default_credit",
                             "must be the credit, and what more is given, not above it: [400, 200]");
         c.credit = whole<std::uint32_t>(v.items[0]);
         c.credit_more = whole<std::uint32_t>(v.items[1]);
       }},
      refused<Config>("cluster_partition_handling",
                      "there is one node: partitions of clusters are not modelled"),
      refused<Config>("queue_master_locator", "there is one node: where queues are placed is not modelled"),
      refused<Config>("queue_leader_locator", "there is one node: where queues are placed is not modelled"),
      refused<Config>("default_queue_type", "a queue's own `type` or x-queue-type says it"),
      refused<Config>("channel_max", "clients have one channel each"),
      {{"stream.sac_disconnected_timeout", KeyType::integer,
        "ms for which a single active consumer keeps its turn when its node is away "
        "(stream_sac_disconnected_timeout)",
        "60000", false, 0, 1e12},
       [](const Value& v, Config& c, const BindContext&) { c.sac_disconnected_timeout = milliseconds(v); }},
      {{"consumer_disconnected_timeout", KeyType::integer,
        "ms after which a quorum queue takes back what a consumer at a node holds that cannot be reached; "
        "since "
        "4.3",
        "60000", false, 0, 1e12},
       [](const Value& v, Config& c, const BindContext&) {
         c.consumer_disconnected_timeout = milliseconds(v);
       }},
      {{"raft.adaptive_failure_detector.poll_interval", KeyType::integer,
        "ms between two looks of quorum queues' failure detector", "5000", false, 1, 1e9},
       [](const Value& v, Config& c, const BindContext&) { c.detector_poll = milliseconds(v); }},
      refused<Config>("load_definitions", "mqlab import definitions.json makes a scenario of them"),
  };
  return rows;
}

/// Those, and what else rabbitmq.conf has.
Section conf_section() {
  Section section = section_of("rabbitmq.conf", config_rows());
  for (Key& key : other_conf_keys()) {
    const bool known = std::any_of(section.keys.begin(), section.keys.end(),
                                   [&key](const Key& k) { return k.name == key.name; });
    if (!known) section.keys.push_back(std::move(key));
  }
  return section;
}

const std::vector<Row<QueueArguments>>& argument_rows() {
  static const std::vector<Row<QueueArguments>> rows{
      {{"x-message-ttl", KeyType::integer, "ms that a message may wait; it goes when it comes to the head",
        "", false, 0, 1e12},
       [](const Value& v, QueueArguments& a, const BindContext&) { a.message_ttl = milliseconds(v); }},
      {{"x-max-length", KeyType::integer, "messages that may be ready", "", false, 0, 1e12},
       [](const Value& v, QueueArguments& a, const BindContext&) { a.max_length = v.integer; }},
      {{"x-max-length-bytes", KeyType::integer, "bytes of their bodies", "", false, 0, 1e15},
       [](const Value& v, QueueArguments& a, const BindContext&) { a.max_length_bytes = v.integer; }},
      {choice_key("x-overflow", "what a full queue does", "\"drop-head\"",
                  {"drop-head", "reject-publish", "reject-publish-dlx"}),
       [](const Value& v, QueueArguments& a, const BindContext&) {
         a.overflow_given = true;
         a.overflow = v.text == "drop-head"        ? Overflow::drop_head
                      : v.text == "reject-publish" ? Overflow::reject_publish
                                                   : Overflow::reject_publish_dlx;
       }},
      {{"x-dead-letter-exchange", KeyType::text,
        "gets what is rejected, expires or makes room (\"\": the default exchange); thrown away unless "
        "given"},
       [](const Value& v, QueueArguments& a, const BindContext&) { a.dead_letter_exchange = v.text; }},
      {{"x-dead-letter-routing-key", KeyType::text, "with this key; with its own unless given"},
       [](const Value& v, QueueArguments& a, const BindContext&) { a.dead_letter_routing_key = v.text; }},
      {{"x-max-priority", KeyType::integer, "messages have priorities up to this; none unless given", "",
        false, 1, 255},
       [](const Value& v, QueueArguments& a, const BindContext&) {
         a.max_priority = whole<std::uint8_t>(v);
       }},
      {{"x-single-active-consumer", KeyType::boolean, "one consumer gets all, the others stand by", "false"},
       [](const Value& v, QueueArguments& a, const BindContext&) { a.single_active_consumer = v.boolean; }},
      {choice_key("x-queue-type", "what it is", "\"classic\"", {"classic", "quorum", "stream"}),
       [](const Value& v, QueueArguments& a, const BindContext&) { a.type = queue_type(v); }},
      {{"x-quorum-initial-group-size", KeyType::integer,
        "members of a quorum queue, as many as there are nodes", "3", false, 1, 16},
       [](const Value& v, QueueArguments& a, const BindContext&) { a.group_size = whole<std::uint16_t>(v); }},
      {{"x-delivery-limit", KeyType::integer,
        "of a quorum queue: how often a message may come back; -1: as often as it likes; 20 since 4.0, none "
        "before",
        "", false, -1, 1e9},
       [](const Value& v, QueueArguments& a, const BindContext&) { a.delivery_limit = v.integer; }},
      {choice_key("x-dead-letter-strategy", "of a quorum queue: whether dead letters wait for confirms",
                  "\"at-most-once\"", {"at-most-once", "at-least-once"}),
       [](const Value& v, QueueArguments& a, const BindContext&) {
         a.strategy_given = true;
         a.at_least_once = v.text == "at-least-once";
       }},
      {choice_key("x-delayed-retry-type", "of a quorum queue since 4.3: what waits that comes back",
                  "\"disabled\"", {"disabled", "all", "failed", "returned"}),
       [](const Value& v, QueueArguments& a, const BindContext&) {
         a.delayed_retry = v.text == "all"        ? DelayedRetry::all
                           : v.text == "failed"   ? DelayedRetry::failed
                           : v.text == "returned" ? DelayedRetry::returned
                                                  : DelayedRetry::disabled;
       }},
      {{"x-delayed-retry-min", KeyType::integer, "ms, times how often its delivery has failed", "", false, 0,
        1e12},
       [](const Value& v, QueueArguments& a, const BindContext&) { a.delayed_retry_min = milliseconds(v); }},
      {{"x-delayed-retry-max", KeyType::integer, "ms at most", "", false, 0, 1e12},
       [](const Value& v, QueueArguments& a, const BindContext&) { a.delayed_retry_max = milliseconds(v); }},
      {{"x-expires", KeyType::integer,
        "ms without a consumer after which it is deleted, with what is in it, and nothing dead-lettered", "",
        false, 1, 1e12},
       [](const Value& v, QueueArguments& a, const BindContext&) { a.expires = milliseconds(v); }},
      {{"x-consumer-timeout", KeyType::integer, "ms, as consumer_timeout; the lower of its and a policy's",
        "", false, 0, 1e12},
       [](const Value& v, QueueArguments& a, const BindContext&) { a.consumer_timeout = milliseconds(v); }},
      {choice_key("x-queue-mode", "lazy and default are the same since 3.12", "\"default\"",
                  {"default", "lazy"}),
       [](const Value&, QueueArguments&, const BindContext&) {}},
      {{"x-queue-version", KeyType::integer, "version 2 of the storage is modelled, the only one since 4.0",
        "2", false, 2, 2},
       [](const Value&, QueueArguments&, const BindContext&) {}},
      {choice_key("x-queue-leader-locator", "of a stream: where its first leader is", "\"client-local\"",
                  {"client-local", "balanced"}),
       [](const Value& v, QueueArguments& a, const BindContext&) {
         a.locator = v.text == "balanced" ? LeaderLocator::balanced : LeaderLocator::client_local;
       }},
      {{"x-max-age", KeyType::text,
        "of a stream: a segment goes whose last chunk is older; a number and Y, M, D, h, m or s"},
       [](const Value& v, QueueArguments& a, const BindContext&) { a.max_age = age(v); }},
      {{"x-stream-max-segment-size-bytes", KeyType::integer,
        "of a stream: a segment is closed once it is so large", "500000000", false, 1, 3e9},
       [](const Value& v, QueueArguments& a, const BindContext&) { a.max_segment_bytes = v.integer; }},
      {{"x-initial-cluster-size", KeyType::integer, "of a stream: nodes with a copy; all unless given", "",
        false, 1, 16},
       [](const Value& v, QueueArguments& a, const BindContext&) {
         a.cluster_size = whole<std::uint16_t>(v);
       }},
      refused<QueueArguments>("x-stream-filter-size-bytes", "filters of streams are not modelled"),
  };
  return rows;
}

const std::vector<Row<ExchangeOptions>>& exchange_rows() {
  static const std::vector<Row<ExchangeOptions>> rows{
      {{"name", KeyType::name, "the exchange's name", "", true},
       [](const Value& v, ExchangeOptions& e, const BindContext&) { e.name = v.text; }},
      {choice_key("type", "how it matches bindings", "\"direct\"", {"direct", "fanout", "topic", "headers"}),
       [](const Value& v, ExchangeOptions& e, const BindContext&) {
         e.type = v.text == "fanout"    ? ExchangeType::fanout
                  : v.text == "topic"   ? ExchangeType::topic
                  : v.text == "headers" ? ExchangeType::headers
                                        : ExchangeType::direct;
       }},
      {{"alternate-exchange", KeyType::name, "gets what matches none of its bindings; nobody unless given"},
       [](const Value& v, ExchangeOptions& e, const BindContext&) { e.alternate_exchange = v.text; }},
  };
  return rows;
}

const std::vector<Row<QueueOptions>>& queue_rows() {
  static const Section arguments = section_of("arguments of a queue", argument_rows());
  static const std::vector<Row<QueueOptions>> rows{
      {{"name", KeyType::name, "the queue's name", "", true},
       [](const Value& v, QueueOptions& q, const BindContext&) { q.name = v.text; }},
      {choice_key("type", "its x-queue-type", "\"classic\"", {"classic", "quorum", "stream"}),
       [](const Value& v, QueueOptions& q, const BindContext&) { q.arguments.type = queue_type(v); }},
      {{"auto_delete", KeyType::boolean,
        "deleted when its last consumer leaves; declared again with the next", "false"},
       [](const Value& v, QueueOptions& q, const BindContext&) { q.auto_delete = v.boolean; }},
      {{"exclusive", KeyType::boolean,
        "declared by the connection that consumes from it, and deleted with that", "false"},
       [](const Value& v, QueueOptions& q, const BindContext&) { q.exclusive = v.boolean; }},
      {{"service", KeyType::duration,
        "of its process for each message that is published: where it is slow, credit flow shows", "\"0s\""},
       [](const Value& v, QueueOptions& q, const BindContext&) { q.service = parse_duration(v.text); }},
      {{"durable", KeyType::boolean, "whether it, and what is persistent in it, outlives its node's restart",
        "true"},
       [](const Value& v, QueueOptions& q, const BindContext&) { q.durable = v.boolean; }},
      {{"node", KeyType::integer,
        "on which it is declared: a classic queue's home, the first leader of others", "0", false, 0, 15},
       [](const Value& v, QueueOptions& q, const BindContext&) { q.node = whole<std::uint16_t>(v); }},
      {table_key("arguments", "its x-arguments", arguments),
       [](const Value& v, QueueOptions& q, const BindContext& c) {
         bind_rows(v, argument_rows(), q.arguments, c);
       }},
  };
  return rows;
}

const std::vector<Row<BindingOptions>>& binding_rows() {
  static const std::vector<Row<BindingOptions>> rows{
      {{"source", KeyType::name, "exchange", "", true},
       [](const Value& v, BindingOptions& b, const BindContext&) { b.source = v.text; }},
      {{"destination", KeyType::name, "queue, or exchange", "", true},
       [](const Value& v, BindingOptions& b, const BindContext&) { b.destination = v.text; }},
      {choice_key("destination_type", "what the destination is", "\"queue\"", {"queue", "exchange"}),
       [](const Value& v, BindingOptions& b, const BindContext&) { b.to_exchange = v.text == "exchange"; }},
      {{"routing_key", KeyType::text,
        "of direct and topic exchanges; in a topic * is one word and # any number", "\"\""},
       [](const Value& v, BindingOptions& b, const BindContext&) { b.routing_key = v.text; }},
      {{"headers", KeyType::names, "of headers exchanges: \"name=value\" each"},
       [](const Value& v, BindingOptions& b, const BindContext&) { b.headers = headers(v); }},
      {choice_key("x-match", "how many of these a message must have", "\"all\"", {"all", "any"}),
       [](const Value& v, BindingOptions& b, const BindContext&) { b.any = v.text == "any"; }},
  };
  return rows;
}

const std::vector<Row<BrokerOptions>>& disk_rows() {
  static const std::vector<Row<BrokerOptions>> rows{
      {{"size", KeyType::size,
        "for messages, on each node: what disk alarms look at; no disk alarms unless given"},
       [](const Value& v, BrokerOptions& b, const BindContext&) { b.disk_size = parse_size(v.text); }},
      {draw_key("write", "how long a queue writes what came since its last write; confirms wait for it",
                "\"0s\"", Draws::durations),
       [](const Value& v, BrokerOptions& b, const BindContext&) { b.disk_write = durations(v); }},
      {draw_key("fsync", "how long the log that a node's quorum queues share takes for a batch", "\"0s\"",
                Draws::durations),
       [](const Value& v, BrokerOptions& b, const BindContext&) { b.disk_fsync = durations(v); }},
  };
  return rows;
}

/// What every connection has.
template <class Options>
std::vector<Row<Options>> with_connection(std::vector<Row<Options>> rows) {
  rows.push_back({{"heartbeat", KeyType::duration,
                   "requestedHeartbeat: the lower of it and the broker's counts", "\"60s\""},
                  [](const Value& v, Options& o, const BindContext&) {
                    o.connection.heartbeat = parse_duration(v.text);
                  }});
  rows.push_back({{"recovery_interval", KeyType::duration,
                   "networkRecoveryInterval: from a connection's end to the next attempt", "\"5s\""},
                  [](const Value& v, Options& o, const BindContext&) {
                    o.connection.recovery_interval = parse_duration(v.text);
                  }});
  rows.push_back(
      {{"addresses", KeyType::numbers,
        "nodes that it knows, by their numbers: an attempt to connect tries each; all unless given"},
       [](const Value& v, Options& o, const BindContext&) {
         for (const Value& item : v.items) o.connection.addresses.push_back(whole<std::uint16_t>(item));
       }});
  return rows;
}

}  // namespace

const std::vector<Row<BrokerOptions>>& rabbitmq_rows() {
  static const Section config = conf_section();
  static const Section exchange = section_of("an exchange", exchange_rows());
  static const Section queue = section_of("a queue", queue_rows());
  static const Section binding = section_of("a binding", binding_rows());
  static const Section disk = section_of("the node's disk", disk_rows());
  static const Section policy = section_of("a policy", rabbitmq_policy_rows());
  static const std::vector<Row<BrokerOptions>> rows{
      {choice_key("version", "whose rules it has", "\"4.2\"", {"3.12", "3.13", "4.0", "4.1", "4.2", "4.3"}),
       [](const Value& v, BrokerOptions& b, const BindContext&) { b.version = v.text; }},
      {table_key("config", "settings by the names of rabbitmq.conf", config),
       [](const Value& v, BrokerOptions& b, const BindContext& c) {
         bind_rows(v, config_rows(), b.config, c);
       }},
      {table_key("disk", "the node's disk", disk),
       [](const Value& v, BrokerOptions& b, const BindContext& c) { bind_rows(v, disk_rows(), b, c); }},
      {tables("exchanges", "beside the default exchange, which binds every queue by its name", exchange),
       [](const Value& v, BrokerOptions& b, const BindContext& c) {
         for (const Value& item : v.items) bind_rows(item, exchange_rows(), b.exchanges.emplace_back(), c);
       }},
      {tables("queues", "the queues", queue),
       [](const Value& v, BrokerOptions& b, const BindContext& c) {
         for (const Value& item : v.items) bind_rows(item, queue_rows(), b.queues.emplace_back(), c);
       }},
      {tables("bindings", "what leads from exchanges to queues and exchanges", binding),
       [](const Value& v, BrokerOptions& b, const BindContext& c) {
         for (const Value& item : v.items) bind_rows(item, binding_rows(), b.bindings.emplace_back(), c);
       }},
      {{"rack", KeyType::name, "of the node's host"},
       [](const Value& v, BrokerOptions& b, const BindContext&) { b.rack = v.text; }},
      {{"zone", KeyType::name, "of the node's host"},
       [](const Value& v, BrokerOptions& b, const BindContext&) { b.zone = v.text; }},
      {{"region", KeyType::name, "of the node's host"},
       [](const Value& v, BrokerOptions& b, const BindContext&) { b.region = v.text; }},
      {{"racks", KeyType::names, "of the nodes' hosts in turn"},
       [](const Value& v, BrokerOptions& b, const BindContext&) { b.racks = names(v); }},
      {{"zones", KeyType::names, "of the nodes' hosts in turn"},
       [](const Value& v, BrokerOptions& b, const BindContext&) { b.zones = names(v); }},
      {{"regions", KeyType::names, "of the nodes' hosts in turn"},
       [](const Value& v, BrokerOptions& b, const BindContext&) { b.regions = names(v); }},
      {{"nodes", KeyType::integer, "of the cluster: rabbitmq/0 and so on", "1", false, 1, 16},
       [](const Value& v, BrokerOptions& b, const BindContext&) { b.nodes = whole<std::uint16_t>(v); }},
      {{"net_ticktime", KeyType::duration,
        "of Erlang's kernel: a node that was silent for so long, or a quarter longer, is down; 0s: never",
        "\"60s\""},
       [](const Value& v, BrokerOptions& b, const BindContext&) { b.net_ticktime = parse_duration(v.text); }},
      {tables("policies", "of those that match a name that of the highest priority applies", policy),
       [](const Value& v, BrokerOptions& b, const BindContext& c) {
         for (const Value& item : v.items)
           bind_rows(item, rabbitmq_policy_rows(), b.policies.emplace_back(), c);
       }},
      {tables("operator_policies", "the same, beside them: lower limits count", policy),
       [](const Value& v, BrokerOptions& b, const BindContext& c) {
         for (const Value& item : v.items)
           bind_rows(item, rabbitmq_policy_rows(), b.operator_policies.emplace_back(), c);
       }},
  };
  return rows;
}

namespace {

const std::vector<Row<StreamPublisherOptions>>& stream_publisher_rows() {
  static const std::vector<Row<StreamPublisherOptions>> rows{
      {{"name", KeyType::text,
        "by it and a message's publishing id the stream knows what it has already; nothing is recognised "
        "unless given"},
       [](const Value& v, StreamPublisherOptions& p, const BindContext&) { p.name = v.text; }},
      {{"retry-on-recovery", KeyType::boolean,
        "what is unconfirmed when the connection goes is published again, as it was", "true"},
       [](const Value& v, StreamPublisherOptions& p, const BindContext&) {
         p.retry_on_recovery = v.boolean;
       }},
  };
  return rows;
}

const std::vector<Row<StreamConsumerOptions>>& stream_consumer_rows() {
  static const std::vector<Row<StreamConsumerOptions>> rows{
      {{"name", KeyType::text, "under which offsets are stored, and one of several is active"},
       [](const Value& v, StreamConsumerOptions& s, const BindContext&) { s.name = v.text; }},
      {choice_key("tracking",
                  "who has the stream store offsets of what was processed: the client, the application, or "
                  "nobody",
                  "\"none\"", {"none", "automatic", "manual"}),
       [](const Value& v, StreamConsumerOptions& s, const BindContext&) {
         s.tracking = v.text == "automatic" ? OffsetTracking::automatic
                      : v.text == "manual"  ? OffsetTracking::manual
                                            : OffsetTracking::none;
       }},
      {{"store-every", KeyType::integer, "messages (messageCountBeforeStorage)", "10000", false, 1, 1e9},
       [](const Value& v, StreamConsumerOptions& s, const BindContext&) {
         s.store_every = whole<std::uint32_t>(v);
       }},
      {{"flush-interval", KeyType::duration, "after which automatic tracking stores what it has not yet",
        "\"5s\""},
       [](const Value& v, StreamConsumerOptions& s, const BindContext&) {
         s.flush_interval = parse_duration(v.text);
       }},
      {{"credit", KeyType::integer, "chunks that may be under way; each that arrives asks for one", "10",
        false, 1, 1000},
       [](const Value& v, StreamConsumerOptions& s, const BindContext&) {
         s.credit = whole<std::uint32_t>(v);
       }},
      {{"single-active-consumer", KeyType::boolean, "of those of a name one reads, the others stand by",
        "false"},
       [](const Value& v, StreamConsumerOptions& s, const BindContext&) {
         s.single_active_consumer = v.boolean;
       }},
  };
  return rows;
}

}  // namespace

const std::vector<Row<PublisherOptions>>& publisher_rows() {
  static const Section stream = section_of("the stream protocol's publisher", stream_publisher_rows());
  static const std::vector<Row<PublisherOptions>> rows = with_connection<PublisherOptions>({
      {{"exchange", KeyType::text,
        "where it publishes (\"\": the default exchange); the exchange or queue that `to` names unless "
        "given"},
       [](const Value& v, PublisherOptions& p, const BindContext&) { p.exchange = v.text; }},
      {{"routing_key", KeyType::names,
        "of its messages: of several a message takes one by its key, or each in turn; `to` unless given"},
       [](const Value& v, PublisherOptions& p, const BindContext&) { p.routing_keys = names(v); }},
      {{"headers", KeyType::names, "of its messages: \"name=value\" each"},
       [](const Value& v, PublisherOptions& p, const BindContext&) { p.headers = headers(v); }},
      {{"delivery_mode", KeyType::integer, "2: persistent, 1: transient", "2", false, 1, 2},
       [](const Value& v, PublisherOptions& p, const BindContext&) { p.persistent = v.integer == 2; }},
      {{"mandatory", KeyType::boolean, "what matches no binding is returned, and not dropped", "false"},
       [](const Value& v, PublisherOptions& p, const BindContext&) { p.mandatory = v.boolean; }},
      {{"confirms", KeyType::integer,
        "publisher confirms (confirm.select), so many outstanding at most; 0: none, and nobody knows", "0",
        false, 0, 1e6},
       [](const Value& v, PublisherOptions& p, const BindContext&) { p.confirms = whole<std::uint32_t>(v); }},
      {{"expiration", KeyType::duration, "that each message may wait in a queue; for ever unless given"},
       [](const Value& v, PublisherOptions& p, const BindContext&) {
         p.expiration = parse_duration(v.text);
       }},
      {{"priority", KeyType::integer, "of each message, in queues with x-max-priority", "0", false, 0, 255},
       [](const Value& v, PublisherOptions& p, const BindContext&) { p.priority = whole<std::uint8_t>(v); }},
      {table_key("stream", "it speaks the stream protocol, to the leader of the stream that `to` names",
                 stream),
       [](const Value& v, PublisherOptions& p, const BindContext& c) {
         bind_rows(v, stream_publisher_rows(), p.stream.emplace(), c);
       }},
  });
  return rows;
}

const std::vector<Row<SubscriberOptions>>& subscriber_rows() {
  static const Section stream = section_of("the stream protocol's consumer", stream_consumer_rows());
  static const std::vector<Row<SubscriberOptions>> rows = with_connection<SubscriberOptions>({
      {{"queues", KeyType::names, "that each member consumes from", "", true},
       [](const Value& v, SubscriberOptions& s, const BindContext&) { s.queues = names(v); }},
      {choice_key("ack", "manual: when a message's processing has ended; automatic: by being sent",
                  "\"manual\"", {"manual", "automatic"}),
       [](const Value& v, SubscriberOptions& s, const BindContext&) {
         s.automatic_ack = v.text == "automatic";
       }},
      {{"prefetch", KeyType::integer,
        "unacknowledged messages of a consumer, at most (basic.qos); 0: no limit", "0", false, 0, 65535},
       [](const Value& v, SubscriberOptions& s, const BindContext&) {
         s.prefetch = whole<std::uint32_t>(v);
       }},
      {{"prefetch_global", KeyType::integer,
        "basic.qos with global: of all consumers of a channel together; refused since 4.3; 0: no limit", "0",
        false, 0, 65535},
       [](const Value& v, SubscriberOptions& s, const BindContext&) {
         s.prefetch_global = whole<std::uint32_t>(v);
       }},
      {{"exclusive", KeyType::boolean,
        "consumes exclusively: whoever comes second is refused (ACCESS_REFUSED)", "false"},
       [](const Value& v, SubscriberOptions& s, const BindContext&) { s.exclusive = v.boolean; }},
      {{"messages_per_ack", KeyType::integer, "messagesPerAck: one basic.ack with `multiple` for so many",
        "1", false, 1, 1e6},
       [](const Value& v, SubscriberOptions& s, const BindContext&) {
         s.messages_per_ack = whole<std::uint32_t>(v);
       }},
      {{"ack_timeout", KeyType::duration, "ackTimeout: what is not acknowledged after so long is", "\"20s\""},
       [](const Value& v, SubscriberOptions& s, const BindContext&) {
         s.ack_timeout = parse_duration(v.text);
       }},
      {{"nack_multiple", KeyType::boolean,
        "basic.nack with `multiple`: what is processed and waits for its acknowledgement goes back, too",
        "false"},
       [](const Value& v, SubscriberOptions& s, const BindContext&) { s.nack_multiple = v.boolean; }},
      {{"same_connection_as", KeyType::name,
        "a producer: alarms that block its connection block the members' acknowledgements"},
       [](const Value& v, SubscriberOptions& s, const BindContext&) { s.same_connection_as = v.text; }},
      {{"x-priority", KeyType::numbers, "of the members in turn; 0 unless given"},
       [](const Value& v, SubscriberOptions& s, const BindContext&) {
         for (const Value& item : v.items) s.priorities.push_back(whole<std::int32_t>(item));
       }},
      {{"x-stream-offset", KeyType::text,
        "where it begins in a stream: \"first\", \"last\" (chunk), \"next\", an offset, or an age as in "
        "\"1h\"",
        "\"next\""},
       [](const Value& v, SubscriberOptions& s, const BindContext&) { s.offset = stream_offset(v); }},
      {table_key("stream", "they speak the stream protocol", stream),
       [](const Value& v, SubscriberOptions& s, const BindContext& c) {
         bind_rows(v, stream_consumer_rows(), s.stream.emplace(), c);
       }},
  });
  return rows;
}

Row<models::ProducerOptions> publisher_row() {
  static const Section section = section_of("basic.publish", publisher_rows());
  return {table_key("rabbitmq", "what it says to RabbitMQ, where it is its client", section),
          [](const Value& v, models::ProducerOptions& p, const BindContext& c) {
            bind_rows(v, publisher_rows(), p.rabbitmq, c);
          }};
}

Row<models::GroupOptions> subscriber_row() {
  static const Section section = section_of("basic.qos, basic.consume", subscriber_rows());
  return {table_key("rabbitmq", "what its members say to RabbitMQ, where they are its clients", section),
          [](const Value& v, models::GroupOptions& g, const BindContext& c) {
            bind_rows(v, subscriber_rows(), g.rabbitmq, c);
          }};
}

}  // namespace experiments
