// A quorum queue: members on several nodes, each with a copy of a log (raft.hpp), and the state to which the committed entries
// lead (rabbit_fifo.hpp); and the channels that use it, at any node (rabbit_quorum_queue.erl, rabbit_fifo_client.erl).
//
// A channel numbers its commands and sends them to the member that it takes for the leader. It keeps them until it hears that
// they were applied, and sends all again when it hears of another leader; what was applied before is not applied twice. A
// message is confirmed when it was applied. What is delivered to a channel is sent by the member on the channel's own node when
// that has applied the entry, or by the leader where there is none.
//
// The state is kept once for all members, as the leader that commits an entry first makes it: committed entries are the same
// everywhere, which RaftInvariants checks. Effects of an entry that the world sees are those of that leader.
//
// Model: a channel that knows of no leader asks a member that it can reach, and sends again when the member on its own node
// hears of one; a new leader tells every channel that it can reach, not those alone that its state knows. Commands are not
// gathered into batches by priority, and a channel is not slowed down by quorum_commands_soft_limit. The queue is declared when
// the run begins, its first leader is known, and its members do not change.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "models/network/node.hpp"
#include "models/rabbitmq/command.hpp"
#include "models/rabbitmq/dlx_worker.hpp"
#include "models/rabbitmq/queue.hpp"
#include "models/rabbitmq/rabbit_fifo.hpp"
#include "models/rabbitmq/raft.hpp"
#include "models/rabbitmq/raft_invariants.hpp"
#include "models/rabbitmq/wal.hpp"
#include "sim/random.hpp"
#include "sim/trace.hpp"

namespace models::rabbitmq {

class QuorumQueue final : public Queue, public FifoOwner, public RaftHost, public WalWriter {
 public:
  QuorumQueue(Cluster& cluster, QueueIndex index, const QueueOptions& options, EntityId entity,
              Broker& first);
  ~QuorumQueue() override;

  // Queue
  Taken publish(Session& session, std::uint64_t tag, Message& m) override;
  bool consume(Session& session, const ConsumerOptions& consumer) override;
  void answer(Session& session, std::uint64_t ordinal, Answer how) override;
  void leave(Session& session, std::uint32_t epoch) override;
  sim::Time oldest_held(Session& session) override;
  void take_dead_letter(Broker& from, Message& m, const Origin& origin) override;
  void relayed(Broker& at, Relay& relay) override;
  void settle(Broker&) override {}
  void started() override;
  void node_crashed(Broker& node) override;
  void node_restarted(Broker& node) override;
  void link_down(Broker& at, Broker& other) override;
  void link_up(Broker& at, Broker& other) override;
  void suspected(Broker& at, Broker& other, bool suspect) override;
  Depth depth() const override { return {fifo_.ready(), fifo_.unacknowledged(), fifo_.consumers()}; }
  Broker& leader() const override { return *leader_; }
  bool exists() const override { return !fifo_.gone(); }
  Usage usage(const Broker& node) const override;
  bool busy() const override;
  void tell_unfinished(std::vector<std::string>& lines) const override;
  std::optional<std::string> broken() const override;

  // FifoOwner
  void stored(const Message& m) override;
  void dispatched(const Message& m, ConsumerId to, std::uint64_t ordinal) override;
  void settled(const Message& m, SettledCode how) override;
  void requeued(const Message& m, RequeuedCode why) override;
  void removed(const Message& m, RemovedCode why) override;
  void full(ClientId client, bool refuses) override;
  void consumer_timed_out(ClientId client) override;
  void died() override {}
  void there(bool exists) override;

  // RaftHost, WalWriter
  Ref<RaftFrame> raft_frame() override;
  void raft_send(RaftMember& from, std::uint16_t to, Ref<RaftFrame> frame) override;
  void raft_write(RaftMember& member, std::uint64_t index) override;
  void raft_wait(RaftMember& member, ElectionTimeout timeout) override;
  void raft_stop_waiting(RaftMember& member) override;
  void raft_apply(RaftMember& member, std::uint64_t index, const RaftEntry& entry) override;
  void raft_installed(RaftMember& member, std::uint64_t index) override;
  void raft_role_changed(RaftMember& member) override;
  void wrote(std::uint16_t member, std::uint64_t index, std::uint64_t life) override;

  // ---- what arrives at a member ----
  void submitted(std::uint16_t member, const Ref<Command>& command);
  void raft_arrived(const RaftFrame& frame);

 private:
  /// What a channel has sent and not heard of.
  struct Pending {
    Ref<Command> command;
    std::uint64_t tag = 0;  ///< of a publish that wants an answer, + 1
  };
  /// A channel, at its node.
  struct Channel {
    Session* session = nullptr;
    Client* client =
        nullptr;  ///< the session's may be another before the queue has heard of its end; null: internal
    std::uint32_t epoch = 0;
    ClientId id{};
    std::uint16_t leader = RaftMember::kNobody;
    std::uint64_t next_enqueue = 1;
    Window<Pending> pending;          // by the client's sequence number - 1
    std::uint64_t next_delivery = 0;  // ordinal: what is below has come
    bool refused = false;
    bool ended = false;
  };
  /// A delivery that the member on the channel's node sends when it has applied the entry.
  struct Outgoing {
    std::uint64_t index;
    ClientId client;
    Ref<Deliver> frame;
  };
  /// What a leader has to say about an entry that it has applied.
  struct Note {
    Relay::What what;
    ClientId client;
    std::uint64_t number;
    bool appended;  ///< a message was: the step
  };
  struct Member {
    Member(QuorumQueue& queue, Broker& at, std::uint16_t number, std::uint16_t size);
    Broker& broker;
    RaftMember raft;
    sim::Stream draws;
    std::vector<Note> notes;
    std::deque<Outgoing> outgoing;
    bool greeting = false;  // it leads anew, and says so at the end of its turn
    bool ending = false;
    bool tick_pending = false;                         // it has ordered a tick that is not applied yet
    std::uint16_t known_leader = RaftMember::kNobody;  // that channels here were told of
    DlxWorker dead_letters;
    NodeTimer<std::function<void()>> election_timer;
    NodeTimer<std::function<void()>> tick_timer;
    NodeTimer<std::function<void()>> give_up_timer;
    std::deque<std::pair<sim::Time, ClientId>> suspects;  // to be given up, where this member leads
  };

  // ---- channels ----
  Channel& channel(Session& session);
  Channel* find(ClientId id);
  std::uint16_t guess_leader(Broker& at) const;
  std::uint64_t send(Channel& c, Ref<Command> command, std::uint64_t tag);
  bool submit(Broker& from, std::uint16_t to, const Ref<Command>& command);
  void send_again(Channel& c, std::uint16_t leader);
  Ref<Command> command(Command::What what, ClientId client) const;
  void applied_at_channel(Channel& c, std::uint64_t seq);
  void deliver(Channel& c, Ref<Deliver> frame);
  void lost(const Command& letter);

  // ---- members ----
  std::optional<std::uint16_t> member_at(const Broker& broker) const;
  void make_state(Member& leader, const RaftEntry& entry);
  void flush(Member& m);
  /// Ends everything that is done at a member: what it has to say is said.
  void end_turn(Member& m);
  void tell_channel(Broker& from, ClientId client, Relay::What what, std::uint64_t number);
  void greet(Member& leader, const Broker* at);
  void remind(Member& leader, const Channel& c);
  Ref<Deliver> frame(const Message& m, std::uint64_t ordinal);
  void send_delivery(Member& from, Channel& to, Ref<Deliver> frame);
  void redirect_channels(Member& m);
  void suspect_clients_of(Member& leader, const Broker& gone);
  void order(Member& leader, Command::What what, ClientId client);
  void arm_tick(Member& m);
  void give_up_due(Member& m);
  sim::TraceRecord record(const Message& m) const;
  sim::Time now() const;

  std::vector<std::unique_ptr<Member>> members_;
  RabbitFifo fifo_;
  std::uint64_t applied_ = 1;  // of the state: the first entry says nothing
  Broker* leader_;             // whose doing the state's last change was
  Member* applying_ = nullptr;
  std::map<std::uint32_t, std::unique_ptr<Channel>> channels_;  // by client
  std::vector<std::vector<std::uint32_t>> by_session_;          // client, by node and slot; 0: none
  std::uint32_t next_client_ = 1;
  RaftInvariants invariants_;
};

}  // namespace models::rabbitmq
