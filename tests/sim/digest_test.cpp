#include "sim/digest.hpp"

#include <bit>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "sim/random.hpp"
#include "tests/catch.hpp"

namespace {

sim::Digest digest_of(const std::vector<std::uint64_t>& words) {
  sim::Digest digest;
  digest.add_span(words);
  return digest;
}

int differing_bits(const sim::Digest& a, const sim::Digest& b) {
  const auto x = a.value();
  const auto y = b.value();
  return static_cast<int>(std::popcount(x[0] ^ y[0]) + std::popcount(x[1] ^ y[1]));
}

}  // namespace

TEST_CASE("the digest of fixed input is fixed for ever") {
  CHECK(sim::Digest{}.hex() == "d32a42f9ecc8ca05d583133b39f5667c");
  CHECK(digest_of({0}).hex() == "093bdaa161603a70a147eda27190b8e5");
  CHECK(digest_of({1, 2, 3, 4, 5, 6, 7}).hex() == "0195adfe42e380ab5392171a8c0d8fb7");
  sim::Digest text;
  text.add_text("mqlab");
  CHECK(text.hex() == "5a3c8572a4043d86092571ed1d3d7609");
}

TEST_CASE("a digest is written as 32 lower-case hexadecimal digits") {
  CHECK(sim::Digest::hex({0x0123456789abcdefULL, 0xfULL}) == "0123456789abcdef000000000000000f");
}

TEST_CASE("words added one by one and as a span give one digest") {
  sim::Digest single;
  for (std::uint64_t w = 1; w <= 7; ++w) single.add(w);
  CHECK(single == digest_of({1, 2, 3, 4, 5, 6, 7}));
  CHECK(single.hex() == digest_of({1, 2, 3, 4, 5, 6, 7}).hex());
}

TEST_CASE("bytes enter as their number and little-endian words") {
  sim::Digest bytes;
  bytes.add_text("abcdefghij");
  CHECK(bytes.hex() == digest_of({10, 0x6867666564636261ULL, 0x6a69ULL}).hex());
  sim::Digest padded;
  padded.add_text(std::string("abcdefghij\0", 11));
  CHECK(padded.hex() != bytes.hex());
}

TEST_CASE("the digest sees order and length") {
  CHECK(digest_of({1, 2}).hex() != digest_of({2, 1}).hex());
  CHECK(digest_of({1, 2, 3, 4}).hex() != digest_of({3, 2, 1, 4}).hex());
  CHECK(digest_of({}).hex() != digest_of({0}).hex());
  CHECK(digest_of({0, 0}).hex() != digest_of({0, 0, 0}).hex());
  CHECK(digest_of({5, 0}).hex() != digest_of({5}).hex());
}

TEST_CASE("taking the value on the way does not disturb the digest, and partial values are all different") {
  sim::Digest watched;
  sim::Digest plain;
  std::set<std::string> partials;
  for (std::uint64_t w = 0; w < 1000; ++w) {
    watched.add(0);
    plain.add(0);
    partials.insert(watched.hex());
  }
  CHECK(watched.hex() == plain.hex());
  CHECK(partials.size() == 1000);
}

TEST_CASE("one changed input bit changes half of the digest's bits, wherever it is") {
  const std::vector<std::uint64_t> words = {3, 1, 4, 1, 5, 9, 2, 6};
  const sim::Digest original = digest_of(words);
  double total = 0.0;
  int fewest = 128;
  std::vector<int> flips(128, 0);
  for (std::size_t word = 0; word < words.size(); ++word) {
    for (int bit = 0; bit < 64; ++bit) {
      std::vector<std::uint64_t> changed = words;
      changed[word] ^= std::uint64_t{1} << bit;
      const sim::Digest other = digest_of(changed);
      const int count = differing_bits(original, other);
      total += count;
      fewest = std::min(fewest, count);
      for (std::size_t i = 0; i < 128; ++i) {
        flips[i] += static_cast<int>(((original.value()[i / 64] ^ other.value()[i / 64]) >> (i % 64)) & 1U);
      }
    }
  }
  CHECK(total / 512.0 == Approx(64.0).margin(1.5));
  CHECK(fewest >= 40);
  for (const int count : flips) CHECK(std::abs(count - 256) < 60);  // five standard deviations of a fair coin
}

TEST_CASE("small changes to two words never meet in one digest") {
  std::set<std::string> seen;
  for (std::uint64_t a = 0; a < 200; ++a) {
    for (std::uint64_t b = 0; b < 200; ++b) seen.insert(digest_of({a, b}).hex());
  }
  CHECK(seen.size() == 40000);
}
