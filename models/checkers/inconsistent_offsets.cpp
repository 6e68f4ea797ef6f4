#include "models/checkers/inconsistent_offsets.hpp"

#include <algorithm>
#include <vector>

namespace models {

bool InconsistentOffsets::seen(LaneId lane, std::uint64_t seq) const {
  const Ledger::Lane& l = ledger_.lanes()[lane.value];
  return l.acknowledged.at(seq) > 0 || l.polled.at(seq) > 0;
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
    if (same || !seen(before.lane, old_seq) || !seen(after.lane, new_seq)) continue;
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
    for (std::size_t i = 0; i < buried.size(); ++i) {
      const LogPiece& before = buried[i].piece;
      LogIndex::Cursor cursor = 0;
      p.log.walk(before.offset, static_cast<std::int64_t>(before.count), cursor,
                 [&](const LogPiece& after) { compare(p, before, after, found, end); });
      for (std::size_t j = i + 1; j < buried.size(); ++j) compare(p, before, buried[j].piece, found, end);
    }
  }
}

}  // namespace models
