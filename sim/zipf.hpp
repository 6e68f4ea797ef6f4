// Zipf ranks in constant time, exact, with a table that does not grow with the number of ranks.
//
// Ranks are grouped into blocks whose probabilities differ by a few percent at most: the first ranks stand
// alone, later blocks hold ever more. A draw picks a block by an alias table over the blocks' upper bounds,
// then a rank inside it, and accepts by the rank's true probability. All but a few percent are accepted by
// comparing integers; no function is called. A table for a million keys is some 400 blocks (about 15 kB),
// made in microseconds.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/alias_table.hpp"
#include "sim/random.hpp"

namespace sim {

class ZipfTable {
 public:
  /// Requires 1 <= n <= 2^40 and 0 <= exponent <= 20 (assertions).
  ZipfTable(std::uint64_t n, double exponent);

  /// A rank 0 .. n-1.
  std::uint64_t sample(Stream& stream) const;

  double mean() const;
  double variance() const;

 private:
  struct Block {
    std::uint64_t first;  // rank, from 1
    std::uint64_t size;
    std::uint64_t sure;  // a fraction (times 2^64) that every rank of the block passes
  };
  static std::vector<Block> make_blocks(std::uint64_t n, double exponent);
  static std::vector<double> upper_bounds(const std::vector<Block>& blocks, double exponent);

  std::uint64_t n_;
  double exponent_;
  std::vector<Block> blocks_;
  AliasTable picks_;
};

/// 1^-s + 2^-s + … + n^-s, for any s; relative error about 1e-13.
double harmonic(std::uint64_t n, double s);

}  // namespace sim
