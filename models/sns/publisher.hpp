// An application's instance that publishes to a topic: Publish or PublishBatch, by an AWS SDK in its retry mode "standard".
//
// What a message has for filter policies to look at is drawn from the producer's kinds of messages by their shares. Whom it goes
// to is known then: it is offered to each of these subscriptions' queues, and acknowledged there when SNS has accepted it. One
// that nobody wants is accepted, and nowhere.
//
// A request that is not answered is made again, up to max_attempts times, before the n-th retry a random share of
// min(backoff_max, backoff_base 2^(n-1)) later: a standard topic takes it as another message then.
//
// Model: of a PublishBatch all entries are accepted or none.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "models/clients/message_source.hpp"
#include "models/clients/workload.hpp"
#include "models/sns/channel.hpp"
#include "models/sns/service.hpp"
#include "sim/random.hpp"

namespace models::sns {

class Publisher final : public NodeProgram, private ChannelOwner {
 public:
  /// `options` outlives it. Throws ScenarioError when there is no such topic.
  Publisher(Context& context, Service& service, Node& node, const ProducerOptions& options);

  void start();
  void stop_arrivals();
  /// Nothing waits, nothing is under way.
  bool idle();
  const Node& node() const { return node_; }

  // NodeProgram
  void crashed() override;
  void restarted() override;
  void resumed() override { turn(); }

 private:
  struct Lane {
    LaneId id{};
    std::uint64_t next = 0;
  };
  /// A Publish or PublishBatch, until it has its answer.
  struct Request {
    std::vector<Entry> entries;
    std::uint32_t attempts = 0;
    std::uint64_t asked = 0;  ///< the channel's number of the attempt under way
    bool open = false;
    bool asking = false;
    std::unique_ptr<NodeTimer<std::function<void()>>> retry_timer;
  };

  // ChannelOwner
  std::uint16_t carry_out(std::uint64_t request) override;
  void answered(std::uint64_t request, std::optional<std::uint16_t> answer) override;
  sim::Duration work() override { return service_.latency(); }

  void turn();
  std::size_t due_now();
  void publish_next(std::size_t count);
  Entry next_entry(std::size_t i);
  Request& free_request();
  Request* request_of(std::uint64_t asked);
  void attempt(Request& request);
  void ended(Request& request, Error error);
  void report(Kind kind, const Request& request, std::uint16_t code, std::int64_t c);
  std::size_t open_requests() const;

  Context& context_;
  Service& service_;
  Node& node_;
  const ProducerOptions& options_;
  MessageSource source_;
  Channel channel_;
  std::vector<std::uint16_t> addresses_;  // by kind of message
  std::vector<Lane> lanes_;               // by subscription
  std::vector<std::unique_ptr<Request>> requests_;
  sim::Stream kinds_;
  sim::Stream backoff_;
  sqs::GroupKey group_;
  std::uint64_t number_ = 0;  // of messages
  sim::Time next_{};
  bool turning_ = false;
  StepCell& acknowledged_step_;
  NodeTimer<std::function<void()>> timer_;
};

}  // namespace models::sns
