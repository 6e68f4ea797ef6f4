#include "models/apps/gateway.hpp"

#include <span>

namespace models {

Gateway::Gateway(Context& context, Node& node, EntityId devices, const GatewayOptions& options,
                 FactBook& book, const SenderMaker& make_sender)
    : context_(context),
      node_(node),
      devices_(devices),
      options_(options),
      book_(book),
      lane_(context.entities.add_lane(devices, node.entity())),
      type_(book.type(options.name)),
      source_(context.simulation.seed(), node.name(), options.devices),
      arrivals_(context.simulation, [this] { arise(); }),
      sender_(make_sender(node, *this)) {
  node.set_program(*this);
}

void Gateway::start() {
  sender_->start();
  source_.start(context_.now());
  if (source_.next() != sim::kNever) arrivals_.arm_at(source_.next());
}

void Gateway::stop_arrivals() {
  source_.stop(context_.now());
}

bool Gateway::idle() {
  if (!source_.exhausted()) return false;
  if (!node_.up()) return true;
  return kept_.empty() && under_way_ == 0 && held_ == 0 && waiting_.empty();
}

// ---- devices ------------------------------------------------------------------------------------------------------

void Gateway::arise() {
  while (source_.next() <= context_.now()) {
    const std::uint32_t device = source_.key(0);
    source_.pop(1);
    const FactId fact = book_.made(lane_, {device, type_});
    context_.emit(Kind::fact, {.code = static_cast<std::uint16_t>(type_ | kToBePublished),
                               .actor = devices_.value,
                               .place = node_.entity().value,
                               .peer = lane_.value,
                               .a = fact.seq,
                               .b = device,
                               .c = fact.seq});
    if (options_.qos > 0) kept_.push_back({fact});
    if (connected_) publish(fact);
  }
  if (source_.next() != sim::kNever) arrivals_.arm_at(source_.next());
}

void Gateway::publish(FactId fact) {
  ++under_way_;
  context_.simulation.schedule_after(options_.latency, [this, fact, life = node_.incarnation()] {
    --under_way_;
    received(fact, life);
  });
}

void Gateway::hear_puback(FactId fact) {
  const std::int64_t at = fact.seq - first_kept_;
  if (at < 0) return;  // it was published twice
  kept_[static_cast<std::size_t>(at)].acknowledged = true;
  while (!kept_.empty() && kept_.front().acknowledged) {
    kept_.pop_front();
    ++first_kept_;
  }
}

void Gateway::come_back() {
  connected_ = true;
  for (const Kept& kept : kept_) {
    if (!kept.acknowledged) publish(kept.fact);
  }
}

// ---- the gateway --------------------------------------------------------------------------------------------------

void Gateway::received(FactId fact, std::uint32_t life) {
  if (node_.incarnation() != life) return;  // lost with the connection
  if (node_.paused()) return node_.run_or_hold([this, fact, life] { received(fact, life); });
  if (!full()) return take(fact);
  if (options_.qos > 0) waiting_.push_back(fact);
}

void Gateway::take(FactId fact) {
  ++held_;
  if (options_.qos > 0 && options_.puback == GatewayOptions::PubAck::received) send_puback(fact);
  sender_->send(std::span(&fact, 1));
}

void Gateway::send_puback(FactId fact) {
  ++under_way_;
  context_.simulation.schedule_after(options_.latency, [this, fact, life = node_.incarnation()] {
    --under_way_;
    if (node_.incarnation() == life) hear_puback(fact);
  });
}

void Gateway::sent(FactId fact, bool acknowledged) {
  --held_;
  const bool owed = options_.qos > 0 && options_.puback == GatewayOptions::PubAck::stored;
  if (owed && acknowledged) send_puback(fact);
  if (owed && !acknowledged) {
    ++under_way_;
    context_.simulation.schedule_after(options_.reconnect, [this, fact, life = node_.incarnation()] {
      --under_way_;
      if (node_.incarnation() == life) publish(fact);
    });
  }
  while (!full() && !waiting_.empty()) {
    const FactId next = waiting_.front();
    waiting_.pop_front();
    const std::uint32_t life = node_.incarnation();
    take(next);
    if (node_.incarnation() != life) return;
  }
}

void Gateway::crashed() {
  connected_ = false;
  held_ = 0;
  waiting_.clear();
  sender_->crashed();
}

void Gateway::restarted() {
  sender_->start();
  context_.simulation.schedule_after(options_.reconnect, [this, life = node_.incarnation()] {
    if (node_.up() && node_.incarnation() == life) come_back();
  });
}

}  // namespace models
