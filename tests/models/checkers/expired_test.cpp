// What retention removes is expired for who had not processed it, and lost for nobody.
#include "tests/catch.hpp"
#include "tests/models/trace_story.hpp"

using namespace story;

TEST_CASE("records that retention removed while a group was away are expired, and not lost") {
  Story s;
  s.subscribe().position(0).send(0, 100, 0).consume(0, 40).at(10s).expire(0, 70);
  const sim::RecordNumber removal = s.written();
  s.at(20s).position(70, 40, {}, models::ResetCode::earliest).consume(70, 30);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::expired) == 30);
  REQUIRE(value(o, Metric::lost) == 0);
  REQUIRE(value(o, Metric::lost_write) == 0);
  REQUIRE(value(o, Metric::in_flight) == 0);
  const auto& rows = o.anomalies().rows();
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [](const models::Anomaly& a) { return a.verdict == Verdict::expired; });
  REQUIRE(row != rows.end());
  REQUIRE(row->record == removal);
  REQUIRE(row->offset == 40);
  REQUIRE(row->count == 30);
}

TEST_CASE("a reset to the latest loses what was there still, and not what had expired") {
  Story s;
  s.subscribe().position(0).send(0, 100, 0).consume(0, 40).expire(0, 70);
  s.at(20s).position(100, 40, {}, models::ResetCode::latest);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::expired) == 30);
  REQUIRE(value(o, Metric::lost) == 30);
}

TEST_CASE("what a group passed by a commit before it was removed is lost by the commit") {
  Story s;
  s.subscribe().position(0).send(0, 100, 0).commit(50, 0).expire(0, 70).position(70).consume(70, 30);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::lost) == 50);
  REQUIRE(value(o, Metric::expired) == 20);
}

TEST_CASE("a group that goes back finds no more than is there") {
  Story s;
  s.subscribe().position(0).send(0, 100, 0).consume(0, 20).expire(0, 70).position(80, 20);
  s.position(0, 80).position(70, 0, {}, models::ResetCode::earliest).consume(70, 30);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::expired) == 50);
  REQUIRE(value(o, Metric::lost) == 0);
  REQUIRE(value(o, Metric::processed) == 50);
}

TEST_CASE("records in hand when they are removed are processed all the same") {
  Story s;
  s.subscribe().position(0).send(0, 100, 0).deliver(0, 100).expire(0, 70).process(0, 100).commit(100, 0);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::expired) == 0);
  REQUIRE(value(o, Metric::processed) == 100);
}

TEST_CASE("records are expired for one group and processed by another") {
  Story s;
  const Where other{.group = kOtherGroup, .member = kOtherMember};
  s.subscribe().subscribe(other).send(0, 100, 0).consume(0, 100).position(0, -1, other).expire(0, 100);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::expired) == 100);
  REQUIRE(o.ledger().totals().groups[0].expired == 0);
  REQUIRE(o.ledger().totals().groups[1].expired == 100);
}

TEST_CASE("records that nobody reads expire for nobody") {
  Story s;
  s.send(0, 100, 0).expire(0, 100);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::expired) == 0);
  REQUIRE(value(o, Metric::lost) == 0);
}
