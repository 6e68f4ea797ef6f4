#include "models/bridges/queue_to_log.hpp"

#include <array>
#include <utility>

#include "models/faults/step_then.hpp"
#include "models/rabbitmq/cluster.hpp"

namespace models {

using rabbitmq::Deliver;

QueueToLog::QueueToLog(Context& context, rabbitmq::Cluster& broker, rabbitmq::QueueIndex queue,
                       kafka::Cluster& cluster, Node& node, const BridgeOptions& options,
                       const ProducerOptions& producer, EntityId group)
    : Client(context, broker, node, options.connection),
      options_(options),
      group_(group),
      sizes_(sim::stream_key(context.simulation.seed(), "bridge/" + options.name)),
      producer_(cluster, node, producer, {.application = this, .group = group}),
      delivered_step_(context.steps.cell(node.entity(), Step::delivered)),
      sent_step_(context.steps.cell(node.entity(), Step::processed_not_committed)),
      ack_step_(context.steps.cell(node.entity(), Step::commit_sent)),
      turn_(context.simulation, node, [this] { producer_moved(); }) {
  channel_.queues = {queue};
  channel_.consumer.prefetch = options.prefetch;
  channel_.consumer.automatic = options.ack == BridgeAck::no_ack;
}

void QueueToLog::start() {
  producer_.start();
  begin();
}

void QueueToLog::tell(Kind kind, const Deliver& m, std::span<const std::int64_t> payload) {
  context_.emit(kind,
                {.actor = node_.entity().value,
                 .place = broker_.entity(m.queue).value,
                 .peer = group_.value,
                 .a = static_cast<std::int64_t>(m.number),
                 .b = 1},
                payload);
}

void QueueToLog::processed(const Deliver& m) {
  const std::array<std::int64_t, 1> time{sim::nanoseconds(context_.now())};
  tell(Kind::processed, m, time);
}

void QueueToLog::delivered(Ref<Deliver> frame) {
  tell(Kind::delivered, *frame);
  step_then(delivered_step_, node_, [this, held = Held{std::move(frame), channel_number_}] { send(held); });
}

void QueueToLog::hold(const Held& held) {
  const std::uint64_t number = held_.push(held);
  const Key key{held.message->lane, held.message->seq};
  const std::uint64_t* const known = oldest_.find(key);
  if (known == nullptr) {
    oldest_.add(key, number);
    return;
  }
  std::uint64_t last = *known;
  while (held_[last].after != 0) last = held_[last].after;
  held_[last].after = number;
}

void QueueToLog::send(const Held& held) {
  const Deliver& message = *held.message;
  sim::Stream draw = sim::Stream::keyed(sizes_, message.lane.value, message.seq);
  const auto size = static_cast<std::uint32_t>(options_.size.sample_count(draw));
  const std::array<kafka::Message, 1> one{
      producer_.made(size, message.lane, static_cast<std::int64_t>(message.seq), -1)};
  hold(held);
  const std::uint32_t life = node_.incarnation();
  sending_ = true;
  producer_.send(one);
  if (node_.incarnation() != life) return;
  sending_ = false;
  // What was told of meanwhile is taken note of when the producer has returned.
  if (!told_.empty()) turn_.arm_after(sim::Duration{});
  if (options_.ack == BridgeAck::on_confirm) return;
  processed(message);
  held_[held_.next() - 1].answered = true;
  step_then(sent_step_, node_, [this, held] { settle(held, rabbitmq::Answer::ack); });
}

void QueueToLog::told(LaneId lane, std::int64_t seq, bool acknowledged) {
  told_.push_back({lane, static_cast<std::uint64_t>(seq), acknowledged});
}

void QueueToLog::producer_moved() {
  if (sending_ || told_.empty() || node_.paused()) return;
  const std::vector<Told> now = std::exchange(told_, {});
  const std::uint32_t life = node_.incarnation();
  for (const Told& one : now) {
    finish(one);
    if (node_.incarnation() != life) return;
  }
}

void QueueToLog::finish(const Told& told) {
  const Key key{told.lane, told.seq};
  std::uint64_t* const oldest = oldest_.find(key);
  if (oldest == nullptr) return;
  const Held held = held_[*oldest];
  held_[*oldest] = {};
  held_[*oldest].open = false;
  if (held.after != 0)
    *oldest = held.after;
  else
    oldest_.remove(key);
  while (!held_.empty() && !held_[held_.first()].open) held_.drop();
  if (held.answered) return;
  if (!told.acknowledged) {
    tell(Kind::abandoned, *held.message);
    return settle(held, rabbitmq::Answer::nack_requeue);
  }
  processed(*held.message);
  step_then(sent_step_, node_, [this, held] { settle(held, rabbitmq::Answer::ack); });
}

void QueueToLog::settle(const Held& held, rabbitmq::Answer how) {
  // On a channel that has gone meanwhile it means nothing: the queue gives the message out again.
  const bool known = is_open() && held.channel == channel_number_ && !channel_.consumer.automatic;
  if (!known) return;
  answer(held.message->queue, held.message->ordinal, how);
  ack_step_.advance(1);
}

void QueueToLog::process_crashed() {
  held_.reset();
  oldest_ = {};
  told_.clear();
  sending_ = false;
  turn_.disarm();
  producer_.crashed();
  context_.emit(Kind::member_state, {.code = static_cast<std::uint16_t>(MemberCode::crashed),
                                     .actor = node_.entity().value,
                                     .peer = group_.value});
}

void QueueToLog::process_restarted() {
  context_.emit(Kind::member_state, {.code = static_cast<std::uint16_t>(MemberCode::restarted),
                                     .actor = node_.entity().value,
                                     .peer = group_.value});
  producer_.restarted();
  begin();
}

}  // namespace models
