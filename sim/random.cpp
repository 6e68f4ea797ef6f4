#include "sim/random.hpp"

#include "sim/digest.hpp"
#include "sim/math.hpp"

namespace sim {
namespace detail {
#include "sim/ziggurat_tables.inc"
}  // namespace detail

namespace {

constexpr std::uint64_t kMultiplier0 = 0xd2e7470ee14c6c93ULL;
constexpr std::uint64_t kMultiplier1 = 0xca5a826395121157ULL;
constexpr std::uint64_t kWeyl0 = 0x9e3779b97f4a7c15ULL;
constexpr std::uint64_t kWeyl1 = 0xbb67ae8584caa73bULL;

using Counter = std::array<std::uint64_t, 4>;

inline Counter philox_round(const Counter& c, std::uint64_t k0, std::uint64_t k1) noexcept {
  const WideProduct p0 = static_cast<WideProduct>(kMultiplier0) * c[0];
  const WideProduct p1 = static_cast<WideProduct>(kMultiplier1) * c[2];
  return {static_cast<std::uint64_t>(p1 >> 64) ^ c[1] ^ k0, static_cast<std::uint64_t>(p1),
          static_cast<std::uint64_t>(p0 >> 64) ^ c[3] ^ k1, static_cast<std::uint64_t>(p0)};
}

/// Ten rounds of Philox4x64 over several counters side by side.
template <std::size_t n>
inline void philox(std::array<Counter, n>& counters, StreamKey key) noexcept {
  for (int round = 0; round < 10; ++round) {
    for (Counter& c : counters) c = philox_round(c, key.k0, key.k1);
    key.k0 += kWeyl0;
    key.k1 += kWeyl1;
  }
}

}  // namespace

StreamKey stream_key(std::uint64_t seed, std::string_view name) {
  Digest hash;
  hash.add(seed);
  hash.add_text(name);
  const std::array<std::uint64_t, 2> value = hash.value();
  return {value[0], value[1]};
}

void Stream::refill() noexcept {
  position_ = 0;
  if (block_ == 0) {
    // A keyed stream rarely needs more than its first block.
    std::array<Counter, 1> one = {Counter{++block_, high_[0], high_[1], high_[2]}};
    philox(one, key_);
    for (std::size_t i = 0; i < kBlock; ++i) words_[i] = one[0][i];
    available_ = kBlock;
    return;
  }
  std::array<Counter, kBlocks> blocks;
  for (Counter& c : blocks) c = {++block_, high_[0], high_[1], high_[2]};
  philox(blocks, key_);
  for (std::size_t i = 0; i < kBlock * kBlocks; ++i) words_[i] = blocks[i / kBlock][i % kBlock];
  available_ = kBlock * kBlocks;
}

double Stream::exponential_edge(std::uint64_t layer, double x) {
  for (;;) {
    // The tail beyond the last layer is the same distribution once more (no memory).
    if (layer == 0) return detail::kExponentialRight + exponential();
    const double low = detail::kExponentialHeights[layer];
    const double high = detail::kExponentialHeights[layer + 1];
    if (low + uniform() * (high - low) < math::exp(-x)) return x;
    const std::uint64_t word = next();
    const detail::ZigguratLayer& again = detail::kExponentialLayers[word & 255U];
    layer = word & 255U;
    x = static_cast<double>(word >> 11) * again.scale;
    if (word >> 11 < again.accept) return x;
  }
}

double Stream::normal_edge(std::uint64_t layer, double x) {
  for (;;) {
    if (layer == 0) {
      // Marsaglia's tail: an exponential with the slope at the edge, accepted by a second one.
      for (;;) {
        const double beyond = exponential() / detail::kNormalRight;
        if (2.0 * exponential() > beyond * beyond) return detail::kNormalRight + beyond;
      }
    }
    const double low = detail::kNormalHeights[layer];
    const double high = detail::kNormalHeights[layer + 1];
    if (low + uniform() * (high - low) < math::exp(-0.5 * x * x)) return x;
    const std::uint64_t word = next();
    const detail::ZigguratLayer& again = detail::kNormalLayers[word & 255U];
    layer = word & 255U;
    x = static_cast<double>(word >> 11) * again.scale;
    if (word >> 11 < again.accept) return x;
  }
}

void Stream::fill(std::span<double> exponentials) {
  for (double& x : exponentials) x = exponential();
}

}  // namespace sim
