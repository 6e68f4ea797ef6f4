// Cures of the swarm (swarm_cures.hpp) that concern what brokers keep: compaction, tiers, disks, power.
#pragma once

#include <vector>

#include "tests/models/proof/features_storage.hpp"
#include "tests/models/proof/swarm_cures.hpp"

namespace proof {
namespace detail {

inline bool materialises(const models::GroupOptions& g) {
  return g.materialise;
}
inline bool loses_power(const models::Scenario& s) {
  return std::any_of(s.faults.begin(), s.faults.end(),
                     [](const models::FaultSpec& f) { return f.kind == "power-loss"; });
}
inline bool tiered(const models::Scenario& s) {
  return s.kafka->topics[0].config.tiers.remote_storage_enable;
}

}  // namespace detail

inline const std::vector<Cure>& storage_cures() {
  using models::Verdict;
  static const std::vector<Cure> kRows{
      {"delete.retention.ms above the time that a reader is away",
       [](models::Scenario& s) {
         s.kafka->topics[0].config.compaction.delete_retention = 0s;
         s.kafka->topics[0].config.compaction.min_cleanable_dirty_ratio = 0.01;
         s.kafka->topics[0].config.segment_interval = 500ms;
         s.kafka->config.log_cleaner.backoff = 200ms;
         for (models::ProducerOptions& p : s.producers) {
           p.tombstones = 0.5;
           p.keys.count = 50;  // of which some are rare
           p.keys.rank = sim::Distribution::zipf(p.keys.count, 1.0);
         }
         for (models::GroupOptions& g : s.groups) {
           for (std::uint32_t i = 0; g.materialise && i < g.members; ++i)
             s.faults.push_back(strike("leave", (g.name + "/" + std::to_string(i)).c_str(), 2s, 10s));
         }
       },
       {Verdict::table_wrong, Verdict::resurrected},
       false,
       [](const models::Scenario& s) { return any_group(s, detail::materialises); }},
      {"min.insync.replicas=2 and KIP-966",
       [](models::Scenario& s) {
         s.kafka->config.min_insync_replicas = 1;
         s.kafka->rules.set(models::kafka::Rule::eligible_leader_replicas, false);
         s.kafka->config.replica_lag_time_max = 1s;
         s.faults.push_back(strike("isolate", "kafka/0", 1s, 5s));
         s.faults.push_back(strike("isolate", "kafka/2", 1s, 5s));
         s.faults.push_back(strike("power-loss", "kafka/1", 5s, 500ms));
       },
       detail::with(detail::kLogLoss,
                    {Verdict::duplicate, Verdict::log_duplicate, Verdict::nonmonotonic_send,
                     Verdict::int_send_skip, Verdict::reordered_in_log, Verdict::reordered_per_key,
                     Verdict::skipped, Verdict::effect_duplicated, Verdict::in_flight, Verdict::aborted_read,
                     Verdict::output_duplicated, Verdict::event_lost, Verdict::saga_stuck,
                     Verdict::output_missing, Verdict::table_wrong, Verdict::resurrected}),
       true, detail::loses_power},
      {"remote.storage.enable",
       [](models::Scenario& s) {
         models::kafka::TopicConfig& topic = s.kafka->topics[0].config;
         topic.tiers.remote_storage_enable = false;
         topic.retention_ms = 500;
       },
       {Verdict::expired, Verdict::unseen, Verdict::lost_write, Verdict::output_missing},
       false,
       detail::tiered},
  };
  return kRows;
}

}  // namespace proof
