// Replication, high watermark, in-sync sets, failover and truncation, seen through requests and the trace.
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"

using namespace kafka_test;

TEST_CASE("acks=1 answers after one round trip, acks=all after the followers have fetched") {
  ClusterFixture f;
  const sim::Time sent = f.simulation.now();
  const auto one = f.produce(BrokerId{0}, 5, 1);
  f.run_for(10ms);
  REQUIRE(one->answered);
  CHECK(one->base_offset == 0);
  CHECK(one->at - sent < 1600us);  // connect and one round trip
  const sim::Time again = f.simulation.now();
  const auto all = f.produce(BrokerId{0}, 5, -1);
  f.run_for(10ms);
  REQUIRE(all->answered);
  CHECK(all->error == ErrorCode::none);
  CHECK(all->at - again >= 1ms);  // there, to the follower, its next fetch, back
  CHECK(all->at - again < 1100us);
}

TEST_CASE("the high watermark follows the slowest in-sync replica and reaches followers one fetch later") {
  ClusterFixture f;
  f.produce(BrokerId{0}, 7, -1);
  f.run_for(20ms);
  CHECK(f.replica(0).high_watermark == 7);
  CHECK(f.replica(1).log.end() == 7);
  f.run_for(1s);
  CHECK(f.replica(1).high_watermark == 7);
  CHECK(f.replica(2).high_watermark == 7);
}

TEST_CASE("a follower that dies leaves the in-sync set when it is fenced, and writes go on") {
  FixtureOptions options;
  options.config.min_insync_replicas = 2;
  ClusterFixture f(options);
  f.node(2).crash();
  const auto before = f.produce(BrokerId{0}, 1, -1);
  f.run_for(5s);
  CHECK_FALSE(before->answered);  // waits for the whole in-sync set, not for a majority
  f.run_for(6s);
  CHECK(before->answered);
  CHECK(before->error == ErrorCode::none);
  CHECK(f.replica(0).isr.size() == 2);
}

TEST_CASE("below min.insync.replicas acks=all is refused before the append and acks=1 is not") {
  FixtureOptions options;
  options.config.min_insync_replicas = 2;
  ClusterFixture f(options);
  f.node(1).crash();
  f.node(2).crash();
  f.run_for(15s);
  REQUIRE(f.replica(0).isr.size() == 1);
  const auto all = f.produce(BrokerId{0}, 1, -1);
  const auto one = f.produce(BrokerId{0}, 1, 1);
  f.run_for(1s);
  CHECK(all->error == ErrorCode::not_enough_replicas);
  CHECK(one->error == ErrorCode::none);
  CHECK(f.replica(0).log.end() == 1);
  CHECK(f.replica(0).high_watermark == 0);  // consumers stall below min.insync.replicas
}

TEST_CASE(
    "a slow follower leaves the in-sync set 1 to 1.5 replica.lag.time.max.ms after it was last caught up") {
  ClusterFixture f;
  f.produce(BrokerId{0}, 1, 1);
  f.run_for(1s);
  const sim::Time cut = f.simulation.now();
  f.network.cut(f.node(0).host(), f.node(2).host());
  for (int i = 0; i < 500 && f.replica(0).isr.size() == 3; ++i) {
    f.produce(BrokerId{0}, 1, 1);
    f.run_for(100ms);
  }
  const double shrunk_after = sim::seconds(f.simulation.now() - cut);
  CHECK(f.replica(0).isr.size() == 2);
  CHECK(shrunk_after > 29.0);
  CHECK(shrunk_after < 45.6);
}

TEST_CASE("a follower that lags by one fetch for ever stays in the in-sync set") {
  ClusterFixture f;
  for (int i = 0; i < 100'000 && f.simulation.now() < sim::Time{60s}; ++i) {
    f.produce(BrokerId{0}, 1, 1);
    f.run_for(1ms);
  }
  CHECK(f.replica(0).isr.size() == 3);
}

TEST_CASE(
    "a follower that was let out while it caught up is let in by its next fetch, though nothing is written") {
  FixtureOptions options;
  options.config.replica_lag_time_max = 2s;
  options.config.broker_session_timeout = 10s;
  ClusterFixture f(options);
  for (int i = 0; i < 40; ++i) {
    f.produce(BrokerId{0}, 1, 1);
    f.run_for(i == 20 ? 100ms : 1ms);
    if (i == 20) f.node(0).pause();
  }
  f.run_for(4s);
  f.node(0).resume();
  f.run_for(1ms);
  std::size_t least = 3;
  for (int i = 0; i < 100; ++i) {
    f.run_for(1ms);
    least = std::min(least, f.replica(0).isr.size());
  }
  CHECK(least < 3);
  f.run_for(2s);
  CHECK(f.replica(0).isr.size() == 3);
}

TEST_CASE(
    "after the leader's crash another in-sync replica leads, 7 to 9 s later, and nothing acknowledged is "
    "lost") {
  ClusterFixture f;
  const auto acked = f.produce(BrokerId{0}, 10, -1);
  f.run_for(1s);
  REQUIRE(acked->answered);
  const sim::Time crash = f.simulation.now();
  f.node(0).crash();
  while (f.leader() == -1 && f.simulation.now() < crash + 20s) f.run_for(10ms);
  const double silent = sim::seconds(f.simulation.now() - crash);
  CHECK(silent > 6.9);
  CHECK(silent < 9.1);
  CHECK(f.leader() == 1);
  CHECK(f.replica(1).leader_epoch == 1);
  CHECK(f.replica(1).log.end() == 10);
  CHECK(f.recorder.of(Kind::truncated).empty());
}

TEST_CASE("an acknowledgement of acks=1 is worth nothing when the leader dies before the followers fetch") {
  ClusterFixture f;
  f.produce(BrokerId{0}, 10, -1);
  f.run_for(1s);
  const ImpairmentId one = f.network.cut(f.node(0).host(), f.node(1).host());
  const ImpairmentId two = f.network.cut(f.node(0).host(), f.node(2).host());
  const auto doomed = f.produce(BrokerId{0}, 4, 1);
  f.run_for(10ms);
  REQUIRE(doomed->answered);
  f.node(0).crash();
  f.network.heal(one);
  f.network.heal(two);
  f.run_for(12s);
  REQUIRE(f.leader() == 1);
  const auto cut = f.recorder.of(Kind::truncated);
  REQUIRE(cut.size() == 1);
  CHECK(cut[0].a == 10);
  CHECK(cut[0].b == 4);
  f.produce(BrokerId{1}, 2, -1);
  f.node(0).restart();
  f.run_for(20s);
  CHECK(f.replica(0).log.end() == 12);
  CHECK(f.replica(0).log.common_prefix(f.replica(1).log) == 12);
  CHECK(f.replica(1).isr.size() == 3);
}

TEST_CASE(
    "with an empty in-sync set the partition is offline, and an unclean election ends that with a loss") {
  for (const bool unclean : {false, true}) {
    FixtureOptions options;
    options.config.unclean_leader_election_enable = unclean;
    ClusterFixture f(options);
    f.node(1).crash();
    f.node(2).crash();
    f.run_for(12s);
    const auto acked = f.produce(BrokerId{0}, 5, -1);
    f.run_for(1s);
    REQUIRE(acked->answered);
    f.node(0).crash();
    f.run_for(12s);
    CHECK(f.leader() == -1);
    f.node(1).restart();
    f.run_for(5s);
    CHECK(f.leader() == (unclean ? 1 : -1));
    CHECK(f.recorder.of(Kind::truncated).size() == (unclean ? 1u : 0u));
    f.node(0).restart();
    f.run_for(5s);
    CHECK(f.leader() == (unclean ? 1 : 0));
  }
}

TEST_CASE(
    "a repeated batch of an idempotent producer is answered with its first offset, also by the next leader") {
  ClusterFixture f;
  const auto first = f.produce(BrokerId{0}, 3, -1, 1000, 0);
  f.run_for(1s);
  const auto again = f.produce(BrokerId{0}, 3, -1, 1000, 0);
  f.run_for(1s);
  CHECK(again->error == ErrorCode::none);
  CHECK(again->base_offset == first->base_offset);
  CHECK(f.replica(0).log.end() == 3);
  f.node(0).crash();
  f.run_for(12s);
  const auto elsewhere = f.produce(BrokerId{1}, 3, -1, 1000, 0);
  f.run_for(1s);
  CHECK(elsewhere->base_offset == first->base_offset);
  CHECK(f.replica(1).log.end() == 3);
  const auto gap = f.produce(BrokerId{1}, 1, -1, 1000, 9);
  f.run_for(1s);
  CHECK(gap->error == ErrorCode::out_of_order_sequence_number);
}

TEST_CASE("a consumer's fetch waits for data, and ends empty after fetch.max.wait.ms") {
  ClusterFixture f;
  const sim::Time asked = f.simulation.now();
  auto empty = f.fetch(BrokerId{0}, 0);
  f.run_for(1s);
  REQUIRE(empty->answered);
  CHECK(empty->end == 0);
  CHECK(empty->at - asked >= 500ms);
  CHECK(empty->at - asked < 503ms);

  auto full = f.fetch(BrokerId{0}, 0, 0, 10s);
  f.run_for(50ms);
  CHECK_FALSE(full->answered);
  f.produce(BrokerId{1}, 1, 1);  // not the leader
  f.run_for(50ms);
  CHECK_FALSE(full->answered);
}

TEST_CASE("a consumer reads up to the high watermark and no further") {
  ClusterFixture f;
  f.produce(BrokerId{0}, 3, -1);
  f.run_for(1s);
  f.network.cut(f.node(0).host(), f.node(1).host());
  f.network.cut(f.node(0).host(), f.node(2).host());
  f.produce(BrokerId{0}, 4, 1);
  f.run_for(10ms);
  REQUIRE(f.replica(0).log.end() == 7);
  const auto read = f.fetch(BrokerId{0}, 0);
  f.run_for(10ms);
  REQUIRE(read->answered);
  CHECK(read->end == 3);
}

TEST_CASE("a request to a broker that does not lead, or leads a newer epoch, is refused") {
  ClusterFixture f;
  const auto wrong = f.produce(BrokerId{1}, 1, 1);
  const auto beyond = f.fetch(BrokerId{0}, 100);
  f.run_for(1s);
  CHECK(wrong->error == ErrorCode::not_leader_or_follower);
  CHECK(beyond->error == ErrorCode::offset_out_of_range);
  f.node(0).crash();
  f.run_for(12s);
  const auto stale = f.fetch(BrokerId{1}, 0, 0);
  f.run_for(1s);
  CHECK(stale->error == ErrorCode::fenced_leader_epoch);
}

TEST_CASE("a crash at a named step strikes at that record, before the answer") {
  ClusterFixture f;
  f.steps.watch(f.node(0).entity(), Step::appended, 8, [&f] { f.node(0).crash(); });
  const auto first = f.produce(BrokerId{0}, 5, 1);
  const auto second = f.produce(BrokerId{0}, 5, 1);
  f.run_for(1s);
  CHECK(first->error == ErrorCode::none);
  CHECK(second->error == ErrorCode::disconnected);
  CHECK_FALSE(f.node(0).up());
}

TEST_CASE("the same run twice has the same digest") {
  const auto run = [] {
    ClusterFixture f;
    for (int i = 0; i < 50; ++i) {
      f.produce(BrokerId{0}, 1 + i % 3, -1);
      f.run_for(3ms);
    }
    f.node(0).crash();
    f.run_for(15s);
    return f.trace.digest();
  };
  CHECK(run() == run());
}

TEST_CASE(
    "a connection on which nothing is said for connections.max.idle.ms is closed, be it that a fetch waits "
    "on it") {
  FixtureOptions options;
  const bool longer = GENERATE(false, true);
  options.config.connections_max_idle = longer ? 3s : 1s;
  ClusterFixture f(options);
  const sim::Time began = f.simulation.now();
  const auto waits = f.fetch(BrokerId{0}, 0, 0, 2s);
  f.run_for(5s);
  REQUIRE(waits->answered);
  CHECK(waits->error == (longer ? ErrorCode::none : ErrorCode::disconnected));
  CHECK(waits->at - began >= (longer ? 2s : 1s));
  CHECK(waits->at - began < (longer ? 2010ms : 1010ms));
}
