// What the cleaner leaves of a log, when it cleans, and how readers and followers get through the gaps.
#include "models/kafka/broker/cleaning.hpp"

#include <algorithm>
#include <array>

#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"

using namespace kafka_test;

namespace {

constexpr std::uint32_t kGone = kTombstone;

/// Every batch rolls a segment: what is put later than 100 ms after a segment's first record begins the next.
FixtureOptions compacted() {
  FixtureOptions options;
  options.config.log_cleanup_policy = {.compacts = true, .deletes = false};
  options.config.log_roll = 50ms;
  options.config.log_cleaner.backoff = 1s;
  options.config.log_cleaner.min_cleanable_ratio = 0;
  options.config.log_cleaner.delete_retention = 10s;
  return options;
}

class CompactedLog : public ClusterFixture {
 public:
  explicit CompactedLog(const FixtureOptions& options = compacted()) : ClusterFixture(options) {}

  /// One batch of these keys.
  auto put(const std::vector<std::int64_t>& keys, BrokerId to = BrokerId{0}) {
    cluster.record_keys().append(lane, keys);
    auto result = produce(to, static_cast<std::int32_t>(keys.size()));
    run_for(100ms);
    return result;
  }
  std::vector<Offset> left(int b) {
    std::vector<Offset> offsets;
    replica(b).log.for_each_held(0, replica(b).log.end(),
                                 [&](const Extent&, Offset from, Offset to, sim::Time) {
                                   for (; from < to; ++from) offsets.push_back(from);
                                 });
    return offsets;
  }
};

using Offsets = std::vector<Offset>;

/// A log without a cluster.
struct LooseLog {
  PartitionStore store;
  ReplicaLog log{store};
  RecordKeys keys;
  OffsetMap map;
  std::int64_t next_seq = 0;

  LooseLog() { log.begin_epoch(0); }
  void put(const std::vector<std::int64_t>& batch, BatchKind kind = BatchKind::plain,
           ProducerId id = kNoProducerId) {
    Extent e;
    e.lane = LaneId{1};
    e.first_seq = next_seq;
    e.count = static_cast<std::int32_t>(batch.size());
    e.bytes = 61 + 100 * e.count;
    e.kind = kind;
    e.producer_id = id;
    log.append(e);
    if (e.is_marker()) return;
    keys.append(LaneId{1}, batch);
    next_seq += e.count;
  }
  CleaningJob job(Offset first_dirty, Offset end, sim::Duration now = 0s) const {
    return {.log = log,
            .keys = keys,
            .first_dirty = first_dirty,
            .end = end,
            .now = sim::Time{now},
            .delete_retention = 10s,
            .keys_most = 1000,
            .transactional = true};
  }
  Offset clean(Offset first_dirty, Offset end, sim::Duration now = 0s) {
    CleaningResult result = models::kafka::clean(job(first_dirty, end, now), map);
    log.compacted(std::move(result.survivors));
    return result.end;
  }
  Offsets left() const {
    Offsets offsets;
    log.for_each_held(0, log.end(), [&](const Extent&, Offset from, Offset to, sim::Time) {
      for (; from < to; ++from) offsets.push_back(from);
    });
    return offsets;
  }
};

}  // namespace

TEST_CASE("of each key the newest record of closed segments survives, and the active segment is left alone") {
  CompactedLog f;
  f.put({1, 2, 3});  // 0 1 2
  f.put({2, 1});     // 3 4
  f.put({4});        // 5
  f.put({3, 3});     // 6 7: active
  f.run_for(3s);
  for (const int b : {0, 1, 2}) {
    CHECK(f.left(b) == Offsets{2, 3, 4, 5, 6, 7});
    CHECK(f.replica(b).disk.first_dirty == 6);
    CHECK(f.replica(b).log.end() == 8);
    CHECK(f.replica(b).log.start() == 0);
  }
  const auto told = f.recorder.of(Kind::compacted);
  REQUIRE(told.size() == 3);
  CHECK(told[0].c == 2);
}

TEST_CASE("cleaned segments become one, as large as what is left of them") {
  CompactedLog f;
  for (int i = 0; i < 6; ++i) f.put({1, 2, 3, 4});
  f.run_for(3s);
  const std::vector<Segment>& all = f.replica(0).disk.segments.all();
  REQUIRE(all.size() == 2);
  CHECK(all[0].base == 0);
  CHECK(all[0].bytes == 400);
  CHECK(all[1].base == 20);
  CHECK(f.replica(0).disk.segments.bytes() == 800);
}

TEST_CASE("a reader goes through the gaps and on from the end of each batch") {
  CompactedLog f;
  f.put({1, 2, 3});  // 0 1 2
  f.put({1});        // 3
  f.put({3, 2});     // 4 5
  f.put({2});        // 6
  f.put({9});        // 7: active
  f.run_for(3s);
  REQUIRE(f.left(0) == Offsets{3, 4, 6, 7});
  const ReplicaLog& log = f.replica(0).log;
  const ReadResult one = log.read(0, 8, 1);
  CHECK(one.end == 4);
  CHECK(one.gaps);
  CHECK(one.first_batch == 3);
  CHECK(log.read(4, 8, 1).end == 6);  // its second record is gone, the batch ends where it did
  CHECK(log.read(0, 8, 100'000).end == 7);
  CHECK_FALSE(log.read(7, 8, 100'000).gaps);
  const auto fetched = f.fetch(BrokerId{0}, 0);
  f.run_for(1s);
  CHECK(fetched->end == 7);
}

TEST_CASE("where nothing is left a reader gets to the end of what was cleaned") {
  CompactedLog f;
  f.put({1});
  f.put({1 | kGone});
  f.put({2});
  f.run_for(2s);
  f.put({3});
  f.put({3});
  f.run_for(12s);
  f.put({3});  // dirty again: the next cleaning takes the tombstone away
  f.run_for(2s);
  f.put({3});
  f.run_for(2s);
  CHECK(f.left(0) == Offsets{2, 5, 6});
  PartitionStore store;
  ReplicaLog empty(store);
  empty.begin_epoch(0);
  Extent e;
  e.count = 5;
  e.bytes = 500;
  empty.append(e);
  Survivors none(0);
  none.reach(5);
  empty.compacted(none);
  CHECK(empty.read(0, 5, 1000).end == 5);
  CHECK(empty.read(2, 5, 1000).end == 5);
  CHECK(empty.read(2, 4, 1000).end == 2);  // not above the high watermark
}

TEST_CASE("a tombstone stays for delete.retention.ms after the cleaning that first met it") {
  LooseLog l;
  l.put({1, 2});
  l.put({1 | kGone});
  l.put({3});
  CHECK(l.clean(0, 4, 100s) == 4);
  CHECK(l.left() == Offsets{1, 2, 3});
  l.put({4});
  l.clean(4, 5, 109s);
  CHECK(l.left() == Offsets{1, 2, 3, 4});
  l.put({5});
  l.clean(5, 6, 110s);
  CHECK(l.left() == Offsets{1, 3, 4, 5});
}

TEST_CASE("before KIP-534 a tombstone goes when its segment is so much older than the last clean one") {
  LooseLog l;
  l.put({1, 2});
  l.put({1 | kGone});
  l.put({3});
  l.put({4});
  const std::array<Segment, 4> segments{Segment{.base = 0, .largest_timestamp = sim::Time{1s}},
                                        Segment{.base = 2, .largest_timestamp = sim::Time{20s}},
                                        Segment{.base = 3, .largest_timestamp = sim::Time{40s}},
                                        Segment{.base = 4, .largest_timestamp = sim::Time{41s}}};
  CleaningJob job = l.job(0, 3, 1000s);
  job.segments = segments;
  job.discards_to = sim::Time{19s};
  l.log.compacted(clean(job, l.map).survivors);
  CHECK(l.left() == Offsets{1, 2, 3, 4});
  job.first_dirty = 3;
  job.end = 4;
  job.discards_to = sim::Time{20s};
  l.log.compacted(clean(job, l.map).survivors);
  CHECK(l.left() == Offsets{1, 3, 4});
}

TEST_CASE("before KIP-534 a tombstone in the last clean segment stays for ever") {
  for (const bool dated : {true, false}) {
    FixtureOptions options = compacted();
    options.rules.set(Rule::dated_tombstones, dated);
    CompactedLog f(options);
    f.put({1, 2});
    f.put({1 | kGone});
    f.put({3});
    f.run_for(2s);  // the first cleaning meets it
    for (int i = 0; i < 4; ++i) {
      f.run_for(8s);
      f.put({3});
    }
    f.run_for(2s);
    const Offsets left = f.left(0);
    CHECK((std::find(left.begin(), left.end(), 2) == left.end()) == dated);
  }
}

TEST_CASE("a tombstone that is superseded goes at once") {
  LooseLog l;
  l.put({1 | kGone});
  l.put({1});
  l.clean(0, 2);
  CHECK(l.left() == Offsets{1});
}

TEST_CASE("a full map ends the cleaning before its part is done") {
  LooseLog l;
  l.put({1, 2});
  l.put({2, 3, 3});
  l.put({1});
  CleaningJob job = l.job(0, 6);
  job.keys_most = 2;
  const CleaningResult result = clean(job, l.map);
  CHECK(result.end ==
        2);  // before a key that it knows, too: Cleaner.buildOffsetMapForSegment asks for room first
  CHECK(result.survivors.end() == 2);
  CHECK(result.removed == 0);
}

TEST_CASE(
    "records of aborted transactions go, and a marker goes when none of its records has been left for as "
    "long") {
  LooseLog l;
  l.put({1, 2}, BatchKind::transactional, 7);  // 0 1
  l.put({3}, BatchKind::transactional, 8);     // 2
  Extent marker;
  marker.count = 1;
  marker.bytes = 78;
  marker.producer_id = 7;
  marker.kind = BatchKind::abort_marker;
  l.log.append(marker);  // 3
  marker.producer_id = 8;
  marker.kind = BatchKind::commit_marker;
  l.log.append(marker);  // 4
  l.put({3});            // 5
  l.clean(0, 6, 100s);
  CHECK(l.left() == Offsets{3, 4, 5});
  l.clean(6, 6, 105s);  // the first one without records of either: the clock of both runs from here
  CHECK(l.left() == Offsets{3, 4, 5});
  l.clean(6, 6, 115s);
  CHECK(l.left() == Offsets{5});
}

TEST_CASE(
    "what is younger than min.compaction.lag.ms is not cleaned, what is older than the longest lag is") {
  FixtureOptions options = compacted();
  options.config.log_cleaner.min_compaction_lag = 5s;
  CompactedLog f(options);
  f.put({1});
  f.put({1});
  f.put({1});
  f.run_for(4s);
  CHECK(f.left(0).size() == 3);
  f.run_for(3s);
  CHECK(f.left(0) == Offsets{1, 2});

  options = compacted();
  options.config.log_cleaner.min_cleanable_ratio = 1;
  options.config.log_cleaner.max_compaction_lag = 5s;
  CompactedLog g(options);
  g.put({1});
  g.put({1});
  g.put({1});
  g.run_for(4s);
  CHECK(g.left(0).size() == 3);
  g.run_for(3s);
  CHECK(g.left(0) == Offsets{1, 2});
}

TEST_CASE("a log that is not dirty enough waits") {
  FixtureOptions options = compacted();
  options.config.log_cleaner.min_cleanable_ratio = 0.5;
  CompactedLog f(options);
  int waited = 0;
  int cleaned = 0;
  for (int i = 0; i < 30; ++i) {
    f.put({i % 8});
    const Offset before = f.replica(0).disk.first_dirty;
    std::int64_t clean = 0;
    std::int64_t dirty = 0;
    const std::vector<Segment>& all = f.replica(0).disk.segments.all();
    for (std::size_t n = 0; n + 1 < all.size(); ++n)
      (all[n + 1].base <= before ? clean : dirty) += all[n].bytes;
    f.run_for(1200ms);
    const bool has_cleaned = f.replica(0).disk.first_dirty > before;
    CHECK(has_cleaned == (dirty > clean));
    ++(has_cleaned ? cleaned : waited);
  }
  CHECK(cleaned > 2);
  CHECK(waited > 2);
}

TEST_CASE("a bound of bytes a second makes a cleaning take its time, and a truncation ends it") {
  FixtureOptions options = compacted();
  options.config.log_cleaner.io_max_bytes_per_second = 100;  // 300 bytes for the map, 300 read, 200 written
  CompactedLog f(options);
  f.put({1});
  f.put({1});
  f.put({2});
  f.put({2});
  f.run_for(6s);
  CHECK(f.left(0).size() == 4);
  f.node(1).crash();
  f.replica(1).truncate(3);
  f.replica(2).truncate(3);
  f.run_for(6s);
  CHECK(f.left(0) == Offsets{1, 2, 3});
  CHECK(f.left(2) == Offsets{0, 1, 2});  // begun anew
  CHECK(f.left(1) == Offsets{0, 1, 2});
}

TEST_CASE("a broker that was away copies the gaps of its leader") {
  FixtureOptions options = compacted();
  options.config.broker_session_timeout = 2s;
  options.config.broker_heartbeat_interval = 500ms;
  CompactedLog f(options);
  f.put({7});
  f.node(2).crash();
  f.run_for(4s);
  for (int i = 0; i < 4; ++i) f.put({1, 2, i});
  f.run_for(3s);
  const Offsets left = f.left(0);
  REQUIRE(left.size() < 9);
  f.node(2).restart();
  f.run_for(5s);
  CHECK(f.replica(2).log.end() == f.replica(0).log.end());
  CHECK(f.left(2) == left);
  CHECK(f.replica(2).log.differences(f.replica(0).log, 13).empty());
  f.put({1});
  f.put({1});
  f.run_for(3s);
  CHECK(f.left(2) == f.left(0));
}

TEST_CASE("an epoch of which nothing is left is none that a new copy knows of") {
  PartitionStore store;
  ReplicaLog leader(store), follower(store);
  leader.begin_epoch(0);
  Extent e;
  e.count = 2;
  e.bytes = 200;
  leader.append(e);
  leader.begin_epoch(1);
  leader.append(e);
  leader.begin_epoch(2);
  leader.append(e);
  Survivors left(0);
  left.add({.from = 0, .to = 1, .bytes = 100});
  left.add({.from = 5, .to = 6, .bytes = 100});
  leader.compacted(left);
  const ReadResult first = leader.read(0, 6, 1000);
  REQUIRE(first.end == 2);
  follower.copy(first.epoch, 0, first.end, {.first_batch = 0, .records = std::span(left.runs()).first(1)});
  const ReadResult second = leader.read(2, 6, 1000);
  REQUIRE(second.epoch == 2);
  REQUIRE(second.first_batch == 4);
  follower.copy(second.epoch, 2, 6, {.first_batch = 4, .records = std::span(left.runs()).last(1)});
  CHECK(follower.end_of(1).epoch == 0);
  CHECK(follower.end_of(2).end == 6);
  CHECK(follower.epoch_at(2) == kNoEpoch);
  CHECK(follower.common_prefix(leader) == 6);
  CHECK(follower.differences(leader, 6).empty());
  int batches = 0;
  follower.for_each(0, [&batches](const Extent&, LeaderEpoch) { ++batches; });
  CHECK(batches == 2);
  follower.truncate(1);
  CHECK(follower.end() == 1);
  CHECK(follower.survivors()->runs().size() == 1);
}

TEST_CASE("a record without a key is refused by a compacted topic") {
  CompactedLog f;
  const auto refused = f.produce(BrokerId{0}, 1);
  f.run_for(1s);
  CHECK(refused->error == ErrorCode::invalid_record);
  CHECK(f.replica(0).log.end() == 0);
}

TEST_CASE("with cleanup.policy=compact,delete what is old goes by segments, without delete it stays") {
  for (const bool deletes : {true, false}) {
    FixtureOptions options = compacted();
    options.config.log_cleanup_policy.deletes = deletes;
    options.config.log_retention_ms = 5000;
    CompactedLog f(options);
    f.put({1});
    f.put({2});
    f.run_for(8s);
    f.put({3});
    f.run_for(2s);
    CHECK((f.replica(0).log.start() == 2) == deletes);
    CHECK(f.left(0) == (deletes ? Offsets{2} : Offsets{0, 1, 2}));
  }
}

TEST_CASE("no cleaner runs where it is switched off") {
  FixtureOptions options = compacted();
  options.config.log_cleaner.enable = false;
  CompactedLog f(options);
  for (int i = 0; i < 4; ++i) f.put({1});
  f.run_for(10s);
  CHECK(f.left(0).size() == 4);
}
