// Segments, and what retention removes of them at each replica.
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;

namespace {

/// Half a megabyte a batch: two to a segment.
constexpr std::int32_t kBatch = 5000;

FixtureOptions segments() {
  FixtureOptions options;
  options.config.log_segment_bytes = 1048576;
  options.config.log_retention_check_interval = 1s;
  return options;
}

void fill(ClusterFixture& f, int batches) {
  for (int i = 0; i < batches; ++i) {
    f.produce(BrokerId{0}, kBatch);
    f.run_for(100ms);
  }
}

}  // namespace

TEST_CASE("a segment rolls when the next batch does not fit, and what is rolled is flushed") {
  ClusterFixture f(segments());
  fill(f, 5);
  for (const int b : {0, 1}) {
    const std::vector<Segment>& all = f.replica(b).disk.segments.all();
    REQUIRE(all.size() == 3);
    CHECK(all[1].base == 2 * kBatch);
    CHECK(all[2].base == 4 * kBatch);
    CHECK(all[0].bytes == 100 * 2 * kBatch);
    CHECK(f.replica(b).disk.segments.bytes() == 100 * 5 * kBatch);
    CHECK(f.replica(b).disk.flushed == 4 * kBatch);
  }
}

TEST_CASE("a segment rolls when its first record is older than segment.ms") {
  FixtureOptions options = segments();
  options.config.log_roll = 1s;
  ClusterFixture f(options);
  f.produce(BrokerId{0}, 10);
  f.run_for(900ms);
  f.produce(BrokerId{0}, 10);
  f.run_for(900ms);
  CHECK(f.replica(0).disk.segments.all().size() == 1);
  f.produce(BrokerId{0}, 10);
  f.run_for(10ms);
  CHECK(f.replica(0).disk.segments.all().size() == 2);
}

TEST_CASE("retention.bytes removes whole segments, the oldest first, while it stays satisfied without them") {
  FixtureOptions options = segments();
  options.config.log_retention_bytes = 1'400'000;
  ClusterFixture f(options);
  fill(f, 6);  // three segments of 1,000,000 bytes
  f.run_for(3s);
  for (const int b : {0, 1, 2}) {
    CHECK(f.replica(b).log.start() ==
          2 * kBatch);  // 2,000,000 are left; without the next one it would be too few
    CHECK(f.replica(b).disk.segments.all().size() == 2);
  }
  const auto told = f.recorder.of(Kind::expired);
  REQUIRE(told.size() == 1);
  CHECK(told[0].a == 0);
  CHECK(told[0].b == 2 * kBatch);
  CHECK(told[0].c == 1);
}

TEST_CASE("retention.ms goes by a segment's newest record, and rolls the active one when all have expired") {
  FixtureOptions options = segments();
  options.config.log_retention_ms = 5000;
  ClusterFixture f(options);
  fill(f, 3);
  f.run_for(4s);
  fill(f, 1);  // the second segment gets a younger record
  f.run_for(3s);
  CHECK(f.replica(0).log.start() == 2 * kBatch);
  f.run_for(5s);
  CHECK(f.replica(0).log.start() == 4 * kBatch);
  CHECK(f.replica(0).log.end() == 4 * kBatch);
  CHECK(f.replica(0).disk.segments.bytes() == 0);
  CHECK(f.replica(1).log.start() == 4 * kBatch);
  fill(f, 1);  // and the log goes on
  CHECK(f.replica(1).log.end() == 5 * kBatch);
  CHECK(f.replica(1).log.common_prefix(f.replica(0).log) == 5 * kBatch);
}

TEST_CASE("nothing is removed above the high watermark") {
  FixtureOptions options = segments();
  options.config.log_retention_ms = 1000;
  ClusterFixture f(options);
  for (const int b : {1, 2}) f.node(b).pause();
  f.produce(BrokerId{0}, kBatch, 1);
  f.run_for(5s);
  CHECK(f.replica(0).high_watermark == 0);
  CHECK(f.replica(0).log.start() == 0);
}

TEST_CASE("nothing is removed for ever where retention is unlimited") {
  FixtureOptions options = segments();
  options.config.log_retention_ms = -1;
  ClusterFixture f(options);
  fill(f, 4);
  f.run_for(10s);
  CHECK(f.replica(0).log.start() == 0);
}

TEST_CASE("a fetch below the log's start is out of range") {
  FixtureOptions options = segments();
  options.config.log_retention_bytes = 0;
  ClusterFixture f(options);
  fill(f, 4);
  f.run_for(3s);
  REQUIRE(f.replica(0).log.start() == 4 * kBatch);
  const auto fetched = f.fetch(BrokerId{0}, 3);
  f.run_for(1s);
  CHECK(fetched->error == ErrorCode::offset_out_of_range);
}

TEST_CASE("a follower that comes back below its leader's start begins there") {
  FixtureOptions options = segments();
  options.config.log_retention_ms = 2000;
  options.config.broker_session_timeout = 2s;
  options.config.broker_heartbeat_interval = 500ms;
  ClusterFixture f(options);
  fill(f, 1);
  f.node(2).crash();
  f.run_for(4s);
  fill(f, 3);
  f.run_for(6s);
  REQUIRE(f.replica(0).log.start() == 4 * kBatch);
  REQUIRE(f.replica(2).log.end() == kBatch);
  f.node(2).restart();
  f.run_for(5s);
  CHECK(f.replica(2).log.start() == 4 * kBatch);
  CHECK(f.replica(2).log.end() == 4 * kBatch);
  CHECK(f.replica(0).in_sync(BrokerId{2}));
  fill(f, 1);
  CHECK(f.replica(2).log.end() == 5 * kBatch);
}

TEST_CASE("a follower starts no lower than its leader, whenever it cleans up itself") {
  FixtureOptions options = segments();
  ClusterFixture f(options);
  fill(f, 4);
  f.broker(0).logs().raise_start(f.replica(0), 7);
  f.run_for(2s);
  CHECK(f.replica(1).log.start() == 7);
  CHECK(f.replica(1).disk.segments.all().size() == 2);  // it is not the end of a segment
  f.broker(0).logs().raise_start(f.replica(0), 2 * kBatch + 1);
  f.run_for(3s);
  CHECK(f.replica(1).log.start() == 2 * kBatch + 1);
  CHECK(f.replica(1).disk.segments.all().size() == 1);
}

TEST_CASE("a cut log has segments as long as it is") {
  ClusterFixture f(segments());
  fill(f, 5);
  Replica& replica = f.replica(1);
  f.node(1).crash();
  replica.truncate(3 * kBatch);
  CHECK(replica.disk.segments.all().size() == 2);
  CHECK(replica.disk.segments.bytes() == 100 * 3 * kBatch);
  replica.truncate(2 * kBatch);
  CHECK(replica.disk.segments.all().size() == 1);
  CHECK(replica.disk.segments.bytes() == 100 * 2 * kBatch);
}

TEST_CASE("batches that retention removed at every replica are let go") {
  FixtureOptions options = segments();
  options.config.log_retention_ms = 1000;
  ClusterFixture f(options);
  std::size_t most = 0;
  for (int i = 0; i < 2000; ++i) {
    f.produce(BrokerId{0}, 100);
    f.run_for(10ms);
    most = std::max(most, f.cluster.shared(PartitionIndex{0}).store.kept());
  }
  CHECK(most < 900);
}

namespace {

/// 200 batches of one record a second, kept for two seconds by segments of 1 MiB.
models::Scenario short_lived(sim::Duration duration) {
  models::Scenario s = orders_scenario(duration, sim::ArrivalProcess::poisson(200));
  s.kafka->config.log_segment_bytes = 1048576;
  s.kafka->config.log_retention_ms = 2000;
  s.kafka->config.log_retention_check_interval = 1s;
  s.kafka->config.log_initial_task_delay = 1s;
  s.producers[0].size = sim::Distribution::constant(20'000);
  s.producers[0].config.linger = 0ms;
  s.groups[0].config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  return s;
}

std::size_t kept_after(const models::Scenario& s) {
  models::World world(s, 1, {.checked = true});
  world.run();
  return world.kafka().shared(PartitionIndex{0}).store.kept();
}

}  // namespace

TEST_CASE("what a consumer has in hand keeps its identity, though its log has expired meanwhile") {
  models::Scenario s = short_lived(20s);
  s.drain = 200s;
  s.groups[0].service = sim::Distribution::constant(40'000'000);  // a poll of 500 records takes 20 s
  s.groups[0].effect = models::EffectOptions{.idempotency_key = true};
  SECTION("in the loop") {}
  SECTION("in threads") {
    s.groups[0].hand_off = models::HandOff{.threads = 1};
  }
  models::World world(s, 1, {.checked = true});
  Recorder recorder;
  world.trace().add_sink(recorder);
  CHECK(world.run().drained);
  std::int64_t effects = 0, seqs = 0, expired = 0;
  for (const auto& r : recorder.of(Kind::effect)) {
    effects += r.b;
    for (std::int64_t seq = r.a; seq < r.a + r.b; ++seq) seqs += seq;
  }
  for (const auto& r : recorder.of(Kind::expired)) expired += r.b;
  CHECK(expired > 2000);
  CHECK(effects > 500);
  std::int64_t offsets = 0;  // one producer and one partition: seq and offset are the same number
  for (const auto& r : recorder.of(Kind::processed)) {
    for (std::int64_t o = r.a; o < r.a + r.b; ++o) offsets += o;
  }
  CHECK(seqs == offsets);
}

TEST_CASE("brokers that a partition may move to hold nothing back of what has expired") {
  models::Scenario s = short_lived(60s);
  s.kafka->brokers = 4;
  const std::size_t kept = kept_after(s);
  CHECK(kept < 2000);  // of 12,000
  models::FaultSpec move;
  move.kind = "reassign";
  move.target = "orders";
  move.brokers = {"kafka/3"};
  move.at = 59s;
  s.faults = {move};
  CHECK(kept_after(s) < 2000);
}

TEST_CASE(
    "a log that is cut below its start begins anew there, and nothing of the old one counts as on disk") {
  ClusterFixture f(segments());
  fill(f, 5);
  Replica& follower = f.replica(1);
  follower.log.raise_start(2 * kBatch);
  follower.truncate(kBatch);
  CHECK(follower.log.start() == kBatch);
  CHECK(follower.log.end() == kBatch);
  CHECK(follower.high_watermark == kBatch);
  CHECK(follower.disk.written == kBatch);
  CHECK(follower.disk.flushed == kBatch);
}

TEST_CASE("a transaction that began below the log's start holds readers up no further down") {
  ClusterFixture f(segments());
  fill(f, 3);
  Replica& leader = f.replica(0);
  Extent open;
  open.count = 10;
  open.bytes = 1000;
  open.producer_id = ProducerId{7};
  open.base_sequence = 0;
  open.kind = BatchKind::transactional;
  const Offset first = leader.log.end();
  leader.log.append(open);
  leader.producers.rebuild(leader.log);
  leader.high_watermark = leader.log.end();
  REQUIRE(leader.producers.first_unstable() == first);
  CHECK(leader.last_stable_offset() == first);
  leader.log.raise_start(leader.log.end());
  CHECK(leader.last_stable_offset() == leader.log.end());
}

TEST_CASE("a batch that is larger than a segment is refused, and not sent in halves") {
  models::Scenario s = orders_scenario(10s, sim::ArrivalProcess::poisson(100));
  s.kafka->topics[0].config.segment_bytes = 300;
  s.producers[0].config.linger = 100ms;  // ten records or so
  models::World world(s, 1);
  Recorder recorder;
  world.trace().add_sink(recorder);
  CHECK(world.run().drained);
  std::int64_t refused = 0;
  for (const sim::TraceRecord& r : recorder.of(Kind::failed)) {
    CHECK(error_name(static_cast<ErrorCode>(r.code)) == "RECORD_LIST_TOO_LARGE");
    refused += r.b;
  }
  CHECK(refused > 900);
  for (const sim::TraceRecord& r : recorder.of(Kind::stored)) CHECK(r.b <= 2);
}
