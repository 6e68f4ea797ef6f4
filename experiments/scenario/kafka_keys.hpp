// A Kafka client's or broker's own settings: a `config` table against Kafka's catalogue of keys.
#pragma once

#include <string>

#include "experiments/scenario/value.hpp"
#include "models/kafka/config.hpp"
#include "models/kafka/librdkafka.hpp"
#include "models/kafka/streams.hpp"

namespace experiments {

/// Every key is one that Kafka has and mqlab models, and has a value that Kafka would take. A key in
/// milliseconds or seconds takes a bare number or a duration in quotes, one in bytes a number or a size.
Value check_kafka_config(const Value& table, models::kafka::KeyScope scope, const std::string& path);

/// A checked setting as a properties file would write it.
std::string property_text(const Value& value);

/// Gives a client's config the settings of a checked table.
template <class Config>
void bind_client_config(const Value& table, Config& config) {
  for (const auto& [key, value] : table.members) {
    if (config.client == models::kafka::Client::librdkafka)
      models::kafka::set_librdkafka(config, key, property_text(value));
    else
      models::kafka::set(config, key, property_text(value));
  }
}

/// Fills a config from a checked table.
template <class Config>
Config bind_kafka_config(const Value& table) {
  Config config;
  for (const auto& [key, value] : table.members) models::kafka::set(config, key, property_text(value));
  return config;
}

}  // namespace experiments
