// Random numbers: counter-based streams, each named, none knowing of another.
//
// A Stream is Philox4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) under a key
// made of the run's seed and the stream's name. Guarantees:
//   - a stream's words depend on (seed, name) alone: adding a component, a fault or a draw elsewhere moves
//     no other stream;
//   - Stream(StreamKey{k0, k1}) gives the words of numpy.random.Philox(key=[k0, k1]).random_raw(), and the
//     same bits with every compiler, optimisation and processor (+ - * /, sqrt, tables and integers only);
//   - draws that belong to one message come from Stream::keyed(): whoever handles the message, and in
//     whatever order, the draws are the same, so two configurations under one seed meet the same work
//     (common random numbers).
//
// Use: give each purpose its own name ("shop/0/arrivals"); two streams of one name are the same numbers
// twice. A Stream is a value: a copy goes on from the same place. It belongs to one component and is not
// shared between threads.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "sim/assert.hpp"
#include "sim/wide.hpp"

namespace sim {

/// The key of a stream; equal keys are equal streams.
struct StreamKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
  friend bool operator==(const StreamKey&, const StreamKey&) = default;
};

/// The key of the stream `name` in a run with `seed`: a fixed 128-bit hash of both.
StreamKey stream_key(std::uint64_t seed, std::string_view name);

namespace detail {

/// One layer of a ziggurat: a 53-bit integer u below `accept` gives the draw u * scale at once.
struct ZigguratLayer {
  std::uint64_t accept;
  double scale;
};
extern const std::array<ZigguratLayer, 256> kExponentialLayers;
extern const std::array<ZigguratLayer, 256> kNormalLayers;

}  // namespace detail

class Stream {
 public:
  Stream(std::uint64_t seed, std::string_view name) : Stream(stream_key(seed, name)) {}
  explicit Stream(StreamKey key) noexcept : key_(key) {}

  /// The short stream of draws that belong to one message: (a, b, c) says which. `b` is the message's number
  /// within `a` (its offset or sequence number): a schedule, which draws nothing, takes its value by it.
  /// Independent of Stream(key).
  static Stream keyed(StreamKey key, std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0) noexcept {
    Stream stream(StreamKey{key.k0, key.k1 ^ kKeyedTag});
    stream.high_ = {a, b, c};
    stream.ordinal_ = b;
    return stream;
  }

  /// 64 random bits.
  std::uint64_t next() {
    if (position_ == available_) [[unlikely]]
      refill();
    return words_[position_++];
  }

  /// In [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  /// In 0 .. n-1, every value exactly as likely. Requires n > 0.
  std::uint64_t uniform_int(std::uint64_t n) {
    MQLAB_ASSERT(n > 0, "uniform_int needs a choice of at least one");
    WideProduct product = static_cast<WideProduct>(next()) * n;
    if (static_cast<std::uint64_t>(product) < n) [[unlikely]] {
      const std::uint64_t short_by = (0 - n) % n;
      while (static_cast<std::uint64_t>(product) < short_by) product = static_cast<WideProduct>(next()) * n;
    }
    return static_cast<std::uint64_t>(product >> 64);
  }

  /// True with probability p; never for p <= 0, always for p >= 1.
  bool bernoulli(double p) { return uniform() < p; }

  /// Exponential with mean 1.
  double exponential() {
    const std::uint64_t word = next();
    const detail::ZigguratLayer& layer = detail::kExponentialLayers[word & 255U];
    const std::uint64_t u = word >> 11;
    const double x = static_cast<double>(u) * layer.scale;
    if (u < layer.accept) [[likely]]
      return x;
    return exponential_edge(word & 255U, x);
  }

  /// Normal with mean 0 and standard deviation 1.
  double normal() {
    const std::uint64_t word = next();
    const detail::ZigguratLayer& layer = detail::kNormalLayers[word & 255U];
    const std::uint64_t u = word >> 11;
    const double x = static_cast<double>(u) * layer.scale;
    if (u < layer.accept) [[likely]]
      return with_sign(x, word);
    return with_sign(normal_edge(word & 255U, x), word);
  }

  /// Exponentials with mean 1: the same as exponential() for each element in turn.
  void fill(std::span<double> exponentials);

  /// 0, 1, 2 … (from `b` for a keyed stream): the place in a schedule. Takes no random word.
  std::uint64_t next_ordinal() noexcept { return ordinal_++; }

 private:
  static constexpr std::uint64_t kKeyedTag = 0x6b65796564000000ULL;
  static constexpr std::size_t kBlock = 4;   // words of one counter
  static constexpr std::size_t kBlocks = 3;  // counters computed side by side: their multiplications overlap

  /// Bit 8 of the word is the sign; no branch, which would be guessed wrong half of the time.
  static double with_sign(double x, std::uint64_t word) noexcept {
    return std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) | (word & 256U) << 55);
  }
  void refill() noexcept;
  double exponential_edge(std::uint64_t layer, double x);
  double normal_edge(std::uint64_t layer, double x);

  std::array<std::uint64_t, kBlock * kBlocks> words_{};
  std::uint32_t position_ = 0;
  std::uint32_t available_ = 0;
  std::uint64_t block_ = 0;  // counter word 0 of the last block computed; numpy too counts before it computes
  std::array<std::uint64_t, 3> high_{};  // counter words 1 to 3
  StreamKey key_;
  std::uint64_t ordinal_ = 0;
};

}  // namespace sim
