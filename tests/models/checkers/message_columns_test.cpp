#include <vector>

#include "models/checkers/message_columns.hpp"
#include "sim/assert.hpp"
#include "tests/catch.hpp"

using models::ColumnPool;
using models::MessageColumns;

namespace {
std::vector<std::int64_t> numbers(std::int64_t first, std::size_t n) {
  std::vector<std::int64_t> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = first + static_cast<std::int64_t>(i);
  return v;
}
}  // namespace

TEST_CASE("times and keys are read back chunk by chunk") {
  ColumnPool pool;
  MessageColumns columns;
  columns.append(pool, numbers(1000, 700), numbers(-1, 700), 1);
  const auto first = columns.span(500, 100);
  REQUIRE(first.count == 12);
  REQUIRE(first.created[0] == 1500);
  const auto second = columns.span(512, 100);
  REQUIRE(second.count == 100);
  REQUIRE(second.keys[1] == 512);
  REQUIRE(columns.span(0, 1).keys[0] == models::kNoKey);
}

TEST_CASE("a chunk is let go when every share of every message in it is returned") {
  ColumnPool pool;
  MessageColumns columns;
  columns.append(pool, numbers(0, 600), {}, 2);
  columns.release(pool, 0, 512);
  REQUIRE(columns.span(0, 1).created != nullptr);
  columns.release(pool, 1, 599);
  REQUIRE(columns.span(0, 1).created != nullptr);
  columns.release(pool, 0, 1);
  REQUIRE(columns.span(0, 1).created == nullptr);
  REQUIRE(columns.span(512, 1).created != nullptr);
}

TEST_CASE("keys of a chunk that was let go are remembered in as few bytes as they need") {
  for (const std::int64_t first : {std::int64_t{-1}, std::int64_t{60'000}, std::int64_t{4'294'966'000}}) {
    ColumnPool pool;
    MessageColumns columns;
    columns.append(pool, numbers(0, 512), numbers(first, 512), 1);
    std::vector<std::uint32_t> keys;
    REQUIRE_FALSE(columns.recall_keys(0, 1, keys));
    columns.release(pool, 0, 512);
    REQUIRE(columns.span(0, 1).keys == nullptr);
    REQUIRE(columns.recall_keys(10, 502, keys));
    REQUIRE(keys.size() == 502);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      REQUIRE(keys[i] == static_cast<std::uint32_t>(first + 10 + static_cast<std::int64_t>(i)));
    }
    REQUIRE(columns.recall_keys(0, 1, keys));
    REQUIRE(keys[0] == (first < 0 ? models::kNoKey : static_cast<std::uint32_t>(first)));
  }
}

TEST_CASE("a share returned twice is a mistake") {
  ColumnPool pool;
  MessageColumns columns;
  columns.append(pool, numbers(0, 10), {}, 1);
  columns.release(pool, 0, 10);
  REQUIRE_THROWS_AS(columns.release(pool, 0, 510), sim::AssertionError);
}

TEST_CASE("a group that subscribes late keeps what was not let go") {
  ColumnPool pool;
  MessageColumns columns;
  columns.append(pool, numbers(0, 1024), {}, 1);
  columns.release(pool, 0, 512);
  columns.add_share();
  columns.release(pool, 512, 512);
  REQUIRE(columns.span(0, 1).created == nullptr);
  REQUIRE(columns.span(512, 1).created != nullptr);
  columns.release(pool, 0, 1024);
  REQUIRE(columns.span(512, 1).created == nullptr);
}
