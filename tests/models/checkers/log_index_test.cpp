#include <vector>

#include "models/checkers/log_index.hpp"
#include "sim/assert.hpp"
#include "tests/catch.hpp"

using models::LaneId;
using models::LogIndex;
using models::LogPiece;

namespace {
std::vector<LogPiece> pieces(const LogIndex& log, std::int64_t offset, std::int64_t n) {
  std::vector<LogPiece> found;
  LogIndex::Cursor cursor = 0;
  log.walk(offset, n, cursor, [&](const LogPiece& piece) { found.push_back(piece); });
  return found;
}
}  // namespace

TEST_CASE("contiguous batches of one lane are one extent") {
  LogIndex log;
  for (std::uint64_t i = 0; i < 1000; ++i)
    log.append(LaneId{1}, i * 10, 10, static_cast<std::int64_t>(i) * 10, 0);
  REQUIRE(log.extents() == 1);
  REQUIRE(log.end() == 10000);
}

TEST_CASE("a range of offsets maps to its messages, cut at both ends") {
  LogIndex log;
  log.append(LaneId{1}, 0, 10, 0, 0);
  log.append(LaneId{2}, 5, 10, 10, 0);
  log.append(LaneId{1}, 10, 10, 20, 0);
  const auto found = pieces(log, 8, 14);
  REQUIRE(found.size() == 3);
  REQUIRE((found[0].seq == 8 && found[0].count == 2));
  REQUIRE((found[1].lane == LaneId{2} && found[1].seq == 5 && found[1].count == 10));
  REQUIRE((found[2].seq == 10 && found[2].count == 2));
}

TEST_CASE("offsets that nobody wrote map to nothing") {
  LogIndex log;
  log.append(LaneId{1}, 0, 5, 0, 0);
  log.append(LaneId{1}, 5, 5, 6, 0);
  REQUIRE(pieces(log, 5, 1).empty());
  REQUIRE(pieces(log, 0, 100).size() == 2);
}

TEST_CASE("any place is found from any cursor") {
  LogIndex log;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    log.append(LaneId{static_cast<std::uint32_t>(1 + i % 2)}, i, 3, static_cast<std::int64_t>(i) * 3, 0);
  }
  for (std::size_t start : {0UL, 1UL, 500UL, 999UL, 5000UL}) {
    for (std::int64_t offset = 0; offset < 3000; offset += 7) {
      LogIndex::Cursor cursor = start;
      std::uint64_t seq = 0;
      log.walk(offset, 1, cursor, [&](const LogPiece& piece) { seq = piece.seq; });
      REQUIRE(seq == static_cast<std::uint64_t>(offset / 3 + offset % 3));
    }
  }
}

TEST_CASE("what was truncated is found by the epoch under which it was read") {
  LogIndex log;
  log.append(LaneId{1}, 0, 10, 0, 0);
  log.append(LaneId{1}, 10, 10, 10, 1);
  REQUIRE(log.truncate(12).size() == 1);
  log.append(LaneId{2}, 0, 10, 12, 2);
  REQUIRE_FALSE(log.all_live(20, 1));
  const auto old = log.walk_as_of(8, 8, 1);
  REQUIRE(old.size() == 2);
  REQUIRE((old[0].live && old[0].count == 4));
  REQUIRE((!old[1].live && old[1].lane == LaneId{1} && old[1].seq == 12 && old[1].count == 4));
  REQUIRE(log.all_live(20, 2));
}

TEST_CASE("a batch below the end of the log is a mistake") {
  LogIndex log;
  log.append(LaneId{1}, 0, 10, 0, 0);
  REQUIRE_THROWS_AS(log.append(LaneId{1}, 10, 10, 5, 0), sim::AssertionError);
}
