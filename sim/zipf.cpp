#include "sim/zipf.hpp"

#include <algorithm>

#include "sim/math.hpp"

namespace sim {

ZipfTable::ZipfTable(std::uint64_t n, double exponent)
    : n_(n),
      exponent_(exponent),
      blocks_(make_blocks(n, exponent)),
      picks_(upper_bounds(blocks_, exponent)) {}

std::vector<ZipfTable::Block> ZipfTable::make_blocks(std::uint64_t n, double exponent) {
  MQLAB_ASSERT(n >= 1 && n <= std::uint64_t{1} << 40, "a Zipf distribution has 1 to 2^40 ranks");
  MQLAB_ASSERT(exponent >= 0.0 && exponent <= 20.0, "a Zipf exponent lies between 0 and 20");
  // Within a block of relative width w, probabilities differ by about exponent * w.
  const double width = 0.03 / std::max(1.0, exponent);
  std::vector<Block> blocks;
  for (std::uint64_t first = 1; first <= n;) {
    const auto wanted = static_cast<std::uint64_t>(static_cast<double>(first) * width);
    const std::uint64_t size = std::min(std::max<std::uint64_t>(wanted, 1), n - first + 1);
    const double lowest =
        math::pow(static_cast<double>(first) / static_cast<double>(first + size - 1), exponent);
    // A little less than the lowest, so that rounding in pow() never decides.
    blocks.push_back({first, size, static_cast<std::uint64_t>(lowest * (1.0 - 0x1p-40) * 0x1p64)});
    first += size;
  }
  return blocks;
}

std::vector<double> ZipfTable::upper_bounds(const std::vector<Block>& blocks, double exponent) {
  std::vector<double> bounds;
  bounds.reserve(blocks.size());
  for (const Block& b : blocks) {
    bounds.push_back(static_cast<double>(b.size) * math::pow(static_cast<double>(b.first), -exponent));
  }
  return bounds;
}

std::uint64_t ZipfTable::sample(Stream& stream) const {
  for (;;) {
    const Block& block = blocks_[picks_.pick(stream.next())];
    if (block.size == 1) return block.first - 1;
    const WideProduct product = static_cast<WideProduct>(stream.next()) * block.size;
    const std::uint64_t rank = block.first + static_cast<std::uint64_t>(product >> 64);
    const auto fraction = static_cast<std::uint64_t>(product);
    if (fraction < block.sure) [[likely]]
      return rank - 1;
    const double chance = math::pow(static_cast<double>(block.first) / static_cast<double>(rank), exponent_);
    if (static_cast<double>(fraction) * 0x1p-64 < chance) return rank - 1;
  }
}

double ZipfTable::mean() const {
  return harmonic(n_, exponent_ - 1.0) / harmonic(n_, exponent_) - 1.0;
}

double ZipfTable::variance() const {
  const double total = harmonic(n_, exponent_);
  const double mean_from_one = harmonic(n_, exponent_ - 1.0) / total;
  return std::max(0.0, harmonic(n_, exponent_ - 2.0) / total - mean_from_one * mean_from_one);
}

double harmonic(std::uint64_t n, double s) {
  constexpr std::uint64_t kDirect = 64;
  double sum = 0.0;
  for (std::uint64_t k = 1; k <= std::min(n, kDirect); ++k) sum += math::pow(static_cast<double>(k), -s);
  if (n <= kDirect) return sum;
  // The rest by Euler and Maclaurin: the sum over a < k <= n is the integral, half the difference of the
  // ends, and corrections by odd derivatives.
  const auto a = static_cast<double>(kDirect);
  const auto b = static_cast<double>(n);
  const double at_a = math::pow(a, -s);
  const double at_b = math::pow(b, -s);
  const double slope = -s * (at_b / b - at_a / a);
  const double third = -s * (s + 1.0) * (s + 2.0) * (at_b / (b * b * b) - at_a / (a * a * a));
  const double fifth = -s * (s + 1.0) * (s + 2.0) * (s + 3.0) * (s + 4.0) *
                       (at_b / (b * b * b * b * b) - at_a / (a * a * a * a * a));
  return sum + math::power_integral(-s, a, b) + 0.5 * (at_b - at_a) + slope / 12.0 - third / 720.0 +
         fifth / 30240.0;
}

}  // namespace sim
