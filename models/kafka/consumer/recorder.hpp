// Says in the trace what a member's application did with the records it was handed.
#pragma once

#include <cstdint>
#include <vector>

#include "models/kafka/consumer/group.hpp"
#include "models/kafka/consumer/work.hpp"

namespace models::kafka {

class Recorder {
 public:
  Recorder(ConsumerGroup& group, EntityId member);

  /// The member was given `partition` in that generation: its fencing token there.
  void given(PartitionIndex partition, std::int64_t generation);

  /// All of `work` was returned by poll().
  void delivered(const Work& work);

  /// None of `work` will be processed.
  void abandoned(const Work& work);
  /// Record `i` of `work` will not be processed.
  void abandoned(const Work& work, std::int64_t i);

  /// Records of `range` will not be processed.
  void abandoned(const Work::Range& range);
  /// They have been written to a dead letter topic, after so many attempts.
  void dead_lettered(const Work::Range& range, std::int64_t attempts);

  /// Records [begin, end) of `work`, whose beginning was at `start` ns, are done and have had their effects. Returns how
  /// many effects were applied (0 without effects).
  std::int64_t done(const Work& work, std::int64_t begin, std::int64_t end, std::int64_t start);

  /// Records [from, to) of `range` are done, each at its time in `finish` (ns). Returns how many effects were applied.
  std::int64_t done(const Work::Range& range, Offset from, Offset to, std::span<const std::int64_t> finish);

  /// Record `i` of `work`, whose beginning was at `start` ns, is done.
  void processed(const Work& work, std::int64_t i, std::int64_t start);
  /// Its effect was applied, or was left out.
  void effect(const Work& work, std::int64_t i, bool applied);

  bool has_effects() const { return has_effects_; }

 private:
  sim::TraceRecord fields(const Work::Range& range, Offset from, Offset to) const;
  std::int64_t effects(const Work::Range& range, Offset from, Offset to);
  void committed(const Work::Range& range, Offset from, Offset to);

  ConsumerGroup& group_;
  Context& context_;
  EntityId member_;
  bool has_effects_;
  std::vector<std::int64_t> times_;
  std::vector<std::int64_t> tokens_;  // by partition; empty without fencing tokens
};

}  // namespace models::kafka
