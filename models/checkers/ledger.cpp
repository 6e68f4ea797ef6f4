#include "models/checkers/ledger.hpp"

#include <algorithm>

#include "models/checkers/signs.hpp"
#include "models/trace_kinds.hpp"
#include "sim/assert.hpp"

namespace models {

namespace {

FinishTimes finish_times(const sim::TraceRecord& r, std::span<const std::int64_t> payload) {
  if ((r.code & kArithmetic) != 0) {
    MQLAB_ASSERT(payload.size() == 2, "arithmetic finish times are a first and a step");
    return {true, payload[0], payload[1], nullptr};
  }
  MQLAB_ASSERT(payload.size() == unsigned_of(r.b), "there is one finish time for each message processed");
  return {false, 0, 0, payload.data()};
}

}  // namespace

void Ledger::consume(const sim::TraceBlock& block) {
  sim::RecordNumber number = block.first;
  for (const sim::TraceRecord& r : block.records) apply(r, block.payload(r), number++);
}

void Ledger::apply(const sim::TraceRecord& r, std::span<const std::int64_t> payload,
                   sim::RecordNumber number) {
  number_ = number;
  switch (static_cast<Kind>(r.kind)) {
    case Kind::offered:
      return offered(r, payload);
    case Kind::refused:
      totals_.refused += unsigned_of(r.b);
      return;
    case Kind::acknowledged:
      return acknowledged(r);
    case Kind::failed:
      return failed(r);
    case Kind::resent:
      return resent(r, payload);
    case Kind::stored:
      return stored(r, payload);
    case Kind::truncated:
      return truncated(r);
    case Kind::transaction_marker:
      return transaction_marker(r);
    case Kind::expired:
      return expired(r);
    case Kind::left_out:
      return left_out(r);
    case Kind::emptied:
      return emptied(r);
    case Kind::subscribed:
      return subscribed(r);
    case Kind::mirrors:
      return mirrors(r);
    case Kind::failed_over:
      return failed_over(r);
    case Kind::position:
      return position(r);
    case Kind::delivered:
      return delivered(r);
    case Kind::processed:
      return processed(r, payload);
    case Kind::effect:
      return effect(r);
    case Kind::committed:
      return committed(r);
    case Kind::abandoned:
      return abandoned(r);
    case Kind::archived:
      return archived(r);
    case Kind::settled:
      return settled(r);
    case Kind::removed:
      return removed(r);
    case Kind::republished:
      return republished(r);
    case Kind::queue_depth:
      return queue_depth(r);
    case Kind::notification:
      return notification(r);
    case Kind::member_state:
      return member_state(r);
    case Kind::same_keys:
      same_keys_.emplace_back(r.actor, r.peer);
      return;
    default:
      return;
  }
}

// ---- looking up -------------------------------------------------------------------------------------------

Ledger::Lane& Ledger::lane(const sim::TraceRecord& r) {
  MQLAB_ASSERT(r.peer < lanes_.size() && lanes_[r.peer].partition != 0,
               "a lane is offered to before anything else");
  Lane& lane = lanes_[r.peer];
  MQLAB_ASSERT(r.a >= 0 && r.b > 0 && unsigned_of(r.a + r.b) <= lane.offered(), "a message is offered first");
  return lane;
}

Ledger::Partition& Ledger::partition_at(std::uint32_t place) {
  if (place >= partition_of_.size()) partition_of_.resize(place + 1);
  std::uint32_t& index = partition_of_[place];
  if (index == 0) {
    partitions_.emplace_back().id = EntityId{place};
    index = static_cast<std::uint32_t>(partitions_.size());
  }
  return partitions_[index - 1];
}

const Ledger::Partition* Ledger::partition(EntityId id) const {
  if (id.value >= partition_of_.size() || partition_of_[id.value] == 0) return nullptr;
  return &partitions_[partition_of_[id.value] - 1];
}

std::size_t Ledger::subscription(const Partition& p, std::uint32_t group) const {
  const std::uint32_t wanted = group < group_of_.size() ? group_of_[group] : 0;
  MQLAB_ASSERT(wanted != 0, "a group subscribes before it reads");
  for (std::size_t i = 0; i < p.subscriptions.size(); ++i) {
    if (p.subscriptions[i].group == wanted - 1) return i;
  }
  MQLAB_ASSERT(false, "a group reads only partitions to which it has subscribed");
  return 0;
}

std::optional<sim::Time> Ledger::created_at(const Partition& partition, std::int64_t offset,
                                            LogIndex::Cursor& cursor) const {
  std::optional<sim::Time> found;
  partition.log.walk(offset, 1, cursor, [&](const LogPiece& piece) {
    const MessageColumns::Span span = lanes_[piece.lane.value].columns.span(piece.seq, 1);
    if (span.created != nullptr) found = sim::Time{sim::Duration{span.created[0]}};
  });
  return found;
}

void Ledger::note(Verdict verdict, const sim::TraceRecord& r, LaneId lane, std::uint64_t seq,
                  std::int64_t offset, std::uint64_t count) {
  const bool of_producer = static_cast<Kind>(r.kind) == Kind::stored;
  anomalies_.add({r.time, verdict, EntityId{r.place},
                  of_producer ? lanes_[lane.value].producer : EntityId{r.peer}, lane, signed_of(seq), offset,
                  signed_of(count), number_});
}

// ---- on their way in --------------------------------------------------------------------------------------

EntityId Ledger::keys_of(std::uint32_t producer) const {
  for (const auto& [one, other] : same_keys_) {
    if (one == producer) return EntityId{other};
  }
  return EntityId{producer};
}

void Ledger::offered(const sim::TraceRecord& r, std::span<const std::int64_t> payload) {
  if (r.peer >= lanes_.size()) lanes_.resize(r.peer + 1);
  Lane& lane = lanes_[r.peer];
  Partition& p = partition_at(r.place);
  if (lane.partition == 0) {
    lane.partition = partition_of_[r.place];
    lane.producer = EntityId{r.actor};
    lane.keys_of = keys_of(r.actor);
    lane.groups.resize(p.subscriptions.size());
    p.lanes.push_back(LaneId{r.peer});
  }
  const std::size_t n = unsigned_of(r.b);
  const bool keyed = (r.code & kHasKeys) != 0;
  MQLAB_ASSERT(unsigned_of(r.a) == lane.offered(), "the seqs of a lane are dense");
  MQLAB_ASSERT(payload.size() == (keyed ? 2 * n : n),
               "each offered message has its creation time, and its key if keyed");
  const auto shares = static_cast<std::uint32_t>(1 + p.subscriptions.size());
  lane.columns.append(pool_, payload.first(n), keyed ? payload.subspan(n) : std::span<const std::int64_t>{},
                      shares);
  totals_.offered += n;
}

void Ledger::acknowledged(const sim::TraceRecord& r) {
  Lane& l = lane(r);
  std::uint64_t seq = unsigned_of(r.a);
  std::uint64_t n = unsigned_of(r.b);
  l.acknowledged.add(seq, n, [](std::uint64_t, std::uint64_t, std::uint32_t before) {
    MQLAB_ASSERT(before == 0, "success is reported once for a message");
  });
  totals_.acknowledged += n;
  std::size_t index = 0;
  while (n > 0) {
    const MessageColumns::Span span = l.columns.span(seq, n);
    if (observer_ != nullptr && span.created != nullptr) observer_->acknowledged({r, span, index});
    l.columns.release(pool_, seq, span.count);
    seq += span.count;
    n -= span.count;
    index += span.count;
  }
}

void Ledger::failed(const sim::TraceRecord& r) {
  Lane& l = lane(r);
  const std::uint64_t seq = unsigned_of(r.a);
  const std::uint64_t n = unsigned_of(r.b);
  l.failed.add(seq, n, [](std::uint64_t, std::uint64_t, std::uint32_t before) {
    MQLAB_ASSERT(before == 0, "failure is reported once for a message");
  });
  totals_.failed += n;
  l.columns.release(pool_, seq, n);
  if (r.c != 0) {
    totals_.failed_in_doubt += n;
    return;
  }
  // Surely never written: no group will ever settle it.
  for (LaneGroup& group : l.groups) {
    group.settled.add(seq, n, [&](std::uint64_t first, std::uint64_t count, std::uint32_t before) {
      if (before == 0) l.columns.release(pool_, first, count);
    });
  }
}

void Ledger::resent(const sim::TraceRecord& r, std::span<const std::int64_t> payload) {
  MQLAB_ASSERT(payload.size() == 1, "a resend names the lane of the old messages");
  resends_.push_back({LaneId{r.peer}, unsigned_of(r.a), unsigned_of(r.b),
                      LaneId{static_cast<std::uint32_t>(payload[0])}, unsigned_of(r.c), r.time, number_});
}

void Ledger::stored(const sim::TraceRecord& r, std::span<const std::int64_t> payload) {
  Lane& l = lane(r);
  const LaneId id{r.peer};
  const std::uint64_t seq = unsigned_of(r.a);
  const std::uint64_t n = unsigned_of(r.b);
  const std::int64_t epoch = payload.empty() ? 0 : payload[0];
  stored_copies_ += n;
  Partition& at = partition_at(r.place);
  at.queue = (r.code & kInQueue) != 0;
  if (is_copy(at, l)) return copied(r, at, epoch);
  if ((r.code & kOffLine) != 0) return stored_off_line(r, epoch);
  if ((r.code & kTransactional) != 0 && l.open_since < 0) {
    has_transactions_ = true;
    l.open_since = r.c;
  }
  at.log.append(id, seq, n, r.c, epoch);
  l.stored.add(seq, n, [&](std::uint64_t first, std::uint64_t count, std::uint32_t before) {
    const std::int64_t offset = r.c + signed_of(first - seq);
    if (before == 0) {
      totals_.stored += count;
      if (first >= l.stored_end) return;
      totals_.reordered_in_log += count;
      note(Verdict::reordered_in_log, r, id, first, offset, count);
      return;
    }
    l.truncated.visit(first, count, [&](std::uint64_t from, std::uint64_t part, std::uint32_t gone) {
      if (before <= gone) return;
      totals_.log_duplicates += part;
      note(Verdict::log_duplicate, r, id, from, offset + signed_of(from - first), part);
    });
  });
  l.stored_end = std::max(l.stored_end, seq + n);
}

void Ledger::stored_off_line(const sim::TraceRecord& r, std::int64_t epoch) {
  const LogPiece piece{LaneId{r.peer}, unsigned_of(r.a), unsigned_of(r.b), r.c, false};
  Lane& l = lanes_[r.peer];
  l.stored.add(piece.seq, piece.count, [this](std::uint64_t, std::uint64_t count, std::uint32_t before) {
    if (before == 0) totals_.stored += count;
  });
  Partition& p = partition_at(r.place);
  p.log.bury(piece.lane, piece.seq, piece.count, piece.offset, epoch);
  bury(p, piece, r.time);
}

void Ledger::bury(const Partition& p, const LogPiece& piece, sim::Time time) {
  Lane& l = lanes_[piece.lane.value];
  totals_.truncated += piece.count;
  if (is_copy(p, l)) {
    l.mirror_truncated.add(piece.seq, piece.count);
    return;
  }
  l.truncated.add(piece.seq, piece.count);
  l.truncations.push_back({piece.seq, piece.count, time, number_});
}

void Ledger::truncated(const sim::TraceRecord& r) {
  Partition& p = partition_at(r.place);
  MQLAB_ASSERT(r.a + r.b >= p.log.end(), "what is truncated is the end of a log");
  for (Subscription& s : p.subscriptions) {
    s.delivered.visit(unsigned_of(r.a), unsigned_of(r.b),
                      [&](std::uint64_t first, std::uint64_t n, std::uint32_t count) {
                        if (count == 0) return;
                        LogIndex::Cursor cursor = p.log.extents();
                        p.log.walk(signed_of(first), signed_of(n), cursor, [&](const LogPiece& piece) {
                          lanes_[piece.lane.value].polled.add(piece.seq, piece.count);
                        });
                      });
    s.delivered.erase_from(unsigned_of(r.a));
    s.processed.erase_from(unsigned_of(r.a));
    s.archived.erase_from(unsigned_of(r.a));
    s.compacted.erase_from(unsigned_of(r.a));
    unpass(s, r.a, r.a + r.b);
    s.settled_end = std::min(s.settled_end, r.a);
    s.passed_end = std::min(s.passed_end, r.a);
  }
  if (has_transactions_) truncate_transactions(p, r.a);
  p.expired_end = std::min(p.expired_end, r.a);
  for (const LogIndex::Buried& grave : p.log.truncate(r.a)) {
    Lane& l = lanes_[grave.piece.lane.value];
    if (!is_copy(p, l)) l.stored_end = std::min(l.stored_end, grave.piece.seq);
    bury(p, grave.piece, r.time);
  }
}

void Ledger::transaction_marker(const sim::TraceRecord& r) {
  if (r.b == 0) return;  // it ends nothing
  partition_at(r.place).transactions.push_back({LaneId{r.peer}, r.code == kAborted, r.a, r.c});
  lanes_[r.peer].open_since = -1;
}

/// A marker that is cut off leaves its transaction open again.
void Ledger::truncate_transactions(Partition& p, std::int64_t end) {
  for (const LaneId id : p.lanes) {
    std::int64_t& since = lanes_[id.value].open_since;
    if (since >= end) since = -1;
  }
  while (!p.transactions.empty() && p.transactions.back().marker >= end) {
    const Ended& ended = p.transactions.back();
    if (ended.first < end) lanes_[ended.lane.value].open_since = ended.first;
    p.transactions.pop_back();
  }
}

void Ledger::expired(const sim::TraceRecord& r) {
  Partition& p = partition_at(r.place);
  const std::int64_t end = r.a + r.b;
  p.expired_end = std::max(p.expired_end, end);
  for (std::size_t sub = 0; sub < p.subscriptions.size(); ++sub) {
    Subscription& s = p.subscriptions[sub];
    if (s.passed_end >= end) continue;
    const std::int64_t first = s.passed_end;
    pass(s, end, {0, 0, r.time, number_, Why::expired});
    settle(p, sub, first, end);
  }
}

// ---- on their way out -------------------------------------------------------------------------------------

void Ledger::subscribed(const sim::TraceRecord& r) {
  if (r.peer >= group_of_.size()) group_of_.resize(r.peer + 1);
  std::uint32_t& group = group_of_[r.peer];
  if (group == 0) {
    totals_.groups.emplace_back().group = EntityId{r.peer};
    key_order_.emplace_back();
    group = static_cast<std::uint32_t>(totals_.groups.size());
  }
  subscribe(number_of(partition_at(r.place)) - 1, group - 1, (r.code & kShared) != 0);
}

std::size_t Ledger::subscribe(std::uint32_t partition, std::uint32_t group, bool shared) {
  Partition& p = partitions_[partition];
  for (std::size_t i = 0; i < p.subscriptions.size(); ++i) {
    if (p.subscriptions[i].group == group) return i;
  }
  p.subscriptions.emplace_back().group = group;
  p.subscriptions.back().shared = shared;
  for (const LaneId id : p.lanes) {
    lanes_[id.value].groups.emplace_back();
    lanes_[id.value].columns.add_share();
  }
  if (p.copy_of != 0) p.subscriptions.back().home = subscribe(p.copy_of - 1, group, shared);
  return p.subscriptions.size() - 1;
}

void Ledger::position(const sim::TraceRecord& r) {
  Partition& p = partition_at(r.place);
  Subscription& s = p.subscriptions[subscription(p, r.peer)];
  // A group that comes for the first time and wants the latest, or what is recent, leaves out what was there before it. One that
  // had a position, or a commit that was forgotten, loses what it jumps over.
  const bool known =
      s.positioned || (p.copy_of != 0 && partitions_[p.copy_of - 1].subscriptions[s.home].positioned);
  const auto how = static_cast<ResetCode>(r.code);
  const bool skips = !known && (how == ResetCode::latest || how == ResetCode::by_duration);
  s.positioned = true;
  const std::int64_t to = std::max(r.a, p.expired_end);
  if (to < s.passed_end) {
    // It goes back: what was passed will be read after all, but for what is there no more.
    unpass(s, to, s.passed_end);
    s.passed_end = to;
  } else {
    pass(s, to, {0, 0, r.time, number_, skips ? Why::skipped : Why::passed});
  }
}

void Ledger::delivered(const sim::TraceRecord& r) {
  Partition& p = partition_at(r.place);
  Subscription& s = p.subscriptions[subscription(p, r.peer)];
  const std::int64_t end = r.a + r.b;
  // What lies behind everything that was delivered nobody can hold.
  if (s.shared && r.a < s.delivered_end) count_two_holders(s, r);
  s.delivered_end = std::max(s.delivered_end, end);
  s.in_hand.push_back({r.actor, r.a, end, r.c});
  const auto count = [&](std::int64_t offset, std::uint64_t n) {
    s.delivered.add(unsigned_of(offset), n,
                    [&](std::uint64_t first, std::uint64_t part, std::uint32_t before) {
                      if (before == 0) return;
                      totals_.groups[s.group].redelivered += part;
                      note(Verdict::redelivered, r, {}, 0, signed_of(first), part);
                    });
  };
  if (p.log.all_live(end, r.c)) {
    if (end > p.log.end()) totals_.unmapped += unsigned_of(end - std::max(p.log.end(), r.a));
    count(r.a, unsigned_of(r.b));
    return;
  }
  for (const LogPiece& piece : p.log.walk_as_of(r.a, r.b, r.c)) {
    if (piece.live) {
      count(piece.offset, piece.count);
    } else {
      lanes_[piece.lane.value].polled.add(piece.seq, piece.count);
    }
  }
}

void Ledger::left_out(const sim::TraceRecord& r) {
  if (r.code != kCompactedAway) return;
  Partition& p = partition_at(r.place);
  p.subscriptions[subscription(p, r.peer)].compacted.add(unsigned_of(r.a), unsigned_of(r.b));
}

void Ledger::emptied(const sim::TraceRecord& r) {
  partition_at(r.place).emptied.add(unsigned_of(r.a), unsigned_of(r.b));
}

void Ledger::processed(const sim::TraceRecord& r, std::span<const std::int64_t> payload) {
  Partition& p = partition_at(r.place);
  const std::size_t sub = subscription(p, r.peer);
  const FinishTimes finish = finish_times(r, payload);
  put_down(p.subscriptions[sub], r);
  const auto count = [&](std::int64_t first, std::int64_t end) {
    Subscription& s = p.subscriptions[sub];
    s.processed.add(unsigned_of(first), unsigned_of(end - first));
    if (!s.passed.empty()) unpass(s, first, end);
    if (first < s.settled_end) settle(p, sub, first, std::min(end, s.settled_end));
    if (p.departures) settle_departed(p, sub, first, end);
  };
  const std::int64_t end = r.a + r.b;
  if (p.log.all_live(end, r.c)) {
    p.log.walk(r.a, r.b, p.subscriptions[sub].at_processed,
               [&](const LogPiece& piece) { processed_piece(r, p, sub, piece, finish); });
    count(r.a, end);
    return;
  }
  for (const LogPiece& piece : p.log.walk_as_of(r.a, r.b, r.c)) {
    processed_piece(r, p, sub, piece, finish);
    if (piece.live) count(piece.offset, piece.offset + signed_of(piece.count));
  }
}

void Ledger::processed_piece(const sim::TraceRecord& r, Partition& p, std::size_t sub, const LogPiece& piece,
                             const FinishTimes& finish) {
  of_group(p, sub, lanes_[piece.lane.value])
      .processed.add(piece.seq, piece.count, [&](std::uint64_t first, std::uint64_t n, std::uint32_t before) {
        const std::int64_t offset = piece.offset + signed_of(first - piece.seq);
        processed_run(r, p, sub, {piece.lane, first, n, offset, piece.live}, finish, before > 0);
      });
}

void Ledger::processed_run(const sim::TraceRecord& r, const Partition& p, std::size_t sub,
                           const LogPiece& piece, const FinishTimes& finish, bool again) {
  const std::uint32_t group = p.subscriptions[sub].group;
  GroupTotals& totals = totals_.groups[group];
  (again ? totals.duplicated : totals.processed) += piece.count;
  if (again) note(Verdict::duplicated, r, piece.lane, piece.seq, piece.offset, piece.count);
  LogPiece rest = piece;
  const MessageColumns& columns = lanes_[piece.lane.value].columns;
  while (rest.count > 0) {
    const MessageRun found{r, columns.span(rest.seq, rest.count), unsigned_of(rest.offset - r.a)};
    if (observer_ != nullptr) observer_->processed(found, finish, again);
    if (found.columns.keys != nullptr) {
      check_keys(r, totals, rest, found, finish, again);
    } else if (again && found.columns.created == nullptr) {
      // Not for a group that subscribed so late that they were gone before it processed them at all.
      check_recalled_keys(r, totals, rest, found, finish);
    }
    rest.seq += found.columns.count;
    rest.offset += signed_of(found.columns.count);
    rest.count -= found.columns.count;
  }
}

void Ledger::check_keys(const sim::TraceRecord& r, GroupTotals& totals, const LogPiece& run,
                        const MessageRun& found, const FinishTimes& finish, bool again) {
  KeyOrder& order = key_order_[group_of_[r.peer] - 1];
  const EntityId producer = lanes_[run.lane.value].keys_of;
  const MessageColumns::Span& columns = found.columns;
  KeyOrder::Found sum;
  constexpr std::size_t kAtOnce = 16;
  for (std::size_t i = 0; i < columns.count; ++i) {
    if (i % kAtOnce == 0) {
      for (std::size_t j = i; j < std::min(i + kAtOnce, columns.count); ++j)
        order.prefetch(producer, columns.keys[j]);
    }
    if (columns.keys[i] == kNoKey) continue;
    order.processed(producer, columns.keys[i], {run.lane, run.seq + i}, columns.created[i],
                    finish[found.index + i], again, sum);
  }
  note_order(r, totals, run, sum);
}

void Ledger::check_recalled_keys(const sim::TraceRecord& r, GroupTotals& totals, const LogPiece& run,
                                 const MessageRun& found, const FinishTimes& finish) {
  const Lane& l = lanes_[run.lane.value];
  if (!l.columns.recall_keys(run.seq, found.columns.count, recalled_)) return;
  KeyOrder& order = key_order_[group_of_[r.peer] - 1];
  KeyOrder::Found sum;
  for (std::size_t i = 0; i < recalled_.size(); ++i) {
    if (recalled_[i] == kNoKey) continue;
    order.processed_again(l.keys_of, recalled_[i], {run.lane, run.seq + i}, finish[found.index + i], sum);
  }
  note_order(r, totals, run, sum);
}

void Ledger::note_order(const sim::TraceRecord& r, GroupTotals& totals, const LogPiece& run,
                        KeyOrder::Found sum) {
  if (sum.reordered > 0) {
    totals.reordered_per_key += sum.reordered;
    note(Verdict::reordered_per_key, r, run.lane, run.seq, run.offset, sum.reordered);
  }
  if (sum.rewound > 0) {
    totals.rewound += sum.rewound;
    note(Verdict::rewound, r, run.lane, run.seq, run.offset, sum.rewound);
  }
}

void Ledger::effect(const sim::TraceRecord& r) {
  Partition& p = partition_at(r.place);
  const std::size_t sub = subscription(p, r.peer);
  Subscription& s = p.subscriptions[sub];
  GroupTotals& totals = totals_.groups[s.group];
  if (r.code == kSuppressed) {
    totals.effects_suppressed += unsigned_of(r.b);
    return;
  }
  totals.effects += unsigned_of(r.b);
  const auto apply_piece = [&](const LogPiece& piece) {
    of_group(p, sub, lanes_[piece.lane.value])
        .effect.add(piece.seq, piece.count, [&](std::uint64_t first, std::uint64_t n, std::uint32_t before) {
          if (before == 0) return;
          totals.effects_duplicated += n;
          note(Verdict::effect_duplicated, r, piece.lane, first, piece.offset + signed_of(first - piece.seq),
               n);
        });
  };
  if (p.log.all_live(r.a + r.b, r.c)) {
    p.log.walk(r.a, r.b, s.at_effect, apply_piece);
  } else {
    for (const LogPiece& piece : p.log.walk_as_of(r.a, r.b, r.c)) apply_piece(piece);
  }
}

void Ledger::committed(const sim::TraceRecord& r) {
  Partition& p = partition_at(r.place);
  // A mirror brings the offsets of a group along that has nobody there (sync.group.offsets.enabled).
  const auto reads = [&](const Subscription& s) { return totals_.groups[s.group].group.value == r.peer; };
  if (std::none_of(p.subscriptions.begin(), p.subscriptions.end(), reads)) return;
  const std::size_t sub = subscription(p, r.peer);
  Subscription& s = p.subscriptions[sub];
  s.positioned = true;
  if (r.a > s.settled_end) {
    const std::int64_t before = s.settled_end;
    s.settled_end = r.a;
    s.processed.visit(unsigned_of(before), unsigned_of(r.a - before),
                      [&](std::uint64_t first, std::uint64_t n, std::uint32_t count) {
                        if (count > 0) settle(p, sub, signed_of(first), signed_of(first + n));
                      });
  }
  pass(s, r.a, {0, 0, r.time, number_, Why::passed});
}

void Ledger::abandoned(const sim::TraceRecord& r) {
  Partition& p = partition_at(r.place);
  Subscription& s = p.subscriptions[subscription(p, r.peer)];
  put_down(s, r);
  if (p.departures) lose_settled(p, s, {r.actor, r.a, r.a + r.b, 0}, r.time);
  if (s.shared) return;  // what becomes of it is for the member to say
  // Its position is behind them; whoever takes the partition over begins at the commit, which unpasses them.
  const std::int64_t end = r.a + r.b;
  if (p.log.all_live(end, r.c)) pass(s, end, {0, 0, r.time, number_, Why::passed});
}

/// No member will be handed them again. Markers of transactions are archived too, messages that have been processed, and places
/// from which compaction has removed them.
void Ledger::archived(const sim::TraceRecord& r) {
  Partition& p = partition_at(r.place);
  const std::size_t sub = subscription(p, r.peer);
  Subscription& s = p.subscriptions[sub];
  LogIndex::Cursor cursor = 0;
  const auto dead_lettered = [&](const LogPiece& piece) {
    of_group(p, sub, lanes_[piece.lane.value])
        .processed.visit(piece.seq, piece.count, [&](std::uint64_t seq, std::uint64_t n, std::uint32_t done) {
          if (done == 0)
            note(Verdict::dead_lettered, r, piece.lane, seq, piece.offset + signed_of(seq - piece.seq), n);
        });
  };
  const auto archive = [&](std::uint64_t from, std::uint64_t count) {
    s.archived.add(from, count, [&](std::uint64_t first, std::uint64_t n, std::uint32_t before) {
      if (before == 0) p.log.walk(signed_of(first), signed_of(n), cursor, dead_lettered);
    });
  };
  s.compacted.visit(unsigned_of(r.a), unsigned_of(r.b),
                    [&](std::uint64_t first, std::uint64_t n, std::uint32_t gone) {
                      if (gone == 0) archive(first, n);
                    });
}

/// A lock has ended while its holder was still at work.
void Ledger::count_two_holders(const Subscription& s, const sim::TraceRecord& r) {
  std::int64_t count = 0;
  for (const InHand& held : s.in_hand) {
    if (held.member == r.actor) continue;
    count += std::max<std::int64_t>(0, std::min(held.end, r.a + r.b) - std::max(held.first, r.a));
  }
  if (count == 0) return;
  totals_.groups[s.group].two_holders += unsigned_of(count);
  note(Verdict::two_holders, r, {}, 0, r.a, unsigned_of(count));
}

void Ledger::put_down(Subscription& s, const sim::TraceRecord& r) {
  std::int64_t first = r.a;
  for (std::size_t i = 0; i < s.in_hand.size() && first < r.a + r.b;) {
    InHand& held = s.in_hand[i];
    if (held.member != r.actor || first < held.first || first >= held.end) {
      ++i;
      continue;
    }
    const InHand rest{held.member, std::min(held.end, r.a + r.b), held.end, held.epoch};
    held.end = first;
    first = rest.first;
    if (rest.first < rest.end) s.in_hand.insert(s.in_hand.begin() + static_cast<std::ptrdiff_t>(i) + 1, rest);
    if (s.in_hand[i].first == s.in_hand[i].end)
      s.in_hand.erase(s.in_hand.begin() + static_cast<std::ptrdiff_t>(i));
    i = 0;  // the same application may have been given the next of them earlier
  }
}

void Ledger::member_state(const sim::TraceRecord& r) {
  if (static_cast<MemberCode>(r.code) != MemberCode::crashed) return;
  for (Partition& p : partitions_) {
    for (Subscription& s : p.subscriptions) {
      for (const InHand& held : s.in_hand) {
        if (p.departures && held.member == r.actor) lose_settled(p, s, held, r.time);
      }
      std::erase_if(s.in_hand, [&r](const InHand& held) { return held.member == r.actor; });
    }
  }
}

void Ledger::settle(Partition& p, std::size_t sub, std::int64_t first, std::int64_t end) {
  p.log.walk(first, end - first, p.subscriptions[sub].at_settled, [&](const LogPiece& piece) {
    Lane& l = lanes_[piece.lane.value];
    of_group(p, sub, l).settled.add(piece.seq, piece.count,
                                    [&](std::uint64_t seq, std::uint64_t n, std::uint32_t before) {
                                      if (before == 0) l.columns.release(pool_, seq, n);
                                    });
  });
}

void Ledger::pass(Subscription& s, std::int64_t end, const Passed& how) {
  if (end <= s.passed_end) return;
  s.processed.visit(
      unsigned_of(s.passed_end), unsigned_of(end - s.passed_end),
      [&](std::uint64_t first, std::uint64_t n, std::uint32_t count) {
        if (count > 0) return;
        s.archived.visit(first, n, [&](std::uint64_t from, std::uint64_t some, std::uint32_t archived) {
          if (archived == 0)
            s.passed.push_back({signed_of(from), signed_of(from + some), how.time, how.record, how.why});
        });
      });
  s.passed_end = end;
}

void Ledger::unpass(Subscription& s, std::int64_t first, std::int64_t end) {
  auto at = std::partition_point(s.passed.begin(), s.passed.end(),
                                 [first](const Passed& p) { return p.end <= first; });
  while (at != s.passed.end() && at->first < end) {
    const Passed whole = *at;
    if (whole.end > end) {
      at->first = end;
      if (whole.first < first) s.passed.insert(at, {whole.first, first, whole.time, whole.record, whole.why});
      return;
    }
    if (whole.first < first) {
      at->end = first;
      ++at;
    } else {
      at = s.passed.erase(at);
    }
  }
}

}  // namespace models
