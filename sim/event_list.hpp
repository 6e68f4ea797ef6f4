// The pending entries of a run in one total order: (time, word), where the upper bits of a word are a sequence number.
//
// Two structures share the work. `near` is a short sorted array that is consumed from its front; `far` is a monotone
// radix heap with digits of six bits: an entry stands at the level of the highest digit in which its time differs from
// `base`, in the bucket of that digit. The earliest bucket is found from two bitmaps. A bucket that fits one chunk is
// sorted into `near`, a larger one is dealt out to lower levels; entries at one instant are never dealt out but taken whole.
// With few entries everything stays in `near`; beyond kNearMost they spill into `far`, and when kGatherMost are left they come
// back. The distance between the two keeps a queue at the border from swinging.
//
// Chosen from measurements of bare structures in the hold model, millions of events a second with 100, 10,000 and
// 1,000,000 exponential delays pending, and with 100,000 of four fixed delays (one core; docs/BENCHMARKS.md):
//     std::priority_queue      15.2    8.1    2.2    5.4
//     4-ary heap               21.6   11.6    1.9    7.2
//     the same, hole at root   22.2   12.1    2.0    8.1
//     ladder of chunks         26.2   24.7   10.4    0.3
//     radix heap, binary       15.4   14.5   11.1   28.6
// Every heap falls with the number of entries; a ladder needs a bucket width, and fixed delays put all into one bucket. A
// radix heap does not mind either but moves each entry many times: digits of six bits instead of one, chunks of 32
// entries, and a sorted array for what comes soon take most of that away.
//
// Requires: no entry is pushed at a time before the last one taken, or before the limit of the last front() that
// answered "nothing" (both hold for a clock that never runs backwards).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <vector>

#include "sim/slot_pool.hpp"

namespace sim::detail {

struct alignas(16) Entry {
  std::int64_t time;   ///< nanoseconds, never negative
  std::uint64_t word;  ///< sequence above slot
};
static_assert(sizeof(Entry) == 16);

/// The total order, in one comparison of 128 bits.
inline bool before(const Entry& a, const Entry& b) noexcept {
  __extension__ using Wide = unsigned __int128;
  return ((static_cast<Wide>(static_cast<std::uint64_t>(a.time)) << 64) | a.word) <
         ((static_cast<Wide>(static_cast<std::uint64_t>(b.time)) << 64) | b.word);
}

/// Writes the two halves of an entry each by itself; nearly every entry is read again within a few instructions, by halves
/// too. A load of all 16 bytes, which the compiler would use to move it on, would have to wait until both are in the cache,
/// and one store of all 16 bytes costs the way to a vector register and back.
inline void write(Entry* at, std::int64_t time, std::uint64_t word) noexcept {
  at->time = time;
  asm("" : "+m"(at->time));  // not to be joined with the next store
  at->word = word;
}

class EventList {
 public:
  static constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();
  /// More entries than this in `near` spill into `far`, but for those at the present instant.
  static constexpr std::size_t kNearMost = 32;
  /// Entries left in `far` that are worth keeping sorted instead.
  static constexpr std::size_t kGatherMost = 8;

  /// The slots are only prefetched: those of entries that come up soon.
  explicit EventList(const SlotPool& slots);
  EventList(const EventList&) = delete;
  EventList& operator=(const EventList&) = delete;

  std::size_t size() const noexcept { return far_size_ + static_cast<std::size_t>(near_last_ - near_first_); }
  bool empty() const noexcept { return size() == 0; }
  /// True while everything fits the sorted array.
  bool is_small() const noexcept { return near_end_ == kForever; }

  void push(Entry entry) {
    if (entry.time >= near_end_) {
      push_far(entry);
      ++far_size_;
    } else if (near_last_ != near_stop_) [[likely]] {
      insert_near(entry);
    } else {
      push_and_tidy(entry);
    }
  }

  /// The earliest entry, or nullptr when none is at or before `limit`.
  const Entry* front(std::int64_t limit) {
    if (near_first_ == near_last_ && !refill(limit)) [[unlikely]]
      return nullptr;
    return near_first_->time <= limit ? near_first_ : nullptr;
  }
  /// Takes the entry that front() showed.
  void pop() noexcept { ++near_first_; }

  /// Removes what no longer counts. O(size).
  void remove_if(const std::function<bool(const Entry&)>& gone);

 private:
  static constexpr unsigned kDigitBits = 6;
  static constexpr unsigned kDigits = 1u << kDigitBits;
  static constexpr unsigned kLevels = (63 + kDigitBits - 1) / kDigitBits;
  static constexpr std::size_t kChunkEntries = 32;

  /// The first entry of a chunk is its link. Aligned to its size, so that a write pointer knows when its chunk is full.
  struct alignas(kChunkEntries * sizeof(Entry)) Chunk {
    Chunk* next;
    std::uint64_t unused;
    Entry entries[kChunkEntries - 1];
  };
  static_assert(sizeof(Chunk) == kChunkEntries * sizeof(Entry));
  /// All its lines: a chunk is found only from the one before, too late for the processor to guess.
  static void prefetch(const Chunk& chunk) noexcept {
    for (std::size_t i = 0; i < kChunkEntries - 1; i += 64 / sizeof(Entry))
      __builtin_prefetch(&chunk.entries[i]);
  }

  void insert_near(Entry entry) {
    Entry* at = near_last_++;
    for (; at != near_first_ && before(entry, at[-1]); --at) write(at, at[-1].time, at[-1].word);
    write(at, entry.time, entry.word);
  }

  void push_far(Entry entry) {
    const std::uint64_t time = static_cast<std::uint64_t>(entry.time);
    const unsigned high = 63u - static_cast<unsigned>(__builtin_clzll(time ^ base_));
    const unsigned level = high * 43 >> 8;  // high / 6
    const unsigned bucket = level * kDigits + (time >> level * kDigitBits & (kDigits - 1));
    Entry* at = tail_[bucket];
    if ((reinterpret_cast<std::uintptr_t>(at) & (sizeof(Chunk) - 1)) == 0) [[unlikely]]
      at = add_chunk(bucket);
    write(at, entry.time, entry.word);
    tail_[bucket] = at + 1;
  }

  static Chunk* chunk_of(Entry* last) noexcept {
    return reinterpret_cast<Chunk*>(reinterpret_cast<std::uintptr_t>(last) & ~(sizeof(Chunk) - 1));
  }

  Entry* add_chunk(unsigned bucket);
  Chunk* take_chunk();
  void grow_chunks();
  void give_back(Chunk* chunk) noexcept;
  void push_and_tidy(Entry entry);
  void spill(std::uint64_t base);
  void make_room(std::size_t entries);
  void note_last_taken() noexcept;
  bool refill(std::int64_t limit);
  void gather();
  void open(unsigned level, unsigned digit, std::uint64_t start, std::int64_t limit);
  void deal(Chunk* head, Entry* end, std::uint64_t start, std::int64_t limit);
  Entry* detach(unsigned bucket, Chunk*& head) noexcept;
  void sort_near();
  template <class Visit>
  void drain(Chunk* head, Entry* end, Visit visit);

  /// Sorted entries [first, last); before them what was taken since the array was tidied.
  Entry* near_first_ = nullptr;
  Entry* near_last_ = nullptr;
  Entry* near_stop_ = nullptr;        ///< where the next tidying is due, at the latest where the memory ends
  std::int64_t near_end_ = kForever;  ///< entries before this instant belong to `near`
  std::uint64_t base_ = 0;  ///< the instant from which levels are counted; never after an entry of `far`
  std::size_t far_size_ = 0;
  std::int64_t last_ = 0;  ///< time of the last entry taken before the array was tidied
  const SlotPool& slots_;
  Chunk* free_chunks_ = nullptr;
  std::uint32_t levels_ = 0;  ///< bit per level that has a bucket in use
  std::array<std::uint64_t, kLevels> buckets_{};
  /// Where a bucket's next entry is written; null or chunk-aligned: no room.
  std::array<Entry*, kLevels * kDigits> tail_{};
  std::array<Chunk*, kLevels * kDigits> head_{};
  std::vector<Entry> near_;
  struct Release {
    std::align_val_t alignment;
    void operator()(Chunk* chunks) const noexcept;
  };
  std::vector<std::unique_ptr<Chunk[], Release>> blocks_;
  std::size_t chunks_ = 0;
};

}  // namespace sim::detail
