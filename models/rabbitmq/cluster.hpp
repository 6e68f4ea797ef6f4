// RabbitMQ's nodes as one broker: what they share, and how they talk.
//
// What all nodes know (exchanges, bindings, which queues there are) is here, once. Model: the metadata store, Mnesia or Khepri,
// is always at hand and the same everywhere, for nothing is declared while a run lasts.
//
// Between each two nodes is one link. While it is up what is sent arrives in order; when it goes, what was on its way is lost.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/context.hpp"
#include "models/network/network.hpp"
#include "models/rabbitmq/command.hpp"
#include "models/rabbitmq/frames.hpp"
#include "models/rabbitmq/link.hpp"
#include "models/rabbitmq/message.hpp"
#include "models/rabbitmq/options.hpp"
#include "models/rabbitmq/queue.hpp"
#include "models/rabbitmq/raft.hpp"
#include "models/rabbitmq/topology.hpp"

namespace models::rabbitmq {

class Broker;

class Cluster {
 public:
  /// `nodes` outlive it. Throws ScenarioError when the options make no sense.
  Cluster(Context& context, const BrokerOptions& options, const std::vector<Node*>& nodes);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  Context& context() { return context_; }
  const BrokerOptions& options() const { return options_; }
  const Topology& topology() const { return topology_; }
  std::size_t size() const { return brokers_.size(); }
  Broker& broker(std::size_t i) { return *brokers_[i]; }
  const Broker& broker(std::size_t i) const { return *brokers_[i]; }
  std::size_t queue_count() const { return queues_.size(); }
  Queue& queue(QueueIndex q) { return *queues_[q.value]; }
  const Queue& queue(QueueIndex q) const { return *queues_[q.value]; }
  EntityId entity(QueueIndex q) const { return queues_[q.value]->entity(); }
  /// The group that reads it. One at most: its members compete.
  EntityId reader(QueueIndex q) const { return queues_[q.value]->group(); }
  void read_by(QueueIndex q, EntityId group) { queues_[q.value]->read_by(group); }
  Histories& histories() { return histories_; }

  /// A way for messages to come in: exchange, routing key, headers. Returns its number; targets() says where it leads.
  struct Address {
    ExchangeIndex exchange{};
    std::string key{};
    Headers headers{};
    std::vector<QueueIndex> targets{};
  };
  std::uint16_t address(ExchangeIndex exchange, const std::string& key, const Headers& headers);
  const Address& address(std::uint16_t number) const { return addresses_[number]; }
  const std::vector<QueueIndex>& targets(std::uint16_t address) const { return addresses_[address].targets; }
  /// The queue is deleted, or declared again: messages are routed anew.
  void set_there(QueueIndex q, bool there);

  // ---- frames ----
  Pool<Publish>& publish_frames() { return publish_frames_; }
  Pool<Deliver>& deliver_frames() { return deliver_frames_; }
  Pool<Relay>& relays() { return relays_; }
  Pool<Command>& commands() { return commands_; }
  Pool<Submission>& submissions() { return submissions_; }
  Pool<RaftFrame>& raft_frames() { return raft_frames_; }
  Pool<Answers>& answers_frames() { return answers_frames_; }

  // ---- between nodes ----
  /// Runs `work` (of 8 bytes) at `to` when it has arrived there. False, and nothing happens, when `from` knows that it will not.
  template <class F>
  bool send(Broker& from, Broker& to, std::uint32_t bytes, F work) {
    return link(from, to).send(from, bytes, std::move(work));
  }
  /// The relay comes out in `queue.relayed()` at `to`.
  bool relay(Broker& from, Broker& to, std::uint32_t bytes, Ref<Relay> relay);
  bool connected(const Broker& from, const Broker& to) const;

  // ---- the run ----
  void start();
  void node_crashed(Broker& broker);
  void node_restarted(Broker& broker);
  void link_changed(Broker& at, Broker& other, bool up);
  void suspected(Broker& at, Broker& other, bool suspect);
  void tell() const;
  void tell_depths();
  /// Of consumers of the queue, which rabbit_channel.erl looks after; 0: none. Classic queues have it until 4.2.
  sim::Duration consumer_timeout(QueueIndex q) const;
  /// What blocks publishers: an alarm of any node counts for all.
  std::optional<BlockedCode> alarm() const { return alarm_; }
  void alarms_changed();
  /// Adds a line for each queue that holds something, and for each connection that is blocked.
  void tell_unfinished(std::vector<std::string>& lines) const;
  bool idle() const;
  std::optional<std::string> broken() const;

 private:
  std::unique_ptr<Queue> make_queue(QueueIndex index, const QueueOptions& options, EntityId entity);
  Link& link(const Broker& a, const Broker& b) const;

  Context& context_;
  const BrokerOptions options_;
  Topology topology_;
  std::vector<std::unique_ptr<Broker>> brokers_;
  std::vector<std::unique_ptr<Link>> links_;  // of a pair (low, high): at high * (high - 1) / 2 + low
  std::vector<std::unique_ptr<Queue>> queues_;
  std::vector<Address> addresses_;
  Histories histories_;
  std::optional<BlockedCode> alarm_;
  Pool<Publish> publish_frames_;
  Pool<Deliver> deliver_frames_;
  Pool<Relay> relays_;
  Pool<Command> commands_;
  Pool<Submission> submissions_;
  Pool<RaftFrame> raft_frames_;
  Pool<Answers> answers_frames_;
};

}  // namespace models::rabbitmq
