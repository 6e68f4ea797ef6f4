#include "models/checkers/send_order.hpp"

namespace models {

void SendOrder::record(const sim::TraceRecord& r, std::span<const std::int64_t>, sim::RecordNumber number) {
  if (r.c < 0) return;
  if (r.peer >= lanes_.size()) lanes_.resize(r.peer + 1);
  Sent& sent = lanes_[r.peer];
  const auto note = [&](Verdict verdict, std::int64_t n) {
    anomalies_.add(
        {r.time, verdict, EntityId{r.place}, EntityId{r.actor}, LaneId{r.peer}, r.a, r.c, n, number});
  };
  const bool later = r.a > sent.seq;
  if (sent.seq >= 0 && later != (r.c > sent.offset)) note(Verdict::nonmonotonic_send, r.b);
  const bool together = sent.last_seq >= 0 && sent.time == r.time && r.a == sent.last_seq + 1;
  if (together && r.c > sent.last_offset + 1) {
    const std::int64_t foreign = foreign_between(r, sent.last_offset + 1, r.c);
    if (foreign > 0) note(Verdict::int_send_skip, foreign);
  }
  sent.last_seq = r.a + r.b - 1;
  sent.last_offset = r.c + r.b - 1;
  sent.time = r.time;
  if (!later) return;
  sent.seq = sent.last_seq;
  sent.offset = sent.last_offset;
}

std::int64_t SendOrder::foreign_between(const sim::TraceRecord& r, std::int64_t first,
                                        std::int64_t end) const {
  const Ledger::Partition* p = ledger_.partition(EntityId{r.place});
  std::int64_t foreign = 0;
  if (p == nullptr) return foreign;
  LogIndex::Cursor cursor = p->log.extents();
  p->log.walk(first, end - first, cursor, [&](const LogPiece& piece) {
    if (piece.lane.value != r.peer) foreign += static_cast<std::int64_t>(piece.count);
  });
  return foreign;
}

}  // namespace models
