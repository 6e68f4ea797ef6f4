// librdkafka, the C client and what is built on it (Python, Go, .NET, Node): its own keys and defaults (CONFIGURATION.md of
// 2.x), turned into the settings by which the modelled clients go. `client = "librdkafka"` on a producer or a group.
//
// A producer of librdkafka: no idempotence unless asked for, any number of requests in flight, keys placed by CRC32, each
// partition in requests of its own, and a buffer that refuses rather than waits. A consumer: committed data alone, partitions
// assigned by range or round robin, records handed out one by one.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "models/kafka/config.hpp"

namespace models::kafka {

/// client.id unless set, which mqlab does not let do: of every client, so that members' ids begin so.
inline constexpr std::string_view kLibrdkafkaClientId = "rdkafka";

ProducerConfig librdkafka_producer();
ConsumerConfig librdkafka_consumer();

/// As set() of Kafka's own keys.
std::optional<ConfigError> set_librdkafka(ProducerConfig& config, std::string_view key,
                                          std::string_view value);
std::optional<ConfigError> set_librdkafka(ConsumerConfig& config, std::string_view key,
                                          std::string_view value);

/// What follows from settings given and not given (rd_kafka_conf_finalize), once all have been set.
void finish_librdkafka(ProducerConfig& config);
std::optional<ConfigError> validate_librdkafka(const ProducerConfig& config);
std::optional<ConfigError> validate_librdkafka(const ConsumerConfig& config);

void append_librdkafka_keys(std::vector<KeyInfo>& rows);

}  // namespace models::kafka
