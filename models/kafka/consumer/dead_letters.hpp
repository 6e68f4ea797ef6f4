// The producer of an application that gives records up: writes them to a dead letter topic, and goes on once they are there
// (Spring Kafka's DeadLetterPublishingRecoverer, which waits for the answer and keeps the number of the partition; Connect's
// errors.deadletterqueue.topic.name).
//
// Records that come while some are under way are sent together once these are answered. What could not be sent is sent again.
//
// Model: a dead letter is a message of its own, of 100 bytes, without key; what it was made of is known to the ledger alone.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/kafka/consumer/group.hpp"
#include "models/kafka/producer/producer.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class DeadLetters final : private ProducerApplication {
 public:
  DeadLetters(ConsumerGroup& group, Node& node, const std::string& topic,
              std::function<void(std::size_t)> written);

  void start();
  /// A record of partition `number`. `written(ticket)` follows, perhaps before this returns.
  void put(std::size_t ticket, std::int32_t number);
  void crashed();
  void paused() { producer_.paused(); }
  void resumed() { producer_.resumed(); }

 private:
  struct Letter {
    std::size_t ticket;
    std::int32_t partition;
  };

  void producer_moved() override { pump(); }
  void pump();
  void send();

  Node& node_;
  ProducerOptions options_;
  std::function<void(std::size_t)> written_;
  std::int32_t partitions_;  // of the topic
  Producer producer_;
  std::vector<Letter> waiting_, sent_, answered_;
  std::vector<Message> messages_;
  std::uint64_t failures_before_ = 0;
  bool started_ = false;
  bool pumping_ = false;
};

}  // namespace models::kafka
