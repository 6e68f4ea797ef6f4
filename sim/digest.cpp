#include "sim/digest.hpp"

namespace sim {
namespace {

std::uint64_t scramble(std::uint64_t x) noexcept {
  x = (x ^ (x >> 32)) * 0x9fb21c651e98df25ULL;
  x = (x ^ (x >> 29)) * 0xd1342543de82ef95ULL;
  return x ^ (x >> 32);
}

}  // namespace

void Digest::add_bytes(std::span<const std::byte> bytes) noexcept {
  add(bytes.size());
  for (std::size_t first = 0; first < bytes.size(); first += 8) {
    const std::size_t count = bytes.size() - first < 8 ? bytes.size() - first : 8;
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < count; ++i)
      word |= std::to_integer<std::uint64_t>(bytes[first + i]) << (8 * i);
    add(word);
  }
}

std::array<std::uint64_t, 2> Digest::value() const noexcept {
  // A Feistel network over the two lanes: a permutation, so that distinct states of one length stay distinct.
  std::uint64_t left = older_ + scramble(words_);
  std::uint64_t right = newer_;
  for (std::uint64_t round = 1; round <= 4; ++round) {
    const std::uint64_t swapped = left ^ scramble(right + round * kSpread);
    left = right;
    right = swapped;
  }
  return {left, right};
}

std::string Digest::hex(const std::array<std::uint64_t, 2>& value) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(32);
  for (const std::uint64_t word : value) {
    for (int shift = 60; shift >= 0; shift -= 4) text.push_back(digits[(word >> shift) & 15U]);
  }
  return text;
}

}  // namespace sim
