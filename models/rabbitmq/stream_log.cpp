#include "models/rabbitmq/stream_log.hpp"

#include <algorithm>

#include "sim/assert.hpp"

namespace models::rabbitmq {
namespace {

constexpr std::int64_t kChunkHeader = 48;
constexpr std::int64_t kEntryHeader = 4;

}  // namespace

std::int64_t Chunk::bytes() const {
  std::int64_t sum = kChunkHeader;
  for (const StreamEntry& entry : entries) sum += kEntryHeader + entry.size;
  return sum;
}

void StreamLog::Facts::take(const Chunk& chunk) {
  for (const StreamEntry& entry : chunk.entries) {
    if (entry.writer == WriterId{}) continue;
    std::uint64_t& highest = publishing_ids[entry.writer];
    highest = std::max(highest, entry.publishing_id);
  }
  for (const Chunk::Stored& one : chunk.stored) stored[one.reference] = one.offset;
}

std::int64_t StreamLog::bytes() const {
  std::int64_t sum = 0;
  for (const Segment& segment : segments_) sum += segment.bytes;
  return sum;
}

// ---- writing ------------------------------------------------------------------------------------------------------

bool StreamLog::append(Ref<Chunk> chunk) {
  MQLAB_ASSERT(chunk->first == end_, "a chunk is written at the end of its log");
  const auto full = [this](const Segment& s) {
    return s.bytes >= options_.max_segment_bytes ||
           s.chunks >= static_cast<std::size_t>(options_.max_segment_chunks);
  };
  const bool rolled = !segments_.empty() && full(segments_.back());
  if (segments_.empty() || rolled) segments_.push_back({});
  Segment& active = segments_.back();
  ++active.chunks;
  active.bytes += chunk->bytes();
  active.last = chunk->written;
  end_ = chunk->end();
  facts_.take(*chunk);
  chunks_.push_back(std::move(chunk));
  return rolled;
}

/// osiris_log:evaluate_retention: by bytes first, then by the age of a segment's last chunk.
std::size_t StreamLog::retain(sim::Time now) {
  std::size_t dropped = 0;
  if (options_.max_bytes && !segments_.empty()) {
    std::int64_t left = *options_.max_bytes - segments_.back().bytes;
    std::size_t kept = 1;
    while (kept < segments_.size() && segments_[segments_.size() - 1 - kept].bytes <= left) {
      left -= segments_[segments_.size() - 1 - kept].bytes;
      ++kept;
    }
    for (; segments_.size() > kept; ++dropped) drop_segment();
  }
  if (options_.max_age) {
    for (; segments_.size() > 1 && now - segments_.front().last > *options_.max_age; ++dropped)
      drop_segment();
  }
  return dropped;
}

void StreamLog::drop_segment() {
  for (std::size_t i = 0; i < segments_.front().chunks; ++i) {
    before_.take(*chunks_.front());
    chunks_.pop_front();
  }
  segments_.pop_front();
  start_ = chunks_.front()->first;
}

// ---- another leader's log -----------------------------------------------------------------------------------------

std::vector<EpochEnd> StreamLog::epoch_ends() const {
  std::vector<EpochEnd> out;
  for (const Ref<Chunk>& chunk : chunks_) {
    if (out.empty() || out.back().epoch != chunk->epoch) out.push_back({chunk->epoch, 0});
    out.back().end = chunk->end();
  }
  return out;
}

EpochEnd StreamLog::tail() const {
  return chunks_.empty() ? EpochEnd{0, end_} : EpochEnd{chunks_.back()->epoch, end_};
}

/// Chunks of one epoch are one writer's, so logs that have an epoch agree up to where the shorter of the two ends in it, and on
/// all before (osiris_log:init_acceptor).
std::int64_t StreamLog::agrees_until(const std::vector<EpochEnd>& theirs) const {
  const std::vector<EpochEnd> mine = epoch_ends();
  for (std::size_t i = mine.size(); i > 0; --i) {
    for (const EpochEnd& their : theirs) {
      if (their.epoch == mine[i - 1].epoch) return std::min(their.end, mine[i - 1].end);
    }
  }
  return start_;
}

void StreamLog::truncate(std::int64_t end) {
  if (end >= end_) return;
  while (!chunks_.empty() && chunks_.back()->end() > end) {
    Segment& active = segments_.back();
    active.bytes -= chunks_.back()->bytes();
    chunks_.pop_back();
    if (--active.chunks == 0) segments_.pop_back();
    if (!chunks_.empty() && !segments_.empty()) segments_.back().last = chunks_.back()->written;
  }
  end_ = chunks_.empty() ? start_ : chunks_.back()->end();
  facts_ = before_;
  for (const Ref<Chunk>& chunk : chunks_) facts_.take(*chunk);
}

void StreamLog::reset(std::int64_t start) {
  chunks_.clear();
  segments_.clear();
  start_ = end_ = start;
  facts_ = before_ = {};
}

// ---- reading ------------------------------------------------------------------------------------------------------

std::size_t StreamLog::find(std::int64_t offset) const {
  const auto at = std::partition_point(chunks_.begin(), chunks_.end(),
                                       [offset](const Ref<Chunk>& c) { return c->end() <= offset; });
  return static_cast<std::size_t>(at - chunks_.begin());
}

/// osiris_log:init_offset_reader, and rabbit_stream_queue's start_offset for one behind the end.
std::int64_t StreamLog::attach(const StreamOffset& from, sim::Time now) const {
  switch (from.at) {
    case StreamOffset::At::first:
      return start_;
    case StreamOffset::At::next:
      return end_;
    case StreamOffset::At::last: {
      std::size_t i = chunks_.size();
      while (i > 0 && chunks_[i - 1]->entries.empty()) --i;
      return i == 0 ? end_ : chunks_[i - 1]->first;
    }
    case StreamOffset::At::offset:
      return std::max(start_, from.offset);
    case StreamOffset::At::ago: {
      const sim::Time since = now - from.ago;
      const auto at = std::partition_point(chunks_.begin(), chunks_.end(),
                                           [since](const Ref<Chunk>& c) { return c->written < since; });
      return at == chunks_.end() ? end_ : (*at)->first;
    }
  }
  return end_;
}

// ---- facts --------------------------------------------------------------------------------------------------------

std::optional<std::uint64_t> StreamLog::publishing_id(WriterId writer) const {
  const auto at = facts_.publishing_ids.find(writer);
  return at == facts_.publishing_ids.end() ? std::nullopt : std::optional(at->second);
}

std::optional<std::int64_t> StreamLog::stored(ReferenceId reference) const {
  const auto at = facts_.stored.find(reference);
  return at == facts_.stored.end() ? std::nullopt : std::optional(at->second);
}

std::optional<std::string> copy_fault(const StreamLog& copy, std::int64_t committed, const StreamLog& leader,
                                      std::int64_t leader_committed) {
  if (committed > copy.end())
    return "ends at " + std::to_string(copy.end()) +
           ", before what it knows to be committed: " + std::to_string(committed);
  const std::int64_t last = std::min({committed, leader_committed, leader.end()}) - 1;
  if (last < copy.start() || last < leader.start()) return std::nullopt;
  if (&copy.chunk(copy.find(last)) == &leader.chunk(leader.find(last))) return std::nullopt;
  return "holds another chunk than the leader's at offset " + std::to_string(last) + ", which is committed";
}

}  // namespace models::rabbitmq
