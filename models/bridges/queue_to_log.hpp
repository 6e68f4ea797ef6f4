// A bridge's task from a queue to a log: it consumes from a queue of RabbitMQ, sends each message to a topic of Kafka, and
// acknowledges it by the bridge's mode.
//
//   on-confirm   send, wait for the topic's acknowledgement, basic.ack: a crash between the two sends it twice
//   on-publish   send, basic.ack: what lies in the producer's buffer when the process dies is in no broker any more
//   no-ack       the queue forgets it when it is sent to the bridge: what is in the bridge's hands goes with it
//
// What the producer gives up is given back to the queue (basic.nack with requeue), where it is not forgotten already.
//
// Messages keep who they are: each record is made of a message of the queue (Kind::derived), so that one that is missing in the
// log or there twice is told by the queue's name for it.
#pragma once

#include <cstdint>
#include <vector>

#include "models/bridges/options.hpp"
#include "models/kafka/producer/producer.hpp"
#include "models/rabbitmq/client.hpp"
#include "models/rabbitmq/frames.hpp"
#include "models/rabbitmq/window.hpp"
#include "models/sqs/flat_map.hpp"
#include "sim/random.hpp"

namespace models {

class QueueToLog final : public rabbitmq::Client, private kafka::ProducerApplication {
 public:
  /// `options` outlives it. `producer`: topic and configuration.
  QueueToLog(Context& context, rabbitmq::Cluster& broker, rabbitmq::QueueIndex queue, kafka::Cluster& cluster,
             Node& node, const BridgeOptions& options, const ProducerOptions& producer, EntityId group);

  void start();
  bool works() const { return running(); }
  /// It has nothing in hand.
  bool idle() const { return oldest_.size() == 0; }

  void delivered(Ref<rabbitmq::Deliver> frame) override;
  void paused() override { producer_.paused(); }
  void resumed() override { producer_.resumed(); }

 private:
  /// A message between the two brokers.
  struct Held {
    Ref<rabbitmq::Deliver> message;
    std::uint32_t channel = 0;  // on which it came
    bool answered = false;      // at the queue
    bool open = true;           // the producer has said nothing of it yet
    std::uint64_t after = 0;    // the next that is the same message, delivered again; 0: none
  };
  /// Which message it is.
  struct Key {
    LaneId lane;
    std::uint64_t seq = 0;
    bool operator==(const Key&) const = default;
    std::uint64_t hash() const { return sqs::mixed(sqs::mixed(lane.value) + seq); }
  };
  struct Told {
    LaneId lane;
    std::uint64_t seq;
    bool acknowledged;
  };

  void channel_opened() override { ++channel_number_; }
  void channel_lost() override {}
  void process_crashed() override;
  void process_restarted() override;
  // ProducerApplication
  void producer_moved() override;
  void told(LaneId lane, std::int64_t seq, bool acknowledged) override;

  void finish(const Told& told);
  void hold(const Held& held);
  void send(const Held& held);
  void settle(const Held& held, rabbitmq::Answer how);
  void tell(Kind kind, const rabbitmq::Deliver& m, std::span<const std::int64_t> payload = {});
  void processed(const rabbitmq::Deliver& m);

  const BridgeOptions& options_;
  EntityId group_;
  sim::StreamKey sizes_;
  kafka::Producer producer_;
  rabbitmq::Window<Held> held_;
  sqs::FlatMap<Key, std::uint64_t> oldest_;  // of each message, in held_
  std::vector<Told> told_;                   // not taken note of yet
  std::uint32_t channel_number_ = 0;
  bool sending_ = false;
  StepCell& delivered_step_;
  StepCell& sent_step_;
  StepCell& ack_step_;
  NodeTimer<std::function<void()>> turn_;
};

}  // namespace models
