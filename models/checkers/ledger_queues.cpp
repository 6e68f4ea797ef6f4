// Queues: messages that leave one by one. Each leaves once, by a named record, or is there when the run ends.

#include <algorithm>

#include "models/checkers/ledger.hpp"
#include "models/checkers/signs.hpp"
#include "models/trace_kinds.hpp"
#include "sim/assert.hpp"

namespace models {

Ledger::Departures& Ledger::depart(Partition& p, const sim::TraceRecord& r) {
  if (!p.departures) p.departures = std::make_unique<Departures>();
  MQLAB_ASSERT(r.a >= 0 && r.b > 0 && r.a + r.b <= p.log.end(), "what leaves a queue was stored there");
  p.departures->left.add(unsigned_of(r.a), unsigned_of(r.b),
                         [](std::uint64_t, std::uint64_t, std::uint32_t before) {
                           MQLAB_ASSERT(before == 0, "a message leaves its queue once");
                         });
  return *p.departures;
}

void Ledger::settled(const sim::TraceRecord& r) {
  Partition& p = partition_at(r.place);
  const std::size_t sub = subscription(p, r.peer);
  depart(p, r).settled.add(unsigned_of(r.a), unsigned_of(r.b));
  p.subscriptions[sub].processed.visit(unsigned_of(r.a), unsigned_of(r.b),
                                       [&](std::uint64_t first, std::uint64_t n, std::uint32_t done) {
                                         if (done > 0) settle(p, sub, signed_of(first), signed_of(first + n));
                                       });
}

void Ledger::settle_departed(Partition& p, std::size_t sub, std::int64_t first, std::int64_t end) {
  p.departures->left.visit(unsigned_of(first), unsigned_of(end - first),
                           [&](std::uint64_t from, std::uint64_t n, std::uint32_t left) {
                             if (left > 0) settle(p, sub, signed_of(from), signed_of(from + n));
                           });
}

void Ledger::removed(const sim::TraceRecord& r) {
  Partition& p = partition_at(r.place);
  Departures& departures = depart(p, r);
  const auto why = static_cast<RemovedCode>(r.code);
  const bool dead_lettered = r.c != 0;
  const bool lost = why == RemovedCode::restart || why == RemovedCode::left_behind;
  if (!lost) {
    RunCounts& set = dead_lettered                 ? departures.dead_lettered
                     : why == RemovedCode::expired ? departures.expired
                                                   : departures.discarded;
    set.add(unsigned_of(r.a), unsigned_of(r.b));
  }
  LogIndex::Cursor cursor = p.log.extents();
  p.log.walk(r.a, r.b, cursor, [&](const LogPiece& piece) {
    if (lost) {
      departures.forgotten += piece.count;
      forgotten_copies_ += piece.count;
      bury(p, piece, r.time);
      return;
    }
    if (p.subscriptions.empty()) return;
    Lane& l = lanes_[piece.lane.value];
    l.groups.front().processed.visit(
        piece.seq, piece.count, [&](std::uint64_t seq, std::uint64_t n, std::uint32_t done) {
          if (done > 0) return;
          const Verdict verdict = dead_lettered                 ? Verdict::dead_lettered
                                  : why == RemovedCode::expired ? Verdict::expired
                                                                : Verdict::discarded;
          anomalies_.add({r.time, verdict, p.id, totals_.groups[p.subscriptions.front().group].group,
                          piece.lane, signed_of(seq), piece.offset + signed_of(seq - piece.seq), signed_of(n),
                          number_});
        });
  });
  // Nobody will be handed it again.
  for (std::size_t sub = 0; sub < p.subscriptions.size(); ++sub) settle(p, sub, r.a, r.a + r.b);
}

/// Nobody reports success of a dead letter to anybody: what a producer's report would let go, goes now.
void Ledger::republished(const sim::TraceRecord& r) {
  lane(r).columns.release(pool_, unsigned_of(r.a), unsigned_of(r.b));
}

void Ledger::queue_depth(const sim::TraceRecord& r) {
  Partition& p = partition_at(r.place);
  if (!p.departures) p.departures = std::make_unique<Departures>();
  p.departures->remaining = unsigned_of(r.a + r.b);
}

/// What a subscription has given up never comes to its queue: for whoever reads that it is a dead letter.
void Ledger::notification(const sim::TraceRecord& r) {
  if (static_cast<NotificationCode>(r.code) != NotificationCode::redriven) return;
  Lane& l = lane(r);
  const Partition& p = partitions_[l.partition - 1];
  for (std::size_t sub = 0; sub < l.groups.size(); ++sub) {
    l.stored.visit(unsigned_of(r.a), unsigned_of(r.b),
                   [&](std::uint64_t seq, std::uint64_t n, std::uint32_t stored) {
                     if (stored > 0) return;  // it is there all the same, or its queue says what became of it
                     l.groups[sub].archived.add(seq, n);
                     anomalies_.add({r.time, Verdict::dead_lettered, p.id,
                                     totals_.groups[p.subscriptions[sub].group].group, LaneId{r.peer},
                                     signed_of(seq), -1, signed_of(n), number_});
                   });
  }
}

void Ledger::lose_settled(const Partition& p, Subscription& s, const InHand& held, sim::Time time) {
  p.departures->settled.visit(
      unsigned_of(held.first), unsigned_of(held.end - held.first),
      [&](std::uint64_t first, std::uint64_t n, std::uint32_t settled) {
        if (settled == 0) return;
        s.processed.visit(first, n, [&](std::uint64_t at, std::uint64_t some, std::uint32_t done) {
          if (done > 0) return;
          const Passed lost{signed_of(at), signed_of(at + some), time, number_, Why::passed};
          const auto place = std::partition_point(s.passed.begin(), s.passed.end(),
                                                  [&](const Passed& one) { return one.end <= lost.first; });
          s.passed.insert(place, lost);
        });
      });
}

void Ledger::collect_departed(Partition& p, std::size_t sub) {
  const Departures& departures = *p.departures;
  LogIndex::Cursor cursor = 0;
  std::vector<LogPiece> fresh;
  const auto collect = [&](const RunCounts& from, RunCounts LaneGroup::*into, bool lost) {
    fresh.clear();
    from.visit(0, from.end(), [&](std::uint64_t first, std::uint64_t n, std::uint32_t count) {
      if (count == 0) return;
      p.log.walk(signed_of(first), signed_of(n), cursor, [&](const LogPiece& piece) {
        LaneGroup& group = lanes_[piece.lane.value].groups[sub];
        group.processed.visit(
            piece.seq, piece.count, [&](std::uint64_t seq, std::uint64_t some, std::uint32_t done) {
              if (done > 0) return;
              (group.*into).visit(seq, some, [&](std::uint64_t at, std::uint64_t part, std::uint32_t known) {
                if (known > 0) return;  // by the record that lost it
                fresh.push_back({piece.lane, at, part, piece.offset + signed_of(at - piece.seq), true});
              });
            });
      });
    });
    for (const LogPiece& piece : fresh) {
      LaneGroup& group = lanes_[piece.lane.value].groups[sub];
      (group.*into).add(piece.seq, piece.count);
      if (!lost) continue;
      group.in_hand.visit(piece.seq, piece.count, [&](std::uint64_t at, std::uint64_t n, std::uint32_t held) {
        // It was sent, settled by that, and has never arrived.
        if (held == 0)
          note_passed(p, sub, {}, {piece.lane, at, n, piece.offset + signed_of(at - piece.seq), true});
      });
    }
  };
  collect(departures.dead_lettered, &LaneGroup::archived, false);
  collect(departures.expired, &LaneGroup::expired, false);
  collect(departures.discarded, &LaneGroup::discarded, false);
  collect(departures.settled, &LaneGroup::passed, true);
}

void Ledger::check_queue(const Partition& p) const {
  if (!p.departures || !p.departures->remaining) return;
  std::uint64_t left = 0;
  p.departures->left.visit(0, p.departures->left.end(),
                           [&](std::uint64_t, std::uint64_t n, std::uint32_t count) { left += count * n; });
  MQLAB_ASSERT(left + *p.departures->remaining == unsigned_of(p.log.end()),
               "every message of a queue is in it, or has left it: none in two places, none in none");
}

}  // namespace models
