#include "models/checkers/lost_write.hpp"

#include <algorithm>
#include <vector>

namespace models {

void LostWrite::note(const Ledger::Partition& p, const LogPiece& piece, std::uint64_t seq, std::uint64_t n,
                     sim::Time end, std::vector<RunCounts>& found) {
  // A record that lay at two offsets is lost once.
  found[piece.lane.value].add(seq, n, [&](std::uint64_t first, std::uint64_t count, std::uint32_t before) {
    if (before > 0) return;
    anomalies_.add({end, Verdict::lost_write, p.id, ledger_.lanes()[piece.lane.value].producer, piece.lane,
                    static_cast<std::int64_t>(first),
                    piece.offset + static_cast<std::int64_t>(first - piece.seq),
                    static_cast<std::int64_t>(count), 0});
  });
}

void LostWrite::finish(sim::Time end) {
  std::vector<RunCounts> found(ledger_.lanes().size());
  for (const Ledger::Partition& p : ledger_.partitions()) {
    if (p.queue)
      continue;  // what a queue has not handed out it may have dropped by its own rules: the ledger knows
    std::int64_t read_end = 0;
    for (const Ledger::Subscription& s : p.subscriptions) read_end = std::max(read_end, s.delivered_end);

    const auto look = [&](const LogPiece& piece) {
      if (piece.offset >= read_end) return;
      if (piece.live && piece.offset < p.expired_end) return;  // expired: removed as retention says
      LogPiece read = piece;
      read.count = std::min(piece.count, static_cast<std::uint64_t>(read_end - piece.offset));
      if (!piece.live) return look_at(p, read, end, found);
      // A newer record of the key has taken the place of what compaction removed.
      p.emptied.visit(
          static_cast<std::uint64_t>(read.offset), read.count,
          [&](std::uint64_t offset, std::uint64_t n, std::uint32_t emptied) {
            if (emptied > 0) return;
            const auto first = static_cast<std::int64_t>(offset);
            look_at(p,
                    {read.lane, read.seq + static_cast<std::uint64_t>(first - read.offset), n, first, true},
                    end, found);
          });
    };
    LogIndex::Cursor cursor = 0;
    p.log.walk(0, p.log.end(), cursor, look);
    for (const LogIndex::Buried& grave : p.log.buried()) look(grave.piece);
  }
}

void LostWrite::look_at(const Ledger::Partition& p, const LogPiece& piece, sim::Time end,
                        std::vector<RunCounts>& found) {
  const Ledger::Lane& lane = ledger_.lanes()[piece.lane.value];
  lane.acknowledged.visit(
      piece.seq, piece.count, [&](std::uint64_t seq, std::uint64_t n, std::uint32_t acknowledged) {
        if (acknowledged == 0) return;
        lane.polled.visit(seq, n, [&](std::uint64_t at, std::uint64_t part, std::uint32_t polled) {
          if (polled > 0) return;
          lane.aborted.visit(at, part, [&](std::uint64_t from, std::uint64_t some, std::uint32_t aborted) {
            if (aborted == 0) note(p, piece, from, some, end, found);
          });
        });
      });
}

}  // namespace models
