#include "models/checkers/message_columns.hpp"

#include <algorithm>

#include "sim/assert.hpp"

namespace models {

namespace {
constexpr std::uint64_t kChunk = ColumnPool::kChunk;
}

std::unique_ptr<std::int64_t[]> ColumnPool::take_times() {
  if (times_.empty()) return std::make_unique<std::int64_t[]>(kChunk);
  auto taken = std::move(times_.back());
  times_.pop_back();
  return taken;
}

std::unique_ptr<std::uint32_t[]> ColumnPool::take_keys() {
  auto taken = keys_.empty() ? std::make_unique<std::uint32_t[]>(kChunk) : std::move(keys_.back());
  if (!keys_.empty()) keys_.pop_back();
  std::fill_n(taken.get(), kChunk, kNoKey);
  return taken;
}

void ColumnPool::give(std::unique_ptr<std::int64_t[]> times, std::unique_ptr<std::uint32_t[]> keys) {
  if (times) times_.push_back(std::move(times));
  if (keys) keys_.push_back(std::move(keys));
}

void MessageColumns::append(ColumnPool& pool, std::span<const std::int64_t> created,
                            std::span<const std::int64_t> keys, std::uint32_t shares) {
  for (std::size_t done = 0; done < created.size();) {
    if (size_ == chunks_.size() * kChunk) {
      Chunk& fresh = chunks_.emplace_back();
      fresh.times = pool.take_times();
      fresh.shares = kChunk * shares;
    }
    Chunk& chunk = chunks_.back();
    const std::size_t at = size_ % kChunk;
    const std::size_t n = std::min(created.size() - done, static_cast<std::size_t>(kChunk - at));
    std::copy_n(created.begin() + static_cast<std::ptrdiff_t>(done), n, chunk.times.get() + at);
    if (!keys.empty()) {
      if (!chunk.keys) chunk.keys = pool.take_keys();
      for (std::size_t i = 0; i < n; ++i) {
        const std::int64_t key = keys[done + i];
        MQLAB_ASSERT(key < std::int64_t{kNoKey}, "a key is an index below 2^32 - 1");
        chunk.keys[at + i] = key < 0 ? kNoKey : static_cast<std::uint32_t>(key);
      }
    }
    size_ += n;
    done += n;
  }
}

MessageColumns::Span MessageColumns::span(std::uint64_t seq, std::uint64_t n) const {
  const Chunk& chunk = chunks_[seq / kChunk];
  const std::size_t at = seq % kChunk;
  const std::size_t count = std::min(static_cast<std::size_t>(n), static_cast<std::size_t>(kChunk - at));
  if (!chunk.times) return {nullptr, nullptr, count};
  return {chunk.times.get() + at, chunk.keys ? chunk.keys.get() + at : nullptr, count};
}

void MessageColumns::pack(Chunk& chunk) {
  // One more than the key, so that no key is 0 and takes no room.
  std::uint32_t most = 0;
  for (std::size_t i = 0; i < kChunk; ++i) most = std::max(most, chunk.keys[i] + 1);
  chunk.width = most < 1U << 8 ? 1 : most < 1U << 16 ? 2 : 4;
  chunk.packed = std::make_unique<std::uint8_t[]>(kChunk * chunk.width);
  std::uint8_t* byte = chunk.packed.get();
  for (std::size_t i = 0; i < kChunk; ++i) {
    for (unsigned b = 0; b < chunk.width; ++b)
      *byte++ = static_cast<std::uint8_t>((chunk.keys[i] + 1) >> (8 * b));
  }
}

bool MessageColumns::recall_keys(std::uint64_t seq, std::uint64_t n, std::vector<std::uint32_t>& out) const {
  const Chunk& chunk = chunks_[seq / kChunk];
  if (!chunk.packed) return false;
  const std::size_t at = seq % kChunk;
  MQLAB_ASSERT(at + n <= kChunk, "keys are recalled chunk by chunk");
  out.clear();
  const std::uint8_t* byte = chunk.packed.get() + at * chunk.width;
  for (std::uint64_t i = 0; i < n; ++i) {
    std::uint32_t key = 0;
    for (unsigned b = 0; b < chunk.width; ++b) key |= static_cast<std::uint32_t>(*byte++) << (8 * b);
    out.push_back(key - 1);
  }
  return true;
}

void MessageColumns::release(ColumnPool& pool, std::uint64_t seq, std::uint64_t n) {
  while (n > 0) {
    Chunk& chunk = chunks_[seq / kChunk];
    const std::uint64_t part = std::min(n, kChunk - seq % kChunk);
    if (chunk.times) {  // else let go before a group that subscribed late
      MQLAB_ASSERT(chunk.shares >= part, "a share of a message is returned once");
      chunk.shares -= part;
      if (chunk.shares == 0) {
        if (chunk.keys) pack(chunk);
        pool.give(std::move(chunk.times), std::move(chunk.keys));
      }
    }
    seq += part;
    n -= part;
  }
}

void MessageColumns::add_share() {
  for (Chunk& chunk : chunks_) {
    if (chunk.times) chunk.shares += kChunk;
  }
}

}  // namespace models
