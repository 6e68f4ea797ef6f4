// A 128-bit hash of a sequence of 64-bit words: the digest of a run's trace, and the source of stream keys.
//
// The hash is our own and fixed: equal words in equal order give equal digests with every compiler, option
// and processor. It is made to notice accidents (a changed field, two records swapped, one left out); it is
// no protection against a forger. value() may be taken at any point: it stands for everything added so far,
// so successive values are chained partial digests and the first one that differs between two runs names the
// block where they part.
//
// Each word enters a lagged recurrence of two 64-bit lanes,
//     n[i] = rotl((n[i-2] ^ mix(w[i])) * K, 29) + n[i-1],
// which is invertible for a given word (so a single changed word can never be forgotten) and whose
// multiplications overlap: about 1 ns a word.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sim {

class Digest {
 public:
  void add(std::uint64_t word) noexcept {
    const std::uint64_t product = word * kSpread;
    const std::uint64_t mixed = product ^ (product >> 32);
    const std::uint64_t next = std::rotl((older_ ^ mixed) * kMultiply, 29) + newer_;
    older_ = newer_;
    newer_ = next;
    ++words_;
  }

  /// The same as add() of each word in turn.
  void add_span(std::span<const std::uint64_t> words) noexcept {
    for (const std::uint64_t word : words) add(word);
  }

  /// The number of bytes, then the bytes as little-endian words, the last one filled up with zeros.
  void add_bytes(std::span<const std::byte> bytes) noexcept;
  void add_text(std::string_view text) noexcept {
    add_bytes(std::as_bytes(std::span(text.data(), text.size())));
  }

  /// Digest of everything added so far; adding may go on.
  std::array<std::uint64_t, 2> value() const noexcept;
  /// The same as 32 lower-case hexadecimal digits.
  std::string hex() const { return hex(value()); }
  static std::string hex(const std::array<std::uint64_t, 2>& value);

  friend bool operator==(const Digest&, const Digest&) = default;

 private:
  static constexpr std::uint64_t kSpread = 0xa0b428db7a4ff31dULL;    // odd, bits about half set
  static constexpr std::uint64_t kMultiply = 0xd6e8feb86659fd93ULL;  // odd, bits about half set

  std::uint64_t older_ = 0x243f6a8885a308d3ULL;  // the first digits of pi
  std::uint64_t newer_ = 0x13198a2e03707344ULL;
  std::uint64_t words_ = 0;
};

}  // namespace sim
