// What standard and FIFO queues have in common: what is delayed, what is in flight, who waits for messages. Pure: it knows no
// network and no trace, and is told the time.
//
// Every message is in one place: delayed, visible, or in flight; it leaves by one call of its owner: settled() or removed().
// Where visible messages are, and which of them is next, is the kind's: StandardQueue, FifoQueue.
//
// A message that was received once has a slot, whether it is in flight or visible again: receipt handles name it. What is in
// flight is in lists, one for each length of a visibility timeout that is in use, each in order of its end. So a receive, a
// delete or an extension costs the same however many messages wait or are in flight.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/sqs/ages.hpp"
#include "models/sqs/message.hpp"
#include "models/sqs/options.hpp"
#include "models/trace_kinds.hpp"
#include "sim/time.hpp"

namespace models::sqs {

/// A call of ReceiveMessage, as the queue's owner numbers them.
using PollId = Id<struct SqsPollTag>;

/// What a queue tells. Nothing may be done to the queue from inside these calls.
class QueueOwner {
 public:
  virtual ~QueueOwner() = default;
  virtual void stored(const Message& m) = 0;
  virtual void delayed(const Message& m, bool begins) = 0;
  /// `receives`: ApproximateReceiveCount, this one included. Each answer is told message by message, and then answered().
  virtual void dispatched(const Message& m, const Receipt& receipt, std::uint32_t receives, PollId to) = 0;
  virtual void answered(PollId poll, std::uint32_t messages, Error error) = 0;
  virtual void settled(const Message& m, SettledCode how) = 0;
  virtual void requeued(const Message& m, RequeuedCode why) = 0;
  /// max_receives, moved: it goes to another queue, where the owner sends it.
  virtual void removed(const Message& m, RemovedCode why) = 0;
  /// Of a deletion in a standard queue: a server misses it, and holds a copy of the message.
  virtual bool misses_deletion(const Message& m, std::uint32_t receives) = 0;
};

/// ReceiveMessage.
struct Poll {
  PollId id{};
  std::uint32_t max = 1;
  sim::Duration wait{};        ///< 0: short polling
  sim::Duration visibility{};  ///< of what it gets
  std::uint64_t servers =
      0;  ///< of a standard queue: a bit for each server that is asked; the first one is `first`
  std::uint32_t first = 0;
};

class Queue {
 public:
  Queue(const QueueOptions& options, const ServiceOptions& service, QueueOwner& owner)
      : options_(options), service_(service), owner_(owner) {}
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  virtual ~Queue() = default;

  // ---- from senders ----
  /// The message gets its number. Requires: its size and delay were checked. Who waits is served by serve().
  /// `server`: on which of a standard queue's servers it is.
  void send(Message& m, sim::Duration delay, std::uint32_t server, sim::Time now);
  /// Those who wait get what is there. To be called when a request has been carried out.
  void serve(sim::Time now);

  // ---- from consumers ----
  /// Answered at once, or when there is something, or when its time is over.
  void receive(const Poll& poll, sim::Time now);
  /// DeleteMessage.
  Error remove(const Receipt& receipt, sim::Time now);
  /// ChangeMessageVisibility.
  Error change_visibility(const Receipt& receipt, sim::Duration visibility, sim::Time now);
  /// The same call of ReceiveMessage again (ReceiveRequestAttemptId): what it got is in flight for as long again. False: some of
  /// it was deleted, changed or is visible again.
  bool receive_again(const std::vector<Delivered>& messages, sim::Duration visibility, sim::Time now);
  /// Nobody waits any more; who it was has lost its connection.
  void forget_polls();
  void forget_poll(PollId poll);

  // ---- an operator, time ----
  /// StartMessageMoveTask: the message at the head leaves. False: nothing is visible.
  virtual bool move_one(sim::Time now) = 0;
  /// When something is due, or earlier; kNever when nothing is. advance() is to be called then.
  sim::Time next_event() const;
  void advance(sim::Time now);

  // ---- state ----
  const QueueOptions& options() const { return options_; }
  std::uint64_t visible() const { return visible_; }
  std::uint64_t in_flight() const { return in_flight_; }
  std::uint64_t delayed() const { return delayed_.size(); }
  std::size_t polls() const { return polls_.size(); }
  std::uint64_t next_number() const { return next_number_; }
  /// Every message that is there, how often it was received, and whether it is in flight. Looks at each: for reports.
  using Look = std::function<void(const Message& m, std::uint32_t receives, bool in_flight)>;
  void for_each(const Look& look) const;
  /// When the oldest came of the messages that ApproximateAgeOfOldestMessage looks at; kNever: there is none. What was received
  /// three times is at the back of a standard queue, and no longer looked at (sqs-available-cloudwatch-metrics). The first call
  /// looks at each message, and asks `came` when that came; from then on it is known.
  sim::Time oldest(const std::function<sim::Time(const Message&)>& came);
  /// What is wrong with its books, in words; nothing when they agree. Changes nothing.
  std::optional<std::string> broken() const;

 protected:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  /// So often received, a message of a standard queue goes to the back.
  static constexpr std::uint32_t kPill = 3;
  /// A message that was received, until it leaves the queue.
  struct Received {
    Message message;
    sim::Time since{};     ///< its last receive
    sim::Time deadline{};  ///< the end of its visibility timeout
    std::uint32_t receives = 0;
    std::uint32_t receive = 0;  ///< of the slot
    std::uint32_t before = kNone;
    std::uint32_t after = kNone;
    std::uint32_t list = kNone;  ///< of timeouts; kNone: not in flight
    std::uint32_t server = 0;
    bool live = false;
    bool undeleted = false;  ///< deleted, but for a server's copy
  };

  // ---- of the kind ----
  virtual void put(const Message& m, std::uint32_t server) = 0;
  /// What was in flight is visible again.
  virtual void put_back(std::uint32_t slot) = 0;
  /// It has left the queue while it was visible again.
  virtual void withdraw(std::uint32_t slot) = 0;
  /// It is in flight no more, and has left the queue or is visible again.
  virtual void landed(const Message& m) { static_cast<void>(m); }
  /// It has come to the queue, and may be delayed.
  virtual void arrived(const Message& m) { static_cast<void>(m); }
  /// It has left the queue.
  virtual void left(const Message& m) { static_cast<void>(m); }
  /// Hands out up to `poll.max` messages by hand(). Returns how many.
  virtual std::uint32_t take(const Poll& poll, sim::Time now) = 0;
  /// What is beyond its retention goes.
  virtual void expire(sim::Time now) = 0;
  /// When the oldest visible message expires, or earlier.
  virtual sim::Time next_expiry() const = 0;
  /// How many are visible, counted; a message that is in two places is told.
  virtual std::uint64_t count_visible() const = 0;
  /// Visible messages that have no slot.
  virtual void for_each_fresh(const Look& look) const = 0;
  virtual bool is_fifo() const = 0;
  /// What is wrong with the books of the kind.
  virtual std::optional<std::string> broken_kind() const { return std::nullopt; }
  virtual std::uint32_t in_flight_most() const = 0;

  /// It was visible for the first time …
  void hand(const Message& m, std::uint32_t server, const Poll& poll, sim::Time now);
  /// … or again.
  void hand_again(std::uint32_t slot, const Poll& poll, sim::Time now);
  /// Whether the message is to go to the dead-letter queue in place of being received once more.
  bool received_enough(std::uint32_t receives) const {
    return options_.redrive && receives >= options_.redrive->max_receive_count;
  }
  bool too_old(const Message& m, sim::Time now) const { return m.sent + options_.retention <= now; }
  /// A visible message leaves, unreceived: it is out of the kind's books already.
  void lose(const Message& m, RemovedCode why);
  void release(std::uint32_t slot);
  /// For a message that is visible.
  std::uint32_t new_slot(const Message& m, std::uint32_t server);
  Received& slot(std::uint32_t s) { return slots_[s]; }
  const Received& slot(std::uint32_t s) const { return slots_[s]; }
  /// It is not asked for any more how old it is.
  void pass_over(const Message& m) {
    if (ages_) ages_->gone(m.number);
  }
  void note_expiry(sim::Time at) { expiry_ = at < expiry_ ? at : expiry_; }

  const QueueOptions& options_;
  const ServiceOptions& service_;
  QueueOwner& owner_;
  std::uint64_t visible_ = 0;

 private:
  struct Delayed {
    Message message;
    sim::Time due{};
    std::uint32_t server = 0;
  };
  /// What became invisible for the same length of time, in order.
  struct Timeouts {
    sim::Duration length{};
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
  };
  struct Waiting {
    Poll poll;
    sim::Time until{};
  };

  static bool later(const Delayed& a, const Delayed& b);
  void fly(std::uint32_t s, sim::Duration visibility, sim::Time now);
  void ground(std::uint32_t s);
  void leave(const Message& m) {
    left(m);
    pass_over(m);
  }
  std::uint32_t list_of(sim::Duration length);
  void time_out(std::uint32_t s, RequeuedCode why, sim::Time now);
  /// The message is in flight, and this is its last receipt.
  bool flies(const Receipt& receipt) const;
  bool full() const { return in_flight_ >= in_flight_most(); }
  void release_delayed(sim::Time now);
  void time_out_all(sim::Time now);
  void end_polls(sim::Time now);

  std::optional<Ages> ages_;      // none: nobody has asked
  std::vector<Delayed> delayed_;  // a heap: the first due first
  std::vector<Received> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<Timeouts> timeouts_;
  std::uint32_t last_list_ = kNone;
  std::vector<Waiting> polls_;        // in order of arrival
  sim::Time timeout_ = sim::kNever;   // no visibility timeout ends before
  sim::Time poll_end_ = sim::kNever;  // no poll ends before
  sim::Time expiry_ = sim::kNever;    // nothing visible expires before
  std::uint64_t in_flight_ = 0;
  std::uint64_t next_number_ = 0;
};

}  // namespace models::sqs
