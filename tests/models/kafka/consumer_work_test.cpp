// The consumer's arithmetic: what is counted per offset, and when the records of a poll are done.
#include <tuple>
#include <vector>

#include "models/clients/offset_counts.hpp"
#include "models/kafka/consumer/work.hpp"
#include "tests/catch.hpp"

using namespace models::kafka;
using models::OffsetCounts;
using namespace std::chrono_literals;

namespace {

using Runs = std::vector<std::tuple<Offset, Offset, std::int64_t>>;

Runs counted(OffsetCounts& counts, Offset from, Offset to) {
  Runs runs;
  counts.add(from, to,
             [&](Offset first, Offset end, std::int64_t before) { runs.emplace_back(first, end, before); });
  return runs;
}

}  // namespace

TEST_CASE("offsets counted once in order are one run, however many they are") {
  OffsetCounts counts;
  for (Offset o = 100; o < 100'000; o += 7) CHECK(counted(counts, o, o + 7) == Runs{{o, o + 7, 0}});
  CHECK(counts.runs() == 3);  // before, counted, after
  CHECK(counts.at(99) == 0);
  CHECK(counts.at(100) == 1);
}

TEST_CASE("offsets counted again are told apart from new ones in the same range") {
  OffsetCounts counts;
  counts.add(0, 10);
  CHECK(counted(counts, 5, 15) == Runs{{5, 10, 1}, {10, 15, 0}});
  CHECK(counted(counts, 0, 20) == Runs{{0, 5, 1}, {5, 10, 2}, {10, 15, 1}, {15, 20, 0}});
  CHECK(counts.at(7) == 3);
}

TEST_CASE("runs of equal counts grow together again") {
  OffsetCounts counts;
  counts.add(0, 5);
  counts.add(10, 15);
  counts.add(5, 10);
  CHECK(counts.runs() == 3);
}

TEST_CASE("counts of offsets agree with a plain array under many overlapping ranges") {
  OffsetCounts counts;
  std::vector<std::int64_t> plain(64, 0);
  std::uint32_t state = 12345;
  const auto next = [&state](std::uint32_t n) {
    return (state = state * 1664525u + 1013904223u) >> 16 & (n - 1);
  };
  for (int i = 0; i < 2000; ++i) {
    const Offset from = next(64);
    const Offset to = std::min<Offset>(64, from + next(16));
    counts.add(from, to, [&](Offset first, Offset end, std::int64_t before) {
      for (Offset o = first; o < end; ++o) REQUIRE(plain[static_cast<std::size_t>(o)] == before);
    });
    for (Offset o = from; o < to; ++o) ++plain[static_cast<std::size_t>(o)];
  }
  for (Offset o = 0; o < 64; ++o) CHECK(counts.at(o) == plain[static_cast<std::size_t>(o)]);
}

TEST_CASE("with a constant service time the records of a poll are done at even distances") {
  Work work;
  work.add(PartitionIndex{3}, 100, 110, 2);
  work.add(PartitionIndex{5}, 0, 5, 1);
  work.take_constant(5us);
  CHECK(work.size() == 15);
  CHECK(work.finish(0) == 5'000);
  CHECK(work.finish(14) == 75'000);
  CHECK(work.finished_within(-1) == 0);
  CHECK(work.finished_within(4'999) == 0);
  CHECK(work.finished_within(5'000) == 1);
  CHECK(work.finished_within(1'000'000) == 15);
}

TEST_CASE("drawn service times add up, and the place of any instant among them is found") {
  Work work;
  work.add(PartitionIndex{0}, 0, 4, 0);
  for (const sim::Duration service : {3ns, 0ns, 10ns, 1ns}) work.take(service);
  CHECK(work.finish(3) == 14);
  CHECK(work.finished_within(2) == 0);
  CHECK(work.finished_within(3) == 2);
  CHECK(work.finished_within(12) == 2);
  CHECK(work.finished_within(13) == 3);
  CHECK(work.finished_within(14) == 4);
}

TEST_CASE("work that takes no time is done at once") {
  Work work;
  work.add(PartitionIndex{0}, 0, 500, 0);
  work.take_constant(0ns);
  CHECK(work.finished_within(0) == 500);
}

TEST_CASE("service times without end do not overflow") {
  Work work;
  work.add(PartitionIndex{0}, 0, 3, 0);
  for (int i = 0; i < 3; ++i) work.take(sim::Duration{std::int64_t{1} << 62});
  CHECK(work.finish(2) == Work::kLongest);
  Work constant;
  constant.add(PartitionIndex{0}, 0, 500, 0);
  constant.take_constant(sim::Duration{std::int64_t{1} << 62});
  CHECK(constant.finish(499) <= Work::kLongest);
}

TEST_CASE("a stretch of a poll's records is cut along its partitions") {
  Work work;
  work.add(PartitionIndex{3}, 100, 110, 2);
  work.add(PartitionIndex{5}, 0, 5, 1);
  std::vector<std::tuple<std::uint32_t, Offset, Offset, std::int64_t>> pieces;
  work.for_each(8, 12, [&](const Work::Range& range, Offset from, Offset to, std::int64_t i) {
    pieces.emplace_back(range.partition.value, from, to, i);
  });
  CHECK(pieces == decltype(pieces){{3, 108, 110, 8}, {5, 0, 2, 10}});
}

TEST_CASE("work that is stretched takes longer from there on, and as long as drawn again") {
  for (const bool constant : {true, false}) {
    Work work;
    work.add(PartitionIndex{0}, 0, 10, 0);
    if (constant) work.take_constant(10ns);
    for (int i = 0; !constant && i < 10; ++i) work.take(10ns);
    work.stretch(25, 3);  // half of the third record
    CHECK(work.finish(2) == 25 + 15);
    CHECK(work.finish(3) == 25 + 15 + 30);
    CHECK_FALSE(work.constant());
    CHECK(work.finished_within(39) == 2);
    CHECK(work.finished_within(40) == 3);
    work.stretch(70, 1);
    CHECK(work.finish(3) == 70);
    CHECK(work.finish(4) == 80);
    CHECK(work.finish(9) == 130);
    CHECK(work.finished_within(1'000) == 10);
    work.clear();
    CHECK(work.constant());
  }
}
