// The producer of an application that gives records up: writes them to a dead letter topic, and goes on once they are there
// (Spring Kafka's DeadLetterPublishingRecoverer, which waits for the answer and keeps the number of the partition; Connect's
// errors.deadletterqueue.topic.name).
//
// Each is a send of its own, whose answer its thread waits for: one that fails is sent again after a while, and neither holds up
// nor repeats the others.
//
// Model: a dead letter is a message of its own, of 100 bytes, without key; what it was made of is known to the ledger alone. What
// could not be written is tried again after retry.backoff.max.ms; Spring's error handler has the record polled and tried anew.
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
  /// A record of partition `number`. `written(ticket)` follows, perhaps before this returns. The ticket may be given again then.
  void put(std::size_t ticket, std::int32_t number);
  void crashed();
  void paused() { producer_.paused(); }
  void resumed() { producer_.resumed(); }

 private:
  struct Letter {
    std::size_t ticket;
    std::int32_t partition;
  };
  struct Answer {
    std::size_t ticket;
    bool written;
  };

  void told(LaneId, std::int64_t ticket, bool acknowledged) override;
  void producer_moved() override;
  void send(std::span<const Letter> letters);

  ProducerOptions options_;
  std::function<void(std::size_t)> written_;
  std::int32_t partitions_;  // of the topic
  Producer producer_;
  std::vector<std::int32_t> partition_of_;  // by ticket
  std::vector<Answer> answers_, passing_;
  std::vector<Letter> again_;
  std::vector<Message> messages_;
  NodeTimer<std::function<void()>> retry_;
  bool started_ = false;
  bool passing_on_ = false;
  std::uint32_t life_ = 0;
};

}  // namespace models::kafka
