// An application's instance that publishes: messages as they arise, publisher confirms, what it makes of failures.
//
// With confirms (PublisherOptions::confirms) success is what basic.ack says, and so many may be outstanding; the next messages
// wait. Without, success is reported as soon as the client has handed the message to its socket, as far as the application can
// know. What is outstanding when the connection dies has failed, and may be in the queues all the same.
//
// While there is no connection messages wait in the application. Model: an application that gives them up instead, or blocks what
// brings them forth, is not modelled.
//
// Model: which queues a message goes to is known when it is published, for bindings do not change. So one that goes nowhere is
// refused at once; RabbitMQ drops it when it comes to the exchange, or with `mandatory` returns it and then confirms it.
#pragma once

#include <vector>

#include "models/clients/message_source.hpp"
#include "models/clients/workload.hpp"
#include "models/rabbitmq/client.hpp"
#include "models/rabbitmq/frames.hpp"
#include "models/rabbitmq/window.hpp"
#include "sim/ring.hpp"

namespace models::rabbitmq {

class Publisher final : public Client {
 public:
  /// `options` outlives it. Throws ScenarioError when what it publishes to does not exist.
  Publisher(Context& context, Cluster& broker, Node& node, const ProducerOptions& options);

  void start();
  void stop_arrivals();
  /// Nothing waits, nothing is outstanding.
  bool idle();

  void confirmed(std::uint64_t tag, bool accepted) override;
  void blocked(bool now) override;
  /// Adds what it waits for.
  void tell_unfinished(std::vector<std::string>& lines) const;

 private:
  struct Lane {
    LaneId id{};
    std::uint64_t next = 0;
  };
  /// A message that failed, to be sent again.
  struct Again {
    std::int64_t key;
    std::uint32_t size;
    std::uint16_t address;
    std::vector<Copy> old;
  };

  void choose(std::vector<Broker*>& addresses) override;
  void channel_opened() override;
  void channel_lost() override;
  void process_crashed() override;
  void process_restarted() override;

  void turn();
  bool may_publish() const {
    return is_open() && !is_blocked() &&
           (!confirms() || unconfirmed_.next() - unconfirmed_.first() < options_.rabbitmq.confirms);
  }
  bool confirms() const { return options_.rabbitmq.confirms > 0; }
  std::uint16_t address_of(std::int64_t key);
  void publish_next();
  void publish_message(sim::Time created, std::int64_t key, std::uint32_t size, std::uint16_t address,
                       const Again* again);
  void refuse(sim::Time created);
  void offer(const Publish& frame, const Copy& copy);
  void report(Kind kind, const Publish& frame, std::int64_t c);
  void failed(const Publish& frame, bool maybe_stored);
  void answered(std::size_t count);

  const ProducerOptions& options_;
  MessageSource source_;
  std::vector<std::uint16_t> addresses_;  // by routing key
  std::vector<Lane> lanes_;               // by queue
  std::uint64_t count_ = 0;               // messages so far
  Window<Ref<Publish>> unconfirmed_;      // null: answered
  std::vector<Ref<Publish>>
      retries_;               // unconfirmed when the channel went: they are published again as they are
  std::vector<Again> again_;  // oldest first
  std::size_t next_again_ = 0;
  StepCell& acknowledged_step_;
  NodeTimer<std::function<void()>> arrival_timer_;
  bool turning_ = false;
};

}  // namespace models::rabbitmq
