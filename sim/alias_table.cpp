#include "sim/alias_table.hpp"

#include "sim/assert.hpp"

namespace sim {

AliasTable::AliasTable(std::span<const double> weights) : cells_(weights.size()) {
  double sum = 0.0;
  for (const double w : weights) {
    MQLAB_ASSERT(w >= 0.0, "a weight is not negative");
    sum += w;
  }
  MQLAB_ASSERT(sum > 0.0 && sum < 0x1p1000, "weights have a positive finite sum");

  std::vector<double> share(weights.size());  // weight as a multiple of the mean weight
  std::vector<std::size_t> small, large;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    share[i] = weights[i] / sum * static_cast<double>(weights.size());
    (share[i] < 1.0 ? small : large).push_back(i);
  }
  while (!small.empty() && !large.empty()) {
    const std::size_t poor = small.back();
    const std::size_t rich = large.back();
    small.pop_back();
    cells_[poor] = {static_cast<std::uint64_t>(share[poor] * 0x1p64), rich};
    share[rich] -= 1.0 - share[poor];
    if (share[rich] < 1.0) {
      large.pop_back();
      small.push_back(rich);
    }
  }
  // What is left is 1 up to rounding; the alias is the cell itself, so the threshold does not matter.
  for (const std::vector<std::size_t>* rest : {&small, &large}) {
    for (const std::size_t i : *rest) cells_[i] = {~std::uint64_t{0}, i};
  }
}

}  // namespace sim
