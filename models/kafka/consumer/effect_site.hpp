// The outside world that a group's messages act upon ("the charge"), and the database beside it.
//
// Without an idempotency key every processing of a record is an effect. With one, the other side remembers each message it has
// seen and leaves repetitions out. The key is the message's identity (lane, seq) as its producer's application gave it, carried
// in the record: a record read twice and a record that the producer's retry wrote twice are one message; what an application
// sends anew after a failure is another.
//
// A table of processed messages (ProcessedIds) is the same thing in the application's own hands. In the transaction of the
// effect it is as good; in a transaction of its own there is a moment between the two, in which a crash leaves one without the
// other.
//
// With CommitMode::with_effect the database holds each partition's offset, written in the transaction of the effect. The update
// names the offset that it expects: a member that has been succeeded finds another, and its transaction is rolled back.
//
// With a fencing token the other side has seen of each partition who its last holder was (the generation in which that was given
// it), and refuses one that comes later with an older one.
//
// The site is outside of the cluster: nothing that happens to members makes it forget.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "models/clients/offset_counts.hpp"
#include "models/clients/workload.hpp"
#include "models/kafka/cluster.hpp"

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
  /// Where a group goes on in a partition, as its database has it.
  struct Stored {
    Offset offset = kNoOffset;
    LeaderEpoch epoch = kNoEpoch;
  };

  EffectSite(Cluster& cluster, const GroupOptions& group);

  /// Records [from, to) of one leader epoch ask for their effects, in order. Calls visit(first, end, applied) for runs of
  /// offsets whose effects were all applied, or all recognised as repetitions and left out.
  template <class Visit>
  void apply(PartitionIndex partition, LeaderEpoch epoch, Offset from, Offset to, Visit&& visit) {
    if (holds_offsets()) return apply_at_offset(partition, epoch, from, to, visit);
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

  // ---- fencing tokens ----
  bool fences() const { return !tokens_.empty(); }
  /// Whether a holder with that token may act on `partition`. Requires fences().
  bool admits(PartitionIndex partition, std::int64_t token) {
    std::int64_t& highest = tokens_[partition.value];
    if (token < highest) return false;
    highest = token;
    return true;
  }

  // ---- a table of processed messages with transactions of its own ----
  /// ProcessedIds::none where effect and table are written at once, or there is no table.
  ProcessedIds two_transactions() const { return two_; }
  bool known(PartitionIndex partition, LeaderEpoch epoch, Offset offset);
  void remember(PartitionIndex partition, LeaderEpoch epoch, Offset offset);

  // ---- offsets in the database ----
  bool holds_offsets() const { return !offsets_.empty(); }
  /// Requires holds_offsets().
  const Stored& offset_of(PartitionIndex partition) const { return offsets_[partition.value]; }

 private:
  template <class Visit>
  void apply_at_offset(PartitionIndex partition, LeaderEpoch epoch, Offset from, Offset to, Visit&& visit) {
    Stored& row = offsets_[partition.value];
    const Offset first = std::clamp(row.offset, from, to);
    if (from < first) visit(from, first, false);
    if (first == to) return;
    visit(first, to, true);
    row = {to, epoch};
  }

  OffsetCounts& seen(LaneId lane) {
    if (lane.value >= seen_.size()) seen_.resize(lane.value + 1);
    return seen_[lane.value];
  }

  Cluster& cluster_;
  bool keyed_ = false;
  ProcessedIds two_ = ProcessedIds::none;
  std::vector<OffsetCounts> seen_;    // by lane: how often each seq asked
  std::vector<Stored> offsets_;       // by partition
  std::vector<std::int64_t> tokens_;  // by partition: the highest seen
};

}  // namespace models::kafka
