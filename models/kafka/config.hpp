// Kafka's configuration: the keys mqlab knows, under Kafka's own names and with Kafka 4.x's own defaults.
//
// One table a scope (broker, topic, producer, consumer) says for each key its type, default, bounds and whether mqlab models
// it. A key that Kafka has and mqlab does not model is refused by name; an unknown key is refused with the nearest one.
// Sources: generated/kafka_config.html, topic_config.html, consumer_config.html of 4.2/4.3; ProducerConfig.java.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/time.hpp"

namespace models::kafka {

using sim::Duration;
/// What Kafka writes as 9223372036854775807 ms.
inline constexpr Duration kNever = Duration::max();

/// The assignors of the group coordinator (group.consumer.assignors).
enum class ServerAssignor : std::uint8_t { uniform, range };

/// cleanup.policy
struct CleanupPolicy {
  bool compacts = false;
  bool deletes = true;
};

/// log.cleaner.* (CleanerConfig.java)
struct CleanerConfig {
  bool enable = true;
  std::int32_t threads = 1;
  double io_max_bytes_per_second = std::numeric_limits<double>::max();
  std::int64_t dedupe_buffer_size = 134217728;
  double io_buffer_load_factor = 0.9;
  Duration backoff{15'000'000'000};
  double min_cleanable_ratio = 0.5;
  Duration min_compaction_lag{0};
  Duration max_compaction_lag = kNever;
  Duration delete_retention{86'400'000'000'000};
};

/// remote.*, log.local.retention.* (RemoteLogManagerConfig.java)
struct TierConfig {
  bool system_enable = false;
  Duration manager_task_interval{30'000'000'000};
  std::int64_t copy_max_bytes_per_second = std::numeric_limits<std::int64_t>::max();
  std::int64_t fetch_max_bytes_per_second = std::numeric_limits<std::int64_t>::max();
  Duration fetch_max_wait{500'000'000};
  std::int32_t reader_threads = 10;
  std::int32_t reader_max_pending_tasks = 100;
  std::int64_t local_retention_ms = -2;     ///< -2: as retention.ms
  std::int64_t local_retention_bytes = -2;  ///< -2: as retention.bytes
};

/// message.timestamp.*: of a topic, where it does not say it of its broker (UnifiedLog.append, LogValidator.java).
struct TimestampConfig {
  std::optional<bool> log_append_time{};  ///< message.timestamp.type
  std::optional<Duration> before_max{};   ///< how much earlier than the broker's clock
  std::optional<Duration> after_max{};    ///< how much later
};

struct BrokerConfig {
  std::int32_t min_insync_replicas = 1;
  Duration replica_lag_time_max{30'000'000'000};
  Duration replica_fetch_wait_max{500'000'000};
  std::int32_t replica_fetch_min_bytes = 1;
  std::int32_t replica_fetch_max_bytes = 1048576;
  std::int32_t replica_fetch_response_max_bytes = 10485760;
  Duration replica_fetch_backoff{1'000'000'000};
  std::int32_t num_replica_fetchers = 1;
  bool unclean_leader_election_enable = false;
  Duration unclean_leader_election_interval{300'000'000'000};
  bool auto_leader_rebalance_enable = true;
  Duration leader_imbalance_check_interval{300'000'000'000};
  std::int32_t leader_imbalance_per_broker_percentage = 10;  ///< ZooKeeper's controllers alone look at it
  Duration broker_heartbeat_interval{2'000'000'000};
  Duration broker_session_timeout{9'000'000'000};
  bool controlled_shutdown_enable = true;
  Duration zookeeper_session_timeout{18'000'000'000};
  Duration controller_quorum_election_timeout{1'000'000'000};
  Duration controller_quorum_fetch_timeout{2'000'000'000};
  Duration controller_quorum_election_backoff_max{1'000'000'000};
  Duration controller_quorum_append_linger{25'000'000};
  Duration controller_quorum_request_timeout{2'000'000'000};
  Duration controller_quorum_retry_backoff{20'000'000};
  std::int32_t quota_window_num = 11;
  Duration quota_window_size{1'000'000'000};
  std::int32_t controller_quota_window_num = 11;
  Duration controller_quota_window_size{1'000'000'000};
  Duration producer_id_expiration{86'400'000'000'000};
  Duration producer_id_expiration_check_interval{600'000'000'000};
  std::int32_t num_partitions = 1;              ///< of a topic that does not say it …
  std::int32_t default_replication_factor = 1;  ///< … or this
  Duration connections_max_idle{600'000'000'000};
  std::string broker_rack;  ///< "{rack}" stands for the rack of the broker's host; empty: none is known
  bool rack_aware_replica_selector = false;  ///< replica.selector.class
  std::int32_t num_io_threads = 8;
  std::int32_t num_network_threads = 3;
  std::int32_t queued_max_requests = 500;
  std::int32_t message_max_bytes = 1048588;
  std::int32_t fetch_max_bytes = 57671680;
  TimestampConfig log_message_timestamp{false, kNever, std::chrono::hours{1}};
  Duration group_initial_rebalance_delay{3'000'000'000};
  Duration group_coordinator_append_linger{
      -1'000'000};  ///< negative: no longer than there is work (adaptive)
  std::int32_t group_coordinator_threads = 4;
  Duration group_min_session_timeout{6'000'000'000};
  Duration group_max_session_timeout{1'800'000'000'000};
  std::int32_t group_max_size = 2147483647;
  Duration group_consumer_session_timeout{45'000'000'000};
  Duration group_consumer_min_session_timeout{45'000'000'000};
  Duration group_consumer_max_session_timeout{60'000'000'000};
  Duration group_consumer_heartbeat_interval{5'000'000'000};
  Duration group_consumer_min_heartbeat_interval{5'000'000'000};
  Duration group_consumer_max_heartbeat_interval{15'000'000'000};
  Duration group_consumer_assignment_interval{1'000'000'000};
  Duration group_consumer_min_assignment_interval{0};
  Duration group_consumer_max_assignment_interval{15'000'000'000};
  std::int32_t group_consumer_max_size = 2147483647;
  std::vector<ServerAssignor> group_consumer_assignors{ServerAssignor::uniform, ServerAssignor::range};
  Duration group_share_session_timeout{45'000'000'000};
  Duration group_share_min_session_timeout{45'000'000'000};
  Duration group_share_max_session_timeout{60'000'000'000};
  Duration group_share_heartbeat_interval{5'000'000'000};
  Duration group_share_min_heartbeat_interval{5'000'000'000};
  Duration group_share_max_heartbeat_interval{15'000'000'000};
  Duration group_share_assignment_interval{1'000'000'000};
  std::int32_t group_share_max_size = 200;
  std::int32_t group_share_max_share_sessions = 2000;
  std::int32_t group_share_delivery_count_limit = 5;
  std::int32_t group_share_min_delivery_count_limit = 2;
  std::int32_t group_share_max_delivery_count_limit = 10;
  Duration group_share_record_lock_duration{30'000'000'000};
  Duration group_share_min_record_lock_duration{15'000'000'000};
  Duration group_share_max_record_lock_duration{60'000'000'000};
  std::int32_t group_share_partition_max_record_locks = 2000;
  std::int32_t share_state_topic_num_partitions = 50;
  /// Unset: 3, or as many as there are brokers.
  std::optional<std::int32_t> share_state_topic_replication_factor;
  std::int32_t share_state_topic_min_isr = 2;
  Duration share_coordinator_append_linger{-1'000'000};  ///< as the group coordinator's
  Duration offsets_retention{604'800'000'000'000};
  Duration offsets_retention_check_interval{600'000'000'000};
  std::int32_t offsets_topic_num_partitions = 50;
  /// Unset: 3, or as many as there are brokers.
  std::optional<std::int32_t> offsets_topic_replication_factor;
  Duration offsets_commit_timeout{5'000'000'000};
  std::int32_t transaction_state_log_num_partitions = 50;
  /// Unset: 3, or as many as there are brokers.
  std::optional<std::int32_t> transaction_state_log_replication_factor;
  std::int32_t transaction_state_log_min_isr = 2;
  Duration transaction_max_timeout{900'000'000'000};
  Duration transactional_id_expiration{604'800'000'000'000};
  Duration transaction_remove_expired_interval{3'600'000'000'000};
  Duration transaction_abort_timed_out_interval{10'000'000'000};
  bool transaction_partition_verification_enable = true;
  Duration add_partitions_to_txn_retry_backoff{20'000'000};
  Duration add_partitions_to_txn_retry_backoff_max{100'000'000};
  std::int64_t log_flush_interval_messages = std::numeric_limits<std::int64_t>::max();
  /// Unset: log.flush.scheduler.interval.ms.
  std::optional<Duration> log_flush_interval;
  Duration log_flush_scheduler_interval = kNever;
  Duration log_flush_offset_checkpoint_interval{60'000'000'000};
  Duration replica_high_watermark_checkpoint_interval{5'000'000'000};
  std::int32_t log_segment_bytes = 1073741824;
  std::optional<Duration> log_roll;  ///< log.roll.ms; unset: log.roll.hours
  Duration log_roll_hours = std::chrono::hours{168};
  std::optional<std::int64_t> log_retention_ms;       ///< -1: for ever; unset: log.retention.minutes
  std::optional<std::int64_t> log_retention_minutes;  ///< unset: log.retention.hours
  std::int64_t log_retention_hours = 168;
  std::int64_t log_retention_bytes = -1;  ///< -1: any number
  Duration log_retention_check_interval{300'000'000'000};
  CleanupPolicy log_cleanup_policy;
  CleanerConfig log_cleaner;
  TierConfig tiers;
  Duration log_initial_task_delay{30'000'000'000};
  Duration log_segment_delete_delay{60'000'000'000};

  /// By log.retention.ms, or minutes, or hours; negative: for ever.
  std::int64_t retention_ms() const {
    if (log_retention_ms) return *log_retention_ms;
    return log_retention_minutes ? *log_retention_minutes * 60'000 : log_retention_hours * 3'600'000;
  }
};

/// What a topic may say of its compaction; unset: as the broker has it.
struct CompactionConfig {
  std::optional<CleanupPolicy> cleanup_policy;
  std::optional<double> min_cleanable_dirty_ratio;
  std::optional<Duration> min_compaction_lag;
  std::optional<Duration> max_compaction_lag;
  std::optional<Duration> delete_retention;
};

/// What a topic may say of its tiers.
struct TopicTierConfig {
  bool remote_storage_enable = false;
  std::optional<std::int64_t> local_retention_ms;  // unset: the broker's
  std::optional<std::int64_t> local_retention_bytes;
};

struct TopicConfig {
  CompactionConfig compaction;
  TopicTierConfig tiers;
  std::optional<std::int32_t> min_insync_replicas;  // unset: the broker's
  std::optional<bool> unclean_leader_election_enable;
  std::optional<std::int32_t> max_message_bytes;
  TimestampConfig message_timestamp;
  std::optional<std::int64_t> flush_messages;  // unset: log.flush.interval.messages
  std::optional<Duration> flush_interval;      // unset: log.flush.interval.ms
  std::optional<std::int32_t> segment_bytes;
  std::optional<Duration> segment_interval;   // segment.ms
  std::optional<Duration> file_delete_delay;  // unset: log.segment.delete.delay.ms
  std::optional<std::int64_t> retention_ms;
  std::optional<std::int64_t> retention_bytes;
};

/// Whose client it is: Kafka's own, or librdkafka with what is built on it (librdkafka.hpp).
enum class Client : std::uint8_t { java, librdkafka };

enum class Partitioner : std::uint8_t {
  default_sticky,
  round_robin,
  consistent,  ///< from here on librdkafka's
  consistent_random,
  murmur2,
  murmur2_random,
  random,
};

struct ProducerConfig {
  Client client = Client::java;
  std::int16_t acks = -1;
  bool enable_idempotence = true;
  std::int32_t retries = 2147483647;
  Duration delivery_timeout{120'000'000'000};
  Duration request_timeout{30'000'000'000};
  Duration linger{5'000'000};
  std::int32_t batch_size = 16384;
  std::int64_t buffer_memory = 33554432;
  Duration max_block{60'000'000'000};
  std::int32_t max_request_size = 1048576;
  std::int32_t max_in_flight_requests_per_connection = 5;
  Duration retry_backoff{100'000'000};
  Duration retry_backoff_max{1'000'000'000};
  Duration reconnect_backoff{50'000'000};
  Duration reconnect_backoff_max{1'000'000'000};
  Duration metadata_max_age{300'000'000'000};
  Duration connections_max_idle{540'000'000'000};
  bool partitioner_adaptive_partitioning_enable = true;
  Duration partitioner_availability_timeout{0};
  bool partitioner_ignore_keys = false;
  Partitioner partitioner_class = Partitioner::default_sticky;
  std::string transactional_id;  ///< "{index}" stands for the instance's number; empty: none
  Duration transaction_timeout{60'000'000'000};

  // ---- librdkafka's alone ----
  std::optional<Duration> acks_timeout;  ///< that the broker is given; unset: request_timeout
  std::int32_t batch_num_messages = std::numeric_limits<std::int32_t>::max();
  std::int64_t queue_buffering_max_messages = std::numeric_limits<std::int64_t>::max();
  std::optional<Duration> sticky_partitioning_linger;
  bool idempotence_given = false;
  bool in_flight_given = false;
};

enum class AutoOffsetReset : std::uint8_t { earliest, latest, none, by_duration };
enum class Assignor : std::uint8_t { range, round_robin, sticky, cooperative_sticky };

enum class GroupProtocol : std::uint8_t { classic, consumer };

/// share.acquire.mode (KIP-1206)
enum class ShareAcquireMode : std::uint8_t { batch_optimized, record_limit };

/// What a share group has for itself (kafka-configs --entity-type groups, GroupConfig.java); unset: the brokers'.
struct ShareGroupConfig {
  std::optional<Duration> session_timeout;
  std::optional<Duration> heartbeat_interval;
  std::optional<Duration> record_lock_duration;
  std::optional<std::int32_t> delivery_count_limit;
  std::optional<std::int32_t> partition_max_record_locks;
  AutoOffsetReset auto_offset_reset = AutoOffsetReset::latest;
  Duration reset_duration{};    ///< of by_duration
  bool read_committed = false;  ///< share.isolation.level
  bool renew_acknowledge_enable = true;
};

struct ConsumerConfig {
  Client client = Client::java;
  GroupProtocol group_protocol = GroupProtocol::classic;
  std::optional<ServerAssignor> group_remote_assignor;  ///< unset: the coordinator chooses
  /// Of those that only the classic protocol takes, the one last given.
  std::string_view classic_key_given;
  /// Likewise of those that no share consumer takes, and of those that only share groups take.
  std::string_view unshared_key_given{};
  std::string_view share_key_given{};
  ShareGroupConfig share{};
  bool explicit_acknowledgement = false;  ///< share.acknowledgement.mode
  ShareAcquireMode share_acquire_mode = ShareAcquireMode::batch_optimized;
  Duration session_timeout{45'000'000'000};
  Duration heartbeat_interval{3'000'000'000};
  Duration max_poll_interval{300'000'000'000};
  std::int32_t max_poll_records = 500;
  bool enable_auto_commit = true;
  Duration auto_commit_interval{5'000'000'000};
  AutoOffsetReset auto_offset_reset = AutoOffsetReset::latest;
  Duration reset_duration{};  ///< of by_duration
  std::int32_t fetch_min_bytes = 1;
  Duration fetch_max_wait{500'000'000};
  std::int32_t fetch_max_bytes = 52428800;
  std::int32_t max_partition_fetch_bytes = 1048576;
  std::vector<Assignor> partition_assignment_strategy{Assignor::range, Assignor::cooperative_sticky};
  std::string client_rack;        ///< "{rack}" stands for the rack of the member's host
  bool read_committed = false;    ///< isolation.level
  std::string group_instance_id;  ///< "{index}" stands for the member's number; empty: dynamic
  /// Unset: not of Streams (StreamsConfig.getMainConsumerConfigs).
  std::optional<bool> internal_leave_group_on_close;
  Duration request_timeout{30'000'000'000};
  Duration default_api_timeout{60'000'000'000};
  Duration retry_backoff{100'000'000};
  Duration retry_backoff_max{1'000'000'000};
  Duration reconnect_backoff{50'000'000};
  Duration reconnect_backoff_max{1'000'000'000};
  Duration metadata_max_age{300'000'000'000};
  Duration connections_max_idle{540'000'000'000};
};

/// Of Kafka Streams (streams.hpp).
struct StreamsConfig {
  bool exactly_once = false;                ///< processing.guarantee
  std::optional<Duration> commit_interval;  ///< unset: 30 s, or 100 ms with exactly_once_v2
  std::int32_t num_standby_replicas = 0;

  Duration interval() const {
    return commit_interval.value_or(Duration{exactly_once ? 100'000'000 : 30'000'000'000});
  }
};

/// Of a mirror: its connectors' and its worker's settings.
struct MirrorConfig {
  std::int32_t tasks_max = 1;
  bool identity_policy = false;  ///< replication.policy.class
  std::int32_t replication_factor = 2;
  std::int64_t offset_lag_max = 100;
  Duration emit_checkpoints_interval{60'000'000'000};
  bool sync_group_offsets_enabled = false;
  Duration sync_group_offsets_interval{60'000'000'000};
  Duration offset_flush_interval{60'000'000'000};
};

/// `pattern` with the number in place of "{index}".
std::string numbered(std::string pattern, std::uint32_t index);

/// What went wrong with a key, and the key that was probably meant.
struct ConfigError {
  std::string key;
  std::string message;
};

/// Sets `key` to `value` (written as in a properties file; durations as "45s" are turned into the key's own unit by the
/// scenario reader). Returns the error, or nothing.
std::optional<ConfigError> set(BrokerConfig& config, std::string_view key, std::string_view value);
std::optional<ConfigError> set(TopicConfig& config, std::string_view key, std::string_view value);
std::optional<ConfigError> set(ProducerConfig& config, std::string_view key, std::string_view value);
std::optional<ConfigError> set(ConsumerConfig& config, std::string_view key, std::string_view value);
std::optional<ConfigError> set(MirrorConfig& config, std::string_view key, std::string_view value);

/// What a broker refuses to start with (GroupCoordinatorConfig).
std::optional<ConfigError> validate(const BrokerConfig& config);
/// Of a topic whose brokers have that configuration.
std::optional<ConfigError> validate(const TopicConfig& config, const BrokerConfig& broker);
/// Combinations Kafka itself refuses (ConfigException): idempotence with acks other than all or more than 5 in flight,
/// delivery.timeout.ms < linger.ms + request.timeout.ms, heartbeat.interval.ms >= session.timeout.ms …
std::optional<ConfigError> validate(const ProducerConfig& config);
std::optional<ConfigError> validate(const ConsumerConfig& config, const BrokerConfig& broker);
/// The same of a share group's members, and of the group's own settings (GroupConfig.validate).
std::optional<ConfigError> validate_share(const ConsumerConfig& config, const BrokerConfig& broker);

/// What Kafka's producer does where enable.idempotence was not given and acks or retries rule it out: turns it off, without
/// an error (ProducerConfig.postProcessAndValidateIdempotenceConfigs). More than 5 requests in flight do not turn it off:
/// since 4.0 they are an error, which validate() reports. Returns the key that rules it out; empty when nothing changed.
std::string_view turn_off_idempotence(ProducerConfig& config);

enum class KeyScope : std::uint8_t {
  broker,
  topic,
  producer,
  consumer,
  librdkafka_producer,
  librdkafka_consumer,
  streams,
  mirror,
};
struct KeyInfo {
  KeyScope scope;
  std::string_view name;           ///< with a * at its end: every key that begins so
  std::string_view type;           ///< "int", "ms", "bytes", "bool", "string", "list"
  std::string_view default_value;  ///< as Kafka prints it
  bool modelled;
  std::string_view note;  ///< what mqlab does with it, or why not
};
/// Every key, modelled or refused, for `mqlab list kafka`.
std::span<const KeyInfo> key_catalogue();

}  // namespace models::kafka
