// A bridge's task from a log to a queue: what a consumer of Kafka has polled is published to an exchange of RabbitMQ, and its
// offsets are committed by the bridge's mode.
//
//   on-confirm   publish, wait for the publisher confirms, commit: a crash between the two publishes again
//   on-publish   publish without confirms, commit: what the broker loses, or has refused, is in no queue
//   no-ack       commit, and then publish: what the bridge has in hand when it dies is published by nobody
//
// With confirms a message that the broker has refused, or whose channel has died, is published again, before what comes later.
// A part of the consumer's program.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/bridges/options.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/consumer/outlet.hpp"
#include "models/rabbitmq/client.hpp"
#include "models/rabbitmq/frames.hpp"

namespace models {

class LogToQueue final : public kafka::Outlet, private rabbitmq::Client {
 public:
  /// `address`: where the broker publishes (Broker::address).
  LogToQueue(kafka::Cluster& cluster, rabbitmq::Cluster& broker, std::uint16_t address, Node& node,
             const BridgeOptions& options, EntityId group, kafka::OutletOwner& owner);

  // Outlet
  void start() override { begin(); }
  void close() override { end(); }
  void take(const kafka::Work& work, const kafka::GroupMembership& membership) override;
  void crashed() override { Client::crashed(); }
  void paused() override {}
  void resumed() override {}

 private:
  struct Input {
    LaneId lane{};
    std::int64_t seq = 0;
  };
  struct Outgoing {
    Input input;
    Ref<rabbitmq::Publish> frame;  // null: not published, or to be published again
  };
  struct Lane {
    LaneId id{};
    std::uint64_t next = 0;
  };

  // Client
  void confirmed(std::uint64_t tag, bool accepted) override;
  void channel_opened() override { publish_waiting(); }
  void channel_lost() override;
  void process_crashed() override;
  void process_restarted() override {}

  void publish_waiting();
  void publish(std::size_t at);
  void report(Kind kind, const rabbitmq::Publish& frame, std::int64_t c);
  void finish_if_done();

  kafka::Cluster& cluster_;
  kafka::OutletOwner& owner_;
  const BridgeOptions& options_;
  EntityId group_;
  std::uint16_t address_;
  sim::StreamKey sizes_;
  std::vector<Lane> lanes_;         // by queue
  std::vector<Outgoing> outgoing_;  // of the poll in hand
  std::vector<std::size_t> tags_;   // by publish sequence number from first_tag_ on: which of these
  std::uint64_t first_tag_ = 0;     // of this poll, on this channel
  std::size_t done_ = 0;            // of these, confirmed
  bool working_ = false;
  StepCell& acknowledged_step_;
  NodeTimer<std::function<void()>> retry_timer_;
};

}  // namespace models
