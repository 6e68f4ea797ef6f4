#include "models/kafka/producer/router.hpp"

namespace models::kafka {

Router::Router(const ProducerConfig& config, const ProtocolRules& rules, Accumulator& accumulator,
               Sender& sender, std::shared_ptr<KeyPartitions> keys, sim::Stream draws, sim::StreamKey slots)
    : kind_(Kind::sticky),
      adaptive_(config.partitioner_adaptive_partitioning_enable),
      accumulator_(accumulator),
      sender_(sender),
      keys_(std::move(keys)),
      sticky_(config.batch_size, draws, !rules.has(Rule::uniform_sticky_partitioner)),
      slots_(slots),
      slot_(config.sticky_partitioning_linger.value_or(sim::Duration{})) {
  if (config.client == Client::librdkafka) {
    // rd_kafka_msg_partitioner
    const bool random = config.partitioner_class == Partitioner::random;
    kind_ = keys_ != nullptr && !random    ? Kind::by_key
            : random || slot_.count() == 0 ? Kind::at_random
                                           : Kind::by_time;
    return;
  }
  // KafkaProducer.partition: a class of one's own comes first, then the key unless it is ignored.
  if (config.partitioner_class == Partitioner::round_robin)
    kind_ = Kind::in_turn;
  else if (keys_ != nullptr && !config.partitioner_ignore_keys)
    kind_ = Kind::by_key;
  else if (!rules.has(Rule::sticky_partitioner))
    kind_ = Kind::in_turn;  // DefaultPartitioner.java before KIP-480
}

std::uint32_t Router::turn(std::uint64_t n, sim::Time at) const {
  const std::span<const std::uint32_t> candidates = sender_.available();
  if (kind_ == Kind::in_turn) return candidates[n % candidates.size()];
  // Model: librdkafka's interval begins with the first message after the one before; these begin with the run.
  const std::uint64_t drawn_by =
      kind_ == Kind::at_random ? n : static_cast<std::uint64_t>(sim::nanoseconds(at) / slot_.count());
  return candidates[sim::Stream::keyed(slots_, drawn_by).uniform_int(candidates.size())];
}

std::uint32_t Router::route(std::uint32_t key, sim::Time at) {
  if (kind_ == Kind::by_key) return (*keys_)(key);
  if (kind_ != Kind::sticky) return turn(turn_, at);
  if (moves_next()) move(at);
  return sticky_.partition();
}

void Router::appended(std::int64_t bytes, sim::Time now) {
  if (kind_ == Kind::in_turn || kind_ == Kind::at_random) ++turn_;
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
