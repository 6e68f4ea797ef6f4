#include "models/kafka/librdkafka.hpp"

#include <algorithm>

#include "models/kafka/config_table.hpp"

namespace models::kafka {
namespace {

using config_table::boolean;
using config_table::Error;
using config_table::integer;
using config_table::Key;
using config_table::kInt32Max;
using config_table::listed;
using config_table::span;
using config_table::text_value;

/// RD_KAFKA_IDEMP_MAX_INFLIGHT
constexpr std::int32_t kMostInFlightIdempotent = 5;
constexpr std::int32_t kMostInFlight = 1'000'000;

Error set_acks(ProducerConfig& config, std::string_view text) {
  if (text == "all" || text == "-1")
    config.acks = -1;
  else if (text == "0" || text == "1")
    config.acks = static_cast<std::int16_t>(text == "1" ? 1 : 0);
  else
    return "'" + std::string(text) + "' is none of -1, 0, 1, all";
  return std::nullopt;
}

Error set_partitioner(ProducerConfig& config, std::string_view text) {
  struct Named {
    std::string_view name;
    Partitioner partitioner;
  };
  constexpr std::array kNames{Named{"consistent_random", Partitioner::consistent_random},
                              Named{"consistent", Partitioner::consistent},
                              Named{"murmur2_random", Partitioner::murmur2_random},
                              Named{"murmur2", Partitioner::murmur2}, Named{"random", Partitioner::random}};
  for (const Named& one : kNames) {
    if (one.name != text) continue;
    config.partitioner_class = one.partitioner;
    return std::nullopt;
  }
  return "'" + std::string(text) +
         "' is not modelled; allowed: consistent_random, consistent, murmur2_random, murmur2, random";
}

Error set_idempotence(ProducerConfig& config, std::string_view text) {
  config.idempotence_given = true;
  return boolean<&ProducerConfig::enable_idempotence>(config, text);
}

Error set_in_flight(ProducerConfig& config, std::string_view text) {
  config.in_flight_given = true;
  return integer<&ProducerConfig::max_in_flight_requests_per_connection, 1, kMostInFlight>(config, text);
}

Error set_kbytes(ProducerConfig& config, std::string_view text) {
  if (Error e = integer<&ProducerConfig::buffer_memory, 1, kInt32Max>(config, text)) return e;
  config.buffer_memory *= 1024;
  return std::nullopt;
}

Error set_reset(ConsumerConfig& config, std::string_view text) {
  const auto one_of = [text](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), text) != names.end();
  };
  if (one_of({"smallest", "earliest", "beginning"}))
    config.auto_offset_reset = AutoOffsetReset::earliest;
  else if (one_of({"largest", "latest", "end"}))
    config.auto_offset_reset = AutoOffsetReset::latest;
  else if (text == "error")
    config.auto_offset_reset = AutoOffsetReset::none;
  else
    return "'" + std::string(text) +
           "' is none of smallest, earliest, beginning, largest, latest, end, error";
  return std::nullopt;
}

Error set_assignors(ConsumerConfig& config, std::string_view text) {
  std::vector<Assignor> wanted;
  for (const std::string_view one : listed(text)) {
    if (one == "range")
      wanted.push_back(Assignor::range);
    else if (one == "roundrobin")
      wanted.push_back(Assignor::round_robin);
    else if (one == "cooperative-sticky")
      wanted.push_back(Assignor::cooperative_sticky);
    else
      return "'" + std::string(one) + "' is none of range, roundrobin, cooperative-sticky";
  }
  if (wanted.empty()) return std::string("names no assignor");
  // rd_kafka_assignors_init: eager and cooperative ones may not be mixed.
  const auto cooperative = std::count(wanted.begin(), wanted.end(), Assignor::cooperative_sticky);
  if (cooperative > 0 && static_cast<std::size_t>(cooperative) != wanted.size())
    return std::string("eager and cooperative assignors may not be mixed");
  config.partition_assignment_strategy = std::move(wanted);
  return std::nullopt;
}

Error set_isolation(ConsumerConfig& config, std::string_view text) {
  if (text != "read_uncommitted" && text != "read_committed")
    return "'" + std::string(text) + "' is none of read_uncommitted, read_committed";
  config.read_committed = text == "read_committed";
  return std::nullopt;
}

constexpr std::int64_t kMs = 1'000'000;

using P = ProducerConfig;
constexpr auto kProducerKeys = std::to_array<Key<P>>({
    {"acks", "string", "-1", set_acks},
    {"request.required.acks", "string", "-1", set_acks, "the same as acks"},
    {"enable.idempotence", "bool", "false", set_idempotence},
    {"message.send.max.retries", "int", "2147483647", integer<&P::retries, 0, kInt32Max, P>},
    {"retries", "int", "2147483647", integer<&P::retries, 0, kInt32Max, P>,
     "the same as message.send.max.retries"},
    {"message.timeout.ms", "ms", "300000", span<&P::delivery_timeout, 1, kMs, P>},
    {"delivery.timeout.ms", "ms", "300000", span<&P::delivery_timeout, 1, kMs, P>,
     "the same as message.timeout.ms"},
    {"request.timeout.ms", "ms", "30000", span<&P::acks_timeout, 1, kMs, P>,
     "how long the broker waits for acks; the client itself waits for socket.timeout.ms"},
    {"socket.timeout.ms", "ms", "60000", span<&P::request_timeout, 10, kMs, P>},
    {"queue.buffering.max.ms", "ms", "5", span<&P::linger, 0, kMs, P>},
    {"linger.ms", "ms", "5", span<&P::linger, 0, kMs, P>, "the same as queue.buffering.max.ms"},
    {"queue.buffering.max.messages", "int", "100000",
     integer<&P::queue_buffering_max_messages, 1, kInt32Max, P>},
    {"queue.buffering.max.kbytes", "int", "1048576", set_kbytes},
    {"batch.size", "bytes", "1000000", integer<&P::batch_size, 1, kInt32Max, P>},
    {"batch.num.messages", "int", "10000", integer<&P::batch_num_messages, 1, 1'000'000, P>},
    {"message.max.bytes", "bytes", "1000000", integer<&P::max_request_size, 1000, 1'000'000'000, P>},
    {"max.in.flight.requests.per.connection", "int", "1000000", set_in_flight},
    {"max.in.flight", "int", "1000000", set_in_flight, "the same as max.in.flight.requests.per.connection"},
    {"retry.backoff.ms", "ms", "100", span<&P::retry_backoff, 1, kMs, P>},
    {"retry.backoff.max.ms", "ms", "1000", span<&P::retry_backoff_max, 1, kMs, P>},
    {"reconnect.backoff.ms", "ms", "100", span<&P::reconnect_backoff, 0, kMs, P>},
    {"reconnect.backoff.max.ms", "ms", "10000", span<&P::reconnect_backoff_max, 0, kMs, P>},
    {"topic.metadata.refresh.interval.ms", "ms", "300000", span<&P::metadata_max_age, 1, kMs, P>},
    {"partitioner", "string", "consistent_random", set_partitioner},
    {"sticky.partitioning.linger.ms", "ms", "10", span<&P::sticky_partitioning_linger, 0, kMs, P>,
     "unless given: twice linger.ms"},
    {"transactional.id", "string", "null", text_value<&P::transactional_id, P>},
    {"transaction.timeout.ms", "ms", "60000", span<&P::transaction_timeout, 1000, kMs, P>},
    {"compression.codec", "string", "none", nullptr, "compression is not modelled; give compressed sizes"},
    {"compression.type", "string", "none", nullptr, "compression is not modelled; give compressed sizes"},
    {"queue.buffering.backpressure.threshold", "int", "1", nullptr,
     "requests leave as soon as they are made"},
    {"enable.gapless.guarantee", "bool", "false", nullptr, "experimental"},
    {"queuing.strategy", "string", "fifo", nullptr, "deprecated"},
    {"socket.max.fails", "int", "1", nullptr, "the first time-out closes the connection"},
    {"topic.metadata.refresh.fast.interval.ms", "ms", "100", nullptr,
     "metadata is asked for again after retry.backoff.ms"},
    {"connections.max.idle.ms", "ms", "0", nullptr, "brokers close idle connections, clients do not"},
    {"client.id", "string", "rdkafka", nullptr, "clients go by the name of their table"},
    {"bootstrap.servers", "list", "", nullptr, "clients know all brokers of their cluster"},
});

using C = ConsumerConfig;
constexpr auto kConsumerKeys = std::to_array<Key<C>>({
    {"session.timeout.ms", "ms", "45000", span<&C::session_timeout, 1, kMs, C>},
    {"heartbeat.interval.ms", "ms", "3000", span<&C::heartbeat_interval, 1, kMs, C>},
    {"max.poll.interval.ms", "ms", "300000", span<&C::max_poll_interval, 1, kMs, C>},
    {"enable.auto.commit", "bool", "true", boolean<&C::enable_auto_commit, C>},
    {"auto.commit.interval.ms", "ms", "5000", span<&C::auto_commit_interval, 0, kMs, C>},
    {"auto.offset.reset", "string", "largest", set_reset},
    {"fetch.min.bytes", "bytes", "1", integer<&C::fetch_min_bytes, 1, 100'000'000, C>},
    {"fetch.wait.max.ms", "ms", "500", span<&C::fetch_max_wait, 0, kMs, C>},
    {"fetch.max.bytes", "bytes", "52428800", integer<&C::fetch_max_bytes, 0, kInt32Max, C>},
    {"fetch.message.max.bytes", "bytes", "1048576",
     integer<&C::max_partition_fetch_bytes, 1, 1'000'000'000, C>},
    {"max.partition.fetch.bytes", "bytes", "1048576",
     integer<&C::max_partition_fetch_bytes, 1, 1'000'000'000, C>, "the same as fetch.message.max.bytes"},
    {"partition.assignment.strategy", "list", "range,roundrobin", set_assignors},
    {"group.instance.id", "string", "null", text_value<&C::group_instance_id, C>},
    {"isolation.level", "string", "read_committed", set_isolation},
    {"client.rack", "string", "", text_value<&C::client_rack, C>,
     "{rack} stands for the rack of the member's host"},
    {"socket.timeout.ms", "ms", "60000", span<&C::request_timeout, 10, kMs, C>},
    {"retry.backoff.ms", "ms", "100", span<&C::retry_backoff, 1, kMs, C>},
    {"retry.backoff.max.ms", "ms", "1000", span<&C::retry_backoff_max, 1, kMs, C>},
    {"reconnect.backoff.ms", "ms", "100", span<&C::reconnect_backoff, 0, kMs, C>},
    {"reconnect.backoff.max.ms", "ms", "10000", span<&C::reconnect_backoff_max, 0, kMs, C>},
    {"topic.metadata.refresh.interval.ms", "ms", "300000", span<&C::metadata_max_age, 1, kMs, C>},
    {"enable.auto.offset.store", "bool", "true", nullptr,
     "an application that stores them itself: commit = \"stored\""},
    {"queued.min.messages", "int", "100000", nullptr,
     "fetched ahead: what one fetch brings of each partition, as with Kafka's own client"},
    {"queued.max.messages.kbytes", "int", "65536", nullptr,
     "fetched ahead: what one fetch brings of each partition, as with Kafka's own client"},
    {"fetch.queue.backoff.ms", "ms", "1000", nullptr,
     "fetched ahead: what one fetch brings of each partition, as with Kafka's own client"},
    {"fetch.error.backoff.ms", "ms", "500", nullptr, "fetches back off by retry.backoff.ms"},
    {"group.protocol", "string", "classic", nullptr, "classic only"},
    {"group.remote.assignor", "string", "null", nullptr, "classic groups only"},
    {"enable.partition.eof", "bool", "false", nullptr, "applications do not ask for it"},
    {"connections.max.idle.ms", "ms", "0", nullptr, "brokers close idle connections, clients do not"},
    {"check.crcs", "bool", "false", nullptr, "payloads do not exist"},
    {"group.id", "string", "null", nullptr, "groups go by the name of their table"},
    {"bootstrap.servers", "list", "", nullptr, "clients know all brokers of their cluster"},
});

}  // namespace

ProducerConfig librdkafka_producer() {
  ProducerConfig c;
  c.client = Client::librdkafka;
  c.enable_idempotence = false;
  c.delivery_timeout = std::chrono::seconds{300};
  c.request_timeout = std::chrono::seconds{60};
  c.acks_timeout = std::chrono::seconds{30};
  c.batch_size = 1'000'000;
  c.batch_num_messages = 10'000;
  c.buffer_memory = std::int64_t{1'048'576} * 1024;
  c.queue_buffering_max_messages = 100'000;
  c.max_block = {};
  c.max_request_size = 1'000'000;
  c.max_in_flight_requests_per_connection = kMostInFlight;
  c.reconnect_backoff = std::chrono::milliseconds{100};
  c.reconnect_backoff_max = std::chrono::seconds{10};
  c.connections_max_idle = kNever;  // connections.max.idle.ms=0
  c.partitioner_class = Partitioner::consistent_random;
  return c;
}

ConsumerConfig librdkafka_consumer() {
  ConsumerConfig c;
  c.client = Client::librdkafka;
  c.max_poll_records = 1;  // rd_kafka_consumer_poll
  c.partition_assignment_strategy = {Assignor::range, Assignor::round_robin};
  c.read_committed = true;
  c.request_timeout = std::chrono::seconds{60};
  c.reconnect_backoff = std::chrono::milliseconds{100};
  c.reconnect_backoff_max = std::chrono::seconds{10};
  c.connections_max_idle = kNever;  // connections.max.idle.ms=0
  return c;
}

std::optional<ConfigError> set_librdkafka(ProducerConfig& config, std::string_view key,
                                          std::string_view value) {
  return config_table::set(kProducerKeys, KeyScope::librdkafka_producer, config, key, value);
}
std::optional<ConfigError> set_librdkafka(ConsumerConfig& config, std::string_view key,
                                          std::string_view value) {
  return config_table::set(kConsumerKeys, KeyScope::librdkafka_consumer, config, key, value);
}

void finish_librdkafka(ProducerConfig& c) {
  if (!c.transactional_id.empty() && !c.idempotence_given) c.enable_idempotence = true;
  if (c.enable_idempotence && !c.in_flight_given)
    c.max_in_flight_requests_per_connection = kMostInFlightIdempotent;
  if (!c.transactional_id.empty()) c.delivery_timeout = std::min(c.delivery_timeout, c.transaction_timeout);
  if (!c.sticky_partitioning_linger) c.sticky_partitioning_linger = 2 * c.linger;
}

std::optional<ConfigError> validate_librdkafka(const ProducerConfig& c) {
  if (c.enable_idempotence) {
    if (c.max_in_flight_requests_per_connection > kMostInFlightIdempotent)
      return ConfigError{"max.in.flight.requests.per.connection",
                         "must be set <= 5 when enable.idempotence is true"};
    if (c.acks != -1) return ConfigError{"acks", "must be set to all when enable.idempotence is true"};
    if (c.retries < 1) return ConfigError{"retries", "must be set >= 1 when enable.idempotence is true"};
  }
  if (c.delivery_timeout <= c.linger)
    return ConfigError{"message.timeout.ms", "must be greater than linger.ms"};
  return std::nullopt;
}

std::optional<ConfigError> validate_librdkafka(const ConsumerConfig& c) {
  if (c.max_poll_interval < c.session_timeout)
    return ConfigError{"max.poll.interval.ms", "must be >= session.timeout.ms"};
  return std::nullopt;
}

void append_librdkafka_keys(std::vector<KeyInfo>& rows) {
  config_table::append_rows(rows, KeyScope::librdkafka_producer, kProducerKeys);
  config_table::append_rows(rows, KeyScope::librdkafka_consumer, kConsumerKeys);
}

}  // namespace models::kafka
