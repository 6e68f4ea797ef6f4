#include "models/rabbitmq/broker.hpp"

#include <algorithm>

#include "models/faults/step_then.hpp"
#include "models/rabbitmq/client.hpp"
#include "models/rabbitmq/cluster.hpp"
#include "sim/assert.hpp"

namespace models::rabbitmq {
namespace {

constexpr std::uint64_t kNoNumber = ~std::uint64_t{0};
constexpr std::uint16_t kRejected = 0x8000;
/// channel_tick_interval (deps/rabbit/Makefile): how often a channel looks at the age of what it has delivered.
constexpr sim::Duration kChannelTick = std::chrono::seconds{60};

}  // namespace

Session::Session(Broker& owner, sim::Simulation& simulation, Node& node)
    : broker(&owner),
      heartbeat_timer(simulation, node, {this, [](Session& s) { s.broker->heartbeat_due(s); }}),
      tick_timer(simulation, node, {this, [](Session& s) { s.broker->tick(s); }}) {}

Session::Consuming& Session::consumer_of(QueueIndex queue) {
  const auto mine = std::find_if(consuming.begin(), consuming.end(),
                                 [queue](const Consuming& c) { return c.queue == queue; });
  MQLAB_ASSERT(mine != consuming.end(), "a channel answers for what it consumes");
  return *mine;
}

namespace {

/// That of the first node has the name that a broker's only node always had: its draws stay what they were.
std::string disk_stream(std::uint16_t index) {
  return index == 0 ? "rabbitmq/disk" : "rabbitmq/" + std::to_string(index) + "/disk";
}

std::string wal_stream(std::uint16_t index) {
  return "rabbitmq/" + std::to_string(index) + "/wal";
}

}  // namespace

Broker::Broker(Cluster& cluster, Node& node, std::uint16_t index)
    : cluster_(cluster),
      context_(cluster.context()),
      node_(node),
      index_(index),
      disk_write_(cluster.options().disk_write),
      disk_(context_.simulation.seed(), disk_stream(index)),
      appended_step_(context_.steps.cell(node.entity(), Step::appended)),
      wal_(context_.simulation, node, cluster.options().disk_fsync, wal_stream(index)),
      memory_timer_(context_.simulation, node, [this] { look_at_memory(); }),
      disk_timer_(context_.simulation, node, [this] { look_at_disk(); }) {
  node.set_program(*this);
}

Broker::~Broker() = default;

// ---- channels -----------------------------------------------------------------------------------------------------

Session& Broker::take_session() {
  if (free_sessions_.empty()) {
    sessions_.push_back(std::make_unique<Session>(*this, context_.simulation, node_));
    sessions_.back()->slot = static_cast<std::uint32_t>(sessions_.size() - 1);
    return *sessions_.back();
  }
  Session& session = *free_sessions_.back();
  free_sessions_.pop_back();
  return session;
}

void Broker::opening(Client& client, ConnectionId id, bool last) {
  if (last) return open(client, id);
  context_.network.send(id, Side::server, kMethodBytes, [&client, id] {
    if (client.is_on(id)) client.answered();
  });
}

void Broker::open(Client& client, ConnectionId id) {
  if (!client.is_on(id)) return;  // it has given that connection up
  Session& session = take_session();
  session.client = &client;
  session.connection = id;
  session.open = true;
  session.confirms = client.channel().confirms;
  session.received = session.received_before = session.sent = session.sent_before = 0;
  session.ticks = session.missed = 0;
  session.limit = {client.channel().prefetch_global, 0};
  ++counts_.connections_opened;
  if (client.channel().queues.empty()) ++counts_.publishers;
  const std::uint32_t epoch = session.epoch;
  context_.network.watch_client(id, [this, &session, epoch] {
    if (session.open && session.epoch == epoch) end(session);
  });
  context_.network.send(id, Side::server, kMethodBytes, [&client, id, &session] {
    if (client.is_on(id) && session.open && session.connection == id) client.opened(session);
  });
  if (client.heartbeat() > sim::Duration{}) session.heartbeat_timer.arm_after(client.heartbeat() / 2);
  const auto may_time_out = [this](QueueIndex q) { return cluster_.consumer_timeout(q) > sim::Duration{}; };
  const std::vector<QueueIndex>& queues = client.channel().queues;
  if (std::any_of(queues.begin(), queues.end(), may_time_out)) session.tick_timer.arm_after(kChannelTick);
  ConsumerOptions consumer = client.channel().consumer;
  consumer.client = &client;
  if (session.limit.most > 0) consumer.limit = &session.limit;
  bool found = true;
  for (const QueueIndex q : client.channel().queues) {
    session.consuming.push_back({q, {}});
    if (!cluster_.queue(q).consume(session, consumer)) {
      session.consuming.pop_back();
      found = false;
      break;
    }
  }
  settle_down();
  // NOT_FOUND: home node of the queue is down or inaccessible. ACCESS_REFUSED: somebody consumes exclusively.
  if (!found) close(session);
}

void Broker::end(Session& session) {
  session.open = false;
  const std::uint32_t epoch = session.epoch++;
  session.heartbeat_timer.disarm();
  session.tick_timer.disarm();
  session.unconfirmed.reset();
  forget_unread(session);
  if (session.client != nullptr) {
    ++counts_.connections_closed;
    if (session.client->channel().queues.empty()) --counts_.publishers;
  }
  if (node_.up()) {
    for (const Session::Consuming& c : session.consuming) cluster_.queue(c.queue).leave(session, epoch);
    for (const QueueIndex q : session.linked) cluster_.queue(q).leave(session, epoch);
    settle_down();
  }
  session.consuming.clear();
  session.linked.clear();
  session.listener = nullptr;
  free_sessions_.push_back(&session);
}

Session& Broker::begin_internal(PublishListener& listener) {
  Session& session = take_session();
  session.client = nullptr;
  session.limit = {};
  session.listener = &listener;
  session.open = true;
  session.confirms = true;
  return session;
}

void Broker::close(Session& session) {
  context_.network.send(session.connection, Side::server, kMethodBytes,
                        [client = session.client, id = session.connection] {
                          if (client->is_on(id)) client->closed_by_broker();
                        });
  end(session);
}

/// rabbit_heartbeat.erl: one is sent every half of the timeout in which nothing else was; every whole of it is looked whether
/// anything came, and the second time in a row without is the last.
void Broker::heartbeat_due(Session& session) {
  session.heartbeat_timer.arm_after(session.client->heartbeat() / 2);
  if (session.sent == session.sent_before) {
    context_.network.send(session.connection, Side::server, kMethodBytes,
                          [client = session.client, id = session.connection] {
                            if (client->is_on(id)) client->heard();
                          });
  }
  session.sent_before = session.sent;
  if (++session.ticks % 2 != 0) return;
  session.missed = session.received == session.received_before ? session.missed + 1 : 0;
  session.received_before = session.received;
  if (session.missed >= 2) close(session);
}

/// PRECONDITION_FAILED: delivery acknowledgement timed out (rabbit_channel.erl).
void Broker::tick(Session& session) {
  session.tick_timer.arm_after(kChannelTick);
  for (const Session::Consuming& c : session.consuming) {
    const sim::Time oldest = cluster_.queue(c.queue).oldest_held(session);
    const sim::Duration timeout = cluster_.consumer_timeout(c.queue);
    if (timeout > sim::Duration{} && oldest != sim::kNever && now() - oldest > timeout) return close(session);
  }
}

// ---- frames -------------------------------------------------------------------------------------------------------

void Broker::published(Session& session, Ref<Publish> frame) {
  ++session.received;
  if (stopped(session)) {
    ++unread_;
    return session.unread.push_back({std::move(frame), {}});
  }
  take(session, *frame);
}

void Broker::answered(Session& session, Ref<Answers> frame) {
  ++session.received;
  if (stopped(session)) {
    ++unread_;
    return session.unread.push_back({{}, std::move(frame)});
  }
  take(session, *frame);
}

void Broker::take(Session& session, const Publish& frame) {
  ++counts_.received;
  if (session.confirms) ++counts_.received_confirm;
  const std::uint64_t tag =
      session.confirms ? session.unconfirmed.push(static_cast<std::uint16_t>(frame.copies.size())) : 0;
  std::uint16_t answered_now = 0;
  bool here = false;
  for (const Copy& copy : frame.copies) {
    Message m;
    m.number = kNoNumber;  // until the queue takes it
    m.lane = copy.lane;
    m.seq = copy.seq;
    m.size = frame.size;
    m.address = frame.address;
    m.priority = frame.priority;
    m.persistent = frame.persistent;
    if (frame.expiration > sim::Duration{}) m.expires = now() + frame.expiration;
    const Taken taken = cluster_.queue(copy.queue).publish(session, tag, m);
    if (taken != Taken::elsewhere) here = true;
    if (taken == Taken::later || taken == Taken::elsewhere) continue;
    ++answered_now;  // an answer a refusal is, too
    if (taken == Taken::refused && session.confirms) session.unconfirmed[tag] |= kRejected;
  }
  settle_down();
  // rabbit_reader: a connection is `blocking` from the alarm on, and blocked with the next that it publishes.
  if (!session.blocked && cluster_.alarm()) block(session, true, *cluster_.alarm());
  if (!here) return;
  step_then(appended_step_, node_, [this, &session, epoch = session.epoch, tag, answered_now] {
    if (!session.confirms || session.epoch != epoch || answered_now == 0) return;
    session.unconfirmed[tag] = static_cast<std::uint16_t>(session.unconfirmed[tag] - (answered_now - 1));
    answer_publish(session, tag, true);
  });
}

void Broker::answer_publish(Session& session, std::uint64_t tag, bool accepted) {
  if (session.listener != nullptr) return session.listener->publish_answered(tag, accepted);
  std::uint16_t& left = session.unconfirmed[tag];
  --left;
  if (!accepted) left |= kRejected;
  if ((left & ~kRejected) != 0) return;
  const bool positive = (left & kRejected) == 0;
  left = 0;
  while (!session.unconfirmed.empty() && session.unconfirmed[session.unconfirmed.first()] == 0)
    session.unconfirmed.drop();
  ++session.sent;
  if (positive) ++counts_.confirmed;
  // Model: a frame for each; RabbitMQ gathers what it has at that moment (`multiple`).
  struct Confirmed {
    Client* client;
    ConnectionId id;
    std::uint64_t what;
    void operator()() const {
      if (!client->is_on(id)) return;
      client->heard();
      client->confirmed(what >> 1, (what & 1) != 0);
    }
  };
  context_.network.send(session.connection, Side::server, kMethodBytes,
                        Confirmed{session.client, session.connection, tag << 1 | (positive ? 1U : 0U)});
}

void Broker::deliver(Session& session, Ref<Deliver> frame) {
  ++session.sent;
  const std::uint32_t bytes = kContentBytes + frame->bytes;  // before the frame is moved
  context_.network.send(
      session.connection, Side::server, bytes,
      [client = session.client, id = session.connection, frame = std::move(frame)]() mutable {
        if (!client->is_on(id)) return;
        client->heard();
        client->delivered(std::move(frame));
      });
}

void Broker::take(Session& session, const Answers& frame) {
  for (const Answers::One& one : frame.all) cluster_.queue(one.queue).answer(session, one.ordinal, frame.how);
  if (session.limit.most > 0) {
    for (const Session::Consuming& c : session.consuming) cluster_.queue(c.queue).has_room(session);
  }
  settle_down();
}

void Broker::store_offset(Session& session, QueueIndex queue, std::int64_t offset) {
  ++session.received;
  cluster_.queue(queue).store_offset(session, offset);
}

void Broker::cancel_consumers(QueueIndex queue) {
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    Session& session = *sessions_[i];
    if (!session.open) continue;
    const bool mine = std::any_of(session.consuming.begin(), session.consuming.end(),
                                  [queue](const Session::Consuming& c) { return c.queue == queue; });
    if (mine) close(session);
  }
}

// ---- its queues ---------------------------------------------------------------------------------------------------

/// What is dead-lettered is published when the queue that let it go has come to rest.
void Broker::settle_down() {
  if (!dead_letters_.empty()) publish_dead_letters();
  for (std::size_t i = 0; i < touched_.size(); ++i) touched_[i]->settle(*this);
  touched_.clear();
}

void Broker::touch(Queue& queue) {
  // Few queues are touched between two calls of settle_down().
  if (std::find(touched_.begin(), touched_.end(), &queue) == touched_.end()) touched_.push_back(&queue);
}

// ---- the process --------------------------------------------------------------------------------------------------

void Broker::crashed() {
  for (const auto& session : sessions_) {
    if (session->open) end(*session);
  }
  wal_.crash();
  cluster_.node_crashed(*this);
  memory_timer_.disarm();
  disk_timer_.disarm();
  for (const DeadLetter& letter : dead_letters_) cluster_.histories().forget(letter.message.history);
  dead_letters_.clear();
  touched_.clear();
  const bool alarm = memory_alarm_ || disk_alarm_;
  memory_alarm_ = disk_alarm_ = false;
  // Model: other nodes know at once. rabbit_alarm clears a node's alarms when it hears that the node is down.
  if (alarm) cluster_.alarms_changed();
}

void Broker::restarted() {
  cluster_.node_restarted(*this);
  start_monitors();
  settle_down();
}

}  // namespace models::rabbitmq
