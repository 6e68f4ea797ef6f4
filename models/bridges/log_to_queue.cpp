#include "models/bridges/log_to_queue.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "models/faults/step_then.hpp"
#include "models/kafka/consumer/outlet_producer.hpp"
#include "models/rabbitmq/cluster.hpp"

namespace models {
namespace {

/// Of what was confirmed.
constexpr std::size_t kNothing = static_cast<std::size_t>(-1);
/// Before what the broker has refused is published again.
constexpr sim::Duration kRetry = std::chrono::milliseconds{100};

}  // namespace

LogToQueue::LogToQueue(kafka::Cluster& cluster, rabbitmq::Cluster& broker, std::uint16_t address, Node& node,
                       const BridgeOptions& options, EntityId group, kafka::OutletOwner& owner)
    : Client(cluster.context(), broker, node, options.connection, Part::of_another_program),
      cluster_(cluster),
      owner_(owner),
      options_(options),
      group_(group),
      address_(address),
      sizes_(sim::stream_key(context_.simulation.seed(), "bridge/" + options.name)),
      lanes_(broker.topology().queue_count()),
      acknowledged_step_(context_.steps.cell(node.entity(), Step::acknowledged)),
      retry_timer_(context_.simulation, node, [this] { publish_waiting(); }) {
  channel_.confirms = options.ack == BridgeAck::on_confirm;
}

void LogToQueue::take(const kafka::Work& work, const kafka::GroupMembership&) {
  for (const kafka::Work::Range& range : work.ranges()) {
    kafka::for_each_input(cluster_, range, [this](kafka::Offset, LaneId lane, std::int64_t seq) {
      outgoing_.push_back({{lane, seq}, {}});
    });
  }
  done_ = 0;
  working_ = true;
  publish_waiting();
}

void LogToQueue::publish_waiting() {
  if (!working_ || !is_open()) return;
  for (std::size_t i = 0; i < outgoing_.size(); ++i) {
    if (!outgoing_[i].frame) publish(i);
  }
  finish_if_done();
}

void LogToQueue::publish(std::size_t at) {
  Outgoing& one = outgoing_[at];
  sim::Stream draw =
      sim::Stream::keyed(sizes_, one.input.lane.value, static_cast<std::uint64_t>(one.input.seq));
  const auto size = static_cast<std::uint32_t>(options_.size.sample_count(draw));
  Ref<rabbitmq::Publish> frame = broker_.publish_frames().take();
  frame->created = context_.now();
  frame->key = -1;
  frame->size = size;
  frame->address = address_;
  frame->priority = 0;
  frame->persistent = true;
  frame->expiration = {};
  const std::array<std::int64_t, 1> created{sim::nanoseconds(frame->created)};
  const std::array<std::int64_t, 2> made_of{one.input.lane.value, group_.value};
  for (const rabbitmq::QueueIndex q : broker_.targets(address_)) {
    Lane& lane = lanes_[q.value];
    if (lane.id == LaneId{}) lane.id = context_.entities.add_lane(node_.entity(), broker_.entity(q));
    frame->copies.push_back({q, lane.id, lane.next++});
    const sim::TraceRecord record{.actor = node_.entity().value,
                                  .place = broker_.entity(q).value,
                                  .peer = lane.id.value,
                                  .a = static_cast<std::int64_t>(frame->copies.back().seq),
                                  .b = 1};
    context_.emit(Kind::offered, record, created);
    sim::TraceRecord derived = record;
    derived.c = one.input.seq;
    context_.emit(Kind::derived, derived, made_of);
  }
  one.frame = frame;
  if (channel_.confirms) tags_.push_back(at);
  Client::publish(frame, rabbitmq::kContentBytes + size);
  if (channel_.confirms) return;
  // Nobody says more.
  report(Kind::acknowledged, *frame, -1);
  ++done_;
}

void LogToQueue::report(Kind kind, const rabbitmq::Publish& frame, std::int64_t c) {
  for (const rabbitmq::Copy& copy : frame.copies) {
    context_.emit(kind, {.actor = node_.entity().value,
                         .place = broker_.entity(copy.queue).value,
                         .peer = copy.lane.value,
                         .a = static_cast<std::int64_t>(copy.seq),
                         .b = 1,
                         .c = c});
  }
}

void LogToQueue::confirmed(std::uint64_t tag, bool accepted) {
  const std::size_t at = std::exchange(tags_[tag - first_tag_], kNothing);
  Outgoing& one = outgoing_[at];
  if (!accepted) {
    report(Kind::failed, *one.frame, one.frame->copies.size() > 1 ? 1 : 0);
    one.frame = {};
    if (!retry_timer_.armed()) retry_timer_.arm_after(kRetry);
    return;
  }
  report(Kind::acknowledged, *one.frame, -1);
  ++done_;
  step_then(acknowledged_step_, node_, [this] { finish_if_done(); });
}

void LogToQueue::channel_lost() {
  for (const std::size_t at : tags_) {
    if (at == kNothing) continue;
    report(Kind::failed, *outgoing_[at].frame, 1);
    outgoing_[at].frame = {};
  }
  tags_.clear();
  first_tag_ = 0;
}

void LogToQueue::process_crashed() {
  channel_lost();
  working_ = false;
  outgoing_.clear();
  retry_timer_.disarm();
}

void LogToQueue::finish_if_done() {
  if (!working_ || done_ < outgoing_.size()) return;
  working_ = false;
  outgoing_.clear();
  first_tag_ += tags_.size();
  tags_.clear();
  owner_.transformed(kafka::TransformOutcome::done);
}

}  // namespace models
