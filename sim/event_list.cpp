#include "sim/event_list.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <new>

#include "sim/assert.hpp"

namespace sim::detail {
namespace {

constexpr std::size_t kHugePage = std::size_t{1} << 21;

}  // namespace

EventList::EventList(const SlotPool& slots) : slots_(slots) {
  make_room(2 * kNearMost);
}

void EventList::note_last_taken() noexcept {
  if (near_first_ != near_.data()) last_ = near_first_[-1].time;
}

/// Moves the entries to the front of the array, and has room for `entries` more before the next tidying.
void EventList::make_room(std::size_t entries) {
  const auto count = static_cast<std::size_t>(near_last_ - near_first_);
  note_last_taken();
  entries = std::max(entries, kNearMost);
  if (count + entries > near_.size()) {
    std::vector<Entry> larger(2 * (count + entries));
    std::copy(near_first_, near_last_, larger.data());
    near_.swap(larger);
  } else {
    std::copy(near_first_, near_last_, near_.data());
  }
  near_first_ = near_.data();
  near_last_ = near_first_ + count;
  near_stop_ = near_last_ + entries;
}

// Once in a while: is there more than is worth shifting about? Entries at the present instant have to stay; all others
// can go to buckets, which are empty below the level that was opened last.
void EventList::push_and_tidy(Entry entry) {
  const auto count = static_cast<std::size_t>(near_last_ - near_first_);
  note_last_taken();
  std::uint64_t now = static_cast<std::uint64_t>(last_);
  if (far_size_ != 0) now = std::max(now, base_);
  if (count > kNearMost && near_last_[-1].time != static_cast<std::int64_t>(now)) spill(now);
  // The fewer there are, the cheaper it is to let them wander along the array and the rarer they are moved back.
  const auto left = static_cast<std::size_t>(near_last_ - near_first_);
  make_room(is_small() ? std::max(left / 4, 8 * kNearMost) : left / 4);
  push(entry);
}

void EventList::spill(std::uint64_t base) {
  MQLAB_ASSERT(near_first_->time >= static_cast<std::int64_t>(base), "an entry was pushed into the past");
  base_ = base;
  near_end_ = static_cast<std::int64_t>(base) + 1;
  Entry* kept = near_first_;
  while (kept != near_last_ && kept->time < near_end_) ++kept;
  for (Entry* e = kept; e != near_last_; ++e) push_far(*e);
  far_size_ += static_cast<std::size_t>(near_last_ - kept);
  near_last_ = kept;
}

EventList::Chunk* EventList::take_chunk() {
  if (free_chunks_ == nullptr) grow_chunks();
  Chunk* const chunk = free_chunks_;
  free_chunks_ = chunk->next;
  return chunk;
}

void EventList::grow_chunks() {
  const std::size_t count = std::max<std::size_t>(64, chunks_ / 2);
  const std::size_t bytes = count * sizeof(Chunk);
  const bool huge = bytes >= kHugePage;
  const std::align_val_t alignment{huge ? kHugePage : sizeof(Chunk)};
  auto* const memory = static_cast<Chunk*>(::operator new(bytes, alignment));
  blocks_.emplace_back(memory, Release{alignment});
  if (huge) madvise(memory, bytes, MADV_HUGEPAGE);  // as for slots; only advice
  for (std::size_t i = count; i-- > 0;) give_back(::new (static_cast<void*>(memory + i)) Chunk);
  chunks_ += count;
}

void EventList::Release::operator()(Chunk* chunks) const noexcept {
  ::operator delete(static_cast<void*>(chunks), alignment);
}

void EventList::give_back(Chunk* chunk) noexcept {
  chunk->next = free_chunks_;
  free_chunks_ = chunk;
}

Entry* EventList::add_chunk(unsigned bucket) {
  Chunk* const chunk = take_chunk();
  chunk->next = nullptr;
  if (Entry* const full = tail_[bucket]) {
    chunk_of(full - 1)->next = chunk;
  } else {
    head_[bucket] = chunk;
    buckets_[bucket / kDigits] |= std::uint64_t{1} << (bucket % kDigits);
    levels_ |= 1u << (bucket / kDigits);
  }
  return chunk->entries;
}

Entry* EventList::detach(unsigned bucket, Chunk*& head) noexcept {
  head = head_[bucket];
  Entry* const end = tail_[bucket];
  tail_[bucket] = nullptr;
  std::uint64_t& level = buckets_[bucket / kDigits];
  level &= ~(std::uint64_t{1} << (bucket % kDigits));
  if (level == 0) levels_ &= ~(1u << (bucket / kDigits));
  return end;
}

/// Visits the entries of a detached bucket in order of arrival and gives its chunks back.
template <class Visit>
void EventList::drain(Chunk* head, Entry* end, Visit visit) {
  Chunk* const tail = chunk_of(end - 1);
  while (head != nullptr) {
    Chunk* const next = head->next;
    if (next != nullptr) __builtin_prefetch(next->entries);
    Entry* const stop = head == tail ? end : head->entries + (kChunkEntries - 1);
    for (Entry* e = head->entries; e != stop; ++e) visit(*e);
    give_back(head);
    head = next;
  }
}

bool EventList::refill(std::int64_t limit) {
  make_room(2 * kNearMost);
  while (near_first_ == near_last_) {
    if (far_size_ <= kGatherMost) {
      gather();
      break;
    }
    const auto level = static_cast<unsigned>(__builtin_ctz(levels_));
    const auto digit = static_cast<unsigned>(__builtin_ctzll(buckets_[level]));
    const unsigned shift = level * kDigitBits;
    const std::uint64_t above =
        shift + kDigitBits < 64 ? base_ >> (shift + kDigitBits) << (shift + kDigitBits) : 0;
    const std::uint64_t start = above | std::uint64_t{digit} << shift;
    if (static_cast<std::int64_t>(start) > limit) return false;
    open(level, digit, start, limit);
  }
  near_stop_ = near_last_ + kNearMost;
  return near_first_ != near_last_;
}

void EventList::gather() {
  while (levels_ != 0) {
    const auto level = static_cast<unsigned>(__builtin_ctz(levels_));
    const auto digit = static_cast<unsigned>(__builtin_ctzll(buckets_[level]));
    Chunk* head;
    Entry* const end = detach(level * kDigits + digit, head);
    drain(head, end, [this](const Entry& e) { insert_near(e); });
  }
  far_size_ = 0;
  near_end_ = kForever;
  if (near_first_ == near_last_) last_ = 0;  // what was dropped unused may lie after the present
}

void EventList::open(unsigned level, unsigned digit, std::uint64_t start, std::int64_t limit) {
  Chunk* head;
  Entry* const end = detach(level * kDigits + digit, head);
  if (head->next != nullptr) {
    deal(head, end, start, limit);
    return;
  }
  for (Entry* e = head->entries; e != end; ++e) {
    slots_.prefetch(e->word);
    insert_near(*e);
  }
  far_size_ -= static_cast<std::size_t>(end - head->entries);
  give_back(head);
  base_ = start;
  near_end_ = static_cast<std::int64_t>(start + (std::uint64_t{1} << (level * kDigitBits)));
  if (near_end_ < 0) near_end_ = kForever;  // the topmost bucket: nothing can be left behind it
}

// Deals a large bucket out to lower levels, seen from its earliest instant or from the limit, whichever comes first. Entries at
// that instant go to `near`. They are in order already unless a timer was pushed on or ties are shuffled.
void EventList::deal(Chunk* head, Entry* end, std::uint64_t start, std::int64_t limit) {
  std::int64_t earliest = kForever;
  std::size_t count = 0;
  Chunk* const tail = chunk_of(end - 1);
  for (Chunk* c = head; c != nullptr; c = c->next) {
    if (c->next != nullptr) prefetch(*c->next);
    Entry* const stop = c == tail ? end : c->entries + (kChunkEntries - 1);
    for (Entry* e = c->entries; e != stop; ++e) earliest = std::min(earliest, e->time);
    count += static_cast<std::size_t>(stop - c->entries);
  }
  MQLAB_ASSERT(earliest >= static_cast<std::int64_t>(start), "a bucket holds an entry before its start");
  base_ = static_cast<std::uint64_t>(std::min(earliest, limit));
  near_end_ = static_cast<std::int64_t>(base_) + 1;
  make_room(count + kNearMost);
  const bool soon = count <= 2048;
  drain(head, end, [this, soon](const Entry& e) {
    if (soon) slots_.prefetch(e.word);
    if (e.time < near_end_) {
      *near_last_++ = e;
    } else {
      push_far(e);
    }
  });
  far_size_ -= static_cast<std::size_t>(near_last_ - near_first_);
  sort_near();
}

void EventList::sort_near() {
  if (!std::is_sorted(near_first_, near_last_, before)) std::sort(near_first_, near_last_, before);
}

void EventList::remove_if(const std::function<bool(const Entry&)>& gone) {
  near_last_ = std::remove_if(near_first_, near_last_, gone);
  for (unsigned bucket = 0; bucket < kLevels * kDigits; ++bucket) {
    if (tail_[bucket] == nullptr) continue;
    Chunk* head;
    Entry* const end = detach(bucket, head);
    drain(head, end, [&](const Entry& e) {
      if (gone(e)) {
        --far_size_;
      } else {
        push_far(e);
      }
    });
  }
}

}  // namespace sim::detail
