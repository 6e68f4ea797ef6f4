// An endpoint that is a queue of SQS: SNS asks it to take a message (SendMessage). A queue that cannot be reached, or does not
// answer within the endpoint's time, is a server-side error; one that refuses the message, which is too long for it, a
// client-side error.
//
// A FIFO queue gets the message's group and deduplication id from SNS; a standard queue looks at neither.
#pragma once

#include <vector>

#include "models/sns/channel.hpp"
#include "models/sns/endpoint.hpp"
#include "models/sqs/service.hpp"

namespace models::sns {

class QueueEndpoint final : public Endpoint, private ChannelOwner {
 public:
  QueueEndpoint(Context& context, Node& node, sqs::Service& sqs, sqs::QueueIndex queue, sim::Duration timeout,
                EndpointOwner& owner)
      : sqs_(sqs), queue_(queue), owner_(owner), channel_(context, node, sqs.node(), timeout, *this) {}

  EntityId place() const override { return sqs_.entity(queue_); }
  void deliver(std::uint64_t token, const Notification& n) override {
    const std::uint64_t request = channel_.ask(n.size);
    while (asked_.next() < request) asked_.push({});
    asked_.push({token, n, true});
  }
  void abandon() override {
    channel_.abandon();
    while (!asked_.empty()) asked_.drop();
  }

 private:
  struct Asked {
    std::uint64_t token = 0;
    Notification notification{};
    bool open = false;  ///< not answered
  };

  std::uint16_t carry_out(std::uint64_t request) override {
    const Notification& n = asked_[request].notification;
    sqs::Inside message;
    message.lane = n.lane;
    message.seq = n.seq;
    message.size = n.size;
    message.group = n.group;
    message.deduplication = {kFromSns, n.deduplication, 0};
    const bool taken = sqs_.accept(queue_, message) != sqs::Service::Accepted::refused;
    return static_cast<std::uint16_t>(taken ? Outcome::delivered : Outcome::client_error);
  }
  void answered(std::uint64_t request, std::optional<std::uint16_t> answer) override {
    const std::uint64_t token = asked_[request].token;
    asked_[request].open = false;
    while (!asked_.empty() && !asked_[asked_.first()].open) asked_.drop();
    owner_.answered(token, answer ? static_cast<Outcome>(*answer) : Outcome::server_error);
  }

  /// A space of deduplication ids of its own: those of senders are below (sqs/sender.cpp).
  static constexpr std::uint64_t kFromSns = 3ULL << 40;

  sqs::Service& sqs_;
  sqs::QueueIndex queue_;
  EndpointOwner& owner_;
  Channel channel_;
  rabbitmq::Window<Asked> asked_;  // by request
};

}  // namespace models::sns
