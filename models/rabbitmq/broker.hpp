// A RabbitMQ node: the server's ends of its clients' channels, and what the queues that live on it share: its disk, its dead
// letters.
//
// What the node does takes no time but for the disk: a queue writes what was published since its last write, `disk_write` long,
// and confirms then (rabbit_variable_queue.erl, sync: when the process is idle, or after 200 ms; the classic queue's storage v2
// writes to files and does not fsync them, so that a crash of the process takes what was not written, and no more). A crash and
// a power loss are one: what the operating system's cache would lose is not modelled.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "models/context.hpp"
#include "models/network/network.hpp"
#include "models/network/node.hpp"
#include "models/rabbitmq/classic_queue.hpp"
#include "models/rabbitmq/cluster.hpp"
#include "models/rabbitmq/frames.hpp"
#include "models/rabbitmq/options.hpp"
#include "models/rabbitmq/queue.hpp"
#include "models/rabbitmq/topology.hpp"
#include "models/rabbitmq/wal.hpp"
#include "models/rabbitmq/window.hpp"
#include "sim/random.hpp"

namespace models::rabbitmq {

class Broker;
class Client;

/// Who publishes inside of a node, with confirms.
class PublishListener {
 public:
  virtual ~PublishListener() = default;
  virtual void publish_answered(std::uint64_t tag, bool accepted) = 0;
};

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
    ConsumerId consumer{};  ///< of a classic queue
  };
  /// Requires that it consumes from the queue.
  Consuming& consumer_of(QueueIndex queue);
  Broker* broker;
  Client* client = nullptr;
  ConnectionId connection{};
  std::vector<Consuming> consuming;
  std::vector<QueueIndex> linked;       ///< other queues that want to hear of its end (Queue::leave)
  PublishListener* listener = nullptr;  ///< of a session without a client
  std::uint32_t epoch = 0;
  std::uint32_t slot = 0;  // among its node's
  bool open = false;
  bool confirms = false;
  std::uint64_t received = 0;  // frames
  std::uint64_t received_before = 0;
  std::uint64_t sent = 0;
  std::uint64_t sent_before = 0;
  std::uint32_t ticks = 0;
  std::uint32_t missed = 0;
  ChannelLimit limit;  ///< basic.qos with `global`
  /// The connection's socket is not read while an alarm blocks it or some queue has given no credit: what has come waits here.
  struct Unread {
    Ref<Publish> publish;  ///< or else
    Ref<Answers> answers;
  };
  std::deque<Unread> unread;
  bool blocked = false;  // by an alarm
  bool told_blocked = false;
  std::uint32_t flow = 0;  // queues that it has no credit with
  /// By publish sequence number: queues that have not accepted it for good yet; with kRejected where one refuses.
  Window<std::uint16_t> unconfirmed;
  NodeTimer<OfSession> heartbeat_timer;
  NodeTimer<OfSession> tick_timer;
};

/// What a message becomes that a queue lets go.
struct DeadLetter {
  Message message;
  RemovedCode why{};
  QueueIndex from{};
  std::vector<QueueIndex> to{};
};

class Broker final : public NodeProgram {
 public:
  Broker(Cluster& cluster, Node& node, std::uint16_t index);
  ~Broker() override;

  Node& node() { return node_; }
  const Node& node() const { return node_; }
  std::uint16_t index() const { return index_; }
  Cluster& cluster() { return cluster_; }

  // ---- timers of sessions ----
  void heartbeat_due(Session& session);
  void tick(Session& session);

  // ---- frames that arrive from clients ----
  void opening(Client& client, ConnectionId id, bool last);
  void published(Session& session, Ref<Publish> frame);
  void answered(Session& session, Ref<Answers> frame);
  void store_offset(Session& session, QueueIndex queue, std::int64_t offset);

  // ---- what queues have for channels of this node ----
  /// One more queue has answered for a message. With the last of them the publisher hears: a rejection by any is one of all.
  void answer_publish(Session& session, std::uint64_t tag, bool accepted);
  void deliver(Session& session, Ref<Deliver> frame);
  void close(Session& session);
  /// ACCESS_REFUSED: closes the channel.
  void refuse(Session& session) { close(session); }
  /// A queue has no credit left for the channel, or has again: credit_flow:block, unblock.
  void set_flow(Session& session, bool blocked);
  /// Closes every channel that consumes from the queue.
  void cancel_consumers(QueueIndex queue);

  // ---- channels without clients ----
  Session& begin_internal(PublishListener& listener);
  void end_internal(Session& session) { end(session); }

  // ---- what queues of this node share ----
  bool instant_disk() const { return disk_write_.is_constant() && disk_write_.mean() == 0; }
  /// How long the next write takes.
  sim::Duration draw_write() { return disk_write_.sample_duration(disk_); }
  StepCell& appended_step() { return appended_step_; }
  Wal& wal() { return wal_; }
  /// What `from` lets go, as a dead letter. Nothing: it leads nowhere.
  std::optional<DeadLetter> dead_letter(const Queue& from, const Message& m, RemovedCode why);
  /// It is published in settle_down().
  void send_off(DeadLetter letter) { dead_letters_.push_back(std::move(letter)); }
  /// A copy of a dead letter for this queue, told as offered.
  Message offer_dead_letter(const Message& letter, QueueIndex to);
  /// What became of one that was offered.
  void tell_dead_letter(Kind kind, const Queue& to, const Message& m, const Origin& origin);
  /// Has settle_down() call queue.settle().
  void touch(Queue& queue);
  /// What every operation on queues ends with: dead letters go where they go, and timers are set.
  void settle_down();

  bool idle() const { return node_.up() && dead_letters_.empty() && unread_ == 0 && wal_.idle(); }

  // ---- alarms: see alarms.cpp ----
  void start_monitors();
  /// Some node of the cluster has an alarm of that kind, or none has any more.
  void alarms_changed();
  bool memory_alarm() const { return memory_alarm_; }
  bool disk_alarm() const { return disk_alarm_; }
  Queue::Usage usage() const;
  /// Adds a line for each connection that is blocked.
  void tell_blocked(std::vector<std::string>& lines) const;

  /// What the management page counts of its channels.
  struct Counts {
    std::uint64_t received = 0;          ///< messages
    std::uint64_t received_confirm = 0;  ///< of these, on channels with confirms
    std::uint64_t confirmed = 0;         ///< basic.ack; others are nacks
    std::uint64_t connections_opened = 0;
    std::uint64_t connections_closed = 0;
    std::uint64_t publishers = 0;  ///< channels that are open and may publish
  };
  const Counts& counts() const { return counts_; }

  // NodeProgram
  void crashed() override;
  void restarted() override;

 private:
  Session& take_session();
  void open(Client& client, ConnectionId id);
  void end(Session& session);
  void publish_dead_letters();
  void take(Session& session, const Publish& frame);
  void take(Session& session, const Answers& frame);
  static bool stopped(const Session& session) { return session.blocked || session.flow > 0; }
  void read_on(Session& session);
  void forget_unread(Session& session);
  void block(Session& session, bool blocked, BlockedCode why);
  void tell_client(Session& session, bool blocked);
  void tell_blocked(const Session& session, bool blocked, BlockedCode why) const;
  void look_at_memory();
  void look_at_disk();
  sim::Time now() const { return context_.now(); }

  Cluster& cluster_;
  Context& context_;
  Node& node_;
  const std::uint16_t index_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<Session*> free_sessions_;
  std::vector<DeadLetter> dead_letters_;
  bool publishing_ = false;  // these
  struct Lane {
    LaneId id{};
    std::uint64_t next = 0;
  };
  std::vector<Lane> dead_letter_lanes_;  // by queue that they go to
  std::vector<Queue*> touched_;          // since the last settle_down()
  const sim::Distribution disk_write_;
  sim::Stream disk_;
  StepCell& appended_step_;
  Wal wal_;
  Counts counts_;
  std::size_t unread_ = 0;  // frames, of all sessions
  bool memory_alarm_ = false;
  bool disk_alarm_ = false;
  NodeTimer<std::function<void()>> memory_timer_;
  NodeTimer<std::function<void()>> disk_timer_;
};

}  // namespace models::rabbitmq
