// A process that calls SQS by an AWS SDK: calls, their time-outs and retries.
//
// A call that gets no answer in time, or an answer that promises better luck next time, is made again after a while (retry mode
// "standard": SDKs and Tools Reference Guide, retry behavior): at most max_attempts, and before the n-th retry a pause of a
// random share of min(backoff_max, backoff_base * 2^(n-1)). What was asked for may have been done by the attempt that was given
// up.
//
// Model: one connection for all calls of a process, on which answers do not wait for each other; the SDK has a pool of them. Its
// retry quota is not modelled.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/context.hpp"
#include "models/network/network.hpp"
#include "models/network/node.hpp"
#include "models/sqs/call.hpp"
#include "models/sqs/options.hpp"
#include "sim/random.hpp"

namespace models::sqs {

class Service;

class Client : public NodeProgram, public ConnectionListener {
 public:
  /// `options` outlives it.
  Client(Context& context, Service& service, Node& node, const SdkOptions& options);
  ~Client() override;

  Node& node() { return node_; }
  const Node& node() const { return node_; }
  /// Of all clients, from 0.
  std::uint32_t number() const { return number_; }

  /// From SQS, at this node.
  void responded(const Ref<Call>& call);

  // ConnectionListener
  void connected(ConnectionId id) override;
  void disconnected(ConnectionId id) override;
  // NodeProgram
  void crashed() override;
  void restarted() override;

 protected:
  Ref<Call> new_call(Action action, QueueIndex queue);
  /// Makes the call. completed() follows, once.
  void make(Ref<Call> call);
  /// Its outcome is in call.error, and in those of its entries.
  virtual void completed(Call& call) = 0;
  virtual void process_crashed() = 0;
  virtual void process_restarted() = 0;

  /// Calls that are under way.
  std::size_t calls() const { return under_way_; }
  /// Gives all calls up, and the connection. Nothing is completed.
  void hang_up();
  template <class Look>
  void for_each_call(Look look) const {
    for (const auto& p : pending_) {
      if (p->call) look(*p->call);
    }
  }

  Context& context_;
  Service& service_;
  Node& node_;

 private:
  struct Pending;
  struct OfPending {
    Pending* pending;
    void operator()() const { pending->client->due(*pending); }
  };
  struct Pending {
    Pending(Client& owner, std::uint32_t number);
    Client* client;
    std::uint32_t number;
    Ref<Call> call;  // null: free
    std::uint32_t attempts = 0;
    bool backing_off = false;
    bool sent = false;
    NodeTimer<OfPending> timer;
  };

  void attempt(Pending& p);
  void send(Pending& p);
  void due(Pending& p);
  void ended(Pending& p, Error error);
  void connect();

  const SdkOptions& options_;
  std::uint32_t number_;
  sim::Stream backoff_;
  ConnectionId connection_{};
  bool connecting_ = false;
  bool open_ = false;
  std::vector<std::unique_ptr<Pending>> pending_;
  std::vector<std::uint32_t> free_;
  std::size_t under_way_ = 0;
  std::uint32_t next_attempt_ = 0;
};

}  // namespace models::sqs
