// Copies of records in another cluster: the same messages, found at other offsets of another partition.
//
// A lane belongs to the partition that its producer sent it to, and so does what groups have done with it. A group that reads
// the copy has a subscription to both, and of the copy's log knows which is which by the lane.
#include "models/checkers/ledger.hpp"
#include "models/trace_kinds.hpp"
#include "sim/assert.hpp"

namespace models {

void Ledger::mirrors(const sim::TraceRecord& r) {
  const std::uint32_t source = number_of(partition_at(r.peer));
  if (r.a == 0) partitions_[source - 1].copied = true;
  Partition& p = partition_at(r.place);
  MQLAB_ASSERT(p.subscriptions.empty() && p.lanes.empty(), "a partition is a copy from the beginning");
  p.copy_of = source;
  p.mirror = EntityId{r.actor};
  p.handed_on = r.a != 0;
}

void Ledger::failed_over(const sim::TraceRecord& r) {
  Partition& p = partition_at(r.place);
  Subscription& s = p.subscriptions[subscription(p, r.peer)];
  s.failed_over = true;
  s.failover = {0, 0, r.time, number_};
}

void Ledger::copied(const sim::TraceRecord& r, Partition& p, std::int64_t epoch) {
  const auto seq = static_cast<std::uint64_t>(r.a);
  const auto n = static_cast<std::uint64_t>(r.b);
  MQLAB_ASSERT(p.copy_of == lanes_[r.peer].partition, "a copy is stored where the world says");
  lanes_[r.peer].mirrored.add(seq, n, [&](std::uint64_t first, std::uint64_t count, std::uint32_t before) {
    if (before == 0) totals_.mirrored += count;
    lanes_[r.peer].mirror_truncated.visit(first, count,
                                          [&](std::uint64_t, std::uint64_t part, std::uint32_t gone) {
                                            if (before > gone) totals_.mirror_duplicates += part;
                                          });
  });
  if ((r.code & kOffLine) == 0) {
    p.log.append(LaneId{r.peer}, seq, n, r.c, epoch);
    return;
  }
  const LogPiece piece{LaneId{r.peer}, seq, n, r.c, false};
  p.log.bury(piece.lane, piece.seq, piece.count, piece.offset, epoch);
  bury(p, piece, r.time);
}

void Ledger::count_missing_copies() {
  for (const Lane& l : lanes_) {
    if (l.partition == 0 || !partitions_[l.partition - 1].copied) continue;
    visit_jointly<3>({&l.acknowledged, &l.mirrored, &l.mirror_truncated}, l.offered(),
                     [&](std::uint64_t, std::uint64_t n, const std::array<std::uint32_t, 3>& counts) {
                       const auto [acknowledged, stored, truncated] = counts;
                       if (acknowledged > 0 && stored <= truncated) totals_.mirror_missing += n;
                     });
  }
}

}  // namespace models
