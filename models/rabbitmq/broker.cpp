#include "models/rabbitmq/broker.hpp"

#include <algorithm>

#include "models/faults/step_then.hpp"
#include "models/rabbitmq/client.hpp"
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

// ---- a queue tells ------------------------------------------------------------------------------------------------

Broker::Place::Place(Broker& owner, QueueIndex own, const QueueOptions& options, EntityId named)
    : broker(owner),
      index(own),
      entity(named),
      queue(options, *this),
      write_timer(owner.context_.simulation, owner.node_, [this] { broker.wrote(*this); }),
      expiry_timer(owner.context_.simulation, owner.node_, [this] {
        queue.expire(broker.now());
        broker.touch(*this);
        broker.settle_down();
      }) {}

sim::TraceRecord Broker::Place::record(const Message& m) const {
  return {.actor = broker.node_.entity().value,
          .place = entity.value,
          .peer = group.value,
          .a = static_cast<std::int64_t>(m.number),
          .b = 1};
}

void Broker::Place::stored(const Message& m) {
  broker.touch(*this);
  broker.context_.emit(Kind::stored, {.code = kInQueue,
                                      .actor = broker.node_.entity().value,
                                      .place = entity.value,
                                      .peer = m.lane.value,
                                      .a = static_cast<std::int64_t>(m.seq),
                                      .b = 1,
                                      .c = static_cast<std::int64_t>(m.number)});
}

void Broker::Place::dispatched(const Message& m, ConsumerId to, std::uint64_t ordinal) {
  broker.touch(*this);
  Session& session = *holders[to.value];
  sim::TraceRecord told = record(m);
  told.code = m.redelivered ? kRedelivered : 0;
  told.c = session.client->node().entity().value;
  broker.context_.emit(Kind::dispatched, told);
  Ref<Deliver> frame = broker.deliver_frames_.take();
  frame->number = m.number;
  frame->ordinal = ordinal;
  frame->lane = m.history == 0 ? m.lane : broker.histories_[m.history].lane;
  frame->seq = m.history == 0 ? m.seq : broker.histories_[m.history].seq;
  frame->queue = index;
  frame->redelivered = m.redelivered;
  ++session.sent;
  broker.context_.network.send(
      session.connection, Side::server, kContentBytes + m.size,
      [client = session.client, id = session.connection, frame = std::move(frame)]() mutable {
        if (!client->is_on(id)) return;
        client->heard();
        client->delivered(std::move(frame));
      });
}

void Broker::Place::settled(const Message& m, SettledCode how) {
  sim::TraceRecord told = record(m);
  told.code = static_cast<std::uint16_t>(how);
  broker.context_.emit(Kind::settled, told);
  broker.histories_.forget(m.history);
}

void Broker::Place::requeued(const Message& m, RequeuedCode why) {
  broker.touch(*this);
  sim::TraceRecord told = record(m);
  told.code = static_cast<std::uint16_t>(why);
  broker.context_.emit(Kind::requeued, told);
}

void Broker::Place::removed(const Message& m, RemovedCode why) {
  std::optional<DeadLetter> letter;
  if (why != RemovedCode::restart) letter = broker.dead_letter(*this, m, why);
  sim::TraceRecord told = record(m);
  told.peer = 0;
  told.code = static_cast<std::uint16_t>(why);
  told.c = letter ? 1 : 0;
  broker.context_.emit(Kind::removed, told);
  if (letter) broker.dead_letters_.push_back(std::move(*letter));
  broker.histories_.forget(m.history);
}

// ---- building -----------------------------------------------------------------------------------------------------

Broker::Broker(Context& context, const BrokerOptions& options, Node& node)
    : context_(context),
      options_(options),
      node_(node),
      topology_(options),
      disk_(context.simulation.seed(), "rabbitmq/disk"),
      appended_step_(context.steps.cell(node.entity(), Step::appended)) {
  node.set_program(*this);
  for (std::size_t i = 0; i < options_.queues.size(); ++i) {
    const EntityId entity = context.entities.add(EntityKind::queue, options_.queues[i].name);
    queues_.push_back(std::make_unique<Place>(*this, QueueIndex{static_cast<std::uint16_t>(i)},
                                              options_.queues[i], entity));
  }
}

Broker::~Broker() = default;

std::uint16_t Broker::address(ExchangeIndex exchange, const std::string& key, const Headers& headers) {
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    const Address& a = addresses_[i];
    if (a.exchange == exchange && a.key == key && a.headers == headers) return static_cast<std::uint16_t>(i);
  }
  addresses_.push_back({exchange, key, headers, topology_.route(exchange, key, headers)});
  return static_cast<std::uint16_t>(addresses_.size() - 1);
}

// ---- channels -----------------------------------------------------------------------------------------------------

Session& Broker::take_session() {
  if (free_sessions_.empty()) {
    sessions_.push_back(std::make_unique<Session>(*this, context_.simulation, node_));
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
  const std::uint32_t epoch = session.epoch;
  context_.network.watch_client(id, [this, &session, epoch] {
    if (session.open && session.epoch == epoch) end(session);
  });
  context_.network.send(id, Side::server, kMethodBytes, [&client, id, &session] {
    if (client.is_on(id) && session.open && session.connection == id) client.opened(session);
  });
  if (client.heartbeat() > sim::Duration{}) session.heartbeat_timer.arm_after(client.heartbeat() / 2);
  if (options_.classic_consumer_timeout() && !client.channel().queues.empty())
    session.tick_timer.arm_after(kChannelTick);
  for (const QueueIndex q : client.channel().queues) {
    Place& place = *queues_[q.value];
    const ConsumerId consumer = place.queue.next_consumer_id();
    if (consumer.value >= place.holders.size()) place.holders.resize(consumer.value + 1);
    place.holders[consumer.value] = &session;
    session.consuming.push_back({q, consumer});
    place.queue.add_consumer(client.channel().consumer, now());
  }
  settle_down();
}

void Broker::end(Session& session) {
  session.open = false;
  ++session.epoch;
  session.heartbeat_timer.disarm();
  session.tick_timer.disarm();
  session.unconfirmed.reset();
  if (node_.up()) {
    for (const Session::Consuming& c : session.consuming)
      queues_[c.queue.value]->queue.remove_consumer(c.consumer, now());
    settle_down();
  }
  session.consuming.clear();
  free_sessions_.push_back(&session);
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
    const sim::Time oldest = queues_[c.queue.value]->queue.oldest_held(c.consumer);
    if (oldest != sim::kNever && now() - oldest > options_.config.consumer_timeout) return close(session);
  }
}

// ---- frames -------------------------------------------------------------------------------------------------------

void Broker::published(Session& session, const Publish& frame) {
  ++session.received;
  const std::uint64_t tag =
      session.confirms ? session.unconfirmed.push(static_cast<std::uint16_t>(frame.copies.size())) : 0;
  std::uint16_t accepted_now = 0;
  for (const Copy& copy : frame.copies) {
    Place& place = *queues_[copy.queue.value];
    Message m;
    m.number = kNoNumber;  // until the queue takes it
    m.lane = copy.lane;
    m.seq = copy.seq;
    m.size = frame.size;
    m.address = frame.address;
    m.priority = frame.priority;
    m.persistent = frame.persistent;
    if (frame.expiration > sim::Duration{}) m.expires = now() + frame.expiration;
    const Taken taken = put(place, m);
    if (taken == Taken::once_written) {
      if (session.confirms) place.waiting.push_back({&session, session.epoch, tag});
      begin_write(place);
      continue;
    }
    ++accepted_now;  // an answer a refusal is, too
    if (taken == Taken::at_once) continue;
    if (session.confirms) session.unconfirmed[tag] |= kRejected;
    if (place.queue.options().arguments.overflow != Overflow::reject_publish_dlx) continue;
    if (std::optional<DeadLetter> letter = dead_letter(place, m, RemovedCode::maxlen))
      dead_letters_.push_back(std::move(*letter));
  }
  settle_down();
  step_then(appended_step_, node_, [this, &session, epoch = session.epoch, tag, accepted_now] {
    if (!session.confirms || session.epoch != epoch || accepted_now == 0) return;
    session.unconfirmed[tag] = static_cast<std::uint16_t>(session.unconfirmed[tag] - (accepted_now - 1));
    accepted(session, tag);
  });
}

/// One more queue has answered for it. With the last of them the publisher hears: a rejection by any is one of all.
void Broker::accepted(Session& session, std::uint64_t tag) {
  std::uint16_t& left = session.unconfirmed[tag];
  --left;
  if ((left & ~kRejected) != 0) return;
  const bool positive = (left & kRejected) == 0;
  left = 0;
  while (!session.unconfirmed.empty() && session.unconfirmed[session.unconfirmed.first()] == 0)
    session.unconfirmed.drop();
  ++session.sent;
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

void Broker::answered(Session& session, QueueIndex queue, std::uint64_t ordinal, Answer how) {
  ++session.received;
  const auto mine = std::find_if(session.consuming.begin(), session.consuming.end(),
                                 [queue](const Session::Consuming& c) { return c.queue == queue; });
  MQLAB_ASSERT(mine != session.consuming.end(), "a channel answers for what it consumes");
  ClassicQueue& q = queues_[queue.value]->queue;
  bool held = false;
  switch (how) {
    case Answer::ack:
      held = q.ack(mine->consumer, ordinal, now());
      break;
    case Answer::nack_requeue:
      held = q.requeue(mine->consumer, ordinal, now());
      break;
    case Answer::reject:
      held = q.reject(mine->consumer, ordinal, now());
  }
  MQLAB_ASSERT(held, "a delivery tag is answered once (PRECONDITION_FAILED, unknown delivery tag)");
  settle_down();
}

// ---- the disk -----------------------------------------------------------------------------------------------------

Broker::Taken Broker::put(Place& place, Message& m) {
  const bool to_disk = m.persistent && place.queue.options().durable;
  if (to_disk && instant_disk()) place.queue.written(place.queue.next_number() + 1);
  if (!place.queue.publish(m, now())) return Taken::refused;
  if (!to_disk || instant_disk()) return Taken::at_once;
  place.written_to = true;
  return Taken::once_written;
}

void Broker::begin_write(Place& place) {
  if (place.busy || !place.written_to) return;
  place.busy = true;
  place.written_to = false;
  place.writing_below = place.queue.next_number();
  std::swap(place.waiting, place.writing);
  place.write_timer.arm_after(options_.disk_write.sample_duration(disk_));
}

void Broker::wrote(Place& place) {
  place.busy = false;
  place.queue.written(place.writing_below);
  for (const Place::Confirm& one : place.writing) {
    if (one.session->epoch == one.epoch) accepted(*one.session, one.tag);
  }
  place.writing.clear();
  begin_write(place);
}

// ---- timers ------------------------------------------------------------------------------------------------------

/// What is dead-lettered is published when the queue that let it go has come to rest.
void Broker::settle_down() {
  if (!dead_letters_.empty()) publish_dead_letters();
  for (Place* const place : touched_) {
    place->touched = false;
    set_expiry(*place);
  }
  touched_.clear();
}

void Broker::touch(Place& place) {
  if (place.touched) return;
  place.touched = true;
  touched_.push_back(&place);
}

void Broker::set_expiry(Place& place) {
  const sim::Time next = place.queue.next_expiry();
  if (next == sim::kNever) {
    if (place.expiry_timer.armed()) place.expiry_timer.disarm();
  } else if (!place.expiry_timer.armed() || place.expiry_timer.deadline() != next) {
    place.expiry_timer.arm_at(std::max(next, now()));
  }
}

// ---- the run ------------------------------------------------------------------------------------------------------

void Broker::tell() const {
  for (const auto& place : queues_) {
    if (place->group == EntityId{}) continue;
    context_.emit(Kind::subscribed, {.code = static_cast<std::uint16_t>(kShared | kQueue),
                                     .place = place->entity.value,
                                     .peer = place->group.value});
  }
}

void Broker::tell_depths() const {
  for (const auto& place : queues_) {
    context_.emit(Kind::queue_depth, {.actor = node_.entity().value,
                                      .place = place->entity.value,
                                      .a = static_cast<std::int64_t>(place->queue.ready()),
                                      .b = static_cast<std::int64_t>(place->queue.unacknowledged())});
  }
}

bool Broker::idle() const {
  return node_.up() && publish_frames_.out() == 0 && deliver_frames_.out() == 0 &&
         std::none_of(queues_.begin(), queues_.end(), [](const auto& place) { return place->busy; });
}

std::optional<std::string> Broker::broken() const {
  for (const auto& place : queues_) {
    if (std::optional<std::string> wrong = place->queue.broken()) return wrong;
  }
  return std::nullopt;
}

void Broker::crashed() {
  for (const auto& session : sessions_) {
    if (session->open) end(*session);
  }
  for (const auto& place : queues_) {
    place->write_timer.disarm();
    place->expiry_timer.disarm();
    place->waiting.clear();
    place->writing.clear();
    place->busy = place->written_to = false;
    place->holders.clear();
    place->queue.crash();
  }
  dead_letters_.clear();
}

/// What has expired meanwhile goes first.
void Broker::restarted() {
  for (const auto& place : queues_) {
    place->queue.expire(now());
    touch(*place);
  }
  settle_down();
}

}  // namespace models::rabbitmq
