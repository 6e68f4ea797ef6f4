// Features of swarm worlds: who coordinates, which clients there are, of which version, and what stands behind them.
#pragma once

#include "models/kafka/librdkafka.hpp"
#include "models/kafka/streams.hpp"
#include "tests/models/proof/swarm_features.hpp"

namespace proof {
namespace detail {

// ---- coordination and versions ------------------------------------------------------------------------------------

/// What did not exist when those rules were Kafka's is not asked for.
inline void fit_to_rules(models::Scenario& s) {
  using models::kafka::Rule;
  const models::kafka::ProtocolRules& rules = s.kafka->rules;
  if (!rules.has(Rule::fetch_from_followers)) s.kafka->config.rack_aware_replica_selector = false;
  for (models::GroupOptions& g : s.groups) {
    models::kafka::ConsumerConfig& config = g.config;
    if (!rules.has(Rule::consumer_protocol)) {
      config.group_protocol = models::kafka::GroupProtocol::classic;
      config.group_remote_assignor.reset();
    }
    if (!rules.has(Rule::static_members)) config.group_instance_id.clear();
    if (!rules.has(Rule::fetch_from_followers)) config.client_rack.clear();
    if (!rules.has(Rule::cooperative_rebalancing) &&
        config.partition_assignment_strategy[0] == models::kafka::Assignor::cooperative_sticky)
      config.partition_assignment_strategy = {models::kafka::Assignor::range};
  }
}

/// Share groups came with 4.2, transactions that promise what the swarm asks with 4.0 (KIP-890).
inline bool may_be_old(const models::Scenario& s) {
  return s.kafka->controllers == 1 && !any_group(s, shares) && !any_transactions(s);
}
inline void add_zookeeper(models::Scenario& s) {
  s.kafka->zookeeper = true;
  s.kafka->rules =
      models::kafka::ProtocolRules(one_of<models::kafka::Version>({{3, 9}, {3, 6}, {3, 0}, {2, 8}, {2, 4}}));
  s.kafka->config.zookeeper_session_timeout = one_of<sim::Duration>({18s, 3s});
  s.kafka->zookeeper_load_per_partition = one_of<sim::Duration>({0ms, 10ms});
}
/// With KRaft.
inline void add_version(models::Scenario& s) {
  s.kafka->rules = models::kafka::ProtocolRules(
      one_of<models::kafka::Version>({{4, 2}, {4, 1}, {4, 0}, {3, 9}, {3, 7}, {3, 5}, {3, 3}}));
}
inline bool without_zookeeper(const models::Scenario& s) {
  return may_be_old(s) && !s.kafka->zookeeper;
}

// ---- clients ------------------------------------------------------------------------------------------------------

/// group0 counts what orders say in stores, with a changelog.
inline void add_streams(models::Scenario& s) {
  add_charges(s);
  models::GroupOptions& group = s.groups[0];
  group.streams.emplace();
  group.streams->config.exactly_once = true;
  group.streams->config.num_standby_replicas = *rc::gen::inRange(0, 2);
  group.transform->aborts = 0;
  models::kafka::prefer_streams_settings(group);
  group.config.group_protocol = models::kafka::GroupProtocol::classic;
  group.config.group_remote_assignor.reset();
  group.config.session_timeout = one_of<sim::Duration>({3s, 1s});
}
inline bool may_stream(const models::Scenario& s) {
  return may_transform(s) && !s.kafka->zookeeper && s.kafka->rules.has(models::kafka::Rule::transactions_v2);
}

inline void make_librdkafka(models::ProducerOptions& p) {
  models::kafka::ProducerConfig config = models::kafka::librdkafka_producer();
  config.linger = p.config.linger;
  config.batch_size = p.config.batch_size;
  config.retry_backoff = one_of<sim::Duration>({100ms, 10ms});
  config.request_timeout = p.config.request_timeout;
  config.metadata_max_age = p.config.metadata_max_age;
  config.transaction_timeout = p.config.transaction_timeout;
  config.partitioner_class = one_of<models::kafka::Partitioner>(
      {models::kafka::Partitioner::consistent_random, models::kafka::Partitioner::murmur2,
       models::kafka::Partitioner::random});
  if (p.keys.count > 0 && config.partitioner_class == models::kafka::Partitioner::random)
    config.partitioner_class = models::kafka::Partitioner::consistent;
  p.config = config;
}
inline void make_librdkafka(models::GroupOptions& g) {
  const models::kafka::ConsumerConfig before = g.config;
  g.config = models::kafka::librdkafka_consumer();
  g.config.session_timeout = before.session_timeout;
  g.config.max_poll_interval = before.max_poll_interval;
  g.config.request_timeout = before.request_timeout;
  g.config.metadata_max_age = before.metadata_max_age;
  g.config.partition_assignment_strategy = before.partition_assignment_strategy;
  if (g.config.partition_assignment_strategy[0] == models::kafka::Assignor::sticky)
    g.config.partition_assignment_strategy = {models::kafka::Assignor::range};  // librdkafka has none
  g.config.group_instance_id = before.group_instance_id;
}
inline void add_librdkafka(models::Scenario& s) {
  for (models::ProducerOptions& p : s.producers)
    if (!sometimes(3)) make_librdkafka(p);
  for (models::GroupOptions& g : s.groups)
    if (!g.transform && !shares(g) && !sometimes(5)) make_librdkafka(g);
}

inline bool is_consumer_protocol(const models::GroupOptions& g) {
  return g.config.group_protocol == models::kafka::GroupProtocol::consumer && !shares(g);
}
/// Static members of the consumer protocol are told to stop and never die: one that comes back before its session has ended, and
/// without having left, is refused for good (UNRELEASED_INSTANCE_ID).
inline void make_static(models::Scenario& s) {
  for (models::GroupOptions& g : s.groups) {
    if (!is_consumer_protocol(g)) continue;
    g.config.group_instance_id = "m{index}";
    for (models::FaultSpec& fault : s.faults) {
      if (fault.kind == "crash" && fault.target.compare(0, g.name.size() + 1, g.name + "/") == 0)
        fault.kind = "restart";
    }
  }
}
/// So is one whose leave nobody heard: where no loss is allowed nothing keeps it from the coordinator.
inline void leave_undisturbed(models::Scenario& s) {
  make_static(s);
  std::erase_if(s.faults, [&s](const models::FaultSpec& fault) {
    const std::string name = fault.target.substr(0, fault.target.find('/'));
    const auto has_name = [&name](const auto& one) { return one.name == name; };
    const bool orderly = fault.kind == "restart" || fault.kind == "rolling" || fault.kind == "leave";
    return !std::any_of(s.producers.begin(), s.producers.end(), has_name) &&
           !(orderly && std::any_of(s.groups.begin(), s.groups.end(), has_name));
  });
}
inline void add_static_members(models::Scenario& s) {
  s.groups[0].config.group_protocol = models::kafka::GroupProtocol::consumer;
  s.faults.push_back(passing("restart", s.groups[0].name + "/0"));
}
inline bool may_have_static_members(const models::Scenario& s) {
  return s.kafka->rules.has(models::kafka::Rule::consumer_protocol) && !shares(s.groups[0]) &&
         !s.groups[0].streams && s.groups[0].config.client != models::kafka::Client::librdkafka;
}

inline bool may_be_disturbed(const models::Scenario& s) {
  return may_have_static_members(s) &&
         s.groups[0].config.group_protocol == models::kafka::GroupProtocol::classic;
}

// ---- regions ------------------------------------------------------------------------------------------------------

/// Its tasks read what is not committed, too: aborted records would be copied.
inline bool may_be_mirrored(const models::Scenario& s) {
  return !s.kafka->zookeeper && !any_transactions(s);
}
/// "orders" is copied to a second cluster, where a group reads the copies.
inline void add_mirror(models::Scenario& s) {
  models::kafka::ClusterOptions west = arbitrary_cluster();
  west.name = "west";
  west.topics.clear();
  s.clusters.push_back(west);
  models::kafka::MirrorOptions mirror;
  mirror.name = "mm2";
  mirror.to = "west";
  mirror.topics = {"orders"};
  mirror.config.tasks_max = *rc::gen::inRange(1, 3);
  mirror.config.replication_factor = west.config.offsets_topic_replication_factor.value_or(1);
  mirror.config.sync_group_offsets_enabled = sometimes(5);
  mirror.config.sync_group_offsets_interval = 1s;
  mirror.config.emit_checkpoints_interval = one_of<sim::Duration>({60s, 1s});
  mirror.config.offset_flush_interval = one_of<sim::Duration>({60s, 1s});
  s.mirrors.push_back(mirror);
  models::GroupOptions reader = arbitrary_group("archive");
  reader.cluster = "west";
  reader.topics = {mirror.remote_topic("orders")};
  s.groups.push_back(reader);
}

// ---- applications with databases ----------------------------------------------------------------------------------

/// "desk" answers requests with a transaction and a row of its outbox, a relay sends the rows, and "stock" notes each event.
inline void add_applications(models::Scenario& s) {
  models::kafka::TopicOptions events = s.kafka->topics[0];
  events.name = "events";
  events.partitions = *rc::gen::inRange(1, 4);
  s.kafka->topics.push_back(events);
  for (const char* const name : {"desk-db", "stock-db"}) {
    models::DatabaseOptions& database = s.databases.emplace_back();
    database.name = name;
    database.transaction =
        one_of<sim::Distribution>({sim::Distribution::constant(1e6), sim::Distribution::exponential(20e6)});
  }
  models::ServiceOptions desk;
  desk.name = "desk";
  desk.database = "desk-db";
  desk.instances = *rc::gen::inRange(1u, 3u);
  desk.arrivals = sim::ArrivalProcess::poisson(one_of<double>({20, 100}));
  desk.begins = "ordered";
  desk.publish = models::Publishing::outbox;
  s.services.push_back(desk);
  models::ServiceOptions stock;
  stock.name = "stock";
  stock.database = "stock-db";
  stock.instances = *rc::gen::inRange(1u, 3u);
  stock.reads = {"events"};
  models::ReactionOptions& reserve = stock.reactions.emplace_back();
  reserve.on = "ordered";
  reserve.then = "reserved";
  stock.consumer = arbitrary_group("stock").config;
  stock.consumer.group_instance_id.clear();
  s.services.push_back(stock);
  models::RelayOptions relay;
  relay.name = "relay";
  relay.database = "desk-db";
  relay.to = "events";
  relay.kind = sometimes(5) ? models::RelayKind::capture : models::RelayKind::polling;
  if (relay.kind == models::RelayKind::polling) relay.instances = *rc::gen::inRange(1u, 3u);
  relay.every = one_of<sim::Duration>({100ms, 10ms});
  relay.batch = one_of<std::uint32_t>({100, 1});
  s.relays.push_back(relay);
  s.saga.succeeds = {"reserved"};
}

}  // namespace detail

inline const std::vector<Feature>& client_features() {
  using models::Verdict;
  static const std::vector<Feature> kRows{
      {"ZooKeeper", detail::may_be_old, detail::add_zookeeper, 2, {}, detail::fit_to_rules},
      {"a version", detail::without_zookeeper, detail::add_version, 2, {}, detail::fit_to_rules},
      {"a Streams application", detail::may_stream, detail::add_streams},
      {"librdkafka", nullptr, detail::add_librdkafka},
      {"static members of the consumer protocol",
       detail::may_have_static_members,
       detail::add_static_members,
       1,
       {},
       detail::leave_undisturbed},
      {"static members of the consumer protocol, and whatever strikes",
       detail::may_be_disturbed,
       detail::add_static_members,
       1,
       {Verdict::in_flight, Verdict::unseen},
       detail::make_static},
      {"a mirror", detail::may_be_mirrored, detail::add_mirror},
      {"applications with databases", nullptr, detail::add_applications},
  };
  return kRows;
}

}  // namespace proof
