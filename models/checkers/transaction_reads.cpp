#include "models/checkers/transaction_reads.hpp"

#include <algorithm>

#include "models/transaction_codes.hpp"

namespace models {

void TransactionReads::record(const sim::TraceRecord& r, std::span<const std::int64_t>,
                              sim::RecordNumber number) {
  if (static_cast<Kind>(r.kind) == Kind::delivered) return delivered(r, number);
  if (r.code == kBegun) return begun(r.actor);
  if (r.code == kAbortReturned) return abort_returned(r.actor);
}

void TransactionReads::delivered(const sim::TraceRecord& r, sim::RecordNumber number) {
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

// ---- what producers say -------------------------------------------------------------------------------------------

void TransactionReads::learn_lanes() {
  const std::vector<Ledger::Lane>& lanes = ledger_.lanes();
  for (std::size_t i = own_.size(); i < lanes.size(); ++i) {
    const std::uint32_t producer = lanes[i].producer.value;
    if (producer >= lanes_of_.size()) lanes_of_.resize(producer + 1);
    lanes_of_[producer].push_back(static_cast<std::uint32_t>(i));
    own_.emplace_back();
  }
}

/// What was offered before belongs to a transaction that has ended, or whose end nobody was told.
void TransactionReads::begun(std::uint32_t producer) {
  learn_lanes();
  if (producer >= lanes_of_.size()) return;
  for (const std::uint32_t lane : lanes_of_[producer]) own_[lane].begun = ledger_.lanes()[lane].offered();
}

void TransactionReads::abort_returned(std::uint32_t producer) {
  learn_lanes();
  if (producer >= lanes_of_.size()) return;
  for (const std::uint32_t lane : lanes_of_[producer]) {
    const Range range{own_[lane].begun, ledger_.lanes()[lane].offered()};
    if (range.first < range.end) own_[lane].aborted.push_back(range);
  }
}

// ---- the end ------------------------------------------------------------------------------------------------------

void TransactionReads::finish(sim::Time end) {
  learn_lanes();
  for (const Ledger::Partition& p : ledger_.partitions()) {
    LogIndex::Cursor cursor = 0;
    for (const Ledger::Ended& ended : p.transactions) {
      const std::vector<Range>& taken_back = own_[ended.lane.value].aborted;
      if (!ended.aborted && taken_back.empty()) continue;
      p.log.walk(ended.first, ended.marker - ended.first, cursor, [&](const LogPiece& piece) {
        if (piece.lane != ended.lane) return;
        const std::uint64_t piece_end = piece.seq + piece.count;
        if (ended.aborted)
          return read_of(p, ended, piece.offset, static_cast<std::int64_t>(piece.count), piece.seq, end);
        auto range = std::partition_point(taken_back.begin(), taken_back.end(),
                                          [&](const Range& x) { return x.end <= piece.seq; });
        for (; range != taken_back.end() && range->first < piece_end; ++range) {
          const std::uint64_t first = std::max(range->first, piece.seq);
          read_of(p, ended, piece.offset + static_cast<std::int64_t>(first - piece.seq),
                  static_cast<std::int64_t>(std::min(range->end, piece_end) - first), first, end);
        }
      });
    }
  }
}

/// Offsets [first, first + n) hold aborted messages of the lane from `seq` on: who was handed them?
void TransactionReads::read_of(const Ledger::Partition& p, const Ledger::Ended& ended, std::int64_t first,
                               std::int64_t n, std::uint64_t seq, sim::Time end) {
  for (const Ledger::Subscription& s : p.subscriptions) {
    s.delivered.visit(
        static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(n),
        [&](std::uint64_t offset, std::uint64_t count, std::uint32_t times) {
          if (times == 0) return;
          const auto at = static_cast<std::int64_t>(offset);
          anomalies_.add({end, Verdict::aborted_read, p.id, ledger_.totals().groups[s.group].group,
                          ended.lane, static_cast<std::int64_t>(seq) + (at - first), at,
                          static_cast<std::int64_t>(count), 0});
        });
  }
}

}  // namespace models
