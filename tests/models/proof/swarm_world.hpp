// Random worlds for the swarm: a configuration that promises everything, of which one promise may be taken back.
//
// A cure is a setting (or a pair that only works together) that prevents named verdicts. A world with every cure may show
// none of them, whatever strikes; with one cure off only those that its row lists. Everything else is drawn: sizes, features,
// timeouts, faults (swarm testing: Groce et al., "Swarm Testing", ISSTA 2012: leaving features out at random finds more).
#pragma once

#include <span>
#include <vector>

#include "models/checkers/verdicts.hpp"
#include "tests/models/proof/arbitrary_world.hpp"

namespace proof {

struct Cure {
  const char* name;
  void (*take_back)(models::Scenario&);
  /// What may be seen without it; the first one must be, somewhere in the swarm.
  std::vector<models::Verdict> shows;
  bool may_stall = false;  ///< without it a run may never come to rest
};

namespace detail {

using models::Verdict;

/// What loses an acknowledged record of a log shows these, by what clients had seen of it.
inline std::vector<Verdict> with(std::vector<Verdict> first, const std::vector<Verdict>& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

/// An acknowledged record is gone: the group that read it may have gone on (poll_skip sees the hole), another record may stand
/// in its place, and a message that is sent again is a second one for whoever read the first.
inline const std::vector<Verdict> kLogLoss{
    Verdict::lost,      Verdict::lost_write,        Verdict::unseen,
    Verdict::poll_skip, Verdict::nonmonotonic_poll, Verdict::inconsistent_offsets};

/// What a cure is for happens at least once.
inline models::FaultSpec strike(const char* kind, const char* target, sim::Duration at,
                                sim::Duration duration) {
  models::FaultSpec fault;
  fault.kind = kind;
  fault.target = target;
  fault.at = at;
  fault.duration = duration;
  return fault;
}

template <class F>
void each_producer(models::Scenario& s, F&& change) {
  for (models::ProducerOptions& producer : s.producers) change(producer);
}
template <class F>
void each_group(models::Scenario& s, F&& change) {
  for (models::GroupOptions& group : s.groups) change(group);
}

}  // namespace detail

/// In the order of a message's way: producer, log, group, effect.
inline const std::vector<Cure>& cures() {
  using detail::each_group;
  using detail::each_producer;
  using models::Verdict;
  static const std::vector<Cure> kRows{
      {"acks=all",
       [](models::Scenario& s) {
         each_producer(s, [](auto& p) {
           p.config.acks = one_of<std::int16_t>({1, 0});
           p.config.enable_idempotence = false;  // is refused without acks=all
         });
       },
       detail::with(detail::kLogLoss,
                    {Verdict::duplicate, Verdict::log_duplicate, Verdict::nonmonotonic_send,
                     Verdict::int_send_skip, Verdict::reordered_in_log, Verdict::reordered_per_key})},
      {"unclean.leader.election.enable=false",
       [](models::Scenario& s) {
         s.kafka->config.unclean_leader_election_enable = true;
         s.kafka->config.min_insync_replicas = 1;
         s.kafka->config.replica_lag_time_max =
             1s;  // who falls behind is soon out of the in-sync set, and then leads
         if (s.kafka->brokers == 1) return;
         s.faults.push_back(detail::strike("isolate", "kafka/1", 1s, 4s));
         s.faults.push_back(detail::strike("crash", "kafka/0", 4s, 4s));
       },
       detail::with(detail::kLogLoss,
                    {Verdict::duplicate, Verdict::log_duplicate, Verdict::nonmonotonic_send,
                     Verdict::int_send_skip, Verdict::reordered_in_log, Verdict::reordered_per_key,
                     Verdict::skipped, Verdict::effect_duplicated,
                     // A static member is fenced for good by what __consumer_offsets held before.
                     Verdict::in_flight})},
      {"records carry the key",
       [](models::Scenario& s) { each_producer(s, [](auto& p) { p.keys.on_wire = false; }); },
       {Verdict::reordered_per_key}},
      {"enable.idempotence",
       [](models::Scenario& s) { each_producer(s, [](auto& p) { p.config.enable_idempotence = false; }); },
       {Verdict::log_duplicate, Verdict::duplicate, Verdict::nonmonotonic_send, Verdict::int_send_skip,
        Verdict::reordered_in_log, Verdict::reordered_per_key}},
      {"max.in.flight.requests.per.connection=1",
       [](models::Scenario& s) {
         each_producer(s, [](auto& p) {
           p.config.max_in_flight_requests_per_connection = 5;
           // Which keeps the order by itself, but with a leader that knows nothing of the producer.
           p.config.enable_idempotence = false;
         });
       },
       {Verdict::reordered_in_log, Verdict::log_duplicate, Verdict::duplicate, Verdict::nonmonotonic_send,
        Verdict::int_send_skip, Verdict::reordered_per_key}},
      {"the application does not send again",
       [](models::Scenario& s) {
         s.drain = 60s;
         each_producer(s, [](auto& p) {
           p.resend = true;
           p.config.delivery_timeout = p.config.linger + p.config.request_timeout;
         });
       },
       {Verdict::resend_duplicate, Verdict::reordered_per_key, Verdict::in_flight, Verdict::unseen},
       true},  // what is sent again because it was late makes the next late, for ever where the load is high
      {"commit after processing",
       [](models::Scenario& s) {
         each_group(s, [](auto& g) {
           g.hand_off.reset();
           g.commit = models::CommitMode::before_processing;
         });
       },
       {Verdict::lost}},
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
       true},
      {"auto.offset.reset=earliest",
       [](models::Scenario& s) {
         each_group(s, [](auto& g) { g.config.auto_offset_reset = models::kafka::AutoOffsetReset::latest; });
       },
       {Verdict::skipped, Verdict::unseen, Verdict::poll_skip, Verdict::lost, Verdict::lost_write}},
      {"an idempotency key",
       [](models::Scenario& s) {
         each_group(s, [](auto& g) { g.effect->idempotency_key = false; });
         models::FaultSpec crash = detail::strike("crash", "group0/0", 0s, 1s);
         crash.at.reset();
         crash.when = models::FaultSpec::When{models::Step::processed_not_committed, 5, ""};
         s.faults.push_back(crash);
       },
       {Verdict::effect_duplicated}},
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
  };
  return kRows;
}

namespace detail {

inline void cure(models::Scenario& s) {
  models::kafka::ClusterOptions& cluster = *s.kafka;
  // A quota whose window is shorter than a batch starves its consumers.
  for (models::kafka::QuotaOptions& quota : cluster.quotas)
    if (quota.consumer_byte_rate > 0) quota.consumer_byte_rate = std::max(quota.consumer_byte_rate, 10'000.0);
  // A session no longer than a heartbeat's interval ends again and again, with nothing wrong.
  cluster.config.broker_heartbeat_interval =
      std::min<sim::Duration>(cluster.config.broker_heartbeat_interval, 300ms);
  cluster.config.unclean_leader_election_enable = false;
  for (models::ProducerOptions& p : s.producers) {
    p.resend = p.resend_after_restart = false;
    p.keys.on_wire = true;
    p.config.acks = -1;
    p.config.enable_idempotence = true;
    p.config.retries = 2147483647;
    p.config.max_in_flight_requests_per_connection = 1;
    p.config.delivery_timeout = 600s;
  }
  for (models::GroupOptions& g : s.groups) {
    if (g.commit == models::CommitMode::before_processing || g.hand_off) {
      g.hand_off.reset();
      g.commit = models::CommitMode::after_processing;
    }
    g.effect = models::EffectOptions{true};
    g.config.heartbeat_interval = 200ms;
    g.config.max_poll_interval = 300s;
    // A static member of the consumer protocol that comes back before its session has ended is refused for good
    // (UNRELEASED_INSTANCE_ID).
    if (g.config.group_protocol == models::kafka::GroupProtocol::consumer) g.config.group_instance_id.clear();
    g.config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  }
}

/// A fault that ends: what never comes back leaves messages that nobody is there to read.
inline models::FaultSpec passing_fault(const Names& names) {
  models::FaultSpec fault = arbitrary_fault(names);
  if (!fault.duration) fault.duration = 1ms * *rc::gen::inRange(1, 6000);
  return fault;
}

}  // namespace detail

/// With every cure; `detail::passing_fault`s strike.
inline ArbitraryWorld cured_world() {
  ArbitraryWorld world = arbitrary_world();
  models::Scenario& s = world.scenario;
  s.drain =
      1000s;  // longer than whatever waits: max.poll.interval.ms, delivery.timeout.ms, 5 min of a first join
  if (s.groups.empty()) s.groups.push_back(detail::arbitrary_group("group0"));
  const detail::Names names = detail::names_of(s);
  s.faults.clear();
  const int faults = *rc::gen::inRange(0, 6);
  for (int i = 0; i < faults; ++i) s.faults.push_back(detail::passing_fault(names));
  detail::cure(s);
  return world;
}

}  // namespace proof
