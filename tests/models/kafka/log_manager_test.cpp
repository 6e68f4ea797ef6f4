// What is on disk when, and what a crash and a power loss leave of a replica.
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"

using namespace kafka_test;

namespace {

FixtureOptions power_may_fail() {
  FixtureOptions options;
  options.power_may_fail = true;
  return options;
}

FixtureOptions alone() {
  FixtureOptions options = power_may_fail();
  options.brokers = 1;
  options.replication_factor = 1;
  return options;
}

}  // namespace

TEST_CASE("a process crash takes nothing of a log, and the high watermark back to its last checkpoint") {
  ClusterFixture f;
  f.run_for(10s);  // the checkpoint of an empty log
  f.produce(BrokerId{0}, 10);
  f.run_for(10s);
  CHECK(f.replica(1).disk.checkpointed_high_watermark == 10);
  f.replica(1).disk.checkpointed_high_watermark = 4;
  f.node(1).crash();
  CHECK(f.replica(1).log.end() == 10);
  CHECK(f.replica(1).high_watermark == 4);
}

TEST_CASE("a power loss takes what no disk has, and the leader epochs begun there") {
  ClusterFixture f(power_may_fail());
  f.produce(BrokerId{0}, 10);
  f.run_for(1s);
  f.broker(1).logs().flush(f.replica(1));
  f.produce(BrokerId{0}, 5);
  f.run_for(1s);
  REQUIRE(f.replica(1).log.end() == 15);
  f.node(1).lose_power();
  CHECK(f.replica(1).log.end() == 10);
  CHECK(f.replica(1).high_watermark <= 10);
  CHECK(f.replica(0).log.end() == 15);
  f.node(1).restart();
  f.run_for(20s);  // its session ends, it registers, fetches and is in sync again
  CHECK(f.replica(1).log.end() == 15);
  CHECK(f.replica(0).in_sync(BrokerId{1}));
}

TEST_CASE("the kernel writes back what has been dirty for half a minute") {
  ClusterFixture f(power_may_fail());
  f.produce(BrokerId{0}, 10);
  f.run_for(29s);
  CHECK(f.replica(0).disk.written == 0);
  f.run_for(12s);
  CHECK(f.replica(0).disk.written == 10);
  CHECK(f.replica(0).disk.flushed == 0);  // which is no flush: a recovery would read it
  f.node(0).lose_power();
  CHECK(f.replica(0).log.end() == 10);
}

TEST_CASE("the kernel goes on writing back while the process is down, and not while the power is") {
  ClusterFixture f(power_may_fail());
  f.produce(BrokerId{0}, 10);
  f.run_for(1s);
  f.node(0).crash();
  f.run_for(45s);
  CHECK(f.replica(0).disk.written == 10);
  f.produce(BrokerId{1}, 1);
  f.run_for(1s);
  f.node(1).lose_power();
  f.run_for(45s);
  CHECK(f.replica(1).disk.written == f.replica(1).log.end());
}

TEST_CASE("log.flush.interval.messages flushes the log that has so many, of leaders and followers") {
  FixtureOptions options = power_may_fail();
  options.config.log_flush_interval_messages = 8;
  ClusterFixture f(options);
  f.produce(BrokerId{0}, 7);
  f.run_for(1s);
  CHECK(f.replica(0).disk.flushed == 0);
  f.produce(BrokerId{0}, 1);
  f.run_for(1s);
  CHECK(f.replica(0).disk.flushed == 8);
  CHECK(f.replica(2).disk.flushed == 8);
}

TEST_CASE("log.flush.interval.ms flushes nothing unless somebody looks") {
  for (const bool looks : {false, true}) {
    FixtureOptions options = power_may_fail();
    options.config.log_flush_interval = 1s;
    if (looks) options.config.log_flush_scheduler_interval = 500ms;
    ClusterFixture f(options);
    f.run_for(5s);
    f.produce(BrokerId{0}, 3);
    f.run_for(2s);
    CHECK(f.replica(0).disk.flushed == (looks ? 3 : 0));
  }
}

TEST_CASE("a broker reads what lies above its checkpointed recovery point before it registers") {
  for (const bool flushed : {false, true}) {
    FixtureOptions options = power_may_fail();
    options.disk.recovery_bytes_per_s = 100;
    options.config.broker_session_timeout = 2s;
    options.config.log_flush_offset_checkpoint_interval = 1s;
    ClusterFixture f(options);
    f.produce(BrokerId{0}, 10);  // 1000 bytes
    f.run_for(1s);
    if (flushed) f.broker(2).logs().flush(f.replica(2));
    f.run_for(2s);
    f.node(2).crash();
    f.run_for(3s);
    f.node(2).restart();
    f.run_for(5s);
    CHECK(f.cluster.controller().fenced(BrokerId{2}) == !flushed);
    f.run_for(10s);
    CHECK_FALSE(f.cluster.controller().fenced(BrokerId{2}));
  }
}

TEST_CASE("what a lone leader's power loss took has left the log when it leads again") {
  ClusterFixture f(alone());
  f.produce(BrokerId{0}, 10);
  f.run_for(1s);
  f.broker(0).logs().flush(f.replica(0));
  f.produce(BrokerId{0}, 5);
  f.run_for(1s);
  f.node(0).lose_power();
  f.run_for(20s);
  CHECK(f.recorder.of(Kind::truncated).empty());  // nobody leads: nobody knows
  f.node(0).restart();
  f.run_for(1s);
  const auto told = f.recorder.of(Kind::truncated);
  REQUIRE(told.size() == 1);
  CHECK(told[0].a == 10);
  CHECK(told[0].b == 5);
  const auto next = f.produce(BrokerId{0}, 1);
  f.run_for(1s);
  CHECK(next->base_offset == 10);
}

TEST_CASE("a follower that kept its power leads with all that its leader lost") {
  ClusterFixture f(power_may_fail());
  f.produce(BrokerId{0}, 15);
  f.run_for(1s);
  f.node(0).lose_power();
  CHECK(f.replica(0).log.end() == 0);
  f.run_for(20s);
  REQUIRE(f.leader() == 1);
  CHECK(f.recorder.of(Kind::truncated).empty());
}

TEST_CASE("an append that brings about a flush is answered when the disk has it") {
  for (const std::int64_t every : {10, 1}) {
    FixtureOptions options;
    options.disk.flush = sim::Distribution::constant(50e6);
    options.config.log_flush_interval_messages = every;
    ClusterFixture f(options);
    const sim::Time sent = f.simulation.now();
    const auto produced = f.produce(BrokerId{0}, 3, 1);
    f.run_for(1s);
    REQUIRE(produced->answered);
    CHECK((produced->at - sent >= 50ms) == (every == 1));
  }
}

TEST_CASE("what a follower had fetched before it lost its power lets its next process into no in-sync set") {
  FixtureOptions options = power_may_fail();
  options.config.broker_session_timeout = 2s;
  options.config.broker_heartbeat_interval = 500ms;
  ClusterFixture f(options);
  f.produce(BrokerId{0}, 10);
  f.run_for(1s);
  // It registers again, and cannot fetch.
  f.network.impair({.from = {f.node(0).host()}, .to = {f.node(2).host()}, .cut = true});
  f.node(2).lose_power();
  f.node(2).restart();
  f.run_for(10s);
  CHECK_FALSE(f.cluster.controller().fenced(BrokerId{2}));
  CHECK_FALSE(f.replica(0).in_sync(BrokerId{2}));
}
