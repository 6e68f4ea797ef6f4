// Sends events to a topic: a Kafka producer inside a service or relay. Each event has its aggregate for a key.
#pragma once

#include <vector>

#include "models/apps/event_sender.hpp"
#include "models/kafka/producer/producer.hpp"

namespace models::kafka {

class KafkaEventSender final : public EventSender, private ProducerApplication {
 public:
  /// `options`: topic, keys, sizes and configuration; nothing arises by itself.
  KafkaEventSender(Cluster& cluster, Node& node, ProducerOptions options, FactBook& book,
                   EventSenderOwner& owner);

  void start() override;
  void send(std::span<const FactId> facts) override;
  void crashed() override;
  void paused() override { producer_.paused(); }
  void resumed() override { producer_.resumed(); }

 private:
  struct Told {
    FactId fact;
    bool acknowledged;
  };

  void producer_moved() override;
  void told(LaneId lane, std::int64_t seq, bool acknowledged) override;

  Context& context_;
  const Node& node_;
  ProducerOptions options_;
  FactBook& book_;
  EventSenderOwner& owner_;
  sim::StreamKey sizes_;
  Producer producer_;
  bool started_ = false;
  bool sending_ = false;
  std::uint32_t life_ = 0;
  std::vector<Message> messages_;
  std::vector<Told> told_;     // not passed on yet
  std::vector<Told> passing_;  // being passed on
  NodeTimer<std::function<void()>> turn_;
};

}  // namespace models::kafka
