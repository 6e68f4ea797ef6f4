// What worlds of the swarm may have beside brokers, producers and groups: each row is drawn or left out by itself.
//
// To add a feature: a function that adds it to a scenario with whatever it draws, and its row. What it takes away from what a
// world with every cure promises stands in the row, with the reason at the function; settings that keep a promise belong to
// swarm_cures.hpp, with a cure of their own where they can be taken back.
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

#include "models/checkers/verdicts.hpp"
#include "models/kafka/librdkafka.hpp"
#include "models/kafka/streams.hpp"
#include "tests/models/proof/arbitrary_world.hpp"

namespace proof {

struct Feature {
  const char* name;
  /// Null: always.
  bool (*fits)(const models::Scenario&);
  void (*add)(models::Scenario&);
  int tenths = 2;  ///< of worlds that have it, where it fits
  /// What a world with it may show in spite of every cure.
  std::vector<models::Verdict> not_promised{};
  /// After faults have been drawn and cures applied; null: nothing.
  void (*finish)(models::Scenario&) = nullptr;
};

// ---- of scenarios -------------------------------------------------------------------------------------------------

inline bool transforms(const models::GroupOptions& g) {
  return g.transform.has_value();
}
inline bool shares(const models::GroupOptions& g) {
  return g.type == models::GroupType::share;
}
inline bool any_group(const models::Scenario& s, bool (*is)(const models::GroupOptions&)) {
  return std::any_of(s.groups.begin(), s.groups.end(), is);
}
inline bool any_transactions(const models::Scenario& s) {
  return any_group(
             s,
             [](const models::GroupOptions& g) { return g.commit == models::CommitMode::in_transaction; }) ||
         std::any_of(s.producers.begin(), s.producers.end(),
                     [](const models::ProducerOptions& p) { return p.transactions.has_value(); });
}

/// Somebody to be struck; more than an arbitrary world has.
inline detail::Names swarm_names(const models::Scenario& s) {
  detail::Names names = detail::names_of(s);
  for (const models::kafka::ClusterOptions& other : s.clusters)
    for (std::int32_t b = 0; b < other.brokers; ++b)
      names.brokers.push_back(other.name + "/" + std::to_string(b));
  for (const models::kafka::MirrorOptions& mirror : s.mirrors)
    for (std::int32_t t = 0; t < mirror.config.tasks_max; ++t)
      names.others.push_back(mirror.name + "/" + std::to_string(t));
  if (s.kafka->zookeeper)
    names.others.push_back("zookeeper");
  else if (s.kafka->controllers == 1)
    names.others.push_back("controller");
  for (std::int32_t n = 0; s.kafka->controllers > 1 && n < s.kafka->controllers; ++n)
    names.others.push_back("controller/" + std::to_string(n));
  return names;
}

namespace detail {

using models::Verdict;

inline models::FaultSpec passing(const char* kind, std::string target) {
  models::FaultSpec fault;
  fault.kind = kind;
  fault.target = std::move(target);
  fault.at = 1ms * *rc::gen::inRange(0, 8000);
  fault.duration = 1ms * *rc::gen::inRange(1, 6000);
  return fault;
}
inline models::FaultSpec done(const char* kind, std::string target) {
  models::FaultSpec fault = passing(kind, std::move(target));
  fault.duration.reset();
  return fault;
}
inline std::string some_broker(const models::Scenario& s) {
  return "kafka/" + std::to_string(*rc::gen::inRange(0, s.kafka->brokers));
}

// ---- coordination -------------------------------------------------------------------------------------------------

inline void add_quorum(models::Scenario& s) {
  models::kafka::BrokerConfig& config = s.kafka->config;
  s.kafka->controllers = sometimes(8) ? 3 : 2;
  config.controller_quorum_election_timeout = one_of<sim::Duration>({1s, 200ms});
  config.controller_quorum_fetch_timeout =
      one_of<sim::Duration>({2s, 1s});  // a fetch waits for half a second
  config.controller_quorum_append_linger = one_of<sim::Duration>({25ms, 0ms});
  if (sometimes(5)) s.faults.push_back(passing(sometimes(5) ? "crash" : "pause", "active controller"));
  if (sometimes(2)) {
    models::FaultSpec rolling = passing("rolling", "controller/*");
    rolling.gap = 1ms * *rc::gen::inRange(0, 2000);
    s.faults.push_back(rolling);
  }
}

inline bool without_what_zookeeper_lacks(const models::Scenario& s) {
  return s.kafka->controllers == 1 && !any_group(s, shares) && !any_transactions(s);
}
inline void add_zookeeper(models::Scenario& s) {
  s.kafka->zookeeper = true;
  s.kafka->rules = models::kafka::ProtocolRules(one_of<models::kafka::Version>({{3, 9}, {3, 6}, {3, 0}}));
  s.kafka->config.zookeeper_session_timeout = one_of<sim::Duration>({18s, 3s});
  s.kafka->zookeeper_load_per_partition = one_of<sim::Duration>({0ms, 10ms});
  for (models::GroupOptions& g : s.groups) {
    g.config.group_protocol = models::kafka::GroupProtocol::classic;
    g.config.group_remote_assignor.reset();
  }
}

// ---- clients ------------------------------------------------------------------------------------------------------

inline void add_share_group(models::Scenario& s) {
  models::GroupOptions g = arbitrary_group("pool");
  g.type = models::GroupType::share;
  g.commit = sometimes(5) ? models::CommitMode::after_processing : models::CommitMode::automatic;
  g.hand_off.reset();
  g.config = {};
  g.config.max_poll_records = one_of<std::int32_t>({500, 1, 7});
  g.config.share_acquire_mode = sometimes(5) ? models::kafka::ShareAcquireMode::record_limit
                                             : models::kafka::ShareAcquireMode::batch_optimized;
  g.config.explicit_acknowledgement = sometimes(5);
  g.config.metadata_max_age = one_of<sim::Duration>({300s, 2s});
  g.config.share.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  g.config.share.partition_max_record_locks = one_of<std::int32_t>({2000, 100});
  if (g.config.explicit_acknowledgement && sometimes(5)) {
    // Given back twice at most, of ten deliveries.
    g.poison.emplace();
    g.poison->share = 0.1;
    g.poison->failures = 2;
    g.poison->then = models::PoisonOptions::Then::release;
  }
  models::kafka::BrokerConfig& config = s.kafka->config;
  config.group_share_min_session_timeout = config.group_share_session_timeout =
      one_of<sim::Duration>({45s, 3s, 1s});
  config.group_share_min_heartbeat_interval = config.group_share_heartbeat_interval =
      one_of<sim::Duration>({900ms, 200ms});
  config.group_share_assignment_interval = one_of<sim::Duration>({0ms, 1s});
  config.group_share_delivery_count_limit = 10;
  config.share_state_topic_num_partitions = *rc::gen::inRange(1, 4);
  const std::int32_t copies = *rc::gen::inRange(1, std::min(s.kafka->brokers, 3) + 1);
  config.share_state_topic_replication_factor = copies;
  config.share_state_topic_min_isr = *rc::gen::inRange(1, copies + 1);
  s.groups.push_back(g);
}

inline void add_transaction_state(models::Scenario& s) {
  models::kafka::BrokerConfig& config = s.kafka->config;
  config.transaction_state_log_num_partitions = *rc::gen::inRange(1, 4);
  const std::int32_t copies = *rc::gen::inRange(1, std::min(s.kafka->brokers, 3) + 1);
  config.transaction_state_log_replication_factor = copies;
  config.transaction_state_log_min_isr = *rc::gen::inRange(1, copies + 1);
  config.transaction_abort_timed_out_interval = one_of<sim::Duration>({10s, 1s});
}

inline void add_transactional_producers(models::Scenario& s) {
  add_transaction_state(s);
  for (models::ProducerOptions& p : s.producers) {
    if (&p != &s.producers.front() && sometimes(5)) continue;
    p.transactions =
        models::TransactionOptions{one_of<sim::Duration>({100ms, 20ms, 1s}), one_of<double>({0, 0.3})};
  }
}

/// group0 makes charges of orders, in transactions; "ledger" reads them.
inline void add_charges(models::Scenario& s) {
  add_transaction_state(s);
  models::kafka::TopicOptions charges = s.kafka->topics[0];
  charges.name = "charges";
  charges.partitions = *rc::gen::inRange(1, charges.partitions + 1);
  s.kafka->topics.push_back(charges);
  models::GroupOptions& group = s.groups[0];
  group.hand_off.reset();
  group.commit = models::CommitMode::in_transaction;
  group.transform.emplace().to = "charges";
  group.transform->aborts = one_of<double>({0, 0.2});
  models::kafka::ProducerConfig& config = group.transform->config;
  config.linger = one_of<sim::Duration>({0ms, 5ms, 100ms});
  config.request_timeout = one_of<sim::Duration>({1s, 300ms, 30s});
  models::GroupOptions reader = arbitrary_group("ledger");
  reader.topics = {"charges"};
  s.groups.push_back(reader);
}
inline bool may_transform(const models::Scenario& s) {
  return !any_group(s, transforms) && !shares(s.groups[0]);
}

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

inline void add_librdkafka(models::Scenario& s) {
  for (models::ProducerOptions& p : s.producers) {
    if (sometimes(3)) continue;
    models::kafka::ProducerConfig config = models::kafka::librdkafka_producer();
    config.linger = p.config.linger;
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
  for (models::GroupOptions& g : s.groups) {
    if (g.transform || shares(g) || sometimes(5)) continue;
    const models::kafka::ConsumerConfig before = g.config;
    g.config = models::kafka::librdkafka_consumer();
    g.config.session_timeout = before.session_timeout;
    g.config.max_poll_interval = before.max_poll_interval;
    g.config.request_timeout = before.request_timeout;
    g.config.metadata_max_age = before.metadata_max_age;
    g.config.partition_assignment_strategy = {before.partition_assignment_strategy[0] ==
                                                      models::kafka::Assignor::sticky
                                                  ? models::kafka::Assignor::range
                                                  : before.partition_assignment_strategy[0]};
    g.config.group_instance_id = before.group_instance_id;
  }
}

// ---- storage ------------------------------------------------------------------------------------------------------

inline void add_compaction(models::Scenario& s) {
  for (models::ProducerOptions& p : s.producers) {
    p.keys.count = *rc::gen::inRange(1u, 20u);
    p.keys.rank = sim::Distribution::zipf(p.keys.count, 1.0);
    p.tombstones = one_of<double>({0, 0.3});
  }
  models::kafka::TopicConfig& topic = s.kafka->topics[0].config;
  topic.compaction.cleanup_policy = models::kafka::CleanupPolicy{true, false};
  topic.compaction.min_cleanable_dirty_ratio = one_of<double>({0.01, 0.5});
  topic.segment_interval = one_of<sim::Duration>({500ms, 2s});
  s.kafka->config.log_cleaner.backoff = one_of<sim::Duration>({200ms, 2s});
  for (models::GroupOptions& g : s.groups) {
    if (g.topics[0] == "orders" && !g.transform && !shares(g) && sometimes(5)) g.materialise = true;
  }
}

inline void add_retention(models::Scenario& s) {
  models::kafka::TopicConfig& topic = s.kafka->topics[0].config;
  topic.segment_interval = one_of<sim::Duration>({500ms, 2s});
  if (sometimes(5)) topic.retention_ms = one_of<std::int64_t>({5000, 1000});
  if (sometimes(5)) topic.retention_bytes = one_of<std::int64_t>({100'000, 10'000});
  s.kafka->config.log_retention_check_interval = one_of<sim::Duration>({2s, 300ms});
  s.kafka->config.log_initial_task_delay = 100ms;
  if (!sometimes(4)) return;
  models::FaultSpec deleted = done("delete-records", "orders");
  if (sometimes(5)) deleted.offset = *rc::gen::inRange(1, 500);
  s.faults.push_back(deleted);
}
inline bool deletes(const models::Scenario& s) {
  return !s.kafka->topics[0].config.compaction.cleanup_policy;
}

inline void add_disk_faults(models::Scenario& s) {
  for (int n = *rc::gen::inRange(1, 4); n > 0; --n) {
    models::FaultSpec fault =
        passing(one_of<const char*>({"disk-slow", "disk-stall", "disk-full"}), some_broker(s));
    if (fault.kind == "disk-slow")
      fault.delay = sim::Distribution::exponential(1e6 * *rc::gen::inRange(1, 100));
    s.faults.push_back(fault);
  }
}

/// Two of three copies are on disks that keep their power.
inline bool three_brokers(const models::Scenario& s) {
  return s.kafka->brokers >= 3 && s.clusters.empty();
}
inline void add_power_loss(models::Scenario& s) {
  models::kafka::BrokerConfig& config = s.kafka->config;
  for (models::kafka::TopicOptions& topic : s.kafka->topics) topic.replication_factor = 3;
  config.min_insync_replicas = 2;
  config.offsets_topic_replication_factor = config.transaction_state_log_replication_factor =
      config.share_state_topic_replication_factor = 3;
  config.transaction_state_log_min_isr = config.share_state_topic_min_isr = 2;
  s.kafka->disk.write_back_after = one_of<sim::Duration>({30s, 1s});
  s.kafka->disk.torn = one_of<double>({0, 0.5});
  for (int n = *rc::gen::inRange(1, 3); n > 0; --n) s.faults.push_back(passing("power-loss", "kafka/1"));
}
/// Who crashes counts as one that may have lost what it had (KIP-966): the others do not.
inline void spare_the_others(models::Scenario& s) {
  for (models::FaultSpec& fault : s.faults) {
    const bool dies = fault.kind == "crash" || fault.kind == "disk-full";
    if (dies && fault.target.compare(0, 6, "kafka/") == 0) fault.target = "kafka/1";
  }
}

// ---- operators ----------------------------------------------------------------------------------------------------

inline void add_orderly_restarts(models::Scenario& s) {
  s.kafka->config.controlled_shutdown_enable = !sometimes(3);
  for (int n = *rc::gen::inRange(1, 3); n > 0; --n) {
    const std::string target = sometimes(5) ? one_of(s.groups).name + "/*" : "kafka/*";
    models::FaultSpec restart = passing(sometimes(5) ? "rolling" : "restart", target);
    if (restart.kind == "rolling") restart.gap = 1ms * *rc::gen::inRange(0, 3000);
    s.faults.push_back(restart);
  }
}

inline void add_moves(models::Scenario& s) {
  for (int n = *rc::gen::inRange(1, 4); n > 0; --n) {
    models::FaultSpec fault =
        done(sometimes(6) ? "reassign" : "elect-preferred-leaders", one_of(s.kafka->topics).name);
    if (fault.kind == "reassign") {
      const std::int32_t first = *rc::gen::inRange(0, s.kafka->brokers);
      for (std::int32_t b = 0; b < s.kafka->brokers; ++b)
        fault.brokers.push_back("kafka/" + std::to_string((first + b) % s.kafka->brokers));
      fault.throttle = one_of<double>({0, 20'000});
    }
    s.faults.push_back(fault);
  }
}

inline void add_partitions(models::Scenario& s) {
  models::FaultSpec grow = done("grow", "orders");
  grow.partitions = s.kafka->topics[0].partitions + *rc::gen::inRange(1, 4);
  s.faults.push_back(grow);
}

/// Static members of the consumer protocol, which are told to stop and never die: one that comes back without having left is
/// refused for good (UNRELEASED_INSTANCE_ID).
inline void make_static(models::Scenario& s) {
  for (models::GroupOptions& g : s.groups) {
    if (g.config.group_protocol != models::kafka::GroupProtocol::consumer || shares(g)) continue;
    g.config.group_instance_id = "m{index}";
    for (models::FaultSpec& fault : s.faults) {
      if (fault.kind == "crash" && fault.target.compare(0, g.name.size() + 1, g.name + "/") == 0)
        fault.kind = "restart";
    }
  }
}
inline void add_static_members(models::Scenario& s) {
  s.faults.push_back(passing("restart", s.groups[0].name + "/0"));
}
inline bool has_consumer_protocol(const models::Scenario& s) {
  return s.groups[0].config.group_protocol == models::kafka::GroupProtocol::consumer;
}

// ---- regions ------------------------------------------------------------------------------------------------------

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

}  // namespace detail

/// What is added later may look at what is there.
inline const std::vector<Feature>& features() {
  using models::Verdict;
  static const std::vector<Feature> kRows{
      {"a quorum of controllers", nullptr, detail::add_quorum},
      {"a share group", nullptr, detail::add_share_group},
      {"transactional producers", nullptr, detail::add_transactional_producers},
      {"consume, transform, produce", detail::may_transform, detail::add_charges},
  };
  return kRows;
}

}  // namespace proof
