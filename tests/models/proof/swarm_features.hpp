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
  const auto add_instances = [&names](const std::string& name, std::uint32_t instances, bool numbered) {
    for (std::uint32_t i = 0; i < instances; ++i)
      names.others.push_back(numbered ? name + "/" + std::to_string(i) : name);
  };
  for (const models::ServiceOptions& service : s.services)
    add_instances(service.name, service.instances, service.instances > 1 || !service.reads.empty());
  for (const models::RelayOptions& relay : s.relays)
    add_instances(relay.name, relay.instances, relay.instances > 1);
  for (const models::DatabaseOptions& database : s.databases) names.others.push_back(database.name);
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
  // One broker after the other, of which those with nothing new let it wait: in seconds it would read a record.
  if (g.config.share_acquire_mode == models::kafka::ShareAcquireMode::record_limit) {
    g.config.fetch_max_wait = 20ms;
    g.config.max_poll_records = std::max(g.config.max_poll_records, 7);
  }
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

}  // namespace detail

/// What is added later may look at what is there.
inline const std::vector<Feature>& features() {
  static const std::vector<Feature> kRows{
      {"a quorum of controllers", nullptr, detail::add_quorum},
      {"a share group", nullptr, detail::add_share_group},
      {"transactional producers", nullptr, detail::add_transactional_producers},
      {"consume, transform, produce", detail::may_transform, detail::add_charges},
  };
  return kRows;
}

}  // namespace proof
