#include "models/checkers/poll_order.hpp"

#include <algorithm>

namespace models {

PollOrder::Reader& PollOrder::reader(const sim::TraceRecord& r) {
  if (r.place >= readers_.size()) readers_.resize(r.place + 1);
  for (Reader& known : readers_[r.place]) {
    if (known.member == r.actor && known.group == r.peer) return known;
  }
  return readers_[r.place].emplace_back(Reader{r.actor, r.peer, -1, {}, {}});
}

void PollOrder::record(const sim::TraceRecord& r, std::span<const std::int64_t>, sim::RecordNumber number) {
  if (std::find(shared_.begin(), shared_.end(), r.peer) != shared_.end()) return;
  switch (static_cast<Kind>(r.kind)) {
    case Kind::subscribed:
      if (r.code == kShared) shared_.push_back(r.peer);
      return;
    case Kind::delivered:
      return delivered(r, number);
    case Kind::left_out:
      reader(r).left_out.emplace_back(r.a, r.a + r.b);
      return;
    case Kind::position:
      reader(r).next = r.a;
      reader(r).left_out.clear();
      return;
    case Kind::ownership:
      reader(r).next = -1;
      reader(r).left_out.clear();
      return;
    default:
      return;
  }
}

void PollOrder::delivered(const sim::TraceRecord& r, sim::RecordNumber number) {
  Reader& known = reader(r);
  const bool same_poll = known.next >= 0 && known.polled == r.time;
  const auto note = [&](Verdict verdict, std::int64_t offset, std::int64_t n) {
    anomalies_.add({r.time, verdict, EntityId{r.place}, EntityId{r.actor}, {}, -1, offset, n, number});
  };
  if (known.next >= 0 && r.a > known.next) {
    const std::int64_t skipped = records_missed(r.place, known, r.a);
    if (skipped > 0) note(same_poll ? Verdict::int_poll_skip : Verdict::poll_skip, known.next, skipped);
  } else if (known.next >= 0 && r.a < known.next) {
    note(same_poll ? Verdict::int_nonmonotonic_poll : Verdict::nonmonotonic_poll, r.a, known.next - r.a);
  }
  known.next = r.a + r.b;
  known.polled = r.time;
}

std::int64_t PollOrder::records_missed(std::uint32_t place, Reader& known, std::int64_t end) const {
  std::int64_t missed = 0;
  std::int64_t from = known.next;
  std::size_t used = 0;
  for (; used < known.left_out.size() && known.left_out[used].first < end; ++used) {
    missed += records_between(place, from, known.left_out[used].first);
    from = std::max(from, known.left_out[used].second);
  }
  known.left_out.erase(known.left_out.begin(), known.left_out.begin() + static_cast<std::ptrdiff_t>(used));
  return missed + records_between(place, from, end);
}

std::int64_t PollOrder::records_between(std::uint32_t place, std::int64_t first, std::int64_t end) const {
  // Markers take offsets too: jumping over them skips nothing.
  const Ledger::Partition* p = ledger_.partition(EntityId{place});
  std::int64_t records = 0;
  if (p == nullptr || first >= end) return records;
  LogIndex::Cursor cursor = p->log.extents();
  p->log.walk(first, end - first, cursor,
              [&](const LogPiece& piece) { records += static_cast<std::int64_t>(piece.count); });
  return records;
}

}  // namespace models
