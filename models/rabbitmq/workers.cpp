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
    // A stream's are any number, and each reads all of it.
    if (!broker.queue(*queue).is_log() && broker.reader(*queue) != EntityId{})
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
  return std::all_of(queues_.begin(), queues_.end(),
                     [this](QueueIndex q) { return broker_.queue(q).finished(entity_); });
}

Job Workers::job(const Deliver& m) {
  Job job{broker_.entity(m.queue), static_cast<std::int64_t>(m.number), m.lane, m.seq, m.log_epoch};
  if (m.redelivered) job.attempt = ++attempts_[{m.lane, m.seq}];
  return job;
}

// ---- a member -----------------------------------------------------------------------------------------------------

Worker::Worker(Context& context, Cluster& broker, Node& node, Workers& group, std::uint32_t index)
    : Client(context, broker, node, group.options().rabbitmq.connection),
      group_(group),
      bench_(context, node, group.jobs(), group.entity(), *this),
      delivered_step_(context.steps.cell(node.entity(), Step::delivered)),
      ack_step_(context.steps.cell(node.entity(), Step::commit_sent)),
      flush_timer_(context.simulation, node, [this] { store_offsets(); }),
      ack_timer_(context.simulation, node, [this] { acknowledge(); }) {
  const SubscriberOptions& options = group.options().rabbitmq;
  channel_.queues = group.queues();
  channel_.consumer.automatic = options.automatic_ack;
  channel_.consumer.prefetch = options.prefetch;
  channel_.consumer.group = group.entity();
  channel_.consumer.offset = options.offset;
  if (options.stream) channel_.consumer.stream = &*options.stream;
  done_.resize(options.stream ? group.queues().size() : 0);
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

void Worker::tell(Kind kind, const Deliver& m) {
  context_.emit(kind, {.actor = node_.entity().value,
                       .place = broker_.entity(m.queue).value,
                       .peer = group_.entity().value,
                       .a = static_cast<std::int64_t>(m.number),
                       .b = 1,
                       .c = m.log_epoch});
}

void Worker::delivered(Ref<Deliver> frame) {
  tell(Kind::delivered, *frame);
  // ConsumerFlowStrategy.creditOnChunkArrival
  if (speaks_stream() && frame->ends_chunk) answer(frame->queue, frame->ordinal, Answer::ack);
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
  if (speaks_stream()) {
    if (!track(*message)) return take_next();
    return step_then(ack_step_, node_, [this] {
      if (!bench_.working()) take_next();
    });
  }
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
    if (!bench_.working()) take_next();
  });
}

/// basic.ack, with `multiple` where it is for several. False: there is nothing to acknowledge.
bool Worker::send_acknowledgement() {
  ack_timer_.disarm();
  if (unacknowledged_.empty()) return false;
  Ref<Answers> frame = broker_.answers_frames().take();
  frame->all.assign(unacknowledged_.begin(), unacknowledged_.end());
  frame->how = Answer::ack;
  unacknowledged_.clear();
  answer(std::move(frame));
  return true;
}

void Worker::acknowledge() {
  if (!send_acknowledgement()) return;
  step_then(ack_step_, node_, [this] {
    if (!bench_.working()) take_next();
  });
}

// ---- offsets of streams -------------------------------------------------------------------------------------------

/// It has processed that: the offset is stored every so many messages, and with automatic tracking also once none has been for a
/// while (AutoTrackingStrategy; ManualTrackingStrategy: when the application says so).
bool Worker::track(const Deliver& m) {
  const StreamConsumerOptions& options = *channel_.consumer.stream;
  if (options.tracking == OffsetTracking::none) return false;
  const auto at =
      std::find(channel_.queues.begin(), channel_.queues.end(), m.queue) - channel_.queues.begin();
  Done& done = done_[static_cast<std::size_t>(at)];
  done.last = static_cast<std::int64_t>(m.number);
  if (++done.count >= options.store_every) {
    done.count = 0;
    store_offset(m.queue, done.last);
    return true;
  }
  if (options.tracking == OffsetTracking::automatic && !flush_timer_.armed()) {
    flush_timer_.arm_after(options.flush_interval);
  }
  return false;
}

void Worker::store_offsets() {
  for (std::size_t i = 0; i < done_.size(); ++i) {
    if (std::exchange(done_[i].count, 0) > 0 && is_open()) store_offset(channel_.queues[i], done_[i].last);
  }
}

void Worker::forget_offsets() {
  flush_timer_.disarm();
  std::fill(done_.begin(), done_.end(), Done{});
}

/// Consumers read from replicas where there are some (forceReplicaForConsumers is off: from the leader if need be).
void Worker::choose(std::vector<Broker*>& addresses) {
  if (!speaks_stream()) return;
  const Queue& stream = broker_.queue(channel_.queues.front());
  const auto rank = [&stream](const Broker* b) {
    return !stream.is_at(*b) ? 2 : b == &stream.leader() ? 1 : 0;
  };
  std::stable_sort(addresses.begin(), addresses.end(),
                   [&](const Broker* a, const Broker* b) { return rank(a) < rank(b); });
}

// ---- its connection, its process ----------------------------------------------------------------------------------

void Worker::channel_lost() {
  forget_offsets();
  unacknowledged_.clear();
  ack_timer_.disarm();
  // ConsumerDispatcher: once the channel is shut down what it has queued is not handed out any more.
  while (!waiting_.empty()) tell(Kind::abandoned, *waiting_.pop());
}

void Worker::withdraw() {
  wanted_ = false;
  if (!running()) return;
  leaving_ = true;
  if (!bench_.working()) leave();
}

/// It acknowledges what it has processed, and takes nothing more.
void Worker::leave() {
  if (!is_open() || !send_acknowledgement()) return go();
  step_then(ack_step_, node_, [this] { go(); });
}

/// What waits in the client goes back to its queue.
void Worker::go() {
  // Stopped at that step it was told to come back.
  if (!std::exchange(leaving_, false)) return take_next();
  unacknowledged_.clear();
  while (!waiting_.empty()) tell(Kind::abandoned, *waiting_.pop());
  // Consumer.close() stores what automatic tracking has not stored yet.
  if (speaks_stream() && channel_.consumer.stream->tracking == OffsetTracking::automatic) store_offsets();
  forget_offsets();
  end();
  tell_member(MemberCode::left);
}

void Worker::process_crashed() {
  forget_offsets();
  bench_.crashed();
  ack_timer_.disarm();
  unacknowledged_.clear();
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
