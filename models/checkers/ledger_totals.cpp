// The end of a run: one state for every message and group, and sums that must add up.

#include <algorithm>

#include "models/checkers/ledger.hpp"
#include "models/checkers/signs.hpp"
#include "sim/assert.hpp"

namespace models {

namespace {

/// Adds what is not in it yet and returns how many those were.
std::uint64_t add_new(RunCounts& set, std::uint64_t first, std::uint64_t n) {
  std::uint64_t fresh = 0;
  set.add(first, n, [&](std::uint64_t, std::uint64_t count, std::uint32_t before) {
    if (before == 0) fresh += count;
  });
  return fresh;
}

/// What the records say of a run of messages that a group has not processed.
enum class Fate {
  lost,
  lost_unacknowledged,
  failed,
  aborted,
  skipped,
  expired,
  dead_lettered,
  discarded,
  compacted,
  in_flight
};

struct Facts {
  bool acknowledged, failed, stored;
  bool live;     ///< in the log that counts for the group
  bool at_home;  ///< in the log that it was sent to
  bool aborted, passed, skipped, expired, archived, discarded, compacted, in_hand;
};

Fate fate_of(const Facts& m) {
  if (m.in_hand) return Fate::in_flight;
  if (m.aborted) return Fate::aborted;
  if ((m.live || !m.stored) && m.archived) return Fate::dead_lettered;
  if (m.live && m.discarded) return Fate::discarded;
  if (m.at_home && m.compacted) return Fate::compacted;
  if (m.live && m.expired) return Fate::expired;
  if (m.live && !m.passed) return m.skipped ? Fate::skipped : Fate::in_flight;
  if (m.acknowledged) return Fate::lost;
  if (!m.live && m.failed) return Fate::failed;
  return m.stored ? Fate::lost_unacknowledged : Fate::in_flight;
}

}  // namespace

void Ledger::finish(sim::Time end) {
  if (has_transactions_) collect_transactions();
  collect_polled();
  for (Partition& p : partitions_) {
    for (std::size_t sub = 0; p.handed_on && sub < p.subscriptions.size(); ++sub) collect_waiting(p, sub);
  }
  for (Partition& p : partitions_) {
    for (std::size_t sub = 0; sub < p.subscriptions.size(); ++sub) {
      collect_in_hand(p, sub);
      collect_archived(p, sub);
      collect_compacted(p, sub);
      collect_passed(p, sub);
      if (p.departures) collect_departed(p, sub);
    }
    check_queue(p);
  }
  for (const Partition& copy : partitions_) {
    if (copy.copy_of != 0) take_over_compacted(copy);
  }
  for (std::uint32_t id = 1; id < lanes_.size(); ++id) {
    if (lanes_[id].partition != 0) judge_lane(LaneId{id}, end);
  }
  for (std::size_t g = 0; g < totals_.groups.size(); ++g)
    totals_.groups[g].stale_keys = key_order_[g].stale_keys();
  count_missing_copies();
  count_resends();
  check_sums();
}

/// Who reads a copy never sees what compaction removed before the mirror read it: it is superseded for them, too. What others
/// found removed does not count: the mirror may have read it before, and lost it.
void Ledger::take_over_compacted(const Partition& copy) {
  const Partition& source = partitions_[copy.copy_of - 1];
  const auto by = std::find_if(source.subscriptions.begin(), source.subscriptions.end(),
                               [&](const auto& s) { return totals_.groups[s.group].group == copy.mirror; });
  if (by == source.subscriptions.end()) return;
  const auto mirror = static_cast<std::size_t>(by - source.subscriptions.begin());
  for (const Subscription& reader : copy.subscriptions) {
    for (const LaneId id : source.lanes) {
      Lane& l = lanes_[id.value];
      visit_jointly<2>({&l.groups[mirror].compacted, &l.mirrored}, l.groups[mirror].compacted.end(),
                       [&](std::uint64_t seq, std::uint64_t n, const std::array<std::uint32_t, 2>& counts) {
                         if (counts[0] > 0 && counts[1] == 0)
                           add_new(l.groups[reader.home].compacted, seq, n);
                       });
    }
  }
}

void Ledger::collect_transactions() {
  for (Partition& p : partitions_) {
    LogIndex::Cursor cursor = 0;
    for (const Ended& ended : p.transactions) {
      if (!ended.aborted) continue;
      p.log.walk(ended.first, ended.marker - ended.first, cursor, [&](const LogPiece& piece) {
        if (piece.lane != ended.lane) return;
        add_new(lanes_[piece.lane.value].aborted, piece.seq, piece.count);
      });
    }
    for (const LaneId id : p.lanes) {
      Lane& l = lanes_[id.value];
      if (l.open_since < 0) continue;
      p.log.walk(l.open_since, p.log.end() - l.open_since, cursor, [&](const LogPiece& piece) {
        if (piece.lane == id) l.undecided.add(piece.seq, piece.count);
      });
    }
  }
  for (Lane& l : lanes_) {
    visit_jointly<3>({&l.stored, &l.truncated, &l.aborted}, l.aborted.end(),
                     [&](std::uint64_t, std::uint64_t n, const std::array<std::uint32_t, 3>& counts) {
                       const auto [stored, truncated, aborted] = counts;
                       if (aborted > 0 && stored > truncated && stored - truncated <= aborted)
                         totals_.aborted += n;
                     });
  }
}

void Ledger::collect_polled() {
  for (Partition& p : partitions_) {
    for (const Subscription& s : p.subscriptions) {
      LogIndex::Cursor cursor = 0;
      s.delivered.visit(0, unsigned_of(p.log.end()),
                        [&](std::uint64_t first, std::uint64_t n, std::uint32_t count) {
                          if (count == 0) return;
                          p.log.walk(signed_of(first), signed_of(n), cursor, [&](const LogPiece& piece) {
                            lanes_[piece.lane.value].polled.add(piece.seq, piece.count);
                          });
                        });
    }
  }
}

/// What the group has not come to of what it has handed on to itself is its own still.
void Ledger::collect_waiting(Partition& p, std::size_t sub) {
  const std::int64_t from = p.subscriptions[sub].passed_end;
  LogIndex::Cursor cursor = 0;
  p.log.walk(from, p.log.end() - from, cursor, [&](const LogPiece& piece) {
    add_new(of_group(p, sub, lanes_[piece.lane.value]).in_hand, piece.seq, piece.count);
  });
}

void Ledger::collect_in_hand(Partition& p, std::size_t sub) {
  for (const InHand& held : p.subscriptions[sub].in_hand) {
    for (const LogPiece& piece : p.log.walk_as_of(held.first, held.end - held.first, held.epoch)) {
      add_new(of_group(p, sub, lanes_[piece.lane.value]).in_hand, piece.seq, piece.count);
    }
  }
}

void Ledger::collect_archived(Partition& p, std::size_t sub) {
  LogIndex::Cursor cursor = 0;
  p.subscriptions[sub].archived.visit(
      0, unsigned_of(p.log.end()), [&](std::uint64_t first, std::uint64_t n, std::uint32_t count) {
        if (count == 0) return;
        p.log.walk(signed_of(first), signed_of(n), cursor, [&](const LogPiece& piece) {
          add_new(of_group(p, sub, lanes_[piece.lane.value]).archived, piece.seq, piece.count);
        });
      });
}

void Ledger::collect_compacted(Partition& p, std::size_t sub) {
  const Subscription& s = p.subscriptions[sub];
  if (s.compacted.empty()) return;
  LogIndex::Cursor cursor = 0;
  s.compacted.visit(0, unsigned_of(p.log.end()),
                    [&](std::uint64_t first, std::uint64_t n, std::uint32_t count) {
                      if (count == 0) return;
                      p.log.walk(signed_of(first), signed_of(n), cursor, [&](const LogPiece& piece) {
                        Lane& l = lanes_[piece.lane.value];
                        l.polled.add(piece.seq, piece.count);
                        add_new(l.groups[sub].compacted, piece.seq, piece.count);
                      });
                    });
}

void Ledger::collect_passed(Partition& p, std::size_t sub) {
  const Subscription& s = p.subscriptions[sub];
  LogIndex::Cursor cursor = 0;
  for (const Passed& passed : s.passed) {
    p.log.walk(passed.first, passed.end - passed.first, cursor, [&](const LogPiece& piece) {
      Lane& l = lanes_[piece.lane.value];
      LaneGroup& group = of_group(p, sub, l);
      group.processed.visit(
          piece.seq, piece.count, [&](std::uint64_t seq, std::uint64_t n, std::uint32_t done) {
            if (done > 0) return;
            RunCounts& set = passed.why == Why::skipped   ? group.skipped
                             : passed.why == Why::expired ? group.expired
                                                          : group.passed;
            l.aborted.visit(seq, n, [&](std::uint64_t from, std::uint64_t some, std::uint32_t aborted) {
              if (aborted > 0 || add_new(set, from, some) == 0) return;
              group.in_hand.visit(from, some, [&](std::uint64_t at, std::uint64_t part, std::uint32_t held) {
                if (held > 0) return;
                group.compacted.visit(at, part, [&](std::uint64_t a, std::uint64_t few, std::uint32_t gone) {
                  if (gone == 0)
                    note_passed(p, sub, passed,
                                {piece.lane, a, few, piece.offset + signed_of(a - piece.seq)});
                });
              });
            });
          });
    });
  }
}

void Ledger::note_passed(const Partition& p, std::size_t sub, const Passed& passed, const LogPiece& piece) {
  lanes_[piece.lane.value].acknowledged.visit(
      piece.seq, piece.count, [&](std::uint64_t seq, std::uint64_t n, std::uint32_t acknowledged) {
        const Verdict verdict = passed.why == Why::skipped   ? Verdict::skipped
                                : passed.why == Why::expired ? Verdict::expired
                                : acknowledged > 0           ? Verdict::lost
                                                             : Verdict::lost_unacknowledged;
        anomalies_.add({passed.time, verdict, p.id, totals_.groups[p.subscriptions[sub].group].group,
                        piece.lane, signed_of(seq), piece.offset + signed_of(seq - piece.seq), signed_of(n),
                        passed.record});
      });
}

void Ledger::judge_lane(LaneId id, sim::Time end) {
  Lane& l = lanes_[id.value];
  RunCounts lost;
  RunCounts lost_unacknowledged;
  RunCounts skipped;
  RunCounts expired;
  RunCounts dead_lettered;
  RunCounts discarded;
  RunCounts compacted;
  RunCounts in_flight;
  if (l.failed.end() > 0) count_failed_stored(l);
  const std::size_t groups = partitions_[l.partition - 1].subscriptions.size();
  for (std::size_t sub = 0; sub < std::max<std::size_t>(groups, 1); ++sub) {
    judge_lane_of_group(id, sub, end, lost, lost_unacknowledged, skipped, expired, dead_lettered, discarded,
                        compacted, in_flight);
  }
}

void Ledger::count_failed_stored(const Lane& l) {
  visit_jointly<3>({&l.failed, &l.stored, &l.truncated}, l.failed.end(),
                   [&](std::uint64_t, std::uint64_t n, const std::array<std::uint32_t, 3>& counts) {
                     const auto [failed, stored, truncated] = counts;
                     if (failed > 0 && stored > truncated) totals_.failed_stored += n;
                   });
}

void Ledger::judge_lane_of_group(LaneId id, std::size_t sub, sim::Time end, RunCounts& lost,
                                 RunCounts& lost_unacknowledged, RunCounts& skipped, RunCounts& expired,
                                 RunCounts& dead_lettered, RunCounts& discarded, RunCounts& compacted,
                                 RunCounts& in_flight) {
  Lane& l = lanes_[id.value];
  const Partition& p = partitions_[l.partition - 1];
  // A partition that nobody reads is judged as by a group that has processed whatever is in the log.
  GroupTotals nobody;
  const LaneGroup nothing;
  const bool read = sub < p.subscriptions.size();
  GroupTotals& totals = read ? totals_.groups[p.subscriptions[sub].group] : nobody;
  const LaneGroup& group = read ? l.groups[sub] : nothing;
  // For a group that has failed over the log that counts is the copy.
  const Subscription* const left = read && p.subscriptions[sub].failed_over ? &p.subscriptions[sub] : nullptr;

  const auto judge = [&](std::uint64_t seq, std::uint64_t n, const std::array<std::uint32_t, 13>& counts,
                         bool copied) {
    const auto [acknowledged, failed, stored, truncated, aborted, done, passed, before, gone, archived,
                superseded, thrown_away, in_hand] = counts;
    MQLAB_ASSERT(acknowledged == 0 || failed == 0, "a message has one outcome at its producer");
    MQLAB_ASSERT(stored >= truncated, "what leaves a log was stored");
    const bool live = left != nullptr ? copied : stored > truncated;
    if (done > 0 || (!read && live)) return;
    const auto note = [&](Verdict verdict, sim::Time time, sim::RecordNumber record) {
      anomalies_.add({time, verdict, p.id, totals.group, id, signed_of(seq), -1, signed_of(n), record});
    };
    const auto note_loss = [&](Verdict verdict) {
      if (live) return;  // noted where it was passed
      for (auto loss = l.truncations.rbegin(); loss != l.truncations.rend(); ++loss) {
        if (seq >= loss->seq && seq < loss->seq + loss->count) return note(verdict, loss->time, loss->record);
      }
      if (left != nullptr) return note(verdict, left->failover.time, left->failover.record);
      note(verdict, end, 0);
    };
    switch (fate_of({acknowledged > 0, failed > 0, stored > 0, live, stored > truncated,
                     live && aborted > 0 && stored - truncated <= aborted, passed > 0, before > 0, gone > 0,
                     archived > 0, thrown_away > 0, superseded > 0, in_hand > 0})) {
      case Fate::lost:
        totals.lost += n;
        totals_.lost += add_new(lost, seq, n);
        return note_loss(Verdict::lost);
      case Fate::lost_unacknowledged:
        totals.lost_unacknowledged += n;
        totals_.lost_unacknowledged += add_new(lost_unacknowledged, seq, n);
        return note_loss(Verdict::lost_unacknowledged);
      case Fate::failed:
        totals.failed += n;
        return;
      case Fate::aborted:
        totals.aborted += n;
        return;
      case Fate::skipped:
        totals.skipped += n;
        totals_.skipped += add_new(skipped, seq, n);
        return;  // noted where it was skipped
      case Fate::expired:
        totals.expired += n;
        totals_.expired += add_new(expired, seq, n);
        return;  // noted where it expired
      case Fate::dead_lettered:
        totals.dead_lettered += n;
        totals_.dead_lettered += add_new(dead_lettered, seq, n);
        return;  // noted where it was archived
      case Fate::discarded:
        totals.discarded += n;
        totals_.discarded += add_new(discarded, seq, n);
        return;  // noted where it was thrown away
      case Fate::compacted:
        totals.compacted += n;
        totals_.compacted += add_new(compacted, seq, n);
        return;
      case Fate::in_flight:
        totals.in_flight += n;
        totals_.in_flight += add_new(in_flight, seq, n);
        return note(Verdict::in_flight, end, 0);
    }
  };
  if (left == nullptr) {
    visit_jointly<13>(
        {&l.acknowledged, &l.failed, &l.stored, &l.truncated, &l.aborted, &group.processed, &group.passed,
         &group.skipped, &group.expired, &group.archived, &group.compacted, &group.discarded, &group.in_hand},
        l.offered(), [&](std::uint64_t seq, std::uint64_t n, const std::array<std::uint32_t, 13>& counts) {
          judge(seq, n, counts, false);
        });
  } else {
    visit_jointly<15>({&l.acknowledged, &l.failed, &l.stored, &l.truncated, &l.aborted, &group.processed,
                       &group.passed, &group.skipped, &group.expired, &group.archived, &group.compacted,
                       &group.discarded, &group.in_hand, &l.mirrored, &l.mirror_truncated},
                      l.offered(),
                      [&](std::uint64_t seq, std::uint64_t n, const std::array<std::uint32_t, 15>& counts) {
                        std::array<std::uint32_t, 13> first;
                        std::copy_n(counts.begin(), first.size(), first.begin());
                        judge(seq, n, first, counts[13] > counts[14]);
                      });
  }
  totals.offered += l.offered();
}

void Ledger::count_resends() {
  const auto live = [this](LaneId id, std::uint64_t seq) {
    const Lane& l = lanes_[id.value];
    return l.stored.at(seq) > l.truncated.at(seq);
  };
  for (const Resend& resend : resends_) {
    MQLAB_ASSERT(resend.lane.value < lanes_.size() && resend.old_lane.value < lanes_.size(),
                 "a resend names known lanes");
    std::uint64_t both = 0;
    for (std::uint64_t i = 0; i < resend.count; ++i) {
      if (live(resend.lane, resend.seq + i) && live(resend.old_lane, resend.old_seq + i)) ++both;
    }
    if (both == 0) continue;
    totals_.resend_duplicates += both;
    const Lane& l = lanes_[resend.lane.value];
    anomalies_.add({resend.time, Verdict::resend_duplicate, partitions_[l.partition - 1].id, l.producer,
                    resend.lane, signed_of(resend.seq), -1, signed_of(both), resend.record});
  }
}

void Ledger::check_sums() const {
  for (const GroupTotals& g : totals_.groups) {
    const std::uint64_t judged = g.processed + g.lost + g.lost_unacknowledged + g.failed + g.aborted +
                                 g.skipped + g.expired + g.dead_lettered + g.discarded + g.compacted +
                                 g.in_flight;
    MQLAB_ASSERT(judged == g.offered,
                 "processed + lost + failed + aborted + skipped + expired + dead-lettered + discarded + "
                 "compacted + in flight = "
                 "offered, for every "
                 "group");
  }
  std::uint64_t in_logs = 0;
  for (const Partition& p : partitions_) {
    LogIndex::Cursor cursor = 0;
    p.log.walk(0, p.log.end(), cursor, [&](const LogPiece& piece) { in_logs += piece.count; });
  }
  MQLAB_ASSERT(in_logs + totals_.truncated - forgotten_copies_ == stored_copies_,
               "what was stored is in the log or was truncated");
  MQLAB_ASSERT(totals_.acknowledged + totals_.failed <= totals_.offered, "no outcome without a message");
}

}  // namespace models
