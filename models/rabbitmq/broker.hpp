// A RabbitMQ node: the server's ends of its clients' channels, its queues, and what it tells the trace.
//
// Model: one node. Classic queues are on one node each and are not replicated since 4.0, so that a cluster's other nodes would
// add forwarding alone. What the node does takes no time but for the disk: a queue writes what was published since its last
// write, `disk_write` long, and confirms then (rabbit_variable_queue.erl, sync: when the process is idle, or after 200 ms; the
// classic queue's storage v2 writes to files and does not fsync them, so that a crash of the process takes what was not
// written, and no more). A crash and a power loss are one: what the operating system's cache would lose is not modelled.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "models/context.hpp"
#include "models/network/network.hpp"
#include "models/network/node.hpp"
#include "models/rabbitmq/classic_queue.hpp"
#include "models/rabbitmq/frames.hpp"
#include "models/rabbitmq/options.hpp"
#include "models/rabbitmq/topology.hpp"
#include "sim/random.hpp"

namespace models::rabbitmq {

class Broker;
class Client;

/// The server's end of a channel. The object stays; `epoch` tells one life from the next.
class Session {
 public:
  /// What a timer of the session calls.
  struct OfSession {
    Session* session;
    void (*call)(Session&);
    void operator()() const { call(*session); }
  };
  Session(Broker& owner, sim::Simulation& simulation, Node& node);
  struct Consuming {
    QueueIndex queue{};
    ConsumerId consumer{};
  };
  Broker* broker;
  Client* client = nullptr;
  ConnectionId connection{};
  std::vector<Consuming> consuming;
  std::uint32_t epoch = 0;
  bool open = false;
  bool confirms = false;
  std::uint64_t received = 0;  // frames
  std::uint64_t received_before = 0;
  std::uint64_t sent = 0;
  std::uint64_t sent_before = 0;
  std::uint32_t ticks = 0;
  std::uint32_t missed = 0;
  /// By publish sequence number: queues that have not accepted it for good yet; with kRejected where one refuses.
  Window<std::uint16_t> unconfirmed;
  NodeTimer<OfSession> heartbeat_timer;
  NodeTimer<OfSession> tick_timer;
};

class Broker final : public NodeProgram {
 public:
  Broker(Context& context, const BrokerOptions& options, Node& node);
  ~Broker() override;

  Node& node() { return node_; }
  const BrokerOptions& options() const { return options_; }
  const Topology& topology() const { return topology_; }
  Context& context() { return context_; }
  ClassicQueue& queue(QueueIndex q) { return queues_[q.value]->queue; }
  EntityId entity(QueueIndex q) const { return queues_[q.value]->entity; }

  // ---- while the world is built ----
  /// A way for messages to come in: exchange, routing key, headers. Returns its number; targets() says where it leads.
  std::uint16_t address(ExchangeIndex exchange, const std::string& key, const Headers& headers);
  const std::vector<QueueIndex>& targets(std::uint16_t address) const { return addresses_[address].targets; }
  /// The group that reads the queue. One at most: its members compete.
  void read_by(QueueIndex q, EntityId group) { queues_[q.value]->group = group; }
  EntityId reader(QueueIndex q) const { return queues_[q.value]->group; }
  Pool<Publish>& publish_frames() { return publish_frames_; }

  // ---- timers of sessions ----
  void heartbeat_due(Session& session);
  void tick(Session& session);

  // ---- frames that arrive ----
  void opening(Client& client, ConnectionId id, bool last);
  void published(Session& session, const Publish& frame);
  void answered(Session& session, QueueIndex queue, std::uint64_t ordinal, Answer how);

  // ---- the run ----
  /// Says who reads what.
  void tell() const;
  /// Says what is there when the run ends.
  void tell_depths() const;
  /// Nothing is on its way from or to clients, or in their hands, and nothing is being written.
  bool idle() const;

  /// The books of a queue that do not agree, in words. Changes nothing.
  std::optional<std::string> broken() const;

  // NodeProgram
  void crashed() override;
  void restarted() override;

 private:
  struct Address {
    ExchangeIndex exchange{};
    std::string key;
    Headers headers;
    std::vector<QueueIndex> targets;
  };
  /// A queue with its surroundings.
  struct Place final : QueueOwner {
    Place(Broker& owner, QueueIndex index, const QueueOptions& options, EntityId named);
    void stored(const Message& m) override;
    void dispatched(const Message& m, ConsumerId to, std::uint64_t ordinal) override;
    void settled(const Message& m, SettledCode how) override;
    void requeued(const Message& m, RequeuedCode why) override;
    void removed(const Message& m, RemovedCode why) override;
    sim::TraceRecord record(const Message& m) const;

    Broker& broker;
    QueueIndex index;
    EntityId entity;
    EntityId group{};
    LaneId dead_letter_lane{};
    std::uint64_t dead_letter_seq = 0;
    ClassicQueue queue;
    std::vector<Session*> holders;  // by consumer
    /// Who waits for what is not written, and for what is being written.
    struct Confirm {
      Session* session;
      std::uint32_t epoch;
      std::uint64_t tag;
    };
    std::vector<Confirm> waiting;
    std::vector<Confirm> writing;
    std::uint64_t writing_below = 0;
    bool written_to = false;  // something was published since the last write began
    bool busy = false;
    bool touched = false;
    NodeTimer<std::function<void()>> write_timer;
    NodeTimer<std::function<void()>> expiry_timer;
  };
  struct DeadLetter {
    Message message;
    RemovedCode why{};
    QueueIndex from{};
    std::vector<QueueIndex> to{};
  };

  Session& take_session();
  void open(Client& client, ConnectionId id);
  void end(Session& session);
  void close(Session& session);
  void accepted(Session& session, std::uint64_t tag);
  /// What a queue made of a message that came in. `once_written`: it is the queue's for good when that was written, and
  /// begin_write() is to follow.
  enum class Taken : std::uint8_t { refused, at_once, once_written };
  Taken put(Place& place, Message& m);
  void begin_write(Place& place);
  void wrote(Place& place);
  /// What every operation on queues ends with: dead letters go where they go, and timers are set.
  void settle_down();
  void touch(Place& place);
  void set_expiry(Place& place);
  /// What a message becomes that a queue lets go. Nothing: it leads nowhere.
  std::optional<DeadLetter> dead_letter(const Place& from, const Message& m, RemovedCode why);
  void publish_dead_letters();
  bool instant_disk() const { return options_.disk_write.is_constant() && options_.disk_write.mean() == 0; }
  sim::Time now() const { return context_.now(); }

  Context& context_;
  BrokerOptions options_;
  Node& node_;
  Topology topology_;
  std::vector<std::unique_ptr<Place>> queues_;
  std::vector<Address> addresses_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<Session*> free_sessions_;
  Histories histories_;
  std::vector<DeadLetter> dead_letters_;
  std::vector<Place*> touched_;  // since the last settle_down()
  Pool<Publish> publish_frames_;
  Pool<Deliver> deliver_frames_;
  sim::Stream disk_;
  StepCell& appended_step_;
};

}  // namespace models::rabbitmq
