// The part of a World that is Amazon SNS: its topics and subscriptions, and who publishes to them. Who reads is SQS's, or a
// dependency.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/broker_system.hpp"

namespace models::sqs {
class Service;
}

namespace models::sns {

class Endpoint;
class EndpointOwner;
class Publisher;
class Service;
class Subscription;
struct SubscriptionOptions;

class System final : public BrokerSystem {
 public:
  /// `sqs` (null: there is none) and `site` outlive it. Requires that the scenario has an SNS. All that builds throws
  /// ScenarioError when parts of the scenario do not fit together.
  System(const Site& site, sqs::Service* sqs);
  ~System() override;
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  Service& service() { return *service_; }

  // BrokerSystem
  void add_writers() override;
  /// Subscriptions: by now there are dependencies.
  void add_readers() override;
  void add_targets(FaultInjector& faults) override;
  void watch_invariants() override {}
  void tell() override;
  void start_brokers() override {}
  void start_readers() override {}
  void start_writers() override;
  void stop_arrivals() override;
  /// Publishers have their answers, and nothing is on its way to a subscriber.
  bool idle() const override;
  void tell_unfinished(std::vector<std::string>& lines) const override;
  void tell_end() override;
  std::optional<std::string> broken() override { return std::nullopt; }

 private:
  void add_subscription(const SubscriptionOptions& options);
  std::unique_ptr<Endpoint> queue_endpoint(const std::string& path, const std::string& queue, bool fifo_topic,
                                           EndpointOwner& owner);
  void redrive_to(const SubscriptionOptions& options, bool fifo);

  const Site& site_;
  sqs::Service* sqs_;
  std::unique_ptr<Service> service_;
  std::vector<std::unique_ptr<Publisher>> publishers_;
  /// What brings a subscription's dead letters to their queue.
  struct DeadLetters {
    std::unique_ptr<Subscription> way;
    LaneId lane{};
    std::uint64_t seq = 0;
  };
  std::vector<std::unique_ptr<DeadLetters>> dead_letters_;
};

}  // namespace models::sns
