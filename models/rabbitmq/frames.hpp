// What travels on a channel, from pools: closures on the network carry a reference.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "models/ids.hpp"
#include "models/pool.hpp"
#include "models/rabbitmq/message.hpp"
#include "models/rabbitmq/options.hpp"
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
  std::uint32_t bytes = 0;  ///< of its body
  bool redelivered = false;
  bool ends_chunk = false;      ///< of a stream: the last message of a chunk
  std::uint32_t log_epoch = 0;  ///< of a stream: in which it was written

  std::uint32_t refs = 0;
  Shelf<Deliver>* home = nullptr;
  void clear() {}
};

/// What a consumer says of what it was delivered: basic.ack, basic.nack with requeue, basic.reject without.
enum class Answer : std::uint8_t { ack, nack_requeue, reject };

/// What several deliveries of a channel are answered with at once: basic.ack and basic.nack with `multiple`.
struct Answers {
  struct One {
    QueueIndex queue{};
    std::uint64_t ordinal = 0;
  };
  std::vector<One> all;  ///< what is unanswered up to the delivery tag
  Answer how{};

  std::uint32_t refs = 0;
  Shelf<Answers>* home = nullptr;
  void clear() { all.clear(); }
};

/// What all consumers of a channel may hold together (basic.qos with `global`; rabbit_limiter.erl).
/// Model: queues ask the channel's limiter in no time.
struct ChannelLimit {
  std::uint32_t most = 0;  ///< 0: no limit
  std::uint32_t held = 0;
};

class Client;
class Queue;
class Session;

struct ConsumerOptions {
  std::uint32_t prefetch = 0;  ///< 0: no limit
  bool automatic = false;      ///< no-ack: prefetch does not count
  std::int32_t priority = 0;   ///< x-priority
  bool exclusive = false;      ///< nobody else may consume
  ChannelLimit* limit = nullptr;
  EntityId group{};                               ///< whose it is
  StreamOffset offset{};                          ///< x-stream-offset
  const StreamConsumerOptions* stream = nullptr;  ///< it speaks the stream protocol
  Client* client = nullptr;                       ///< whose channel it is
};

/// Of a dead letter: what it was, and what became of that.
struct Origin {
  EntityId queue{};
  std::uint64_t number = 0;
  RemovedCode why{};
};

/// What one node tells another about a channel and a queue. Which fields count goes by `what`.
struct Relay {
  enum class What : std::uint8_t {
    publish,
    accepted,
    refused,
    consume,
    leave,
    answer,
    deliver,
    dead_letter,
    // ---- of quorum queues ----
    applied,  ///< `number`: the client's sequence number
    leader,   ///< `number`: the member that leads; what is pending goes there
    full,
    not_full,
    cancelled,
    // ----
    not_yours
  };
  What what{};
  Answer how{};
  Queue* queue = nullptr;
  Session* session = nullptr;
  std::uint32_t epoch = 0;  ///< of the session
  std::uint16_t at = 0;     ///< node that it comes out at
  std::uint16_t from = 0;
  std::uint32_t client = 0;  ///< of a quorum queue
  std::uint64_t number = 0;  ///< tag of a publish, ordinal of a delivery
  std::uint64_t awaits = 0;  ///< of a publish that wants an answer, and of that: which it is, + 1
  Message message{};
  Origin origin{};
  ConsumerOptions consumer{};
  Ref<Deliver> frame{};
  Histories* owed = nullptr;  ///< where its message's history is until a queue has taken it over

  std::uint32_t refs = 0;
  Shelf<Relay>* home = nullptr;
  void clear() {
    frame = {};
    awaits = 0;
    if (owed != nullptr) std::exchange(owed, nullptr)->forget(message.history);
  }
};

/// Bytes of a frame with method and content header, beside the body.
inline constexpr std::uint32_t kMethodBytes = 30;
inline constexpr std::uint32_t kContentBytes = 100;

}  // namespace models::rabbitmq
