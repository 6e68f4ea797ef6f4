// Worlds in which single configuration keys have an effect: what tests of keys prepare beyond small_world.hpp.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "models/world.hpp"
#include "tests/models/kafka/small_world.hpp"
#include "tests/models/orders_scenario.hpp"

namespace key_worlds {

using namespace std::chrono_literals;
using models::Scenario;

inline models::kafka::BrokerConfig& broker(Scenario& s) {
  return s.kafka->config;
}
inline models::ProducerOptions& producer(Scenario& s) {
  return s.producers[0];
}
inline models::GroupOptions& group(Scenario& s) {
  return s.groups[0];
}

/// A second cluster gets copies, and a group's offsets.
inline void mirrored(Scenario& s) {
  models::kafka::ClusterOptions west;
  west.name = "west";
  s.clusters.push_back(west);
  models::kafka::MirrorOptions mirror;
  mirror.name = "mm2";
  mirror.to = "west";
  mirror.topics = {"orders"};
  mirror.config.sync_group_offsets_enabled = true;
  mirror.config.sync_group_offsets_interval = 3s;
  mirror.config.emit_checkpoints_interval = 3s;
  s.mirrors.push_back(mirror);
  group(s).commit = models::CommitMode::after_processing;
}
/// Where a topic of the same name is, too.
inline void mirrored_beside_another(Scenario& s) {
  mirrored(s);
  s.clusters[0].topics.push_back(s.kafka->topics[0]);
}
inline void no_keys(Scenario& s) {
  producer(s).keys.count = 0;
}
inline void not_idempotent(Scenario& s) {
  producer(s).config.enable_idempotence = false;
}
inline void waits_for_commits(Scenario& s) {
  group(s).commit = models::CommitMode::after_processing;
}
/// The in-sync set shrinks to a broker, which dies after another has come back.
inline void leaderless(Scenario& s) {
  broker(s).min_insync_replicas = 1;
  s.faults = {crash("kafka/1", 2s, 8s), crash("kafka/2", 2s, 8s), crash("kafka/0", 6s, 14s)};
}
/// And unclean elections are allowed when it is too late for one at once.
inline void allows_unclean_late(Scenario& s) {
  leaderless(s);
  models::FaultSpec allow;
  allow.kind = "alter-config";
  allow.target = "orders";
  allow.at = 12s;
  allow.config = {{"unclean.leader.election.enable", "true"}};
  s.faults.push_back(allow);
}
/// The group is empty for longer than a minute, and until somebody looks for expired offsets (every ten minutes).
inline void deserted(Scenario& s) {
  s.duration = 1300s;
  producer(s).arrivals = sim::ArrivalProcess::poisson(2);
  s.faults = {crash("billing/0", 30s, 1200s), crash("billing/1", 30s, 1200s)};
}
inline void consumer_protocol(Scenario& s) {
  group(s).config.group_protocol = models::kafka::GroupProtocol::consumer;
}
/// Work that takes longer than the locks last, and records that are given back.
inline void shared(Scenario& s) {
  group(s).type = models::GroupType::share;
  group(s).service = sim::Distribution::constant(20e6);
  group(s).poison = models::PoisonOptions{.share = 0.05, .then = models::PoisonOptions::Then::release};
  group(s).config.explicit_acknowledgement = true;
  group(s).config.max_poll_records = 100;
  broker(s).group_share_record_lock_duration = 1500ms;
}
inline void shared_by_three(Scenario& s) {
  shared(s);
  group(s).members = 3;
  group(s).stagger = 4s;
}
/// They come sooner than targets are made.
inline void shared_by_three_at_once(Scenario& s) {
  shared_by_three(s);
  group(s).stagger = 300ms;
}
/// Its process hangs, and is not heard of.
inline void a_shared_member_missing(Scenario& s) {
  shared(s);
  s.faults = {crash("billing/0", 7s, 12s)};
  s.faults[0].kind = "pause";
}
inline void shared_and_renewed(Scenario& s) {
  shared(s);
  group(s).renew = 1s;
}
/// Transactions, one of which stays open for long.
inline void shared_with_transactions(Scenario& s) {
  shared(s);
  producer(s).transactions = models::TransactionOptions{.every = 700ms, .aborts = 0.3};
}
inline void a_modern_member_missing(Scenario& s) {
  consumer_protocol(s);
  s.faults = {crash("billing/0", 7s, 12s)};
}
/// Members come by when there is something to be shared out anew.
inline void modern_members_come_and_go(Scenario& s) {
  consumer_protocol(s);
  group(s).members = 3;
  group(s).stagger = 4s;
}
inline void a_member_missing(Scenario& s) {
  s.faults = {crash("billing/0", 7s, 12s)};
}
/// One broker, so that whoever wants anything waits for this one connection.
inline void alone(Scenario& s) {
  s.kafka->brokers = 1;
  s.kafka->topics[0].replication_factor = 1;
  broker(s).min_insync_replicas = 1;
  s.faults = {crash("kafka/0", 8s, 4s)};
}
/// Brokers that nobody reaches, and who are not known to be gone; the application waits for its commits.
inline void out_of_reach(Scenario& s) {
  waits_for_commits(s);
  broker(s).group_initial_rebalance_delay = 0ms;
  for (models::FaultSpec& fault : s.faults) fault.kind = fault.kind == "crash" ? "isolate" : fault.kind;
}
inline void slow_brokers(Scenario& s) {
  s.kafka->service.request = sim::Distribution::exponential(3'000'000);
}
/// More than one thread of a group coordinator has something to do.
inline void busy_coordinators(Scenario& s) {
  s.kafka->service.coordinator = sim::Distribution::exponential(50'000'000);
  for (const char* const name : {"audit", "ledger", "search", "stock", "mail", "fraud"}) {
    s.groups.push_back(s.groups[0]);
    s.groups.back().name = name;
  }
}
inline void a_member_leaves(Scenario& s) {
  s.faults.clear();
  models::FaultSpec leave = crash("billing/0", 6s, 20s);
  leave.kind = "leave";
  s.faults.push_back(leave);
}
inline void little_memory(Scenario& s) {
  producer(s).config.buffer_memory = 40'000;
}
inline void no_patience(Scenario& s) {
  producer(s).config.request_timeout = 500ms;
}
/// Two of the brokers are restarted in an orderly way.
inline void orderly_restarts(Scenario& s) {
  s.faults.clear();
  for (const auto& [target, at] : {std::pair{"kafka/0", 3s}, std::pair{"kafka/1", 10s}}) {
    s.faults.push_back(crash(target, at, 3s));
    s.faults.back().kind = "restart";
  }
}
/// Four brokers in two racks, where their clients are too.
inline void in_racks(Scenario& s) {
  s.kafka->brokers = 4;
  s.kafka->racks = {"a", "a", "b", "b"};
  s.kafka->topics[0].replication_factor = 2;
  broker(s).min_insync_replicas = 1;
  broker(s).broker_rack = "{rack}";
  group(s).rack = "b";
  group(s).config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
}
inline void out_of_racks(Scenario& s) {
  in_racks(s);
  broker(s).broker_rack = "";
}
inline void with_a_rack(Scenario& s) {
  in_racks(s);
  group(s).config.client_rack = "{rack}";
}
inline void with_a_selector(Scenario& s) {
  in_racks(s);
  broker(s).rack_aware_replica_selector = true;
}
/// A message every five seconds, and commits as rarely.
inline void speaks_rarely(Scenario& s) {
  s.faults.clear();
  producer(s).arrivals = sim::ArrivalProcess::poisson(0.2);
  waits_for_commits(s);
}
/// An answer is lost, and the batch comes again seconds later.
inline void repeats_late(Scenario& s) {
  speaks_rarely(s);
  producer(s).config.retry_backoff = producer(s).config.retry_backoff_max = 6s;
  models::FaultSpec lost;
  lost.kind = "response-loss";
  lost.target = "kafka/0";
  lost.other = "shop";
  for (const sim::Duration at : {1s, 2s, 3s, 4s, 5s, 6s, 7s, 8s}) {
    lost.at = at;
    s.faults.push_back(lost);
  }
}
inline void forgets_producers_often(Scenario& s) {
  repeats_late(s);
  broker(s).producer_id_expiration_check_interval = 500ms;
}
inline void forgets_producers_soon(Scenario& s) {
  repeats_late(s);
  broker(s).producer_id_expiration = 1s;
}
inline void with_quotas(Scenario& s) {
  s.kafka->quotas.push_back({.producer_byte_rate = 2000});
}
/// Of 22 tokens 30 go at once: refused in the next second, accepted seven later.
inline void with_mutation_quotas(Scenario& s) {
  s.kafka->quotas.push_back({.controller_mutation_rate = 2});
  const std::string topic = s.kafka->topics[0].name;
  const std::int32_t first = s.kafka->topics[0].partitions + 30;
  for (const auto& [at, partitions] : {std::pair{1s, first}, {2s, first + 1}, {8s, first + 2}}) {
    models::FaultSpec grow;
    grow.kind = "grow";
    grow.target = topic;
    grow.at = at;
    grow.partitions = partitions;
    grow.client = s.producers[0].name;
    s.faults.push_back(grow);
  }
}
inline void deserted_for_longer_than_offsets_last(Scenario& s) {
  deserted(s);
  broker(s).offsets_retention = 1min;
}
/// All brokers lose their power, and with it what is not on disk.
inline void power_fails(Scenario& s) {
  models::FaultSpec outage = crash("kafka", 8s, 3s);
  outage.kind = "power-loss";
  s.faults = {outage};
}
/// The same, with logs that are looked at ten times a second.
inline void flushes_often(Scenario& s) {
  power_fails(s);
  broker(s).log_flush_scheduler_interval = 100ms;
}
/// Reading a log takes its time, if it lies above the recovery point.
inline void slow_disks(Scenario& s) {
  flushes_often(s);
  s.kafka->disk.recovery_bytes_per_s = 10'000;
}
/// Retention looks every second.
inline void looks_often(Scenario& s) {
  broker(s).log_retention_check_interval = 1s;
}
/// A megabyte and a half a second, of which a megabyte is kept.
inline void little_kept(Scenario& s) {
  looks_often(s);
  producer(s).size = sim::Distribution::constant(10'000);
  broker(s).log_retention_bytes = 1'000'000;
}
/// What is kept fits on the disk, what has been deleted and is still there does not.
inline void nearly_full(Scenario& s) {
  looks_often(s);
  producer(s).size = sim::Distribution::constant(10'000);
  broker(s).log_segment_bytes = 1'048'576;
  broker(s).log_retention_bytes = 1'000'000;
  s.kafka->disk.size = 12'000'000;
}
inline void comes_late(Scenario& s) {
  group(s).start = 8s;
}
inline void many_segments(Scenario& s) {
  looks_often(s);
  producer(s).size = sim::Distribution::constant(10'000);
  broker(s).log_segment_bytes = 1'048'576;
}
inline void short_lived(Scenario& s) {
  looks_often(s);
  broker(s).log_retention_ms = 2000;
}
inline void rolls_often(Scenario& s) {
  looks_often(s);
  broker(s).log_roll = 1s;
}
inline void short_lived_and_rolled(Scenario& s) {
  rolls_often(s);
  broker(s).log_retention_ms = 2000;
}
inline void for_minutes(Scenario& s) {
  rolls_often(s);
  s.duration = 100s;
  producer(s).arrivals = sim::ArrivalProcess::poisson(5);
}
/// What is closed goes to remote storage, from where a group that comes late reads.
inline void tiered(Scenario& s) {
  many_segments(s);
  broker(s).tiers.system_enable = true;
  broker(s).tiers.manager_task_interval = 1s;
  broker(s).tiers.local_retention_bytes = 1'000'000;
  s.kafka->topics[0].config.tiers.remote_storage_enable = true;
  s.kafka->remote.latency = sim::Distribution::constant(100e6);
  group(s).start = 8s;
  group(s).config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
}
inline void could_be_tiered(Scenario& s) {
  tiered(s);
  broker(s).tiers.system_enable = false;
}
inline void tiers_for_others(Scenario& s) {
  tiered(s);
  s.kafka->topics[0].config.tiers.remote_storage_enable = false;
}
inline void tiered_and_all_on_disk(Scenario& s) {
  tiered(s);
  broker(s).tiers.local_retention_bytes = -2;
}
inline void tiered_and_read_by_four(Scenario& s) {
  tiered(s);
  s.faults.clear();
  s.kafka->topics[0].partitions = 1;
  s.kafka->remote.latency = sim::Distribution::constant(400e6);
  for (const char* name : {"b", "c", "d"}) {
    s.groups.push_back(group(s));
    s.groups.back().name = name;
  }
}
inline void tiered_and_read_by_one_thread(Scenario& s) {
  tiered_and_read_by_four(s);
  broker(s).tiers.reader_threads = 1;
}
/// For so long that an hour matters; some records are there all the time.
inline void for_hours(Scenario& s) {
  s.duration = 8000s;
  s.faults.clear();
  broker(s).log_retention_check_interval = 60s;
  producer(s).arrivals = sim::ArrivalProcess::poisson(0.1);
}
inline void for_hours_short_lived(Scenario& s) {
  for_hours(s);
  broker(s).log_retention_ms = 600'000;
}
inline void for_hours_and_rolled(Scenario& s) {
  for_hours(s);
  broker(s).log_roll = 60s;
}
/// The active controller of three dies, and the next one.
inline void quorum_of_controllers(Scenario& s) {
  s.kafka->controllers = 3;
  s.faults.push_back(crash("active controller", 5s, 8s));
  s.faults.push_back(crash("active controller", 15s, 2s));
}
/// The first is cut off from the others; those two stand for election against each other.
inline void quorum_at_odds(Scenario& s) {
  quorum_of_controllers(s);
  s.kafka->rules.set(models::kafka::Rule::raft_pre_vote, false);
  s.kafka->config.controller_quorum_election_timeout = 100ms;
  s.network.base.latency = sim::Distribution::constant(60'000'000);
}
/// Nobody answers for a while.
inline void quorum_cut_up(Scenario& s) {
  s.kafka->controllers = 3;
  for (const std::string target : {"controller/0", "controller/1"}) {
    s.faults.push_back(crash(target, 5s, 8s));
    s.faults.back().kind = "isolate";
  }
}
/// Segments that can be cleaned soon.
inline void rolls_for_the_cleaner(Scenario& s) {
  broker(s).log_roll = 500ms;
  broker(s).log_cleaner.backoff = 1s;
  broker(s).log_cleaner.min_cleanable_ratio = 0.01;
  producer(s).tombstones = 0.3;
}
inline void compacts(Scenario& s) {
  rolls_for_the_cleaner(s);
  broker(s).log_cleanup_policy = {.compacts = true, .deletes = false};
}
inline void compacts_slowly(Scenario& s) {
  compacts(s);
  broker(s).log_cleaner.io_max_bytes_per_second = 20'000;
}
inline void compacts_with_a_small_map(Scenario& s) {
  compacts(s);
  broker(s).log_cleaner.dedupe_buffer_size = 2400;
}
inline void hardly_ever_compacts(Scenario& s) {
  compacts(s);
  broker(s).log_cleaner.min_cleanable_ratio = 1;
}
inline void with_zookeeper(Scenario& s) {
  s.kafka->zookeeper = true;
  s.kafka->rules = models::kafka::ProtocolRules({3, 9});
}
inline void balances_often(Scenario& s) {
  broker(s).leader_imbalance_check_interval = 1s;
}

inline void balances_with_zookeeper(Scenario& s) {
  with_zookeeper(s);
  balances_often(s);
}
/// One request handler, for whom requests queue up.
inline void a_slow_thread(Scenario& s) {
  slow_brokers(s);
  broker(s).num_io_threads = 1;
  producer(s).instances = 4;
}
inline void a_short_queue(Scenario& s) {
  a_slow_thread(s);
  broker(s).queued_max_requests = 1;
}
inline void clocks_ahead(Scenario& s) {
  producer(s).clock_ahead = 10min;
}
inline void clocks_far_ahead(Scenario& s) {
  producer(s).clock_ahead = 2h;
}
inline void clocks_behind(Scenario& s) {
  producer(s).clock_ahead = -10min;
}

/// The group makes charges of orders, in transactions.
inline void transforms(Scenario& s) {
  s.kafka->topics.push_back(s.kafka->topics[0]);
  s.kafka->topics.back().name = "charges";
  group(s).transform.emplace().to = "charges";
  group(s).commit = models::CommitMode::in_transaction;
  models::GroupOptions reader = group(s);
  reader.name = "ledger";
  reader.topics = {"charges"};
  reader.transform.reset();
  reader.commit = models::CommitMode::after_processing;
  s.groups.push_back(reader);
}
inline void transforms_on_two_brokers(Scenario& s) {
  transforms(s);
  s.faults = {crash("kafka/1", 6s, 13s)};
}
inline void transforms_without_kip_890(Scenario& s) {
  transforms(s);
  s.kafka->transaction_version = 1;
}
/// Nothing comes for a while, then some more.
inline void transforms_after_a_rest(Scenario& s) {
  transforms(s);
  s.faults = {crash("shop", 6s, 8s)};
}
inline void looks_for_unused_ids(Scenario& s) {
  transforms_after_a_rest(s);
  broker(s).transaction_remove_expired_interval = 500ms;
}
inline void ids_expire_soon(Scenario& s) {
  transforms_after_a_rest(s);
  broker(s).transactional_id_expiration = 1s;
}
/// A member dies for good in the middle of a transaction.
inline void abandons_a_transaction(Scenario& s) {
  transforms(s);
  group(s).transform->config.transaction_timeout = 1s;
  models::FaultSpec death;
  death.kind = "crash";
  death.target = "billing/0";
  death.when = models::FaultSpec::When{models::Step::acknowledged, 100, {}};
  s.faults = {death};
}
/// What the other group reads.
inline void reads_what_it_made(Scenario& s) {
  abandons_a_transaction(s);
  std::swap(s.groups[0], s.groups[1]);
}

}  // namespace key_worlds
