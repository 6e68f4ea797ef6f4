#include "models/rabbitmq/workers.hpp"

#include <algorithm>

#include "models/faults/step_then.hpp"
#include "models/rabbitmq/broker.hpp"
#include "models/rabbitmq/cluster.hpp"
#include "models/scenario_error.hpp"

namespace models::rabbitmq {

// ---- the group ----------------------------------------------------------------------------------------------------

Workers::Workers(Context& context, Cluster& broker, const GroupOptions& options, EntityId group)
    : context_(context), broker_(broker), options_(options), entity_(group), jobs_(context, options) {
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

Job Workers::job(const Deliver& m) {
  Job job{broker_.entity(m.queue), static_cast<std::int64_t>(m.number), m.lane, m.seq};
  if (m.redelivered) job.attempt = ++attempts_[{m.lane, m.seq}];
  return job;
}

// ---- a member -----------------------------------------------------------------------------------------------------

Worker::Worker(Context& context, Cluster& broker, Node& node, Workers& group, std::uint32_t index)
    : Client(context, broker, node, group.options().rabbitmq.connection),
      group_(group),
      bench_(context, node, group.jobs(), group.entity(), *this),
      delivered_step_(context.steps.cell(node.entity(), Step::delivered)),
      ack_step_(context.steps.cell(node.entity(), Step::commit_sent)) {
  const SubscriberOptions& options = group.options().rabbitmq;
  channel_.queues = group.queues();
  channel_.consumer.automatic = options.automatic_ack;
  channel_.consumer.prefetch = options.prefetch;
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

void Worker::tell(Kind kind, const Deliver& m) {
  context_.emit(kind, {.actor = node_.entity().value,
                       .place = broker_.entity(m.queue).value,
                       .peer = group_.entity().value,
                       .a = static_cast<std::int64_t>(m.number),
                       .b = 1});
}

void Worker::delivered(Ref<Deliver> frame) {
  tell(Kind::delivered, *frame);
  waiting_.push(std::move(frame));
  step_then(delivered_step_, node_, [this] {
    if (!bench_.working()) take_next();
  });
}

// ---- working ------------------------------------------------------------------------------------------------------

void Worker::take_next() {
  if (leaving_) return leave();
  if (waiting_.empty()) return;
  message_ = waiting_.pop();
  message_channel_ = channel_number_;
  bench_.begin(group_.job(*message_));
}

void Worker::gave_up(PoisonOptions::Then how) {
  finish(how == PoisonOptions::Then::release  ? Answer::nack_requeue
         : how == PoisonOptions::Then::reject ? Answer::reject
                                              : Answer::ack);
}

void Worker::finish(Answer how) {
  const Ref<Deliver> message = std::move(message_);
  // On a channel that has gone meanwhile it means nothing: the queue has given the message to somebody else, or will.
  const bool known = is_open() && message_channel_ == channel_number_ && !channel_.consumer.automatic;
  if (!known) return take_next();
  answer(message->queue, message->ordinal, how);
  step_then(ack_step_, node_, [this] {
    if (!bench_.working()) take_next();
  });
}

// ---- its connection, its process ----------------------------------------------------------------------------------

void Worker::channel_lost() {
  // ConsumerDispatcher: once the channel is shut down what it has queued is not handed out any more.
  while (!waiting_.empty()) tell(Kind::abandoned, *waiting_.pop());
}

void Worker::withdraw() {
  wanted_ = false;
  if (!running()) return;
  leaving_ = true;
  if (!bench_.working()) leave();
}

/// What waits in the client goes back to its queue.
void Worker::leave() {
  leaving_ = false;
  while (!waiting_.empty()) tell(Kind::abandoned, *waiting_.pop());
  end();
  tell_member(MemberCode::left);
}

void Worker::process_crashed() {
  bench_.crashed();
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
