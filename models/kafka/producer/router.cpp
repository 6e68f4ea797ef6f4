#include "models/kafka/producer/router.hpp"

namespace models::kafka {

Router::Router(const ProducerConfig& config, const ProtocolRules& rules, Accumulator& accumulator,
               Sender& sender, std::shared_ptr<KeyPartitions> keys, sim::Stream draws)
    : kind_(Kind::sticky),
      adaptive_(config.partitioner_adaptive_partitioning_enable),
      accumulator_(accumulator),
      sender_(sender),
      keys_(std::move(keys)),
      sticky_(config.batch_size, draws, !rules.has(Rule::uniform_sticky_partitioner)) {
  // KafkaProducer.partition: a class of one's own comes first, then the key unless it is ignored.
  if (config.partitioner_class == Partitioner::round_robin)
    kind_ = Kind::in_turn;
  else if (keys_ != nullptr && !config.partitioner_ignore_keys)
    kind_ = Kind::by_key;
  else if (!rules.has(Rule::sticky_partitioner))
    kind_ = Kind::in_turn;  // DefaultPartitioner.java before KIP-480
}

std::uint32_t Router::route(std::uint32_t key, sim::Time now) {
  if (kind_ == Kind::by_key) return (*keys_)(key);
  if (kind_ == Kind::in_turn) return turn(turn_);
  if (moves_next()) move(now);
  return sticky_.partition();
}

void Router::appended(std::int64_t bytes, sim::Time now) {
  if (kind_ == Kind::in_turn) ++turn_;
  if (kind_ != Kind::sticky) return;
  sticky_.add(bytes);
  if (moves_next()) move(now);
}

void Router::move(sim::Time now) {
  if (adaptive_) {
    const std::span<PartitionLoad> loads = sender_.loads(now);
    if (weigh(loads, accumulator_.size())) return sticky_.pick(loads);
  }
  sticky_.pick(sender_.available());
}

}  // namespace models::kafka
