#include "models/rabbitmq/classic_home.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "models/faults/step_then.hpp"
#include "models/rabbitmq/broker.hpp"
#include "models/rabbitmq/client.hpp"
#include "models/rabbitmq/cluster.hpp"
#include "sim/assert.hpp"

namespace models::rabbitmq {

ClassicHome::ClassicHome(Cluster& cluster, QueueIndex index, const QueueOptions& options, EntityId entity,
                         Broker& home)
    : Queue(cluster, index, options, entity),
      home_(home),
      queue_(options, *this),
      write_timer_(cluster.context().simulation, home.node(), [this] { wrote(); }),
      expiry_timer_(cluster.context().simulation, home.node(),
                    [this] {
                      queue_.expire(now());
                      home_.touch(*this);
                      home_.settle_down();
                    }),
      unused_timer_(cluster.context().simulation, home.node(), [this] { set_exists(false); }),
      process_timer_(cluster.context().simulation, home.node(), [this] { process(); }) {}

sim::Time ClassicHome::now() const {
  return cluster_.context().now();
}

// ---- it tells -----------------------------------------------------------------------------------------------------

sim::TraceRecord ClassicHome::record(const Message& m) const {
  return {.actor = home_.node().entity().value,
          .place = entity_.value,
          .peer = group().value,
          .a = static_cast<std::int64_t>(m.number),
          .b = 1};
}

void ClassicHome::stored(const Message& m) {
  home_.touch(*this);
  cluster_.context().emit(Kind::stored, {.code = kInQueue,
                                         .actor = home_.node().entity().value,
                                         .place = entity_.value,
                                         .peer = m.lane.value,
                                         .a = static_cast<std::int64_t>(m.seq),
                                         .b = 1,
                                         .c = static_cast<std::int64_t>(m.number)});
}

void ClassicHome::dispatched(const Message& m, ConsumerId to, std::uint64_t ordinal) {
  home_.touch(*this);
  const Holder& holder = holders_[to.value];
  sim::TraceRecord told = record(m);
  told.code = m.redelivered ? kRedelivered : 0;
  told.c = holder.client->node().entity().value;
  cluster_.context().emit(Kind::dispatched, told);
  Ref<Deliver> frame = cluster_.deliver_frames().take();
  const Histories& histories = cluster_.histories();
  frame->number = m.number;
  frame->ordinal = ordinal;
  frame->lane = m.history == 0 ? m.lane : histories[m.history].lane;
  frame->seq = m.history == 0 ? m.seq : histories[m.history].seq;
  frame->queue = index_;
  frame->bytes = m.size;
  frame->redelivered = m.redelivered;
  Broker& there = *holder.session->broker;
  if (&there == &home_) return home_.deliver(*holder.session, std::move(frame));
  Ref<Relay> out = relay(Relay::What::deliver, *holder.session, holder.epoch);
  out->frame = std::move(frame);
  cluster_.relay(home_, there, kContentBytes + m.size, std::move(out));
}

void ClassicHome::settled(const Message& m, SettledCode how) {
  sim::TraceRecord told = record(m);
  told.code = static_cast<std::uint16_t>(how);
  cluster_.context().emit(Kind::settled, told);
  cluster_.histories().forget(m.history);
}

void ClassicHome::requeued(const Message& m, RequeuedCode why) {
  home_.touch(*this);
  sim::TraceRecord told = record(m);
  told.code = static_cast<std::uint16_t>(why);
  cluster_.context().emit(Kind::requeued, told);
}

void ClassicHome::removed(const Message& m, RemovedCode why) {
  std::optional<DeadLetter> letter;
  // Queue expiry does not dead-letter (rabbit_amqqueue_process: terminate_delete).
  if (why != RemovedCode::restart && why != RemovedCode::deleted) letter = home_.dead_letter(*this, m, why);
  sim::TraceRecord told = record(m);
  told.peer = 0;
  told.code = static_cast<std::uint16_t>(why);
  told.c = letter ? 1 : 0;
  cluster_.context().emit(Kind::removed, told);
  if (letter) home_.send_off(std::move(*letter));
  cluster_.histories().forget(m.history);
}

// ---- from publishers ----------------------------------------------------------------------------------------------

Taken ClassicHome::put(Message& m) {
  const bool to_disk = m.persistent && options_.durable;
  const bool instant = home_.instant_disk();
  if (!exists_) {
    // It was deleted while the message was on its way: confirmed, as what is unroutable is, and gone.
    queue_.publish(m, now());
    queue_.purge();
    return Taken::at_once;
  }
  if (to_disk && instant) queue_.written(queue_.next_number() + 1);
  if (!queue_.publish(m, now())) return Taken::refused;
  if (!to_disk || instant) return Taken::at_once;
  written_to_ = true;
  return Taken::later;
}

void ClassicHome::refuse(const Message& m) {
  if (options_.arguments.overflow == Overflow::reject_publish_dlx) {
    if (std::optional<DeadLetter> letter = home_.dead_letter(*this, m, RemovedCode::maxlen))
      home_.send_off(std::move(*letter));
  }
  cluster_.histories().forget(m.history);
}

Taken ClassicHome::publish(Session& session, std::uint64_t tag, Message& m) {
  if (session.broker != &home_) {
    Ref<Relay> out = relay(Relay::What::publish, session, session.epoch);
    out->number = tag;
    out->message = m;
    if (session.confirms) out->awaits = outstanding_.next() + 1;
    out->owed = &cluster_.histories();
    if (!to_home(*session.broker, kContentBytes + m.size, std::move(out))) return Taken::refused;
    if (session.confirms) outstanding_.push({&session, session.epoch, tag});
    return Taken::elsewhere;
  }
  if (options_.service > sim::Duration{}) return post(session, tag, m);
  const Taken taken = put(m);
  if (taken == Taken::later) {
    if (session.confirms) waiting_.push_back({&session, session.epoch, tag});
    begin_write();
  } else if (taken == Taken::refused) {
    refuse(m);
  }
  return taken;
}

/// At its home.
void ClassicHome::published_elsewhere(const Relay& relay) {
  Message m = relay.message;
  const Taken taken = put(m);
  const Confirm confirm{relay.session, relay.epoch, relay.number, relay.awaits};
  const bool asked = relay.awaits > 0;
  if (taken == Taken::later) {
    if (asked) waiting_.push_back(confirm);
    begin_write();
  } else if (taken == Taken::refused) {
    refuse(m);
  }
  home_.settle_down();
  const bool answered = asked && taken != Taken::later;
  step_then(home_.appended_step(), home_.node(), [this, confirm, answered, taken] {
    if (answered) this->taken(confirm, taken != Taken::refused);
  });
}

void ClassicHome::taken(const Confirm& confirm, bool accepted) {
  Broker& there = *confirm.session->broker;
  if (&there == &home_) {
    if (confirm.session->epoch == confirm.epoch)
      there.answer_publish(*confirm.session, confirm.tag, accepted);
    return;
  }
  Ref<Relay> out =
      relay(accepted ? Relay::What::accepted : Relay::What::refused, *confirm.session, confirm.epoch);
  out->number = confirm.tag;
  out->awaits = confirm.awaits;
  cluster_.relay(home_, there, kMethodBytes, std::move(out));
}

void ClassicHome::take_dead_letter(Broker& from, Message& m, const Origin& origin) {
  if (&from == &home_) return take(from, m, origin);
  Ref<Relay> out = cluster_.relays().take();
  out->what = Relay::What::dead_letter;
  out->queue = this;
  out->message = m;
  out->origin = origin;
  out->owed = &cluster_.histories();
  if (!to_home(from, kContentBytes + m.size, std::move(out)))
    from.tell_dead_letter(Kind::failed, *this, m, origin);
}

/// Without confirms: what a full queue refuses here is gone (the strategy at-most-once), or goes on to that queue's own dead
/// letter exchange: a dead letter is published as all else is (rabbit_dead_letter:publish, maybe_deliver_or_enqueue).
void ClassicHome::take(Broker& offered_by, Message& m, const Origin& origin) {
  const Taken taken = put(m);
  offered_by.tell_dead_letter(taken == Taken::refused ? Kind::failed : Kind::republished, *this, m, origin);
  if (taken == Taken::refused) refuse(m);
  if (taken == Taken::later) begin_write();
}

// ---- its process, where that takes time ---------------------------------------------------------------------------

/// credit_flow:send, of the channel. Model: of the chain connection, channel, queue, store the last but one link alone, which is
/// where a slow queue shows; what another node's channel sends has no credit to heed.
Taken ClassicHome::post(Session& session, std::uint64_t tag, const Message& m) {
  auto sender =
      std::find_if(senders_.begin(), senders_.end(), [&](const Sender& s) { return s.session == &session; });
  const Sender fresh{&session, session.epoch, cluster_.options().config.credit, 0};
  if (sender == senders_.end())
    sender = senders_.insert(sender, fresh);
  else if (sender->epoch != session.epoch)
    *sender = fresh;
  mailbox_.push({&session, session.epoch, tag, m});
  if (!process_timer_.armed()) process_timer_.arm_after(options_.service);
  if (--sender->credit == 0) home_.set_flow(session, true);
  return Taken::later;
}

void ClassicHome::process() {
  const Incoming next = mailbox_.front();
  mailbox_.pop();
  if (!mailbox_.empty()) process_timer_.arm_after(options_.service);
  Message m = next.message;
  const Taken taken = put(m);
  const bool asked = next.session->epoch == next.epoch && next.session->confirms;
  const Confirm confirm{next.session, next.epoch, next.tag};
  if (taken == Taken::refused) refuse(m);
  if (taken == Taken::later) {
    if (asked) waiting_.push_back(confirm);
    begin_write();
  } else if (asked) {
    this->taken(confirm, taken != Taken::refused);
  }
  home_.settle_down();
  give_credit(next);
}

/// credit_flow:ack, peer_down
void ClassicHome::give_credit(const Incoming& done) {
  if (done.session->epoch != done.epoch) return;
  const auto sender = std::find_if(senders_.begin(), senders_.end(),
                                   [&](const Sender& s) { return s.session == done.session; });
  const std::uint32_t more = cluster_.options().config.credit_more;
  if (++sender->processed < more) return;
  sender->processed = 0;
  const bool none = sender->credit == 0;
  sender->credit += more;
  if (none) home_.set_flow(*done.session, false);
}

/// Model: a classic queue (version 2) keeps in memory what is unacknowledged and the next 2,048 messages, each with 720 bytes
/// beside its body; on disk it has all bodies until they are acknowledged (rabbit_variable_queue.erl; RabbitMQ's pages on
/// memory use).
Queue::Usage ClassicHome::usage(const Broker& node) const {
  if (&node != &home_) return {};
  constexpr std::int64_t kNext = 2048;
  constexpr std::int64_t kBeside = 720;
  const auto ready = static_cast<std::int64_t>(queue_.ready());
  const auto held = static_cast<std::int64_t>(queue_.unacknowledged());
  const std::int64_t bodies = ready <= kNext ? queue_.ready_bytes() : queue_.ready_bytes() / ready * kNext;
  return {bodies + queue_.held_bytes() + kBeside * (std::min(ready, kNext) + held),
          queue_.ready_bytes() + queue_.held_bytes()};
}

// ---- the disk -----------------------------------------------------------------------------------------------------

void ClassicHome::begin_write() {
  if (writing_now_ || !written_to_) return;
  writing_now_ = true;
  written_to_ = false;
  writing_below_ = queue_.next_number();
  std::swap(waiting_, writing_);
  write_timer_.arm_after(home_.draw_write());
}

void ClassicHome::wrote() {
  writing_now_ = false;
  queue_.written(writing_below_);
  for (const Confirm& one : writing_) taken(one, true);
  writing_.clear();
  begin_write();
}

/// When it has come to rest.
void ClassicHome::settle(Broker&) {
  const sim::Time next = queue_.next_expiry();
  if (next == sim::kNever) {
    if (expiry_timer_.armed()) expiry_timer_.disarm();
  } else if (!expiry_timer_.armed() || expiry_timer_.deadline() != next) {
    expiry_timer_.arm_at(std::max(next, now()));
  }
}

// ---- from consumers -----------------------------------------------------------------------------------------------

bool ClassicHome::add_consumer(Session& session, std::uint32_t epoch, const ConsumerOptions& options) {
  if (queue_.consumers() > 0 && (options.exclusive || exclusively_)) return false;
  exclusively_ = options.exclusive;
  // Model: who consumes from a queue declares it first.
  if (!exists_) set_exists(true);
  unused_timer_.disarm();
  const ConsumerId consumer = queue_.next_consumer_id();
  if (consumer.value >= holders_.size()) holders_.resize(consumer.value + 1);
  holders_[consumer.value] = {&session, epoch, options.client};
  if (session.epoch == epoch) session.consumer_of(index_).consumer = consumer;
  queue_.add_consumer(options, now());
  return true;
}

void ClassicHome::remove_consumer(ConsumerId consumer) {
  holders_[consumer.value] = {};
  queue_.remove_consumer(consumer, now());
  if (queue_.consumers() == 0) unused();
}

// ---- whether it is there ------------------------------------------------------------------------------------------

void ClassicHome::started() {
  if (options_.exclusive) return set_exists(false);
  if (options_.arguments.expires) unused_timer_.arm_after(*options_.arguments.expires);
}

/// Its last consumer has gone. ensure_expiry_timer: queues expire that nobody consumes from.
void ClassicHome::unused() {
  exclusively_ = false;
  if (options_.auto_delete || options_.exclusive) return set_exists(false);
  if (options_.arguments.expires) unused_timer_.arm_after(*options_.arguments.expires);
}

void ClassicHome::set_exists(bool exists) {
  exists_ = exists;
  if (!exists) queue_.purge();
  cluster_.set_there(index_, exists);
  home_.touch(*this);
  home_.settle_down();
}

std::optional<ConsumerId> ClassicHome::consumer_of(const Session& session, std::uint32_t epoch) const {
  for (std::size_t i = 0; i < holders_.size(); ++i) {
    if (holders_[i].session == &session && holders_[i].epoch == epoch)
      return ConsumerId{static_cast<std::uint32_t>(i)};
  }
  return std::nullopt;
}

bool ClassicHome::consume(Session& session, const ConsumerOptions& consumer) {
  if (session.broker == &home_) return add_consumer(session, session.epoch, consumer);
  Ref<Relay> out = relay(Relay::What::consume, session, session.epoch);
  out->consumer = consumer;
  return to_home(*session.broker, kMethodBytes, std::move(out));
}

bool ClassicHome::answered(ConsumerId consumer, std::uint64_t ordinal, Answer how) {
  switch (how) {
    case Answer::ack:
      return queue_.ack(consumer, ordinal, now());
    case Answer::nack_requeue:
      return queue_.requeue(consumer, ordinal, now());
    case Answer::reject:
      break;
  }
  return queue_.reject(consumer, ordinal, now());
}

void ClassicHome::answer(Session& session, std::uint64_t ordinal, Answer how) {
  if (session.broker == &home_) {
    const bool held = answered(session.consumer_of(index_).consumer, ordinal, how);
    MQLAB_ASSERT(held, "a delivery tag is answered once (PRECONDITION_FAILED, unknown delivery tag)");
    return;
  }
  Ref<Relay> out = relay(Relay::What::answer, session, session.epoch);
  out->number = ordinal;
  out->how = how;
  to_home(*session.broker, kMethodBytes, std::move(out));
}

void ClassicHome::has_room(Session& session) {
  if (const auto consumer = consumer_of(session, session.epoch)) queue_.has_room(*consumer, now());
}

void ClassicHome::leave(Session& session, std::uint32_t epoch) {
  if (session.broker != &home_) {
    to_home(*session.broker, kMethodBytes, relay(Relay::What::leave, session, epoch));
    return;
  }
  remove_consumer(session.consumer_of(index_).consumer);
}

sim::Time ClassicHome::oldest_held(Session& session) {
  // Model: a channel at another node asks its queue's books, not its own.
  if (const auto consumer = consumer_of(session, session.epoch)) return queue_.oldest_held(*consumer);
  return sim::kNever;
}

// ---- between nodes ------------------------------------------------------------------------------------------------

Ref<Relay> ClassicHome::relay(Relay::What what, Session& session, std::uint32_t epoch) const {
  Ref<Relay> out = cluster_.relays().take();
  out->what = what;
  out->queue = const_cast<ClassicHome*>(this);
  out->session = &session;
  out->epoch = epoch;
  return out;
}

bool ClassicHome::to_home(Broker& from, std::uint32_t bytes, Ref<Relay> relay) {
  return cluster_.relay(from, home_, bytes, std::move(relay));
}

void ClassicHome::relayed(Broker& at, Relay& r) {
  const bool current = r.session != nullptr && r.session->epoch == r.epoch;
  r.owed = nullptr;
  switch (r.what) {
    case Relay::What::publish:
      return published_elsewhere(r);
    case Relay::What::accepted:
    case Relay::What::refused:
      return answered_elsewhere(at, r);
    case Relay::What::deliver:
      if (current) at.deliver(*r.session, std::move(r.frame));
      return;
    case Relay::What::dead_letter:
      take(cluster_.broker(r.from), r.message, r.origin);
      break;
    case Relay::What::consume:
      if (!add_consumer(*r.session, r.epoch, r.consumer)) {
        Broker& there = *r.session->broker;
        cluster_.relay(home_, there, kMethodBytes, relay(Relay::What::not_yours, *r.session, r.epoch));
      }
      break;
    case Relay::What::not_yours:
      if (current) at.refuse(*r.session);
      return;
    case Relay::What::answer:
      if (const auto consumer = consumer_of(*r.session, r.epoch)) answered(*consumer, r.number, r.how);
      break;
    case Relay::What::leave:
      if (const auto consumer = consumer_of(*r.session, r.epoch)) remove_consumer(*consumer);
      break;
    default:
      MQLAB_ASSERT(false, "of quorum queues");
  }
  home_.settle_down();
}

/// At the channel's node. What was given up meanwhile, its link being down, has been answered.
void ClassicHome::answered_elsewhere(Broker& at, const Relay& r) {
  if (!outstanding_.holds(r.awaits - 1)) return;
  const Confirm waits = std::exchange(outstanding_[r.awaits - 1], {});
  forget_answered();
  if (waits.session != nullptr && waits.session->epoch == waits.epoch)
    at.answer_publish(*waits.session, waits.tag, r.what == Relay::What::accepted);
}

void ClassicHome::forget_answered() {
  while (!outstanding_.empty() && outstanding_[outstanding_.first()].session == nullptr) outstanding_.drop();
}

void ClassicHome::link_down(Broker& at, Broker& other) {
  if (&at == &home_) {
    for (std::size_t i = 0; i < holders_.size(); ++i) {
      if (holders_[i].session != nullptr && holders_[i].session->broker == &other)
        remove_consumer(ConsumerId{static_cast<std::uint32_t>(i)});
    }
    return;
  }
  if (&other != &home_) return;
  std::vector<Confirm> gone;
  for (std::uint64_t i = outstanding_.first(); i < outstanding_.next(); ++i) {
    if (outstanding_[i].session == nullptr || outstanding_[i].session->broker != &at) continue;
    gone.push_back(std::exchange(outstanding_[i], {}));
  }
  forget_answered();
  for (const Confirm& c : gone) {
    if (c.session->epoch == c.epoch) at.answer_publish(*c.session, c.tag, false);
  }
  at.cancel_consumers(index_);
}

void ClassicHome::node_crashed(Broker& node) {
  if (&node != &home_) {
    for (std::uint64_t i = outstanding_.first(); i < outstanding_.next(); ++i) {
      Confirm& one = outstanding_[i];
      if (one.session != nullptr && one.session->broker == &node) one = {};
    }
    return forget_answered();
  }
  write_timer_.disarm();
  expiry_timer_.disarm();
  unused_timer_.disarm();
  process_timer_.disarm();
  while (!mailbox_.empty()) {
    cluster_.histories().forget(mailbox_.front().message.history);
    mailbox_.pop();
  }
  senders_.clear();
  waiting_.clear();
  writing_.clear();
  writing_now_ = written_to_ = false;
  holders_.clear();
  exclusively_ = false;
  queue_.crash();
  if (!exists_ || options_.exclusive) {
    queue_.purge();
    exists_ = false;
    cluster_.set_there(index_, false);
  }
}

/// What has expired meanwhile goes first.
void ClassicHome::node_restarted(Broker& node) {
  if (&node != &home_) return;
  if (exists_ && options_.arguments.expires) unused_timer_.arm_after(*options_.arguments.expires);
  queue_.expire(now());
  home_.touch(*this);
}

}  // namespace models::rabbitmq
