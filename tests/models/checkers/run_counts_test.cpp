#include <cstdint>
#include <map>

#include "models/checkers/run_counts.hpp"
#include "tests/catch.hpp"

using models::RunCounts;

TEST_CASE("what is counted in order is one run, however long") {
  RunCounts counts;
  for (std::uint64_t i = 0; i < 100000; ++i) counts.add(i, 1);
  REQUIRE(counts.runs() == 1);
  REQUIRE(counts.at(99999) == 1);
  REQUIRE(counts.at(100000) == 0);
}

TEST_CASE("a range read again counts twice and is told apart from what is new") {
  RunCounts counts;
  counts.add(0, 100);
  std::uint64_t fresh = 0;
  std::uint64_t again = 0;
  counts.add(90, 20, [&](std::uint64_t, std::uint64_t n, std::uint32_t before) {
    (before == 0 ? fresh : again) += n;
  });
  REQUIRE(fresh == 10);
  REQUIRE(again == 10);
  REQUIRE(counts.at(95) == 2);
  REQUIRE(counts.at(105) == 1);
}

TEST_CASE("a hole that is filled late merges with its neighbours") {
  RunCounts counts;
  counts.add(0, 10);
  counts.add(20, 10);
  REQUIRE(counts.runs() == 2);
  counts.add(10, 10);
  REQUIRE(counts.runs() == 1);
  REQUIRE(counts.end() == 30);
}

TEST_CASE("an empty range is a mistake") {
  RunCounts counts;
  REQUIRE_THROWS_AS(counts.add(5, 0), sim::AssertionError);
}

TEST_CASE("erasing the end forgets it and what comes next starts afresh") {
  RunCounts counts;
  counts.add(0, 50);
  counts.add(30, 20);
  counts.erase_from(40);
  REQUIRE(counts.at(39) == 2);
  REQUIRE(counts.at(40) == 0);
  counts.add(40, 5);
  REQUIRE(counts.at(44) == 1);
  counts.erase_from(0);
  REQUIRE(counts.empty());
}

TEST_CASE("counts agree with a plain table for thousands of arbitrary programs") {
  std::uint64_t state = 1;
  const auto draw = [&state](std::uint64_t below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state >> 33) % below;
  };
  for (int program = 0; program < 2000; ++program) {
    RunCounts counts;
    RunCounts other;
    std::array<std::uint32_t, 64> table{};
    std::array<std::uint32_t, 64> other_table{};
    for (int step = 0; step < 30; ++step) {
      const std::uint64_t first = draw(60);
      const std::uint64_t n = 1 + draw(64 - first);
      if (draw(8) == 0) {
        counts.erase_from(first);
        std::fill(table.begin() + static_cast<std::ptrdiff_t>(first), table.end(), 0);
        continue;
      }
      const bool second = draw(3) == 0;
      (second ? other : counts).add(first, n, [&](std::uint64_t at, std::uint64_t m, std::uint32_t before) {
        for (std::uint64_t i = at; i < at + m; ++i) REQUIRE((second ? other_table : table)[i] == before);
      });
      for (std::uint64_t i = first; i < first + n; ++i) ++(second ? other_table : table)[i];
    }
    for (std::uint64_t i = 0; i < 64; ++i) REQUIRE(counts.at(i) == table[i]);
    std::uint64_t place = 0;
    models::visit_jointly<2>({&counts, &other}, 64, [&](std::uint64_t at, std::uint64_t n, const auto& both) {
      REQUIRE(at == place);
      for (; place < at + n; ++place) {
        REQUIRE(both[0] == table[place]);
        REQUIRE(both[1] == other_table[place]);
      }
    });
    REQUIRE(place == 64);
  }
}
