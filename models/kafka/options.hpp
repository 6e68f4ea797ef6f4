// A Kafka cluster as plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/kafka/config.hpp"
#include "sim/distributions.hpp"

namespace models::kafka {

struct TopicOptions {
  std::string name;
  std::int32_t partitions = 1;
  std::int32_t replication_factor = 1;
  /// Brokers of each partition, preferred leader first; empty: round robin.
  std::vector<std::vector<std::int32_t>> assignment;
  TopicConfig config;
};

/// How long a broker's request handler thread works on a request: a fixed part, a part for each batch or partition in it,
/// and a part for each kilobyte.
/// Model: real brokers' times depend on hardware; the defaults are zero apart from what a scenario gives.
struct ServiceOptions {
  sim::Distribution request = sim::Distribution::constant(0);  ///< ns a request
  sim::Duration per_batch{};
  sim::Duration per_kilobyte{};

  bool free() const {
    return request.is_constant() && request.mean() == 0 && per_batch == sim::Duration{} &&
           per_kilobyte == sim::Duration{};
  }
};

struct ClusterOptions {
  std::int32_t brokers = 3;
  std::vector<std::string> racks;  ///< of broker i: racks[i % size]
  std::vector<std::string> zones;
  std::vector<std::string> regions;
  BrokerConfig config;
  ServiceOptions service;
  std::vector<TopicOptions> topics;
  /// The feature transaction.version: 0 and 1 have producers name their partitions, 2 is KIP-890.
  std::int32_t transaction_version = 2;
  /// Some client uses transactions: __transaction_state exists (Kafka makes it when first asked for a coordinator).
  bool transactional = false;
};

}  // namespace models::kafka
