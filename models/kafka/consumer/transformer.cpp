#include "models/kafka/consumer/transformer.hpp"

#include <algorithm>
#include <utility>

#include "models/kafka/consumer/outlet_producer.hpp"

namespace models::kafka {

Transformer::Transformer(ConsumerGroup& group, Node& node, std::uint32_t index, OutletOwner& owner)
    : group_(group),
      cluster_(group.cluster()),
      owner_(owner),
      options_(outlet_producer(group.options())),
      in_transaction_(group.options().commit == CommitMode::in_transaction),
      outputs_(cluster_.topic(*cluster_.find_topic(options_.to)).partitions),
      producer_(cluster_, node, options_,
                {.application = this,
                 .group = group.entity(),
                 .transactional_id = outlet_transactional_id(group.options(), index)}),
      abort_draws_(cluster_.context().simulation.seed(), "transform/" + node.name() + "/aborts") {}

void Transformer::start() {
  if (std::exchange(started_, true))
    producer_.restarted();
  else
    producer_.start();
}

void Transformer::close() {
  step_ = Step::idle;
  producer_.crashed();
}

void Transformer::crashed() {
  step_ = Step::idle;
  stepping_ = false;
  producer_.crashed();
}

void Transformer::take(const Work& work, const GroupMembership& membership) {
  membership_ = membership;
  make_messages(work);
  failures_before_ = producer_.failures();
  step_ = Step::beginning;
  producer_moved();
}

void Transformer::make_messages(const Work& work) {
  messages_.clear();
  offsets_.clear();
  const sim::StreamKey sizes =
      sim::stream_key(cluster_.context().simulation.seed(), "transform/" + group_.options().name);
  for (const Work::Range& range : work.ranges()) {
    const std::int32_t partition = cluster_.partition(range.partition).number % outputs_;
    for_each_input(cluster_, range, [&](Offset at, LaneId lane, std::int64_t seq) {
      sim::Stream draw = sim::Stream::keyed(sizes, range.partition.value, static_cast<std::uint64_t>(at), 0);
      const auto size = static_cast<std::uint32_t>(options_.size.sample_count(draw));
      messages_.push_back(producer_.made(size, lane, seq, partition));
    });
    note_offset(offsets_, range);
  }
}

/// Called in the middle of what it does itself, too: then the loop that is under way goes on.
void Transformer::producer_moved() {
  if (stepping_) return;
  stepping_ = true;
  while (step()) continue;
  stepping_ = false;
}

bool Transformer::step() {
  if (step_ == Step::idle) return false;
  if (TransactionManager* transactions = producer_.transactions()) return step_in_transaction(*transactions);
  switch (step_) {
    case Step::beginning:
      step_ = Step::flushing;
      producer_.send(messages_);
      producer_.flush();
      return true;
    case Step::flushing: {
      if (!producer_.flushed()) return false;
      const bool all = producer_.failures() == failures_before_;
      finish(all ? TransformOutcome::done : TransformOutcome::failed);
      return false;
    }
    default:
      return false;
  }
}

bool Transformer::step_in_transaction(TransactionManager& transactions) {
  using State = TransactionManager::State;
  if (transactions.is(State::fatal_error)) {
    finish(TransformOutcome::fatal);
    return false;
  }
  if (transactions.is(State::abortable_error) && step_ != Step::beginning) {
    step_ = Step::aborting;
    transactions.end(false);
    producer_.go_on();
    return true;
  }
  switch (step_) {
    case Step::beginning:
      if (!transactions.is(State::ready)) return false;
      transactions.begin();
      step_ = Step::sending;
      producer_.send(messages_);
      return true;
    case Step::sending:
      if (!producer_.accepted()) return false;
      step_ = Step::adding_offsets;
      transactions.add_offsets(membership_, offsets_);
      return true;
    case Step::adding_offsets:
      if (transactions.offsets_pending()) return false;
      step_ = aborts() ? Step::aborting : Step::committing;
      transactions.end(step_ == Step::committing);
      producer_.go_on();
      return true;
    case Step::committing:
      if (!transactions.is(State::ready)) return false;
      finish(TransformOutcome::done);
      return false;
    case Step::aborting:
      if (!transactions.is(State::ready)) return false;
      finish(TransformOutcome::failed);
      return false;
    default:
      return false;
  }
}

bool Transformer::aborts() {
  const double share = group_.options().transform->aborts;
  return share > 0 && abort_draws_.uniform() < share;
}

void Transformer::finish(TransformOutcome outcome) {
  step_ = Step::idle;
  stepping_ = false;
  owner_.transformed(outcome);
}

}  // namespace models::kafka
