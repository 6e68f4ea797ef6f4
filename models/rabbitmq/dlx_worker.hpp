// Dead letters of a quorum queue with the strategy at-least-once (rabbit_fifo_dlx_worker.erl): on the node of its leader, it
// publishes what the queue has let go with confirms, so many at a time, and tells the queue when all queues that it is routed
// to have it. What was refused, or not answered, or led nowhere, is routed anew after a while, and sent to who does not have it.
// Whoever leads next begins anew with all that has not arrived.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "models/network/node.hpp"
#include "models/rabbitmq/broker.hpp"
#include "models/rabbitmq/rabbit_fifo.hpp"

namespace models::rabbitmq {

class DlxWorker final : public PublishListener {
 public:
  /// `arrived`: what of `queue` has this number in dead() is where it goes.
  DlxWorker(Broker& at, Queue& queue, std::function<void(std::uint64_t)> arrived);

  void work(const Window<RabbitFifo::Dead>& dead);
  void stop();
  /// The process has ended.
  void crashed();
  /// The queue is deleted.
  void forget() { letters_.clear(); }

  void publish_answered(std::uint64_t tag, bool accepted) override;

 private:
  /// A queue that is in none of these has not been sent it.
  struct Letter {
    std::uint64_t id = 0;
    RabbitFifo::Dead dead{};
    std::vector<QueueIndex> unsettled{};
    std::vector<QueueIndex> rejected{};
    std::vector<QueueIndex> settled{};
    sim::Time again{};  ///< when it may be published again
  };
  struct Copy {
    std::uint64_t letter = 0;
    QueueIndex to{};
    Message message{};
    Origin origin{};
    bool answered = false;
  };
  void publish(std::uint64_t id);
  void send(std::uint64_t id, const DeadLetter& made, QueueIndex to);
  void arrived(std::uint64_t id);
  void try_again();
  Letter* find(std::uint64_t id);

  Broker& at_;
  Queue& queue_;
  std::function<void(std::uint64_t)> arrived_;
  Session* session_ = nullptr;
  std::uint64_t next_ = 0;  // of dead(): taken up to here
  std::vector<Letter> letters_;
  Window<Copy> copies_;  // by tag
  NodeTimer<std::function<void()>> timer_;
};

}  // namespace models::rabbitmq
