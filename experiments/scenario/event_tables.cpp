#include <algorithm>

#include "experiments/scenario/bridge_tables.hpp"
#include "experiments/scenario/draws.hpp"
#include "experiments/scenario/flow_tables.hpp"
#include "experiments/scenario/kafka_keys.hpp"
#include "experiments/scenario/key_tables.hpp"
#include "experiments/scenario/rabbitmq_tables.hpp"
#include "experiments/scenario/schema_tables.hpp"
#include "experiments/scenario/sns_tables.hpp"
#include "experiments/scenario/sqs_tables.hpp"
#include "experiments/scenario/table_parts.hpp"
#include "experiments/scenario/units.hpp"
#include "models/faults/catalogue.hpp"
#include "models/faults/steps.hpp"

namespace experiments {
namespace {

using models::FaultSpec;

std::vector<std::string_view> fault_kinds() {
  std::vector<std::string_view> names;
  for (const models::FaultInfo& row : models::fault_catalogue()) names.push_back(row.entry.name);
  return names;
}

std::vector<std::string_view> step_names() {
  std::vector<std::string_view> names;
  for (const models::StepInfo& row : models::step_catalogue()) names.push_back(row.name);
  return names;
}

const Section& when_section() {
  static const Section section = [] {
    Section s{"the n-th occurrence of a named step", {}};
    Key step{"step", KeyType::choice, "see `mqlab list steps`", "", true};
    step.choices = step_names();
    s.keys.push_back(step);
    s.keys.push_back({"nth", KeyType::integer, "counts from 1", "1", false, 1, 1e15});
    s.keys.push_back({"subject", KeyType::name, "who is watched; the target unless given"});
    return s;
  }();
  return section;
}

FaultSpec::When bind_when(const Value& v) {
  FaultSpec::When when;
  for (const models::StepInfo& row : models::step_catalogue()) {
    if (row.name == v.find("step")->text) when.step = row.step;
  }
  if (const Value* nth = v.find("nth")) when.nth = nth->integer;
  if (const Value* subject = v.find("subject")) when.subject = subject->text;
  return when;
}

Key kind_key() {
  Key key{"kind", KeyType::choice, "see `mqlab list faults`", "", true};
  key.choices = fault_kinds();
  return key;
}

Key when_key() {
  Key key{"when", KeyType::table,
          "strike at a named step: { step = \"processed-not-committed\", nth = 100 }"};
  key.section = &when_section();
  return key;
}

const Section& variant_section() {
  static const Section section{
      "a named alternative; one without `set` names the scenario as it stands, which is called \"base\" "
      "otherwise",
      {{"name", KeyType::name, "by which expectations and --variant know it", "", true},
       {"about", KeyType::text, "what it shows"},
       {"extends", KeyType::name, "another variant that it builds on"},
       {"set", KeyType::paths, "{ PATH = VALUE, … }"}}};
  return section;
}

const Section& expect_section() {
  static const Section section = [] {
    Section s{
        "a gate: what must hold of a metric",
        {{"name", KeyType::text, "in words", "", true},
         {"metric", KeyType::name,
          "a metric of `mqlab list metrics`, or several of one unit joined by ' + ' and ' - '", "", true},
         {"equals", KeyType::number, "exactly this, without min and max"},
         {"min", KeyType::number, "at least this"},
         {"max", KeyType::number, "at most this"},
         {"absent", KeyType::boolean, "no value: what the metric measures has not happened", "false"},
         {"variant", KeyType::names, "of these variants alone"},
         {"group", KeyType::name, "this group's value of the metric alone"},
         {"at_least_seeds", KeyType::integer,
          "holds on at least so many of the seeds, at every point; `mqlab check` fails on fewer seeds", "",
          false, 1, 1e9},
         {"versus", KeyType::name, "another variant to compare with, seed by seed"},
         {"min_ratio", KeyType::number, "at least this times the value of versus"},
         {"max_ratio", KeyType::number, "at most this times the value of versus"},
         {"where", KeyType::paths,
          "at the points alone at which axes have these values: { PATH = VALUE, … }; there must be one"}}};
    Key per{"per", KeyType::choice, "judged for each trial, or on the mean over a point's trials",
            "\"trial\""};
    per.choices = {"trial", "point"};
    s.keys.push_back(per);
    return s;
  }();
  return section;
}

Key section_key(std::string_view name, const Section& section, bool required = false) {
  Key key{name, KeyType::table, section.about, "", required};
  key.section = &section;
  return key;
}

Key array_key(std::string_view name, const Section& section) {
  Key key{name, KeyType::tables, section.about};
  key.section = &section;
  return key;
}

}  // namespace

const std::vector<Row<FaultSpec>>& fault_rows() {
  static const std::vector<Row<FaultSpec>> rows{
      {kind_key(), [](const Value& v, FaultSpec& f, const BindContext&) { f.kind = v.text; }},
      {{"name", KeyType::name, "in reports and paths; its kind and target unless given"},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.name = v.text; }},
      {{"target", KeyType::name,
        "a node (kafka/0, billing/1, shop), \"billing/*\" for one of them drawn at each strike; for links "
        "also a host, rack, zone or region; for create-topic, grow, reassign, alter-config, "
        "elect-preferred-leaders, elect-unclean-leaders and delete-records a topic; for failover a producer "
        "or group",
        "", true},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.target = v.text; }},
      {{"other", KeyType::name, "the other end of a link, or the client of a response"},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.other = v.text; }},
      {{"one_way", KeyType::boolean, "only from target to other", "false"},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.one_way = v.boolean; }},
      {{"at", KeyType::duration, "when it strikes, since the start of the run"},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.at = parse_duration(v.text); }},
      {{"spread", KeyType::duration, "with `at`: strikes somewhere in [at, at + spread), drawn for each run"},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.spread = parse_duration(v.text); }},
      {{"rate", KeyType::rate, "strikes at random, at this mean rate: \"1/10min\""},
       [](const Value& v, FaultSpec& f, const BindContext&) {
         f.every = sim::Distribution::to_duration(1e9 / v.number);
       }},
      {when_key(), [](const Value& v, FaultSpec& f, const BindContext&) { f.when = bind_when(v); }},
      {{"for", KeyType::duration, "how long it lasts; to the end of arrivals unless given"},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.duration = parse_duration(v.text); }},
      {{"heals", KeyType::boolean, "whether what still lasts when arrivals stop is undone then"},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.heals = v.boolean; }},
      {{"partitions", KeyType::integer, "of grow: how many the topic has then", "", false, 2, 1e6},
       [](const Value& v, FaultSpec& f, const BindContext&) {
         f.partitions = static_cast<std::int32_t>(v.integer);
       }},
      {{"client", KeyType::name,
        "of grow and create-topic: who asks, a producer or group; an operator, who has no quota, unless "
        "given"},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.client = v.text; }},
      {{"permissive", KeyType::boolean,
        "of grow and create-topic: as clients before 2.7 ask, who are not refused but kept waiting", "false"},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.permissive = v.boolean; }},
      {{"brokers", KeyType::names, "of reassign: where the replicas go, partition by partition in turn"},
       [](const Value& v, FaultSpec& f, const BindContext&) {
         for (const Value& item : v.items) f.brokers.push_back(item.text);
       }},
      {{"throttle", KeyType::integer, "of reassign: bytes a second from each broker; no bound unless given",
        "", false, 1, 1e15},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.throttle = static_cast<double>(v.integer); }},
      {{"offset", KeyType::integer, "of delete-records: all below it, in each partition", "", false, 0, 1e15},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.offset = v.integer; }},
      {{"older_than", KeyType::duration, "of delete-records: all of this age"},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.older_than = parse_duration(v.text); }},
      {{"gap", KeyType::duration, "of rolling: from one's return to the next one's end"},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.gap = parse_duration(v.text); }},
      {{"probability", KeyType::share, "of message-loss"},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.probability = v.number; }},
      {{"delay", KeyType::distribution, "of delay, one way"},
       [](const Value& v, FaultSpec& f, const BindContext&) {
         f.delay = make_distribution(v, Draws::durations);
       }},
      {{"version", KeyType::name, "of wrong-schema: what the messages are written with"},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.version = v.text; }},
      {{"messages", KeyType::integer, "of wrong-schema: how many of the next; one unless given", "", false, 0,
        1e12},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.messages = v.integer; }},
      {{"factor", KeyType::number, "of slowdown: how many times as long work takes", "", false, 1e-3, 1e6},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.factor = v.as_double(); }},
      {{"ahead", KeyType::duration, "of clock-skew: how far the clock is ahead of the true time"},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.ahead = parse_duration(v.text); }},
      {{"behind", KeyType::duration, "of clock-skew: or behind it"},
       [](const Value& v, FaultSpec& f, const BindContext&) { f.behind = parse_duration(v.text); }},
      {config_key("of alter-config: topic settings by Kafka's names", models::kafka::KeyScope::topic),
       [](const Value& v, FaultSpec& f, const BindContext&) {
         for (const auto& [key, value] : v.members) f.config.emplace_back(key, property_text(value));
       }},
      {{"bandwidth", KeyType::bandwidth, "of bandwidth: what is left"},
       [](const Value& v, FaultSpec& f, const BindContext&) {
         f.bandwidth_bits_per_s = static_cast<double>(parse_bandwidth(v.text));
       }},
  };
  return rows;
}

const Section& scenario_format() {
  static const Section scenario = section_of("what is run, and for how long", scenario_rows());
  static const Section network = section_of("how far hosts are from each other", network_rows());
  static const Section kafka = section_of("a Kafka cluster", kafka_rows());
  static const Section rabbitmq =
      section_of("a RabbitMQ node, rabbitmq/0: the cluster \"rabbitmq\"", rabbitmq_rows());
  static const Section sns = section_of("Amazon SNS, as one host, sns/0: the cluster \"sns\"", sns_rows());
  static const Section sqs = section_of("Amazon SQS, as one host, sqs/0: the cluster \"sqs\"", sqs_rows());
  static const Section cluster = section_of("a Kafka cluster beside that of [kafka]", cluster_rows());
  static const Section mirror =
      section_of("topics of one cluster that are copied to another (MirrorMaker 2)", mirror_rows());
  static const Section producer = section_of("an application that sends", producer_rows());
  static const Section group = section_of("a consumer group", group_rows());
  static const Section dependency = section_of("a service that groups call", dependency_rows());
  static const Section registry =
      section_of("a schema registry, on a host \"schema-registry\"; there is one where there are subjects",
                 registry_rows());
  static const Section subject =
      section_of("the versions of a topic's schema, and what they promise", subject_rows());
  static const Section alerts =
      section_of("alarms for a group's lag, looked at with every sample", alert_rows());
  static const Section database =
      section_of("a database, on a host of its own: local transactions, an outbox, a log", database_rows());
  static const Section service =
      section_of("an application with a database: what comes in is a transaction each, and an event",
                 application_service_rows());
  static const Section relay = section_of("brings what a database has to tell to a topic", relay_rows());
  static const Section gateway =
      section_of("devices that publish by MQTT, and what takes it to a topic", gateway_rows());
  static const Section bridge =
      section_of("takes messages from a queue of RabbitMQ to a topic of Kafka, or back", bridge_rows());
  static const Section saga =
      section_of("what facts mean to the order, or whatever it is, that they are about", saga_rows());
  static const Section fault = section_of("what goes wrong, where and when", fault_rows());
  static const Section format{"a scenario file",
                              {section_key("scenario", scenario, true),
                               section_key("network", network),
                               section_key("kafka", kafka),
                               array_key("clusters", cluster),
                               array_key("mirrors", mirror),
                               section_key("rabbitmq", rabbitmq),
                               section_key("sqs", sqs),
                               section_key("sns", sns),
                               array_key("producers", producer),
                               array_key("groups", group),
                               array_key("dependencies", dependency),
                               section_key("registry", registry),
                               array_key("subjects", subject),
                               section_key("alerts", alerts),
                               array_key("databases", database),
                               array_key("services", service),
                               array_key("relays", relay),
                               array_key("gateways", gateway),
                               array_key("bridges", bridge),
                               section_key("saga", saga),
                               array_key("faults", fault),
                               array_key("variant", variant_section()),
                               array_key("expect", expect_section()),
                               {"sweep", KeyType::paths,
                                "trials = seeds a point, seed = the first of them, and axes: PATH = [a, b, "
                                "c] or { from, to, steps }"}}};
  return format;
}

}  // namespace experiments
