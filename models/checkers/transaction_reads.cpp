#include "models/checkers/transaction_reads.hpp"

#include <algorithm>

namespace models {

void TransactionReads::record(const sim::TraceRecord& r, std::span<const std::int64_t>,
                              sim::RecordNumber number) {
  if (!ledger_.has_transactions()) return;
  const Ledger::Partition* p = ledger_.partition(EntityId{r.place});
  if (p == nullptr) return;
  LogIndex::Cursor cursor = p->log.extents();
  p->log.walk(r.a, r.b, cursor, [&](const LogPiece& piece) {
    const Ledger::Lane& lane = ledger_.lanes()[piece.lane.value];
    if (lane.open_since < 0 || lane.producer.value != r.actor) return;
    const std::int64_t end = piece.offset + static_cast<std::int64_t>(piece.count);
    const std::int64_t first = std::max(piece.offset, lane.open_since);
    if (first >= end) return;
    anomalies_.add({r.time, Verdict::precommitted_read, p->id, EntityId{r.actor}, piece.lane,
                    static_cast<std::int64_t>(piece.seq) + (first - piece.offset), first, end - first,
                    number});
  });
}

void TransactionReads::finish(sim::Time end) {
  for (const Ledger::Partition& p : ledger_.partitions()) {
    LogIndex::Cursor cursor = 0;
    for (const Ledger::Ended& ended : p.transactions) {
      if (!ended.aborted) continue;
      p.log.walk(ended.first, ended.marker - ended.first, cursor, [&](const LogPiece& piece) {
        if (piece.lane != ended.lane) return;
        for (const Ledger::Subscription& s : p.subscriptions) {
          s.delivered.visit(
              static_cast<std::uint64_t>(piece.offset), piece.count,
              [&](std::uint64_t offset, std::uint64_t n, std::uint32_t count) {
                if (count == 0) return;
                const auto at = static_cast<std::int64_t>(offset);
                anomalies_.add({end, Verdict::aborted_read, p.id, ledger_.totals().groups[s.group].group,
                                piece.lane, static_cast<std::int64_t>(piece.seq) + (at - piece.offset), at,
                                static_cast<std::int64_t>(n), 0});
              });
        }
      });
    }
  }
}

}  // namespace models
