// An application's instance that sends messages: one by one or in batches, so many requests at a time.
//
// While no request may be made messages wait in the application. Of a batch each entry has its own result. What the SDK has
// given up is sent again by the application after `retry_after`, as the same message with the same deduplication id, or has
// failed.
//
// Model: the application has one queue that it sends to, and waits for its answers in any order.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "models/clients/message_source.hpp"
#include "models/clients/workload.hpp"
#include "models/sqs/client.hpp"

namespace models::sqs {

class Sender final : public Client {
 public:
  /// `options` outlives it. Throws ScenarioError when there is no such queue.
  Sender(Context& context, Service& service, Node& node, const ProducerOptions& options);

  void start();
  void stop_arrivals();
  /// Nothing waits, nothing is under way.
  bool idle();
  void tell_unfinished(std::vector<std::string>& lines);

 private:
  /// What is sent once more, when its time has come.
  struct Again {
    sim::Time due{};
    std::vector<SendEntry> entries;
  };

  void completed(Call& call) override;
  void process_crashed() override;
  void process_restarted() override;

  void turn();
  bool may_send() const { return calls() < options_.sqs.requests; }
  /// How many messages the next batch has; 0: it is not yet to be sent. Then `next_` says when it is.
  std::size_t due_now();
  void send_next(std::size_t count);
  void send_again();
  void give_up(Call& call, std::size_t first, std::size_t end);
  void report(Kind kind, std::uint64_t seq, std::uint64_t count, std::uint16_t code, std::int64_t c);
  SendEntry entry(std::size_t i);

  const ProducerOptions& options_;
  MessageSource source_;
  QueueIndex queue_;
  LaneId lane_{};
  std::uint64_t seq_ = 0;
  std::uint64_t group_ = 0;
  std::uint64_t next_id_ = 0;
  std::vector<std::int64_t> payload_;
  std::vector<Again> again_;  // in order of time
  sim::Time next_ = sim::kNever;
  StepCell& acknowledged_step_;
  NodeTimer<std::function<void()>> timer_;
  bool turning_ = false;
};

}  // namespace models::sqs
