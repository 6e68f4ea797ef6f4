#include "models/kafka/consumer/recorder.hpp"

#include <algorithm>
#include <array>

namespace models::kafka {

namespace {

/// Records of one `processed` record of the trace, which hands its payload on in blocks.
constexpr Offset kMostTimes = 4096;

}  // namespace

Recorder::Recorder(ConsumerGroup& group, EntityId member)
    : group_(group),
      context_(group.cluster().context()),
      member_(member),
      has_effects_(group.options().effect.has_value()) {
  if (group.effects().fences()) tokens_.resize(group.cluster().partitions().size());
}

void Recorder::given(PartitionIndex partition, std::int64_t generation) {
  if (!tokens_.empty()) tokens_[partition.value] = generation;
}

sim::TraceRecord Recorder::fields(const Work::Range& range, Offset from, Offset to) const {
  return {.actor = member_.value,
          .place = group_.cluster().partition(range.partition).entity.value,
          .peer = group_.entity().value,
          .a = from,
          .b = to - from,
          .c = range.epoch};
}

void Recorder::delivered(const Work& work) {
  for (const Work::Range& range : work.ranges())
    context_.emit(Kind::delivered, fields(range, range.from, range.to));
}

void Recorder::abandoned(const Work& work) {
  for (const Work::Range& range : work.ranges()) abandoned(range);
}

void Recorder::abandoned(const Work::Range& range) {
  context_.emit(Kind::abandoned, fields(range, range.from, range.to));
}

void Recorder::dead_lettered(const Work::Range& range, std::int64_t attempts) {
  sim::TraceRecord record = fields(range, range.from, range.to);
  record.c = attempts;
  context_.emit(Kind::archived, record);
}

void Recorder::abandoned(const Work& work, std::int64_t i) {
  work.for_each(i, i + 1, [this](const Work::Range& range, Offset from, Offset to, std::int64_t) {
    context_.emit(Kind::abandoned, fields(range, from, to));
  });
}

std::int64_t Recorder::done(const Work& work, std::int64_t begin, std::int64_t end, std::int64_t start) {
  std::int64_t applied = 0;
  work.for_each(begin, end, [&](const Work::Range& range, Offset from, Offset to, std::int64_t first) {
    if (work.constant()) {
      sim::TraceRecord record = fields(range, from, to);
      record.code = kArithmetic;
      const std::array<std::int64_t, 2> times{start + work.finish(first), work.step()};
      context_.emit(Kind::processed, record, times);
      applied += effects(range, from, to);
      return;
    }
    times_.clear();
    for (std::int64_t i = first; i < first + (to - from); ++i) times_.push_back(start + work.finish(i));
    applied += done(range, from, to, times_);
  });
  return applied;
}

std::int64_t Recorder::done(const Work::Range& range, Offset from, Offset to,
                            std::span<const std::int64_t> finish) {
  std::int64_t applied = 0;
  for (Offset at = from; at < to; at += kMostTimes) {
    const Offset stop = std::min(to, at + kMostTimes);
    context_.emit(Kind::processed, fields(range, at, stop),
                  finish.subspan(static_cast<std::size_t>(at - from), static_cast<std::size_t>(stop - at)));
    applied += effects(range, at, stop);
  }
  return applied;
}

std::int64_t Recorder::effects(const Work::Range& range, Offset from, Offset to) {
  if (!has_effects_) return 0;
  if (!tokens_.empty() && !group_.effects().admits(range.partition, tokens_[range.partition.value])) {
    sim::TraceRecord record = fields(range, from, to);
    record.code = kSuppressed;
    context_.emit(Kind::effect, record);
    return 0;
  }
  std::int64_t applied = 0;
  group_.effects().apply(range.partition, range.epoch, from, to,
                         [&](Offset first, Offset end, bool is_applied) {
                           sim::TraceRecord record = fields(range, first, end);
                           record.code = is_applied ? kApplied : kSuppressed;
                           context_.emit(Kind::effect, record);
                           if (is_applied) applied += end - first;
                           if (is_applied && group_.effects().holds_offsets()) committed(range, first, end);
                         });
  return applied;
}

/// The database holds the offset: that is this group's commit.
void Recorder::committed(const Work::Range& range, Offset from, Offset to) {
  const Offset before = group_.effects().offset_of(range.partition).offset;
  sim::TraceRecord record = fields(range, from, to);
  record.a = to;
  record.b = before;
  record.c = 0;
  context_.emit(Kind::committed, record);
}

void Recorder::processed(const Work& work, std::int64_t i, std::int64_t start) {
  work.for_each(i, i + 1, [&](const Work::Range& range, Offset from, Offset to, std::int64_t) {
    const std::array<std::int64_t, 1> time{start + work.finish(i)};
    context_.emit(Kind::processed, fields(range, from, to), time);
  });
}

void Recorder::effect(const Work& work, std::int64_t i, bool applied) {
  work.for_each(i, i + 1, [&](const Work::Range& range, Offset from, Offset to, std::int64_t) {
    sim::TraceRecord record = fields(range, from, to);
    record.code = applied ? kApplied : kSuppressed;
    context_.emit(Kind::effect, record);
  });
}

}  // namespace models::kafka
