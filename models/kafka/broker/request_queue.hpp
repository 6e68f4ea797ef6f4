// The requests that a broker has read and no request handler works on yet (RequestChannel.scala, SocketServer.scala).
//
// At most queued.max.requests are queued. The network thread that has read one more waits until there is room: meanwhile it
// reads nothing from any of its connections, and sends no answers over them. Connections are spread over num.network.threads.
//
// Model: a connection's network thread is its number modulo num.network.threads; Kafka hands connections out in turn as they are
// accepted.
#pragma once

#include <optional>
#include <vector>

#include "models/kafka/config.hpp"
#include "models/kafka/rpc.hpp"
#include "sim/ring.hpp"

namespace models::kafka {

class RequestQueue {
 public:
  explicit RequestQueue(const BrokerConfig& config)
      : most_(static_cast<std::size_t>(config.queued_max_requests)),
        threads_(static_cast<std::size_t>(config.num_network_threads)) {}

  bool empty() const { return queue_.empty(); }
  /// Queued, or kept by its network thread until there is room.
  void push(AnyCall call);
  /// The oldest. Requires !empty(). There is room for another then: `released` gets the answers that a network thread kept.
  AnyCall pop(std::vector<AnyCall>& released);
  /// The network thread of this answer's connection waits: it is kept until that goes on. The call is then gone.
  bool keeps(AnyCall& answer);
  /// The process died.
  void clear();

 private:
  struct NetworkThread {
    sim::Ring<AnyCall> unread;  ///< the first is the one that found no room
    std::vector<AnyCall> answers;
  };
  NetworkThread& thread_of(AnyCall& call);

  std::size_t most_;
  sim::Ring<AnyCall> queue_;
  std::vector<NetworkThread> threads_;
  sim::Ring<NetworkThread*> waiting_;  // in the order in which they found no room
};

}  // namespace models::kafka
