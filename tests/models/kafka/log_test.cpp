#include "models/kafka/broker/log.hpp"

#include "sim/assert.hpp"
#include "tests/catch.hpp"

using namespace models::kafka;

namespace {

Extent batch(std::int32_t count, std::int32_t bytes = 100) {
  Extent e;
  e.count = count;
  e.bytes = bytes;
  return e;
}

}  // namespace

TEST_CASE("a leader appends at its end and a follower copies offsets") {
  PartitionStore store;
  ReplicaLog leader(store), follower(store);
  leader.begin_epoch(0);
  CHECK(leader.append(batch(3)) == 0);
  CHECK(leader.append(batch(2)) == 3);
  CHECK(leader.end() == 5);
  follower.copy(0, 0, 3);
  CHECK(follower.end() == 3);
  CHECK(follower.common_prefix(leader) == 3);
  CHECK(follower.at(2).base == 0);
}

TEST_CASE("a read returns whole batches up to the limit and at least the first") {
  PartitionStore store;
  ReplicaLog log(store);
  log.begin_epoch(0);
  for (int i = 0; i < 10; ++i) log.append(batch(2, 100));
  const ReadResult all = log.read(0, 20, 1'000'000);
  CHECK(all.end == 20);
  CHECK(all.bytes == 1000);
  CHECK(log.read(0, 20, 250).end == 4);
  CHECK(log.read(0, 20, 1).end == 2);  // the first batch is returned even when it is too large
  CHECK(log.read(5, 8, 1'000'000).end == 8);
  CHECK(log.read(8, 8, 1'000'000).end == 8);
}

TEST_CASE("a read stops where the leader epoch changes") {
  PartitionStore store;
  ReplicaLog log(store);
  log.begin_epoch(0);
  log.append(batch(4));
  log.begin_epoch(1);
  log.append(batch(4));
  CHECK(log.read(0, 8, 1'000'000).end == 4);
  CHECK(log.read(4, 8, 1'000'000).epoch == 1);
  CHECK(log.end_of(0).end == 4);
  CHECK(log.end_of(5).epoch == 1);
}

TEST_CASE("two logs that parted agree up to the first offset of another epoch") {
  PartitionStore store;
  ReplicaLog a(store), b(store);
  a.begin_epoch(0);
  a.append(batch(5));
  b.copy(0, 0, 5);
  a.append(batch(5));  // never replicated
  b.begin_epoch(1);
  b.append(batch(2));
  CHECK(a.common_prefix(b) == 5);
  CHECK(b.common_prefix(a) == 5);
  a.truncate(5);
  a.copy(1, 5, 7);
  CHECK(a.common_prefix(b) == 7);
  CHECK(a.epoch_at(4) == 0);
  CHECK(a.epoch_at(5) == 1);
}

TEST_CASE("truncation forgets the epochs beyond it") {
  PartitionStore store;
  ReplicaLog log(store);
  log.begin_epoch(0);
  log.append(batch(5));
  log.begin_epoch(2);
  log.append(batch(5));
  log.truncate(5);
  CHECK(log.latest_epoch() == 0);
  CHECK(log.end() == 5);
  log.begin_epoch(3);
  CHECK(log.append(batch(1)) == 5);
  CHECK(log.epoch_at(5) == 3);
}

TEST_CASE("a batch is found by any of its offsets, also far from the end") {
  PartitionStore store;
  ReplicaLog log(store);
  log.begin_epoch(0);
  for (int i = 0; i < 1000; ++i) log.append(batch(1 + i % 7));
  Offset expected = 0;
  for (int i = 0; i < 1000; ++i) {
    const int count = 1 + i % 7;
    for (int k = 0; k < count; ++k) REQUIRE(log.at(expected + k).base == expected);
    expected += count;
  }
}

TEST_CASE("an epoch that does not rise is refused") {
  PartitionStore store;
  ReplicaLog log(store);
  log.begin_epoch(4);
  CHECK_THROWS_AS(log.begin_epoch(4), sim::AssertionError);
}

TEST_CASE("a follower that led without a record copies what a later leader kept of an older epoch") {
  PartitionStore store;
  ReplicaLog first(store), second(store);
  first.begin_epoch(0);
  first.append(batch(8));
  second.copy(0, 0, 8);
  first.append(batch(2));  // not replicated when `second` is elected …
  second.begin_epoch(1);   // … which appends nothing before `first` leads again
  first.begin_epoch(2);
  first.append(batch(1));
  second.copy(0, 8, 10);
  CHECK(second.epochs().size() == 1);
  second.copy(2, 10, 11);
  CHECK(second.common_prefix(first) == 11);
  CHECK(second.end_of(1).epoch == 0);
}

TEST_CASE("an epoch older than all of a log's ends where the first of them starts") {
  PartitionStore store;
  ReplicaLog log(store);
  CHECK(log.end_of(3).end == kNoOffset);  // no epochs at all
  log.begin_epoch(2);
  log.append(batch(5));
  log.begin_epoch(5);
  log.append(batch(5));
  CHECK(log.end_of(1).epoch == 1);
  CHECK(log.end_of(1).end == 0);
  CHECK(log.end_of(3).epoch == 2);
  CHECK(log.end_of(3).end == 5);
  CHECK(log.end_of(kNoEpoch).end == kNoOffset);
}

TEST_CASE("what nobody will ask for is let go, and the rest is found as before") {
  PartitionStore store;
  ReplicaLog log(store);
  log.begin_epoch(0);
  for (int i = 0; i < 1000; ++i) log.append(batch(2));
  store.forget_below(1500);
  CHECK(store.kept() < 1000 - 600);
  for (Offset o = 1500; o < 2000; ++o) CHECK(log.at(o).base == o / 2 * 2);
  CHECK(log.read(1500, 2000, 250).end == 1504);
  for (int i = 0; i < 10'000; ++i) {
    log.append(batch(2));
    store.forget_below(log.end() - 20);
  }
  CHECK(store.kept() <= 3 * 128);
  CHECK(log.at(log.end() - 20).base == log.end() - 20);
}

TEST_CASE("a log that has diverged holds older epochs behind newer ones, and says where it differs") {
  PartitionStore store;
  ReplicaLog leader(store), follower(store);
  leader.begin_epoch(0);
  leader.append(batch(20));
  follower.copy(0, 0, 10);
  follower.begin_epoch(1);
  follower.append(batch(5));
  follower.copy(0, 15, 20);  // cut by nobody
  CHECK(follower.epoch_at(12) == 1);
  CHECK(follower.epoch_at(17) == 0);
  CHECK(follower.common_prefix(leader) == 10);
  const auto found = follower.differences(leader, 20);
  REQUIRE(found.size() == 1);
  CHECK(found[0].from == 10);
  CHECK(found[0].to == 15);
  CHECK(follower.differences(leader, 12)[0].to == 12);
  CHECK(leader.differences(follower, 10).empty());
  // The epoch cache keeps rising epochs alone.
  CHECK(follower.latest_epoch() == 0);
  CHECK(follower.end_of(0).end == 20);
}

TEST_CASE("a log that is loaded after a crash forgets an epoch begun at its end") {
  PartitionStore store;
  ReplicaLog log(store);
  log.begin_epoch(0);
  log.append(batch(5));
  log.begin_epoch(1);
  log.reload(7);
  CHECK(log.end() == 5);
  CHECK(log.latest_epoch() == 0);
  log.reload(3);
  CHECK(log.end() == 3);
}

TEST_CASE(
    "a log whose start was raised knows its epochs from there on, and agrees with one that holds more") {
  PartitionStore store;
  ReplicaLog log(store), other(store);
  log.begin_epoch(0);
  log.append(batch(10));
  log.begin_epoch(2);
  log.append(batch(10));
  other.copy(0, 0, 10);
  other.copy(2, 10, 20);
  log.raise_start(13);
  CHECK(log.start() == 13);
  CHECK(log.epochs().size() == 1);
  CHECK(log.epoch_at(13) == 2);
  CHECK(log.end_of(1).end == 13);  // of what is gone nothing is known but where the rest begins
  CHECK(log.common_prefix(other) == 20);
  CHECK(other.common_prefix(log) == 20);
  CHECK(log.differences(other, 20).empty());
  CHECK(log.read(5, 20, 1000).end == 5);
  std::int64_t seen = 0;
  log.for_each(0, [&seen](const Extent&, LeaderEpoch) { ++seen; });
  CHECK(seen == 1);
  log.truncate(4);
  CHECK(log.end() == 13);
}

TEST_CASE("a log of which nothing is left goes on where it ended") {
  PartitionStore store;
  ReplicaLog log(store), follower(store);
  log.begin_epoch(0);
  log.append(batch(10));
  log.raise_start(10);
  CHECK(log.append(batch(5)) == 10);
  CHECK(log.epoch_at(12) == 0);
  follower.restart_at(10);
  follower.copy(0, 10, 15);
  CHECK(follower.common_prefix(log) == 15);
  CHECK(follower.latest_epoch() == 0);
}
