// A bridge between a queue of RabbitMQ and a topic of Kafka, as plain data. Names and defaults are those of RabbitMQ's shovel
// (rabbitmq.com/docs/shovel-dynamic) where it has them.
#pragma once

#include <cstdint>
#include <string>

#include "models/kafka/config.hpp"
#include "models/rabbitmq/options.hpp"
#include "sim/distributions.hpp"

namespace models {

/// When what was taken from the source is acknowledged there.
enum class BridgeAck : std::uint8_t {
  on_confirm,  ///< once the destination has confirmed it
  on_publish,  ///< once it was handed over to the client of the destination
  no_ack,      ///< by being sent (queue), or before anything is done with it (log)
};

struct BridgeOptions {
  std::string name{};
  std::string from = "rabbitmq";  ///< cluster: this one or "kafka"
  std::string source{};           ///< queue or topic
  std::string to = "kafka";       ///< the other of them
  std::string destination{};      ///< topic; or exchange, or queue
  std::uint32_t tasks = 1;
  BridgeAck ack = BridgeAck::on_confirm;  ///< ack-mode
  std::uint32_t prefetch = 1000;          ///< src-prefetch-count: of a queue
  sim::Distribution size = sim::Distribution::constant(100);
  rabbitmq::ConnectionOptions connection{};  ///< reconnect-delay is its recovery_interval
  kafka::ProducerConfig producer{};
  kafka::ConsumerConfig consumer{};
  std::string rack{}, zone{}, region{};
};

}  // namespace models
