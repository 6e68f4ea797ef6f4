// A subscription: messages that its filter policy lets through, on their way to its endpoint.
//
// Each is tried at once, then as the delivery policy says as long as the endpoint is unavailable. What is given up goes to the
// subscription's dead-letter queue, or is gone. A client-side error is given up at once: a queue that was deleted, or whose
// policy does not let SNS in (developer guide, "message delivery retries", "dead-letter queues").
//
// Of a FIFO topic one message of a group is on its way at a time.
//
// Model: what SNS has taken it keeps, whatever happens to its own hosts: messages are stored in several availability zones before
// Publish is answered ("message durability"). While its node is down or stands still nothing is delivered.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/context.hpp"
#include "models/network/node.hpp"
#include "models/rabbitmq/window.hpp"
#include "models/sns/endpoint.hpp"
#include "models/sns/options.hpp"
#include "sim/random.hpp"

namespace models::sns {

class Subscription final : private EndpointOwner {
 public:
  struct Setup {
    std::string name{};
    EntityId entity{};
    bool fifo = false;
    bool raw = false;
    RetryPolicy policy{};
    std::uint32_t receives_per_second = 0;
    bool http = false;
    /// Makes the endpoint, which answers to that owner.
    std::function<std::unique_ptr<Endpoint>(EndpointOwner&)> endpoint{};
    /// Takes what this one gives up; null: nobody.
    std::function<void(const Notification&)> dead_letters{};
    bool takes_dead_letters = false;  ///< it is that itself
  };
  Subscription(Context& context, Node& node, const sim::Distribution& delivery, const Setup& setup);

  EntityId place() const { return endpoint_->place(); }
  EntityId entity() const { return setup_.entity; }
  const std::string& name() const { return setup_.name; }
  Endpoint& endpoint() { return *endpoint_; }

  /// How often that has become of a message.
  std::uint64_t count(NotificationCode code) const { return counts_[static_cast<std::size_t>(code)]; }

  /// NumberOfNotificationsFailed: of HTTP/S every attempt that failed, retries among them; of others what was given up, however
  /// often it was tried (sns-monitoring-using-cloudwatch).
  std::uint64_t failures() const;

  void take(Notification n);
  /// A message that its filter policy does not let through.
  void filtered();
  /// The endpoint's policy lets SNS in, or does not (fault "deny-delivery").
  void deny(bool denied) { denied_ = denied; }

  bool idle() const { return waiting_.empty() && trying_.empty(); }
  void crashed();
  void restarted();

 private:
  struct Waiting {
    sim::Time due{};
    std::uint64_t order = 0;
    Notification notification{};
  };
  struct Trying {
    Notification notification{};
    bool open = false;  ///< not answered
  };
  static bool later(const Waiting& a, const Waiting& b) {
    return a.due != b.due ? a.due > b.due : a.order > b.order;
  }

  void answered(std::uint64_t token, Outcome outcome) override;
  void attempt_after(const Notification& n, sim::Duration delay);
  void attempt_due();
  void attempt(const Notification& n);
  void take_note(const Notification& n, Outcome outcome);
  void give_up(const Notification& n);
  void finished(const Notification& n);
  void tell(const Notification& n, NotificationCode code);
  void arm();

  Context& context_;
  Node& node_;
  Setup setup_;
  sim::Distribution delivery_;
  sim::Stream delays_;
  std::unique_ptr<Endpoint> endpoint_;
  std::vector<Waiting> waiting_;     // a heap: the first due first
  rabbitmq::Window<Trying> trying_;  // by token
  std::map<std::uint64_t, std::deque<Notification>>
      behind_;  // of a FIFO topic, by group that has one under way
  std::uint64_t order_ = 0;
  sim::Time next_slot_{};  // when throttled
  bool denied_ = false;
  std::array<std::uint64_t, 4> counts_{};  // by NotificationCode
  std::uint64_t failed_attempts_ = 0;
  NodeTimer<std::function<void()>> timer_;
};

}  // namespace models::sns
