#include "models/rabbitmq/workers.hpp"

#include <algorithm>
#include <array>

#include "models/faults/step_then.hpp"
#include "models/rabbitmq/broker.hpp"
#include "models/rabbitmq/cluster.hpp"
#include "models/scenario_error.hpp"

namespace models::rabbitmq {

// ---- the group ----------------------------------------------------------------------------------------------------

Workers::Workers(Context& context, Cluster& broker, const GroupOptions& options, EntityId group)
    : context_(context),
      broker_(broker),
      options_(options),
      entity_(group),
      service_key_(sim::stream_key(context.simulation.seed(), "service/" + options.name)),
      poison_key_(sim::stream_key(context.simulation.seed(), "poison/" + options.name)) {
  for (const std::string& name : options.rabbitmq.queues) {
    const std::string path = "groups." + options.name + ".rabbitmq.queues";
    const auto queue = broker.topology().find_queue(name);
    if (!queue) throw ScenarioError(path, "there is no queue '" + name + "' in [rabbitmq]");
    // Model: who competes for a queue's messages is one group; its verdicts are about what becomes of each message for it.
    if (broker.reader(*queue) != EntityId{})
      throw ScenarioError(
          path,
          "'" + name + "' is read by another group: whoever consumes from one queue is one group's member");
    broker.read_by(*queue, group);
    queues_.push_back(*queue);
  }
}

Workers::~Workers() = default;

void Workers::add_member(Node& node) {
  members_.push_back(
      std::make_unique<Worker>(context_, broker_, node, *this, static_cast<std::uint32_t>(members_.size())));
  standing_by_.push_back(false);
}

void Workers::start() {
  sim::Duration at = options_.start;
  for (std::size_t i = 0; i < members_.size(); ++i, at += options_.stagger) {
    if (standing_by_[i]) continue;
    if (at == sim::Duration{}) {
      members_[i]->start();
    } else {
      context_.simulation.schedule_after(at, [member = members_[i].get()] { member->start(); });
    }
  }
}

bool Workers::idle() const {
  if (std::any_of(members_.begin(), members_.end(), [](const auto& m) { return !m->idle(); })) return false;
  // Nobody is left to read.
  if (std::none_of(members_.begin(), members_.end(), [](const auto& m) { return m->takes_part(); }))
    return true;
  return std::all_of(queues_.begin(), queues_.end(), [this](QueueIndex q) {
    const Queue::Depth depth = broker_.queue(q).depth();
    return depth.ready == 0 && depth.unacknowledged == 0;
  });
}

sim::Duration Workers::service(const Deliver& m) {
  std::uint64_t attempt = 0;
  if (m.redelivered) attempt = ++attempts_[{m.lane, m.seq}];
  if (options_.service.is_constant())
    return sim::Duration{static_cast<std::int64_t>(options_.service.mean())};
  sim::Stream draw = sim::Stream::keyed(service_key_, m.lane.value, m.seq, attempt);
  return options_.service.sample_duration(draw);
}

bool Workers::poisoned(const Deliver& m) const {
  if (!options_.poison || options_.poison->share <= 0) return false;
  sim::Stream draw = sim::Stream::keyed(poison_key_, m.lane.value, m.seq);
  if (draw.uniform() >= options_.poison->share) return false;
  const auto known = failures_.find({m.lane, m.seq});
  return options_.poison->failures == 0 || known == failures_.end() ||
         known->second < options_.poison->failures;
}

void Workers::failed(const Deliver& m) {
  if (options_.poison->failures > 0) ++failures_[{m.lane, m.seq}];
}

bool Workers::apply_effect(const Deliver& m) {
  const bool keyed = options_.effect->idempotency_key || options_.effect->processed_ids != ProcessedIds::none;
  if (!keyed) return true;
  if (m.lane.value >= seen_.size()) seen_.resize(m.lane.value + 1);
  bool first = false;
  const auto seq = static_cast<std::int64_t>(m.seq);
  seen_[m.lane.value].add(seq, seq + 1,
                          [&](std::int64_t, std::int64_t, std::int64_t before) { first = before == 0; });
  return first;
}

// ---- a member -----------------------------------------------------------------------------------------------------

Worker::Worker(Context& context, Cluster& broker, Node& node, Workers& group, std::uint32_t index)
    : Client(context, broker, node, group.options().rabbitmq.connection),
      group_(group),
      delivered_step_(context.steps.cell(node.entity(), Step::delivered)),
      effect_step_(context.steps.cell(node.entity(), Step::effect_applied)),
      processed_step_(context.steps.cell(node.entity(), Step::processed_not_committed)),
      ack_step_(context.steps.cell(node.entity(), Step::commit_sent)),
      work_timer_(context.simulation, node, [this] { done(); }),
      ack_timer_(context.simulation, node, [this] { acknowledge(); }) {
  const SubscriberOptions& options = group.options().rabbitmq;
  channel_.queues = group.queues();
  channel_.consumer.automatic = options.automatic_ack;
  channel_.consumer.prefetch = options.prefetch;
  channel_.consumer.exclusive = options.exclusive;
  channel_.prefetch_global = options.prefetch_global;
  channel_.same_connection_as = options.same_connection_as;
  if (!options.priorities.empty())
    channel_.consumer.priority = options.priorities[index % options.priorities.size()];
}

void Worker::start() {
  wanted_ = true;
  leaving_ = false;
  begin();
}

/// Nobody assigns it anything: it is no member of a group as a coordinator knows them, and `joined` is not told.
void Worker::channel_opened() {
  ++channel_number_;
}

void Worker::tell_member(MemberCode code) {
  context_.emit(Kind::member_state, {.code = static_cast<std::uint16_t>(code),
                                     .actor = node_.entity().value,
                                     .peer = group_.entity().value});
}

void Worker::tell(Kind kind, const Deliver& m, std::uint16_t code) {
  context_.emit(kind, {.code = code,
                       .actor = node_.entity().value,
                       .place = broker_.entity(m.queue).value,
                       .peer = group_.entity().value,
                       .a = static_cast<std::int64_t>(m.number),
                       .b = 1});
}

void Worker::delivered(Ref<Deliver> frame) {
  tell(Kind::delivered, *frame);
  waiting_.push(std::move(frame));
  step_then(delivered_step_, node_, [this] {
    if (!working_) take_next();
  });
}

// ---- working ------------------------------------------------------------------------------------------------------

void Worker::take_next() {
  if (leaving_) return leave();
  if (waiting_.empty()) return;
  message_ = waiting_.pop();
  message_channel_ = channel_number_;
  working_ = true;
  retries_ = 0;
  begin_work();
}

void Worker::begin_work() {
  work_timer_.arm_after(group_.service(*message_));
}

void Worker::done() {
  if (!group_.poisoned(*message_)) return processed();
  group_.failed(*message_);
  const PoisonOptions& poison = *group_.options().poison;
  if (poison.retries < 0 || retries_ < poison.retries) {
    ++retries_;
    work_timer_.arm_after(poison.backoff + group_.service(*message_));
    return;
  }
  gave_up();
}

void Worker::processed() {
  const std::array<std::int64_t, 1> time{sim::nanoseconds(context_.now())};
  context_.emit(Kind::processed,
                {.actor = node_.entity().value,
                 .place = broker_.entity(message_->queue).value,
                 .peer = group_.entity().value,
                 .a = static_cast<std::int64_t>(message_->number),
                 .b = 1},
                time);
  bool applied = false;
  if (group_.options().effect) {
    applied = group_.apply_effect(*message_);
    tell(Kind::effect, *message_, applied ? kApplied : kSuppressed);
  }
  const auto then = [this] { step_then(processed_step_, node_, [this] { finish(Answer::ack); }); };
  if (!applied) return then();
  step_then(effect_step_, node_, then);
}

/// The application has caught an exception, or nobody has.
void Worker::gave_up() {
  const PoisonOptions& poison = *group_.options().poison;
  if (poison.then == PoisonOptions::Then::crash) {
    node_.crash();
    restarting_ = true;
    context_.simulation.schedule_after(poison.restart, [this, life = node_.incarnation()] {
      restarting_ = false;
      if (node_.incarnation() == life) node_.restart();
    });
    return;
  }
  tell(Kind::abandoned, *message_);
  finish(poison.then == PoisonOptions::Then::release  ? Answer::nack_requeue
         : poison.then == PoisonOptions::Then::reject ? Answer::reject
                                                      : Answer::ack);
}

void Worker::finish(Answer how) {
  const Ref<Deliver> message = std::move(message_);
  working_ = false;
  // On a channel that has gone meanwhile it means nothing: the queue has given the message to somebody else, or will.
  const bool known = is_open() && message_channel_ == channel_number_ && !channel_.consumer.automatic;
  if (!known) return take_next();
  const SubscriberOptions& options = group_.options().rabbitmq;
  if (how == Answer::ack) {
    unacknowledged_.push_back({message->queue, message->ordinal});
    if (unacknowledged_.size() >= options.messages_per_ack) return acknowledge();
    if (!ack_timer_.armed()) ack_timer_.arm_after(options.ack_timeout);
    return take_next();
  }
  Ref<Answers> frame = broker_.answers_frames().take();
  if (options.nack_multiple) frame->all.swap(unacknowledged_);
  frame->all.push_back({message->queue, message->ordinal});
  frame->how = how;
  answer(std::move(frame));
  step_then(ack_step_, node_, [this] {
    if (!working_) take_next();
  });
}

/// basic.ack, with `multiple` where it is for several.
void Worker::acknowledge() {
  ack_timer_.disarm();
  if (unacknowledged_.empty()) return;
  Ref<Answers> frame = broker_.answers_frames().take();
  frame->all.assign(unacknowledged_.begin(), unacknowledged_.end());
  frame->how = Answer::ack;
  unacknowledged_.clear();
  answer(std::move(frame));
  step_then(ack_step_, node_, [this] {
    if (!working_) take_next();
  });
}

// ---- its connection, its process ----------------------------------------------------------------------------------

void Worker::channel_lost() {
  unacknowledged_.clear();
  ack_timer_.disarm();
  // ConsumerDispatcher: once the channel is shut down what it has queued is not handed out any more.
  while (!waiting_.empty()) tell(Kind::abandoned, *waiting_.pop());
}

void Worker::withdraw() {
  wanted_ = false;
  if (!running()) return;
  leaving_ = true;
  if (!working_) leave();
}

/// What waits in the client goes back to its queue.
void Worker::leave() {
  leaving_ = false;
  if (is_open()) acknowledge();
  unacknowledged_.clear();
  while (!waiting_.empty()) tell(Kind::abandoned, *waiting_.pop());
  end();
  tell_member(MemberCode::left);
}

void Worker::paused() {
  frozen_ = work_timer_.armed();
  if (!frozen_) return;
  left_ = std::max(sim::Duration{}, work_timer_.deadline() - context_.now());
  work_timer_.disarm();
}

void Worker::resumed() {
  if (!frozen_) return;
  frozen_ = false;
  work_timer_.arm_after(left_);
}

void Worker::process_crashed() {
  work_timer_.disarm();
  ack_timer_.disarm();
  unacknowledged_.clear();
  frozen_ = false;
  working_ = false;
  leaving_ = false;
  message_ = {};
  while (!waiting_.empty()) waiting_.pop();
  tell_member(MemberCode::crashed);
}

void Worker::process_restarted() {
  if (!wanted_) return;
  tell_member(MemberCode::restarted);
  begin();
}

}  // namespace models::rabbitmq
