#include "models/kafka/config.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "models/kafka/config_table.hpp"
#include "models/kafka/iso_duration.hpp"
#include "models/kafka/librdkafka.hpp"
#include "models/kafka/mirror/mirror_keys.hpp"
#include "models/kafka/streams.hpp"

namespace models::kafka {
namespace {

using namespace config_table;

Error set_acks(ProducerConfig& config, std::string_view text) {
  if (text == "all" || text == "-1")
    config.acks = -1;
  else if (text == "0")
    config.acks = 0;
  else if (text == "1")
    config.acks = 1;
  else
    return "'" + std::string(text) + "' is none of all, -1, 0, 1";
  return std::nullopt;
}

Error set_selector(BrokerConfig& config, std::string_view text) {
  constexpr std::string_view kPackage = "org.apache.kafka.common.replica.";
  if (text.substr(0, kPackage.size()) == kPackage) text.remove_prefix(kPackage.size());
  config.rack_aware_replica_selector = text == "RackAwareReplicaSelector";
  if (config.rack_aware_replica_selector || text.empty() || text == "null") return std::nullopt;
  return "'" + std::string(text) + "' is not modelled; allowed: null, RackAwareReplicaSelector";
}

/// by_duration:PnDTnHnMn.nS (KIP-1106), of either kind of group.
template <class C>
bool set_by_duration(C& config, std::string_view text) {
  constexpr std::string_view kPrefix = "by_duration:";
  if (text.substr(0, kPrefix.size()) != kPrefix) return false;
  const std::optional<Duration> duration = iso_duration(text.substr(kPrefix.size()));
  if (!duration) return false;
  config.auto_offset_reset = AutoOffsetReset::by_duration;
  config.reset_duration = *duration;
  return true;
}

Error set_reset(ConsumerConfig& config, std::string_view text) {
  if (text == "earliest")
    config.auto_offset_reset = AutoOffsetReset::earliest;
  else if (text == "latest")
    config.auto_offset_reset = AutoOffsetReset::latest;
  else if (text == "none")
    config.auto_offset_reset = AutoOffsetReset::none;
  else if (!set_by_duration(config, text))
    return "'" + std::string(text) + "' is none of earliest, latest, none, by_duration:PnDTnHnMn.nS";
  return std::nullopt;
}

Error set_partitioner(ProducerConfig& config, std::string_view text) {
  if (text.empty() || text == "null")
    config.partitioner_class = Partitioner::default_sticky;
  else if (text == "RoundRobinPartitioner" ||
           text == "org.apache.kafka.clients.producer.RoundRobinPartitioner") {
    config.partitioner_class = Partitioner::round_robin;
  } else {
    return "'" + std::string(text) + "' is not modelled; allowed: null, RoundRobinPartitioner";
  }
  return std::nullopt;
}

std::string_view simple_name(std::string_view name) {
  constexpr std::string_view kPackage = "org.apache.kafka.clients.consumer.";
  return name.substr(0, kPackage.size()) == kPackage ? name.substr(kPackage.size()) : name;
}

/// ConsumerConfig.CONSUMER_GROUP_PROTOCOL_UNSUPPORTED_CONFIGS
constexpr std::array<std::string_view, 4> kClassicKeys{"session.timeout.ms", "heartbeat.interval.ms",
                                                       "partition.assignment.strategy",
                                                       "internal.leave.group.on.close"};

Error set_assignors(ConsumerConfig& config, std::string_view text) {
  std::vector<Assignor> wanted;
  for (std::string_view one : listed(text)) {
    one = simple_name(one);
    if (one == "RangeAssignor" || one == "range")
      wanted.push_back(Assignor::range);
    else if (one == "RoundRobinAssignor" || one == "roundrobin")
      wanted.push_back(Assignor::round_robin);
    else if (one == "StickyAssignor" || one == "sticky")
      wanted.push_back(Assignor::sticky);
    else if (one == "CooperativeStickyAssignor" || one == "cooperative-sticky") {
      wanted.push_back(Assignor::cooperative_sticky);
    } else {
      return "'" + std::string(one) +
             "' is none of RangeAssignor, RoundRobinAssignor, StickyAssignor, CooperativeStickyAssignor";
    }
  }
  if (wanted.empty()) return std::string("names no assignor");
  config.partition_assignment_strategy = std::move(wanted);
  return std::nullopt;
}

Error set_protocol(ConsumerConfig& config, std::string_view text) {
  // Kafka takes it in any case (GroupProtocol, CaseInsensitiveValidString).
  std::string name(text);
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (name != "classic" && name != "consumer")
    return "'" + std::string(text) + "' is neither classic nor consumer";
  config.group_protocol = name == "classic" ? GroupProtocol::classic : GroupProtocol::consumer;
  return std::nullopt;
}

/// A key that only the classic protocol takes.
template <auto Apply, std::size_t Key>
Error classic_only(ConsumerConfig& config, std::string_view text) {
  config.classic_key_given = kClassicKeys[Key];
  return Apply(config, text);
}

Error set_leaves_on_close(ConsumerConfig& config, std::string_view text) {
  if (text != "true" && text != "false") return "'" + std::string(text) + "' is neither true nor false";
  config.internal_leave_group_on_close = text == "true";
  return std::nullopt;
}

/// ConsumerConfig.SHARE_GROUP_UNSUPPORTED_CONFIGS, besides those that only the classic protocol takes
constexpr std::array<std::string_view, 6> kUnsharedKeys{"auto.offset.reset", "enable.auto.commit",
                                                        "group.instance.id", "isolation.level",
                                                        "group.protocol",    "group.remote.assignor"};
/// A key that share consumers do not take.
template <auto Apply, std::size_t Key>
Error unshared(ConsumerConfig& config, std::string_view text) {
  config.unshared_key_given = kUnsharedKeys[Key];
  return Apply(config, text);
}

constexpr std::array<std::string_view, 10> kShareKeys{"share.acknowledgement.mode",
                                                      "share.acquire.mode",
                                                      "share.session.timeout.ms",
                                                      "share.heartbeat.interval.ms",
                                                      "share.record.lock.duration.ms",
                                                      "share.delivery.count.limit",
                                                      "share.partition.max.record.locks",
                                                      "share.auto.offset.reset",
                                                      "share.isolation.level",
                                                      "share.renew.acknowledge.enable"};
/// A key that only share groups take; the last six are the group's.
template <auto Apply, std::size_t Key>
Error share_only(ConsumerConfig& config, std::string_view text) {
  config.share_key_given = kShareKeys[Key];
  return Apply(config, text);
}
/// One of the group's own.
template <auto Apply, std::size_t Key>
Error of_share_group(ConsumerConfig& config, std::string_view text) {
  config.share_key_given = kShareKeys[Key];
  return Apply(config.share, text);
}

Error set_acknowledgement_mode(ConsumerConfig& config, std::string_view text) {
  if (text != "implicit" && text != "explicit")
    return "'" + std::string(text) + "' is neither implicit nor explicit";
  config.explicit_acknowledgement = text == "explicit";
  return std::nullopt;
}

Error set_acquire_mode(ConsumerConfig& config, std::string_view text) {
  if (text != "batch_optimized" && text != "record_limit")
    return "'" + std::string(text) + "' is neither batch_optimized nor record_limit";
  config.share_acquire_mode =
      text == "record_limit" ? ShareAcquireMode::record_limit : ShareAcquireMode::batch_optimized;
  return std::nullopt;
}

Error set_share_reset(ShareGroupConfig& config, std::string_view text) {
  if (set_by_duration(config, text)) return std::nullopt;
  if (text != "earliest" && text != "latest")
    return "'" + std::string(text) + "' is none of earliest, latest, by_duration:PnDTnHnMn.nS";
  config.auto_offset_reset = text == "earliest" ? AutoOffsetReset::earliest : AutoOffsetReset::latest;
  return std::nullopt;
}

std::optional<ServerAssignor> server_assignor(std::string_view name) {
  if (name == "uniform") return ServerAssignor::uniform;
  if (name == "range") return ServerAssignor::range;
  return std::nullopt;
}

Error set_remote_assignor(ConsumerConfig& config, std::string_view text) {
  config.group_remote_assignor = server_assignor(text);
  if (config.group_remote_assignor || text == "null") return std::nullopt;
  return "'" + std::string(text) + "' is neither uniform nor range";
}

Error set_server_assignors(BrokerConfig& config, std::string_view text) {
  config.group_consumer_assignors.clear();
  for (const std::string_view one : listed(text)) {
    const std::optional<ServerAssignor> assignor = server_assignor(one);
    if (!assignor) return "'" + std::string(one) + "' is neither uniform nor range";
    config.group_consumer_assignors.push_back(*assignor);
  }
  if (config.group_consumer_assignors.empty()) return std::string("names no assignor");
  return std::nullopt;
}

template <class C>
Error set_isolation(C& config, std::string_view text) {
  if (text != "read_uncommitted" && text != "read_committed")
    return "'" + std::string(text) + "' is none of read_uncommitted, read_committed";
  config.read_committed = text == "read_committed";
  return std::nullopt;
}

Error parse_policy(std::string_view text, CleanupPolicy& out) {
  out = {.compacts = false, .deletes = false};
  for (const std::string_view one : listed(text)) {
    if (one != "compact" && one != "delete")
      return "'" + std::string(one) + "' is neither compact nor delete";
    (one == "compact" ? out.compacts : out.deletes) = true;
  }
  if (!out.compacts && !out.deletes) return std::string("names no policy");
  return std::nullopt;
}

Error set_policy(BrokerConfig& config, std::string_view text) {
  return parse_policy(text, config.log_cleanup_policy);
}

Error set_topic_policy(TopicConfig& config, std::string_view text) {
  return parse_policy(text, config.compaction.cleanup_policy.emplace());
}

Error parse_number(std::string_view text, double lo, double& out) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (ec != std::errc{} || end != text.data() + text.size())
    return "'" + std::string(text) + "' is not a number";
  if (!(out >= lo)) return std::string(text) + " is too small";
  return std::nullopt;
}

Error parse_share(std::string_view text, double& out) {
  if (Error e = parse_number(text, 0, out)) return e;
  if (out > 1) return std::string(text) + " is outside [0, 1]";
  return std::nullopt;
}

/// A setting of the cleaner, by any of the functions above.
template <auto Apply>
Error of_cleaner(BrokerConfig& config, std::string_view text) {
  return Apply(config.log_cleaner, text);
}
template <auto Apply>
Error of_tiers(BrokerConfig& config, std::string_view text) {
  return Apply(config.tiers, text);
}
template <auto Apply>
Error of_topic_tiers(TopicConfig& config, std::string_view text) {
  return Apply(config.tiers, text);
}
template <auto Apply>
Error of_compaction(TopicConfig& config, std::string_view text) {
  return Apply(config.compaction, text);
}

Error set_io_limit(CleanerConfig& config, std::string_view text) {
  return parse_number(text, 1, config.io_max_bytes_per_second);
}
Error set_load_factor(CleanerConfig& config, std::string_view text) {
  return parse_share(text, config.io_buffer_load_factor);
}
Error set_cleanable_ratio(CleanerConfig& config, std::string_view text) {
  return parse_share(text, config.min_cleanable_ratio);
}
Error set_topic_cleanable_ratio(CompactionConfig& config, std::string_view text) {
  return parse_share(text, config.min_cleanable_dirty_ratio.emplace());
}

using S = TimestampConfig;
/// A setting of timestamps, by any of the functions above.
template <auto Apply>
Error of_log_timestamp(BrokerConfig& config, std::string_view text) {
  return Apply(config.log_message_timestamp, text);
}
template <auto Apply>
Error of_timestamp(TopicConfig& config, std::string_view text) {
  return Apply(config.message_timestamp, text);
}
Error set_timestamp_type(TimestampConfig& config, std::string_view text) {
  if (text != "CreateTime" && text != "LogAppendTime")
    return "'" + std::string(text) + "' is neither CreateTime nor LogAppendTime";
  config.log_append_time = text == "LogAppendTime";
  return std::nullopt;
}

Error only_simple(BrokerConfig&, std::string_view text) {
  if (text == "simple") return std::nullopt;
  return "'" + std::string(text) + "' is not modelled; allowed: simple";
}

/// LegacyRecord.RECORD_OVERHEAD_V0; 1 MiB since 4.0 (raised_minima()).
constexpr std::int64_t kLeastSegment = 14;

using B = BrokerConfig;
using L = CleanerConfig;
using M = CompactionConfig;
using R = TierConfig;
using D = TopicTierConfig;
constexpr auto kBrokerKeys = std::to_array<Key<B>>({
    {"min.insync.replicas", "int", "1", integer<&B::min_insync_replicas, 1, kInt32Max, B>},
    {"replica.lag.time.max.ms", "ms", "30000", span<&B::replica_lag_time_max, 1, 1'000'000, B>},
    {"replica.fetch.wait.max.ms", "ms", "500", span<&B::replica_fetch_wait_max, 0, 1'000'000, B>},
    {"replica.fetch.min.bytes", "bytes", "1", integer<&B::replica_fetch_min_bytes, 0, kInt32Max, B>},
    {"replica.fetch.max.bytes", "bytes", "1048576", integer<&B::replica_fetch_max_bytes, 0, kInt32Max, B>},
    {"replica.fetch.response.max.bytes", "bytes", "10485760",
     integer<&B::replica_fetch_response_max_bytes, 0, kInt32Max, B>},
    {"replica.fetch.backoff.ms", "ms", "1000", span<&B::replica_fetch_backoff, 0, 1'000'000, B>},
    {"unclean.leader.election.enable", "bool", "false", boolean<&B::unclean_leader_election_enable, B>},
    {"unclean.leader.election.interval.ms", "ms", "300000",
     span<&B::unclean_leader_election_interval, 1, 1'000'000, B>},
    {"auto.leader.rebalance.enable", "bool", "true", boolean<&B::auto_leader_rebalance_enable, B>},
    {"leader.imbalance.check.interval.seconds", "s", "300",
     span<&B::leader_imbalance_check_interval, 1, 1'000'000'000, B>},
    {"leader.imbalance.per.broker.percentage", "int", "10",
     integer<&B::leader_imbalance_per_broker_percentage, 0, 100, B>,
     "with coordination = \"zookeeper\"; KRaft mends any imbalance"},
    {"broker.heartbeat.interval.ms", "ms", "2000", span<&B::broker_heartbeat_interval, 1, 1'000'000, B>},
    {"broker.session.timeout.ms", "ms", "9000", span<&B::broker_session_timeout, 1, 1'000'000, B>},
    {"broker.rack", "string", "null", text_value<&B::broker_rack, B>,
     "{rack} stands for the rack of the broker's host"},
    {"replica.selector.class", "string", "null", set_selector},
    {"quota.window.num", "int", "11", integer<&B::quota_window_num, 1, kInt32Max, B>},
    {"quota.window.size.seconds", "s", "1", span<&B::quota_window_size, 1, 1'000'000'000, B>},
    {"controller.quota.window.num", "int", "11", integer<&B::controller_quota_window_num, 1, kInt32Max, B>},
    {"controller.quota.window.size.seconds", "s", "1",
     span<&B::controller_quota_window_size, 1, 1'000'000'000, B>},
    {"controlled.shutdown.enable", "bool", "true", boolean<&B::controlled_shutdown_enable, B>},
    {"num.io.threads", "int", "8", integer<&B::num_io_threads, 1, kInt32Max, B>},
    {"message.max.bytes", "bytes", "1048588", integer<&B::message_max_bytes, 0, kInt32Max, B>},
    {"fetch.max.bytes", "bytes", "57671680", integer<&B::fetch_max_bytes, 1024, kInt32Max, B>},
    {"group.initial.rebalance.delay.ms", "ms", "3000",
     span<&B::group_initial_rebalance_delay, 0, 1'000'000, B>},
    {"group.min.session.timeout.ms", "ms", "6000", span<&B::group_min_session_timeout, 0, 1'000'000, B>},
    {"group.max.session.timeout.ms", "ms", "1800000", span<&B::group_max_session_timeout, 0, 1'000'000, B>},
    {"group.max.size", "int", "2147483647", integer<&B::group_max_size, 1, kInt32Max, B>},
    {"group.consumer.session.timeout.ms", "ms", "45000",
     span<&B::group_consumer_session_timeout, 1, 1'000'000, B>},
    {"group.consumer.min.session.timeout.ms", "ms", "45000",
     span<&B::group_consumer_min_session_timeout, 1, 1'000'000, B>},
    {"group.consumer.max.session.timeout.ms", "ms", "60000",
     span<&B::group_consumer_max_session_timeout, 1, 1'000'000, B>},
    {"group.consumer.heartbeat.interval.ms", "ms", "5000",
     span<&B::group_consumer_heartbeat_interval, 1, 1'000'000, B>},
    {"group.consumer.min.heartbeat.interval.ms", "ms", "5000",
     span<&B::group_consumer_min_heartbeat_interval, 1, 1'000'000, B>},
    {"group.consumer.max.heartbeat.interval.ms", "ms", "15000",
     span<&B::group_consumer_max_heartbeat_interval, 1, 1'000'000, B>},
    {"group.consumer.assignment.interval.ms", "ms", "1000",
     span<&B::group_consumer_assignment_interval, 0, 1'000'000, B>},
    {"group.consumer.min.assignment.interval.ms", "ms", "0",
     span<&B::group_consumer_min_assignment_interval, 0, 1'000'000, B>},
    {"group.consumer.max.assignment.interval.ms", "ms", "15000",
     span<&B::group_consumer_max_assignment_interval, 0, 1'000'000, B>},
    {"group.consumer.max.size", "int", "2147483647", integer<&B::group_consumer_max_size, 1, kInt32Max, B>},
    {"group.consumer.assignors", "list", "uniform,range", set_server_assignors},
    {"group.share.session.timeout.ms", "ms", "45000", span<&B::group_share_session_timeout, 1, 1'000'000, B>},
    {"group.share.min.session.timeout.ms", "ms", "45000",
     span<&B::group_share_min_session_timeout, 1, 1'000'000, B>},
    {"group.share.max.session.timeout.ms", "ms", "60000",
     span<&B::group_share_max_session_timeout, 1, 1'000'000, B>},
    {"group.share.heartbeat.interval.ms", "ms", "5000",
     span<&B::group_share_heartbeat_interval, 1, 1'000'000, B>},
    {"group.share.min.heartbeat.interval.ms", "ms", "5000",
     span<&B::group_share_min_heartbeat_interval, 1, 1'000'000, B>},
    {"group.share.max.heartbeat.interval.ms", "ms", "15000",
     span<&B::group_share_max_heartbeat_interval, 1, 1'000'000, B>},
    {"group.share.assignment.interval.ms", "ms", "1000",
     span<&B::group_share_assignment_interval, 0, 1'000'000, B>},
    {"group.share.max.size", "int", "200", integer<&B::group_share_max_size, 1, 1000, B>},
    {"group.share.max.share.sessions", "int", "2000",
     integer<&B::group_share_max_share_sessions, 1, kInt32Max, B>},
    {"group.share.assignors", "list", "simple", only_simple, "simple only"},
    {"group.share.delivery.count.limit", "int", "5", integer<&B::group_share_delivery_count_limit, 2, 10, B>},
    {"group.share.min.delivery.count.limit", "int", "2",
     integer<&B::group_share_min_delivery_count_limit, 2, 5, B>},
    {"group.share.max.delivery.count.limit", "int", "10",
     integer<&B::group_share_max_delivery_count_limit, 5, 25, B>},
    {"group.share.record.lock.duration.ms", "ms", "30000",
     span<&B::group_share_record_lock_duration, 1000, 1'000'000, B>},
    {"group.share.min.record.lock.duration.ms", "ms", "15000",
     span<&B::group_share_min_record_lock_duration, 1000, 1'000'000, B>},
    {"group.share.max.record.lock.duration.ms", "ms", "60000",
     span<&B::group_share_max_record_lock_duration, 30000, 1'000'000, B>},
    {"group.share.partition.max.record.locks", "int", "2000",
     integer<&B::group_share_partition_max_record_locks, 100, 10000, B>},
    {"share.coordinator.state.topic.num.partitions", "int", "50",
     integer<&B::share_state_topic_num_partitions, 1, kInt32Max, B>},
    {"share.coordinator.state.topic.replication.factor", "int", "3",
     optional_integer<&B::share_state_topic_replication_factor, 1, 32767, B>},
    {"share.coordinator.state.topic.min.isr", "int", "2",
     integer<&B::share_state_topic_min_isr, 1, kInt32Max, B>},
    {"offsets.retention.minutes", "min", "10080", span<&B::offsets_retention, 1, 60'000'000'000, B>},
    {"offsets.retention.check.interval.ms", "ms", "600000",
     span<&B::offsets_retention_check_interval, 1, 1'000'000, B>},
    {"offsets.topic.num.partitions", "int", "50", integer<&B::offsets_topic_num_partitions, 1, kInt32Max, B>},
    {"offsets.topic.replication.factor", "int", "3",
     optional_integer<&B::offsets_topic_replication_factor, 1, 32767, B>},
    {"offsets.commit.timeout.ms", "ms", "5000", span<&B::offsets_commit_timeout, 1, 1'000'000, B>},
    {"transaction.state.log.num.partitions", "int", "50",
     integer<&B::transaction_state_log_num_partitions, 1, kInt32Max, B>},
    {"transaction.state.log.replication.factor", "int", "3",
     optional_integer<&B::transaction_state_log_replication_factor, 1, 32767, B>},
    {"transaction.state.log.min.isr", "int", "2",
     integer<&B::transaction_state_log_min_isr, 1, kInt32Max, B>},
    {"transaction.max.timeout.ms", "ms", "900000", span<&B::transaction_max_timeout, 1, 1'000'000, B>},
    {"transaction.abort.timed.out.transaction.cleanup.interval.ms", "ms", "10000",
     span<&B::transaction_abort_timed_out_interval, 1, 1'000'000, B>},
    {"transaction.partition.verification.enable", "bool", "true",
     boolean<&B::transaction_partition_verification_enable, B>},
    {"add.partitions.to.txn.retry.backoff.ms", "ms", "20",
     span<&B::add_partitions_to_txn_retry_backoff, 0, 1'000'000, B>},
    {"add.partitions.to.txn.retry.backoff.max.ms", "ms", "100",
     span<&B::add_partitions_to_txn_retry_backoff_max, 0, 1'000'000, B>},
    {"transactional.id.expiration.ms", "ms", "604800000",
     span<&B::transactional_id_expiration, 1, 1'000'000, B>},
    {"transaction.remove.expired.transaction.cleanup.interval.ms", "ms", "3600000",
     span<&B::transaction_remove_expired_interval, 1, 1'000'000, B>},
    {"queued.max.requests", "int", "500", integer<&B::queued_max_requests, 1, kInt32Max, B>},
    {"group.coordinator.append.linger.ms", "ms", "-1",
     span<&B::group_coordinator_append_linger, -1, 1'000'000, B>, "-1: no longer than there is work"},
    {"group.coordinator.threads", "int", "4", integer<&B::group_coordinator_threads, 1, kInt32Max, B>,
     "of what [kafka.service] coordinator says"},
    {"share.coordinator.append.linger.ms", "ms", "-1",
     span<&B::share_coordinator_append_linger, -1, 1'000'000, B>, "-1: no longer than there is work"},
    {"log.message.timestamp.type", "string", "CreateTime", of_log_timestamp<set_timestamp_type>},
    {"log.message.timestamp.before.max.ms", "ms", "9223372036854775807",
     of_log_timestamp<milliseconds_or_never<&S::before_max, 0, S>>},
    {"log.message.timestamp.after.max.ms", "ms", "3600000",
     of_log_timestamp<milliseconds_or_never<&S::after_max, 0, S>>},
    {"producer.id.expiration.ms", "ms", "86400000", span<&B::producer_id_expiration, 1, 1'000'000, B>},
    {"producer.id.expiration.check.interval.ms", "ms", "600000",
     span<&B::producer_id_expiration_check_interval, 1, 1'000'000, B>},
    {"default.replication.factor", "int", "1", integer<&B::default_replication_factor, 1, 32767, B>},
    {"num.partitions", "int", "1", integer<&B::num_partitions, 1, 100'000, B>},
    {"connections.max.idle.ms", "ms", "600000", milliseconds_unless_negative<&B::connections_max_idle, B>},
    {"num.network.threads", "int", "3", integer<&B::num_network_threads, 1, kInt32Max, B>,
     "a network thread that finds no room in the queue of requests stands still"},
    {"num.replica.fetchers", "int", "1", integer<&B::num_replica_fetchers, 1, 1024, B>},
    {"log.flush.interval.messages", "int", "9223372036854775807",
     integer<&B::log_flush_interval_messages, 1, kInt64Max, B>},
    {"log.flush.interval.ms", "ms", "null", milliseconds_or_never<&B::log_flush_interval, 0, B>},
    {"log.flush.scheduler.interval.ms", "ms", "9223372036854775807",
     milliseconds_or_never<&B::log_flush_scheduler_interval, 1, B>,
     "nothing is flushed by time unless this is given"},
    {"log.flush.offset.checkpoint.interval.ms", "ms", "60000",
     span<&B::log_flush_offset_checkpoint_interval, 1, 1'000'000, B>},
    {"replica.high.watermark.checkpoint.interval.ms", "ms", "5000",
     span<&B::replica_high_watermark_checkpoint_interval, 1, 1'000'000, B>},
    {"log.segment.bytes", "bytes", "1073741824", integer<&B::log_segment_bytes, kLeastSegment, kInt32Max, B>},
    {"log.roll.ms", "ms", "null", span<&B::log_roll, 1, 1'000'000, B>},
    {"log.roll.hours", "h", "168", span<&B::log_roll_hours, 1, 3'600'000'000'000, B>},
    {"log.retention.ms", "ms", "null", optional_long<&B::log_retention_ms, -1, kMsMax, B>},
    {"log.retention.minutes", "min", "null",
     optional_long<&B::log_retention_minutes, -1, kMsMax / 60'000, B>},
    {"log.retention.hours", "h", "168", integer<&B::log_retention_hours, -1, kMsMax / 3'600'000, B>},
    {"log.retention.bytes", "bytes", "-1", integer<&B::log_retention_bytes, -1, kInt64Max, B>},
    {"log.retention.check.interval.ms", "ms", "300000",
     span<&B::log_retention_check_interval, 1, 1'000'000, B>},
    {"log.initial.task.delay.ms", "ms", "30000", span<&B::log_initial_task_delay, 0, 1'000'000, B>},
    {"log.cleanup.policy", "list", "delete", set_policy},
    {"remote.log.storage.system.enable", "bool", "false", of_tiers<boolean<&R::system_enable, R>>},
    {"remote.log.manager.task.interval.ms", "ms", "30000",
     of_tiers<span<&R::manager_task_interval, 1, 1'000'000, R>>},
    {"remote.log.manager.copy.max.bytes.per.second", "int", "9223372036854775807",
     of_tiers<integer<&R::copy_max_bytes_per_second, 1, kInt64Max, R>>},
    {"remote.log.manager.fetch.max.bytes.per.second", "int", "9223372036854775807",
     of_tiers<integer<&R::fetch_max_bytes_per_second, 1, kInt64Max, R>>},
    {"remote.fetch.max.wait.ms", "ms", "500", of_tiers<span<&R::fetch_max_wait, 1, 1'000'000, R>>},
    {"remote.log.reader.threads", "int", "10", of_tiers<integer<&R::reader_threads, 1, kInt32Max, R>>},
    {"remote.log.reader.max.pending.tasks", "int", "100",
     of_tiers<integer<&R::reader_max_pending_tasks, 1, kInt32Max, R>>},
    {"log.local.retention.ms", "ms", "-2", of_tiers<integer<&R::local_retention_ms, -2, kMsMax, R>>},
    {"log.local.retention.bytes", "bytes", "-2",
     of_tiers<integer<&R::local_retention_bytes, -2, kInt64Max, R>>},
    {"log.cleaner.enable", "bool", "true", of_cleaner<boolean<&L::enable, L>>},
    {"log.cleaner.threads", "int", "1", of_cleaner<integer<&L::threads, 1, kInt32Max, L>>},
    {"log.cleaner.io.max.bytes.per.second", "double", "1.7976931348623157E308", of_cleaner<set_io_limit>},
    {"log.cleaner.dedupe.buffer.size", "bytes", "134217728",
     of_cleaner<integer<&L::dedupe_buffer_size, 1, kInt64Max, L>>},
    {"log.cleaner.io.buffer.load.factor", "double", "0.9", of_cleaner<set_load_factor>},
    {"log.cleaner.backoff.ms", "ms", "15000", of_cleaner<span<&L::backoff, 1, 1'000'000, L>>},
    {"log.cleaner.min.cleanable.ratio", "double", "0.5", of_cleaner<set_cleanable_ratio>},
    {"log.cleaner.delete.retention.ms", "ms", "86400000",
     of_cleaner<span<&L::delete_retention, 0, 1'000'000, L>>},
    {"log.cleaner.min.compaction.lag.ms", "ms", "0",
     of_cleaner<span<&L::min_compaction_lag, 0, 1'000'000, L>>},
    {"log.cleaner.max.compaction.lag.ms", "ms", "9223372036854775807",
     of_cleaner<milliseconds_or_never<&L::max_compaction_lag, 1, L>>},
    {"log.segment.delete.delay.ms", "ms", "60000", span<&B::log_segment_delete_delay, 0, 1'000'000, B>,
     "where [kafka.disk] has a size"},
    {"zookeeper.session.timeout.ms", "ms", "18000", span<&B::zookeeper_session_timeout, 1, 1'000'000, B>,
     "with coordination = \"zookeeper\"; 6000 before 2.5"},
    {"controller.quorum.election.timeout.ms", "ms", "1000",
     span<&B::controller_quorum_election_timeout, 1, 1'000'000, B>},
    {"controller.quorum.fetch.timeout.ms", "ms", "2000",
     span<&B::controller_quorum_fetch_timeout, 1, 1'000'000, B>},
    {"controller.quorum.election.backoff.max.ms", "ms", "1000",
     span<&B::controller_quorum_election_backoff_max, 0, 1'000'000, B>},
    {"controller.quorum.append.linger.ms", "ms", "25",
     span<&B::controller_quorum_append_linger, 0, 1'000'000, B>, "one controller alone writes at once"},
    {"controller.quorum.request.timeout.ms", "ms", "2000",
     span<&B::controller_quorum_request_timeout, 1, 1'000'000, B>},
    {"controller.quorum.retry.backoff.ms", "ms", "20",
     span<&B::controller_quorum_retry_backoff, 0, 1'000'000, B>},
});

using T = TopicConfig;
constexpr auto kTopicKeys = std::to_array<Key<T>>({
    {"min.insync.replicas", "int", "1", optional_integer<&T::min_insync_replicas, 1, kInt32Max, T>},
    {"unclean.leader.election.enable", "bool", "false", boolean<&T::unclean_leader_election_enable, T>},
    {"max.message.bytes", "bytes", "1048588", optional_integer<&T::max_message_bytes, 0, kInt32Max, T>},
    {"retention.ms", "ms", "604800000", optional_long<&T::retention_ms, -1, kMsMax, T>},
    {"retention.bytes", "bytes", "-1", optional_long<&T::retention_bytes, -1, kInt64Max, T>},
    {"segment.bytes", "bytes", "1073741824",
     optional_integer<&T::segment_bytes, kLeastSegment, kInt32Max, T>},
    {"segment.ms", "ms", "604800000", span<&T::segment_interval, 1, 1'000'000, T>},
    {"file.delete.delay.ms", "ms", "60000", span<&T::file_delete_delay, 0, 1'000'000, T>,
     "where [kafka.disk] has a size"},
    {"cleanup.policy", "list", "delete", set_topic_policy},
    {"remote.storage.enable", "bool", "false", of_topic_tiers<boolean<&D::remote_storage_enable, D>>},
    {"local.retention.ms", "ms", "-2", of_topic_tiers<optional_long<&D::local_retention_ms, -2, kMsMax, D>>},
    {"local.retention.bytes", "bytes", "-2",
     of_topic_tiers<optional_long<&D::local_retention_bytes, -2, kInt64Max, D>>},
    {"min.cleanable.dirty.ratio", "double", "0.5", of_compaction<set_topic_cleanable_ratio>},
    {"min.compaction.lag.ms", "ms", "0", of_compaction<span<&M::min_compaction_lag, 0, 1'000'000, M>>},
    {"max.compaction.lag.ms", "ms", "9223372036854775807",
     of_compaction<milliseconds_or_never<&M::max_compaction_lag, 1, M>>},
    {"delete.retention.ms", "ms", "86400000", of_compaction<span<&M::delete_retention, 0, 1'000'000, M>>},
    {"flush.messages", "int", "9223372036854775807", optional_long<&T::flush_messages, 1, kInt64Max, T>},
    {"flush.ms", "ms", "9223372036854775807", milliseconds_or_never<&T::flush_interval, 0, T>},
    {"compression.type", "string", "producer", nullptr, "compression is not modelled"},
    {"message.timestamp.type", "string", "CreateTime", of_timestamp<set_timestamp_type>},
    {"message.timestamp.before.max.ms", "ms", "9223372036854775807",
     of_timestamp<milliseconds_or_never<&S::before_max, 0, S>>},
    {"message.timestamp.after.max.ms", "ms", "3600000",
     of_timestamp<milliseconds_or_never<&S::after_max, 0, S>>},
});

using P = ProducerConfig;
constexpr auto kProducerKeys = std::to_array<Key<P>>({
    {"acks", "string", "all", set_acks},
    {"enable.idempotence", "bool", "true", boolean<&P::enable_idempotence, P>},
    {"retries", "int", "2147483647", integer<&P::retries, 0, kInt32Max, P>},
    {"delivery.timeout.ms", "ms", "120000", span<&P::delivery_timeout, 0, 1'000'000, P>},
    {"request.timeout.ms", "ms", "30000", span<&P::request_timeout, 0, 1'000'000, P>},
    {"linger.ms", "ms", "5", span<&P::linger, 0, 1'000'000, P>},
    {"batch.size", "bytes", "16384", integer<&P::batch_size, 0, kInt32Max, P>},
    {"buffer.memory", "bytes", "33554432", integer<&P::buffer_memory, 0, kInt64Max, P>},
    {"max.block.ms", "ms", "60000", span<&P::max_block, 0, 1'000'000, P>},
    {"max.request.size", "bytes", "1048576", integer<&P::max_request_size, 0, kInt32Max, P>},
    {"max.in.flight.requests.per.connection", "int", "5",
     integer<&P::max_in_flight_requests_per_connection, 1, kInt32Max, P>},
    {"retry.backoff.ms", "ms", "100", span<&P::retry_backoff, 0, 1'000'000, P>},
    {"retry.backoff.max.ms", "ms", "1000", span<&P::retry_backoff_max, 0, 1'000'000, P>},
    {"reconnect.backoff.ms", "ms", "50", span<&P::reconnect_backoff, 0, 1'000'000, P>},
    {"reconnect.backoff.max.ms", "ms", "1000", span<&P::reconnect_backoff_max, 0, 1'000'000, P>},
    {"metadata.max.age.ms", "ms", "300000", span<&P::metadata_max_age, 0, 1'000'000, P>},
    {"partitioner.adaptive.partitioning.enable", "bool", "true",
     boolean<&P::partitioner_adaptive_partitioning_enable, P>},
    {"partitioner.availability.timeout.ms", "ms", "0",
     span<&P::partitioner_availability_timeout, 0, 1'000'000, P>},
    {"partitioner.ignore.keys", "bool", "false", boolean<&P::partitioner_ignore_keys, P>},
    {"partitioner.class", "string", "null", set_partitioner},
    {"transactional.id", "string", "null", text_value<&P::transactional_id, P>},
    {"transaction.timeout.ms", "ms", "60000", span<&P::transaction_timeout, 1, 1'000'000, P>},
    {"compression.type", "string", "none", nullptr, "compression is not modelled; give compressed sizes"},
    {"connections.max.idle.ms", "ms", "540000", milliseconds_unless_negative<&P::connections_max_idle, P>},
    {"client.id", "string", "", nullptr, "clients go by the name of their table"},
    {"bootstrap.servers", "list", "", nullptr, "clients know all brokers of their cluster"},
    {"key.serializer", "class", "", nullptr, "payloads do not exist"},
    {"value.serializer", "class", "", nullptr, "payloads do not exist"},
    {"send.buffer.bytes", "bytes", "131072", nullptr, "socket buffers are not modelled"},
    {"receive.buffer.bytes", "bytes", "32768", nullptr, "socket buffers are not modelled"},
});

using C = ConsumerConfig;
using G = ShareGroupConfig;
constexpr auto kConsumerKeys = std::to_array<Key<C>>({
    {"session.timeout.ms", "ms", "45000", classic_only<span<&C::session_timeout, 1, 1'000'000, C>, 0>},
    {"heartbeat.interval.ms", "ms", "3000", classic_only<span<&C::heartbeat_interval, 1, 1'000'000, C>, 1>},
    {"max.poll.interval.ms", "ms", "300000", span<&C::max_poll_interval, 1, 1'000'000, C>},
    {"max.poll.records", "int", "500", integer<&C::max_poll_records, 1, kInt32Max, C>},
    {"internal.leave.group.on.close", "bool", "true", classic_only<set_leaves_on_close, 3>,
     "false of Streams"},
    {"enable.auto.commit", "bool", "true", unshared<boolean<&C::enable_auto_commit, C>, 1>},
    {"auto.commit.interval.ms", "ms", "5000", span<&C::auto_commit_interval, 0, 1'000'000, C>},
    {"auto.offset.reset", "string", "latest", unshared<set_reset, 0>},
    {"fetch.min.bytes", "bytes", "1", integer<&C::fetch_min_bytes, 0, kInt32Max, C>},
    {"fetch.max.wait.ms", "ms", "500", span<&C::fetch_max_wait, 0, 1'000'000, C>},
    {"fetch.max.bytes", "bytes", "52428800", integer<&C::fetch_max_bytes, 0, kInt32Max, C>},
    {"max.partition.fetch.bytes", "bytes", "1048576",
     integer<&C::max_partition_fetch_bytes, 0, kInt32Max, C>},
    {"partition.assignment.strategy", "list", "RangeAssignor,CooperativeStickyAssignor",
     classic_only<set_assignors, 2>},
    {"group.instance.id", "string", "null", unshared<text_value<&C::group_instance_id, C>, 2>},
    {"request.timeout.ms", "ms", "30000", span<&C::request_timeout, 0, 1'000'000, C>},
    {"default.api.timeout.ms", "ms", "60000", span<&C::default_api_timeout, 0, 1'000'000, C>},
    {"retry.backoff.ms", "ms", "100", span<&C::retry_backoff, 0, 1'000'000, C>},
    {"retry.backoff.max.ms", "ms", "1000", span<&C::retry_backoff_max, 0, 1'000'000, C>},
    {"reconnect.backoff.ms", "ms", "50", span<&C::reconnect_backoff, 0, 1'000'000, C>},
    {"reconnect.backoff.max.ms", "ms", "1000", span<&C::reconnect_backoff_max, 0, 1'000'000, C>},
    {"metadata.max.age.ms", "ms", "300000", span<&C::metadata_max_age, 0, 1'000'000, C>},
    {"group.protocol", "string", "classic", unshared<set_protocol, 4>},
    {"group.remote.assignor", "string", "null", unshared<set_remote_assignor, 5>},
    {"isolation.level", "string", "read_uncommitted", unshared<set_isolation<C>, 3>},
    {"client.rack", "string", "", text_value<&C::client_rack, C>,
     "{rack} stands for the rack of the member's host"},
    {"share.acknowledgement.mode", "string", "implicit", share_only<set_acknowledgement_mode, 0>},
    {"share.acquire.mode", "string", "batch_optimized", share_only<set_acquire_mode, 1>},
    {"share.session.timeout.ms", "ms", "45000", of_share_group<span<&G::session_timeout, 1, 1'000'000, G>, 2>,
     "the group's (kafka-configs)"},
    {"share.heartbeat.interval.ms", "ms", "5000",
     of_share_group<span<&G::heartbeat_interval, 1, 1'000'000, G>, 3>, "the group's (kafka-configs)"},
    {"share.record.lock.duration.ms", "ms", "30000",
     of_share_group<span<&G::record_lock_duration, 1000, 1'000'000, G>, 4>, "the group's (kafka-configs)"},
    {"share.delivery.count.limit", "int", "5",
     of_share_group<optional_integer<&G::delivery_count_limit, 2, kInt32Max, G>, 5>,
     "the group's (kafka-configs)"},
    {"share.partition.max.record.locks", "int", "2000",
     of_share_group<optional_integer<&G::partition_max_record_locks, 100, kInt32Max, G>, 6>,
     "the group's (kafka-configs)"},
    {"share.auto.offset.reset", "string", "latest", of_share_group<set_share_reset, 7>,
     "the group's (kafka-configs)"},
    {"share.isolation.level", "string", "read_uncommitted", of_share_group<set_isolation<G>, 8>,
     "the group's (kafka-configs)"},
    {"share.renew.acknowledge.enable", "bool", "true",
     of_share_group<boolean<&G::renew_acknowledge_enable, G>, 9>, "the group's (kafka-configs)"},
    {"group.id", "string", "null", nullptr, "groups go by the name of their table"},
    {"exclude.internal.topics", "bool", "true", nullptr, "groups name their topics"},
    {"allow.auto.create.topics", "bool", "true", nullptr, "topics are declared"},
    {"check.crcs", "bool", "true", nullptr, "payloads do not exist"},
    {"connections.max.idle.ms", "ms", "540000", milliseconds_unless_negative<&C::connections_max_idle, C>},
    {"bootstrap.servers", "list", "", nullptr, "clients know all brokers of their cluster"},
});

}  // namespace

std::string numbered(std::string pattern, std::uint32_t index) {
  constexpr std::string_view kPlace = "{index}";
  const std::size_t at = pattern.find(kPlace);
  if (at != std::string::npos) pattern.replace(at, kPlace.size(), std::to_string(index));
  return pattern;
}

std::optional<ConfigError> set(BrokerConfig& config, std::string_view key, std::string_view value) {
  return config_table::set(kBrokerKeys, KeyScope::broker, config, key, value);
}
std::optional<ConfigError> set(TopicConfig& config, std::string_view key, std::string_view value) {
  return config_table::set(kTopicKeys, KeyScope::topic, config, key, value);
}
std::optional<ConfigError> set(ProducerConfig& config, std::string_view key, std::string_view value) {
  return config_table::set(kProducerKeys, KeyScope::producer, config, key, value);
}
std::optional<ConfigError> set(ConsumerConfig& config, std::string_view key, std::string_view value) {
  return config_table::set(kConsumerKeys, KeyScope::consumer, config, key, value);
}

std::span<const KeyInfo> key_catalogue() {
  static const std::vector<KeyInfo> rows = [] {
    std::vector<KeyInfo> all;
    append_rows(all, KeyScope::broker, kBrokerKeys);
    append_rows(all, KeyScope::topic, kTopicKeys);
    append_rows(all, KeyScope::producer, kProducerKeys);
    append_rows(all, KeyScope::consumer, kConsumerKeys);
    append_librdkafka_keys(all);
    append_streams_keys(all);
    append_mirror_keys(all);
    return all;
  }();
  return rows;
}

}  // namespace models::kafka
