// A gateway between devices that speak MQTT and a topic: a broker of MQTT with a bridge inside (MQTT 5.0, OASIS; chapters 4.1
// to 4.4).
//
// A device publishes a message when it has one. With QoS 0 it forgets it then. With QoS 1 it keeps it until the PUBACK has
// come, also over a lost connection: when it is back it publishes again, in their order, all that was not acknowledged (session
// state, 4.1; message delivery retry, 4.4), and nobody knows a repetition again: at least once. What arises while the gateway
// is away is published when it is back, or with QoS 0 never.
//
// The gateway hands what comes in to a producer, and holds it until Kafka has acknowledged it. When it holds as many messages
// as its queue takes it reads no more from devices with QoS 1, which wait; what comes with QoS 0 it drops. It acknowledges a
// message as it comes in, and then answers for it with its memory alone; or once Kafka has it. It keeps nothing on a disk. What
// the producer gives up is published again by its device, unless that has been told that all is well.
//
// Each message is a fact that is to be in the topic: events_lost and events_duplicated say what of them is not, or is more than
// once.
//
// Model: devices are never off, their connections have one latency and are lost with the gateway alone, and they all come back at
// once. Neither Receive Maximum nor keep-alive; QoS 2, which MQTT has, bridges to Kafka do not keep.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "models/apps/event_sender.hpp"
#include "models/apps/facts.hpp"
#include "models/apps/gateway_options.hpp"
#include "models/apps/relay.hpp"
#include "models/clients/message_source.hpp"
#include "models/context.hpp"
#include "models/network/node.hpp"
#include "sim/timer.hpp"

namespace models {

class Gateway final : public NodeProgram, private EventSenderOwner {
 public:
  /// `devices`: their entity. Becomes the node's program.
  Gateway(Context& context, Node& node, EntityId devices, const GatewayOptions& options, FactBook& book,
          const SenderMaker& make_sender);

  void start();
  void stop_arrivals();
  /// Nothing arises, nothing is under way, and no device has anything to publish to a gateway that lives.
  bool idle();
  const Node& node() const { return node_; }
  /// Devices keep what they have published and nobody has acknowledged.
  bool devices_wait() const { return !kept_.empty(); }

  // NodeProgram
  void crashed() override;
  void restarted() override;
  void paused() override { sender_->paused(); }
  void resumed() override { sender_->resumed(); }

 private:
  /// A message that a device keeps.
  struct Kept {
    FactId fact;
    bool acknowledged = false;
  };

  // The devices.
  void arise();
  void publish(FactId fact);
  void hear_puback(FactId fact);
  void come_back();

  // The gateway.
  void received(FactId fact, std::uint32_t life);
  void take(FactId fact);
  void sent(FactId fact, bool acknowledged) override;
  void send_puback(FactId fact);
  bool full() const { return held_ >= options_.queue; }

  Context& context_;
  Node& node_;
  EntityId devices_;
  const GatewayOptions& options_;
  FactBook& book_;
  LaneId lane_;
  FactType type_;
  MessageSource source_;
  sim::Timer arrivals_;
  std::unique_ptr<EventSender> sender_;

  bool connected_ = true;
  std::deque<Kept> kept_;  // with QoS 1: from seq first_kept_ on
  std::int64_t first_kept_ = 0;
  std::uint64_t under_way_ = 0;  // messages and acknowledgements

  std::uint32_t held_ = 0;      // given to the producer, and not answered
  std::deque<FactId> waiting_;  // on connections that are not read from
};

}  // namespace models
