// What Kafka refuses of settings that are right each by itself.
#include <array>

#include "models/kafka/config.hpp"
#include "models/kafka/librdkafka.hpp"

namespace models::kafka {
namespace {

/// MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION_FOR_IDEMPOTENCE: a broker remembers the last five batches of a producer.
constexpr std::int32_t kMostInFlightIdempotent = 5;

}  // namespace

std::string_view turn_off_idempotence(ProducerConfig& c) {
  if (c.client == Client::librdkafka) return {};
  if (!c.enable_idempotence || c.max_in_flight_requests_per_connection > kMostInFlightIdempotent) return {};
  const std::string_view why = c.acks != -1 ? "acks" : c.retries == 0 ? "retries" : "";
  c.enable_idempotence = why.empty();
  return why;
}

std::optional<ConfigError> validate(const ProducerConfig& c) {
  if (c.client == Client::librdkafka) return validate_librdkafka(c);
  // ProducerConfig.postProcessAndValidateIdempotenceConfigs
  if (c.enable_idempotence && c.max_in_flight_requests_per_connection > kMostInFlightIdempotent) {
    return ConfigError{
        "max.in.flight.requests.per.connection",
        "must be at most 5 with enable.idempotence=true (its default); set enable.idempotence=false"};
  }
  if (c.enable_idempotence && c.acks != -1)
    return ConfigError{"acks", "must be all with enable.idempotence=true"};
  if (c.enable_idempotence && c.retries == 0)
    return ConfigError{"retries", "must be above 0 with enable.idempotence=true"};
  // KafkaProducer.configureDeliveryTimeout
  if (c.delivery_timeout < c.linger + c.request_timeout) {
    return ConfigError{"delivery.timeout.ms", "must be at least linger.ms + request.timeout.ms"};
  }
  return std::nullopt;
}

/// LogConfig.validateTopicLogConfigValues, as far as it is about tiers.
std::optional<ConfigError> validate(const TopicConfig& c, const BrokerConfig& broker) {
  if (!c.tiers.remote_storage_enable) return std::nullopt;
  if (!broker.tiers.system_enable)
    return ConfigError{"remote.storage.enable", "needs remote.log.storage.system.enable=true of the brokers"};
  if (c.compaction.cleanup_policy.value_or(broker.log_cleanup_policy).compacts)
    return ConfigError{"remote.storage.enable", "is unsupported for compacted topics"};
  const auto above = [](std::int64_t local, std::int64_t all) {
    return local != -2 && all != -1 && (local == -1 || local > all);
  };
  if (above(c.tiers.local_retention_ms.value_or(broker.tiers.local_retention_ms),
            c.retention_ms.value_or(broker.retention_ms())))
    return ConfigError{"local.retention.ms", "must not be above retention.ms"};
  if (above(c.tiers.local_retention_bytes.value_or(broker.tiers.local_retention_bytes),
            c.retention_bytes.value_or(broker.log_retention_bytes)))
    return ConfigError{"local.retention.bytes", "must not be above retention.bytes"};
  return std::nullopt;
}

std::optional<ConfigError> validate(const BrokerConfig& c) {
  struct Bounded {
    std::string_view what;
    Duration value, least, most;
  };
  const std::array<Bounded, 3> all{
      Bounded{"session.timeout.ms", c.group_consumer_session_timeout, c.group_consumer_min_session_timeout,
              c.group_consumer_max_session_timeout},
      Bounded{"heartbeat.interval.ms", c.group_consumer_heartbeat_interval,
              c.group_consumer_min_heartbeat_interval, c.group_consumer_max_heartbeat_interval},
      Bounded{"assignment.interval.ms", c.group_consumer_assignment_interval,
              c.group_consumer_min_assignment_interval, c.group_consumer_max_assignment_interval}};
  for (const Bounded& one : all) {
    const std::string what(one.what);
    if (one.value < one.least || one.value > one.most) {
      return ConfigError{"group.consumer." + what,
                         "is outside group.consumer.min." + what + " and group.consumer.max." + what};
    }
  }
  const std::array<Bounded, 3> shared{
      Bounded{"session.timeout.ms", c.group_share_session_timeout, c.group_share_min_session_timeout,
              c.group_share_max_session_timeout},
      Bounded{"heartbeat.interval.ms", c.group_share_heartbeat_interval, c.group_share_min_heartbeat_interval,
              c.group_share_max_heartbeat_interval},
      Bounded{"record.lock.duration.ms", c.group_share_record_lock_duration,
              c.group_share_min_record_lock_duration, c.group_share_max_record_lock_duration}};
  for (const Bounded& one : shared) {
    const std::string what(one.what);
    if (one.value < one.least || one.value > one.most)
      return ConfigError{"group.share." + what,
                         "is outside group.share.min." + what + " and group.share.max." + what};
  }
  if (c.group_share_delivery_count_limit < c.group_share_min_delivery_count_limit ||
      c.group_share_delivery_count_limit > c.group_share_max_delivery_count_limit) {
    return ConfigError{
        "group.share.delivery.count.limit",
        "is outside group.share.min.delivery.count.limit and group.share.max.delivery.count.limit"};
  }
  if (c.group_share_max_share_sessions < c.group_share_max_size)
    return ConfigError{"group.share.max.share.sessions", "must be at least group.share.max.size"};
  if (c.group_consumer_heartbeat_interval >= c.group_consumer_session_timeout) {
    return ConfigError{"group.consumer.heartbeat.interval.ms",
                       "must be below group.consumer.session.timeout.ms"};
  }
  return std::nullopt;
}

std::optional<ConfigError> validate_share(const ConsumerConfig& c, const BrokerConfig& broker) {
  for (const std::string_view given : {c.classic_key_given, c.unshared_key_given}) {
    if (!given.empty())
      return ConfigError{std::string(given),
                         "cannot be set of a share consumer: the group's settings decide "
                         "(share.*)"};
  }
  const auto outside = [](std::string_view key, auto value, auto least,
                          auto most) -> std::optional<ConfigError> {
    if (!value || (*value >= least && *value <= most)) return std::nullopt;
    return ConfigError{std::string(key), "is outside the brokers' group.share.min and max of it"};
  };
  const ShareGroupConfig& g = c.share;
  std::optional<ConfigError> found =
      outside("share.session.timeout.ms", g.session_timeout, broker.group_share_min_session_timeout,
              broker.group_share_max_session_timeout);
  if (!found)
    found = outside("share.heartbeat.interval.ms", g.heartbeat_interval,
                    broker.group_share_min_heartbeat_interval, broker.group_share_max_heartbeat_interval);
  if (!found)
    found = outside("share.record.lock.duration.ms", g.record_lock_duration,
                    broker.group_share_min_record_lock_duration, broker.group_share_max_record_lock_duration);
  if (!found)
    found = outside("share.delivery.count.limit", g.delivery_count_limit,
                    broker.group_share_min_delivery_count_limit, broker.group_share_max_delivery_count_limit);
  return found;
}

std::optional<ConfigError> validate(const ConsumerConfig& c, const BrokerConfig& broker) {
  if (c.client == Client::librdkafka) {
    if (auto error = validate_librdkafka(c)) return error;
  }
  if (!c.share_key_given.empty())
    return ConfigError{std::string(c.share_key_given), "is for groups of type = \"share\""};
  // ConsumerConfig.checkUnsupportedConfigsPostProcess
  if (c.group_protocol == GroupProtocol::consumer) {
    if (c.classic_key_given.empty()) return std::nullopt;
    return ConfigError{std::string(c.classic_key_given),
                       "cannot be set when group.protocol=consumer: the broker decides "
                       "(group.consumer.* and group.remote.assignor)"};
  }
  if (c.group_remote_assignor)
    return ConfigError{"group.remote.assignor", "cannot be set when group.protocol=classic"};
  if (c.heartbeat_interval >= c.session_timeout) {  // Heartbeat.java
    return ConfigError{"heartbeat.interval.ms", "must be below session.timeout.ms"};
  }
  // GroupCoordinator: INVALID_SESSION_TIMEOUT
  if (c.session_timeout < broker.group_min_session_timeout ||
      c.session_timeout > broker.group_max_session_timeout) {
    return ConfigError{
        "session.timeout.ms",
        "is outside the broker's group.min.session.timeout.ms and group.max.session.timeout.ms"};
  }
  return std::nullopt;
}

}  // namespace models::kafka
