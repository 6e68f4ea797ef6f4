// What is written into a quorum queue's log (rabbit_fifo's commands).
#pragma once

#include <cstdint>
#include <utility>

#include "models/pool.hpp"
#include "models/rabbitmq/frames.hpp"
#include "models/rabbitmq/message.hpp"
#include "models/rabbitmq/rabbit_fifo.hpp"

namespace models::rabbitmq {

struct Command {
  enum class What : std::uint8_t {
    enqueue,
    consume,
    answer,
    down,
    suspect,
    trust,
    give_up,
    tick,
    bury,
    dead_letter
  };
  What what{};
  Answer how{};
  ClientId client{};
  std::uint64_t seq =
      0;  ///< the client's number for this command, by which it hears that it was applied; 0: it need not
  std::uint64_t number = 0;  ///< the enqueuer's sequence number, the ordinal of a delivery, or whom to bury
  Message message{};
  Origin origin{};         ///< of a dead letter
  std::uint16_t from = 0;  ///< node that has offered a dead letter
  ConsumerOptions consumer{};
  Histories* owed = nullptr;  ///< where its message's history is until the queue has stored it

  std::uint32_t refs = 0;
  Shelf<Command>* home = nullptr;
  void clear() {
    if (owed != nullptr) std::exchange(owed, nullptr)->forget(message.history);
  }
};

class QuorumQueue;

/// A command on its way to a member that may lead.
struct Submission {
  Ref<Command> command{};
  QuorumQueue* queue = nullptr;
  std::uint16_t to = 0;  ///< member

  std::uint32_t refs = 0;
  Shelf<Submission>* home = nullptr;
  void clear() { command = {}; }
};

}  // namespace models::rabbitmq
