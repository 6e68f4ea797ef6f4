// The log of a stream as one node keeps it (osiris_log.erl): chunks in segments, what retention takes of them, where a reader
// begins, and what a log that another leader has written has in common with it. Pure: no network, no trace, told the time.
//
// A chunk is what the writer wrote at a time; offsets count messages. Segments are closed by the first chunk that finds one full,
// and retention is looked at then (max_segment_size_reached, trigger_retention_eval): it takes whole segments, the oldest first,
// and never the one that is written. With chunks the log holds two kinds of facts: the highest publishing id of each publisher,
// by which what was written before is recognised, and offsets that consumers have stored under a name (osiris_tracking.erl).
//
// A stored offset goes into the next chunk; where nothing is published, into one of its own, without messages, that takes an
// offset (osiris_writer:handle_batch, CHNK_TRK_DELTA). Model: of publishers all are remembered, not the last 255.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/ids.hpp"
#include "models/pool.hpp"
#include "models/rabbitmq/options.hpp"
#include "sim/time.hpp"

namespace models::rabbitmq {

/// Whoever writes under one name, and its messages' publishing ids rise. 0: nobody, nothing is recognised.
using WriterId = Id<struct StreamWriterTag>;
/// A name under which consumers store offsets.
using ReferenceId = Id<struct StreamReferenceTag, std::uint16_t>;

struct StreamEntry {
  std::uint64_t seq = 0;  ///< with `lane`: which message this is
  std::uint64_t publishing_id = 0;
  LaneId lane{};
  WriterId writer{};
  std::uint32_t size = 0;  ///< bytes of the body
};

struct Chunk {
  struct Stored {
    ReferenceId reference{};
    std::int64_t offset = 0;
    EntityId member{};  ///< who has stored it
    EntityId group{};
  };
  std::int64_t first = 0;  ///< offset of its first entry
  std::uint32_t epoch = 0;
  sim::Time written{};
  std::vector<StreamEntry> entries;
  std::vector<Stored> stored;

  std::int64_t end() const {
    return entries.empty() ? first + 1 : first + static_cast<std::int64_t>(entries.size());
  }
  /// On disk and on the network: a header of 48 bytes, and 4 before each entry (osiris_log.erl).
  std::int64_t bytes() const;

  std::uint32_t refs = 0;
  Shelf<Chunk>* home = nullptr;
  void clear() {
    entries.clear();
    stored.clear();
  }
};

struct StreamLogOptions {
  std::int64_t max_segment_bytes = 500'000'000;  ///< x-stream-max-segment-size-bytes
  std::int64_t max_segment_chunks = 256'000;     ///< max_segment_size_chunks
  std::optional<std::int64_t> max_bytes{};       ///< x-max-length-bytes
  std::optional<sim::Duration> max_age{};        ///< x-max-age
};

/// Where a log's chunks of one epoch end.
struct EpochEnd {
  std::uint32_t epoch = 0;
  std::int64_t end = 0;
};

class StreamLog {
 public:
  explicit StreamLog(const StreamLogOptions& options) : options_(options) {}

  std::int64_t start() const { return start_; }
  std::int64_t end() const { return end_; }
  std::size_t chunks() const { return chunks_.size(); }
  std::size_t segments() const { return segments_.size(); }
  std::int64_t bytes() const;

  // ---- writing ----
  /// Requires: it begins at end(). True: a segment was closed, and retention is to be looked at.
  bool append(Ref<Chunk> chunk);
  /// Deletes what may go. How many segments that were.
  std::size_t retain(sim::Time now);
  /// Whether time alone may let something go: then it is looked at every hour.
  bool ages() const { return options_.max_age && segments_.size() > 1; }

  // ---- another leader's log ----
  std::vector<EpochEnd> epoch_ends() const;
  /// The epoch of its last chunk, and its end.
  EpochEnd tail() const;
  /// How far this log holds what a log with those ends does.
  std::int64_t agrees_until(const std::vector<EpochEnd>& theirs) const;
  void truncate(std::int64_t end);
  /// Forgets all, and goes on at that offset.
  void reset(std::int64_t start);

  // ---- reading ----
  /// Chunks are numbered as they are appended; numbers move with truncation and retention, offsets do not.
  const Chunk& chunk(std::size_t i) const { return *chunks_[i]; }
  const Ref<Chunk>& share(std::size_t i) const { return chunks_[i]; }
  /// Of the first chunk that ends behind the offset; chunks() when there is none.
  std::size_t find(std::int64_t offset) const;
  /// Where a reader begins that asks for this now.
  std::int64_t attach(const StreamOffset& from, sim::Time now) const;

  // ---- facts ----
  std::optional<std::uint64_t> publishing_id(WriterId writer) const;
  std::optional<std::int64_t> stored(ReferenceId reference) const;

 private:
  struct Segment {
    std::size_t chunks = 0;
    std::int64_t bytes = 0;
    sim::Time last{};
  };
  struct Facts {
    std::map<WriterId, std::uint64_t> publishing_ids;
    std::map<ReferenceId, std::int64_t> stored;
    void take(const Chunk& chunk);
  };
  void drop_segment();

  StreamLogOptions options_;
  std::deque<Ref<Chunk>> chunks_;
  std::deque<Segment> segments_;
  std::int64_t start_ = 0;
  std::int64_t end_ = 0;
  Facts facts_;
  Facts before_;  // as they were before the first chunk
};

/// What is wrong with a copy of a leader's log, in words: it ends before what it knows to be committed, or where both know it
/// to be committed it holds another chunk. Copies share their chunks, so one look is enough: what lies before was looked at
/// before.
std::optional<std::string> copy_fault(const StreamLog& copy, std::int64_t committed, const StreamLog& leader,
                                      std::int64_t leader_committed);

}  // namespace models::rabbitmq
