#include "models/kafka/consumer/committer.hpp"

#include <algorithm>

#include "models/kafka/backoff.hpp"

namespace models::kafka {

namespace {

/// RetriableException and its children, for OffsetCommit.
bool retriable(ErrorCode error) {
  return error == ErrorCode::disconnected || error == ErrorCode::coordinator_load_in_progress ||
         error == ErrorCode::coordinator_not_available || error == ErrorCode::not_coordinator ||
         error == ErrorCode::request_timed_out || error == ErrorCode::unknown_topic_or_partition ||
         error == ErrorCode::network_exception;
}

}  // namespace

Committer::Committer(ConsumerGroup& group, Node& node, Assignment& assignment, Membership& membership,
                     CommitterOwner& owner)
    : config_(group.options().config),
      group_name_(group.options().name),
      group_(group.entity()),
      cluster_(group.cluster()),
      context_(group.cluster().context()),
      node_(node),
      assignment_(assignment),
      membership_(membership),
      owner_(owner),
      sent_step_(context_.steps.cell(node.entity(), Step::commit_sent)),
      committed_step_(context_.steps.cell(node.entity(), Step::committed)),
      jitter_(context_.simulation.seed(), "kafka/commit/" + node.name()),
      timer_(context_.simulation, node, [this] { timer_due(); }) {}

void Committer::forget() {
  in_flight_.clear();
  waiting_.clear();
  blocking_items_.clear();
  blocked_ = false;
  blocking_sent_ = false;
  timer_.disarm();
}

void Committer::all_consumed(Items& items) const {
  items.clear();
  for (const PartitionIndex p : assignment_.partitions()) {
    const HeldPartition& held = assignment_[p];
    if (!assignment_.has_valid_position(p)) continue;
    if (stored_ != nullptr) {
      if (stored_->to_commit(p)) items.push_back(stored_->item(p));
      continue;
    }
    items.push_back({.partition = p, .offset = held.position, .epoch = held.offset_epoch});
  }
}

// ---- of its own accord, and asynchronously ------------------------------------------------------------------------

void Committer::restart_interval() {
  next_automatic_ = context_.simulation.after(config_.auto_commit_interval);
}

void Committer::automatic_if_due() {
  if (context_.now() < next_automatic_) return;
  restart_interval();
  all_consumed(scratch_);
  if (scratch_.empty()) return;
  const ErrorCode error = send(Purpose::automatic, scratch_);
  if (error != ErrorCode::none) failed(Purpose::automatic, scratch_, error);
}

void Committer::asynchronous() {
  all_consumed(scratch_);
  if (scratch_.empty()) return;
  if (membership_.coordinator() == nullptr) {
    // Model: Kafka queues every asynchronous commit behind the look-up of its coordinator; here only the last waits,
    // which is what counts.
    waiting_ = scratch_;
    return;
  }
  const ErrorCode error = send(Purpose::asynchronous, scratch_);
  if (error != ErrorCode::none) failed(Purpose::asynchronous, scratch_, error);
}

// ---- while the application waits ----------------------------------------------------------------------------------

void Committer::blocking(sim::Duration limit) {
  all_consumed(blocking_items_);
  begin_blocking(limit);
}

void Committer::blocking(const OffsetCommitCall::Item& item, sim::Duration limit) {
  blocking_items_.assign(1, item);
  begin_blocking(limit);
}

void Committer::begin_blocking(sim::Duration limit) {
  MQLAB_ASSERT(!blocked_, "an application waits for one commit at a time");
  blocked_ = true;
  blocking_sent_ = false;
  attempts_ = 0;
  retry_at_ = {};
  deadline_ = context_.simulation.after(limit);
  if (blocking_items_.empty()) return finish_blocking(ErrorCode::none);
  try_blocking();
}

/// A member that was paused may find its deadline past.
void Committer::arm(sim::Time at) {
  timer_.arm_at(std::max(at, context_.now()));
}

void Committer::try_blocking() {
  if (!blocked_ || blocking_sent_ || context_.now() < retry_at_) return;
  if (membership_.coordinator() == nullptr) return arm(deadline_);
  blocking_sent_ = true;
  arm(deadline_);
  const ErrorCode error = send(Purpose::blocking, blocking_items_);
  if (error != ErrorCode::none) failed(Purpose::blocking, blocking_items_, error);
}

void Committer::timer_due() {
  if (!blocked_) return;
  if (context_.now() < deadline_) return try_blocking();
  for (InFlight& sent : in_flight_) {
    if (sent.purpose == Purpose::blocking) sent.purpose = Purpose::nobody;
  }
  refuse(blocking_items_, ErrorCode::request_timed_out);
  finish_blocking(ErrorCode::request_timed_out);
}

void Committer::finish_blocking(ErrorCode error) {
  blocked_ = false;
  blocking_sent_ = false;
  timer_.disarm();
  owner_.commit_finished(error);
}

void Committer::wake() {
  try_blocking();
  if (!waiting_.empty() && membership_.coordinator_known()) {
    scratch_.swap(waiting_);
    waiting_.clear();
    const ErrorCode error = send(Purpose::asynchronous, scratch_);
    if (error != ErrorCode::none) failed(Purpose::asynchronous, scratch_, error);
  }
}

// ---- requests and answers -----------------------------------------------------------------------------------------

ErrorCode Committer::send(Purpose purpose, const Items& items) {
  const ErrorCode error = membership_.may_commit();
  if (error != ErrorCode::none) return error;
  RpcChannel* channel = membership_.coordinator();
  if (channel == nullptr) return ErrorCode::coordinator_not_available;
  Ref<OffsetCommitCall> call = cluster_.take<OffsetCommitCall>();
  call->group = group_name_;
  call->member_id = membership_.member_id();
  call->instance_id = membership_.instance_id();
  call->member = node_.entity();
  call->generation = membership_.generation();
  call->items.assign(items.begin(), items.end());
  in_flight_.push_back({call.get(), purpose});
  channel->call<&Committer::on_answer>(*this, std::move(call));
  sent_step_.advance(1);
  return ErrorCode::none;
}

Committer::Purpose Committer::take_purpose(const OffsetCommitCall* call) {
  const auto at = std::find_if(in_flight_.begin(), in_flight_.end(),
                               [call](const InFlight& f) { return f.call == call; });
  MQLAB_ASSERT(at != in_flight_.end(), "an answer to a commit that was not sent");
  const Purpose purpose = at->purpose;
  in_flight_.erase(at);
  return purpose;
}

void Committer::on_answer(BrokerId from, Ref<OffsetCommitCall> call) {
  const Purpose purpose = take_purpose(call.get());
  const std::uint32_t life = node_.incarnation();
  const ErrorCode error = interpret(from, *call);
  if (node_.incarnation() != life) return;
  if (error != ErrorCode::none) return failed(purpose, call->items, error);
  settle(*call);
  committed_step_.advance(1);
  if (purpose == Purpose::blocking && node_.incarnation() == life) finish_blocking(ErrorCode::none);
}

void Committer::settle(const OffsetCommitCall& call) {
  membership_.coordinator_answered();
  for (const OffsetCommitCall::Item& item : call.items) {
    HeldPartition& held = assignment_[item.partition];
    if (assignment_.has_valid_position(item.partition) && item.offset <= held.position) {
      held.settled = std::max(held.settled, item.offset);
    }
    if (stored_ != nullptr) stored_->committed(item.partition, item.offset);
  }
}

ErrorCode Committer::interpret(BrokerId from, const OffsetCommitCall& call) {
  ErrorCode error = call.error;
  for (const OffsetCommitCall::Item& item : call.items) {
    if (error == ErrorCode::none) error = item.error;
  }
  switch (error) {
    case ErrorCode::disconnected:
      membership_.lose_coordinator(from, false);
      return error;
    case ErrorCode::not_coordinator:
    case ErrorCode::coordinator_not_available:
    case ErrorCode::request_timed_out:
      membership_.lose_coordinator(from, true);
      return error;
    default:
      return membership_.commit_failed(error, call);
  }
}

void Committer::failed(Purpose purpose, const Items& items, ErrorCode error) {
  const bool again = retriable(error);
  switch (purpose) {
    case Purpose::automatic:
      if (again)
        next_automatic_ = context_.simulation.after(config_.retry_backoff);
      else
        refuse(items, error);
      return;
    case Purpose::asynchronous:
      return refuse(items, error);
    case Purpose::blocking:
      blocking_sent_ = false;
      if (!again) {
        refuse(items, error);
        return finish_blocking(error);
      }
      retry_at_ = context_.simulation.after(
          exponential_backoff(config_.retry_backoff, config_.retry_backoff_max, attempts_++, jitter_));
      return arm(std::min(retry_at_, deadline_));
    case Purpose::nobody:
      return;
  }
}

void Committer::refuse(const Items& items, ErrorCode error) {
  for (const OffsetCommitCall::Item& item : items) {
    const HeldPartition& held = assignment_[item.partition];
    if (assignment_.holds(item.partition) && item.offset <= held.settled) continue;
    context_.emit(Kind::commit_refused, {.code = static_cast<std::uint16_t>(error),
                                         .actor = node_.entity().value,
                                         .place = cluster_.partition(item.partition).entity.value,
                                         .peer = group_.value,
                                         .a = item.offset});
  }
}

}  // namespace models::kafka
