// A set of a few of thousands of numbers, walked in rising order: a bit for each, and a bit for each 64 of them that are not all
// zero, so that a producer of one partition in thousands looks at that one.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace models::kafka {

class BusySet {
 public:
  explicit BusySet(std::size_t size) : bits_(words(size)), filled_(words(bits_.size())) {}

  void insert(std::uint32_t n) {
    bits_[n / 64] |= bit(n);
    filled_[n / 64 / 64] |= bit(n / 64);
  }
  void erase(std::uint32_t n) {
    bits_[n / 64] &= ~bit(n);
    if (bits_[n / 64] == 0) filled_[n / 64 / 64] &= ~bit(n / 64);
  }
  /// The first in [from, end), or `end`.
  std::uint32_t next(std::uint32_t from, std::uint32_t end) const {
    if (from >= end) return end;
    if (const std::uint64_t here = bits_[from / 64] >> from % 64; here != 0)
      return std::min(end, from + zeros(here));
    for (std::uint32_t word = from / 64 + 1; word * 64 < end;) {
      const std::uint64_t filled = filled_[word / 64] >> word % 64;
      if (filled != 0) {
        word += zeros(filled);
        return std::min(end, word * 64 + zeros(bits_[word]));
      }
      word = (word / 64 + 1) * 64;
    }
    return end;
  }

 private:
  static std::size_t words(std::size_t bits) { return (bits + 63) / 64; }
  static std::uint64_t bit(std::uint32_t n) { return std::uint64_t{1} << n % 64; }
  static std::uint32_t zeros(std::uint64_t bits) {
    return static_cast<std::uint32_t>(std::countr_zero(bits));
  }

  std::vector<std::uint64_t> bits_;
  std::vector<std::uint64_t> filled_;
};

}  // namespace models::kafka
