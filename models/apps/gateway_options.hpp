// An MQTT gateway and the devices that publish to it, in plain data.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "models/clients/workload.hpp"
#include "models/kafka/config.hpp"
#include "sim/distributions.hpp"
#include "sim/time.hpp"

namespace models {

struct GatewayOptions {
  /// When a device is told that its message was taken (PUBACK), with QoS 1.
  enum class PubAck : std::uint8_t {
    received,  ///< as it comes in
    stored,    ///< once Kafka has acknowledged it
  };
  std::string name;
  std::string to;             ///< topic
  ProducerOptions devices{};  ///< arrivals, keys (a device each) and sizes of what they publish
  std::uint32_t qos = 1;      ///< 0: at most once, 1: at least once
  PubAck puback = PubAck::stored;
  std::uint32_t queue = 10'000;  ///< messages that Kafka has not acknowledged, at most
  sim::Duration latency = std::chrono::milliseconds{20};  ///< of the devices, one way
  sim::Duration reconnect =
      std::chrono::milliseconds{1000};  ///< after a gateway's return, until its devices are back
  std::string rack, zone, region;
  kafka::ProducerConfig config;
};

}  // namespace models
