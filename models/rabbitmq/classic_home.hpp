// A classic queue with its surroundings: the node that it lives on, whose disk it writes to, and the channels that use it, there
// and at other nodes.
//
// It lives on one node and is not replicated. While that node is down, or cannot be reached, what is published to it is refused
// (rabbit_classic_queue.erl, handle_event down: a reject of all that is outstanding), and who wants to consume is too
// (NOT_FOUND, home node is down or inaccessible).
//
// Model: a consumer whose queue goes is told by basic.cancel, and its application opens its channel anew, as Spring's listener
// container does; here the node closes the channel.
#pragma once

#include <functional>
#include <vector>

#include "models/network/node.hpp"
#include "models/rabbitmq/classic_queue.hpp"
#include "models/rabbitmq/queue.hpp"
#include "models/rabbitmq/window.hpp"
#include "sim/trace.hpp"

namespace models::rabbitmq {

class ClassicHome final : public Queue, public QueueOwner {
 public:
  ClassicHome(Cluster& cluster, QueueIndex index, const QueueOptions& options, EntityId entity, Broker& home);

  // Queue
  Taken publish(Session& session, std::uint64_t tag, Message& m) override;
  bool consume(Session& session, const ConsumerOptions& consumer) override;
  void answer(Session& session, std::uint64_t ordinal, Answer how) override;
  void has_room(Session& session) override;
  void leave(Session& session, std::uint32_t epoch) override;
  sim::Time oldest_held(Session& session) override;
  void take_dead_letter(Broker& from, Message& m, const Origin& origin) override;
  void relayed(Broker& at, Relay& relay) override;
  void settle(Broker& at) override;
  void node_crashed(Broker& node) override;
  void node_restarted(Broker& node) override;
  void link_down(Broker& at, Broker& other) override;
  void started() override;
  Depth depth() const override { return {queue_.ready(), queue_.unacknowledged(), queue_.consumers()}; }
  bool exists() const override { return exists_; }
  Broker& leader() const override { return home_; }
  std::string holders() const override;
  Usage usage(const Broker& node) const override;
  bool busy() const override { return writing_now_ || !mailbox_.empty(); }
  std::optional<std::string> broken() const override { return queue_.broken(); }

  // QueueOwner
  void stored(const Message& m) override;
  void dispatched(const Message& m, ConsumerId to, std::uint64_t ordinal) override;
  void settled(const Message& m, SettledCode how) override;
  void requeued(const Message& m, RequeuedCode why) override;
  void removed(const Message& m, RemovedCode why) override;

 private:
  /// A channel that consumes; null: nobody.
  struct Holder {
    Session* session = nullptr;
    std::uint32_t epoch = 0;
    Client* client = nullptr;  // the session's may be another before the queue has heard of its end
  };
  /// Who waits for what is not written, or was sent to its home.
  struct Confirm {
    Session* session = nullptr;
    std::uint32_t epoch = 0;
    std::uint64_t tag = 0;
    std::uint64_t awaits = 0;  // of a channel at another node: its number among outstanding_, + 1
  };

  /// What has been published and its process has not come to yet, and with whom it has how much credit.
  struct Incoming {
    Session* session = nullptr;
    std::uint32_t epoch = 0;
    std::uint64_t tag = 0;
    Message message{};
  };
  struct Sender {
    Session* session;
    std::uint32_t epoch;
    std::uint32_t credit;
    std::uint32_t processed;
  };

  Taken put(Message& m);
  Taken post(Session& session, std::uint64_t tag, const Message& m);
  void process();
  void give_credit(const Incoming& done);
  /// What a full queue makes of it.
  void refuse(const Message& m);
  /// False: an exclusive consumer is there, or this one would be one and is not the first (ACCESS_REFUSED).
  bool add_consumer(Session& session, std::uint32_t epoch, const ConsumerOptions& options);
  void remove_consumer(ConsumerId consumer);
  std::optional<ConsumerId> consumer_of(const Session& session, std::uint32_t epoch) const;
  bool answered(ConsumerId consumer, std::uint64_t ordinal, Answer how);
  void set_exists(bool exists);
  void unused();
  void take(Broker& offered_by, Message& m, const Origin& origin);
  void taken(const Confirm& confirm, bool accepted);
  void answered_elsewhere(Broker& at, const Relay& relay);
  void forget_answered();
  void published_elsewhere(const Relay& relay);
  void begin_write();
  void wrote();
  Ref<Relay> relay(Relay::What what, Session& session, std::uint32_t epoch) const;
  bool to_home(Broker& from, std::uint32_t bytes, Ref<Relay> relay);
  sim::TraceRecord record(const Message& m) const;
  sim::Time now() const;

  Broker& home_;
  ClassicQueue queue_;
  std::vector<Holder> holders_;  // by consumer
  std::vector<Confirm> waiting_;
  std::vector<Confirm> writing_;
  Window<Confirm> outstanding_;  // of channels at other nodes, on their side; null: answered
  std::uint64_t writing_below_ = 0;
  bool written_to_ = false;  // something was published since the last write began
  bool writing_now_ = false;
  NodeTimer<std::function<void()>> write_timer_;
  bool exists_ = true;
  bool exclusively_ = false;  // its consumer is an exclusive one
  NodeTimer<std::function<void()>> expiry_timer_;
  NodeTimer<std::function<void()>> unused_timer_;
  Fifo<Incoming> mailbox_;
  std::vector<Sender> senders_;
  NodeTimer<std::function<void()>> process_timer_;
};

}  // namespace models::rabbitmq
