#include "models/checkers/inconsistent_offsets.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace models {

namespace {

std::int64_t end_of(const LogPiece& piece) {
  return piece.offset + static_cast<std::int64_t>(piece.count);
}

/// Calls each(earlier, later) for the pairs of buried pieces that share an offset. Along the offsets, with
/// those that reach the present one at hand: a pair that shares none is never looked at, however many
/// truncations there were.
template <class Each>
void for_each_overlap(const std::vector<LogIndex::Buried>& buried, Each&& each) {
  std::vector<std::size_t> by_offset(buried.size());
  std::iota(by_offset.begin(), by_offset.end(), std::size_t{0});
  std::stable_sort(by_offset.begin(), by_offset.end(), [&](std::size_t a, std::size_t b) {
    return buried[a].piece.offset < buried[b].piece.offset;
  });
  std::vector<std::size_t> reaching;
  for (const std::size_t i : by_offset) {
    const LogPiece& piece = buried[i].piece;
    std::erase_if(reaching, [&](std::size_t other) { return end_of(buried[other].piece) <= piece.offset; });
    for (const std::size_t other : reaching) {
      each(buried[std::min(i, other)].piece, buried[std::max(i, other)].piece);
    }
    reaching.push_back(i);
  }
}

}  // namespace

void InconsistentOffsets::record(const sim::TraceRecord& r, std::span<const std::int64_t>,
                                 sim::RecordNumber) {
  const auto seq = static_cast<std::uint64_t>(r.a);
  const auto count = static_cast<std::uint64_t>(r.b);
  if (r.c < 0 || ledger_.lanes()[r.peer].stored.most(seq, count) < 2) return;
  acknowledged_[{r.peer, r.c - r.a}].add(seq, count);
}

bool InconsistentOffsets::seen(LaneId lane, std::uint64_t seq, std::int64_t offset) const {
  const Ledger::Lane& l = ledger_.lanes()[lane.value];
  if (l.stored.at(seq) < 2) return l.acknowledged.at(seq) > 0 || l.polled.at(seq) > 0;
  const auto copy = acknowledged_.find({lane.value, offset - static_cast<std::int64_t>(seq)});
  return copy != acknowledged_.end() && copy->second.at(seq) > 0;
}

void InconsistentOffsets::compare(const Ledger::Partition& p, const LogPiece& before, const LogPiece& after,
                                  RunCounts& found, sim::Time end) {
  const std::int64_t first = std::max(before.offset, after.offset);
  const std::int64_t last = std::min(before.offset + static_cast<std::int64_t>(before.count),
                                     after.offset + static_cast<std::int64_t>(after.count));
  for (std::int64_t offset = first; offset < last; ++offset) {
    const std::uint64_t old_seq = before.seq + static_cast<std::uint64_t>(offset - before.offset);
    const std::uint64_t new_seq = after.seq + static_cast<std::uint64_t>(offset - after.offset);
    const bool same = before.lane == after.lane && old_seq == new_seq;
    if (same || !seen(before.lane, old_seq, offset) || !seen(after.lane, new_seq, offset)) continue;
    found.add(static_cast<std::uint64_t>(offset), 1, [&](std::uint64_t, std::uint64_t, std::uint32_t times) {
      if (times > 0) return;
      anomalies_.add({end,
                      Verdict::inconsistent_offsets,
                      p.id,
                      {},
                      after.lane,
                      static_cast<std::int64_t>(new_seq),
                      offset,
                      1,
                      0});
    });
  }
}

void InconsistentOffsets::finish(sim::Time end) {
  for (const Ledger::Partition& p : ledger_.partitions()) {
    RunCounts found;
    const std::vector<LogIndex::Buried>& buried = p.log.buried();
    LogIndex::Cursor cursor = 0;
    for (const LogIndex::Buried& grave : buried) {
      p.log.walk(grave.piece.offset, static_cast<std::int64_t>(grave.piece.count), cursor,
                 [&](const LogPiece& after) { compare(p, grave.piece, after, found, end); });
    }
    for_each_overlap(buried, [&](const LogPiece& before, const LogPiece& after) {
      compare(p, before, after, found, end);
    });
  }
}

}  // namespace models
