#include "models/checkers/log_index.hpp"

#include <algorithm>

#include "sim/assert.hpp"

namespace models {

void LogIndex::append(LaneId lane, std::uint64_t seq, std::uint64_t count, std::int64_t offset,
                      std::int64_t epoch) {
  MQLAB_ASSERT(offset >= end_, "a batch is stored at the end of its log");
  MQLAB_ASSERT(offset < std::int64_t{1} << 40 && lane.value < 1U << 24, "offsets fit 40 bits, lanes 24");
  const auto place = static_cast<std::uint64_t>(lane.value) << 40 | static_cast<std::uint64_t>(offset);
  if (offset > end_) extents_.push_back({static_cast<std::uint64_t>(end_), 0});
  const bool contiguous =
      offset == end_ && !extents_.empty() && extents_.back().lane() == lane.value &&
      extents_.back().seq + static_cast<std::uint64_t>(offset - extents_.back().offset()) == seq;
  if (!contiguous) extents_.push_back({place, seq});
  if (epochs_.empty() || epochs_.back().epoch != epoch) epochs_.push_back({offset, epoch});
  end_ = offset + static_cast<std::int64_t>(count);
}

std::vector<LogIndex::Buried> LogIndex::truncate(std::int64_t offset) {
  std::vector<Buried> removed;
  Cursor cursor = extents_.size();
  walk(offset, end_ - offset, cursor, [&](LogPiece piece) {
    // Pieces are cut where the epoch changes, so that each buried piece has one.
    while (piece.count > 0) {
      const std::int64_t epoch = epoch_at(piece.offset);
      std::uint64_t n = piece.count;
      for (const EpochStart& start : epochs_) {
        if (start.offset > piece.offset)
          n = std::min(n, static_cast<std::uint64_t>(start.offset - piece.offset));
      }
      removed.push_back({{piece.lane, piece.seq, n, piece.offset, false}, epoch});
      piece.seq += n;
      piece.offset += static_cast<std::int64_t>(n);
      piece.count -= n;
    }
  });
  while (!extents_.empty() && extents_.back().offset() >= offset) extents_.pop_back();
  while (!epochs_.empty() && epochs_.back().offset >= offset) epochs_.pop_back();
  end_ = std::min(end_, offset);
  buried_.insert(buried_.end(), removed.begin(), removed.end());
  return removed;
}

void LogIndex::search(std::int64_t offset, Cursor& cursor) const {
  std::size_t low = 0;
  std::size_t high = extents_.size();
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    (extents_[middle].offset() <= offset ? low : high) = middle;
  }
  cursor = low;
}

std::int64_t LogIndex::epoch_at(std::int64_t offset) const {
  for (auto start = epochs_.rbegin(); start != epochs_.rend(); ++start) {
    if (start->offset <= offset) return start->epoch;
  }
  return 0;
}

LogPiece LogIndex::buried_at(std::int64_t offset, std::int64_t until, std::int64_t epoch) const {
  for (auto grave = buried_.rbegin(); grave != buried_.rend(); ++grave) {
    const LogPiece& piece = grave->piece;
    const std::int64_t end = piece.offset + static_cast<std::int64_t>(piece.count);
    if (grave->epoch > epoch || offset < piece.offset || offset >= end) continue;
    const std::int64_t stop = std::min(end, until);
    return {piece.lane, piece.seq + static_cast<std::uint64_t>(offset - piece.offset),
            static_cast<std::uint64_t>(stop - offset), offset, false};
  }
  return {};
}

std::vector<LogPiece> LogIndex::walk_as_of(std::int64_t offset, std::int64_t count,
                                           std::int64_t epoch) const {
  std::vector<LogPiece> pieces;
  const std::int64_t until = offset + count;
  Cursor cursor = 0;
  while (offset < until) {
    const LogPiece grave = buried_at(offset, until, epoch);
    if ((offset >= end_ || epoch_at(offset) > epoch) && grave.count > 0) {
      pieces.push_back(grave);
      offset += static_cast<std::int64_t>(grave.count);
      continue;
    }
    // One offset at a time: where the log and the buried interleave is decided record by record.
    walk(offset, 1, cursor, [&pieces](const LogPiece& piece) {
      LogPiece* last = pieces.empty() ? nullptr : &pieces.back();
      if (last != nullptr && last->live && last->lane == piece.lane && last->seq + last->count == piece.seq) {
        ++last->count;
      } else {
        pieces.push_back(piece);
      }
    });
    ++offset;
  }
  return pieces;
}

}  // namespace models
