// Where a subscription's messages go: what SNS calls, and what comes of a call.
#pragma once

#include <cstdint>

#include "models/ids.hpp"
#include "models/sqs/group_key.hpp"
#include "sim/time.hpp"

namespace models::sns {

/// A message on its way to one subscriber.
struct Notification {
  std::uint64_t seq = 0;     ///< with `lane`: which message it is there
  std::uint64_t number = 0;  ///< of an endpoint that is called: the place's number of it
  sim::Time published{};
  LaneId lane{};
  std::uint32_t size = 0;
  sqs::GroupKey group{};            ///< MessageGroupId, of a FIFO topic
  std::uint64_t deduplication = 0;  ///< MessageDeduplicationId, likewise
  std::uint32_t retries = 0;
  bool too_many_attributes = false;  ///< for raw delivery
};

/// client_error: it is gone, or does not let SNS in: not tried again. server_error: it is unavailable, or has not answered.
enum class Outcome : std::uint8_t { delivered, client_error, server_error };

class EndpointOwner {
 public:
  virtual ~EndpointOwner() = default;
  /// Not from inside deliver().
  virtual void answered(std::uint64_t token, Outcome outcome) = 0;
};

class Endpoint {
 public:
  virtual ~Endpoint() = default;
  /// The queue or whatever its messages lie in.
  virtual EntityId place() const = 0;
  /// The subscription has it from now on.
  virtual void accepted(Notification&) {}
  virtual void deliver(std::uint64_t token, const Notification& n) = 0;
  /// An attempt begins, which may come to nothing before it is delivered …
  virtual void attempted(const Notification&) {}
  /// … and has failed; there will be another.
  virtual void put_back(const Notification&) {}
  /// It was delivered.
  virtual void settled(const Notification&) {}
  /// It will not be tried any more. `dead_lettered`: a dead-letter queue gets it.
  virtual void gave_up(const Notification&, bool dead_lettered) { static_cast<void>(dead_lettered); }
  /// SNS's host has died: nobody waits for what was under way.
  virtual void abandon() {}
  /// Who reads what.
  virtual void tell() const {}
  /// What is there when the run ends.
  virtual void tell_end() const {}
};

}  // namespace models::sns
