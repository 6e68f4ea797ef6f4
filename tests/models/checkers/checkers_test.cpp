#include <set>
#include <string>

#include "models/checkers/catalogue.hpp"
#include "tests/catch.hpp"
#include "tests/models/trace_story.hpp"

using namespace story;

TEST_CASE("an acknowledged record below the highest offset read that nobody read is a lost write") {
  Story s;
  s.subscribe().send(0, 10, 0).deliver(0, 4).position(6, 4).deliver(6, 3);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::lost_write) == 2);
  REQUIRE(value(o, Metric::unseen) == 3);
}

TEST_CASE("a record above the highest offset read is unseen and no lost write") {
  Story s;
  s.subscribe().send(0, 10, 0).deliver(0, 4);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::lost_write) == 0);
  REQUIRE(value(o, Metric::unseen) == 6);
}

TEST_CASE("an acknowledged record whose offset was reused is a lost write though its offset was read") {
  Story s;
  s.subscribe().send(0, 10, 0).truncate(5, 5).send(10, 5, 5, -1, {.epoch = 1}).deliver(0, 10, {.epoch = 1});
  REQUIRE(value(s.end(), Metric::lost_write) == 5);
}

TEST_CASE("a record read by any group is seen, also when it was read before a truncation") {
  Story s;
  s.subscribe().subscribe({.group = kOtherGroup}).send(0, 10, 0).deliver(0, 5);
  s.deliver(5, 5, {.group = kOtherGroup}).truncate(8, 2);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::unseen) == 0);
  REQUIRE(value(o, Metric::lost_write) == 0);
}

TEST_CASE("an unacknowledged record may vanish unseen") {
  Story s;
  s.subscribe().offer(0, 10).store(0, 10, 0).truncate(5, 5).deliver(0, 5);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::unseen) == 0);
  REQUIRE(value(o, Metric::lost_write) == 0);
}

TEST_CASE("one record at two offsets is a duplicate, also when only one copy is acknowledged") {
  Story s;
  s.subscribe().offer(0, 10).store(0, 10, 0).store(4, 3, 10).acknowledge(0, 10, 0);
  REQUIRE(value(s.end(), Metric::duplicate) == 3);
}

TEST_CASE("a copy that replaces a truncated one is no duplicate") {
  Story s;
  s.subscribe()
      .offer(0, 10)
      .store(0, 10, 0)
      .truncate(5, 5)
      .store(5, 5, 5, {.epoch = 1})
      .acknowledge(0, 10, 0);
  REQUIRE(value(s.end(), Metric::duplicate) == 0);
}

TEST_CASE("an offset that held two records which were both seen is inconsistent") {
  Story s;
  s.subscribe().send(0, 10, 0).truncate(5, 5).send(10, 5, 5, -1, {.epoch = 1});
  REQUIRE(value(s.end(), Metric::inconsistent_offsets) == 5);
}

TEST_CASE("an offset reused after a record that nobody saw is consistent") {
  Story s;
  s.subscribe().offer(0, 10).store(0, 10, 0).acknowledge(0, 5, 0).truncate(5, 5).send(10, 5, 5, -1,
                                                                                      {.epoch = 1});
  REQUIRE(value(s.end(), Metric::inconsistent_offsets) == 0);
}

TEST_CASE("a record whose retry was acknowledged elsewhere was not seen where its first copy lay") {
  Story s;
  s.subscribe().offer(0, 10).store(0, 10, 0).acknowledge(0, 5, 0).truncate(5, 5);
  s.send(10, 5, 5, -1, {.epoch = 1})
      .store(5, 5, 10, {.epoch = 1})
      .acknowledge(5, 5, 10)
      .deliver(0, 15, {.epoch = 1});
  REQUIRE(value(s.end(), Metric::inconsistent_offsets) == 0);
}

TEST_CASE("a record whose first copy was acknowledged, too, is inconsistent with what took its place") {
  Story s;
  s.subscribe().offer(0, 10).store(0, 10, 0).truncate(5, 5);
  s.send(10, 5, 5, -1, {.epoch = 1}).store(5, 5, 10, {.epoch = 1}).acknowledge(0, 10, 0);
  REQUIRE(value(s.end(), Metric::inconsistent_offsets) == 5);
}

TEST_CASE("polls that go on where the last ended are in order") {
  Story s;
  s.subscribe().send(0, 30, 0).position(0).at(1s).deliver(0, 10).at(2s).deliver(10, 5).deliver(15, 15);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::poll_skip) == 0);
  REQUIRE(value(o, Metric::nonmonotonic_poll) == 0);
  REQUIRE(value(o, Metric::int_poll_skip) == 0);
}

TEST_CASE("a poll that jumps over records is a skip, and a step back is nonmonotonic") {
  Story s;
  s.subscribe().send(0, 30, 0).at(1s).deliver(0, 10).at(2s).deliver(12, 8).at(3s).deliver(15, 5);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::poll_skip) == 2);
  REQUIRE(value(o, Metric::nonmonotonic_poll) == 5);
}

TEST_CASE("inside one poll the same is told apart") {
  Story s;
  s.subscribe().send(0, 30, 0).at(1s).deliver(0, 10).deliver(12, 8).deliver(15, 5);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::int_poll_skip) == 2);
  REQUIRE(value(o, Metric::int_nonmonotonic_poll) == 5);
  REQUIRE(value(o, Metric::poll_skip) == 0);
  REQUIRE(value(o, Metric::nonmonotonic_poll) == 0);
}

TEST_CASE("a change of assignment or a position taken may skip and step back") {
  Story s;
  s.subscribe().send(0, 30, 0).own().at(1s).deliver(0, 10).disown().own().at(2s).deliver(5, 5);
  s.position(20, 10).at(3s).deliver(20, 10);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::poll_skip) == 0);
  REQUIRE(value(o, Metric::nonmonotonic_poll) == 0);
}

TEST_CASE("jumping over offsets that hold no record skips nothing") {
  Story s;
  s.subscribe().offer(0, 20).store(0, 10, 0).store(10, 10, 11).at(1s).deliver(0, 10).at(2s).deliver(11, 10);
  REQUIRE(value(s.end(), Metric::poll_skip) == 0);
}

TEST_CASE("a later send at a lower offset is nonmonotonic, in whatever order they are acknowledged") {
  Story s;
  s.offer(0, 20).store(10, 10, 0).store(0, 10, 10);
  SECTION("first acknowledged first") {
    s.acknowledge(0, 10, 10).acknowledge(10, 10, 0);
  }
  SECTION("last acknowledged first") {
    s.acknowledge(10, 10, 0).acknowledge(0, 10, 10);
  }
  REQUIRE(value(s.end(), Metric::nonmonotonic_send) == 10);
}

TEST_CASE("acknowledgements out of order of sends in order are monotonic") {
  Story s;
  s.offer(0, 20).store(0, 20, 0).acknowledge(10, 10, 10).acknowledge(0, 10, 0);
  REQUIRE(value(s.end(), Metric::nonmonotonic_send) == 0);
}

TEST_CASE("sends acknowledged together around a foreign record are a skip inside the send") {
  const Where other{.lane = kOtherLane};
  Story s;
  s.offer(0, 20).offer(0, 3, -1, other).store(0, 10, 0).store(0, 3, 10, other).store(10, 10, 13);
  s.at(1s).acknowledge(0, 10, 0);
  SECTION("together") {
    s.acknowledge(10, 10, 13);
    REQUIRE(value(s.end(), Metric::int_send_skip) == 3);
  }
  SECTION("one after the other") {
    s.at(2s).acknowledge(10, 10, 13);
    REQUIRE(value(s.end(), Metric::int_send_skip) == 0);
  }
}

TEST_CASE("without checkers their metrics are empty and the ledger's are not") {
  models::ObserverOptions options;
  options.checkers = false;
  Story s(options);
  s.subscribe().send(0, 10, 0).consume(0, 10);
  const auto& o = s.end();
  REQUIRE_FALSE(o.values()[Metric::lost_write].has_value());
  REQUIRE(o.values()[Metric::lost].has_value());
}

TEST_CASE("every verdict of a checker names a checker of the catalogue") {
  std::set<std::string> judges{"ledger", "metrics"};
  for (const models::CheckerInfo& row : models::checker_catalogue()) judges.insert(std::string(row.name));
  std::size_t i = 0;
  for (const models::VerdictInfo& row : models::verdict_catalogue()) {
    REQUIRE(static_cast<std::size_t>(row.verdict) == i++);
    INFO(row.name);
    REQUIRE(judges.count(std::string(row.judge)) == 1);
    REQUIRE_FALSE(row.definition.empty());
  }
}
