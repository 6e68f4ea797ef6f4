#include "models/kafka/consumer/transformer.hpp"

#include <algorithm>
#include <utility>

namespace models::kafka {
namespace {

ProducerOptions producer_options(const GroupOptions& group) {
  ProducerOptions options;
  options.name = group.name;
  options.to = group.transform->to;
  options.size = group.transform->size;
  options.config = group.transform->config;
  return options;
}

std::string transactional_id(const GroupOptions& group, std::uint32_t index) {
  if (group.commit != CommitMode::in_transaction) return {};
  const std::string& given = group.transform->config.transactional_id;
  return numbered(given.empty() ? group.name + "-{index}" : given, index);
}

}  // namespace

Transformer::Transformer(ConsumerGroup& group, Node& node, std::uint32_t index, OutletOwner& owner)
    : group_(group),
      cluster_(group.cluster()),
      owner_(owner),
      options_(producer_options(group.options())),
      in_transaction_(group.options().commit == CommitMode::in_transaction),
      outputs_(cluster_.topic(*cluster_.find_topic(options_.to)).partitions),
      producer_(cluster_, node, options_,
                {.application = this,
                 .group = group.entity(),
                 .transactional_id = transactional_id(group.options(), index)}),
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
    const PartitionInfo& info = cluster_.partition(range.partition);
    for (Offset at = range.from; at < range.to;) {
      const MessageRun run = messages_at(cluster_, range.partition, range.epoch, at);
      const std::int64_t count = std::min<std::int64_t>(run.count, range.to - at);
      for (std::int64_t i = 0; i < count; ++i) {
        sim::Stream draw =
            sim::Stream::keyed(sizes, range.partition.value, static_cast<std::uint64_t>(at + i), 0);
        const auto size = static_cast<std::uint32_t>(options_.size.sample_count(draw));
        messages_.push_back(producer_.made(size, run.lane, run.first_seq + i, info.number % outputs_));
      }
      at += count;
    }
    // What was processed is what is committed (ConsumerRecords.nextOffsets).
    std::erase_if(offsets_, [&range](const auto& item) { return item.partition == range.partition; });
    offsets_.push_back({.partition = range.partition, .offset = range.to, .epoch = range.epoch});
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
