// A FIFO queue: of each message group one receive's messages are in flight at a time, in their order.
//
// A receive takes as many messages of the group of the oldest as there are and may be, then those of the next group. Nothing more
// of a group is given to anybody until all of it that is in flight was deleted or is visible again
// (FIFO-queues-understanding-logic). Groups are looked for among the oldest `fifo_window` messages of the queue, in flight or
// not (avoid-backlog-with-the-same-message-group-id): behind a longer backlog of one group others are not seen. A message that
// goes to the dead-letter queue makes way for the next of its group.
//
// Model: a short poll sees every message, other than that of a standard queue.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/sqs/flat_map.hpp"
#include "models/sqs/group_key.hpp"
#include "models/sqs/queue.hpp"

namespace models::sqs {

class FifoQueue final : public Queue {
 public:
  using Queue::Queue;

  /// The number by which the queue knows the group, from now until nothing of it is there. To be asked for right before send().
  std::uint32_t group(GroupKey key);
  GroupKey group_key(std::uint32_t group) const { return groups_[group].key; }
  std::size_t groups() const { return by_key_.size(); }

  bool move_one(sim::Time now) override;

 private:
  struct Node {
    Message message;
    std::uint32_t after = 0;
    std::uint32_t slot = 0;
  };
  struct Group {
    GroupKey key;
    std::uint32_t first = 0;  ///< node, kNone: nothing is visible
    std::uint32_t last = 0;
    std::uint32_t present = 0;  ///< messages that are in the queue
    std::uint32_t in_flight = 0;
  };
  /// A group from which something can be received, by its first message.
  struct Ready {
    std::uint64_t number = 0;
    std::uint32_t group = 0;
  };

  void put(const Message& m, std::uint32_t server) override;
  void put_back(std::uint32_t slot) override;
  void withdraw(std::uint32_t slot) override;
  void landed(const Message& m) override;
  void arrived(const Message& m) override;
  void left(const Message& m) override;
  std::uint32_t take(const Poll& poll, sim::Time now) override;
  void expire(sim::Time now) override;
  sim::Time next_expiry() const override;
  std::uint64_t count_visible() const override;
  void for_each_fresh(const Look& look) const override;
  bool is_fifo() const override { return true; }
  std::optional<std::string> broken_kind() const override;
  std::uint32_t in_flight_most() const override { return service_.fifo_in_flight; }

  static bool later(const Ready& a, const Ready& b) { return a.number > b.number; }
  Node& node(std::uint32_t n) { return (*blocks_[n / kBlock])[n % kBlock]; }
  const Node& node(std::uint32_t n) const { return (*blocks_[n / kBlock])[n % kBlock]; }
  std::uint32_t new_node(const Message& m, std::uint32_t slot);
  /// If something of the group can be received: it is among those that are looked at, and its first expires in time.
  void set_ready(std::uint32_t group);
  bool is_ready(const Ready& ready) const;
  /// The oldest of the groups that are ready, or null.
  const Ready* oldest();
  /// Takes the group's first message away.
  Node pop_first(std::uint32_t group);
  void drop_first(std::uint32_t group, RemovedCode why);
  /// Messages come into the window until it is full.
  void widen();

  static constexpr std::size_t kBlock = 4096;
  std::vector<std::unique_ptr<std::array<Node, kBlock>>> blocks_;
  std::vector<std::uint32_t> free_nodes_;
  std::uint32_t next_node_ = 0;
  std::vector<Group> groups_;
  std::vector<std::uint32_t> free_groups_;
  FlatMap<GroupKey, std::uint32_t> by_key_;
  std::vector<Ready> ready_;      // a heap: the oldest first; entries that hold no more are passed over
  std::uint64_t window_end_ = 0;  // messages below are looked at
  std::uint64_t in_window_ = 0;   // and so many of them are there
  std::vector<std::uint64_t> gone_behind_;  // what has left behind the window: a heap, the oldest first
};

}  // namespace models::sqs
