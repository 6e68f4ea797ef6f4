// Cures of the swarm: what makes a configuration promise everything, and how one promise is taken back.
//
// A cure is a setting (or a pair that only works together) that prevents named verdicts. A world with every cure may show
// none of them, whatever strikes; with one cure off only those that its row lists.
#pragma once

#include <span>
#include <vector>

#include "models/checkers/verdicts.hpp"
#include "tests/models/proof/small_worlds.hpp"
#include "tests/models/proof/swarm_features.hpp"

namespace proof {

struct Cure {
  const char* name;
  void (*take_back)(models::Scenario&);
  /// What may be seen without it; the first one must be, somewhere in the swarm.
  std::vector<models::Verdict> shows;
  bool may_stall = false;  ///< without it a run may never come to rest
  /// Worlds in which taking it back changes anything; null: all.
  bool (*concerns)(const models::Scenario&) = nullptr;
  bool rarely = false;  ///< what it shows need not be met in every swarm
};

namespace detail {

using models::Verdict;

/// Those of both lists.
inline std::vector<Verdict> with(std::vector<Verdict> first, const std::vector<Verdict>& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

/// What loses an acknowledged record of a log shows these, by what clients had seen of it: the group that read it may have gone
/// on (poll_skip sees the hole), another record may stand in its place, and a message that is sent again is a second one for
/// whoever read the first.
inline const std::vector<Verdict> kLogLoss{
    Verdict::lost,      Verdict::lost_write,        Verdict::unseen,
    Verdict::poll_skip, Verdict::nonmonotonic_poll, Verdict::inconsistent_offsets};

/// When it has come to this step for the fifth time.
inline models::FaultSpec strike_at(const char* kind, const char* target, models::Step step) {
  models::FaultSpec fault = strike(kind, target, 0s, 1s);
  fault.at.reset();
  fault.when = models::FaultSpec::When{step, 5, ""};
  return fault;
}
/// Not a static member of the consumer protocol: it would be refused for good when it comes back (UNRELEASED_INSTANCE_ID).
inline void crash_a_member(models::Scenario& s, models::Step step) {
  models::kafka::ConsumerConfig& config = s.groups[0].config;
  if (config.group_protocol == models::kafka::GroupProtocol::consumer) config.group_instance_id.clear();
  s.faults.push_back(strike_at("crash", "group0/0", step));
}

/// Those without transactions: Kafka refuses transactions with less than acks=all and idempotence.
inline bool plain(const models::ProducerOptions& p) {
  return !p.transactions;
}
/// Those that commit offsets by themselves.
inline bool commits(const models::GroupOptions& g) {
  return !shares(g) && !g.transform;
}
template <class F>
void each_producer(models::Scenario& s, F&& change) {
  for (models::ProducerOptions& producer : s.producers)
    if (plain(producer)) change(producer);
}
template <class F>
void each_group(models::Scenario& s, F&& change) {
  for (models::GroupOptions& group : s.groups)
    if (commits(group)) change(group);
}
inline bool has_plain_producers(const models::Scenario& s) {
  return std::any_of(s.producers.begin(), s.producers.end(), plain);
}
inline bool has_committers(const models::Scenario& s) {
  return std::any_of(s.groups.begin(), s.groups.end(), commits);
}

}  // namespace detail

/// In the order of a message's way: producer, log, group, effect.
inline const std::vector<Cure>& cures() {
  using detail::each_group;
  using detail::each_producer;
  using detail::has_committers;
  using detail::has_plain_producers;
  using models::Verdict;
  static const std::vector<Cure> kRows{
      {"acks=all",
       [](models::Scenario& s) {
         each_producer(s, [](auto& p) {
           p.config.acks = one_of<std::int16_t>({1, 0});
           p.config.enable_idempotence = false;  // is refused without acks=all
         });
       },
       detail::with(detail::kLogLoss, {Verdict::duplicate, Verdict::log_duplicate, Verdict::nonmonotonic_send,
                                       Verdict::int_send_skip, Verdict::reordered_in_log,
                                       Verdict::reordered_per_key, Verdict::output_duplicated}),
       false, has_plain_producers},
      {"unclean.leader.election.enable=false",
       [](models::Scenario& s) {
         s.kafka->config.unclean_leader_election_enable = true;
         s.kafka->config.min_insync_replicas = 1;
         s.kafka->config.replica_lag_time_max =
             1s;  // who falls behind is soon out of the in-sync set, and then leads
         if (s.kafka->brokers == 1) return;
         s.faults.push_back(strike("isolate", "kafka/1", 1s, 4s));
         s.faults.push_back(strike("crash", "kafka/0", 4s, 4s));
       },
       detail::with(
           detail::kLogLoss,
           {Verdict::duplicate, Verdict::log_duplicate, Verdict::nonmonotonic_send, Verdict::int_send_skip,
            Verdict::reordered_in_log, Verdict::reordered_per_key, Verdict::skipped,
            Verdict::effect_duplicated,
            // A static member is fenced for good by what __consumer_offsets held before; with two tiers a log that is cut below
            // what its disk holds begins there (UnifiedLog.truncateTo, truncateFullyAndStartAt): what remote storage has
            // below expires when it leads.
            Verdict::in_flight, Verdict::aborted_read, Verdict::output_duplicated, Verdict::output_missing,
            Verdict::expired, Verdict::event_lost, Verdict::saga_stuck}),
       true},  // a transaction is open of which no coordinator knows
      {"records carry the key",
       [](models::Scenario& s) { each_producer(s, [](auto& p) { p.keys.on_wire = false; }); },
       {Verdict::reordered_per_key},
       false,
       has_plain_producers},
      {"enable.idempotence",
       [](models::Scenario& s) { each_producer(s, [](auto& p) { p.config.enable_idempotence = false; }); },
       {Verdict::log_duplicate, Verdict::duplicate, Verdict::nonmonotonic_send, Verdict::int_send_skip,
        Verdict::reordered_in_log, Verdict::reordered_per_key, Verdict::output_duplicated},
       false,
       has_plain_producers},
      {"max.in.flight.requests.per.connection=1",
       [](models::Scenario& s) {
         each_producer(s, [](auto& p) {
           p.config.max_in_flight_requests_per_connection = 5;
           // Which keeps the order by itself, but with a leader that knows nothing of the producer.
           p.config.enable_idempotence = false;
         });
       },
       {Verdict::reordered_in_log, Verdict::log_duplicate, Verdict::duplicate, Verdict::nonmonotonic_send,
        Verdict::int_send_skip, Verdict::reordered_per_key, Verdict::output_duplicated},
       false,
       has_plain_producers},
      {"the application does not send again",
       [](models::Scenario& s) {
         s.drain = 60s;
         each_producer(s, [](auto& p) {
           p.resend = true;
           p.config.delivery_timeout = p.config.linger + p.config.request_timeout;
         });
       },
       {Verdict::resend_duplicate, Verdict::reordered_per_key, Verdict::in_flight, Verdict::unseen},
       true,
       has_plain_producers},  // what is sent again because it was late makes the next late, for ever where the load is high
      {"commit after processing",
       [](models::Scenario& s) {
         each_group(s, [](auto& g) {
           g.hand_off.reset();
           g.commit = models::CommitMode::before_processing;
         });
       },
       {Verdict::lost},
       false,
       has_committers},
      {"max.poll.interval.ms above the longest poll",
       [](models::Scenario& s) {
         s.drain = 60s;
         each_group(s, [](auto& g) {
           g.config.max_poll_interval = 1s;
           g.config.max_poll_records = 500;
           g.service = sim::Distribution::constant(100e6);
         });
       },
       {Verdict::in_flight, Verdict::unseen},
       true,
       has_committers},
      {"auto.offset.reset=earliest",
       [](models::Scenario& s) {
         each_group(s, [](auto& g) { g.config.auto_offset_reset = models::kafka::AutoOffsetReset::latest; });
       },
       {Verdict::skipped, Verdict::unseen, Verdict::poll_skip, Verdict::lost, Verdict::lost_write},
       false,
       has_committers},
      {"an idempotency key",
       [](models::Scenario& s) {
         each_group(s, [](auto& g) { g.effect->idempotency_key = false; });
         detail::crash_a_member(s, models::Step::processed_not_committed);
       },
       {Verdict::effect_duplicated},
       false,
       has_committers},
      {"isolation.level=read_committed",
       [](models::Scenario& s) {
         for (models::GroupOptions& g : s.groups)
           g.config.read_committed = g.config.share.read_committed = false;
       },
       {Verdict::aborted_read, Verdict::table_wrong, Verdict::resurrected},
       false,
       any_transactions},
      {"transaction.version=2",
       [](models::Scenario& s) {
         s.kafka->transaction_version = 1;
         s.kafka->config.transaction_partition_verification_enable = false;
       },
       // A batch or a request that comes late is taken for one of the next transaction, or of one that nobody ends.
       {Verdict::output_duplicated, Verdict::output_missing, Verdict::in_flight, Verdict::unseen,
        Verdict::aborted_read, Verdict::lost, Verdict::lost_write},
       true,
       any_transactions,
       true},
      {"transaction.timeout.ms above all that a transaction may wait for",
       [](models::Scenario& s) {
         for (models::ProducerOptions& p : s.producers) p.config.transaction_timeout = 1s;
         for (models::GroupOptions& g : s.groups)
           if (g.transform) g.transform->config.transaction_timeout = 1s;
         s.kafka->config.transaction_abort_timed_out_interval = 200ms;
         s.faults.push_back(strike("pause", "kafka/0", 2s, 4s));
       },
       // Whoever is fenced ends, and nobody does its work.
       {Verdict::in_flight, Verdict::unseen},
       false,
       any_transactions,
       true},
      {"commit in the transaction",
       [](models::Scenario& s) {
         for (models::GroupOptions& g : s.groups)
           if (g.transform) g.commit = models::CommitMode::after_processing;
         detail::crash_a_member(s, models::Step::acknowledged);
       },
       {Verdict::output_duplicated},
       false,
       [](const models::Scenario& s) { return any_group(s, transforms); }},
      {"share.auto.offset.reset=earliest",
       [](models::Scenario& s) {
         for (models::GroupOptions& g : s.groups) {
           g.config.share.auto_offset_reset = models::kafka::AutoOffsetReset::latest;
           if (shares(g)) g.start = 2s;
         }
       },
       {Verdict::skipped, Verdict::unseen, Verdict::lost, Verdict::lost_write},
       false,
       [](const models::Scenario& s) { return any_group(s, shares); },
       true},
      {"group.share.delivery.count.limit above what fails",
       [](models::Scenario& s) {
         s.kafka->config.group_share_delivery_count_limit = 2;
         for (models::GroupOptions& g : s.groups) {
           if (!shares(g)) continue;
           g.config.explicit_acknowledgement = true;
           g.poison.emplace();
           g.poison->share = 0.1;
           g.poison->failures = 2;
           g.poison->then = models::PoisonOptions::Then::release;
         }
       },
       {Verdict::dead_lettered},
       false,
       [](const models::Scenario& s) { return any_group(s, shares); }},
  };
  return kRows;
}

/// What a world with every cure never shows. The others are not promised: a message may be processed again after a crash
/// (at least once), and one that was not acknowledged may be lost.
inline const std::vector<models::Verdict>& prevented() {
  using models::Verdict;
  static const std::vector<Verdict> kRows{
      Verdict::lost,
      Verdict::skipped,
      Verdict::in_flight,
      Verdict::log_duplicate,
      Verdict::resend_duplicate,
      Verdict::effect_duplicated,
      Verdict::reordered_in_log,
      Verdict::reordered_per_key,
      Verdict::lost_write,
      Verdict::unseen,
      Verdict::duplicate,
      Verdict::inconsistent_offsets,
      Verdict::int_poll_skip,
      Verdict::int_nonmonotonic_poll,
      Verdict::poll_skip,
      Verdict::nonmonotonic_poll,
      Verdict::int_send_skip,
      Verdict::nonmonotonic_send,
      Verdict::expired,
      Verdict::dead_lettered,
      Verdict::aborted_read,
      Verdict::precommitted_read,
      Verdict::output_duplicated,
      Verdict::output_missing,
      Verdict::table_wrong,
      Verdict::resurrected,
      Verdict::event_lost,
      Verdict::event_invented,
      Verdict::saga_stuck,
      Verdict::saga_inconsistent,
  };
  return kRows;
}

namespace detail {

inline void cure(models::kafka::ProducerConfig& config) {
  config.acks = -1;
  config.enable_idempotence = true;
  config.retries = 2147483647;
  config.max_in_flight_requests_per_connection = 1;
  config.delivery_timeout = 600s;
  config.transaction_timeout = 600s;
}

inline void cure(models::Scenario& s) {
  models::kafka::ClusterOptions& cluster = *s.kafka;
  // A quota whose window is shorter than a batch starves its consumers; and after a transaction that was aborted, what had been
  // fetched is fetched again.
  const double least = any_group(s, transforms) ? 5'000'000.0 : 10'000.0;
  for (models::kafka::QuotaOptions& quota : cluster.quotas) {
    if (quota.consumer_byte_rate > 0) quota.consumer_byte_rate = std::max(quota.consumer_byte_rate, least);
    // Nor one by which a transaction for each record takes longer than the run.
    if (quota.producer_byte_rate > 0 && any_group(s, transforms))
      quota.producer_byte_rate = std::max(quota.producer_byte_rate, 50'000.0);
  }
  // A session no longer than a heartbeat's interval ends again and again, with nothing wrong.
  cluster.config.broker_heartbeat_interval =
      std::min<sim::Duration>(cluster.config.broker_heartbeat_interval, 300ms);
  cluster.config.unclean_leader_election_enable = false;
  cluster.transaction_version = 2;
  for (models::ProducerOptions& p : s.producers) {
    p.resend = p.resend_after_restart = false;
    p.keys.on_wire = true;
    cure(p.config);
  }
  for (models::GroupOptions& g : s.groups) {
    g.effect = models::EffectOptions{true};
    g.config.read_committed = g.config.share.read_committed = true;
    if (g.transform) cure(g.transform->config);
    if (shares(g)) continue;
    if (g.commit == models::CommitMode::before_processing || g.hand_off) {
      g.hand_off.reset();
      g.commit = models::CommitMode::after_processing;
    }
    g.config.heartbeat_interval = 200ms;
    g.config.max_poll_interval = 300s;
    // A static member of the consumer protocol that comes back before its session has ended is refused for good
    // (UNRELEASED_INSTANCE_ID).
    if (g.config.group_protocol == models::kafka::GroupProtocol::consumer) g.config.group_instance_id.clear();
    g.config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  }
}

}  // namespace detail

}  // namespace proof
