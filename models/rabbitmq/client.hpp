// The client's end of an AMQP 0-9-1 connection with one channel: how it is opened, kept alive, found dead and opened again.
//
// Model: a client process has one connection, one channel on it, and a consumer on each queue that it reads. What it sends are
// frames of the sizes of their bodies and headers. Opening takes the round trips of the protocol: header and connection.start,
// start-ok and connection.tune, tune-ok and connection.open, channel.open, then one for confirm.select or basic.qos and one for
// each basic.consume.
//
// A connection that dies is opened again `recovery_interval` later, and again until that succeeds (automatic recovery of the Java
// client, AutorecoveringConnection). Of several addresses each attempt tries all, one after the other, in an order that is drawn
// each time (RecoveryAwareAMQConnectionFactory, ListAddressResolver.maybeShuffle). Model: the same for a channel that the
// broker has closed, for which an application or its framework would do it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/context.hpp"
#include "models/network/network.hpp"
#include "models/network/node.hpp"
#include "models/pool.hpp"
#include "models/rabbitmq/frames.hpp"
#include "models/rabbitmq/options.hpp"
#include "sim/random.hpp"

namespace models::rabbitmq {

class Broker;
class Cluster;
class Session;

/// What a channel is opened for.
struct ChannelOptions {
  bool confirms = false;
  std::vector<QueueIndex> queues;  ///< to consume from
  ConsumerOptions consumer;
  std::string publisher;  ///< name under which a stream knows what it has; empty: none
  std::uint32_t prefetch_global = 0;
  /// The producer that it belongs to, and that another client's connection counts as one with.
  std::string producer{};
  std::string same_connection_as{};
};

class Client : public NodeProgram, public ConnectionListener {
 public:
  /// Whose program its node runs.
  enum class Part : std::uint8_t { own_program, of_another_program };
  Client(Context& context, Cluster& broker, Node& node, const ConnectionOptions& options,
         Part part = Part::own_program);
  ~Client() override;

  Node& node() { return node_; }
  const Node& node() const { return node_; }
  const ChannelOptions& channel() const { return channel_; }
  sim::Duration heartbeat() const { return heartbeat_; }

  // ---- from the broker: at this node, when a frame arrives ----
  bool is_on(ConnectionId connection) const { return connection == connection_; }
  void answered();                ///< a step of the opening
  void opened(Session& session);  ///< the last of them
  void heard() { ++received_; }   ///< any frame
  void closed_by_broker();        ///< connection.close or channel.close
  virtual void delivered(Ref<Deliver> frame);
  virtual void confirmed(std::uint64_t tag, bool accepted);
  /// connection.blocked and connection.unblocked; or TCP's window has closed, or opened.
  virtual void blocked(bool now) { blocked_ = now; }

  // ConnectionListener
  void connected(ConnectionId id) override;
  void disconnected(ConnectionId id) override;
  // NodeProgram
  bool sends_heartbeats() const override { return true; }
  void crashed() override;
  void restarted() override;

 protected:
  /// The process begins to run.
  void begin();
  /// It ends in an orderly way: the connection is closed.
  void end();
  bool running() const { return running_; }
  bool is_open() const { return session_ != nullptr; }

  void publish(Ref<Publish> frame, std::uint32_t bytes);
  bool is_blocked() const { return blocked_; }
  /// Of what was delivered on this channel.
  void answer(Ref<Answers> frame);
  /// Of one delivery.
  void answer(QueueIndex queue, std::uint64_t ordinal, Answer how);
  void store_offset(QueueIndex queue, std::int64_t offset);

  /// An attempt to connect goes through these, the first first: in an order that was drawn.
  virtual void choose(std::vector<Broker*>& addresses) { static_cast<void>(addresses); }

  virtual void channel_opened() = 0;
  /// The connection or channel has gone, with all that was on it. Not on a crash.
  virtual void channel_lost() = 0;
  virtual void process_crashed() = 0;
  virtual void process_restarted() = 0;

  Context& context_;
  Cluster& broker_;
  Node& node_;
  ChannelOptions channel_;

 private:
  void connect();
  /// To the next node that it has not tried. False: it has tried all.
  bool try_next();
  void lost();
  void heartbeat_due();

  ConnectionOptions options_;
  sim::Duration heartbeat_{};
  ConnectionId connection_{};
  std::vector<Broker*> addresses_;
  std::size_t next_address_ = 0;  // from here on they are still to be tried
  Broker* at_ = nullptr;          // the node that it is, or gets, connected to
  sim::Stream order_;
  bool opening_ = false;  // TCP has connected it
  Session* session_ = nullptr;
  std::uint32_t epoch_ = 0;  // of the session
  std::uint32_t steps_left_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t received_before_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t sent_before_ = 0;
  std::uint32_t missed_ = 0;
  bool running_ = false;
  bool blocked_ = false;
  StepCell& heartbeat_step_;
  NodeTimer<std::function<void()>> recovery_timer_;
  NodeTimer<std::function<void()>> heartbeat_timer_;
  std::uint32_t ticks_ = 0;
};

}  // namespace models::rabbitmq
