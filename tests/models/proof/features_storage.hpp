// Features of the swarm (swarm_features.hpp) that concern what brokers keep, and what operators do to it: compaction,
// retention, tiers, disks, power, restarts, moves, growth.
#pragma once

#include <string>
#include <vector>

#include "tests/models/proof/swarm_features.hpp"

namespace proof {
namespace detail {

/// Without an end: it is done.
inline models::FaultSpec done(const char* kind, std::string target) {
  models::FaultSpec fault = passing(kind, std::move(target));
  fault.duration.reset();
  return fault;
}
inline std::string some_broker(const models::Scenario& s) {
  return "kafka/" + std::to_string(*rc::gen::inRange(0, s.kafka->brokers));
}

// ---- what stays of a log ------------------------------------------------------------------------------------------

inline void add_compaction(models::Scenario& s) {
  for (models::ProducerOptions& p : s.producers) {
    p.keys.count = *rc::gen::inRange(1u, 20u);
    p.keys.rank = sim::Distribution::zipf(p.keys.count, 1.0);
    p.tombstones = one_of<double>({0, 0.3});
  }
  models::kafka::TopicConfig& topic = s.kafka->topics[0].config;
  topic.compaction.cleanup_policy = models::kafka::CleanupPolicy{true, false};
  topic.compaction.delete_retention = 600s;
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
  return !s.kafka->topics[0].config.compaction.cleanup_policy && !s.kafka->topics[0].config.retention_ms &&
         !s.kafka->topics[0].config.retention_bytes;
}

/// Disks hold little, remote storage holds all: nothing expires.
inline void add_tiers(models::Scenario& s) {
  models::kafka::TierConfig& tiers = s.kafka->config.tiers;
  tiers.system_enable = true;
  tiers.manager_task_interval = one_of<sim::Duration>({1s, 300ms});
  s.kafka->remote.latency =
      one_of<sim::Distribution>({sim::Distribution::constant(20e6), sim::Distribution::exponential(100e6)});
  tiers.fetch_max_wait = 5s;  // what takes longer is read never
  models::kafka::TopicConfig& topic = s.kafka->topics[0].config;
  topic.tiers.remote_storage_enable = true;
  topic.tiers.local_retention_ms = one_of<std::int64_t>({3000, 500});
  if (sometimes(5)) topic.tiers.local_retention_bytes = one_of<std::int64_t>({100'000, 10'000});
  topic.segment_interval = one_of<sim::Duration>({500ms, 2s});
  s.kafka->config.log_retention_check_interval = one_of<sim::Duration>({1s, 300ms});
  s.kafka->config.log_initial_task_delay = 100ms;
  for (int n = *rc::gen::inRange(0, 3); n > 0; --n)
    s.faults.push_back(passing(sometimes(5) ? "crash" : "pause", "remote-storage"));
}
/// Share groups do not read from there, and a compacted topic has no second tier.
inline bool reads_from_tiers(const models::Scenario& s) {
  return deletes(s) && !any_group(s, shares);
}

// ---- disks --------------------------------------------------------------------------------------------------------

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
  return s.kafka->brokers >= 3 && !s.kafka->zookeeper &&
         s.kafka->rules.has(models::kafka::Rule::eligible_leader_replicas);
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

/// The leader of a group of static members that restarts goes on with the assignment it had, and counts the partitions that it
/// finds as those assigned: what was added meanwhile nobody reads (ConsumerCoordinator.onLeaderElected, KIP-814).
/// So does a leader whose session ends while the coordinator's log takes its assignment up: it joins and assigns again, and is
/// given what it had assigned at first.
inline void make_leaders_watchful(models::Scenario& s) {
  for (models::GroupOptions& g : s.groups) {
    g.config.group_instance_id.clear();
    g.config.session_timeout = 45s;
  }
}

}  // namespace detail

/// What is added later may look at what is there.
inline const std::vector<Feature>& storage_features() {
  using models::Verdict;
  static const std::vector<Feature> kRows{
      {"disks that fail", nullptr, detail::add_disk_faults},
      // A leader that has not cleaned its log yet brings what another had removed.
      {"compaction", nullptr, detail::add_compaction, 2, {Verdict::reordered_per_key}},
      // What is deleted before anybody has read it.
      {"retention",
       detail::deletes,
       detail::add_retention,
       1,
       {Verdict::expired, Verdict::unseen, Verdict::lost_write, Verdict::output_missing}},
      {"two tiers", detail::reads_from_tiers, detail::add_tiers, 1},
      {"a broker that loses power",
       detail::three_brokers,
       detail::add_power_loss,
       2,
       {},
       detail::spare_the_others},
      {"orderly restarts", nullptr, detail::add_orderly_restarts},
      {"replicas that move", nullptr, detail::add_moves},
      // Keys go to other partitions.
      {"partitions that are added",
       nullptr,
       detail::add_partitions,
       1,
       {Verdict::reordered_per_key},
       detail::make_leaders_watchful},
  };
  return kRows;
}

}  // namespace proof
