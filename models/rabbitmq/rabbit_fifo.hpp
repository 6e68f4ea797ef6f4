// The state of a quorum queue, as the commands that a majority has leave it (rabbit_fifo.erl). Pure: it knows no network, no
// log and no trace, and is told the time. Every member of the queue comes to the same state, because every member applies the
// same commands; here it is kept once.
//
// What is ready is served in this order: what came back (`returns`, in the order in which it came back, whatever its priority),
// then what never was away, by priority. What comes back too often is let go (x-delivery-limit). Consumers with room are served
// in turn, those of a higher x-priority first. A consumer at a node that cannot be reached is suspected, and gets nothing.
//
// Rules that changed are in FifoRules: rabbit_fifo_v3.erl is that of 3.12 and 3.13, rabbit_fifo_v7.erl that of 4.0 to 4.2,
// rabbit_fifo.erl that of 4.3.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/rabbitmq/classic_queue.hpp"
#include "models/rabbitmq/message.hpp"
#include "models/rabbitmq/options.hpp"
#include "models/rabbitmq/window.hpp"
#include "sim/ring.hpp"
#include "sim/time.hpp"

namespace models::rabbitmq {

/// A channel as the queue knows it: never used again. Each may publish, and have one consumer.
using ClientId = Id<struct RabbitClientTag>;

struct FifoRules {
  /// Returns that count towards the limit: all of them (until 4.2), or those that its consumer's end or failure is to blame for.
  bool every_return_counts = false;
  std::int64_t delivery_limit = 20;  ///< unless the queue says otherwise; below 0: none
  std::uint8_t levels = 32;          ///< of priority: 1 until 3.13, 2 until 4.2
  bool suspects_keep = true;  ///< what a suspected consumer holds, until consumer_disconnected_timeout (4.3)
  bool consumer_timeout = true;  ///< the queue's own, not the channels' (4.3)

  static FifoRules of(const std::string& version);
};

/// What it tells beside what every queue does: `to` is the client's number.
class FifoOwner : public QueueOwner {
 public:
  /// The client's messages are refused from now on, or no longer: the queue is full (reject-publish).
  virtual void full(ClientId client, bool refuses) = 0;
  /// Its consumer has not answered in time, and is out.
  virtual void consumer_timed_out(ClientId client) = 0;
  /// A message was let go, and waits in dead() for its dead letter to arrive (the strategy at-least-once).
  virtual void died() = 0;
  /// Nobody has used it for x-expires: it is deleted, with all that was in it; or whoever consumes has declared it again.
  virtual void there(bool exists) = 0;
};

class RabbitFifo {
 public:
  RabbitFifo(const QueueOptions& options, const Config& config, const FifoRules& rules, FifoOwner& owner);
  RabbitFifo(const RabbitFifo&) = delete;
  RabbitFifo& operator=(const RabbitFifo&) = delete;

  // ---- commands ----
  /// `seq`: the client numbers what it publishes to this queue, from 1. What it repeats is stored once.
  enum class Enqueued : std::uint8_t { stored, duplicate, out_of_sequence };
  Enqueued enqueue(ClientId client, std::uint64_t seq, Message& m, sim::Time now);
  /// Without enqueuer: a dead letter that nobody repeats.
  void enqueue(Message& m, sim::Time now);
  void consume(ClientId client, const ConsumerOptions& options, sim::Time now);
  void answer(ClientId client, std::uint64_t ordinal, Answer how, sim::Time now);
  /// The channel has ended.
  void down(ClientId client, sim::Time now);
  /// Its node cannot be reached, or can again, or could not for too long.
  void suspect(ClientId client, sim::Time now);
  void trust(ClientId client, sim::Time now);
  void give_up(ClientId client, sim::Time now);
  /// next_event() has come.
  void tick(sim::Time now);
  /// That of dead() has arrived where it goes.
  void bury(std::uint64_t id, sim::Time now);

  // ---- state ----
  /// When something expires, a delayed message is ready, a consumer's time is over, or the queue's; kNever: nothing will.
  sim::Time next_event();
  /// It has expired, and nobody has declared it again.
  bool gone() const { return gone_; }
  /// Of the bodies of all that it holds.
  std::int64_t bytes() const { return bytes_; }
  std::uint64_t ready() const { return ready_ + delayed_.size() + dead_ready_; }
  std::uint64_t unacknowledged() const { return unacknowledged_ + dead_held_; }
  std::uint64_t next_number() const { return next_number_; }
  std::uint64_t consumers() const {
    return static_cast<std::uint64_t>(
        std::count_if(clients_.begin(), clients_.end(), [](const auto& c) { return c.second.consumes; }));
  }
  bool knows(ClientId client) const { return clients_.count(client.value) > 0; }
  /// What a client was told of, and is again when that may have been lost.
  bool refuses(ClientId client) const {
    const auto at = clients_.find(client.value);
    return at != clients_.end() && at->second.refused;
  }
  bool timed_out(ClientId client) const {
    const auto at = clients_.find(client.value);
    return at != clients_.end() && at->second.timed_out;
  }
  std::optional<ClientId> active() const;
  /// When the oldest message was dispatched that the consumer holds; kNever: none.
  sim::Time oldest_held(ClientId client);
  const QueueOptions& options() const { return options_; }
  /// What is wrong with its books, in words; nothing when they agree. Changes nothing.
  std::optional<std::string> broken() const;

  struct Item {
    Message message;
    std::uint32_t acquired = 0;  ///< how often it came back
    std::uint32_t failed = 0;    ///< and how often its consumer was to blame
  };
  struct Dead {
    Item item;
    RemovedCode why{};
    bool buried = false;
  };
  /// By the numbers by which they are buried.
  const Window<Dead>& dead() const { return dead_; }
  /// What the client's consumer holds, as it was delivered: visit(message, ordinal).
  template <class F>
  void each_held(ClientId client, F visit) const {
    const auto at = clients_.find(client.value);
    if (at == clients_.end()) return;
    const Window<Held>& held = at->second.held;
    for (std::uint64_t i = held.first(); i < held.next(); ++i) {
      if (!held[i].live) continue;
      Message m = held[i].item.message;
      m.redelivered = held[i].item.acquired > 0;
      visit(m, i);
    }
  }
  template <class F>
  void each_client(F visit) const {
    for (const auto& [id, client] : clients_) visit(ClientId{id});
  }

 private:
  struct Held {
    Item item;
    sim::Time since{};
    bool live = false;
  };
  struct Client {
    std::uint64_t next_seq = 1;
    bool refused = false;
    bool suspected = false;
    // ---- its consumer ----
    bool consumes = false;
    bool waiting = false;    // not the single active one
    bool quiescing = false;  // it will not be, once it has answered for what it holds
    bool timed_out = false;
    bool queued = false;   // in the turn
    bool clocked = false;  // in clocks_
    ConsumerOptions options{};
    std::uint32_t credit = 0;
    Window<Held> held{};
    std::uint64_t unacknowledged = 0;
  };
  struct Turn {
    std::int32_t priority;
    std::unique_ptr<sim::Ring<ClientId>> order;
  };
  struct Delayed {
    sim::Time ready_at;
    std::uint64_t number;  // of those that have come so far
    Item item;
    bool operator>(const Delayed& other) const {
      return ready_at != other.ready_at ? ready_at > other.ready_at : number > other.number;
    }
  };
  /// The oldest that a consumer holds was dispatched then, or later.
  struct Clock {
    sim::Time since;
    std::uint32_t client;
    bool operator>(const Clock& other) const {
      return since != other.since ? since > other.since : client > other.client;
    }
  };

  Client* find(ClientId client);
  void store(Message& m, sim::Time now);
  std::optional<Item> release(Client& c, std::uint64_t ordinal);
  /// `failed`: its consumer is to blame.
  void give_back(Client& c, std::uint64_t ordinal, bool failed, RequeuedCode why, sim::Time now);
  void give_back_all(Client& c, bool failed, RequeuedCode why, sim::Time now);
  void let_go(const Item& item, RemovedCode why, bool held);
  void put_returned(const Item& item);
  bool head_is_returned() const { return !returns_.empty(); }
  const Item& head() const;
  std::size_t top_level() const;
  Item take_head();
  void checkout(sim::Time now);
  bool over(std::int64_t percent) const;
  void evaluate_limit();
  void expire(sim::Time now);
  void expire_all(sim::Time now);
  void take_delayed(sim::Time now);
  void enter_turn(ClientId id);
  std::optional<ClientId> whose_turn();
  void start_clock(ClientId id, Client& c, sim::Time since);
  sim::Time next_timeout();
  bool idle() const;
  void expire_queue(sim::Time now);
  void remove(const Item& item, RemovedCode why);
  void wait(ClientId id);
  void activate_next();
  std::optional<sim::Duration> consumer_timeout() const;
  void time_out_consumers(sim::Time now);
  std::int64_t limit() const;

  QueueOptions options_;
  const Config config_;
  const FifoRules rules_;
  FifoOwner& owner_;
  std::map<std::uint32_t, Client> clients_;
  std::vector<Turn> turns_;        // highest x-priority first
  std::vector<ClientId> waiting_;  // to be the single active consumer, the next one first
  Fifo<Item> returns_;
  std::vector<Fifo<Item>> levels_;
  std::vector<Delayed> delayed_;  // a heap: the first to be ready at its front
  std::uint64_t next_delayed_ = 0;
  std::vector<Clock>
      clocks_;  // a heap, where consumers have their time: each that holds something at most once
  Window<Dead> dead_;
  std::uint64_t dead_ready_ = 0;
  std::uint64_t dead_held_ = 0;
  std::uint64_t next_number_ = 0;
  std::uint64_t ready_ = 0;
  std::int64_t ready_bytes_ = 0;
  std::int64_t bytes_ = 0;
  std::uint64_t unacknowledged_ = 0;
  bool refusing_ = false;
  sim::Time last_active_{};  // somebody has begun to consume, or has gone
  bool gone_ = false;
};

}  // namespace models::rabbitmq
