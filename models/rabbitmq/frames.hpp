// What travels on a channel, from pools: closures on the network carry a reference.
#pragma once

#include <cstdint>
#include <vector>

#include "models/ids.hpp"
#include "models/pool.hpp"
#include "models/rabbitmq/message.hpp"
#include "sim/time.hpp"

namespace models::rabbitmq {

/// One message in a queue that it is routed to.
struct Copy {
  QueueIndex queue{};
  LaneId lane{};
  std::uint64_t seq = 0;
};

/// basic.publish, and what the publisher remembers of it until it is confirmed.
struct Publish {
  std::vector<Copy> copies;
  sim::Duration expiration{};  ///< 0: none
  sim::Time created{};
  std::int64_t key = -1;
  std::uint32_t size = 0;
  std::uint16_t address = 0;
  std::uint8_t priority = 0;
  bool persistent = true;

  std::uint32_t refs = 0;
  Shelf<Publish>* home = nullptr;
  void clear() { copies.clear(); }
};

/// basic.deliver.
struct Deliver {
  std::uint64_t number = 0;   ///< in the queue
  std::uint64_t ordinal = 0;  ///< which delivery of its consumer this is: the delivery tag
  std::uint64_t seq =
      0;  ///< with `lane` the message that its publisher published: a dead letter's is the first
  LaneId lane{};
  QueueIndex queue{};
  bool redelivered = false;

  std::uint32_t refs = 0;
  Shelf<Deliver>* home = nullptr;
  void clear() {}
};

/// What a consumer says of what it was delivered: basic.ack, basic.nack with requeue, basic.reject without.
enum class Answer : std::uint8_t { ack, nack_requeue, reject };

/// Bytes of a frame with method and content header, beside the body.
inline constexpr std::uint32_t kMethodBytes = 30;
inline constexpr std::uint32_t kContentBytes = 100;

}  // namespace models::rabbitmq
