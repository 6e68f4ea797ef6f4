// What the nodes of a cluster ask of a queue, whatever its type (rabbit_queue_type.erl): the seam that classic queues, quorum
// queues and streams hang on.
//
// To add a type: a class that derives from Queue, in a file pair of its own; its line in Cluster::make_queue(); its value of
// QueueType and what it refuses in the scenario reader (rabbitmq_tables.cpp, rabbitmq_coherence.cpp). Nodes, channels and clients
// know of no type.
//
// A channel (Session) lives on the node that its client is connected to, and a queue, or its leader, where it pleases. Calls that
// name a Session are made at the Session's node, at the moment when the frame has come in there. What has to be done at another
// node is sent there by Cluster::relay(), and comes out in relayed() at that node; a relay may get lost, with the link between
// two nodes, of which link_down() tells both. A channel is known by its Session and the epoch that the Session had: by the time
// that something arrives for it, it may have ended.
//
// What a queue does to a channel: Broker::answer_publish() for each publish() that said `later`, Broker::deliver() with a frame
// of Cluster::deliver_frames(), Broker::close() when a consumer was cancelled. What a queue tells the trace it tells itself:
// stored, dispatched, settled, requeued, removed, with dense numbers for its messages (trace_kinds.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/ids.hpp"
#include "models/rabbitmq/frames.hpp"
#include "models/rabbitmq/message.hpp"
#include "models/rabbitmq/options.hpp"
#include "sim/time.hpp"

namespace models::rabbitmq {

class Broker;
class Cluster;
class Session;

/// What a queue made of a message that came in. `refused` and `at_once` are its last word. `later`: here, and its answer comes
/// once it is the queue's for good. `elsewhere`: the same, and another node appends it.
enum class Taken : std::uint8_t { refused, at_once, later, elsewhere };

class Queue {
 public:
  struct Depth {
    std::uint64_t ready = 0;
    std::uint64_t unacknowledged = 0;
    std::uint64_t consumers = 0;
  };

  /// Bytes.
  struct Usage {
    std::int64_t memory = 0;
    std::int64_t disk = 0;
  };

  Queue(Cluster& cluster, QueueIndex index, const QueueOptions& options, EntityId entity)
      : cluster_(cluster), options_(options), index_(index), entity_(entity) {}
  virtual ~Queue() = default;
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  const QueueOptions& options() const { return options_; }
  Cluster& cluster() const { return cluster_; }
  QueueIndex index() const { return index_; }
  EntityId entity() const { return entity_; }
  /// Groups that read it: one at most whose members compete, or, of a log, any number that read all of it each.
  const std::vector<EntityId>& groups() const { return groups_; }
  EntityId group() const { return groups_.empty() ? EntityId{} : groups_.front(); }
  void read_by(EntityId group) { groups_.push_back(group); }
  virtual bool is_log() const { return false; }

  // ---- from a channel, at its node ----
  /// `tag`: what to answer for, where the channel has confirms. The history of `m` is the queue's from here on, also when it
  /// refuses the message.
  virtual Taken publish(Session& session, std::uint64_t tag, Message& m) = 0;
  /// basic.consume. False: there is nobody to consume from.
  virtual bool consume(Session& session, const ConsumerOptions& consumer) = 0;
  virtual void answer(Session& session, std::uint64_t ordinal, Answer how) = 0;
  /// The channel has acknowledged what it held of another queue, and its limit for all (basic.qos with `global`) has room again.
  virtual void has_room(Session& session) { static_cast<void>(session); }
  /// The channel has ended, and consumed; `epoch` was its Session's. Its node lives.
  virtual void leave(Session& session, std::uint32_t epoch) = 0;
  /// When the oldest message was dispatched that the channel still holds; kNever when it holds none. For channels that are closed
  /// by consumer_timeout.
  virtual sim::Time oldest_held(Session& session) {
    static_cast<void>(session);
    return sim::kNever;
  }

  /// store_offset, of consumers of a log that have a name.
  virtual void store_offset(Session& session, std::int64_t offset) {
    static_cast<void>(session);
    static_cast<void>(offset);
  }

  // ---- from another queue's dead letters, at the node that they leave ----
  /// `m` was offered. What becomes of it is told by the queue: republished, or failed.
  virtual void take_dead_letter(Broker& from, Message& m, const Origin& origin) = 0;

  // ---- from nodes ----
  virtual void relayed(Broker& at, Relay& relay) {
    static_cast<void>(at);
    static_cast<void>(relay);
  }
  /// What every operation at a node ends with, of queues that have asked for it (Broker::touch).
  virtual void settle(Broker& at) { static_cast<void>(at); }
  virtual void started() {}
  virtual void node_crashed(Broker& node) = 0;
  virtual void node_restarted(Broker& node) = 0;
  /// `at` has lost `other`, or can talk to it again. Both ends are told, each when it notices.
  virtual void link_down(Broker& at, Broker& other) {
    static_cast<void>(at);
    static_cast<void>(other);
  }
  virtual void link_up(Broker& at, Broker& other) {
    static_cast<void>(at);
    static_cast<void>(other);
  }
  /// The failure detector of `at` suspects `other`, or no longer.
  virtual void suspected(Broker& at, Broker& other, bool suspect) {
    static_cast<void>(at);
    static_cast<void>(other);
    static_cast<void>(suspect);
  }

  // ---- state ----
  virtual Depth depth() const = 0;
  /// Nothing is left that could be given to the group.
  virtual bool finished(EntityId group) const {
    static_cast<void>(group);
    const Depth left = depth();
    return left.ready == 0 && left.unacknowledged == 0;
  }
  /// Nodes that its consumers may connect to, and the one that its publishers do; for who speaks the stream protocol.
  virtual bool is_at(const Broker& node) const { return &node == &leader(); }
  /// "3 with billing/0, …": who has been sent what is not acknowledged; empty where it does not say.
  virtual std::string holders() const { return {}; }
  /// What it needs of that node, for alarms.
  virtual Usage usage(const Broker& node) const = 0;
  /// False: it is deleted, or not declared yet.
  virtual bool exists() const { return true; }
  /// Where its messages are: the node of a classic queue, the leader of a replicated one, or who was the last.
  virtual Broker& leader() const = 0;
  /// Something of it is on its way or is being written.
  virtual bool busy() const = 0;
  /// Adds a line for each thing that is under way, with what it waits for.
  virtual void tell_unfinished(std::vector<std::string>& lines) const { static_cast<void>(lines); }
  /// Its books do not agree, in words. Changes nothing.
  virtual std::optional<std::string> broken() const = 0;

 protected:
  Cluster& cluster_;
  const QueueOptions options_;
  const QueueIndex index_;
  const EntityId entity_;
  std::vector<EntityId> groups_;
};

}  // namespace models::rabbitmq
