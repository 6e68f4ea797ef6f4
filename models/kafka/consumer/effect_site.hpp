// The outside world that a group's messages act upon ("the charge").
//
// Without an idempotency key every processing of a record is an effect. With one, the other side remembers each message it has
// seen and leaves repetitions out. The key is the message's identity (lane, seq) as its producer's application gave it, carried
// in the record: a record read twice and a record that the producer's retry wrote twice are one message; what an application
// sends anew after a failure is another.
//
// The site is outside of the cluster: nothing that happens to members makes it forget.
#pragma once

#include <cstdint>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/kafka/consumer/offset_counts.hpp"

namespace models::kafka {

/// Successive records of a log that are successive messages of one lane.
struct MessageRun {
  LaneId lane{};
  std::int64_t first_seq = 0;
  std::int64_t count = 0;
};

/// The messages behind the records from `offset` on that leader epoch `epoch` wrote, as far as their batch goes.
MessageRun messages_at(Cluster& cluster, PartitionIndex partition, LeaderEpoch epoch, Offset offset);

class EffectSite {
 public:
  EffectSite(Cluster& cluster, bool idempotency_key) : cluster_(cluster), keyed_(idempotency_key) {}

  /// Records [from, to) of one leader epoch ask for their effects, in order. Calls visit(first, end, applied) for runs of
  /// offsets whose effects were all applied, or all recognised as repetitions and left out.
  template <class Visit>
  void apply(PartitionIndex partition, LeaderEpoch epoch, Offset from, Offset to, Visit&& visit) {
    if (!keyed_) {
      if (from < to) visit(from, to, true);
      return;
    }
    Offset run = from;        // the run that is being gathered …
    bool run_applied = true;  // … and what became of it
    const auto gather = [&](Offset first, bool applied) {
      if (applied == run_applied) return;
      if (run < first) visit(run, first, run_applied);
      run = first;
      run_applied = applied;
    };
    for (Offset at = from; at < to;) {
      const MessageRun messages = messages_at(cluster_, partition, epoch, at);
      const std::int64_t count = std::min<std::int64_t>(messages.count, to - at);
      seen(messages.lane)
          .add(messages.first_seq, messages.first_seq + count,
               [&](std::int64_t first, std::int64_t, std::int64_t before) {
                 gather(at + (first - messages.first_seq), before == 0);
               });
      at += count;
    }
    if (run < to) visit(run, to, run_applied);
  }

 private:
  OffsetCounts& seen(LaneId lane) {
    if (lane.value >= seen_.size()) seen_.resize(lane.value + 1);
    return seen_[lane.value];
  }

  Cluster& cluster_;
  bool keyed_;
  std::vector<OffsetCounts> seen_;  // by lane: how often each seq asked
};

}  // namespace models::kafka
