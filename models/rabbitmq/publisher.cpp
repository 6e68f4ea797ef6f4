#include "models/rabbitmq/publisher.hpp"

#include <algorithm>
#include <array>

#include "models/faults/step_then.hpp"
#include "models/near_miss.hpp"
#include "models/rabbitmq/broker.hpp"
#include "models/rabbitmq/cluster.hpp"
#include "models/scenario_error.hpp"

namespace models::rabbitmq {

Publisher::Publisher(Context& context, Cluster& broker, Node& node, const ProducerOptions& options)
    : Client(context, broker, node, options.rabbitmq.connection),
      options_(options),
      source_(context.simulation.seed(), node.name(), options),
      acknowledged_step_(context.steps.cell(node.entity(), Step::acknowledged)),
      arrival_timer_(context.simulation, node, [this] { turn(); }) {
  channel_.confirms = confirms();
  if (options.rabbitmq.stream) channel_.publisher = options.rabbitmq.stream->name;
  channel_.producer = options.name;
  const Topology& topology = broker.topology();
  const std::string path = "producers." + options.name;
  std::string exchange = options.to;
  std::vector<std::string> keys = options.rabbitmq.routing_keys;
  if (options.rabbitmq.exchange) {
    exchange = *options.rabbitmq.exchange;
    if (!topology.find_exchange(exchange))
      throw ScenarioError(path + ".rabbitmq.exchange", "there is no exchange '" + exchange + "'");
  } else if (!topology.find_exchange(exchange)) {
    // The default exchange: by the queue's name.
    if (!topology.find_queue(exchange))
      throw ScenarioError(path + ".to", "there is no exchange or queue '" + exchange + "' in [rabbitmq]");
    exchange.clear();
  }
  if (keys.empty()) keys.push_back(options.to);
  for (const std::string& key : keys)
    addresses_.push_back(broker.address(*topology.find_exchange(exchange), key, options.rabbitmq.headers));
  lanes_.resize(topology.queue_count());
}

void Publisher::start() {
  source_.start(context_.now());
  begin();
  turn();
}

void Publisher::stop_arrivals() {
  source_.stop(context_.now());
  turn();
}

bool Publisher::idle() {
  if (!running()) return true;
  return source_.exhausted() && unconfirmed_.empty() && retries_.empty() && next_again_ == again_.size();
}

// ---- publishing ---------------------------------------------------------------------------------------------------

/// Publishes what has arisen, as far as it may, and waits for the next.
void Publisher::turn() {
  if (turning_ || !running() || node_.paused()) return;
  turning_ = true;
  const std::uint32_t life = node_.incarnation();
  while (may_publish() && next_again_ < again_.size()) {
    const Again next = std::move(again_[next_again_++]);
    if (next_again_ == again_.size()) {
      again_.clear();
      next_again_ = 0;
    }
    publish_message(context_.now(), next.key, next.size, next.address, &next);
  }
  while (node_.incarnation() == life && may_publish() && source_.next() <= context_.now()) publish_next();
  turning_ = false;
  if (node_.incarnation() != life) return;
  const sim::Time next = source_.next();
  if (next == sim::kNever || (next <= context_.now() && !may_publish())) {
    arrival_timer_.disarm();
  } else {
    arrival_timer_.arm_at(std::max(next, context_.now()));
  }
}

void Publisher::publish_next() {
  const sim::Time created = source_.times()[0];
  const std::int64_t key = source_.keyed() ? static_cast<std::int64_t>(source_.key(0)) : -1;
  const std::uint32_t size = source_.size(0);
  source_.pop(1);
  publish_message(created, key, size, address_of(key), nullptr);
}

std::uint16_t Publisher::address_of(std::int64_t key) {
  const std::uint64_t number = key >= 0 ? static_cast<std::uint64_t>(key) : count_;
  ++count_;
  return addresses_[number % addresses_.size()];
}

void Publisher::publish_message(sim::Time created, std::int64_t key, std::uint32_t size,
                                std::uint16_t address, const Again* again) {
  const std::vector<QueueIndex>& targets = broker_.targets(address);
  if (targets.empty()) return refuse(created);
  Ref<Publish> frame = broker_.publish_frames().take();
  frame->created = created;
  frame->key = key;
  frame->size = size;
  frame->address = address;
  frame->priority = options_.rabbitmq.priority;
  frame->persistent = options_.rabbitmq.persistent;
  frame->expiration = options_.rabbitmq.expiration.value_or(sim::Duration{});
  for (const QueueIndex q : targets) {
    Lane& lane = lanes_[q.value];
    if (lane.id == LaneId{}) lane.id = context_.entities.add_lane(node_.entity(), broker_.entity(q));
    frame->copies.push_back({q, lane.id, lane.next++});
    offer(*frame, frame->copies.back());
    if (again == nullptr) continue;
    const auto old =
        std::find_if(again->old.begin(), again->old.end(), [q](const Copy& c) { return c.queue == q; });
    const std::array<std::int64_t, 1> old_lane{old->lane.value};
    context_.emit(Kind::resent,
                  {.actor = node_.entity().value,
                   .peer = lane.id.value,
                   .a = static_cast<std::int64_t>(frame->copies.back().seq),
                   .b = 1,
                   .c = static_cast<std::int64_t>(old->seq)},
                  old_lane);
  }
  if (confirms()) unconfirmed_.push(frame);
  publish(frame, kContentBytes + size);
  if (confirms()) return;
  report(Kind::acknowledged, *frame, -1);
  answered(1);
}

void Publisher::offer(const Publish& frame, const Copy& copy) {
  std::array<std::int64_t, 2> payload{sim::nanoseconds(frame.created), frame.key};
  context_.emit(Kind::offered,
                {.code = frame.key >= 0 ? kHasKeys : std::uint16_t{0},
                 .actor = node_.entity().value,
                 .place = broker_.entity(copy.queue).value,
                 .peer = copy.lane.value,
                 .a = static_cast<std::int64_t>(copy.seq),
                 .b = 1},
                std::span(payload).first(frame.key >= 0 ? 2 : 1));
}

/// basic.return, or nothing at all.
void Publisher::refuse(sim::Time created) {
  const std::array<std::int64_t, 1> payload{sim::nanoseconds(created)};
  const RefusedCode code = options_.rabbitmq.mandatory ? RefusedCode::returned : RefusedCode::unroutable;
  context_.emit(Kind::refused,
                {.code = static_cast<std::uint16_t>(code), .actor = node_.entity().value, .b = 1}, payload);
  answered(1);
}

// ---- answers ------------------------------------------------------------------------------------------------------

void Publisher::report(Kind kind, const Publish& frame, std::int64_t c) {
  for (const Copy& copy : frame.copies) {
    context_.emit(kind, {.actor = node_.entity().value,
                         .place = broker_.entity(copy.queue).value,
                         .peer = copy.lane.value,
                         .a = static_cast<std::int64_t>(copy.seq),
                         .b = 1,
                         .c = c});
  }
}

void Publisher::answered(std::size_t count) {
  if (options_.closed_loop) source_.release(context_.now(), count);
}

void Publisher::confirmed(std::uint64_t tag, bool accepted) {
  const Ref<Publish> frame = std::move(unconfirmed_[tag]);
  while (!unconfirmed_.empty() && !unconfirmed_[unconfirmed_.first()]) unconfirmed_.drop();
  if (!accepted) {
    // One queue has refused it; others may have it.
    failed(*frame, frame->copies.size() > 1);
    return turn();
  }
  report(Kind::acknowledged, *frame, -1);
  answered(1);
  step_then(acknowledged_step_, node_, [this] { turn(); });
}

/// Model: what an application publishes on a connection that is blocked waits in it; TCP's buffers would take some of it.
void Publisher::blocked(bool now) {
  Client::blocked(now);
  turn();
}

void Publisher::failed(const Publish& frame, bool maybe_stored) {
  report(Kind::failed, frame, maybe_stored ? 1 : 0);
  if (options_.resend)
    again_.push_back({frame.key, frame.size, frame.address, frame.copies});
  else
    answered(1);
}

/// Producers of the stream protocol are connected to the leader's node.
void Publisher::choose(std::vector<Broker*>& addresses) {
  if (!options_.rabbitmq.stream) return;
  const Queue& stream = broker_.queue(broker_.targets(addresses_.front()).front());
  std::stable_partition(addresses.begin(), addresses.end(),
                        [&stream](const Broker* b) { return b == &stream.leader(); });
}

/// What was unconfirmed comes first, as it was (ProducerBuilder.retryOnRecovery).
void Publisher::channel_opened() {
  for (const Ref<Publish>& frame : retries_) {
    unconfirmed_.push(frame);
    publish(frame, kContentBytes + frame->size);
  }
  retries_.clear();
  turn();
}

void Publisher::channel_lost() {
  arrival_timer_.disarm();
  if (options_.rabbitmq.stream && options_.rabbitmq.stream->retry_on_recovery) {
    for (; !unconfirmed_.empty(); unconfirmed_.drop()) {
      if (unconfirmed_[unconfirmed_.first()]) retries_.push_back(unconfirmed_[unconfirmed_.first()]);
    }
    return unconfirmed_.reset();
  }
  for (; !unconfirmed_.empty(); unconfirmed_.drop()) {
    const Ref<Publish>& frame = unconfirmed_[unconfirmed_.first()];
    if (frame) failed(*frame, true);
  }
  unconfirmed_.reset();
}

void Publisher::process_crashed() {
  arrival_timer_.disarm();
  // Nobody is left to be told; what the application had in hand has gone with it.
  for (; !unconfirmed_.empty(); unconfirmed_.drop()) {
    const Ref<Publish>& frame = unconfirmed_[unconfirmed_.first()];
    if (frame) report(Kind::failed, *frame, 1);
  }
  for (const Ref<Publish>& frame : retries_) report(Kind::failed, *frame, 1);
  retries_.clear();
  unconfirmed_.reset();
  again_.clear();
  next_again_ = 0;
}

void Publisher::process_restarted() {
  source_.skip_to(context_.now());
  begin();
  turn();
}

}  // namespace models::rabbitmq
