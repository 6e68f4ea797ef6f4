#include "sim/random.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#if __has_include(<Random123/philox.h>)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#include <Random123/philox.h>
#pragma GCC diagnostic pop
#define MQLAB_HAS_RANDOM123 1
#endif

#include "sim/digest.hpp"
#include "tests/catch.hpp"
#include "tests/sim/fit.hpp"

using sim::Stream;
using sim::StreamKey;

namespace {

std::vector<std::uint64_t> words(Stream stream, int count) {
  std::vector<std::uint64_t> out;
  for (int i = 0; i < count; ++i) out.push_back(stream.next());
  return out;
}

template <class Draw>
std::vector<double> draws(int count, Draw&& draw) {
  Stream stream(20240607, "fit");
  std::vector<double> out;
  for (int i = 0; i < count; ++i) out.push_back(draw(stream));
  return out;
}

double exponential_cdf(double x) {
  return 1.0 - std::exp(-x);
}
double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

}  // namespace

TEST_CASE("a stream gives the words of numpy.random.Philox with the same key") {
  // numpy.random.Philox(key=[k0, k1]).random_raw(12), numpy 2.
  CHECK(words(Stream(StreamKey{0, 0}), 12) ==
        std::vector<std::uint64_t>{0x02f4ba6408e4d89b, 0x3dd62b0b9ca8c5b2, 0x1c8667a55d902e79,
                                   0x907d7a052fd5b4dc, 0x809bf322883987c3, 0x471128b9e807f7dd,
                                   0xf250ba0dbec065b7, 0xfc6ed66767a457bc, 0x40fa86f0f781945d,
                                   0x31eed5a366689e12, 0xb6329ed9f2a1ceba, 0x219a8fa4c23828e2});
  CHECK(words(Stream(StreamKey{0x452821e638d01377, 0xbe5466cf34e90c6c}), 12) ==
        std::vector<std::uint64_t>{0x3d8caba218d43204, 0x394697b14a140ddf, 0x571179195a3d0477,
                                   0x6a29b4f565664b0f, 0xce8aabf1c1409fdd, 0x7d9bbe30ee34e55a,
                                   0x1ff1aa48152253d1, 0x62a99f25cd220638, 0xe337d5dbf11fb662,
                                   0x549ed89473fbad6b, 0x1001aea3c8fa8b64, 0x57dca6085ab85d4f});
}

TEST_CASE("a thousand words under key (7, 11) match numpy's") {
  const std::vector<std::uint64_t> all = words(Stream(StreamKey{7, 11}), 1000);
  std::uint64_t mixed = 0;
  for (const std::uint64_t w : all) mixed ^= w;
  CHECK(mixed == 0x3c14754eadf8cd25);
  CHECK(all.back() == 0xcb744b6e765bfef8);
}

TEST_CASE("a keyed stream is numpy's Philox with counter (0, a, b, c) under the tagged key") {
  const StreamKey key{0x452821e638d01377, 0xbe5466cf34e90c6c};
  CHECK(words(Stream::keyed(key, 3, 17, 2), 12) ==
        std::vector<std::uint64_t>{0x8e295f9452d8ba58, 0x28692ad0d7f60f20, 0x5d05a01c617718b1,
                                   0xa15c817e14fac676, 0x923538666c1dc17e, 0x34f733dfec300dcf,
                                   0x0260ec7f0accafdc, 0x28f43c99fd489ecf, 0xdf2cad7743b71079,
                                   0x79f0513d671b4e8f, 0xcc7bd1d68892f0bd, 0x9370bcbcb7b2c040});
}

#ifdef MQLAB_HAS_RANDOM123
TEST_CASE("a stream agrees with the Random123 library block by block") {
  Stream stream(StreamKey{123456789, 987654321});
  for (std::uint64_t block = 1; block <= 100; ++block) {
    const philox4x64_ctr_t counter = {{block, 0, 0, 0}};
    const philox4x64_key_t key = {{123456789, 987654321}};
    const philox4x64_ctr_t expected = philox4x64(counter, key);
    for (const std::uint64_t word : expected.v) REQUIRE(stream.next() == word);
  }
}
#endif

TEST_CASE("a stream's key depends on seed and name, and is fixed for ever") {
  CHECK(sim::stream_key(1, "shop/0/arrivals") == StreamKey{0x27fffa9ca1df9705, 0x9da4ba79b3a66c46});
  std::set<std::pair<std::uint64_t, std::uint64_t>> keys;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    for (int i = 0; i < 100; ++i) {
      const StreamKey key = sim::stream_key(seed, "shop/" + std::to_string(i));
      keys.insert({key.k0, key.k1});
    }
  }
  CHECK(keys.size() == 10000);
}

TEST_CASE("drawing from one stream, or adding another, moves no other stream") {
  const std::vector<std::uint64_t> alone = words(Stream(7, "billing/service"), 100);
  Stream added(7, "faults/crash");
  Stream interleaved(7, "billing/service");
  for (int i = 0; i < 100; ++i) {
    added.next();
    REQUIRE(interleaved.next() == alone[static_cast<std::size_t>(i)]);
    added.exponential();
  }
}

TEST_CASE("a copied stream goes on from the same place") {
  Stream original(1, "copy");
  for (int i = 0; i < 5; ++i) original.next();
  Stream copy = original;
  CHECK(words(copy, 20) == words(original, 20));
}

TEST_CASE("keyed draws depend on the message alone, not on the order of handling") {
  const StreamKey key = sim::stream_key(1, "billing/service");
  std::vector<double> forwards, backwards;
  for (std::uint64_t offset = 0; offset < 50; ++offset)
    forwards.push_back(Stream::keyed(key, 2, offset).exponential());
  for (std::uint64_t offset = 50; offset-- > 0;)
    backwards.push_back(Stream::keyed(key, 2, offset).exponential());
  std::reverse(backwards.begin(), backwards.end());
  CHECK(forwards == backwards);
}

TEST_CASE("keyed streams of different messages share no word with each other or with the plain stream") {
  const StreamKey key{5, 6};
  std::set<std::uint64_t> seen;
  for (std::uint64_t a = 0; a < 10; ++a) {
    for (std::uint64_t b = 0; b < 10; ++b) {
      for (std::uint64_t c = 0; c < 10; ++c) {
        for (const std::uint64_t w : words(Stream::keyed(key, a, b, c), 6)) seen.insert(w);
      }
    }
  }
  for (const std::uint64_t w : words(Stream(key), 1000)) seen.insert(w);
  CHECK(seen.size() == 7000);
}

TEST_CASE("first words of successive keyed streams are uniform") {
  const StreamKey key = sim::stream_key(3, "billing/service");
  std::vector<double> first;
  for (std::uint64_t offset = 0; offset < 20000; ++offset)
    first.push_back(Stream::keyed(key, 0, offset).uniform());
  CHECK(fit::kolmogorov(first, [](double x) { return x; }) < fit::kKolmogorovLimit);
}

TEST_CASE("uniform draws fit, stay below 1, and the test would notice a square") {
  const std::vector<double> u = draws(50000, [](Stream& s) { return s.uniform(); });
  CHECK(fit::kolmogorov(u, [](double x) { return x; }) < fit::kKolmogorovLimit);
  CHECK(*std::max_element(u.begin(), u.end()) < 1.0);
  CHECK(*std::min_element(u.begin(), u.end()) >= 0.0);
  CHECK(fit::kolmogorov(u, [](double x) { return x * x; }) > fit::kKolmogorovLimit);
}

TEST_CASE("exponential draws fit, and the test would notice a mean wrong by 3 %") {
  const std::vector<double> x = draws(50000, [](Stream& s) { return s.exponential(); });
  CHECK(fit::kolmogorov(x, exponential_cdf) < fit::kKolmogorovLimit);
  CHECK(fit::kolmogorov(x, [](double v) { return exponential_cdf(v / 1.03); }) > fit::kKolmogorovLimit);
}

TEST_CASE("normal draws fit, and the test would notice a shift of 3 %") {
  const std::vector<double> x = draws(50000, [](Stream& s) { return s.normal(); });
  CHECK(fit::kolmogorov(x, normal_cdf) < fit::kKolmogorovLimit);
  CHECK(fit::kolmogorov(x, [](double v) { return normal_cdf(v - 0.03); }) > fit::kKolmogorovLimit);
}

TEST_CASE("the ziggurats' edges and tails have the right weight") {
  // Equal cells of probability 1/4096 by the distribution function: layers, wedges and the tail all lie among
  // them.
  constexpr std::size_t cells = 4096;
  constexpr int count = 4'000'000;
  std::vector<double> exponential(cells, 0.0), normal(cells, 0.0);
  Stream stream(11, "ziggurat");
  for (int i = 0; i < count; ++i) {
    exponential[std::min(cells - 1,
                         static_cast<std::size_t>(exponential_cdf(stream.exponential()) * cells))] += 1.0;
    normal[std::min(cells - 1, static_cast<std::size_t>(normal_cdf(stream.normal()) * cells))] += 1.0;
  }
  const std::vector<double> expected(cells, static_cast<double>(count) / cells);
  CHECK(std::abs(fit::chi_square_score(exponential, expected)) < fit::kChiSquareLimit);
  CHECK(std::abs(fit::chi_square_score(normal, expected)) < fit::kChiSquareLimit);
  // The tail beyond the last layer alone: 1/e^7.7 of exponentials, 2.58e-4 of normals.
  std::vector<double> beyond_exponential, beyond_normal;
  for (int i = 0; i < count; ++i) {
    const double e = stream.exponential();
    if (e > 7.69711747013105) beyond_exponential.push_back(e - 7.69711747013105);
    const double z = std::abs(stream.normal());
    if (z > 3.6541528853610088) beyond_normal.push_back(z);
  }
  const double tail = 1.0 - normal_cdf(3.6541528853610088);
  CHECK(static_cast<double>(beyond_exponential.size()) ==
        Approx(count * std::exp(-7.69711747013105)).epsilon(0.1));
  CHECK(static_cast<double>(beyond_normal.size()) == Approx(2 * count * tail).epsilon(0.12));
  CHECK(fit::kolmogorov(beyond_exponential, exponential_cdf) < fit::kKolmogorovLimit);
  CHECK(fit::kolmogorov(beyond_normal, [&](double z) { return 1.0 - (1.0 - normal_cdf(z)) / tail; }) <
        fit::kKolmogorovLimit);
}

TEST_CASE("uniform integers are unbiased and cover their range") {
  Stream stream(1, "dice");
  std::vector<double> seen(7, 0.0);
  for (int i = 0; i < 70000; ++i) seen[stream.uniform_int(7)] += 1.0;
  CHECK(std::abs(fit::chi_square_score(seen, std::vector<double>(7, 10000.0))) < fit::kChiSquareLimit);
  CHECK(stream.uniform_int(1) == 0);
  // A range just above half of all words would be biased 2 to 1 without rejection.
  const std::uint64_t n = (std::uint64_t{1} << 63) + (std::uint64_t{1} << 62);
  int upper = 0;
  for (int i = 0; i < 30000; ++i) upper += stream.uniform_int(n) >= n / 3 * 2 ? 1 : 0;
  CHECK(std::abs(upper - 10000) < 400);
}

TEST_CASE("a choice among none is an assertion") {
  Stream stream(1, "none");
  CHECK_THROWS_AS(stream.uniform_int(0), sim::AssertionError);
}

TEST_CASE("Bernoulli draws are never true at 0, always at 1, and right between") {
  Stream stream(1, "coin");
  int heads = 0;
  for (int i = 0; i < 100000; ++i) {
    REQUIRE_FALSE(stream.bernoulli(0.0));
    REQUIRE(stream.bernoulli(1.0));
    heads += stream.bernoulli(0.3) ? 1 : 0;
  }
  CHECK(std::abs(heads - 30000) < 600);
}

TEST_CASE("a block of exponentials is the same as one at a time") {
  Stream one(4, "block");
  Stream block(4, "block");
  std::vector<double> filled(1000);
  block.fill(filled);
  for (const double x : filled) REQUIRE(x == one.exponential());
  CHECK(block.next() == one.next());
}

TEST_CASE("a stream counts its ordinals from 0, a keyed one from the message's number") {
  Stream plain(1, "ordinal");
  CHECK(plain.next_ordinal() == 0);
  CHECK(plain.next_ordinal() == 1);
  Stream keyed = Stream::keyed({1, 2}, 9, 41);
  CHECK(keyed.next_ordinal() == 41);
}

TEST_CASE("a million exponential and normal draws have the recorded bits") {
  Stream stream(1, "golden");
  sim::Digest exponential;
  sim::Digest normal;
  for (int i = 0; i < 1'000'000; ++i) {
    exponential.add(std::bit_cast<std::uint64_t>(stream.exponential()));
    normal.add(std::bit_cast<std::uint64_t>(stream.normal()));
  }
  CHECK(exponential.hex() == "179fed298fadc05531cbde35c2c3c2b4");
  CHECK(normal.hex() == "0ba791469b2bc07a6c96a35b215e1e6e");
}
