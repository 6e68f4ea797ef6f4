#include "models/rabbitmq/quorum_queue.hpp"

#include <algorithm>
#include <chrono>

#include "models/faults/step_then.hpp"
#include "models/rabbitmq/broker.hpp"
#include "models/rabbitmq/client.hpp"
#include "models/rabbitmq/cluster.hpp"
#include "sim/assert.hpp"

namespace models::rabbitmq {
namespace {

/// DEFAULT_BROADCAST_TIME and DEFAULT_ELECTION_MULT of ra_server_proc.erl.
constexpr sim::Duration kBroadcast = std::chrono::milliseconds{100};
constexpr std::int64_t kElectionMultiplier = 5;
/// A member keeps so many applied entries before a snapshot stands for them (SNAPSHOT_INTERVAL of rabbit_quorum_queue.erl), and
/// afterwards so many, for followers that are a little behind.
constexpr std::uint64_t kSnapshotInterval = 8192;
constexpr std::uint64_t kKept = 4096;
constexpr std::uint32_t kRaftBytes = 100;

}  // namespace

QuorumQueue::Member::Member(QuorumQueue& queue, Broker& at, std::uint16_t number, std::uint16_t size)
    : broker(at),
      raft(queue, number, size),
      draws(queue.cluster_.context().simulation.seed(),
            "rabbitmq/" + std::to_string(at.index()) + "/election/" + queue.options().name),
      dead_letters(at, queue,
                   [this, &queue](std::uint64_t id) {
                     if (!raft.leads()) return;
                     Ref<Command> bury = queue.command(Command::What::bury, {});
                     bury->number = id;
                     raft.command(std::move(bury));
                     queue.end_turn(*this);
                   }),
      election_timer(queue.cluster_.context().simulation, at.node(),
                     [this, &queue] {
                       raft.election_timeout();
                       queue.end_turn(*this);
                     }),
      tick_timer(queue.cluster_.context().simulation, at.node(),
                 [this, &queue] {
                   tick_pending = raft.leads();
                   if (tick_pending) queue.order(*this, Command::What::tick, {});
                   queue.end_turn(*this);
                 }),
      give_up_timer(queue.cluster_.context().simulation, at.node(), [this, &queue] {
        queue.give_up_due(*this);
        queue.end_turn(*this);
      }) {}

QuorumQueue::QuorumQueue(Cluster& cluster, QueueIndex index, const QueueOptions& options, EntityId entity,
                         Broker& first)
    : Queue(cluster, index, options, entity),
      fifo_(options_, cluster.options().config, FifoRules::of(cluster.options().version), *this),
      leader_(&first),
      by_session_(cluster.size()),
      invariants_(options.name) {
  const auto size =
      static_cast<std::uint16_t>(std::min<std::size_t>(options.arguments.group_size, cluster.size()));
  for (std::uint16_t i = 0; i < size; ++i)
    members_.push_back(
        std::make_unique<Member>(*this, cluster.broker((first.index() + i) % cluster.size()), i, size));
}

QuorumQueue::~QuorumQueue() = default;

void QuorumQueue::started() {
  for (const auto& m : members_) m->raft.begin(0);
}

sim::Time QuorumQueue::now() const {
  return cluster_.context().now();
}

// ---- channels -----------------------------------------------------------------------------------------------------

QuorumQueue::Channel* QuorumQueue::find(ClientId id) {
  const auto at = channels_.find(id.value);
  return at == channels_.end() ? nullptr : at->second.get();
}

/// That of the session as it is now; made when it is new.
QuorumQueue::Channel& QuorumQueue::channel(Session& session) {
  std::vector<std::uint32_t>& of_node = by_session_[session.broker->index()];
  if (session.slot >= of_node.size()) of_node.resize(session.slot + 1);
  std::uint32_t& id = of_node[session.slot];
  if (id != 0) {
    Channel* const known = find(ClientId{id});
    if (known != nullptr && known->epoch == session.epoch) return *known;
  }
  id = next_client_++;
  auto made = std::make_unique<Channel>();
  made->session = &session;
  made->client = session.client;
  made->epoch = session.epoch;
  made->id = ClientId{id};
  made->leader = guess_leader(*session.broker);
  session.linked.push_back(index_);
  return *channels_.emplace(id, std::move(made)).first->second;
}

std::optional<std::uint16_t> QuorumQueue::member_at(const Broker& broker) const {
  for (const auto& m : members_) {
    if (&m->broker == &broker) return m->raft.self();
  }
  return std::nullopt;
}

/// As the member there has it, or else whoever can be reached.
std::uint16_t QuorumQueue::guess_leader(Broker& at) const {
  if (const auto own = member_at(at)) {
    const std::uint16_t known = members_[*own]->raft.leader();
    return known == RaftMember::kNobody ? *own : known;
  }
  for (const auto& m : members_) {
    if (cluster_.connected(at, m->broker)) return m->raft.self();
  }
  return 0;
}

Ref<Command> QuorumQueue::command(Command::What what, ClientId client) const {
  Ref<Command> c = cluster_.commands().take();
  c->what = what;
  c->client = client;
  c->seq = 0;
  return c;
}

std::uint64_t QuorumQueue::send(Channel& c, Ref<Command> command, std::uint64_t tag) {
  command->client = c.id;
  command->seq = c.pending.next() + 1;
  const std::uint64_t seq = c.pending.push({command, tag});
  submit(*c.session->broker, c.leader, command);
  return seq;
}

bool QuorumQueue::submit(Broker& from, std::uint16_t to, const Ref<Command>& command) {
  Broker& there = members_[to]->broker;
  if (&there == &from) {
    submitted(to, command);
    return true;
  }
  struct Arrive {
    Ref<Submission> submission;
    void operator()() const { submission->queue->submitted(submission->to, submission->command); }
  };
  Ref<Submission> out = cluster_.submissions().take();
  out->queue = this;
  out->to = to;
  out->command = command;
  const std::uint32_t bytes =
      command->what == Command::What::enqueue ? kContentBytes + command->message.size : kMethodBytes;
  return cluster_.send(from, there, bytes, Arrive{std::move(out)});
}

/// resend_all_pending
void QuorumQueue::send_again(Channel& c, std::uint16_t leader) {
  c.leader = leader;
  const std::uint64_t end = c.pending.next();
  for (std::uint64_t i = c.pending.first(); i < end; ++i) {
    if (!c.pending.holds(i) || !c.pending[i].command) continue;
    const Ref<Command> again = c.pending[i].command;
    submit(*c.session->broker, leader, again);
  }
}

Taken QuorumQueue::publish(Session& session, std::uint64_t tag, Message& m) {
  Channel& c = channel(session);
  if (c.refused) {
    cluster_.histories().forget(m.history);
    return Taken::refused;
  }
  Ref<Command> out = command(Command::What::enqueue, c.id);
  out->number = c.next_enqueue++;
  out->message = m;
  out->owed = &cluster_.histories();
  send(c, std::move(out), session.confirms ? tag + 1 : 0);
  return Taken::elsewhere;
}

bool QuorumQueue::consume(Session& session, const ConsumerOptions& consumer) {
  Channel& c = channel(session);
  Broker& leader = members_[c.leader]->broker;
  if (&leader != session.broker && !cluster_.connected(*session.broker, leader)) return false;
  Ref<Command> out = command(Command::What::consume, c.id);
  out->consumer = consumer;
  send(c, std::move(out), 0);
  return true;
}

void QuorumQueue::answer(Session& session, std::uint64_t ordinal, Answer how) {
  Channel& c = channel(session);
  Ref<Command> out = command(Command::What::answer, c.id);
  out->number = ordinal;
  out->how = how;
  send(c, std::move(out), 0);
}

/// The leader monitors the channel, and hears of its end.
void QuorumQueue::leave(Session& session, std::uint32_t epoch) {
  const std::uint32_t id = by_session_[session.broker->index()][session.slot];
  Channel* const c = find(ClientId{id});
  if (c == nullptr || c->epoch != epoch || c->ended) return;
  c->ended = true;
  c->pending.reset();
  submit(*session.broker, c->leader, command(Command::What::down, c->id));
}

sim::Time QuorumQueue::oldest_held(Session& session) {
  return fifo_.oldest_held(channel(session).id);
}

void QuorumQueue::applied_at_channel(Channel& c, std::uint64_t seq) {
  const std::uint64_t at = seq - 1;
  if (!c.pending.holds(at) || !c.pending[at].command) return;
  const std::uint64_t tag = c.pending[at].tag;
  c.pending[at].command = {};
  while (!c.pending.empty() && !c.pending[c.pending.first()].command) c.pending.drop();
  if (tag > 0) c.session->broker->answer_publish(*c.session, tag - 1, true);
}

void QuorumQueue::deliver(Channel& c, Ref<Deliver> frame) {
  if (c.ended) return;
  const std::uint64_t ordinal = frame->ordinal;
  // handle_delivery: what has come before is dropped, as it may be sent twice.
  if (ordinal < c.next_delivery) return;
  c.next_delivery = ordinal + 1;
  Session& session = *c.session;
  session.broker->deliver(session, std::move(frame));
  // maybe_auto_ack: the channel does it.
  if (c.client->channel().consumer.automatic) answer(session, ordinal, Answer::ack);
}

void QuorumQueue::relayed(Broker& at, Relay& r) {
  Channel* const c = find(ClientId{r.client});
  if (c == nullptr) return;
  if (c->ended) {
    // The process is gone: who monitors it hears so.
    if (r.what == Relay::What::leader) {
      c->leader = static_cast<std::uint16_t>(r.number);
      submit(at, c->leader, command(Command::What::down, c->id));
    }
    return;
  }
  switch (r.what) {
    case Relay::What::applied:
      return applied_at_channel(*c, r.number);
    case Relay::What::leader:
      return send_again(*c, static_cast<std::uint16_t>(r.number));
    case Relay::What::full:
    case Relay::What::not_full:
      c->refused = r.what == Relay::What::full;
      return;
    case Relay::What::cancelled:
      return at.close(*c->session);
    case Relay::What::deliver:
      return deliver(*c, std::move(r.frame));
    default:
      MQLAB_ASSERT(false, "a quorum queue sends no such relay");
  }
}

/// untracked_enqueue: nobody waits for it, and nobody sends it again.
void QuorumQueue::take_dead_letter(Broker& from, Message& m, const Origin& origin) {
  Ref<Command> out = command(Command::What::dead_letter, {});
  out->message = m;
  out->owed = &cluster_.histories();
  out->origin = origin;
  out->from = from.index();
  if (!submit(from, guess_leader(from), out)) lost(*out);
}

/// Without confirms (the strategy at-most-once).
void QuorumQueue::lost(const Command& letter) {
  cluster_.broker(letter.from).tell_dead_letter(Kind::failed, *this, letter.message, letter.origin);
}

// ---- what arrives at a member -------------------------------------------------------------------------------------

void QuorumQueue::submitted(std::uint16_t member, const Ref<Command>& command) {
  Member& m = *members_[member];
  const std::uint16_t leader = m.raft.leader();
  bool handed_on = true;
  if (m.raft.leads()) {
    m.raft.command(command);
  } else if (leader != RaftMember::kNobody && command->seq > 0) {
    // rejected, not_leader: the channel sends all again.
    tell_channel(m.broker, command->client, Relay::What::leader, leader);
  } else {
    // ra_server_proc, follower: what nobody waits for is handed on; "leader not known. Command is dropped".
    handed_on = leader != RaftMember::kNobody && leader != member && submit(m.broker, leader, command);
  }
  if (!handed_on && command->what == Command::What::dead_letter) lost(*command);
  end_turn(m);
}

void QuorumQueue::raft_arrived(const RaftFrame& frame) {
  Member& m = *members_[frame.to];
  m.raft.receive(frame);
  end_turn(m);
}

void QuorumQueue::wrote(std::uint16_t member, std::uint64_t index, std::uint64_t life) {
  Member& m = *members_[member];
  m.raft.written(index, life);
  // An instant write ends inside of what asked for it.
  if (!m.broker.wal().instant()) end_turn(m);
}

// ---- a member's surroundings --------------------------------------------------------------------------------------

Ref<RaftFrame> QuorumQueue::raft_frame() {
  Ref<RaftFrame> frame = cluster_.raft_frames().take();
  frame->group = this;
  return frame;
}

void QuorumQueue::raft_send(RaftMember& from, std::uint16_t to, Ref<RaftFrame> frame) {
  struct Arrive {
    Ref<RaftFrame> frame;
    void operator()() const { static_cast<QuorumQueue*>(frame->group)->raft_arrived(*frame); }
  };
  frame->to = to;
  std::uint32_t bytes = kRaftBytes;
  for (const RaftEntry& entry : frame->entries) {
    bytes += kMethodBytes;
    if (entry.command && entry.command->what == Command::What::enqueue) bytes += entry.command->message.size;
  }
  cluster_.send(members_[from.self()]->broker, members_[to]->broker, bytes, Arrive{std::move(frame)});
}

void QuorumQueue::raft_write(RaftMember& member, std::uint64_t index) {
  members_[member.self()]->broker.wal().append(*this, member.self(), index, member.write_life());
}

void QuorumQueue::raft_wait(RaftMember& member, ElectionTimeout timeout) {
  Member& m = *members_[member.self()];
  const sim::Duration poll = cluster_.options().config.detector_poll;
  const auto up_to = [&](sim::Duration most) {
    return sim::Duration{
        1 + static_cast<std::int64_t>(m.draws.uniform_int(static_cast<std::uint64_t>(most.count())))};
  };
  sim::Duration wait{};
  switch (timeout) {
    case ElectionTimeout::really_short:
      wait = up_to(kBroadcast);
      break;
    case ElectionTimeout::brief:
      wait = kBroadcast + up_to(kBroadcast * kElectionMultiplier);
      break;
    case ElectionTimeout::medium:
      wait = kBroadcast + up_to(poll);
      break;
    case ElectionTimeout::extended:
      wait = poll + up_to(kBroadcast * kElectionMultiplier * 2);
      break;
  }
  m.election_timer.arm_after(wait);
}

void QuorumQueue::raft_stop_waiting(RaftMember& member) {
  members_[member.self()]->election_timer.disarm();
}

/// state_enter(leader): who is known hears of it, and is monitored.
void QuorumQueue::raft_role_changed(RaftMember& member) {
  Member& m = *members_[member.self()];
  m.tick_timer.disarm();
  m.tick_pending = false;
  m.give_up_timer.disarm();
  m.suspects.clear();
  m.dead_letters.stop();
  if (!member.leads()) return;
  invariants_.leads(member.term(), member.self());
}

void QuorumQueue::raft_apply(RaftMember& member, std::uint64_t index, const RaftEntry& entry) {
  Member& m = *members_[member.self()];
  invariants_.applied(index, entry.term);
  if (index > applied_) {
    MQLAB_ASSERT(member.leads() && index == applied_ + 1,
                 "the leader that commits an entry applies it first");
    applied_ = index;
    applying_ = &m;
    leader_ = &m.broker;
    make_state(m, entry);
    applying_ = nullptr;
  }
  // The first entry of a leader's own term: all that was before it is applied.
  if (member.leads() && !entry.command && entry.term == member.term()) m.greeting = true;
  if (index - member.entries().snapshot_index() > kSnapshotInterval + kKept &&
      member.written_index() >= index)
    member.compact(index - kKept);
}

void QuorumQueue::raft_installed(RaftMember&, std::uint64_t) {}

// ---- the state ----------------------------------------------------------------------------------------------------

void QuorumQueue::make_state(Member& m, const RaftEntry& entry) {
  if (!entry.command) return;
  Command& c = *entry.command;
  // What a channel sent whose end was applied: its process is gone, and so is what the queue knew of it.
  if (c.client.value != 0 && find(c.client) == nullptr) return;
  bool appended = false;
  bool answered = true;
  switch (c.what) {
    case Command::What::enqueue: {
      Message message = c.message;
      const RabbitFifo::Enqueued what = fifo_.enqueue(c.client, c.number, message, now());
      appended = what == RabbitFifo::Enqueued::stored;
      if (appended) c.owed = nullptr;
      // not_enqueued: one before it is missing; it stays pending.
      answered = what != RabbitFifo::Enqueued::out_of_sequence;
      break;
    }
    case Command::What::dead_letter: {
      Message message = c.message;
      c.owed = nullptr;
      fifo_.enqueue(message, now());
      cluster_.broker(c.from).tell_dead_letter(Kind::republished, *this, message, c.origin);
      appended = true;
      break;
    }
    case Command::What::consume:
      fifo_.consume(c.client, c.consumer, now());
      break;
    case Command::What::answer:
      fifo_.answer(c.client, c.number, c.how, now());
      break;
    case Command::What::down:
      fifo_.down(c.client, now());
      channels_.erase(c.client.value);
      break;
    case Command::What::suspect:
      fifo_.suspect(c.client, now());
      break;
    case Command::What::trust:
      fifo_.trust(c.client, now());
      break;
    case Command::What::give_up:
      fifo_.give_up(c.client, now());
      break;
    case Command::What::tick:
      m.tick_pending = false;
      fifo_.tick(now());
      break;
    case Command::What::bury:
      fifo_.bury(c.number, now());
      break;
  }
  if (c.seq > 0 && answered)
    m.notes.push_back({Relay::What::applied, c.client, c.seq, appended});
  else if (appended)
    m.notes.push_back({Relay::What::applied, {}, 0, true});
}

sim::TraceRecord QuorumQueue::record(const Message& m) const {
  return {.actor = leader_->node().entity().value,
          .place = entity_.value,
          .peer = group().value,
          .a = static_cast<std::int64_t>(m.number),
          .b = 1};
}

void QuorumQueue::stored(const Message& m) {
  cluster_.context().emit(Kind::stored, {.code = kInQueue,
                                         .actor = leader_->node().entity().value,
                                         .place = entity_.value,
                                         .peer = m.lane.value,
                                         .a = static_cast<std::int64_t>(m.seq),
                                         .b = 1,
                                         .c = static_cast<std::int64_t>(m.number)});
}

void QuorumQueue::dispatched(const Message& m, ConsumerId to, std::uint64_t ordinal) {
  const ClientId client{to.value};
  Channel* const c = find(client);
  MQLAB_ASSERT(c != nullptr, "a channel is known until its end was applied");
  sim::TraceRecord told = record(m);
  told.code = m.redelivered ? kRedelivered : 0;
  told.c = c->client->node().entity().value;
  cluster_.context().emit(Kind::dispatched, told);
  const auto local = member_at(*c->session->broker);
  Member& sender = local ? *members_[*local] : *applying_;
  sender.outgoing.push_back({applied_, client, frame(m, ordinal)});
}

Ref<Deliver> QuorumQueue::frame(const Message& m, std::uint64_t ordinal) {
  Ref<Deliver> frame = cluster_.deliver_frames().take();
  const Histories& histories = cluster_.histories();
  frame->number = m.number;
  frame->ordinal = ordinal;
  frame->lane = m.history == 0 ? m.lane : histories[m.history].lane;
  frame->seq = m.history == 0 ? m.seq : histories[m.history].seq;
  frame->queue = index_;
  frame->bytes = m.size;
  frame->redelivered = m.redelivered;
  return frame;
}

void QuorumQueue::settled(const Message& m, SettledCode how) {
  sim::TraceRecord told = record(m);
  told.code = static_cast<std::uint16_t>(how);
  cluster_.context().emit(Kind::settled, told);
  cluster_.histories().forget(m.history);
}

void QuorumQueue::requeued(const Message& m, RequeuedCode why) {
  sim::TraceRecord told = record(m);
  told.code = static_cast<std::uint16_t>(why);
  cluster_.context().emit(Kind::requeued, told);
}

void QuorumQueue::removed(const Message& m, RemovedCode why) {
  std::optional<DeadLetter> letter;
  const bool deleted = why == RemovedCode::deleted;
  const bool arrived = options_.arguments.at_least_once && !deleted;
  if (!arrived && !deleted) letter = leader_->dead_letter(*this, m, why);
  sim::TraceRecord told = record(m);
  told.peer = 0;
  told.code = static_cast<std::uint16_t>(why);
  told.c = letter || arrived ? 1 : 0;
  cluster_.context().emit(Kind::removed, told);
  if (letter) leader_->send_off(std::move(*letter));
  cluster_.histories().forget(m.history);
}

void QuorumQueue::there(bool exists) {
  if (!exists) applying_->dead_letters.forget();
  cluster_.set_there(index_, exists);
}

void QuorumQueue::full(ClientId client, bool refuses) {
  applying_->notes.push_back({refuses ? Relay::What::full : Relay::What::not_full, client, 0, false});
}

void QuorumQueue::consumer_timed_out(ClientId client) {
  applying_->notes.push_back({Relay::What::cancelled, client, 0, false});
}

// ---- what members say ---------------------------------------------------------------------------------------------

void QuorumQueue::tell_channel(Broker& from, ClientId client, Relay::What what, std::uint64_t number) {
  Channel* const c = find(client);
  if (c == nullptr) return;
  Ref<Relay> out = cluster_.relays().take();
  out->what = what;
  out->queue = this;
  out->session = c->session;
  out->epoch = c->epoch;
  out->client = client.value;
  out->number = number;
  Broker& there = *c->session->broker;
  if (&there == &from) return relayed(there, *out);
  cluster_.relay(from, there, kMethodBytes, std::move(out));
}

/// Deliveries of entries that this member has applied.
void QuorumQueue::flush(Member& m) {
  while (!m.outgoing.empty() && m.outgoing.front().index <= m.raft.applied()) {
    Outgoing out = std::move(m.outgoing.front());
    m.outgoing.pop_front();
    Channel* const c = find(out.client);
    if (c == nullptr || c->ended) continue;
    if (c->session->broker == &m.broker)
      deliver(*c, std::move(out.frame));
    else
      send_delivery(m, *c, std::move(out.frame));
  }
}

void QuorumQueue::send_delivery(Member& from, Channel& to, Ref<Deliver> frame) {
  Ref<Relay> relay = cluster_.relays().take();
  relay->what = Relay::What::deliver;
  relay->queue = this;
  relay->session = to.session;
  relay->epoch = to.epoch;
  relay->client = to.id.value;
  const std::uint32_t bytes = kContentBytes + frame->bytes;
  relay->frame = std::move(frame);
  cluster_.relay(from.broker, *to.session->broker, bytes, std::move(relay));
}

void QuorumQueue::end_turn(Member& m) {
  // What is said may lead to more, at this very member.
  if (m.ending) return;
  m.ending = true;
  const std::uint32_t life = m.broker.node().incarnation();
  const auto alive = [&] { return m.broker.node().up() && m.broker.node().incarnation() == life; };
  do {
    if (std::exchange(m.greeting, false) && m.raft.leads()) greet(m, nullptr);
    if (m.raft.leader() != m.known_leader) redirect_channels(m);
    flush(m);
    for (std::size_t i = 0; i < m.notes.size() && alive(); ++i) {
      const Note note = m.notes[i];
      const auto say = [this, &m, note] {
        if (note.client.value != 0) tell_channel(m.broker, note.client, note.what, note.number);
      };
      if (note.appended)
        step_then(m.broker.appended_step(), m.broker.node(), say);
      else if (m.broker.node().paused())
        m.broker.node().run_or_hold(say);
      else
        say();
    }
    m.notes.clear();
    if (alive() && m.raft.leads() && !fifo_.dead().empty()) m.dead_letters.work(fifo_.dead());
  } while (alive() && (m.greeting || (!m.outgoing.empty() && m.outgoing.front().index <= m.raft.applied())));
  m.ending = false;
  if (!alive()) return;
  m.broker.settle_down();
  arm_tick(m);
}

// ---- state --------------------------------------------------------------------------------------------------------

/// The queue itself keeps about 32 bytes of a message in memory (rabbitmq.com, quorum queues, resource use); the body is in the
/// log, which is in memory, too, until the write-ahead log has rolled over (raft.wal_max_size_bytes). Every member has both.
/// Model: of the log what is still in the queue, as if what has gone were cut off at once; and each queue has a write-ahead log
/// of its own.
Queue::Usage QuorumQueue::usage(const Broker& node) const {
  constexpr std::int64_t kOfEach = 32;
  constexpr std::int64_t kWal = 512LL << 20U;
  if (!member_at(node)) return {};
  const auto messages = static_cast<std::int64_t>(fifo_.ready() + fifo_.unacknowledged());
  return {kOfEach * messages + std::min(fifo_.bytes(), kWal), fifo_.bytes()};
}

bool QuorumQueue::busy() const {
  for (const auto& [id, c] : channels_) {
    if (!c->pending.empty()) return true;
  }
  if (!fifo_.dead().empty()) return true;
  return std::any_of(members_.begin(), members_.end(), [](const auto& m) {
    return !m->outgoing.empty() || m->raft.applied() < m->raft.entries().last_index();
  });
}

void QuorumQueue::tell_unfinished(std::vector<std::string>& lines) const {
  for (const auto& [id, c] : channels_) {
    if (c->pending.empty() || c->client == nullptr) continue;
    lines.push_back("queue " + options_.name + ": " + c->client->node().name() + " at " +
                    c->session->broker->node().name() + " waits for " +
                    std::to_string(c->pending.next() - c->pending.first()) + " commands from member " +
                    std::to_string(c->leader));
  }
  for (const auto& m : members_) {
    const RaftMember& r = m->raft;
    if (m->outgoing.empty() && r.applied() == r.entries().last_index()) continue;
    lines.push_back("queue " + options_.name + ": " + m->broker.node().name() + " has applied " +
                    std::to_string(r.applied()) + " of " + std::to_string(r.entries().last_index()) +
                    " entries, written " + std::to_string(r.written_index()) + ", committed " +
                    std::to_string(r.commit()) + " in term " + std::to_string(r.term()) +
                    (r.leads() ? ", and leads" : "") +
                    "; deliveries to send: " + std::to_string(m->outgoing.size()));
  }
}

std::optional<std::string> QuorumQueue::broken() const {
  if (invariants_.broken()) return invariants_.broken();
  return fifo_.broken();
}

}  // namespace models::rabbitmq
