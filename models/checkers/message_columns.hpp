// Creation time and key of every message that somebody may still ask about, in chunks per lane.
//
// A chunk holds 512 messages: 8 bytes each for the time, 4 for the key where the lane has keys. Every message
// has shares: one for its producer (acknowledged or failed) and one for each subscribed group (settled). When
// all shares of a full chunk have been returned, its memory goes back to the pool. Only the counts of the
// ledger remember those messages then, and their keys, in 1, 2 or 4 bytes each, because a group may read them
// once more: an application that held them all the while, or a committed offset that was lost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace models {

/// A key index that no message has: the message carries no key.
inline constexpr std::uint32_t kNoKey = 0xffffffff;

/// Memory of chunks that were freed, for the next.
class ColumnPool {
 public:
  static constexpr std::size_t kChunk = 512;
  std::unique_ptr<std::int64_t[]> take_times();
  std::unique_ptr<std::uint32_t[]> take_keys();
  void give(std::unique_ptr<std::int64_t[]> times, std::unique_ptr<std::uint32_t[]> keys);

 private:
  std::vector<std::unique_ptr<std::int64_t[]>> times_;
  std::vector<std::unique_ptr<std::uint32_t[]>> keys_;
};

class MessageColumns {
 public:
  /// Consecutive messages inside one chunk. `created` is null when they were let go, `keys` when they have
  /// none.
  struct Span {
    const std::int64_t* created = nullptr;
    const std::uint32_t* keys = nullptr;
    std::size_t count = 0;
  };

  /// Adds messages at the end. `keys` is empty or as long as `created`; a negative key is none.
  void append(ColumnPool& pool, std::span<const std::int64_t> created, std::span<const std::int64_t> keys,
              std::uint32_t shares);
  /// The first of [seq, seq + n), as far as one chunk goes. Requires n > 0.
  Span span(std::uint64_t seq, std::uint64_t n) const;
  /// Keys of messages that span() found let go, into `out`. False when they have none. Requires that [seq,
  /// seq + n) lies in one chunk.
  bool recall_keys(std::uint64_t seq, std::uint64_t n, std::vector<std::uint32_t>& out) const;
  /// Returns one share of each of [seq, seq + n).
  void release(ColumnPool& pool, std::uint64_t seq, std::uint64_t n);
  /// One more group from now on: a share for every message that has not been let go.
  void add_share();

  std::uint64_t size() const { return size_; }

 private:
  struct Chunk {
    std::unique_ptr<std::int64_t[]> times;
    std::unique_ptr<std::uint32_t[]> keys;
    std::uint64_t shares = 0;                ///< not yet returned, those of messages still to come included
    std::unique_ptr<std::uint8_t[]> packed;  ///< keys + 1 of a chunk that was let go, low byte first
    std::uint8_t width = 0;                  ///< bytes of each
  };
  static void pack(Chunk& chunk);
  std::vector<Chunk> chunks_;
  std::uint64_t size_ = 0;
};

}  // namespace models
