// Cures of the swarm that go with features_clients.hpp.
#pragma once

#include "tests/models/proof/features_clients.hpp"
#include "tests/models/proof/swarm_cures.hpp"

namespace proof {
namespace detail {

inline bool streams(const models::GroupOptions& g) {
  return g.streams.has_value();
}
inline bool is_static_modern(const models::GroupOptions& g) {
  return is_consumer_protocol(g) && !g.config.group_instance_id.empty();
}
inline bool is_classic(const models::GroupOptions& g) {
  return !shares(g) && !is_consumer_protocol(g);
}
inline bool grows(const models::Scenario& s) {
  return std::any_of(s.faults.begin(), s.faults.end(),
                     [](const models::FaultSpec& f) { return f.kind == "grow"; });
}
inline bool has_services(const models::Scenario& s) {
  return !s.services.empty();
}
inline const char* desk_of(const models::Scenario& s) {
  return s.services[0].instances == 1 ? "desk" : "desk/0";
}

/// What follows for the clients from the promise of everything.
inline void cure_clients(models::Scenario& s) {
  for (models::kafka::ClusterOptions& other : s.clusters) {
    other.config.unclean_leader_election_enable = false;
    other.config.broker_heartbeat_interval =
        std::min<sim::Duration>(other.config.broker_heartbeat_interval, 300ms);
  }
  for (models::ServiceOptions& service : s.services) {
    service.processed_ids = true;
    service.consumer.heartbeat_interval = 200ms;
    service.consumer.max_poll_interval = 300s;
    service.consumer.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
    cure(service.config);
  }
  for (models::RelayOptions& relay : s.relays) cure(relay.config);
  // A static leader that comes back takes its assignment up again and looks for changes from then on (KIP-814): partitions
  // that were added while it was away belong to nobody.
  if (!grows(s)) return;
  for (models::GroupOptions& g : s.groups)
    if (is_classic(g)) g.config.group_instance_id.clear();
}

}  // namespace detail

inline const std::vector<Cure>& client_cures() {
  using models::Verdict;
  static const std::vector<Cure> kRows{
      {"processing.guarantee=exactly_once_v2",
       [](models::Scenario& s) {
         for (models::GroupOptions& g : s.groups) {
           if (!detail::streams(g)) continue;
           g.streams->config.exactly_once = false;
           models::kafka::prefer_streams_settings(g);
         }
         detail::crash_a_member(s, models::Step::acknowledged);
       },
       // at_least_once reads what is not committed, too.
       {Verdict::output_duplicated, Verdict::aborted_read},
       false,
       [](const models::Scenario& s) { return any_group(s, detail::streams); }},
      {"static members of the consumer protocol that leave before they come back",
       [](models::Scenario& s) {
         for (std::uint32_t i = 0; i < s.groups[0].members; ++i)
           s.faults.push_back(strike("crash", ("group0/" + std::to_string(i)).c_str(), 3s, 100ms));
       },
       {Verdict::in_flight, Verdict::unseen},
       true,
       [](const models::Scenario& s) { return detail::is_static_modern(s.groups[0]); }},
      {"no static leader is away while partitions are added",
       [](models::Scenario& s) {
         models::kafka::ConsumerConfig& config = s.groups[0].config;
         config.group_instance_id = "m{index}";
         config.session_timeout = 6s;
         config.metadata_max_age = 300s;
         s.faults.push_back(strike("restart", "group0/*", 2s, 2s));
         models::FaultSpec grow = strike("grow", "orders", 3s, 0s);
         grow.duration.reset();
         grow.partitions = s.kafka->topics[0].partitions + 3;
         s.faults.push_back(grow);
         for (models::ProducerOptions& p : s.producers) p.config.metadata_max_age = 1s;
       },
       // Keys go to other partitions.
       {Verdict::in_flight, Verdict::unseen, Verdict::reordered_per_key},
       true,
       [](const models::Scenario& s) {
         return detail::is_classic(s.groups[0]) && !s.groups[0].transform && !detail::grows(s) &&
                s.mirrors.empty() && s.kafka->rules.has(models::kafka::Rule::static_members);
       }},
      {"an outbox",
       [](models::Scenario& s) {
         models::ServiceOptions& desk = s.services[0];
         desk.publish = models::Publishing::after_commit;
         desk.to = "events";
         s.relays[0].kind = models::RelayKind::polling;  // which finds nothing
         s.faults.push_back(
             detail::strike_at("crash", detail::desk_of(s), models::Step::transaction_committed));
       },
       {Verdict::event_lost, Verdict::saga_stuck},
       false,
       detail::has_services},
      {"an outbox read in the order of commits",
       [](models::Scenario& s) {
         models::RelayOptions& relay = s.relays[0];
         relay.kind = models::RelayKind::polling_by_id;
         relay.every = 1ms;
         s.databases[0].transaction = sim::Distribution::exponential(50e6);
       },
       {Verdict::event_lost, Verdict::saga_stuck},
       false,
       [](const models::Scenario& s) { return !s.relays.empty() && s.relays[0].instances == 1; }},
      {"events that are noted as processed",
       [](models::Scenario& s) {
         s.services[1].processed_ids = false;
         s.faults.push_back(detail::strike_at("crash", "stock/0", models::Step::transaction_committed));
       },
       {Verdict::saga_inconsistent},
       false,
       detail::has_services},
  };
  return kRows;
}

}  // namespace proof
