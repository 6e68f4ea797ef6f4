// What ledger and checkers say of transactions, with hand-written records.
#include "models/transaction_codes.hpp"
#include "tests/catch.hpp"
#include "tests/models/trace_story.hpp"

using namespace story;
using models::kAborted;
using models::kCommitted;

namespace {

/// Where a group that reads kPartition puts what it makes.
constexpr Where kOutput{.partition = kOtherPartition, .lane = kOtherLane};

}  // namespace

TEST_CASE("what was aborted is neither lost nor in flight, also when a commit passes it") {
  Story s;
  s.subscribe().offer(0, 10).store_in_transaction(0, 10, 0).acknowledge(0, 10, 0).marker(0, 10, kAborted);
  s.send(10, 5, 11).leave_out(0, 11).consume(11, 5);
  const auto& o = s.end();
  CHECK(value(o, Metric::aborted) == 10);
  CHECK(value(o, Metric::lost) == 0);
  CHECK(value(o, Metric::in_flight) == 0);
  CHECK(value(o, Metric::processed) == 5);
  CHECK(value(o, Metric::lost_write) == 0);
  CHECK(value(o, Metric::unseen) == 0);
  CHECK(value(o, Metric::poll_skip) == 0);
}

TEST_CASE("the same messages, committed and passed unread, are lost") {
  Story s;
  s.subscribe().offer(0, 10).store_in_transaction(0, 10, 0).acknowledge(0, 10, 0).marker(0, 10, kCommitted);
  s.send(10, 5, 11).consume(11, 5);
  const auto& o = s.end();
  CHECK(value(o, Metric::aborted) == 0);
  CHECK(value(o, Metric::lost) == 10);
  CHECK(value(o, Metric::lost_write) == 10);
}

TEST_CASE("an abort concerns its own lane alone") {
  Story s;
  s.subscribe().offer(0, 4).store_in_transaction(0, 4, 0).acknowledge(0, 4, 0);
  s.send(0, 3, 4, -1, {.lane = kOtherLane}).marker(0, 7, kAborted).leave_out(0, 4).consume(4, 3);
  const auto& o = s.end();
  CHECK(value(o, Metric::aborted) == 4);
  CHECK(value(o, Metric::processed) == 3);
}

TEST_CASE("a truncated marker leaves its transaction open again") {
  Story s;
  s.subscribe().offer(0, 10).store_in_transaction(0, 10, 0).acknowledge(0, 10, 0).marker(0, 10, kAborted);
  s.truncate(10, 1);
  const auto& o = s.end();
  CHECK(value(o, Metric::aborted) == 0);
  CHECK(value(o, Metric::in_flight) == 10);
}

TEST_CASE("a record that was handed out and then aborted is an aborted read") {
  Story s;
  s.subscribe().offer(0, 10).store_in_transaction(0, 10, 0).acknowledge(0, 10, 0).consume(0, 6);
  s.marker(0, 10, kAborted);
  CHECK(value(s.end(), Metric::aborted_read) == 6);
}

TEST_CASE("a record of a transaction that is committed later is no aborted read") {
  Story s;
  s.subscribe().offer(0, 10).store_in_transaction(0, 10, 0).acknowledge(0, 10, 0).consume(0, 6);
  s.marker(0, 10, kCommitted);
  CHECK(value(s.end(), Metric::aborted_read) == 0);
}

TEST_CASE("a record that the log calls committed and whose producer has aborted it is an aborted read") {
  Story s;
  s.subscribe().own_transaction(models::kBegun);
  s.offer(0, 10).store_in_transaction(0, 10, 0).acknowledge(0, 10, 0).marker(0, 10, kCommitted);
  SECTION("all that was read of that transaction, and nothing of the one before") {
    s.own_transaction(models::kBegun);
    s.offer(10, 5).store_in_transaction(10, 5, 11).acknowledge(10, 5, 11).marker(11, 16, kCommitted);
    s.own_transaction(models::kAbortReturned).consume(0, 10).consume(11, 3);
    CHECK(value(s.end(), Metric::aborted_read) == 3);
  }
  SECTION("nothing where that transaction held nothing") {
    s.own_transaction(models::kBegun);
    s.own_transaction(models::kAbortReturned).consume(0, 10);
    CHECK(value(s.end(), Metric::aborted_read) == 0);
  }
  SECTION("nor twice when the log says so, too") {
    s.own_transaction(models::kBegun);
    s.offer(10, 5).store_in_transaction(10, 5, 11).acknowledge(10, 5, 11).marker(11, 16, kAborted);
    s.own_transaction(models::kAbortReturned).consume(0, 10).consume(11, 3);
    CHECK(value(s.end(), Metric::aborted_read) == 3);
  }
}

TEST_CASE("a member that reads what it has written in an open transaction reads before the commit") {
  Story s;
  s.subscribe().offer(0, 10).store_in_transaction(0, 10, 0);
  s.deliver(0, 4, {.member = kProducer}).marker(0, 10, kCommitted).deliver(4, 6, {.member = kProducer});
  CHECK(value(s.end(), Metric::precommitted_read) == 4);
}

TEST_CASE("another member's uncommitted records are no precommitted read") {
  Story s;
  s.subscribe().offer(0, 10).store_in_transaction(0, 10, 0).deliver(0, 4).marker(0, 10, kCommitted);
  CHECK(value(s.end(), Metric::precommitted_read) == 0);
}

TEST_CASE("an input with two outputs that count has one too many, whether in a transaction or not") {
  Story s;
  s.subscribe().send(0, 3, 0).consume(0, 3);
  s.offer(0, 5, -1, kOutput).derive(0, 3, 0, kOutput).derive(3, 2, 1, kOutput);
  s.store(0, 3, 0, kOutput).store_in_transaction(3, 2, 3, kOutput).marker(3, 5, kCommitted, kOutput);
  const auto& o = s.end();
  CHECK(value(o, Metric::outputs) == 5);
  CHECK(value(o, Metric::outputs_duplicated) == 2);
  CHECK(value(o, Metric::outputs_missing) == 0);
}

TEST_CASE("an output that was aborted, or whose transaction is open, does not count") {
  Story s;
  s.subscribe().send(0, 4, 0).consume(0, 4);
  s.offer(0, 6, -1, kOutput).derive(0, 2, 0, kOutput).derive(2, 2, 0, kOutput).derive(4, 2, 2, kOutput);
  s.store_in_transaction(0, 2, 0, kOutput).marker(0, 2, kAborted, kOutput);
  s.store_in_transaction(2, 2, 3, kOutput).marker(3, 5, kCommitted, kOutput);
  s.store_in_transaction(4, 2, 6, kOutput);
  const auto& o = s.end();
  CHECK(value(o, Metric::outputs) == 2);
  CHECK(value(o, Metric::outputs_duplicated) == 0);
  CHECK(value(o, Metric::outputs_missing) == 2);
}

TEST_CASE("an input that was processed and not committed misses no output") {
  Story s;
  s.subscribe().send(0, 4, 0).consume(0, 2).deliver(2, 2).process(2, 2);
  s.offer(0, 2, -1, kOutput).derive(0, 2, 0, kOutput).store(0, 2, 0, kOutput);
  CHECK(value(s.end(), Metric::outputs_missing) == 0);
}

TEST_CASE("lag ends where only markers and aborted records are left") {
  Story s;
  s.subscribe().own().position(0).send(0, 10, 0).high_watermark(10);
  s.offer(10, 5).store_in_transaction(10, 5, 10).marker(10, 15, kAborted).high_watermark(16).at(1s);
  s.leave_out(10, 6).deliver(0, 10).at(2s).process(0, 10).phase(models::PhaseCode::arrivals_stopped);
  CHECK(value(s.end(), Metric::lag_end_records) == 0);
}

TEST_CASE("a consumer that leaves out what it should hand out still skips what it does not name") {
  Story s;
  s.subscribe().position(0).send(0, 10, 0).deliver(0, 2).leave_out(4, 2).deliver(6, 4);
  CHECK(value(s.end(), Metric::poll_skip) + value(s.observers(), Metric::int_poll_skip) == 2);
}
