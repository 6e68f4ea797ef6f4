// Where the application's next message goes, and where those after it will go as far as that is settled. Ties
// the partitioners to the queues and leaders they look at.
#pragma once

#include <cstdint>
#include <memory>

#include "models/kafka/producer/accumulator.hpp"
#include "models/kafka/producer/partitioner.hpp"
#include "models/kafka/producer/sender.hpp"
#include "models/kafka/protocol_rules.hpp"

namespace models::kafka {

class Router {
 public:
  /// `keys` null: messages carry no key that routes them.
  Router(const ProducerConfig& config, const ProtocolRules& rules, Accumulator& accumulator, Sender& sender,
         std::shared_ptr<KeyPartitions> keys, sim::Stream draws, sim::StreamKey slots);

  /// Keyless messages stay on a partition until it is left; others are routed one by one.
  bool is_sticky() const { return kind_ == Kind::sticky; }

  /// The partition of the next message, whose key is `key`. The sticky partitioner moves here when it could
  /// not move before because a batch was unfinished (RecordAccumulator.partitionChanged).
  std::uint32_t route(std::uint32_t key, sim::Time at);
  /// Messages of `bytes` in all were appended to the partition that route() gave.
  void appended(std::int64_t bytes, sim::Time now);

  /// The partition of the i-th message from now (0: the next), whose key is `key` and which is sent at `at`. Requires
  /// !is_sticky().
  std::uint32_t ahead(std::size_t i, std::uint32_t key, sim::Time at) {
    return kind_ == Kind::by_key ? (*keys_)(key) : turn(turn_ + i, at);
  }
  const StickyPartitioner& sticky() const { return sticky_; }
  /// The sticky partitioner draws before it takes another message.
  bool moves_next() const {
    return !sticky_.chosen() || sticky_.may_move(accumulator_.all_full(sticky_.partition()));
  }

  /// The topic has come to have so many partitions.
  void partitions_changed(std::uint32_t partitions) {
    if (keys_ != nullptr) keys_ = std::make_shared<KeyPartitions>(keys_->over(partitions));
  }

  void crashed() {
    sticky_.forget();
    turn_ = 0;
  }

 private:
  enum class Kind : std::uint8_t { by_key, in_turn, sticky, at_random, by_time };

  /// Without a key: the partition of the n-th message.
  std::uint32_t turn(std::uint64_t n, sim::Time at) const;
  void move(sim::Time now);

  Kind kind_;
  bool adaptive_;
  Accumulator& accumulator_;
  Sender& sender_;
  std::shared_ptr<KeyPartitions> keys_;
  StickyPartitioner sticky_;
  std::uint64_t turn_ = 0;
  sim::StreamKey slots_;
  sim::Duration slot_;
};

}  // namespace models::kafka
