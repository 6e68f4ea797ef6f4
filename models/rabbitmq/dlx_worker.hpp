// Dead letters of a quorum queue with the strategy at-least-once (rabbit_fifo_dlx_worker.erl): on the node of its leader, it
// publishes what the queue has let go with confirms, so many at a time, and tells the queue when all queues that it is routed
// to have it. Who refuses or does not answer is sent it again after a while. Whoever leads next begins anew with all that has
// not arrived.
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

  void work(const std::vector<RabbitFifo::Dead>& dead);
  void stop();
  /// The process has ended.
  void crashed();

  void publish_answered(std::uint64_t tag, bool accepted) override;

 private:
  struct Letter {
    std::uint64_t id = 0;
    RabbitFifo::Dead dead{};
    std::vector<QueueIndex> missing{};  ///< queues that have not confirmed it
    std::uint32_t outstanding = 0;
    sim::Time again = sim::kNever;
  };
  struct Copy {
    std::uint64_t letter = 0;
    QueueIndex to{};
    Message message{};
    Origin origin{};
    bool answered = false;
  };
  void publish(Letter& letter);
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
