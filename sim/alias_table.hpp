// Draws an index by weight in constant time (Walker's alias method, Vose's construction): one word, one
// comparison.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/random.hpp"

namespace sim {

class AliasTable {
 public:
  /// Requires at least one weight, none negative, a positive finite sum (assertions). Weights are met to
  /// within 2^-50.
  explicit AliasTable(std::span<const double> weights);

  std::size_t pick(std::uint64_t word) const noexcept {
    const WideProduct product = static_cast<WideProduct>(word) * cells_.size();
    const auto index = static_cast<std::size_t>(product >> 64);
    const Cell& cell = cells_[index];
    return static_cast<std::uint64_t>(product) < cell.threshold ? index : cell.alias;
  }

  std::size_t size() const noexcept { return cells_.size(); }

 private:
  struct Cell {
    std::uint64_t threshold;  // below this fraction of the cell (times 2^64) the cell's own index is drawn
    std::size_t alias;        // else this one
  };
  std::vector<Cell> cells_;
};

}  // namespace sim
