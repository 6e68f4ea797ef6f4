#include "models/kafka/consumer/poison.hpp"

#include "models/kafka/consumer/effect_site.hpp"

namespace models::kafka {

PoisonedRecords::PoisonedRecords(Cluster& cluster, const GroupOptions& group)
    : cluster_(cluster), options_(group.poison.value_or(PoisonOptions{})), known_(std::make_shared<Known>()) {
  known_->share = options_.share;
  known_->failures_most = options_.failures;
  known_->by_message = options_.then == PoisonOptions::Then::hand_on;
  known_->key = sim::stream_key(cluster.context().simulation.seed(), "poison/" + group.name);
}

void PoisonedRecords::same_as(const PoisonedRecords& other) {
  known_ = other.known_;
}

PoisonedRecords::Name PoisonedRecords::name_of(PartitionIndex partition, LeaderEpoch epoch,
                                               Offset offset) const {
  if (!known_->by_message) return {partition.value, offset};
  const MessageRun message = messages_at(cluster_, partition, epoch, offset);
  return {message.lane.value, message.first_seq};
}

Offset PoisonedRecords::first(PartitionIndex partition, LeaderEpoch epoch, Offset from, Offset to) const {
  for (Offset at = from; at < to; ++at) {
    const Name name = name_of(partition, epoch, at);
    sim::Stream draw = sim::Stream::keyed(known_->key, name.first, static_cast<std::uint64_t>(name.second));
    if (draw.uniform() >= known_->share) continue;
    const auto known = known_->failures.find(name);
    const std::uint32_t most = known_->failures_most;
    if (most == 0 || known == known_->failures.end() || known->second < most) return at;
  }
  return to;
}

void PoisonedRecords::failed(PartitionIndex partition, LeaderEpoch epoch, Offset offset) {
  if (known_->failures_most > 0) ++known_->failures[name_of(partition, epoch, offset)];
}

}  // namespace models::kafka
