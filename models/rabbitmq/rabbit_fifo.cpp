#include "models/rabbitmq/rabbit_fifo.hpp"

#include <algorithm>
#include <functional>

#include "sim/assert.hpp"

namespace models::rabbitmq {
namespace {

/// Unlimited is so many (rabbit_fifo.hrl, a prefetch of 0).
constexpr std::uint32_t kMostCredit = 2000;
/// Publishers may go on when so much of the limit is used (LOW_LIMIT).
constexpr std::int64_t kLowPercent = 80;
constexpr std::uint8_t kDefaultPriority = 4;

}  // namespace

FifoRules FifoRules::of(const std::string& version) {
  if (version >= "4.3") return {};
  if (version >= "4.0") return {true, 20, 2, false, false};
  return {true, -1, 1, false, false};
}

RabbitFifo::RabbitFifo(const QueueOptions& options, const Config& config, const FifoRules& rules,
                       FifoOwner& owner)
    : options_(options), config_(config), rules_(rules), owner_(owner), levels_(rules.levels) {}

RabbitFifo::Client* RabbitFifo::find(ClientId client) {
  const auto at = clients_.find(client.value);
  return at == clients_.end() ? nullptr : &at->second;
}

std::int64_t RabbitFifo::limit() const {
  return options_.arguments.delivery_limit.value_or(rules_.delivery_limit);
}

// ---- what is ready ------------------------------------------------------------------------------------------------

std::size_t RabbitFifo::top_level() const {
  std::size_t at = levels_.size() - 1;
  while (levels_[at].empty()) --at;
  return at;
}

const RabbitFifo::Item& RabbitFifo::head() const {
  return head_is_returned() ? returns_.front() : levels_[top_level()].front();
}

/// take_next_msg. Model: of two levels (4.0 to 4.2) the higher one is served twice for each time of the lower one
/// (rabbit_fifo_q.erl); here it goes first.
RabbitFifo::Item RabbitFifo::take_head() {
  MQLAB_ASSERT(ready_ > 0, "there is a message to take");
  Fifo<Item>& from = head_is_returned() ? returns_ : levels_[top_level()];
  const Item item = from.front();
  from.pop();
  --ready_;
  ready_bytes_ -= item.message.size;
  return item;
}

void RabbitFifo::put_returned(const Item& item) {
  returns_.push(item);
  ++ready_;
  ready_bytes_ += item.message.size;
}

// ---- from publishers ----------------------------------------------------------------------------------------------

void RabbitFifo::store(Message& m, sim::Time now) {
  m.number = next_number_++;
  m.redelivered = false;
  if (options_.arguments.message_ttl) m.expires = std::min(m.expires, now + *options_.arguments.message_ttl);
  // Model: a priority of 0 is as if none were given; 5 and more is high where there are two levels.
  const std::uint8_t given = m.priority == 0 ? kDefaultPriority : m.priority;
  const std::size_t level = levels_.size() == 1   ? 0
                            : levels_.size() == 2 ? (given > kDefaultPriority ? 1 : 0)
                                                  : std::min<std::size_t>(given, levels_.size() - 1);
  owner_.stored(m);
  levels_[level].push({m, 0, 0});
  ++ready_;
  ready_bytes_ += m.size;
  bytes_ += m.size;
}

RabbitFifo::Enqueued RabbitFifo::enqueue(ClientId client, std::uint64_t seq, Message& m, sim::Time now) {
  Client& c = clients_[client.value];
  if (seq > c.next_seq) return Enqueued::out_of_sequence;
  if (seq < c.next_seq) return Enqueued::duplicate;
  ++c.next_seq;
  if (refusing_ && !std::exchange(c.refused, true)) owner_.full(client, true);
  enqueue(m, now);
  return Enqueued::stored;
}

void RabbitFifo::enqueue(Message& m, sim::Time now) {
  store(m, now);
  // What is on its way to a queue when that is deleted goes with it, and is no failure to its publisher.
  if (gone_) return remove(take_head(), RemovedCode::deleted);
  checkout(now);
}

bool RabbitFifo::over(std::int64_t percent) const {
  const QueueArguments& a = options_.arguments;
  return (a.max_length && static_cast<std::int64_t>(ready_) * 100 > *a.max_length * percent) ||
         (a.max_length_bytes && ready_bytes_ * 100 > *a.max_length_bytes * percent);
}

/// What has come in is kept: who publishes hears of it afterwards, so that the queue may be longer than its limit.
void RabbitFifo::evaluate_limit() {
  if (options_.arguments.overflow == Overflow::drop_head) {
    while (over(100)) let_go(take_head(), RemovedCode::maxlen, false);
    return;
  }
  // Who publishes for the first time hears of it then.
  const bool full = over(100) || (refusing_ && over(kLowPercent));
  if (std::exchange(refusing_, full) == full) return;
  for (auto& [id, client] : clients_) {
    if (client.refused == full) continue;
    client.refused = full;
    owner_.full(ClientId{id}, full);
  }
}

// ---- time ---------------------------------------------------------------------------------------------------------

/// expire_batch: at the head of what came back, and of every level.
void RabbitFifo::expire_all(sim::Time now) {
  const auto drop = [&](Fifo<Item>& from) {
    while (!from.empty() && from.front().message.expires <= now) {
      const Item item = from.front();
      from.pop();
      --ready_;
      ready_bytes_ -= item.message.size;
      let_go(item, RemovedCode::expired, false);
    }
  };
  drop(returns_);
  for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) drop(*level);
}

void RabbitFifo::expire(sim::Time now) {
  if (ready_ > 0 && head().message.expires <= now) expire_all(now);
}

void RabbitFifo::take_delayed(sim::Time now) {
  while (!delayed_.empty() && delayed_.front().ready_at <= now) {
    put_returned(delayed_.front().item);
    std::pop_heap(delayed_.begin(), delayed_.end(), std::greater<>());
    delayed_.pop_back();
  }
}

std::optional<sim::Duration> RabbitFifo::consumer_timeout() const {
  if (!rules_.consumer_timeout) return std::nullopt;
  const sim::Duration timeout = options_.arguments.consumer_timeout.value_or(config_.consumer_timeout);
  return timeout > sim::Duration{} ? std::optional(timeout) : std::nullopt;
}

sim::Time RabbitFifo::next_event() {
  sim::Time next = delayed_.empty() ? sim::kNever : delayed_.front().ready_at;
  if (ready_ > 0) next = std::min(next, head().message.expires);
  if (options_.arguments.expires && !gone_ && idle())
    next = std::min(next, last_active_ + *options_.arguments.expires);
  return std::min(next, next_timeout());
}

void RabbitFifo::start_clock(ClientId id, Client& c, sim::Time since) {
  if (!consumer_timeout() || std::exchange(c.clocked, true)) return;
  clocks_.push_back({since, id.value});
  std::push_heap(clocks_.begin(), clocks_.end(), std::greater<>());
}

/// What a consumer holds gets younger only, so that its clock is set when it comes to the front.
sim::Time RabbitFifo::next_timeout() {
  const auto timeout = consumer_timeout();
  if (!timeout) return sim::kNever;
  while (!clocks_.empty()) {
    const Clock first = clocks_.front();
    Client* const c = find(ClientId{first.client});
    const bool runs = c != nullptr && !c->held.empty() && !c->timed_out;
    if (runs && c->held[c->held.first()].since == first.since) return first.since + *timeout;
    std::pop_heap(clocks_.begin(), clocks_.end(), std::greater<>());
    clocks_.pop_back();
    if (c == nullptr) continue;
    c->clocked = false;
    if (runs) start_clock(ClientId{first.client}, *c, c->held[c->held.first()].since);
  }
  return sim::kNever;
}

/// is_expired: suspected consumers are none.
bool RabbitFifo::idle() const {
  return std::none_of(clients_.begin(), clients_.end(),
                      [](const auto& c) { return c.second.consumes && !c.second.suspected; });
}

/// spawn_deleter. Model: at the moment, not at the next tick of its leader (quorum_tick_interval); and its members stay, for
/// whoever declares it again by consuming from it.
void RabbitFifo::expire_queue(sim::Time now) {
  if (!options_.arguments.expires || gone_ || !idle() || now < last_active_ + *options_.arguments.expires)
    return;
  gone_ = true;
  owner_.there(false);
  while (ready_ > 0) remove(take_head(), RemovedCode::deleted);
  for (const Delayed& one : delayed_) remove(one.item, RemovedCode::deleted);
  delayed_.clear();
  for (auto& [id, c] : clients_) {
    for (std::uint64_t i = c.held.first(); i < c.held.next(); ++i) {
      if (const std::optional<Item> item = release(c, i)) remove(*item, RemovedCode::deleted);
    }
    if (std::exchange(c.consumes, false)) owner_.consumer_timed_out(ClientId{id});
  }
  for (std::uint64_t i = dead_.first(); i < dead_.next(); ++i) {
    if (!dead_[i].buried) remove(dead_[i].item, RemovedCode::deleted);
  }
  while (!dead_.empty()) dead_.drop();
  dead_ready_ = dead_held_ = 0;
  waiting_.clear();
  evaluate_limit();
}

void RabbitFifo::remove(const Item& item, RemovedCode why) {
  bytes_ -= item.message.size;
  owner_.removed(item.message, why);
}

void RabbitFifo::tick(sim::Time now) {
  expire_queue(now);
  take_delayed(now);
  expire_all(now);
  time_out_consumers(now);
  checkout(now);
}

/// evaluate_consumer_timeout
void RabbitFifo::time_out_consumers(sim::Time now) {
  const auto timeout = consumer_timeout();
  if (!timeout) return;
  for (auto& [id, c] : clients_) {
    bool any = false;
    for (std::uint64_t i = c.held.first(); i < c.held.next(); ++i) {
      if (!c.held[i].live || now - c.held[i].since < *timeout) continue;
      any = true;
      give_back(c, i, false, RequeuedCode::timed_out, now);
    }
    if (!any) continue;
    c.timed_out = true;
    owner_.consumer_timed_out(ClientId{id});
  }
  activate_next();
}

// ---- who is served ------------------------------------------------------------------------------------------------

/// maybe_queue_consumer
void RabbitFifo::enter_turn(ClientId id) {
  Client& c = clients_[id.value];
  if (c.queued || !c.consumes || c.credit == 0) return;
  const std::int32_t priority = c.options.priority;
  auto turn =
      std::find_if(turns_.begin(), turns_.end(), [&](const Turn& t) { return t.priority <= priority; });
  if (turn == turns_.end() || turn->priority != priority)
    turn = turns_.insert(turn, Turn{priority, std::make_unique<sim::Ring<ClientId>>()});
  turn->order->push(id);
  c.queued = true;
}

/// Takes it out of the turn. Who cannot take anything leaves it.
std::optional<ClientId> RabbitFifo::whose_turn() {
  for (Turn& turn : turns_) {
    while (!turn.order->empty()) {
      const ClientId id = turn.order->pop();
      Client* const c = find(id);
      if (c == nullptr) continue;
      c->queued = false;
      if (c->consumes && c->credit > 0 && !c->suspected && !c->timed_out && !c->waiting && !c->quiescing)
        return id;
    }
  }
  return std::nullopt;
}

void RabbitFifo::checkout(sim::Time now) {
  while (true) {
    expire(now);
    if (ready_ == 0) break;
    const auto to = whose_turn();
    if (!to) break;
    Client& c = clients_[to->value];
    const Item item = take_head();
    const std::uint64_t ordinal = c.held.push({item, now, true});
    start_clock(*to, c, now);
    --c.credit;
    ++c.unacknowledged;
    ++unacknowledged_;
    enter_turn(*to);
    Message m = item.message;
    m.redelivered = item.acquired > 0;
    owner_.dispatched(m, ConsumerId{to->value}, ordinal);
  }
  evaluate_limit();
}

std::optional<ClientId> RabbitFifo::active() const {
  if (!options_.arguments.single_active_consumer) return std::nullopt;
  for (const auto& [id, c] : clients_) {
    if (c.consumes && !c.waiting && !c.timed_out) return ClientId{id};
  }
  return std::nullopt;
}

void RabbitFifo::wait(ClientId id) {
  Client& c = clients_[id.value];
  c.waiting = true;
  c.quiescing = false;
  const auto behind = std::find_if(waiting_.begin(), waiting_.end(), [&](ClientId other) {
    return clients_[other.value].options.priority < c.options.priority;
  });
  waiting_.insert(behind, id);
}

/// Another one only when there is none; or one of a higher x-priority, once the active one has answered for all it holds.
void RabbitFifo::activate_next() {
  if (!options_.arguments.single_active_consumer) return;
  const auto next = std::find_if(waiting_.begin(), waiting_.end(), [&](ClientId id) {
    return !clients_[id.value].suspected && !clients_[id.value].timed_out;
  });
  if (next == waiting_.end()) return;
  Client& candidate = clients_[next->value];
  if (const auto now_active = active()) {
    Client& a = clients_[now_active->value];
    if (candidate.options.priority <= a.options.priority) return;
    a.quiescing = true;
    if (a.unacknowledged > 0) return;
    const ClientId chosen = *next;
    waiting_.erase(next);
    candidate.waiting = false;
    wait(*now_active);
    return enter_turn(chosen);
  }
  candidate.waiting = false;
  const ClientId chosen = *next;
  waiting_.erase(next);
  enter_turn(chosen);
}

// ---- from consumers -----------------------------------------------------------------------------------------------

void RabbitFifo::consume(ClientId client, const ConsumerOptions& options, sim::Time now) {
  Client& c = clients_[client.value];
  // The command was repeated.
  if (std::exchange(c.consumes, true)) return;
  last_active_ = now;
  if (std::exchange(gone_, false)) owner_.there(true);
  c.options = options;
  c.credit = options.prefetch == 0 ? kMostCredit : options.prefetch;
  if (options_.arguments.single_active_consumer) {
    wait(client);
    activate_next();
  } else {
    enter_turn(client);
  }
  checkout(now);
}

std::optional<RabbitFifo::Item> RabbitFifo::release(Client& c, std::uint64_t ordinal) {
  if (!c.held.holds(ordinal) || !c.held[ordinal].live) return std::nullopt;
  const Item item = c.held[ordinal].item;
  c.held[ordinal].live = false;
  while (!c.held.empty() && !c.held[c.held.first()].live) c.held.drop();
  --c.unacknowledged;
  --unacknowledged_;
  ++c.credit;
  return item;
}

/// Of the strategy at-least-once it stays here until its dead letter has arrived.
void RabbitFifo::let_go(const Item& item, RemovedCode why, bool held) {
  if (!options_.arguments.at_least_once) return remove(item, why);
  ++(held ? dead_held_ : dead_ready_);
  dead_.push({item, why});
  owner_.died();
}

void RabbitFifo::bury(std::uint64_t id, sim::Time now) {
  if (!dead_.holds(id) || std::exchange(dead_[id].buried, true)) return;
  const Dead dead = dead_[id];
  while (!dead_.empty() && dead_[dead_.first()].buried) dead_.drop();
  const bool held = dead.why == RemovedCode::rejected || dead.why == RemovedCode::delivery_limit;
  --(held ? dead_held_ : dead_ready_);
  remove(dead.item, dead.why);
  checkout(now);
}

/// return_one
void RabbitFifo::give_back(Client& c, std::uint64_t ordinal, bool failed, RequeuedCode why, sim::Time now) {
  std::optional<Item> item = release(c, ordinal);
  if (!item) return;
  ++item->acquired;
  if (failed) ++item->failed;
  const std::int64_t most = limit();
  if (most >= 0 && (rules_.every_return_counts ? item->acquired : item->failed) > most)
    return let_go(*item, RemovedCode::delivery_limit, true);
  owner_.requeued(item->message, why);
  const QueueArguments& a = options_.arguments;
  const bool delayed = a.delayed_retry == DelayedRetry::all ||
                       a.delayed_retry == (failed ? DelayedRetry::failed : DelayedRetry::returned);
  if (!delayed) return put_returned(*item);
  const sim::Duration delay =
      std::min(a.delayed_retry_min * std::max<std::int64_t>(1, item->failed), a.delayed_retry_max);
  delayed_.push_back({now + delay, next_delayed_++, *item});
  std::push_heap(delayed_.begin(), delayed_.end(), std::greater<>());
}

void RabbitFifo::give_back_all(Client& c, bool failed, RequeuedCode why, sim::Time now) {
  for (std::uint64_t i = c.held.first(); i < c.held.next(); ++i) {
    if (c.held.holds(i)) give_back(c, i, failed, why, now);
  }
}

void RabbitFifo::answer(ClientId client, std::uint64_t ordinal, Answer how, sim::Time now) {
  Client* const c = find(client);
  if (c == nullptr) return;
  if (how == Answer::nack_requeue) {
    give_back(*c, ordinal, false, RequeuedCode::by_nack, now);
  } else if (const std::optional<Item> item = release(*c, ordinal)) {
    if (how == Answer::ack) {
      bytes_ -= item->message.size;
      owner_.settled(item->message, c->options.automatic ? SettledCode::automatically : SettledCode::by_ack);
    } else {
      let_go(*item, RemovedCode::rejected, true);
    }
  }
  enter_turn(client);
  activate_next();
  checkout(now);
}

void RabbitFifo::down(ClientId client, sim::Time now) {
  Client* const c = find(client);
  if (c == nullptr) return;
  if (c->consumes) last_active_ = now;
  give_back_all(*c, true, RequeuedCode::holder_gone, now);
  std::erase(waiting_, client);
  for (Turn& turn : turns_) {
    for (std::size_t left = turn.order->size(); left > 0; --left) {
      if (const ClientId id = turn.order->pop(); id != client) turn.order->push(id);
    }
  }
  clients_.erase(client.value);
  activate_next();
  checkout(now);
}

void RabbitFifo::suspect(ClientId client, sim::Time now) {
  Client* const c = find(client);
  if (c == nullptr) return;
  c->suspected = true;
  last_active_ = now;
  if (rules_.suspects_keep) return checkout(now);
  give_up(client, now);
}

void RabbitFifo::give_up(ClientId client, sim::Time now) {
  Client* const c = find(client);
  if (c == nullptr || !c->suspected) return;
  give_back_all(*c, false, RequeuedCode::holder_gone, now);
  if (options_.arguments.single_active_consumer && c->consumes && !c->waiting) wait(client);
  activate_next();
  checkout(now);
}

void RabbitFifo::trust(ClientId client, sim::Time now) {
  Client* const c = find(client);
  if (c == nullptr) return;
  c->suspected = false;
  enter_turn(client);
  activate_next();
  checkout(now);
}

sim::Time RabbitFifo::oldest_held(ClientId client) {
  Client* const c = find(client);
  return c == nullptr || c->held.empty() ? sim::kNever : c->held[c->held.first()].since;
}

std::optional<std::string> RabbitFifo::broken() const {
  std::uint64_t ready = returns_.size();
  for (const Fifo<Item>& level : levels_) ready += level.size();
  if (ready != ready_) return "a message of queue " + options_.name + " is ready in two places or in none";
  std::uint64_t held = 0;
  std::uint32_t active = 0;
  for (const auto& [id, c] : clients_) {
    held += c.unacknowledged;
    active += c.consumes && !c.waiting && !c.timed_out ? 1 : 0;
    if (c.consumes && c.options.prefetch > 0 && c.unacknowledged > c.options.prefetch)
      return "a consumer of queue " + options_.name + " holds more than its prefetch";
    const bool room =
        c.consumes && c.credit > 0 && !c.suspected && !c.timed_out && !c.waiting && !c.quiescing;
    if (room && ready_ > 0)
      return "queue " + options_.name + " keeps a message from a consumer that has room for it";
  }
  if (held != unacknowledged_) return "a message of queue " + options_.name + " is held by two or by nobody";
  if (options_.arguments.single_active_consumer && active > 1)
    return "queue " + options_.name + " has two single active consumers";
  return std::nullopt;
}

}  // namespace models::rabbitmq
