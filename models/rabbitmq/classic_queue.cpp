#include "models/rabbitmq/classic_queue.hpp"

#include <algorithm>

#include "sim/assert.hpp"

namespace models::rabbitmq {
namespace {

bool later(const Message& a, const Message& b) {
  return a.number > b.number;
}

}  // namespace

// ---- what is ready ------------------------------------------------------------------------------------------------

const Message& ClassicQueue::Level::head() const {
  // What was dispatched once is older than what never was.
  return returned.empty() ? fresh.front() : returned.front();
}

Message ClassicQueue::Level::pop() {
  if (returned.empty()) {
    const Message m = fresh.front();
    fresh.pop();
    return m;
  }
  std::pop_heap(returned.begin(), returned.end(), later);
  const Message m = returned.back();
  returned.pop_back();
  return m;
}

void ClassicQueue::Level::put_back(const Message& m) {
  returned.push_back(m);
  std::push_heap(returned.begin(), returned.end(), later);
}

Message ClassicQueue::take_head() {
  MQLAB_ASSERT(ready_ > 0, "there is a message to take");
  std::size_t at = levels_.size() - 1;
  while (levels_[at].empty()) --at;
  const Message m = levels_[at].pop();
  --ready_;
  ready_bytes_ -= m.size;
  return m;
}

void ClassicQueue::put_ready(const Message& m) {
  levels_[m.priority].put_back(m);
  ++ready_;
  ready_bytes_ += m.size;
}

// ---- from publishers ----------------------------------------------------------------------------------------------

/// will_overflow
bool ClassicQueue::full_for(const Message& m) const {
  const QueueArguments& a = options_.arguments;
  return (a.max_length && static_cast<std::int64_t>(ready_) + 1 > *a.max_length) ||
         (a.max_length_bytes && ready_bytes_ + m.size > *a.max_length_bytes);
}

/// over_max_length
bool ClassicQueue::over_length() const {
  const QueueArguments& a = options_.arguments;
  return (a.max_length && static_cast<std::int64_t>(ready_) > *a.max_length) ||
         (a.max_length_bytes && ready_bytes_ > *a.max_length_bytes);
}

/// maybe_deliver_or_enqueue, deliver_or_enqueue
bool ClassicQueue::publish(Message& m, sim::Time now) {
  const QueueArguments& a = options_.arguments;
  if (a.overflow != Overflow::drop_head && full_for(m)) return false;
  m.number = next_number_++;
  m.priority = std::min(m.priority, a.max_priority);
  m.redelivered = false;
  if (a.message_ttl) m.expires = std::min(m.expires, now + *a.message_ttl);
  owner_.stored(m);
  if (ready_ == 0) {
    if (const auto to = whose_turn()) {
      dispatch(m, *to, now);
      return true;
    }
  }
  levels_[m.priority].fresh.push(m);
  ++ready_;
  ready_bytes_ += m.size;
  drop_head();
  drop_expired(now);
  return true;
}

/// maybe_drop_head: what is dropped is what would be served next, whatever its priority.
void ClassicQueue::drop_head() {
  if (options_.arguments.overflow != Overflow::drop_head) return;
  while (over_length()) owner_.removed(take_head(), RemovedCode::maxlen);
}

// ---- time ---------------------------------------------------------------------------------------------------------

sim::Time ClassicQueue::next_expiry() const {
  // rabbit_priority_queue:dropwhile looks at the highest priority that has messages.
  for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
    if (!level->empty()) return level->head().expires;
  }
  return sim::kNever;
}

void ClassicQueue::drop_expired(sim::Time now) {
  while (ready_ > 0 && next_expiry() <= now) owner_.removed(take_head(), RemovedCode::expired);
}

void ClassicQueue::expire(sim::Time now) {
  drop_expired(now);
}

void ClassicQueue::purge() {
  MQLAB_ASSERT(consumers() == 0, "nobody consumes from a queue that is deleted");
  while (ready_ > 0) owner_.removed(take_head(), RemovedCode::deleted);
}

// ---- who is served ------------------------------------------------------------------------------------------------

void ClassicQueue::enter_turn(ConsumerId consumer) {
  const std::int32_t priority = consumers_[consumer.value].options.priority;
  auto turn =
      std::find_if(turns_.begin(), turns_.end(), [&](const Turn& t) { return t.priority <= priority; });
  if (turn == turns_.end() || turn->priority != priority) turn = turns_.insert(turn, Turn{priority, {}, 0});
  // Behind everybody: the place before whose turn it is.
  turn->order.insert(turn->order.begin() + static_cast<std::ptrdiff_t>(turn->next), consumer);
  turn->next = (turn->next + 1) % turn->order.size();
}

void ClassicQueue::leave_turn(ConsumerId consumer) {
  for (Turn& turn : turns_) {
    const auto at = std::find(turn.order.begin(), turn.order.end(), consumer);
    if (at == turn.order.end()) continue;
    const auto index = static_cast<std::size_t>(at - turn.order.begin());
    turn.order.erase(at);
    if (index < turn.next) --turn.next;
    if (turn.next >= turn.order.size()) turn.next = 0;
  }
}

/// rabbit_queue_consumers:deliver. Whoever has what its prefetch allows is blocked, and out of the turn.
std::optional<ConsumerId> ClassicQueue::whose_turn() {
  if (options_.arguments.single_active_consumer) {
    return active_ && can_take(consumers_[active_->value]) ? active_ : std::nullopt;
  }
  for (Turn& turn : turns_) {
    while (!turn.order.empty()) {
      const ConsumerId next = turn.order[turn.next];
      if (can_take(consumers_[next.value])) {
        turn.next = (turn.next + 1) % turn.order.size();
        return next;
      }
      consumers_[next.value].blocked = true;
      turn.order.erase(turn.order.begin() + static_cast<std::ptrdiff_t>(turn.next));
      if (turn.next >= turn.order.size()) turn.next = 0;
    }
  }
  return std::nullopt;
}

/// run_message_queue, fetch
void ClassicQueue::run(sim::Time now) {
  while (ready_ > 0) {
    const auto to = whose_turn();
    if (!to) return;
    const Message m = take_head();
    // As RabbitMQ has it ("@todo"): what comes to the head behind it is looked at, and not the message itself.
    drop_expired(now);
    dispatch(m, *to, now);
  }
}

void ClassicQueue::dispatch(Message m, ConsumerId to, sim::Time now) {
  Consumer& c = consumers_[to.value];
  const std::uint64_t ordinal = c.held.push({});
  if (c.options.automatic) {
    while (!c.held.empty()) c.held.drop();
    owner_.dispatched(m, to, ordinal);
    owner_.settled(m, SettledCode::automatically);
    return;
  }
  c.held[ordinal] = {m, now, true};
  ++c.unacknowledged;
  ++unacknowledged_;
  held_bytes_ += m.size;
  if (c.options.limit != nullptr) ++c.options.limit->held;
  owner_.dispatched(m, to, ordinal);
}

// ---- from consumers -----------------------------------------------------------------------------------------------

ConsumerId ClassicQueue::add_consumer(const ConsumerOptions& options, sim::Time now) {
  const ConsumerId id = next_consumer_id();
  if (free_.empty())
    consumers_.emplace_back();
  else
    free_.pop_back();
  Consumer& c = consumers_[id.value];
  c.options = options;
  c.there = true;
  c.blocked = false;
  registered_.push_back(id);
  enter_turn(id);
  if (!active_) elect_active();
  run(now);
  return id;
}

/// The consumer of the highest x-priority, the first of them (rabbit_queue_consumers:get_consumer).
void ClassicQueue::elect_active() {
  active_.reset();
  if (!options_.arguments.single_active_consumer) return;
  for (const ConsumerId id : registered_) {
    if (!active_ || consumers_[id.value].options.priority > consumers_[active_->value].options.priority)
      active_ = id;
  }
}

/// handle_ch_down
void ClassicQueue::remove_consumer(ConsumerId consumer, sim::Time now) {
  Consumer& c = consumers_[consumer.value];
  MQLAB_ASSERT(c.there, "a consumer is removed once");
  leave_turn(consumer);
  registered_.erase(std::find(registered_.begin(), registered_.end(), consumer));
  for (; !c.held.empty(); c.held.drop()) {
    Held& held = c.held[c.held.first()];
    if (!held.live) continue;
    held.message.redelivered = true;
    held_bytes_ -= held.message.size;
    owner_.requeued(held.message, RequeuedCode::holder_gone);
    put_ready(held.message);
  }
  unacknowledged_ -= c.unacknowledged;
  if (c.options.limit != nullptr) c.options.limit->held -= static_cast<std::uint32_t>(c.unacknowledged);
  c.unacknowledged = 0;
  c.there = false;
  free_.push_back(consumer);
  if (active_ == consumer) elect_active();
  drop_head();
  drop_expired(now);
  run(now);
}

std::optional<Message> ClassicQueue::release(ConsumerId consumer, std::uint64_t ordinal) {
  Consumer& c = consumers_[consumer.value];
  if (!c.there || !c.held.holds(ordinal) || !c.held[ordinal].live) return std::nullopt;
  const Message m = c.held[ordinal].message;
  c.held[ordinal].live = false;
  while (!c.held.empty() && !c.held[c.held.first()].live) c.held.drop();
  --c.unacknowledged;
  --unacknowledged_;
  held_bytes_ -= m.size;
  if (c.options.limit != nullptr) --c.options.limit->held;
  return m;
}

void ClassicQueue::unblock(ConsumerId consumer) {
  Consumer& c = consumers_[consumer.value];
  if (!c.blocked || !can_take(c)) return;
  c.blocked = false;
  enter_turn(consumer);
}

bool ClassicQueue::ack(ConsumerId consumer, std::uint64_t ordinal, sim::Time now) {
  const std::optional<Message> m = release(consumer, ordinal);
  if (!m) return false;
  owner_.settled(*m, SettledCode::by_ack);
  unblock(consumer);
  run(now);
  return true;
}

/// requeue_and_run
bool ClassicQueue::requeue(ConsumerId consumer, std::uint64_t ordinal, sim::Time now) {
  std::optional<Message> m = release(consumer, ordinal);
  if (!m) return false;
  m->redelivered = true;
  owner_.requeued(*m, RequeuedCode::by_nack);
  put_ready(*m);
  unblock(consumer);
  drop_head();
  drop_expired(now);
  run(now);
  return true;
}

bool ClassicQueue::reject(ConsumerId consumer, std::uint64_t ordinal, sim::Time now) {
  const std::optional<Message> m = release(consumer, ordinal);
  if (!m) return false;
  owner_.removed(*m, RemovedCode::rejected);
  unblock(consumer);
  run(now);
  return true;
}

void ClassicQueue::has_room(ConsumerId consumer, sim::Time now) {
  if (!consumers_[consumer.value].there) return;
  unblock(consumer);
  run(now);
}

sim::Time ClassicQueue::oldest_held(ConsumerId consumer) {
  Consumer& c = consumers_[consumer.value];
  return c.held.empty() ? sim::kNever : c.held[c.held.first()].since;
}

std::optional<std::string> ClassicQueue::broken() const {
  std::uint64_t ready = 0;
  for (const Level& level : levels_) ready += level.fresh.size() + level.returned.size();
  if (ready != ready_) return "a message of queue " + options_.name + " is ready in two places or in none";
  std::uint64_t held = 0;
  bool room = false;
  for (const ConsumerId id : registered_) {
    const Consumer& c = consumers_[id.value];
    held += c.unacknowledged;
    room |= can_take(c) && (!options_.arguments.single_active_consumer || active_ == id);
    if (!c.options.automatic && c.options.prefetch > 0 && c.unacknowledged > c.options.prefetch)
      return "a consumer of queue " + options_.name + " holds more than its prefetch";
  }
  if (held != unacknowledged_) return "a message of queue " + options_.name + " is held by two or by nobody";
  if (room && ready_ > 0)
    return "queue " + options_.name + " keeps a message from a consumer that has room for it";
  return std::nullopt;
}

// ---- the node's process ends --------------------------------------------------------------------------------------

void ClassicQueue::crash() {
  gathered_.clear();
  for (const ConsumerId id : registered_) {
    Consumer& c = consumers_[id.value];
    for (; !c.held.empty(); c.held.drop()) {
      Held& held = c.held[c.held.first()];
      if (!held.live) continue;
      held.message.redelivered = true;
      owner_.requeued(held.message, RequeuedCode::restart);
      gathered_.push_back(held.message);
    }
  }
  while (ready_ > 0) gathered_.push_back(take_head());
  consumers_.clear();
  free_.clear();
  turns_.clear();
  registered_.clear();
  active_.reset();
  unacknowledged_ = 0;
  held_bytes_ = 0;
  std::sort(gathered_.begin(), gathered_.end(),
            [](const Message& a, const Message& b) { return later(b, a); });
  for (const Message& m : gathered_) {
    const bool survives = options_.durable && m.persistent && m.number < written_;
    if (survives)
      put_ready(m);
    else
      owner_.removed(m, RemovedCode::restart);
  }
}

}  // namespace models::rabbitmq
