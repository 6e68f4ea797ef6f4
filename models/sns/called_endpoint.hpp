// An endpoint that SNS calls: HTTP and HTTPS, AWS Lambda, Amazon Data Firehose; a modelled service (Dependency).
//
// An answer is success; a refusal, an overload (503) and a connection that breaks are server-side errors, and so is no answer
// within 15 s. A service that answers too late has done the work all the same, and will do it again.
//
// In the trace the subscription is a queue, read by a group of its own name: what SNS has accepted lies there until the service
// has answered, or SNS gives up.
//
// Model: the answer to a call that was timed out is not heard by SNS; what the service did is (Kind::processed).
#pragma once

#include <functional>

#include "models/clients/dependency.hpp"
#include "models/context.hpp"
#include "models/network/node.hpp"
#include "models/rabbitmq/window.hpp"
#include "models/sns/endpoint.hpp"
#include "sim/random.hpp"

namespace models::sns {

class CalledEndpoint final : public Endpoint, private DependencyClient {
 public:
  /// `place`: the subscription.
  CalledEndpoint(Context& context, Node& node, EntityId place, EntityId group, const std::string& name,
                 Dependency& service, sim::Duration timeout, EndpointOwner& owner);

  EntityId place() const override { return place_; }
  void accepted(Notification& n) override;
  void attempted(const Notification& n) override;
  void deliver(std::uint64_t token, const Notification& n) override;
  void put_back(const Notification& n) override;
  void settled(const Notification& n) override;
  void gave_up(const Notification& n, bool dead_lettered) override;
  void tell() const override;
  void tell_end() const override;

 private:
  /// One that was made; late: SNS waits for it no more.
  struct Call {
    std::uint64_t number = 0;  ///< of the message
    std::uint64_t token = 0;
    sim::Time deadline{};
    bool open = false;
    bool late = false;
  };

  void answered(std::uint64_t token, CallCode code) override;
  void timed_out();
  void arm();
  void emit(Kind kind, std::uint64_t number, std::uint16_t code = 0, std::int64_t c = 0,
            std::span<const std::int64_t> payload = {}) const;

  Context& context_;
  Node& node_;
  EntityId place_;
  EntityId group_;
  Dependency& service_;
  sim::Duration timeout_;
  EndpointOwner& owner_;
  sim::StreamKey work_;
  rabbitmq::Window<Call> calls_;
  std::uint64_t waiting_from_ = 0;  // of these, none before is waited for
  std::uint64_t next_number_ = 0;
  std::int64_t ready_ = 0;
  std::int64_t under_way_ = 0;
  NodeTimer<std::function<void()>> timer_;
};

}  // namespace models::sns
