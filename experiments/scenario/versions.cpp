#include "experiments/scenario/versions.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>

#include "experiments/scenario/paths.hpp"
#include "models/kafka/version_defaults.hpp"

namespace experiments {
namespace {

using models::Scenario;
using models::kafka::ClusterOptions;
using models::kafka::Version;

bool gives(const Value* table, std::string_view key) {
  const Value* const config = table == nullptr ? nullptr : table->find("config");
  return config != nullptr && config->find(key) != nullptr;
}

template <class Config>
void set_earlier(Config& config, models::kafka::KeyScope scope, Version version, const Value* table) {
  for (const models::kafka::EarlierDefault& row : models::kafka::earlier_defaults()) {
    if (row.scope == scope && version < row.before && !gives(table, row.key))
      models::kafka::set(config, row.key, row.value);
  }
}

/// Before KIP-580 and KIP-144 a back-off was what its key said, each time.
template <class ClientConfig>
void set_earlier_client(ClientConfig& config, models::kafka::KeyScope scope, Version version,
                        const Value* table) {
  set_earlier(config, scope, version, table);
  if (version < Version{3, 7} && !gives(table, "retry.backoff.max.ms"))
    config.retry_backoff_max = config.retry_backoff;
  if (version < Version{0, 11} && !gives(table, "reconnect.backoff.max.ms"))
    config.reconnect_backoff_max = config.reconnect_backoff;
}

/// MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION_FOR_IDEMPOTENCE
constexpr std::int32_t kMostInFlightIdempotent = 5;

/// Before KIP-679 idempotence, asked for or implied by transactions, decided on acks and retries
/// (ProducerConfig.idempotenceEnabled and maybeOverrideAcksAndRetries of 2.8), and before KAFKA-5494 on requests in flight
/// (KafkaProducer.configureInflightRequests of 0.11).
void set_earlier_idempotence(models::kafka::ProducerConfig& config, Version version, const Value* table,
                             bool transactional) {
  if (version < Version{0, 11} || version >= Version{3, 0}) return;
  if (transactional && !gives(table, "enable.idempotence")) config.enable_idempotence = true;
  if (!config.enable_idempotence) return;
  if (!gives(table, "acks")) config.acks = -1;
  if (!gives(table, "retries")) config.retries = std::numeric_limits<std::int32_t>::max();
  if (version < Version{1, 0} && !gives(table, "max.in.flight.requests.per.connection"))
    config.max_in_flight_requests_per_connection = 1;
}

/// KIP-91
constexpr Version kDeliveryTimeoutSince{2, 1};

void set_earlier_producer(models::kafka::ProducerConfig& config, Version version, const Value* table,
                          bool transactional = false) {
  set_earlier_client(config, models::kafka::KeyScope::producer, version, table);
  set_earlier_idempotence(config, version, table, transactional);
  // There is none to be too short.
  if (version < kDeliveryTimeoutSince && !gives(table, "delivery.timeout.ms"))
    config.delivery_timeout = std::max(config.delivery_timeout, config.linger + config.request_timeout);
  // Before 4.0 more requests in flight turned idempotence off where it was not asked for, as acks do still
  // (ProducerConfig.postProcessAndValidateIdempotenceConfigs of 3.9).
  if (version < Version{4, 0} && !gives(table, "enable.idempotence") &&
      config.max_in_flight_requests_per_connection > kMostInFlightIdempotent)
    config.enable_idempotence = false;
}

void set_earlier_consumer(models::kafka::ConsumerConfig& config, Version version, const Value* table) {
  const std::string_view given = config.classic_key_given;  // by the scenario
  set_earlier_client(config, models::kafka::KeyScope::consumer, version, table);
  config.classic_key_given = given;
}

/// Where a scenario makes use of something in a cluster; nothing where it does not.
using Use = std::optional<std::string>;

/// The cluster of that name, of [[clusters]] or of [kafka].
const ClusterOptions& cluster_of(const Scenario& s, std::string_view name) {
  for (const ClusterOptions& one : s.clusters) {
    if (one.name == name) return one;
  }
  return *s.kafka;
}
std::string path_of(const Scenario& s, const ClusterOptions& cluster) {
  return &cluster == &*s.kafka ? "kafka" : join_path("clusters", cluster.name);
}
Use some_key(bool used, const Scenario& s, const ClusterOptions& cluster, const char* key) {
  return used ? Use(path_of(s, cluster) + "." + key) : std::nullopt;
}

template <class Fits>
Use some_group(const Scenario& s, const ClusterOptions& cluster, std::string_view key, Fits fits) {
  for (const models::GroupOptions& group : s.groups) {
    if (&cluster_of(s, group.cluster) == &cluster && fits(group))
      return join_path(join_path("groups", group.name), key);
  }
  return std::nullopt;
}

Use transactions(const Scenario& s, const ClusterOptions& cluster) {
  for (const models::ProducerOptions& producer : s.producers) {
    if (&cluster_of(s, producer.cluster) == &cluster && producer.transactions)
      return join_path(join_path("producers", producer.name), "transactions");
  }
  return some_group(s, cluster, "transform", [](const models::GroupOptions& g) {
    return g.transform && g.commit == models::CommitMode::in_transaction;
  });
}
Use idempotence(const Scenario& s, const ClusterOptions& cluster) {
  for (const models::ProducerOptions& producer : s.producers) {
    if (&cluster_of(s, producer.cluster) == &cluster && producer.config.enable_idempotence)
      return join_path(join_path("producers", producer.name), "config.enable.idempotence");
  }
  return std::nullopt;
}
Use static_members(const Scenario& s, const ClusterOptions& cluster) {
  return some_group(s, cluster, "config.group.instance.id",
                    [](const models::GroupOptions& g) { return !g.config.group_instance_id.empty(); });
}
Use cooperative(const Scenario& s, const ClusterOptions& cluster) {
  return some_group(s, cluster, "config.partition.assignment.strategy", [](const models::GroupOptions& g) {
    const auto& all = g.config.partition_assignment_strategy;
    return std::find(all.begin(), all.end(), models::kafka::Assignor::cooperative_sticky) != all.end();
  });
}
Use consumer_protocol(const Scenario& s, const ClusterOptions& cluster) {
  return some_group(s, cluster, "config.group.protocol", [](const models::GroupOptions& g) {
    return g.config.group_protocol == models::kafka::GroupProtocol::consumer;
  });
}
Use share_groups(const Scenario& s, const ClusterOptions& cluster) {
  return some_group(s, cluster, "type",
                    [](const models::GroupOptions& g) { return g.type == models::GroupType::share; });
}
Use committed_reads(const Scenario& s, const ClusterOptions& cluster) {
  return some_group(s, cluster, "config.isolation.level",
                    [](const models::GroupOptions& g) { return g.config.read_committed; });
}
Use resets_by_duration(const Scenario& s, const ClusterOptions& cluster) {
  constexpr auto kByDuration = models::kafka::AutoOffsetReset::by_duration;
  if (Use use = some_group(s, cluster, "config.auto.offset.reset", [](const models::GroupOptions& g) {
        return g.config.auto_offset_reset == kByDuration;
      }))
    return use;
  return some_group(s, cluster, "config.share.auto.offset.reset", [](const models::GroupOptions& g) {
    return g.config.share.auto_offset_reset == kByDuration;
  });
}
Use client_racks(const Scenario& s, const ClusterOptions& cluster) {
  return some_group(s, cluster, "config.client.rack",
                    [](const models::GroupOptions& g) { return !g.config.client_rack.empty(); });
}
Use replica_selector(const Scenario& s, const ClusterOptions& cluster) {
  return some_key(cluster.config.rack_aware_replica_selector, s, cluster, "config.replica.selector.class");
}
Use transactions_v2(const Scenario& s, const ClusterOptions& cluster) {
  return some_key(cluster.transaction_version >= 2, s, cluster, "transaction_version");
}
Use quorum(const Scenario& s, const ClusterOptions& cluster) {
  return some_key(cluster.controllers > 1, s, cluster, "controllers");
}
Use tiers(const Scenario& s, const ClusterOptions& cluster) {
  return some_key(cluster.config.tiers.system_enable, s, cluster, "config.remote.log.storage.system.enable");
}
Use mutation_quotas(const Scenario& s, const ClusterOptions& cluster) {
  const bool used = std::any_of(cluster.quotas.begin(), cluster.quotas.end(),
                                [](const auto& quota) { return quota.controller_mutation_rate > 0; });
  return some_key(used, s, cluster, "quotas");
}
Use zookeeper(const Scenario& s, const ClusterOptions& cluster) {
  return some_key(cluster.zookeeper, s, cluster, "coordination");
}

using models::kafka::Rule;

struct Feature {
  std::string_view what;
  std::optional<Version> since, until;
  std::string_view source;
  Use (*use)(const Scenario&, const ClusterOptions&);
  /// By which it is switched on beside an older version. Switched off by itself it is not refused: what the scenario asks for
  /// then comes out as in the release before.
  std::optional<Rule> rule = std::nullopt;
};

/// To add one: its row.
constexpr auto kFeatures = std::to_array<Feature>({
    {"idempotence", Version{0, 11}, {}, "KIP-98", idempotence},
    {"transactions", Version{0, 11}, {}, "KIP-98", transactions},
    {"isolation.level=read_committed", Version{0, 11}, {}, "KIP-98", committed_reads},
    {"static membership", Version{2, 3}, {}, "KIP-345", static_members, Rule::static_members},
    {"client.rack", Version{2, 4}, {}, "KIP-392", client_racks, Rule::fetch_from_followers},
    {"fetching from followers", Version{2, 4}, {}, "KIP-392", replica_selector, Rule::fetch_from_followers},
    {"cooperative rebalancing", Version{2, 4}, {}, "KIP-429", cooperative, Rule::cooperative_rebalancing},
    {"a quorum of controllers (KRaft)", Version{3, 3}, {}, "KIP-833", quorum},
    {"the consumer group protocol", Version{4, 0}, {}, "KIP-848", consumer_protocol, Rule::consumer_protocol},
    {"auto.offset.reset=by_duration", Version{4, 0}, {}, "KIP-1106", resets_by_duration},
    {"share groups", Version{4, 2}, {}, "KIP-932", share_groups, Rule::share_groups},
    {"tiered storage", Version{3, 6}, {}, "KIP-405", tiers},
    {"transaction.version 2", Version{4, 0}, {}, "KIP-890", transactions_v2, Rule::transactions_v2},
    {"quotas of partitions that clients create", Version{2, 7}, {}, "KIP-599", mutation_quotas},
    {"coordination by ZooKeeper", {}, Version{4, 0}, "KIP-833", zookeeper},
});

std::string text(Version version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

}  // namespace

namespace {

/// Since it can be had, of a production cluster (KIP-833); before, ZooKeeper coordinates unless the scenario says otherwise.
constexpr Version kKraftSince{3, 3};

/// That of one cluster.
Version version_in(const Value& cluster) {
  const Value* const given = cluster.find("version");
  return given == nullptr ? models::kafka::kNewestVersion : *models::kafka::parse_version(given->text);
}

/// The table of the cluster of that name.
const Value& table_of(const Value& checked, const Scenario& s, std::string_view cluster) {
  for (std::size_t i = 0; i < s.clusters.size(); ++i) {
    if (s.clusters[i].name == cluster) return checked.find("clusters")->items[i];
  }
  return *checked.find("kafka");
}

void set_earlier(models::kafka::ClusterOptions& cluster, const Value& table) {
  const Version version = version_in(table);
  set_earlier(cluster.config, models::kafka::KeyScope::broker, version, &table);
  // Before KIP-854 one key was for both.
  if (version < Version{3, 4} && !gives(&table, "producer.id.expiration.ms"))
    cluster.config.producer_id_expiration = cluster.config.transactional_id_expiration;
  if (!cluster.rules.has(Rule::transactions_v2) && table.find("transaction_version") == nullptr)
    cluster.transaction_version = 0;
  const bool says = table.find("coordination") != nullptr || table.find("controllers") != nullptr;
  if (version < kKraftSince && !says) cluster.zookeeper = true;
}

/// The cluster's own word on it: true or false; nothing where `version` decides.
std::optional<bool> switched(const Value& cluster, Rule rule) {
  const Value* const rules = cluster.find("rules");
  const Value* const given =
      rules == nullptr ? nullptr
                       : rules->find(models::kafka::rule_catalogue()[static_cast<std::size_t>(rule)].name);
  if (given == nullptr) return std::nullopt;
  return given->boolean;
}

}  // namespace

Version version_of(const Value& checked) {
  const Value* const kafka = checked.find("kafka");
  return kafka == nullptr ? models::kafka::kNewestVersion : version_in(*kafka);
}

void set_earlier_defaults(const Value& checked, Scenario& s) {
  using models::kafka::KeyScope;
  if (!s.kafka) return;  // RabbitMQ alone: what its clients have of Kafka's settings is of no account
  set_earlier(*s.kafka, *checked.find("kafka"));
  for (models::kafka::ClusterOptions& cluster : s.clusters)
    set_earlier(cluster, table_of(checked, s, cluster.name));
  // librdkafka's clients have versions of their own.
  const auto librdkafka = [](const auto& config) {
    return config.client == models::kafka::Client::librdkafka;
  };
  for (std::size_t i = 0; i < s.producers.size(); ++i) {
    if (librdkafka(s.producers[i].config)) continue;
    const Value* const table = &checked.find("producers")->items[i];
    set_earlier_producer(s.producers[i].config, version_in(table_of(checked, s, s.producers[i].cluster)),
                         table, s.producers[i].transactions || gives(table, "transactional.id"));
  }
  for (std::size_t i = 0; i < s.groups.size(); ++i) {
    const Value& table = checked.find("groups")->items[i];
    models::GroupOptions& group = s.groups[i];
    const Version version = version_in(table_of(checked, s, group.cluster));
    if (!librdkafka(group.config)) set_earlier_consumer(group.config, version, &table);
    // Streams sets its producers itself.
    if (const Value* const transform = table.find("transform"))
      set_earlier_producer(group.transform->config, version, transform,
                           group.commit == models::CommitMode::in_transaction);
  }
  // Applications' own clients are of [kafka].
  const Version version = version_of(checked);
  for (std::size_t i = 0; i < s.services.size(); ++i) {
    const Value& table = checked.find("services")->items[i];
    set_earlier_producer(s.services[i].config, version, &table);
    set_earlier_consumer(s.services[i].consumer, version, table.find("consumer"));
  }
  for (std::size_t i = 0; i < s.relays.size(); ++i)
    set_earlier_producer(s.relays[i].config, version, &checked.find("relays")->items[i]);
  for (std::size_t i = 0; i < s.gateways.size(); ++i)
    set_earlier_producer(s.gateways[i].config, version, &checked.find("gateways")->items[i]);
}

namespace {

/// A setting below what the version asks for.
OutOfVersion too_small(const Value& table, models::kafka::KeyScope scope, Version version,
                       const std::string& path) {
  const Value* const config = table.find("config");
  if (config == nullptr) return {};
  for (const models::kafka::RaisedMinimum& row : models::kafka::raised_minima()) {
    const Value* const given = row.scope == scope ? config->find(row.key) : nullptr;
    if (given == nullptr || version < row.since || given->as_double() >= static_cast<double>(row.least))
      continue;
    return {path + ".config." + std::string(row.key), "must be at least " + std::to_string(row.least) +
                                                          " since Kafka " + text(row.since) + " (" +
                                                          std::string(row.source) + ")"};
  }
  return {};
}

OutOfVersion too_small(const Value& table, const Scenario& s, const ClusterOptions& cluster) {
  using models::kafka::KeyScope;
  const Version version = version_in(table);
  const std::string path = path_of(s, cluster);
  OutOfVersion wrong = too_small(table, KeyScope::broker, version, path);
  const Value* const topics = table.find("topics");
  for (std::size_t i = 0; topics != nullptr && i < topics->items.size() && wrong.message.empty(); ++i)
    wrong = too_small(topics->items[i], KeyScope::topic, version,
                      join_path(path + ".topics", cluster.topics[i].name));
  return wrong;
}

OutOfVersion out_of_version(const Value& table, const Scenario& s, const ClusterOptions& cluster) {
  const Version version = version_in(table);
  if (OutOfVersion wrong = too_small(table, s, cluster); !wrong.message.empty()) return wrong;
  for (const Feature& feature : kFeatures) {
    const std::optional<bool> given = feature.rule ? switched(table, *feature.rule) : std::nullopt;
    const bool refused = feature.rule == Rule::share_groups && given == false;
    const bool missing = feature.since && version < *feature.since && !given;
    const bool gone = feature.until && version >= *feature.until;
    if (!missing && !gone && !refused) continue;
    const Use use = feature.use(s, cluster);
    if (!use) continue;
    if (refused) return {*use, "[kafka.rules] share_groups is off, and nothing before it is like it"};
    const std::string source = " (" + std::string(feature.source) + ")";
    return {*use, "Kafka " + text(version) + " does not have " + std::string(feature.what) + ": " +
                      (missing ? "it came with " + text(*feature.since)
                               : "it is gone since " + text(*feature.until)) +
                      source};
  }
  return {};
}

}  // namespace

namespace {

/// Of Kafka's own clients: librdkafka's has versions of its own.
OutOfVersion delivery_timeout_too_early(const Value& checked, const Scenario& s) {
  for (std::size_t i = 0; i < s.producers.size(); ++i) {
    const models::ProducerOptions& producer = s.producers[i];
    const Value& table = table_of(checked, s, producer.cluster);
    const Version version = version_in(table);
    if (version >= kDeliveryTimeoutSince || producer.config.client == models::kafka::Client::librdkafka ||
        switched(table, Rule::delivery_timeout).value_or(false) ||
        !gives(&checked.find("producers")->items[i], "delivery.timeout.ms"))
      continue;
    return {join_path("producers", producer.name) + ".config.delivery.timeout.ms",
            "Kafka " + text(version) + " does not have it: it came with " + text(kDeliveryTimeoutSince) +
                " (KIP-91); request.timeout.ms and retries bound what a batch waits"};
  }
  return {};
}

}  // namespace

OutOfVersion out_of_version(const Value& checked, const Scenario& s) {
  if (OutOfVersion wrong = delivery_timeout_too_early(checked, s); !wrong.message.empty()) return wrong;
  OutOfVersion wrong = out_of_version(*checked.find("kafka"), s, *s.kafka);
  for (std::size_t i = 0; i < s.clusters.size() && wrong.message.empty(); ++i)
    wrong = out_of_version(checked.find("clusters")->items[i], s, s.clusters[i]);
  return wrong;
}

}  // namespace experiments
