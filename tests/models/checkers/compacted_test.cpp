// What compaction has removed is superseded, and neither lost nor missing; what was lost besides stays so.
#include "tests/catch.hpp"
#include "tests/models/trace_story.hpp"

using namespace story;

namespace {

constexpr std::uint32_t kThirdGroup = 22;
const Where kOutput{.partition = kOtherPartition, .lane = kOtherLane};
const Where kCopy{.partition = kOtherPartition, .group = kThirdGroup};

sim::TraceRecord gone(std::int64_t offset, std::int64_t n, Where w = {}) {
  return {.code = models::kCompactedAway,
          .actor = w.member,
          .place = w.partition,
          .peer = w.group,
          .a = offset,
          .b = n};
}

/// kPartition is copied to kOtherPartition by the mirror kGroup; kOtherGroup reads the first, kThirdGroup the copy.
void mirror(Story& s) {
  s.record(Kind::mirrors, {.actor = kGroup, .place = kOtherPartition, .peer = kPartition});
  s.subscribe().subscribe({.group = kOtherGroup}).subscribe(kCopy);
  s.position(0).position(0, -1, {.group = kOtherGroup}).position(0, -1, kCopy);
}

}  // namespace

TEST_CASE("what compaction had removed when the run ended is no lost write, and what it had not is") {
  Story s;
  s.subscribe().send(0, 10, 0).deliver(0, 4).position(7, 4).deliver(7, 3);
  s.record(Kind::emptied, {.place = kPartition, .a = 4, .b = 2});
  CHECK(value(s.end(), Metric::lost_write) == 1);
}

TEST_CASE("a truncated record is a lost write though compaction emptied the place that it had") {
  Story s;
  s.subscribe().send(0, 10, 0).truncate(5, 5).send(10, 5, 5, -1, {.epoch = 1}).deliver(0, 10, {.epoch = 1});
  s.record(Kind::emptied, {.place = kPartition, .a = 0, .b = 10});
  CHECK(value(s.end(), Metric::lost_write) == 5);
}

TEST_CASE("who reads a copy misses nothing that compaction removed before the mirror came to it") {
  Story s;
  mirror(s);
  s.send(0, 10, 0).record(Kind::left_out, gone(0, 5)).consume(5, 5).store(5, 5, 0, kCopy);
  s.consume(0, 10, {.group = kOtherGroup}).consume(0, 5, kCopy);
  const auto& o = s.end();
  CHECK(value(o, Metric::in_flight) == 0);
  CHECK(value(o, Metric::compacted) == 5);
}

TEST_CASE("what the mirror has read and not copied is missing, though others found it removed later") {
  Story s;
  mirror(s);
  s.send(0, 10, 0).consume(0, 10).store(5, 5, 0, kCopy).consume(0, 5, kCopy);
  s.record(Kind::left_out, gone(0, 5, {.group = kOtherGroup})).consume(5, 5, {.group = kOtherGroup});
  const auto& o = s.end();
  CHECK(value(o, Metric::in_flight) == 5);
}

TEST_CASE(
    "a group that has moved to the copy has not lost what compaction removed before the mirror came to it") {
  Story s;
  mirror(s);
  s.subscribe({.group = kThirdGroup}).position(0, -1, {.group = kThirdGroup});
  s.send(0, 10, 0).record(Kind::left_out, gone(0, 5)).consume(5, 5).store(5, 5, 0, kCopy);
  s.consume(0, 10, {.group = kOtherGroup});
  s.record(Kind::failed_over, {.place = kPartition, .peer = kThirdGroup}).consume(0, 5, kCopy);
  const auto& o = s.end();
  CHECK(value(o, Metric::lost) == 0);
  CHECK(value(o, Metric::compacted) == 5);
}

TEST_CASE(
    "an input whose output was never made, and that compaction removed before it was done again, needs "
    "none") {
  Story s;
  s.subscribe().send(0, 4, 0).deliver(0, 4).process(0, 4).record(Kind::left_out, gone(0, 4)).commit(4);
  s.offer(0, 2, -1, kOutput).derive(0, 2, 0, kOutput).fail(0, 2, false, kOutput);
  CHECK(value(s.end(), Metric::outputs_missing) == 0);
}

TEST_CASE("an output that the log has lost is missing, though compaction has removed its input since") {
  Story s;
  s.subscribe().send(0, 4, 0).deliver(0, 4).process(0, 4).record(Kind::left_out, gone(0, 4)).commit(4);
  s.offer(0, 4, -1, kOutput).derive(0, 4, 0, kOutput).store(0, 4, 0, kOutput).acknowledge(0, 4, 0, kOutput);
  s.truncate(2, 2, 1, kOutput);
  CHECK(value(s.end(), Metric::outputs_missing) == 2);
}
