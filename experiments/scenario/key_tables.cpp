#include "experiments/scenario/key_tables.hpp"

#include "experiments/scenario/draws.hpp"
#include "experiments/scenario/flow_tables.hpp"
#include "experiments/scenario/kafka_keys.hpp"
#include "experiments/scenario/poison_table.hpp"
#include "experiments/scenario/rabbitmq_tables.hpp"
#include "experiments/scenario/schema_tables.hpp"
#include "experiments/scenario/sns_tables.hpp"
#include "experiments/scenario/sqs_tables.hpp"
#include "experiments/scenario/streams_tables.hpp"
#include "experiments/scenario/table_parts.hpp"
#include "experiments/scenario/units.hpp"

namespace experiments {
namespace {

using models::GroupOptions;
using models::ProducerOptions;
using models::Scenario;
using models::kafka::ClusterOptions;
using models::kafka::CreateTopicPolicy;
using models::kafka::DiskOptions;
using models::kafka::QuotaOptions;
using models::kafka::ServiceOptions;
using models::kafka::TopicOptions;
using models::kafka::UserOptions;

const std::vector<Row<ServiceOptions>>& service_rows() {
  static const std::vector<Row<ServiceOptions>> rows{
      {{"request", KeyType::distribution, "of each request", "\"0s\""},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.request = durations(v); }},
      {{"per_batch", KeyType::duration, "for each batch or partition in it", "\"0s\""},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.per_batch = parse_duration(v.text); }},
      {{"per_kilobyte", KeyType::duration, "for each 1000 bytes in it", "\"0s\""},
       [](const Value& v, ServiceOptions& s, const BindContext&) {
         s.per_kilobyte = parse_duration(v.text);
       }},
      {{"coordinator", KeyType::distribution,
        "of what a group coordinator does for each request to it, on its group.coordinator.threads (before "
        "4.0 on "
        "num.io.threads)",
        "\"0s\""},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.coordinator = durations(v); }},
  };
  return rows;
}

const std::vector<Row<DiskOptions>>& disk_rows() {
  static const std::vector<Row<DiskOptions>> rows{
      {{"write_back_after", KeyType::duration,
        "the kernel writes back a file whose pages have been dirty for so long (vm.dirty_expire_centisecs)",
        "\"30s\""},
       [](const Value& v, DiskOptions& d, const BindContext&) {
         d.write_back_after = parse_duration(v.text);
       }},
      {{"write_back_every", KeyType::duration, "and looks so often (vm.dirty_writeback_centisecs)", "\"5s\""},
       [](const Value& v, DiskOptions& d, const BindContext&) {
         d.write_back_every = parse_duration(v.text);
       }},
      {{"flush", KeyType::distribution,
        "how long a request handler waits for a flush that an append brings about", "\"0s\""},
       [](const Value& v, DiskOptions& d, const BindContext&) { d.flush = durations(v); }},
      {{"recovery", KeyType::bandwidth,
        "how fast a broker that crashed reads its logs from their recovery points on; in no time unless "
        "given"},
       [](const Value& v, DiskOptions& d, const BindContext&) {
         d.recovery_bytes_per_s = static_cast<double>(parse_bandwidth(v.text)) / 8;
       }},
      {{"size", KeyType::size,
        "of a broker's disk: what its logs may take; any number of bytes unless given"},
       [](const Value& v, DiskOptions& d, const BindContext&) { d.size = parse_size(v.text); }},
      {{"torn", KeyType::share,
        "how likely a power loss tears the last batch that was written back and not flushed", "0"},
       [](const Value& v, DiskOptions& d, const BindContext&) { d.torn = v.number; }},
  };
  return rows;
}

const std::vector<Row<models::kafka::RemoteOptions>>& remote_rows() {
  static const std::vector<Row<models::kafka::RemoteOptions>> rows{
      {{"latency", KeyType::distribution, "of a request", "\"20ms\""},
       [](const Value& v, models::kafka::RemoteOptions& r, const BindContext&) { r.latency = durations(v); }},
      {{"bandwidth", KeyType::bandwidth, "of each transfer; it takes no time unless given"},
       [](const Value& v, models::kafka::RemoteOptions& r, const BindContext&) {
         r.bytes_per_s = static_cast<double>(parse_bandwidth(v.text)) / 8;
       }},
  };
  return rows;
}

/// A switch for each rule, by its name.
const Section& rules_section() {
  static const Section section = [] {
    Section s{"rules of the protocol, each by itself; as `version` has them unless given", {}};
    for (const models::kafka::RuleInfo& rule : models::kafka::rule_catalogue())
      s.keys.push_back({rule.name, KeyType::boolean, rule.effect});
    return s;
  }();
  return section;
}

void bind_rules(const Value& v, models::kafka::ProtocolRules& rules) {
  for (const models::kafka::RuleInfo& rule : models::kafka::rule_catalogue()) {
    if (const Value* on = v.find(rule.name)) rules.set(rule.rule, on->boolean);
  }
}

std::vector<std::vector<std::int32_t>> bind_assignment(const Value& v) {
  std::vector<std::vector<std::int32_t>> out;
  for (const Value& list : v.items) {
    out.emplace_back();
    for (const Value& item : list.items) out.back().push_back(whole<std::int32_t>(item));
  }
  return out;
}

const std::vector<Row<TopicOptions>>& topic_rows() {
  static const std::vector<Row<TopicOptions>> rows{
      {{"name", KeyType::name, "the topic's name", "", true},
       [](const Value& v, TopicOptions& t, const BindContext&) { t.name = v.text; }},
      {{"partitions", KeyType::integer, "how many; num.partitions unless given", "", false, 1, 100'000},
       [](const Value& v, TopicOptions& t, const BindContext&) { t.partitions = whole<std::int32_t>(v); }},
      {{"replication-factor", KeyType::integer,
        "replicas of each partition, at most as many as brokers; default.replication.factor unless given", "",
        false, 1, 32767},
       [](const Value& v, TopicOptions& t, const BindContext&) {
         t.replication_factor = whole<std::int32_t>(v);
       }},
      {{"assignment", KeyType::number_lists,
        "brokers of each partition, preferred leader first; round robin unless given"},
       [](const Value& v, TopicOptions& t, const BindContext&) { t.assignment = bind_assignment(v); }},
      {config_key("topic settings by Kafka's names", models::kafka::KeyScope::topic),
       [](const Value& v, TopicOptions& t, const BindContext&) {
         t.config = bind_kafka_config<models::kafka::TopicConfig>(v);
       }},
  };
  return rows;
}

const Section& topic_section() {
  static const Section section = section_of("a topic", topic_rows());
  return section;
}

models::CommitMode commit_mode(const std::string& name) {
  if (name == "after-processing") return models::CommitMode::after_processing;
  if (name == "before-processing") return models::CommitMode::before_processing;
  if (name == "each-record") return models::CommitMode::each_record;
  if (name == "in-transaction") return models::CommitMode::in_transaction;
  if (name == "asynchronous") return models::CommitMode::asynchronous;
  if (name == "stored") return models::CommitMode::stored;
  if (name == "with-effect") return models::CommitMode::with_effect;
  if (name == "completed") return models::CommitMode::completed;
  return models::CommitMode::automatic;
}

const Section& hand_off_section() {
  static const Section section =
      section_of("work handed to other threads: poll() goes on before it is done", hand_off_rows());
  return section;
}

const Section& calls_section() {
  static const Section section =
      section_of("calls to a dependency, each made when a record's service time is over", call_rows());
  return section;
}

const Section& admission_section() {
  static const Section section =
      section_of("who is let in before send(), and what waits there", admission_rows());
  return section;
}

const Section& writer_section() {
  static const Section section = section_of("the version of its values' schema", writer_rows());
  return section;
}

const Section& reader_section() {
  static const Section section =
      section_of("the version of the schema that the application has", reader_rows());
  return section;
}

const Section& autoscale_section() {
  static const Section section =
      section_of("members that are started and stopped by the lag", autoscale_rows());
  return section;
}

const Section& effect_section() {
  static const Section section = [] {
    Section s{
        "the outside effect of each message, applied when its processing ends",
        {{"idempotency_key", KeyType::boolean,
          "the other side recognises a repeated message and leaves it out", "false"},
         {"fencing_token", KeyType::boolean,
          "it names the generation in which its member was given the partition, and the other side refuses "
          "one older than it has seen",
          "false"}}};
    s.keys.push_back(
        choice_key("processed_ids",
                   "a table of processed messages in the application's database: in the effect's "
                   "transaction, or in one of its own behind or before it",
                   "\"none\"", {"none", "with-effect", "after-effect", "before-effect"}));
    return s;
  }();
  return section;
}

models::EffectOptions bind_effect(const Value& v) {
  models::EffectOptions effect;
  if (const Value* key = v.find("idempotency_key")) effect.idempotency_key = key->boolean;
  if (const Value* token = v.find("fencing_token")) effect.fencing_token = token->boolean;
  const Value* const ids = v.find("processed_ids");
  if (ids == nullptr) return effect;
  if (ids->text == "with-effect") effect.processed_ids = models::ProcessedIds::with_effect;
  if (ids->text == "after-effect") effect.processed_ids = models::ProcessedIds::after_effect;
  if (ids->text == "before-effect") effect.processed_ids = models::ProcessedIds::before_effect;
  return effect;
}

const std::vector<Row<models::TransformOptions>>& transform_rows() {
  static const std::vector<Row<models::TransformOptions>> rows{
      {{"to", KeyType::name, "topic; a record's output goes to the partition of the same number", "", true},
       [](const Value& v, models::TransformOptions& t, const BindContext&) { t.to = v.text; }},
      {draw_key("size", "bytes of an output's value and key", "\"100B\"", Draws::sizes),
       [](const Value& v, models::TransformOptions& t, const BindContext&) {
         t.size = make_distribution(v, Draws::sizes);
       }},
      {{"aborts", KeyType::number, "share of its transactions that the application aborts, and does again",
        "0", false, 0, 1},
       [](const Value& v, models::TransformOptions& t, const BindContext&) { t.aborts = v.as_double(); }},
      {config_key("settings of the members' producers by Kafka's names", models::kafka::KeyScope::producer),
       [](const Value& v, models::TransformOptions& t, const BindContext&) {
         t.config = bind_kafka_config<models::kafka::ProducerConfig>(v);
       }},
  };
  return rows;
}

const Section& transform_section() {
  static const Section section =
      section_of("consume, transform, produce: what each record processed is made into", transform_rows());
  return section;
}

const std::vector<Row<models::TransactionOptions>>& transactions_rows() {
  static const std::vector<Row<models::TransactionOptions>> rows{
      {{"every", KeyType::duration,
        "from the end of a commit to the beginning of the next; send() waits meanwhile", "", true},
       [](const Value& v, models::TransactionOptions& t, const BindContext&) {
         t.every = parse_duration(v.text);
       }},
      {{"aborts", KeyType::number, "share that the application aborts instead", "0", false, 0, 1},
       [](const Value& v, models::TransactionOptions& t, const BindContext&) { t.aborts = v.as_double(); }},
  };
  return rows;
}

const Section& transactions_section() {
  static const Section section = section_of("a producer's own transactions", transactions_rows());
  return section;
}

const std::vector<Row<models::FailoverOptions>>& failover_rows() {
  using models::FailoverOptions;
  static const std::vector<Row<FailoverOptions>> rows{
      {{"cluster", KeyType::name, "whose clients they are then", "", true},
       [](const Value& v, FailoverOptions& f, const BindContext&) { f.cluster = v.text; }},
      {{"rack", KeyType::name, "of their hosts"},
       [](const Value& v, FailoverOptions& f, const BindContext&) { f.rack = v.text; }},
      {{"zone", KeyType::name, "of their hosts"},
       [](const Value& v, FailoverOptions& f, const BindContext&) { f.zone = v.text; }},
      {{"region", KeyType::name, "of their hosts"},
       [](const Value& v, FailoverOptions& f, const BindContext&) { f.region = v.text; }},
  };
  return rows;
}

template <class Options>
Row<Options> failover_row() {
  static const Section section = section_of(
      "where other instances stand by, until a fault \"failover\" has them take over", failover_rows());
  return {table_key("failover", "instances that stand by elsewhere; none unless given", section),
          [](const Value& v, Options& options, const BindContext& c) {
            bind_rows(v, failover_rows(), options.failover.emplace(), c);
          }};
}

}  // namespace

const std::vector<Row<models::kafka::MirrorOptions>>& mirror_rows() {
  using models::kafka::MirrorOptions;
  static const std::vector<Row<MirrorOptions>> rows{
      {{"name", KeyType::name, "its tasks are name/0, name/1 …, consumers of a group of that name", "", true},
       [](const Value& v, MirrorOptions& m, const BindContext&) { m.name = v.text; }},
      {{"from", KeyType::name, "the source, a cluster; its name is the alias", "\"kafka\""},
       [](const Value& v, MirrorOptions& m, const BindContext&) { m.from = v.text; }},
      {{"to", KeyType::name, "the target, a cluster", "", true},
       [](const Value& v, MirrorOptions& m, const BindContext&) { m.to = v.text; }},
      {{"topics", KeyType::names, "of the source", "", true},
       [](const Value& v, MirrorOptions& m, const BindContext&) { m.topics = names(v); }},
      {{"rack", KeyType::name, "of the tasks' hosts"},
       [](const Value& v, MirrorOptions& m, const BindContext&) { m.rack = v.text; }},
      {{"zone", KeyType::name, "of the tasks' hosts"},
       [](const Value& v, MirrorOptions& m, const BindContext&) { m.zone = v.text; }},
      {{"region", KeyType::name, "of the tasks' hosts"},
       [](const Value& v, MirrorOptions& m, const BindContext&) { m.region = v.text; }},
      {config_key("settings of the mirror by MirrorMaker's names", models::kafka::KeyScope::mirror),
       [](const Value& v, MirrorOptions& m, const BindContext&) {
         m.config = bind_kafka_config<models::kafka::MirrorConfig>(v);
       }},
  };
  return rows;
}

const std::vector<Row<Scenario>>& scenario_rows() {
  static const std::vector<Row<Scenario>> rows{
      {{"name", KeyType::name, "also the folder of a sweep's results", "", true},
       [](const Value& v, Scenario& s, const BindContext&) { s.name = v.text; }},
      {{"question", KeyType::text, "what the scenario is to answer"},
       [](const Value& v, Scenario& s, const BindContext&) { s.question = v.text; }},
      unbound<Scenario>({"about", KeyType::text, "what else a reader should know"}),
      {{"duration", KeyType::duration, "then arrivals stop, faults heal and the run drains", "", true},
       [](const Value& v, Scenario& s, const BindContext&) { s.duration = parse_duration(v.text); }},
      {{"warmup", KeyType::duration, "left out of steady-state metrics, never out of verdicts", "\"0s\""},
       [](const Value& v, Scenario& s, const BindContext&) { s.warmup = parse_duration(v.text); }},
      {{"drain", KeyType::duration, "the longest that the run goes on after duration", "\"60s\""},
       [](const Value& v, Scenario& s, const BindContext&) { s.drain = parse_duration(v.text); }},
      {{"sample", KeyType::duration, "distance of time series points", "\"1s\""},
       [](const Value& v, Scenario& s, const BindContext&) { s.sample = parse_duration(v.text); }},
  };
  return rows;
}

const std::vector<Row<UserOptions>>& user_rows() {
  static const std::vector<Row<UserOptions>> rows{
      {{"name", KeyType::name, "of the user, for quotas", "", true},
       [](const Value& v, UserOptions& u, const BindContext&) { u.name = v.text; }},
      {{"clients", KeyType::names, "producers and groups that are his", "", true},
       [](const Value& v, UserOptions& u, const BindContext&) { u.clients = names(v); }},
  };
  return rows;
}

const Section& user_section() {
  static const Section section = section_of("who is whom; the others are ANONYMOUS", user_rows());
  return section;
}

const std::vector<Row<QuotaOptions>>& quota_rows() {
  static const std::vector<Row<QuotaOptions>> rows{
      // Before the client: a user's quota is shared by all his clients unless one is named.
      {{"user", KeyType::name,
        "one of [[kafka.users]]; \"*\": each user that has no quota of his own; unless given whoever it is"},
       [](const Value& v, QuotaOptions& q, const BindContext&) {
         q.user = v.text == "*" ? "" : v.text;
         q.client.reset();
       }},
      {{"name", KeyType::name,
        "a producer or group; \"*\", and without a user unless given: each that has no quota of its own"},
       [](const Value& v, QuotaOptions& q, const BindContext&) { q.client = v.text == "*" ? "" : v.text; }},
      {{"producer_byte_rate", KeyType::integer, "bytes a second that it may produce on a broker", "", false,
        1, 1e15},
       [](const Value& v, QuotaOptions& q, const BindContext&) {
         q.producer_byte_rate = static_cast<double>(v.integer);
       }},
      {{"consumer_byte_rate", KeyType::integer, "bytes a second that it may fetch from a broker", "", false,
        1, 1e15},
       [](const Value& v, QuotaOptions& q, const BindContext&) {
         q.consumer_byte_rate = static_cast<double>(v.integer);
       }},
      {{"request_percentage", KeyType::integer,
        "share of one request handler thread that it may use on a broker", "", false, 1, 1e6},
       [](const Value& v, QuotaOptions& q, const BindContext&) {
         q.request_percentage = static_cast<double>(v.integer);
       }},
      {{"controller_mutation_rate", KeyType::number,
        "partitions a second that it may create (faults create-topic and grow with a `client`)", "", false,
        0.001, 1e9},
       [](const Value& v, QuotaOptions& q, const BindContext&) {
         q.controller_mutation_rate = v.as_double();
       }},
  };
  return rows;
}

const Section& quota_section() {
  static const Section section =
      section_of("what a user or client may do; beyond it is throttled", quota_rows());
  return section;
}

const std::vector<Row<CreateTopicPolicy>>& policy_rows() {
  static const std::vector<Row<CreateTopicPolicy>> rows{
      {{"partitions", KeyType::integer, "that a topic may be created with", "10000", false, 1, 10'000},
       [](const Value& v, CreateTopicPolicy& p, const BindContext&) {
         p.partitions_max = whole<std::int32_t>(v);
       }},
  };
  return rows;
}

const std::vector<Row<ClusterOptions>>& kafka_rows() {
  static const Section service = section_of("how long a request handler works on a request", service_rows());
  static const Section disk =
      section_of("the brokers' disks: what a power loss takes, how long a crash is recovered", disk_rows());
  static const Section remote =
      section_of("remote storage, of topics with remote.storage.enable", remote_rows());
  static const Section policy =
      section_of("what the plug-in of create.topic.policy.class.name lets pass; growth is not shown to it",
                 policy_rows());
  static const std::vector<Row<ClusterOptions>> rows{
      {{"brokers", KeyType::integer, "they are named kafka/0, kafka/1 …, in other clusters NAME/0, NAME/1 …",
        "3", false, 1, 1000},
       [](const Value& v, ClusterOptions& k, const BindContext&) { k.brokers = whole<std::int32_t>(v); }},
      {{"controllers", KeyType::integer,
        "voters of the metadata quorum; one is named controller, more are controller/0, controller/1 …", "1",
        false, 1, models::kafka::kMostControllers},
       [](const Value& v, ClusterOptions& k, const BindContext&) { k.controllers = whole<std::int32_t>(v); }},
      {choice_key("coordination", "who keeps the metadata; ZooKeeper until 3.9, and unless given before 3.3",
                  "\"kraft\"", {"kraft", "zookeeper"}),
       [](const Value& v, ClusterOptions& k, const BindContext&) { k.zookeeper = v.text == "zookeeper"; }},
      {{"zookeeper_load_per_partition", KeyType::duration,
        "how long a new controller reads a partition's state from ZooKeeper", "\"0s\""},
       [](const Value& v, ClusterOptions& k, const BindContext&) {
         k.zookeeper_load_per_partition = parse_duration(v.text);
       }},
      {{"racks", KeyType::names, "of the brokers in turn"},
       [](const Value& v, ClusterOptions& k, const BindContext&) { k.racks = names(v); }},
      {{"zones", KeyType::names, "of the brokers in turn"},
       [](const Value& v, ClusterOptions& k, const BindContext&) { k.zones = names(v); }},
      {{"regions", KeyType::names, "of the brokers in turn"},
       [](const Value& v, ClusterOptions& k, const BindContext&) { k.regions = names(v); }},
      {table_key("service", "how long a request handler works on a request", service),
       [](const Value& v, ClusterOptions& k, const BindContext& c) {
         bind_rows(v, service_rows(), k.service, c);
       }},
      {{"transaction_version", KeyType::integer,
        "the feature transaction.version: 2 is KIP-890, the default of Kafka 4", "2", false, 0, 2},
       [](const Value& v, ClusterOptions& k, const BindContext&) {
         k.transaction_version = whole<std::int32_t>(v);
       }},
      {config_key("broker settings by the names of server.properties", models::kafka::KeyScope::broker),
       [](const Value& v, ClusterOptions& k, const BindContext&) {
         k.config = bind_kafka_config<models::kafka::BrokerConfig>(v);
       }},
      // Before the switches, which change what the version says.
      {choice_key("version", "whose protocol brokers and clients speak", "\"4.3\"",
                  {models::kafka::known_versions().begin(), models::kafka::known_versions().end()}),
       [](const Value& v, ClusterOptions& k, const BindContext&) {
         k.rules = models::kafka::ProtocolRules(*models::kafka::parse_version(v.text));
       }},
      {table_key("rules", "rules of the protocol, each by itself", rules_section()),
       [](const Value& v, ClusterOptions& k, const BindContext&) { bind_rules(v, k.rules); }},
      {table_key("disk", "the brokers' disks", disk),
       [](const Value& v, ClusterOptions& k, const BindContext& c) { bind_rows(v, disk_rows(), k.disk, c); }},
      {table_key("create_topic_policy", "which topics may be created: POLICY_VIOLATION", policy),
       [](const Value& v, ClusterOptions& k, const BindContext& c) {
         bind_rows(v, policy_rows(), k.create_topic_policy, c);
       }},
      {table_key("remote", "remote storage, of topics with remote.storage.enable", remote),
       [](const Value& v, ClusterOptions& k, const BindContext& c) {
         bind_rows(v, remote_rows(), k.remote, c);
       }},
      {tables("topics", "the topics", topic_section()),
       [](const Value& v, ClusterOptions& k, const BindContext& c) {
         for (const Value& item : v.items) {
           TopicOptions& topic = k.topics.emplace_back();
           topic.partitions = k.config.num_partitions;
           topic.replication_factor = k.config.default_replication_factor;
           bind_rows(item, topic_rows(), topic, c);
         }
       }},
      {tables("users", "who is whom, for quotas", user_section()),
       [](const Value& v, ClusterOptions& k, const BindContext& c) {
         for (const Value& item : v.items) bind_rows(item, user_rows(), k.users.emplace_back(), c);
       }},
      {tables("quotas", "of users and clients", quota_section()),
       [](const Value& v, ClusterOptions& k, const BindContext& c) {
         for (const Value& item : v.items) bind_rows(item, quota_rows(), k.quotas.emplace_back(), c);
       }},
  };
  return rows;
}

const std::vector<Row<ClusterOptions>>& cluster_rows() {
  static const std::vector<Row<ClusterOptions>> rows = [] {
    std::vector<Row<ClusterOptions>> all{
        {{"name", KeyType::name, "also before the names of its topics where faults name them", "", true},
         [](const Value& v, ClusterOptions& k, const BindContext&) { k.name = v.text; }}};
    all.insert(all.end(), kafka_rows().begin(), kafka_rows().end());
    return all;
  }();
  return rows;
}

const std::vector<Row<ProducerOptions>>& producer_rows() {
  static const std::vector<Row<ProducerOptions>> rows{
      {{"name", KeyType::name, "by which faults, metrics and random streams know it", "", true},
       [](const Value& v, ProducerOptions& p, const BindContext&) { p.name = v.text; }},
      {{"cluster", KeyType::name,
        "whose client it is; \"rabbitmq\" is that of [rabbitmq], \"sqs\" that of [sqs], \"sns\" that of "
        "[sns]",
        "\"kafka\""},
       [](const Value& v, ProducerOptions& p, const BindContext&) { p.cluster = v.text; }},
      publisher_row(),
      sqs_sender_row(),
      sns_publisher_row(),
      {{"to", KeyType::name, "topic; of RabbitMQ an exchange, or a queue; of SQS a queue", "", true},
       [](const Value& v, ProducerOptions& p, const BindContext&) { p.to = v.text; }},
      {{"instances", KeyType::integer, "more than one are named name/0, name/1 …, each with these arrivals",
        "1", false, 1, 10'000},
       [](const Value& v, ProducerOptions& p, const BindContext&) { p.instances = whole<std::uint32_t>(v); }},
      {{"arrivals", KeyType::arrivals, "when messages arise", "", true},
       [](const Value& v, ProducerOptions& p, const BindContext& c) { make_arrivals(v, p, c); }},
      {{"messages", KeyType::integer, "stop after so many; 0: go on until duration", "0", false, 0, 1e12},
       [](const Value& v, ProducerOptions& p, const BindContext&) { p.messages = whole<std::uint64_t>(v); }},
      {{"keys", KeyType::keys, "of the messages; null keys unless given"},
       [](const Value& v, ProducerOptions& p, const BindContext&) { p.keys = make_keys(v); }},
      {{"same_keys_as", KeyType::name,
        "another producer: their keys are the same, and order per key is judged over both"},
       [](const Value& v, ProducerOptions& p, const BindContext&) { p.same_keys_as = v.text; }},
      {{"tombstones", KeyType::share,
        "share of messages without a value, which delete their key in a compacted topic", "0"},
       [](const Value& v, ProducerOptions& p, const BindContext&) { p.tombstones = v.number; }},
      {draw_key("size", "bytes of value and key", "\"100B\"", Draws::sizes),
       [](const Value& v, ProducerOptions& p, const BindContext&) {
         p.size = make_distribution(v, Draws::sizes);
       }},
      {{"clock_ahead", KeyType::duration, "how far its clock is ahead of the brokers'", "\"0s\""},
       [](const Value& v, ProducerOptions& p, const BindContext&) {
         p.clock_ahead += parse_duration(v.text);
       }},
      {{"clock_behind", KeyType::duration, "or behind", "\"0s\""},
       [](const Value& v, ProducerOptions& p, const BindContext&) {
         p.clock_ahead -= parse_duration(v.text);
       }},
      {{"resend", KeyType::boolean,
        "the application sends a message again when its callback reports a failure", "false"},
       [](const Value& v, ProducerOptions& p, const BindContext&) { p.resend = v.boolean; }},
      {{"resend_after_restart", KeyType::boolean,
        "after a restart the application sends again what it had sent without learning of a success",
        "false"},
       [](const Value& v, ProducerOptions& p, const BindContext&) { p.resend_after_restart = v.boolean; }},
      {table_key("transactions", "what is sent between two commits is one transaction; none unless given",
                 transactions_section()),
       [](const Value& v, ProducerOptions& p, const BindContext& c) {
         bind_rows(v, transactions_rows(), p.transactions.emplace(), c);
       }},
      {table_key("admission", "who is let in before send(); everybody, at once, unless given",
                 admission_section()),
       [](const Value& v, ProducerOptions& p, const BindContext& c) {
         bind_rows(v, admission_rows(), p.admission.emplace(), c);
       }},
      {table_key("schema", "its values have a schema, in the topic's subject; none unless given",
                 writer_section()),
       [](const Value& v, ProducerOptions& p, const BindContext& c) {
         bind_rows(v, writer_rows(), p.schema.emplace(), c);
       }},
      {{"host", KeyType::name, "where it runs; a host of its own unless given"},
       [](const Value& v, ProducerOptions& p, const BindContext&) { p.host = v.text; }},
      {{"rack", KeyType::name, "of its host"},
       [](const Value& v, ProducerOptions& p, const BindContext&) { p.rack = v.text; }},
      {{"zone", KeyType::name, "of its host"},
       [](const Value& v, ProducerOptions& p, const BindContext&) { p.zone = v.text; }},
      {{"region", KeyType::name, "of its host"},
       [](const Value& v, ProducerOptions& p, const BindContext&) { p.region = v.text; }},
      failover_row<ProducerOptions>(),
      {choice_key("client", "whose client it is, with its own settings and defaults", "\"java\"",
                  {"java", "librdkafka"}),
       [](const Value& v, ProducerOptions& p, const BindContext&) {
         if (v.text == "librdkafka") p.config = models::kafka::librdkafka_producer();
       }},
      {config_key("producer settings by the client's names", models::kafka::KeyScope::producer),
       [](const Value& v, ProducerOptions& p, const BindContext&) { bind_client_config(v, p.config); }},
  };
  return rows;
}

const std::vector<Row<GroupOptions>>& group_rows() {
  static const std::vector<Row<GroupOptions>> rows{
      {{"name", KeyType::name, "also group.id; members are name/0, name/1 …", "", true},
       [](const Value& v, GroupOptions& g, const BindContext&) { g.name = v.text; }},
      {{"cluster", KeyType::name,
        "whose group it is; \"rabbitmq\" is that of [rabbitmq], \"sqs\" that of [sqs]", "\"kafka\""},
       [](const Value& v, GroupOptions& g, const BindContext&) { g.cluster = v.text; }},
      subscriber_row(),
      sqs_receiver_row(),
      {{"topics", KeyType::names, "what the group reads of Kafka"},
       [](const Value& v, GroupOptions& g, const BindContext&) { g.topics = names(v); }},
      {choice_key("type", "share: its members share partitions (KIP-932)", "\"consumer\"",
                  {"consumer", "share"}),
       [](const Value& v, GroupOptions& g, const BindContext&) {
         g.type = v.text == "share" ? models::GroupType::share : models::GroupType::consumer;
       }},
      {{"members", KeyType::integer, "how many", "1", false, 1, 10'000},
       [](const Value& v, GroupOptions& g, const BindContext&) { g.members = whole<std::uint32_t>(v); }},
      {draw_key("service", "time to process one record", "\"0s\"", Draws::durations),
       [](const Value& v, GroupOptions& g, const BindContext&) { g.service = durations(v); }},
      {choice_key("commit", "when offsets are committed", "\"auto\"",
                  {"auto", "after-processing", "before-processing", "each-record", "asynchronous",
                   "in-transaction", "stored", "with-effect", "completed"}),
       [](const Value& v, GroupOptions& g, const BindContext&) { g.commit = commit_mode(v.text); }},
      {choice_key(
           "stored_offsets",
           "commit = \"stored\": what becomes of an offset that is stored after its partition was revoked "
           "(librdkafka: reset since 1.9)",
           "\"reset\"", {"reset", "keep"}),
       [](const Value& v, GroupOptions& g, const BindContext&) {
         g.reset_stored_offsets = v.text == "reset";
       }},
      {table_key("hand_off", "work handed to other threads; processed inside poll's loop unless given",
                 hand_off_section()),
       [](const Value& v, GroupOptions& g, const BindContext& c) {
         bind_rows(v, hand_off_rows(), g.hand_off.emplace(), c);
       }},
      {table_key("calls", "what the work on a record calls; nothing unless given", calls_section()),
       [](const Value& v, GroupOptions& g, const BindContext& c) {
         bind_rows(v, call_rows(), g.calls.emplace(), c);
       }},
      {table_key("effect", "an outside effect of each message, as a charge; none unless given",
                 effect_section()),
       [](const Value& v, GroupOptions& g, const BindContext&) { g.effect = bind_effect(v); }},
      {table_key("transform",
                 "each record processed is made into a message of another topic; none unless given",
                 transform_section()),
       [](const Value& v, GroupOptions& g, const BindContext& c) {
         bind_rows(v, transform_rows(), g.transform.emplace(), c);
       }},
      {table_key("streams", "it is an application of Kafka Streams; none unless given", streams_section()),
       [](const Value& v, GroupOptions& g, const BindContext& c) {
         g.streams.emplace();
         bind_rows(v, streams_rows(), g, c);
         models::kafka::prefer_streams_settings(g);
       }},
      {table_key("poison", "messages that it cannot process; none unless given", poison_section()),
       [](const Value& v, GroupOptions& g, const BindContext&) { g.poison = bind_poison(v); }},
      {{"part_of", KeyType::name,
        "the group whose application it belongs to: it reads what that one has handed on (a retry topic)"},
       [](const Value& v, GroupOptions& g, const BindContext&) { g.part_of = v.text; }},
      {{"delay", KeyType::duration, "it begins with a record when that is of this age", "\"0s\""},
       [](const Value& v, GroupOptions& g, const BindContext&) { g.delay = parse_duration(v.text); }},
      {table_key(
           "schema",
           "it reads values that have a schema; what it cannot read is poison. Does not look unless given",
           reader_section()),
       [](const Value& v, GroupOptions& g, const BindContext& c) {
         bind_rows(v, reader_rows(), g.schema.emplace(), c);
       }},
      {table_key("autoscale", "an autoscaler; all members run unless given", autoscale_section()),
       [](const Value& v, GroupOptions& g, const BindContext& c) {
         bind_rows(v, autoscale_rows(), g.autoscale.emplace(), c);
       }},
      {{"materialise", KeyType::boolean,
        "it keeps a table of each key's last value, which is compared with the log in the end", "false"},
       [](const Value& v, GroupOptions& g, const BindContext&) { g.materialise = v.boolean; }},
      {{"renew", KeyType::duration, "of share groups: how often the locks of what is in hand are renewed"},
       [](const Value& v, GroupOptions& g, const BindContext&) { g.renew = parse_duration(v.text); }},
      {{"rack", KeyType::name, "of the members' hosts"},
       [](const Value& v, GroupOptions& g, const BindContext&) { g.rack = v.text; }},
      {{"racks", KeyType::names, "of the members' hosts in turn, in place of `rack`"},
       [](const Value& v, GroupOptions& g, const BindContext&) { g.racks = names(v); }},
      {{"zone", KeyType::name, "of the members' hosts"},
       [](const Value& v, GroupOptions& g, const BindContext&) { g.zone = v.text; }},
      {{"region", KeyType::name, "of the members' hosts"},
       [](const Value& v, GroupOptions& g, const BindContext&) { g.region = v.text; }},
      failover_row<GroupOptions>(),
      {{"start", KeyType::duration, "when the members start", "\"0s\""},
       [](const Value& v, GroupOptions& g, const BindContext&) { g.start = parse_duration(v.text); }},
      {{"stagger", KeyType::duration, "between the starts of successive members", "\"0s\""},
       [](const Value& v, GroupOptions& g, const BindContext&) { g.stagger = parse_duration(v.text); }},
      {choice_key("client", "whose client the members are, with its own settings and defaults", "\"java\"",
                  {"java", "librdkafka"}),
       [](const Value& v, GroupOptions& g, const BindContext&) {
         if (v.text == "librdkafka") g.config = models::kafka::librdkafka_consumer();
       }},
      {config_key("consumer settings by the client's names", models::kafka::KeyScope::consumer),
       [](const Value& v, GroupOptions& g, const BindContext&) { bind_client_config(v, g.config); }},
  };
  return rows;
}

}  // namespace experiments
