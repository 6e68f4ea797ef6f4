// Arbitrary small scenarios with arbitrary fault programs, for properties that hold whatever happens.
//
// Everything is drawn through RapidCheck, so that a failing case shrinks: simple choices first, so that small
// numbers mean one broker, no fault, no trouble. A case is a run of a few seconds and some thousand messages,
// with short timeouts, so that what takes minutes with Kafka's defaults happens in it several times.
//
// Cases come from a fixed seed; RC_PARAMS in the environment takes its place ("seed=7 max_success=1000").
#pragma once

#include <rapidcheck.h>

#include <ostream>
#include <string>
#include <vector>

#include "models/checkers/verdicts.hpp"
#include "models/scenario.hpp"
#include "tests/models/proof/arbitrary_operations.hpp"

namespace proof {

using namespace std::chrono_literals;

struct ArbitraryWorld {
  models::Scenario scenario;
  std::vector<std::string> features{};          ///< of the swarm
  std::vector<models::Verdict> not_promised{};  ///< because of them
  std::uint64_t seed = 1;
  bool shuffle_ties = false;
};

/// How often: `times` out of ten; shrinks to "no".
inline bool sometimes(int times) {
  return *rc::gen::inRange(0, 10) > 9 - times;
}
template <class T>
T one_of(const std::vector<T>& choices) {
  return choices[*rc::gen::inRange<std::size_t>(0, choices.size())];
}

namespace detail {

inline models::kafka::ClusterOptions arbitrary_cluster() {
  models::kafka::ClusterOptions cluster;
  cluster.brokers = *rc::gen::inRange(1, 5);
  const std::int32_t most_copies = std::min(cluster.brokers, 3);
  models::kafka::TopicOptions topic;
  topic.name = "orders";
  topic.partitions = *rc::gen::inRange(1, 5);
  topic.replication_factor = *rc::gen::inRange(1, most_copies + 1);
  cluster.topics.push_back(topic);
  models::kafka::BrokerConfig& config = cluster.config;
  config.min_insync_replicas = *rc::gen::inRange(1, topic.replication_factor + 1);
  config.unclean_leader_election_enable = sometimes(2);
  config.broker_session_timeout = one_of<sim::Duration>({3s, 1s});
  config.broker_heartbeat_interval = one_of<sim::Duration>({1s, 300ms});
  config.replica_lag_time_max = one_of<sim::Duration>({30s, 2s});
  config.replica_fetch_backoff = one_of<sim::Duration>({1s, 50ms});
  config.leader_imbalance_check_interval = one_of<sim::Duration>({300s, 3s});
  config.group_initial_rebalance_delay = one_of<sim::Duration>({0ms, 500ms});
  config.group_min_session_timeout = 1s;
  config.offsets_topic_num_partitions = *rc::gen::inRange(1, 4);
  config.offsets_topic_replication_factor = *rc::gen::inRange(1, most_copies + 1);
  config.group_consumer_session_timeout = config.group_consumer_min_session_timeout =
      one_of<sim::Duration>({3s, 1s});
  config.group_consumer_heartbeat_interval = config.group_consumer_min_heartbeat_interval =
      one_of<sim::Duration>({900ms, 200ms});
  config.group_consumer_assignment_interval = one_of<sim::Duration>({0ms, 1s});
  if (sometimes(3)) cluster.service.request = sim::Distribution::exponential(100'000);
  return cluster;
}

inline models::ProducerOptions arbitrary_producer(const std::string& name) {
  models::ProducerOptions producer;
  producer.name = name;
  producer.to = "orders";
  if (sometimes(2)) {
    producer.closed_loop =
        models::ClosedLoop{*rc::gen::inRange(1u, 20u), sim::Distribution::exponential(10e6)};
  } else {
    producer.arrivals = sim::ArrivalProcess::poisson(one_of<double>({20, 100, 400}));
  }
  if (sometimes(5)) {
    producer.keys.count = *rc::gen::inRange(1u, 20u);
    producer.keys.rank = sim::Distribution::zipf(producer.keys.count, 1.0);
    producer.keys.on_wire = sometimes(7);
  }
  producer.resend = sometimes(3);
  producer.resend_after_restart = producer.arrivals.has_value() && sometimes(3);
  models::kafka::ProducerConfig& config = producer.config;
  config.acks = one_of<std::int16_t>({-1, 1, 0});
  config.enable_idempotence = config.acks == -1 && !sometimes(4);
  config.retries = config.enable_idempotence ? 2147483647 : one_of<std::int32_t>({2147483647, 0, 2});
  config.max_in_flight_requests_per_connection = *rc::gen::inRange(1, 6);
  config.linger = one_of<sim::Duration>({0ms, 5ms, 100ms});
  config.batch_size = one_of<std::int32_t>({16384, 1000, 1});
  config.request_timeout = one_of<sim::Duration>({1s, 300ms, 30s});
  config.delivery_timeout = config.linger + config.request_timeout + one_of<sim::Duration>({10s, 0s, 2s});
  config.buffer_memory = one_of<std::int64_t>({33554432, 20000});
  config.max_block = one_of<sim::Duration>({1s, 0s, 60s});
  config.metadata_max_age = one_of<sim::Duration>({300s, 2s});
  return producer;
}

inline models::GroupOptions arbitrary_group(const std::string& name) {
  using models::CommitMode;
  using models::kafka::Assignor;
  models::GroupOptions group;
  group.name = name;
  group.topics = {"orders"};
  group.members = *rc::gen::inRange(1u, 4u);
  group.service =
      one_of<sim::Distribution>({sim::Distribution::constant(0), sim::Distribution::constant(1e6),
                                 sim::Distribution::exponential(2e6), sim::Distribution::lognormal(5e6, 2)});
  group.commit =
      one_of<CommitMode>({CommitMode::after_processing, CommitMode::automatic, CommitMode::before_processing,
                          CommitMode::each_record, CommitMode::asynchronous});
  if (group.commit != CommitMode::each_record && sometimes(2))
    group.hand_off = models::HandOff{*rc::gen::inRange(1u, 4u)};
  if (sometimes(4)) group.effect = models::EffectOptions{sometimes(5)};
  group.stagger = one_of<sim::Duration>({0s, 700ms});
  models::kafka::ConsumerConfig& config = group.config;
  config.auto_offset_reset =
      sometimes(3) ? models::kafka::AutoOffsetReset::latest : models::kafka::AutoOffsetReset::earliest;
  config.session_timeout = one_of<sim::Duration>({3s, 1s});
  config.heartbeat_interval = one_of<sim::Duration>({900ms, 200ms});
  config.max_poll_interval = one_of<sim::Duration>({300s, 1s});
  config.max_poll_records = one_of<std::int32_t>({500, 1, 7});
  config.auto_commit_interval = one_of<sim::Duration>({5s, 100ms});
  config.request_timeout = one_of<sim::Duration>({30s, 1s});
  config.default_api_timeout = one_of<sim::Duration>({60s, 2s});
  config.metadata_max_age = one_of<sim::Duration>({300s, 2s});
  config.partition_assignment_strategy = one_of<std::vector<Assignor>>(
      {{Assignor::range}, {Assignor::round_robin}, {Assignor::sticky}, {Assignor::cooperative_sticky}});
  if (sometimes(3)) config.group_instance_id = "m{index}";
  if (sometimes(4)) {
    config.group_protocol = models::kafka::GroupProtocol::consumer;
    if (sometimes(3)) config.group_remote_assignor = models::kafka::ServerAssignor::range;
  }
  return group;
}

/// Somebody in the scenario, by the name that faults use.
struct Names {
  std::vector<std::string> brokers, producers, members;
  std::vector<std::string> others{};  ///< whom none of the above names
  std::vector<std::string> all() const {
    std::vector<std::string> names = brokers;
    names.insert(names.end(), producers.begin(), producers.end());
    names.insert(names.end(), members.begin(), members.end());
    names.insert(names.end(), others.begin(), others.end());
    return names;
  }
  std::vector<std::string> that_send_heartbeats() const {
    std::vector<std::string> names = brokers;
    names.insert(names.end(), members.begin(), members.end());
    return names;
  }
};

inline Names names_of(const models::Scenario& s) {
  Names names;
  for (std::int32_t b = 0; b < s.kafka->brokers; ++b) names.brokers.push_back("kafka/" + std::to_string(b));
  for (const auto& producer : s.producers) names.producers.push_back(producer.name);
  for (const auto& group : s.groups) {
    for (std::uint32_t i = 0; i < group.members; ++i)
      names.members.push_back(group.name + "/" + std::to_string(i));
  }
  return names;
}

inline void give_a_step(models::FaultSpec& fault, const Names& names) {
  using models::Step;
  std::vector<std::pair<Step, std::vector<std::string>>> steps{
      {Step::appended, names.brokers},
      {Step::acknowledged_not_replicated, names.brokers},
      {Step::acknowledged, names.producers},
  };
  if (!names.members.empty()) {
    for (const Step step : {Step::delivered, Step::effect_applied, Step::processed_not_committed,
                            Step::commit_sent, Step::committed, Step::heartbeat_sent}) {
      steps.push_back({step, names.members});
    }
  }
  const auto& [step, subjects] = one_of(steps);
  models::FaultSpec::When when;
  when.step = step;
  when.nth = *rc::gen::inRange(1, 300);
  when.subject = one_of(subjects);
  fault.when = when;
}

inline models::FaultSpec arbitrary_fault(const Names& names) {
  models::FaultSpec fault;
  fault.kind = one_of<std::string>({"crash", "pause", "isolate", "link-cut", "message-loss", "delay",
                                    "response-loss", "connection-reset", "heartbeat-loss", "leave"});
  if (fault.kind == "leave" && names.members.empty()) fault.kind = "crash";
  fault.target = one_of(names.all());
  if (fault.kind == "response-loss") fault.target = one_of(names.brokers);
  if (fault.kind == "leave") fault.target = one_of(names.members);
  if (fault.kind == "heartbeat-loss") fault.target = one_of(names.that_send_heartbeats());
  if (fault.kind == "link-cut") {
    std::vector<std::string> others = names.all();
    std::erase(others, fault.target);
    if (names.others.empty()) others.push_back("controller");
    fault.other = one_of(others);
    fault.one_way = sometimes(3);
  }
  if (fault.kind == "message-loss") fault.probability = 0.01 * *rc::gen::inRange(1, 40);
  if (fault.kind == "delay") fault.delay = sim::Distribution::exponential(1e6 * *rc::gen::inRange(1, 300));

  switch (*rc::gen::inRange(0, 3)) {
    case 0:
      fault.at = 1ms * *rc::gen::inRange(0, 8000);
      break;
    case 1:
      fault.every = 1ms * *rc::gen::inRange(500, 5000);
      break;
    default:
      give_a_step(fault, names);
  }
  if (sometimes(8)) fault.duration = 1ms * *rc::gen::inRange(1, 6000);
  if (fault.every && !fault.duration) fault.duration = 1s;
  return fault;
}

}  // namespace detail

/// What is told of a failing case, after shrinking.
inline void showValue(const ArbitraryWorld& world, std::ostream& out) {
  const models::Scenario& s = world.scenario;
  const auto ms = [](sim::Duration d) { return std::to_string(d.count() / 1000000) + "ms"; };
  const auto& topic = s.kafka->topics[0];
  const auto& config = s.kafka->config;
  for (const std::string& feature : world.features) out << "with " << feature << "\n";
  out << "seed " << world.seed << (world.shuffle_ties ? " shuffled" : "") << ", latency "
      << s.network.base.latency.name() << " " << s.network.base.latency.mean() << "ns\n  brokers "
      << s.kafka->brokers << " partitions " << topic.partitions << " replication " << topic.replication_factor
      << " min.insync " << config.min_insync_replicas << " unclean " << config.unclean_leader_election_enable
      << " service " << s.kafka->service.request.mean() << "ns session " << ms(config.broker_session_timeout)
      << " heartbeat " << ms(config.broker_heartbeat_interval) << " lag " << ms(config.replica_lag_time_max)
      << " backoff " << ms(config.replica_fetch_backoff) << " imbalance "
      << ms(config.leader_imbalance_check_interval) << " offsets " << config.offsets_topic_num_partitions
      << "x" << config.offsets_topic_replication_factor.value_or(3) << " delay "
      << ms(config.group_initial_rebalance_delay) << " consumer session "
      << ms(config.group_consumer_session_timeout) << " heartbeat "
      << ms(config.group_consumer_heartbeat_interval) << " assignment "
      << ms(config.group_consumer_assignment_interval) << " controlled " << config.controlled_shutdown_enable
      << " racks " << s.kafka->racks.size();
  for (const auto& q : s.kafka->quotas)
    out << " quota " << q.producer_byte_rate << "/" << q.consumer_byte_rate;
  out << "\n";
  for (const models::kafka::RuleInfo& rule : models::kafka::rule_catalogue()) {
    if (!s.kafka->rules.has(rule.rule)) out << "  without " << rule.name << "\n";
  }
  if (config.log_retention_ms || config.log_retention_bytes >= 0) {
    out << "  retention " << config.log_retention_ms.value_or(-1) << "ms " << config.log_retention_bytes
        << " bytes every " << ms(config.log_retention_check_interval) << " roll "
        << (config.log_roll ? ms(*config.log_roll) : "never") << "\n";
  }
  for (const auto& p : s.producers) {
    out << "  " << p.name << " rate " << (p.arrivals ? p.arrivals->mean_rate() : 0) << " loop "
        << (p.closed_loop ? p.closed_loop->outstanding : 0) << " keys " << p.keys.count << " resend "
        << p.resend << " after restart " << p.resend_after_restart << " acks " << p.config.acks
        << " idempotence " << p.config.enable_idempotence << " retries " << p.config.retries << " in-flight "
        << p.config.max_in_flight_requests_per_connection << " linger " << ms(p.config.linger) << " batch "
        << p.config.batch_size << " request " << ms(p.config.request_timeout) << " delivery "
        << ms(p.config.delivery_timeout) << " memory " << p.config.buffer_memory << " block "
        << ms(p.config.max_block) << " age " << ms(p.config.metadata_max_age);
    if (p.transactions)
      out << " transactions of " << ms(p.transactions->every) << " aborts " << p.transactions->aborts
          << " timeout " << ms(p.config.transaction_timeout);
    out << "\n";
  }
  for (const auto& g : s.groups) {
    out << "  " << g.name << " members " << g.members << " service " << g.service.name() << " "
        << g.service.mean() << "ns commit " << static_cast<int>(g.commit) << " threads "
        << (g.hand_off ? g.hand_off->threads : 0) << " effect " << g.effect.has_value() << " stagger "
        << ms(g.stagger) << " reset " << static_cast<int>(g.config.auto_offset_reset) << " session "
        << ms(g.config.session_timeout) << " heartbeat " << ms(g.config.heartbeat_interval) << " poll "
        << ms(g.config.max_poll_interval) << "/" << g.config.max_poll_records << " auto-commit "
        << ms(g.config.auto_commit_interval) << " request " << ms(g.config.request_timeout) << " api "
        << ms(g.config.default_api_timeout) << " age " << ms(g.config.metadata_max_age) << " assignor "
        << static_cast<int>(g.config.partition_assignment_strategy[0]) << " instance "
        << g.config.group_instance_id << " protocol " << static_cast<int>(g.config.group_protocol)
        << (g.config.group_remote_assignor ? " range" : "") << " committed " << g.config.read_committed;
    if (g.type == models::GroupType::share)
      out << " share: locks " << g.config.share.partition_max_record_locks.value_or(-1) << " mode "
          << static_cast<int>(g.config.share_acquire_mode) << " explicit "
          << g.config.explicit_acknowledgement << " poison " << (g.poison ? g.poison->failures : 0);
    if (g.transform)
      out << " to " << g.transform->to << " aborts " << g.transform->aborts << " linger "
          << ms(g.transform->config.linger) << " request " << ms(g.transform->config.request_timeout)
          << " timeout " << ms(g.transform->config.transaction_timeout);
    out << "\n";
  }
  for (const auto& f : s.faults) {
    out << "  " << f.kind << " " << f.target << " " << f.other << (f.one_way ? " one-way" : "");
    if (f.at) out << " at " << ms(*f.at);
    if (f.every) out << " every " << ms(*f.every);
    if (f.when)
      out << " at step " << static_cast<int>(f.when->step) << " #" << f.when->nth << " of "
          << f.when->subject;
    if (f.duration) out << " for " << ms(*f.duration);
    if (f.probability > 0) out << " probability " << f.probability;
    if (f.delay) out << " delay " << f.delay->mean() << "ns";
    if (f.gap) out << " gap " << ms(*f.gap);
    if (f.partitions) out << " to " << *f.partitions << " partitions";
    out << "\n";
  }
}

inline ArbitraryWorld arbitrary_world() {
  ArbitraryWorld world;
  models::Scenario& s = world.scenario;
  s.name = "arbitrary";
  s.duration = 8s;
  s.drain = 60s;
  // Never 0: an application that sends again what a broker refuses at once would go on for ever at one
  // instant.
  s.network.base.latency =
      one_of<sim::Distribution>({sim::Distribution::constant(250'000), sim::Distribution::constant(100'000),
                                 sim::Distribution::lognormal(2e6, 1)});
  s.kafka = detail::arbitrary_cluster();
  const int producers = *rc::gen::inRange(1, 3);
  for (int i = 0; i < producers; ++i)
    s.producers.push_back(detail::arbitrary_producer("shop" + std::to_string(i)));
  const int groups = *rc::gen::inRange(0, 3);
  for (int i = 0; i < groups; ++i) s.groups.push_back(detail::arbitrary_group("group" + std::to_string(i)));
  const detail::Names names = detail::names_of(s);
  const int faults = *rc::gen::inRange(0, 6);
  for (int i = 0; i < faults; ++i) s.faults.push_back(detail::arbitrary_fault(names));
  world.seed = *rc::gen::inRange<std::uint64_t>(1, 1000000);
  world.shuffle_ties = sometimes(3);
  detail::add_operations(s);
  return world;
}

}  // namespace proof
