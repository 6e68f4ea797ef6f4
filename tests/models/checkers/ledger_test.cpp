#include "tests/catch.hpp"
#include "tests/models/trace_story.hpp"

using namespace story;
using models::Anomaly;

namespace {

const Anomaly* first_row(const models::Observers& o, Verdict verdict) {
  for (const Anomaly& row : o.anomalies().rows()) {
    if (row.verdict == verdict) return &row;
  }
  return nullptr;
}

const models::GroupTotals& group(const models::Observers& o, std::size_t i = 0) {
  return o.ledger().totals().groups.at(i);
}

}  // namespace

TEST_CASE("a message that was stored, processed and committed has nothing against it") {
  Story s;
  s.subscribe().send(0, 100, 0).at(1s).consume(0, 100);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::offered) == 100);
  REQUIRE(value(o, Metric::acknowledged) == 100);
  REQUIRE(value(o, Metric::stored) == 100);
  REQUIRE(value(o, Metric::processed) == 100);
  REQUIRE(o.anomalies().rows().empty());
}

TEST_CASE("refused messages are counted apart from the offered") {
  Story s;
  s.subscribe().refuse(7).send(0, 3, 0).consume(0, 3);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::refused) == 7);
  REQUIRE(value(o, Metric::offered) == 3);
}

TEST_CASE("an acknowledged message that was truncated before it was processed is lost by the truncation") {
  Story s;
  s.subscribe().send(0, 10, 0).consume(0, 6).at(5s).truncate(6, 4);
  const sim::RecordNumber truncation = s.written();
  const auto& o = s.end();
  REQUIRE(value(o, Metric::lost) == 4);
  REQUIRE(value(o, Metric::truncated) == 4);
  const Anomaly* row = first_row(o, Verdict::lost);
  REQUIRE(row != nullptr);
  REQUIRE(row->record == truncation);
  REQUIRE(row->first_seq == 6);
  REQUIRE(row->count == 4);
  REQUIRE(row->time == sim::Time{5s});
}

TEST_CASE("a truncated message that the producer stored again is not lost") {
  Story s;
  s.subscribe()
      .offer(0, 10)
      .store(0, 10, 0)
      .truncate(5, 5)
      .store(5, 5, 5, {.epoch = 1})
      .acknowledge(0, 10, 0);
  s.consume(0, 10, {.epoch = 1});
  const auto& o = s.end();
  REQUIRE(value(o, Metric::lost) == 0);
  REQUIRE(value(o, Metric::log_duplicates) == 0);
  REQUIRE(value(o, Metric::reordered_in_log) == 0);
}

TEST_CASE("what was truncated after the group processed it is not lost for that group") {
  Story s;
  s.subscribe().subscribe({.group = kOtherGroup}).send(0, 10, 0).consume(0, 10).truncate(0, 10);
  const auto& o = s.end();
  REQUIRE(group(o, 0).lost == 0);
  REQUIRE(group(o, 1).lost == 10);
  REQUIRE(value(o, Metric::lost) == 10);
}

TEST_CASE("a message that two groups lost is one lost message") {
  Story s;
  s.subscribe().subscribe({.group = kOtherGroup}).send(0, 10, 0).truncate(0, 10);
  const auto& o = s.end();
  REQUIRE(group(o, 0).lost == 10);
  REQUIRE(group(o, 1).lost == 10);
  REQUIRE(value(o, Metric::lost) == 10);
}

TEST_CASE("truncated without success reported is lost apart, and failed when failure was reported") {
  Story s;
  s.subscribe().offer(0, 10).store(0, 10, 0).fail(0, 4, true).truncate(0, 10);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::lost) == 0);
  REQUIRE(value(o, Metric::lost_unacknowledged) == 6);
  REQUIRE(group(o).failed == 4);
}

TEST_CASE("acknowledged without ever being stored is lost, as with acks=0") {
  Story s;
  s.subscribe().offer(0, 5).acknowledge(0, 5);
  REQUIRE(value(s.end(), Metric::lost) == 5);
}

TEST_CASE(
    "acknowledged by a leader that had been succeeded is lost, and the record that says so is where it was "
    "taken") {
  Story s;
  s.subscribe().send(0, 10, 0).offer(10, 10).store_off_line(10, 5, 10).acknowledge(10, 5, 10);
  const sim::RecordNumber taken = s.written() - 1;
  s.store(15, 5, 10, {.epoch = 1}).acknowledge(15, 5, 10).consume(0, 15, {.epoch = 1});
  const auto& o = s.end();
  REQUIRE(value(o, Metric::lost) == 5);
  REQUIRE(first_row(o, Verdict::lost)->record == taken);
  REQUIRE(value(o, Metric::reordered_in_log) == 0);
}

TEST_CASE(
    "what a succeeded leader took and the producer stored again at the new one is neither lost nor "
    "duplicated") {
  Story s;
  s.subscribe().offer(0, 10).store_off_line(0, 10, 0).store(0, 10, 0, {.epoch = 1}).acknowledge(0, 10, 0);
  s.consume(0, 10, {.epoch = 1});
  const auto& o = s.end();
  REQUIRE(value(o, Metric::lost) == 0);
  REQUIRE(value(o, Metric::log_duplicates) == 0);
  REQUIRE(value(o, Metric::duplicate) == 0);
}

TEST_CASE("a consumer that read from a succeeded leader processed what that leader held") {
  Story s;
  s.subscribe().offer(0, 10).store_off_line(0, 5, 0).acknowledge(0, 10, 0).store(5, 5, 0, {.epoch = 1});
  s.deliver(0, 5, {.epoch = 0}).process(0, 5, {.epoch = 0});
  const auto& o = s.end();
  REQUIRE(group(o).processed == 5);
  REQUIRE(value(o, Metric::lost) == 0);
  REQUIRE(value(o, Metric::in_flight) == 5);
  REQUIRE(value(o, Metric::inconsistent_offsets) == 5);
}

TEST_CASE("a record that comes back with the log of an earlier leader is stored again and not lost") {
  Story s;
  s.subscribe()
      .send(0, 10, 0)
      .truncate(5, 5, 1)
      .truncate(5, 0, 2)
      .store(5, 5, 5, {.epoch = 0})
      .consume(0, 10, {.epoch = 2});
  const auto& o = s.end();
  REQUIRE(value(o, Metric::lost) == 0);
  REQUIRE(value(o, Metric::log_duplicates) == 0);
  REQUIRE(value(o, Metric::processed) == 10);
}

TEST_CASE("a commit that passes unprocessed messages loses them, and names itself") {
  Story s;
  s.subscribe().send(0, 10, 0).deliver(0, 10).at(2s).commit(10);
  const sim::RecordNumber commit = s.written();
  s.process(0, 3).member_state(models::MemberCode::crashed);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::lost) == 7);
  REQUIRE(first_row(o, Verdict::lost)->record == commit);
  REQUIRE(first_row(o, Verdict::lost)->offset == 3);
}

TEST_CASE("a commit before processing loses nothing when the processing follows") {
  Story s;
  s.subscribe();
  for (std::int64_t i = 0; i < 5; ++i)
    s.send(i * 10, 10, i * 10).deliver(i * 10, 10).commit(i * 10 + 10).process(i * 10, 10);
  REQUIRE(value(s.end(), Metric::lost) == 0);
}

TEST_CASE(
    "what a living application was given is in flight though a commit passed it, until it dies or gives it "
    "up") {
  Story s;
  s.subscribe().send(0, 10, 0).deliver(0, 10).commit(10).process(0, 3);
  SECTION("it lives") {
    const auto& o = s.end();
    REQUIRE(value(o, Metric::lost) == 0);
    REQUIRE(value(o, Metric::in_flight) == 7);
    REQUIRE(first_row(o, Verdict::lost) == nullptr);
  }
  SECTION("it has died") {
    REQUIRE(value(s.member_state(models::MemberCode::crashed).end(), Metric::lost) == 7);
  }
  SECTION("another has died") {
    s.member_state(models::MemberCode::crashed, {.member = kOtherMember});
    REQUIRE(value(s.end(), Metric::in_flight) == 7);
  }
  SECTION("it has given up some of it") {
    const auto& o = s.abandon(5, 4).end();
    REQUIRE(value(o, Metric::lost) == 4);
    REQUIRE(value(o, Metric::in_flight) == 3);
    REQUIRE(first_row(o, Verdict::lost)->offset == 5);
  }
}

TEST_CASE("what an application drops without a commit is lost behind its position, unless it is read again") {
  Story s;
  s.subscribe().send(0, 10, 0).position(0).deliver(0, 10).process(0, 3).abandon(3, 7);
  SECTION("nobody goes back") {
    REQUIRE(value(s.end(), Metric::lost) == 7);
  }
  SECTION("another member begins at the commit") {
    s.position(3).deliver(3, 7, {.member = kOtherMember}).process(3, 5, {.member = kOtherMember});
    const auto& o = s.end();
    REQUIRE(value(o, Metric::lost) == 0);
    REQUIRE(value(o, Metric::in_flight) == 2);
  }
}

TEST_CASE(
    "what was truncated while a living application holds it is in flight, and lost when the application "
    "dies") {
  Story s;
  s.subscribe().send(0, 10, 0).deliver(0, 10).truncate(5, 5, 1).send(10, 5, 5, -1, {.epoch = 1});
  SECTION("it lives") {
    const auto& o = s.end();
    REQUIRE(value(o, Metric::lost) == 0);
    REQUIRE(value(o, Metric::in_flight) == 15);
  }
  SECTION("it has died") {
    const auto& o = s.member_state(models::MemberCode::crashed).end();
    REQUIRE(value(o, Metric::lost) == 5);
    REQUIRE(value(o, Metric::in_flight) == 10);
  }
}

TEST_CASE("a group that comes first with latest skips what was there, and loses nothing") {
  Story s;
  s.subscribe().send(0, 10, 0).at(3s).reset_to_latest(10);
  const sim::RecordNumber reset = s.written();
  s.send(10, 10, 10).consume(10, 10);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::lost) == 0);
  REQUIRE(value(o, Metric::skipped) == 10);
  REQUIRE(group(o).skipped == 10);
  REQUIRE(value(o, Metric::processed) == 10);
  REQUIRE(first_row(o, Verdict::skipped)->record == reset);
}

TEST_CASE("a reset to the latest in the middle of a group's life loses what it jumps over") {
  Story s;
  s.subscribe().send(0, 30, 0);
  SECTION("after a position that was held") {
    s.reset_to_latest(10).reset_to_latest(20, {.member = kOtherMember});
    const auto& o = s.end();
    REQUIRE(value(o, Metric::skipped) == 10);
    REQUIRE(value(o, Metric::lost) == 10);
    REQUIRE(value(o, Metric::in_flight) == 10);
  }
  SECTION("after a commit that was forgotten") {
    s.consume(0, 10).reset_to_latest(30);
    const auto& o = s.end();
    REQUIRE(value(o, Metric::skipped) == 0);
    REQUIRE(value(o, Metric::lost) == 20);
  }
  SECTION("after the earliest") {
    s.position(0, -1, {}, models::ResetCode::earliest).reset_to_latest(30);
    REQUIRE(value(s.end(), Metric::lost) == 30);
  }
}

TEST_CASE("a position that is set beyond unread messages loses them") {
  Story s;
  s.subscribe().send(0, 10, 0).position(10).send(10, 10, 10).consume(10, 10);
  REQUIRE(value(s.end(), Metric::lost) == 10);
}

TEST_CASE("a position that goes back again loses nothing") {
  Story s;
  s.subscribe().send(0, 10, 0).position(10).position(0, 10).consume(0, 10);
  REQUIRE(value(s.end(), Metric::lost) == 0);
}

TEST_CASE("what was passed and then moved back to is in flight, not lost") {
  Story s;
  s.subscribe().send(0, 10, 0).position(10).position(0, 10);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::lost) == 0);
  REQUIRE(value(o, Metric::in_flight) == 10);
}

TEST_CASE(
    "a stored message that nobody passed or processed is in flight, and so is one that never left its "
    "producer") {
  Story s;
  s.subscribe().send(0, 10, 0).offer(10, 5).consume(0, 8);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::in_flight) == 7);
  REQUIRE(first_row(o, Verdict::in_flight)->count == 2);
}

TEST_CASE("reported failed and not stored is failed") {
  Story s;
  s.subscribe().offer(0, 10).fail(0, 10);
  const auto& o = s.end();
  REQUIRE(group(o).failed == 10);
  REQUIRE(value(o, Metric::in_flight) == 0);
}

TEST_CASE("a partition that nobody reads is judged by its log") {
  Story s;
  s.send(0, 10, 0).truncate(8, 2);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::lost) == 2);
  REQUIRE(value(o, Metric::in_flight) == 0);
}

TEST_CASE("processing again counts as duplicated, however late") {
  Story s;
  s.subscribe();
  for (std::int64_t i = 0; i < 100; ++i) s.send(i * 100, 100, i * 100).consume(i * 100, 100);
  s.at(60s).position(0, 10000).deliver(0, 50).process(0, 50);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::duplicated) == 50);
  REQUIRE(value(o, Metric::redelivered) == 50);
  REQUIRE(value(o, Metric::processed) == 10000);
  REQUIRE(first_row(o, Verdict::duplicated)->count == 50);
}

TEST_CASE("two groups that each process once duplicate nothing") {
  Story s;
  s.subscribe()
      .subscribe({.group = kOtherGroup})
      .send(0, 10, 0)
      .consume(0, 10)
      .consume(0, 10, {.group = kOtherGroup});
  const auto& o = s.end();
  REQUIRE(value(o, Metric::duplicated) == 0);
  REQUIRE(value(o, Metric::redelivered) == 0);
  REQUIRE(value(o, Metric::processed) == 20);
}

TEST_CASE("redelivered without being processed twice is redelivered only") {
  Story s;
  s.subscribe().send(0, 10, 0).deliver(0, 10).deliver(0, 10, {.member = kOtherMember}).process(0, 10);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::redelivered) == 10);
  REQUIRE(value(o, Metric::duplicated) == 0);
}

TEST_CASE("one message at two offsets is a duplicate in the log and processed twice") {
  Story s;
  s.subscribe().offer(0, 10).store(0, 10, 0).store(0, 10, 10).acknowledge(0, 10, 10).consume(0, 20);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::log_duplicates) == 10);
  REQUIRE(value(o, Metric::stored) == 10);
  REQUIRE(value(o, Metric::duplicated) == 10);
  REQUIRE(first_row(o, Verdict::log_duplicate)->offset == 10);
}

TEST_CASE("the application's resend is a duplicate only beside the original") {
  Story s;
  s.subscribe().offer(0, 2).store(0, 1, 0).fail(0, 2, true);
  s.offer(2, 2).resend(2, 2, 0).store(2, 2, 1).acknowledge(2, 2, 1).consume(0, 3);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::resend_duplicates) == 1);
  REQUIRE(value(o, Metric::log_duplicates) == 0);
}

TEST_CASE("an effect applied twice to one message is duplicated, one recognised by its key is not") {
  Story s;
  s.subscribe().send(0, 10, 0).deliver(0, 10).effect(0, 10).process(0, 10);
  s.deliver(0, 10).effect(0, 4).effect(4, 6, models::kSuppressed).process(0, 10);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::effects) == 14);
  REQUIRE(value(o, Metric::effects_duplicated) == 4);
  REQUIRE(value(o, Metric::effects_suppressed) == 6);
  REQUIRE(value(o, Metric::effects_missing) == 0);
}

TEST_CASE("a message that is processed without its effect misses it") {
  Story s;
  s.subscribe().send(0, 10, 0).deliver(0, 10).effect(0, 7).process(0, 10);
  REQUIRE(value(s.end(), Metric::effects_missing) == 3);
}

TEST_CASE("a first copy behind a later one of its lane is reordered, a late copy is not") {
  Story s;
  s.subscribe()
      .offer(0, 30)
      .store(10, 10, 0)
      .store(0, 10, 10)
      .store(20, 10, 20)
      .store(10, 10, 30)
      .acknowledge(0, 30, 0);
  s.consume(0, 40);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::reordered_in_log) == 10);
  REQUIRE(first_row(o, Verdict::reordered_in_log)->first_seq == 0);
}

TEST_CASE("lanes do not order each other") {
  Story s;
  s.subscribe().offer(0, 10).offer(0, 10, -1, {.lane = kOtherLane});
  s.store(0, 10, 0, {.lane = kOtherLane}).store(0, 10, 10).consume(0, 20);
  REQUIRE(value(s.end(), Metric::reordered_in_log) == 0);
}

TEST_CASE("a key's earlier message processed after its later one is reordered and leaves the key stale") {
  Story s;
  s.subscribe().at(1s).offer(0, 1, 7).at(2s).offer(1, 1, 7).store(1, 1, 0).store(0, 1, 1).acknowledge(0, 2,
                                                                                                      0);
  s.at(3s).deliver(0, 2).process_at(0, {2500ms, 2600ms}).commit(2);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::reordered_per_key) == 1);
  REQUIRE(value(o, Metric::stale_keys) == 1);
  REQUIRE(value(o, Metric::rewound) == 0);
}

TEST_CASE("messages of different keys do not order each other") {
  Story s;
  s.subscribe().at(1s).offer(0, 1, 7).at(2s).offer(1, 1, 8).store(1, 1, 0).store(0, 1, 1).acknowledge(0, 2,
                                                                                                      0);
  s.at(3s).deliver(0, 2).process_at(0, {2500ms, 2600ms}).commit(2);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::reordered_per_key) == 0);
  REQUIRE(value(o, Metric::stale_keys) == 0);
}

TEST_CASE("finish times decide about order, not the order of records") {
  // Two members, two partitions, one key: the poll with the earlier message ends last but finished it first.
  const Where other{.partition = kOtherPartition, .lane = kOtherLane, .member = kOtherMember};
  Story s;
  s.subscribe().subscribe(other).at(1s).send(0, 1, 0, 7).at(2s).send(0, 1, 0, 7, other);
  s.deliver(0, 1).deliver(0, 1, other);
  s.at(5s).process_at(0, {4s}, other).at(6s).process_at(0, {3s}).commit(1).commit(1, -1, other);
  REQUIRE(value(s.end(), Metric::reordered_per_key) == 0);

  Story late;
  late.subscribe().subscribe(other).at(1s).send(0, 1, 0, 7).at(2s).send(0, 1, 0, 7, other);
  late.at(5s).process_at(0, {4s}).at(6s).process_at(0, {3s}, other);
  REQUIRE(value(late.end(), Metric::reordered_per_key) == 1);
}

TEST_CASE("processing an old message of a key again rewinds it until the latest is processed again") {
  Story s;
  s.subscribe();
  for (std::int64_t i = 0; i < 3; ++i) s.at(sim::Duration{1s} * i).send(i, 1, i, 7);
  s.at(5s).deliver(0, 3).process(0, 3, {}, 100ms);
  s.at(6s).deliver(0, 2).process(0, 2, {}, 100ms);
  SECTION("which does not happen") {
    const auto& o = s.end();
    REQUIRE(value(o, Metric::rewound) == 2);
    REQUIRE(value(o, Metric::stale_keys) == 1);
    REQUIRE(value(o, Metric::reordered_per_key) == 0);
  }
  SECTION("which happens") {
    s.at(7s).deliver(2, 1).process(2, 1);
    const auto& o = s.end();
    REQUIRE(value(o, Metric::rewound) == 2);
    REQUIRE(value(o, Metric::stale_keys) == 0);
  }
}

TEST_CASE("a message that was settled long ago and is processed again rewinds its key all the same") {
  Story s;
  s.subscribe();
  for (std::int64_t i = 0; i < 40; ++i)
    s.at(sim::Duration{1s} * i).send(i * 100, 100, i * 100, i % 4).consume(i * 100, 100);
  s.flush();
  models::LogIndex::Cursor cursor = 0;
  const models::Ledger& ledger = s.observers().ledger();
  REQUIRE_FALSE(ledger.created_at(*ledger.partition(models::EntityId{kPartition}), 0, cursor).has_value());
  SECTION("by an application that held it all the while") {
    // Keys 1 and 2, of which later messages were processed; nothing else is read again.
    s.at(60s).process(100, 200, {.member = kOtherMember});
    const auto& o = s.end();
    REQUIRE(value(o, Metric::rewound) == 200);
    REQUIRE(value(o, Metric::stale_keys) == 2);
    REQUIRE(first_row(o, Verdict::rewound) != nullptr);
  }
  SECTION("because the group's offsets were lost, and it reads everything again") {
    s.at(60s).position(0, 4000).deliver(0, 4000).process(0, 4000);
    const auto& o = s.end();
    REQUIRE(value(o, Metric::rewound) == 4000 - 4);
    REQUIRE(value(o, Metric::stale_keys) == 0);
  }
  SECTION("before the latest of its key was processed") {
    s.at(60s).process(100, 100, {.member = kOtherMember}, 1s);
    s.process(3700, 100);
    const auto& o = s.end();
    REQUIRE(value(o, Metric::stale_keys) == 0);
  }
}

TEST_CASE("a key is stale by what finished last, in whatever order it is told") {
  Story s;
  s.subscribe().at(1s).send(0, 1, 0, 7).at(2s).send(1, 1, 1, 7).at(3s).deliver(0, 2).process(0, 2);
  s.at(9s).process_at(1, {8s});
  SECTION("the latest again, later than an old one that is told after it") {
    s.process_at(0, {7s}, {.member = kOtherMember});
    REQUIRE(value(s.end(), Metric::stale_keys) == 0);
  }
  SECTION("and earlier") {
    s.process_at(0, {8500ms}, {.member = kOtherMember});
    REQUIRE(value(s.end(), Metric::stale_keys) == 1);
  }
}

TEST_CASE("disorder between messages of which a later one was told first is counted once at most") {
  // What key_order.hpp says it cannot see: the second finished before the first, both before the third.
  const Where zombie{.member = kOtherMember};
  Story s;
  s.subscribe().at(1s).send(0, 1, 0, 7).at(2s).send(1, 1, 1, 7).at(3s).send(2, 1, 2, 7);
  s.at(9s).process_at(2, {8s}).process_at(0, {6s}, zombie).process_at(1, {5s}, zombie);
  REQUIRE(value(s.end(), Metric::reordered_per_key) == 0);

  Story told_in_order;
  told_in_order.subscribe().at(1s).send(0, 1, 0, 7).at(2s).send(1, 1, 1, 7).at(3s).send(2, 1, 2, 7);
  told_in_order.at(9s).process_at(1, {5s}, zombie).process_at(0, {6s}, zombie).process_at(2, {8s});
  REQUIRE(value(told_in_order.end(), Metric::reordered_per_key) == 1);
}

TEST_CASE("a consumer that still holds truncated records processes them, not those in their place") {
  Story s;
  s.subscribe().send(0, 10, 0).deliver(0, 10).truncate(5, 5, 1);
  s.send(10, 5, 5, -1, {.epoch = 1}).process(0, 10, {.epoch = 0});
  const auto& o = s.end();
  REQUIRE(group(o).processed == 10);
  REQUIRE(value(o, Metric::lost) == 0);
  REQUIRE(value(o, Metric::in_flight) == 5);
}

TEST_CASE("memory of creation times is let go when every group has settled, and kept while one has not") {
  Story s;
  s.subscribe().subscribe({.group = kOtherGroup});
  for (std::int64_t i = 0; i < 20; ++i) s.send(i * 100, 100, i * 100).consume(i * 100, 100);
  s.flush();
  const models::Ledger& ledger = s.observers().ledger();
  models::LogIndex::Cursor cursor = 0;
  const auto* p = ledger.partition(models::EntityId{kPartition});
  REQUIRE(ledger.created_at(*p, 0, cursor).has_value());
  s.consume(0, 1024, {.group = kOtherGroup});
  s.flush();
  REQUIRE_FALSE(ledger.created_at(*p, 0, cursor).has_value());
  REQUIRE(ledger.created_at(*p, 1024, cursor).has_value());
  REQUIRE(value(s.end(), Metric::in_flight) == 2000 - 1024);
}

TEST_CASE("rows are capped and everything is counted") {
  models::ObserverOptions options;
  options.anomaly_rows_each = 3;
  Story s(options);
  s.subscribe().send(0, 10, 0).consume(0, 10);
  for (std::int64_t i = 0; i < 10; ++i) s.process(i, 1);
  const auto& o = s.end();
  REQUIRE(o.anomalies().counted(Verdict::duplicated) == 10);
  REQUIRE(o.anomalies().rows().size() == 3);
  REQUIRE(o.anomalies().rows_left_out() == 7);
}

TEST_CASE("a trace that contradicts itself is an assertion") {
  SECTION("a gap in the seqs of a lane") {
    Story s;
    s.offer(5, 1);
    REQUIRE_THROWS_AS(s.end(), sim::AssertionError);
  }
  SECTION("stored without being offered") {
    Story s;
    s.offer(0, 1).store(0, 2, 0);
    REQUIRE_THROWS_AS(s.end(), sim::AssertionError);
  }
  SECTION("success reported twice") {
    Story s;
    s.send(0, 1, 0).acknowledge(0, 1, 0);
    REQUIRE_THROWS_AS(s.end(), sim::AssertionError);
  }
  SECTION("success and failure of one message") {
    Story s;
    s.subscribe().send(0, 1, 0).fail(0, 1, true);
    REQUIRE_THROWS_AS(s.end(), sim::AssertionError);
  }
  SECTION("reading without a subscription") {
    Story s;
    s.send(0, 1, 0).deliver(0, 1);
    REQUIRE_THROWS_AS(s.end(), sim::AssertionError);
  }
  SECTION("truncating the middle of a log") {
    Story s;
    s.send(0, 10, 0).truncate(2, 3);
    REQUIRE_THROWS_AS(s.end(), sim::AssertionError);
  }
}
