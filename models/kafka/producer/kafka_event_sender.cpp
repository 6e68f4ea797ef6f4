#include "models/kafka/producer/kafka_event_sender.hpp"

#include <utility>

namespace models::kafka {

KafkaEventSender::KafkaEventSender(Cluster& cluster, Node& node, ProducerOptions options, FactBook& book,
                                   EventSenderOwner& owner)
    : context_(cluster.context()),
      node_(node),
      options_(std::move(options)),
      book_(book),
      owner_(owner),
      sizes_(sim::stream_key(context_.simulation.seed(), "events/" + options_.name)),
      producer_(cluster, node, options_, {.application = this, .facts = &book}),
      turn_(context_.simulation, node, [this] { producer_moved(); }) {}

void KafkaEventSender::start() {
  if (std::exchange(started_, true))
    producer_.restarted();
  else
    producer_.start();
}

void KafkaEventSender::crashed() {
  ++life_;
  told_.clear();
  sending_ = false;
  turn_.disarm();
  producer_.crashed();
}

void KafkaEventSender::send(std::span<const FactId> facts) {
  messages_.clear();
  for (const FactId fact : facts) {
    sim::Stream draw = sim::Stream::keyed(sizes_, fact.lane.value, static_cast<std::uint64_t>(fact.seq));
    const auto size = static_cast<std::uint32_t>(options_.size.sample_count(draw));
    const std::uint32_t key = book_[fact].aggregate % options_.keys.count;
    messages_.push_back(producer_.event(size, key, fact.lane, fact.seq));
  }
  const std::uint32_t life = life_;
  sending_ = true;
  producer_.send(messages_);
  if (life_ != life) return;
  sending_ = false;
  // What was refused at once is told of when the caller has returned.
  if (!told_.empty()) turn_.arm_after(sim::Duration{});
}

void KafkaEventSender::told(LaneId lane, std::int64_t seq, bool acknowledged) {
  told_.push_back({{lane, seq}, acknowledged});
}

/// The producer is done with what it was at. The owner may send more from here, or be stopped: then the rest waits.
void KafkaEventSender::producer_moved() {
  if (sending_ || !passing_.empty() || told_.empty()) return;
  passing_.swap(told_);
  const std::uint32_t life = life_;
  std::size_t passed = 0;
  while (passed < passing_.size() && life_ == life && !node_.paused()) {
    const Told& next = passing_[passed++];
    owner_.sent(next.fact, next.acknowledged);
  }
  if (life_ == life)
    told_.insert(told_.begin(), passing_.begin() + static_cast<std::ptrdiff_t>(passed), passing_.end());
  passing_.clear();
  // What was told of meanwhile.
  if (!told_.empty()) turn_.arm_after(sim::Duration{});
}

}  // namespace models::kafka
