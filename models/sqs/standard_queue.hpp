// A standard queue: nearly any number of calls, at least once, in about the order in which messages came.
//
// Its messages are on several servers. A request is taken by one of them; a long poll asks all, a short poll some, which may
// hold nothing while others do (sqs-short-and-long-polling). Each server gives what it has in order, and a message that is
// visible again comes back at its place; but of the servers one is asked first, and so the queue's order is not kept. A message
// that was received three times goes to the back (sqs-available-cloudwatch-metrics, note on ApproximateAgeOfOldestMessage).
//
// Model: a message is on one server; AWS keeps each on several (see ServiceOptions::duplicate_share).
#pragma once

#include <vector>

#include "models/fifo.hpp"
#include "models/sqs/queue.hpp"

namespace models::sqs {

class StandardQueue final : public Queue {
 public:
  StandardQueue(const QueueOptions& options, const ServiceOptions& service, QueueOwner& owner)
      : Queue(options, service, owner), servers_(service.servers) {}

  bool move_one(sim::Time now) override;

 private:
  /// A message with a slot: valid while nothing has been done with that since.
  struct Again {
    std::uint64_t order = 0;  ///< when it was sent (ns); of a pill: before which new message it comes
    std::uint64_t number = 0;
    std::uint32_t slot = 0;
    std::uint32_t receive = 0;
  };
  struct Server {
    Fifo<Message> fresh;       ///< never received, by rising time of sending
    std::vector<Again> again;  ///< a heap: the oldest first
    Fifo<Again> pills;         ///< received too often to be at their places
    sim::Time last{};          ///< when the last of `fresh` was sent
  };
  enum class From : std::uint8_t { nothing, fresh, again, pills };

  void put(const Message& m, std::uint32_t server) override;
  void put_back(std::uint32_t slot) override;
  /// What is in order is passed over when its turn comes.
  void withdraw(std::uint32_t) override {}
  std::uint32_t take(const Poll& poll, sim::Time now) override;
  void expire(sim::Time now) override;
  sim::Time next_expiry() const override;
  std::uint64_t count_visible() const override;
  void for_each_fresh(const Look& look) const override;
  bool is_fifo() const override { return false; }
  std::uint32_t in_flight_most() const override { return service_.standard_in_flight; }

  static bool later(const Again& a, const Again& b);
  bool valid(const Again& a) const;
  void put_in_order(Server& server, std::uint32_t s);
  From head(Server& server);
  /// Takes the head's place in the books away, and returns its slot; kNone: it never had one.
  std::uint32_t pop(Server& server, From from, Message& m);

  std::vector<Server> servers_;
};

}  // namespace models::sqs
