// A classic queue: what is ready, who holds what, who gets the next message, and what leaves without having been acknowledged.
// Pure: it knows no network and no trace, and is told the time.
//
// Messages are numbered as they come, and are served in that order, those of a higher priority first. A message that is requeued
// goes back to its place (rabbit_variable_queue.erl, requeue: merged by sequence id). Consumers are served in turn, those of the
// highest x-priority that are not blocked by their prefetch first (rabbit_queue_consumers.erl). Expired messages go only when
// they come to the head (rabbit_amqqueue_process.erl, drop_expired_msgs).
//
// Every message is in one place: ready, or held by one consumer; it leaves by one call of its owner: settled() or removed().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/ids.hpp"
#include "models/rabbitmq/frames.hpp"
#include "models/rabbitmq/message.hpp"
#include "models/rabbitmq/options.hpp"
#include "models/rabbitmq/window.hpp"
#include "sim/time.hpp"

namespace models::rabbitmq {

using ConsumerId = Id<struct RabbitConsumerTag>;

/// What a queue tells. Nothing may be done to the queue from inside these calls.
class QueueOwner {
 public:
  virtual ~QueueOwner() = default;
  virtual void stored(const Message& m) = 0;
  /// `ordinal` numbers what the consumer was sent, from 0. It holds the message, unless it acknowledges automatically: then
  /// settled() follows.
  virtual void dispatched(const Message& m, ConsumerId to, std::uint64_t ordinal) = 0;
  virtual void settled(const Message& m, SettledCode how) = 0;
  virtual void requeued(const Message& m, RequeuedCode why) = 0;
  virtual void removed(const Message& m, RemovedCode why) = 0;
};

class ClassicQueue {
 public:
  ClassicQueue(const QueueOptions& options, QueueOwner& owner) : options_(options), owner_(owner) {
    levels_.resize(std::size_t{options.arguments.max_priority} + 1);
  }
  ClassicQueue(const ClassicQueue&) = delete;
  ClassicQueue& operator=(const ClassicQueue&) = delete;

  // ---- from publishers ----
  /// Whether the queue takes the message; then `m` has its number, and may be on its way already. False: it is full, and its
  /// overflow is reject-publish(-dlx).
  bool publish(Message& m, sim::Time now);
  /// Everything below that number is on disk.
  void written(std::uint64_t below) { written_ = below; }

  // ---- from consumers ----
  /// What add_consumer() will return: messages are on their way to it before it does.
  ConsumerId next_consumer_id() const {
    return free_.empty() ? ConsumerId{static_cast<std::uint32_t>(consumers_.size())} : free_.back();
  }
  ConsumerId add_consumer(const ConsumerOptions& options, sim::Time now);
  /// Its channel has ended: what it holds goes back.
  void remove_consumer(ConsumerId consumer, sim::Time now);
  // What a consumer says of what it was sent. False: it does not hold that (any more).
  bool ack(ConsumerId consumer, std::uint64_t ordinal, sim::Time now);
  bool requeue(ConsumerId consumer, std::uint64_t ordinal, sim::Time now);
  bool reject(ConsumerId consumer, std::uint64_t ordinal, sim::Time now);
  /// Its channel may hold more than when the queue last looked.
  void has_room(ConsumerId consumer, sim::Time now);

  // ---- time, and the end of the node's process ----
  /// When the message at the head expires; kNever when it does not. expire() is to be called then.
  sim::Time next_expiry() const;
  void expire(sim::Time now);
  /// The queue is deleted, with all that is ready. Requires: no consumers.
  void purge();
  /// The node's process ends: consumers are gone, and so is what was in memory alone. Of a durable queue there is left, ready and
  /// in its order, what is persistent and written.
  void crash();

  // ---- state ----
  std::uint64_t ready() const { return ready_; }
  std::uint64_t unacknowledged() const { return unacknowledged_; }
  std::int64_t ready_bytes() const { return ready_bytes_; }
  std::int64_t held_bytes() const { return held_bytes_; }
  std::uint64_t next_number() const { return next_number_; }
  std::uint64_t held_by(ConsumerId consumer) const { return consumers_[consumer.value].unacknowledged; }
  std::size_t consumers() const { return consumers_.size() - free_.size(); }
  /// Of single active consumers: who is active.
  std::optional<ConsumerId> active() const { return active_; }
  /// What is wrong with its books, in words; nothing when they agree. Changes nothing.
  std::optional<std::string> broken() const;
  /// When the oldest message was dispatched that the consumer still holds; kNever when it holds none.
  sim::Time oldest_held(ConsumerId consumer);
  const QueueOptions& options() const { return options_; }

 private:
  /// Messages of one priority.
  struct Level {
    Fifo<Message> fresh;            // never dispatched, in order of their numbers
    std::vector<Message> returned;  // requeued: a heap, lowest number on top
    bool empty() const { return fresh.empty() && returned.empty(); }
    const Message& head() const;
    Message pop();
    void put_back(const Message& m);
  };
  struct Held {
    Message message;
    sim::Time since{};
    bool live = false;
  };
  struct Consumer {
    ConsumerOptions options;
    Window<Held> held;
    std::uint64_t unacknowledged = 0;
    bool there = false;
    bool blocked = false;
  };
  /// Consumers of one x-priority, who take turns.
  struct Turn {
    std::int32_t priority;
    std::vector<ConsumerId> order;
    std::size_t next = 0;
  };

  bool full_for(const Message& m) const;
  bool over_length() const;
  void drop_head();
  void drop_expired(sim::Time now);
  Message take_head();
  void put_ready(const Message& m);
  void run(sim::Time now);
  std::optional<ConsumerId> whose_turn();
  bool can_take(const Consumer& c) const {
    if (c.options.automatic) return true;
    const ChannelLimit* const limit = c.options.limit;
    return (c.options.prefetch == 0 || c.unacknowledged < c.options.prefetch) &&
           (limit == nullptr || limit->held < limit->most);
  }
  void dispatch(Message m, ConsumerId to, sim::Time now);
  std::optional<Message> release(ConsumerId consumer, std::uint64_t ordinal);
  void unblock(ConsumerId consumer);
  void enter_turn(ConsumerId consumer);
  void leave_turn(ConsumerId consumer);
  void elect_active();

  QueueOptions options_;
  QueueOwner& owner_;
  std::vector<Level> levels_;  // by priority
  std::vector<Consumer> consumers_;
  std::vector<ConsumerId> free_;
  std::vector<Turn> turns_;             // highest x-priority first
  std::vector<ConsumerId> registered_;  // in order of their registration
  std::optional<ConsumerId> active_;
  std::vector<Message> gathered_;  // scratch
  std::uint64_t next_number_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t ready_ = 0;
  std::int64_t ready_bytes_ = 0;
  std::int64_t held_bytes_ = 0;  // of what is unacknowledged
  std::uint64_t unacknowledged_ = 0;
};

}  // namespace models::rabbitmq
