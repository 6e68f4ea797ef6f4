#include "models/kafka/consumer/processor.hpp"

#include <algorithm>

#include "models/kafka/broker/replica.hpp"

namespace models::kafka {

void draw_service(ConsumerGroup& group, Work& work) {
  const sim::Distribution& service = group.options().service;
  if (service.is_constant()) {
    sim::Stream unused(sim::StreamKey{});
    return work.take_constant(service.sample_duration(unused));
  }
  for (const Work::Range& range : work.ranges()) {
    const sim::StreamKey key = group.service_key(range.partition);
    const auto number = static_cast<std::uint64_t>(group.cluster().partition(range.partition).number);
    group.attempts(range.partition)
        .add(range.from, range.to, [&](Offset from, Offset to, std::int64_t attempt) {
          for (Offset o = from; o < to; ++o) {
            sim::Stream stream = sim::Stream::keyed(key, number, static_cast<std::uint64_t>(o),
                                                    static_cast<std::uint64_t>(attempt));
            work.take(service.sample_duration(stream));
          }
        });
  }
}

Processor::Processor(ConsumerGroup& group, Node& node, Recorder& recorder, ProcessorOwner& owner)
    : group_(group),
      context_(group.cluster().context()),
      node_(node),
      recorder_(recorder),
      owner_(owner),
      supervisor_(context_, node),
      counts_uncommitted_(group.options().commit != CommitMode::before_processing),
      delivered_step_(context_.steps.cell(node.entity(), Step::delivered)),
      effect_step_(context_.steps.cell(node.entity(), Step::effect_applied)),
      id_step_(context_.steps.cell(node.entity(), Step::id_recorded)),
      uncommitted_step_(context_.steps.cell(node.entity(), Step::processed_not_committed)),
      timer_(context_.simulation, node, [this] { segment_ended(); }) {
  if (GroupSchemas* const schemas = group.schemas())
    schemas_ = std::make_unique<SchemaReader>(*schemas, group.cluster(), node, [this] { schema_answered(); });
  const PoisonOptions& poison = group.poison().options();
  if (poison.then == PoisonOptions::Then::hand_on) {
    writer_ = std::make_unique<RetryWriter>(group.cluster(), node, *group.cluster().find_topic(poison.to),
                                            [this] { handed_on(); });
  }
}

void Processor::started() {
  if (writer_) writer_->start();
}

bool Processor::handed_out() {
  recorder_.delivered(work_);
  const std::uint32_t life = node_.incarnation();
  for (std::int64_t left = work_.size(); left > 0;) {
    const std::int64_t records = std::min(left, delivered_step_.until_next());
    left -= records;
    delivered_step_.advance(records);
    if (node_.incarnation() != life) return false;
  }
  return true;
}

void Processor::begin(bool record_by_record) {
  MQLAB_ASSERT(!busy_ && !work_.empty(), "an application works on one poll at a time");
  draw_service(group_, work_);
  busy_ = true;
  record_by_record_ = record_by_record;
  done_ = 0;
  start_ = sim::nanoseconds(context_.now());
  if (node_.slowness() != 1) work_.stretch(0, node_.slowness());
  plan();
}

void Processor::go_on() {
  // The next record begins now, not when the one before it ended.
  start_ = sim::nanoseconds(context_.now()) - work_.finish(done_ - 1);
  plan();
}

void Processor::plan() {
  MQLAB_ASSERT(!node_.paused(), "nothing begins on a paused node");
  std::int64_t records = work_.size() - done_;
  if (record_by_record_) records = 1;
  if (group_.options().delay > sim::Duration{}) {
    records = 1;
    wait_for_age();
  }
  if (counts_uncommitted_) records = std::min(records, uncommitted_step_.until_next());
  // An effect that turns out to be a repetition is no step: then this stops early, and goes on.
  if (recorder_.has_effects())
    records = std::min({records, effect_step_.until_next(), id_step_.until_next()});
  segment_end_ = done_ + records;
  unreadable_ = false;
  if (schemas_) {
    segment_end_ = next_unread(done_, segment_end_);
    unreadable_ = segment_end_ == done_;
    if (unreadable_ && asks_for_schema()) return;
  }
  if (group_.poison().any()) segment_end_ = next_poison(done_, segment_end_);
  failing_ = segment_end_ == done_;
  const std::int64_t last = failing_ ? done_ : segment_end_ - 1;
  timer_.arm_at(sim::Time(sim::Duration(start_ + work_.finish(last))));
}

void Processor::segment_ended() {
  if (failing_) return failed();
  retries_ = 0;
  if (settle(segment_end_)) move_on();
}

/// What was planned has been done.
void Processor::move_on() {
  const auto then = [this] {
    const bool over = record_by_record_ || all_done();
    if (!over) return plan();
    if (all_done()) busy_ = false;
    owner_.processed();
  };
  if (!node_.paused()) return then();
  // A step's action has paused the node: it goes on from here.
  frozen_ = false;
  node_.run_or_hold([this, then, stopped = context_.now()] {
    start_ += (context_.now() - stopped).count();
    then();
  });
}

/// The first of records [begin, end) that fails, or `end`.
std::int64_t Processor::next_poison(std::int64_t begin, std::int64_t end) const {
  std::int64_t found = end;
  work_.for_each(begin, end, [&](const Work::Range& range, Offset from, Offset to, std::int64_t first) {
    if (found < end) return;
    const Offset at = group_.poison().first(range.partition, range.epoch, from, to);
    if (at < to) found = first + (at - from);
  });
  return found;
}

std::int64_t Processor::next_unread(std::int64_t begin, std::int64_t end) const {
  std::int64_t found = end;
  work_.for_each(begin, end, [&](const Work::Range& range, Offset from, Offset to, std::int64_t first) {
    if (found < end) return;
    const Offset at = schemas_->first_unread(range.partition, range.epoch, from, to);
    if (at < to) found = first + (at - from);
  });
  return found;
}

bool Processor::asks_for_schema() {
  bool asks = false;
  work_.for_each(done_, done_ + 1, [&](const Work::Range& range, Offset at, Offset, std::int64_t) {
    asks = schemas_->must_ask(range.partition, range.epoch, at);
    if (asks) schemas_->look_up(range.partition, range.epoch, at);
  });
  if (asks) asked_at_ = sim::nanoseconds(context_.now());
  return asks;
}

/// The thread has stood still meanwhile.
void Processor::schema_answered() {
  start_ += sim::nanoseconds(context_.now()) - asked_at_;
  plan();
}

void Processor::reconsider() {
  if (!busy_ || frozen_ || (schemas_ && schemas_->waiting()) || (writer_ && writer_->busy())) return;
  paused();
  resumed();
}

/// The application has caught an exception, or nobody has.
void Processor::failed() {
  failing_ = false;
  // While it waited for its next attempt another version may have been deployed.
  if (unreadable_ && next_unread(done_, done_ + 1) > done_) return plan();
  if (unreadable_) {
    work_.for_each(done_, done_ + 1, [this](const Work::Range& range, Offset at, Offset, std::int64_t) {
      schemas_->failed(range.partition, range.epoch, at, retries_ > 0);
    });
  }
  work_.for_each(done_, done_ + 1, [this](const Work::Range& range, Offset at, Offset, std::int64_t) {
    group_.poison().failed(range.partition, range.epoch, at);
  });
  const PoisonOptions& poison = group_.poison().options();
  if (poison.retries < 0 || retries_ < poison.retries) {
    ++retries_;
    start_ = sim::nanoseconds(context_.now() + poison.backoff) - work_.finish(done_ - 1);
    return plan();
  }
  retries_ = 0;
  if (poison.then == PoisonOptions::Then::crash) return supervisor_.crash(poison.restart);
  if (writer_) return hand_on();
  recorder_.abandoned(work_, done_);
  work_.for_each(done_, done_ + 1, [this](const Work::Range& range, Offset at, Offset, std::int64_t) {
    owner_.gave_up(range.partition, at);
  });
  segment_end_ = ++done_;
  move_on();
}

void Processor::hand_on() {
  work_.for_each(done_, done_ + 1, [this](const Work::Range& range, Offset at, Offset, std::int64_t) {
    writer_->put(range.partition, range.epoch, at);
  });
}

/// The copy is there: the record is done with here. What becomes of it is told of the copy, but for the last.
void Processor::handed_on() {
  recorder_.abandoned(work_, done_);
  if (group_.poison().options().dead_letter) {
    work_.for_each(done_, done_ + 1, [this](const Work::Range& range, Offset at, Offset to, std::int64_t) {
      recorder_.dead_lettered({range.partition, at, to, range.epoch, 0}, 1);
    });
  }
  // The thread has stood still meanwhile.
  start_ = sim::nanoseconds(context_.now()) - work_.finish(done_);
  segment_end_ = ++done_;
  move_on();
}

/// The first of what is left is begun with once it is of the group's age (KafkaBackoffAwareMessageListenerAdapter).
/// Model: the thread sleeps until then, where Spring pauses the partition and goes on polling: a rebalance waits for it.
void Processor::wait_for_age() {
  work_.for_each(done_, done_ + 1, [this](const Work::Range& range, Offset at, Offset, std::int64_t) {
    const Branch& branch = group_.cluster().shared(range.partition).store.branch(range.epoch);
    const sim::Time due = branch[branch.find(at)].max_timestamp + group_.options().delay;
    start_ = std::max(start_, sim::nanoseconds(due) - work_.finish(done_ - 1));
  });
}

bool Processor::settle(std::int64_t end) {
  const std::int64_t records = end - done_;
  const std::uint32_t life = node_.incarnation();
  // Model: two transactions follow one another at once; only a fault at the step of the first falls between them, and only
  // the last of these records can have been such a step.
  const bool in_two = group_.effects().two_transactions() != ProcessedIds::none;
  const std::int64_t applied = recorder_.done(work_, done_, in_two ? end - 1 : end, start_);
  done_ = end;
  stepping_ = true;
  if (applied > 0) effect_step_.advance(applied);
  if (in_two && applied > 0) id_step_.advance(applied);
  if (in_two && !settle_in_two(end)) {
    stepping_ = false;
    return false;
  }
  if (node_.incarnation() == life && counts_uncommitted_) uncommitted_step_.advance(records);
  stepping_ = false;
  return node_.incarnation() == life;
}

bool Processor::settle_in_two(std::int64_t end) {
  const std::uint32_t life = node_.incarnation();
  const Work::Range* range = nullptr;
  Offset offset = 0;
  work_.for_each(end - 1, end, [&](const Work::Range& found, Offset from, Offset, std::int64_t) {
    range = &found;
    offset = from;
  });
  // A step's action may crash the node, and the work is gone.
  const Work::Range at = *range;
  EffectSite& site = group_.effects();
  const bool known = site.known(at.partition, at.epoch, offset);
  if (!known && site.two_transactions() == ProcessedIds::before_effect) {
    site.remember(at.partition, at.epoch, offset);
    id_step_.advance(1);
    if (node_.incarnation() != life) return false;
  }
  recorder_.processed(work_, end - 1, start_);
  recorder_.effect(work_, end - 1, !known);
  if (!known) effect_step_.advance(1);
  if (node_.incarnation() != life) return false;
  if (!known && site.two_transactions() == ProcessedIds::after_effect)
    site.remember(at.partition, at.epoch, offset);
  return true;
}

void Processor::settle_until_now() {
  if (stepping_ || frozen_) return;
  // The last record of the segment has an event of its own, which has not come yet; a watched step is never before it.
  const std::int64_t end = work_.finished_within(sim::nanoseconds(context_.now()) - start_);
  if (std::min(end, segment_end_ - 1) > done_) settle(std::min(end, segment_end_ - 1));
}

OffsetCommitCall::Item Processor::last_done() const {
  OffsetCommitCall::Item last;
  work_.for_each(done_ - 1, done_, [&](const Work::Range& range, Offset, Offset to, std::int64_t) {
    last = {.partition = range.partition, .offset = to, .epoch = range.epoch};
  });
  return last;
}

void Processor::paused() {
  if (!busy_ || frozen_ || between_records()) return;
  settle_until_now();
  frozen_ = true;
  frozen_at_ = sim::nanoseconds(context_.now());
  timer_.disarm();
}

void Processor::resumed() {
  if (!frozen_) return;
  frozen_ = false;
  if (stepping_) return;
  start_ += sim::nanoseconds(context_.now()) - frozen_at_;
  plan();
}

void Processor::slowed() {
  if (!busy_) return;
  const bool planned = !frozen_ && !stepping_ && !between_records() && !(schemas_ && schemas_->waiting());
  if (planned) paused();
  const std::int64_t now = frozen_ ? frozen_at_ : sim::nanoseconds(context_.now());
  // What the thread waits for before it begins with a record is no work.
  work_.stretch(std::max(now - start_, work_.finish(done_ - 1)), node_.slowness());
  if (planned) resumed();
}

void Processor::crashed() {
  if (busy_) settle_until_now();
  if (schemas_) schemas_->crashed();
  if (writer_) writer_->crashed();
  busy_ = false;
  frozen_ = false;
  failing_ = false;
  retries_ = 0;
  timer_.disarm();
  work_.clear();
}

}  // namespace models::kafka
