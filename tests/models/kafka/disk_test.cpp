// What a broker does when its disk is slow, stands still, is full or is lost; and when an operator deletes records.
#include "models/disk.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"

using namespace kafka_test;

namespace {

FixtureOptions short_sessions() {
  FixtureOptions options;
  options.config.broker_session_timeout = 2s;
  options.config.broker_heartbeat_interval = 500ms;
  options.config.min_insync_replicas = 2;
  return options;
}

}  // namespace

TEST_CASE("a leader whose disk stands still stays leader, and answers when it goes on") {
  ClusterFixture f(short_sessions());
  f.node(0).program()->disk()->stall();
  const auto waiting = f.produce(BrokerId{0}, 10);
  f.run_for(10s);
  CHECK_FALSE(waiting->answered);
  CHECK(f.leader() == 0);
  CHECK(f.replica(0).log.end() == 0);
  f.node(0).program()->disk()->go_on();
  f.run_for(1s);
  CHECK(waiting->answered);
  CHECK(waiting->error == ErrorCode::none);
  CHECK(f.replica(1).log.end() == 10);
}

TEST_CASE("readers are served while a disk stands still, until every request handler waits for it") {
  FixtureOptions options = short_sessions();
  options.config.num_io_threads = 2;
  ClusterFixture f(options);
  f.produce(BrokerId{0}, 10);
  f.run_for(1s);
  f.node(0).program()->disk()->stall();
  f.produce(BrokerId{0}, 10);
  f.run_for(100ms);
  const auto read = f.fetch(BrokerId{0}, 0);
  f.run_for(100ms);
  CHECK_FALSE(read->answered);  // of the same connection: it comes behind what waits
  f.node(0).program()->disk()->go_on();
  f.run_for(1s);
  CHECK(read->answered);
}

TEST_CASE("a follower whose disk stands still holds up the high watermark until it leaves the in-sync set") {
  FixtureOptions options = short_sessions();
  options.config.replica_lag_time_max = 5s;
  ClusterFixture f(options);
  f.node(1).program()->disk()->stall();
  const auto waiting = f.produce(BrokerId{0}, 10);
  f.run_for(3s);
  CHECK_FALSE(waiting->answered);
  CHECK(f.replica(1).log.end() == 0);
  f.run_for(6s);
  CHECK(waiting->answered);
  CHECK_FALSE(f.replica(0).in_sync(BrokerId{1}));
  CHECK(f.node(1).up());
  f.node(1).program()->disk()->go_on();
  f.run_for(3s);
  CHECK(f.replica(1).log.end() == 10);
  CHECK(f.replica(0).in_sync(BrokerId{1}));
}

TEST_CASE("writes to a slow disk take longer, at the leader and at its followers") {
  ClusterFixture f(short_sessions());
  for (const int b : {0, 1, 2}) f.node(b).program()->disk()->slow_down(sim::Distribution::constant(100e6));
  const sim::Time began = f.simulation.now();
  const auto slow = f.produce(BrokerId{0}, 10);
  f.run_for(1s);
  REQUIRE(slow->answered);
  CHECK(slow->at - began >= 200ms);
  for (const int b : {0, 1, 2}) f.node(b).program()->disk()->speed_up();
  const sim::Time then = f.simulation.now();
  const auto quick = f.produce(BrokerId{0}, 10);
  f.run_for(1s);
  CHECK(quick->at - then < 10ms);
}

TEST_CASE("a broker halts when it cannot write, and others go on") {
  ClusterFixture f(short_sessions());
  f.produce(BrokerId{0}, 10);
  f.run_for(1s);
  f.node(0).program()->disk()->fill();
  f.run_for(5s);
  CHECK(f.node(0).up());  // nobody has written yet
  f.produce(BrokerId{0}, 10);
  f.run_for(1s);
  CHECK_FALSE(f.node(0).up());
  CHECK(f.replica(0).log.end() == 10);
  f.run_for(5s);
  const std::int32_t next = f.leader();
  REQUIRE(next > 0);
  f.produce(BrokerId{next}, 10);
  f.run_for(1s);
  CHECK(f.replica(next).high_watermark == 20);
  const auto told = f.recorder.of(Kind::broker_state);
  CHECK(std::any_of(told.begin(), told.end(), [](const sim::TraceRecord& r) {
    return r.code == static_cast<std::uint16_t>(BrokerCode::disk_failed);
  }));
}

TEST_CASE("a broker that comes back with an empty disk copies all from its leader") {
  ClusterFixture f(short_sessions());
  f.produce(BrokerId{0}, 10);
  f.run_for(1s);
  REQUIRE(f.replica(1).log.end() == 10);
  f.node(1).program()->disk()->replace();
  f.node(1).lose_power();
  CHECK(f.replica(1).log.end() == 0);
  CHECK(f.replica(1).high_watermark == 0);
  f.run_for(4s);
  CHECK_FALSE(f.replica(0).in_sync(BrokerId{1}));
  f.node(1).restart();
  f.run_for(4s);
  CHECK(f.replica(1).log.end() == 10);
  CHECK(f.replica(0).in_sync(BrokerId{1}));
  CHECK_FALSE(f.node(1).program()->disk()->take_replaced());  // once
}

TEST_CASE("a disk is full when its logs are as large as it is, and retention makes room") {
  for (const bool retention : {false, true}) {
    FixtureOptions options = short_sessions();
    options.disk.size = 5'000'000;
    options.config.log_segment_bytes = 1048576;
    options.config.log_retention_check_interval = 1s;
    options.config.log_segment_delete_delay = 1s;
    if (retention) options.config.log_retention_bytes = 2'000'000;
    ClusterFixture f(options);
    for (int i = 0; i < 12; ++i) {
      f.produce(BrokerId{0}, 5000);
      f.run_for(600ms);
    }
    CHECK(f.node(0).up() == retention);
    CHECK((f.replica(0).log.end() == 60'000) == retention);
  }
}

TEST_CASE("what retention deletes leaves the disk after file.delete.delay.ms, or with the next process") {
  for (const bool of_topic : {false, true}) {
    FixtureOptions options = short_sessions();
    options.disk.size = 5'000'000;
    options.config.log_segment_bytes = 1048576;
    options.config.log_retention_check_interval = 1s;
    options.config.log_initial_task_delay = 1s;
    options.config.log_retention_bytes = 2'000'000;
    if (of_topic) {
      options.config.log_segment_delete_delay = 1s;
      options.topic.file_delete_delay = 60s;
    }
    ClusterFixture f(options);
    for (int i = 0; i < 12; ++i) {
      f.produce(BrokerId{0}, 5000);
      f.run_for(600ms);
    }
    CHECK_FALSE(f.node(0).up());  // the default: 60 s
    f.node(0).restart();
    f.run_for(10s);
    CHECK(f.node(0).up());
    const auto more = f.produce(BrokerId{static_cast<std::int32_t>(f.leader())}, 5000);
    f.run_for(1s);
    CHECK(f.node(0).up());
  }
}

TEST_CASE("a power loss may tear the last batch that was written back, never one that was flushed") {
  for (const bool torn : {false, true}) {
    FixtureOptions options;
    options.power_may_fail = true;
    options.disk.torn = torn ? 1 : 0;
    options.disk.write_back_after = 1s;
    options.disk.write_back_every = 1s;
    ClusterFixture f(options);
    f.produce(BrokerId{0}, 10);
    f.run_for(100ms);
    f.produce(BrokerId{0}, 5);
    f.run_for(10s);
    REQUIRE(f.replica(1).disk.written == 15);
    f.node(1).lose_power();
    CHECK(f.replica(1).log.end() == (torn ? 10 : 15));
    f.broker(2).logs().flush(f.replica(2));
    f.node(2).lose_power();
    CHECK(f.replica(2).log.end() == 15);
  }
}

TEST_CASE("records are deleted up to an offset, at the leader and then at its followers") {
  ClusterFixture f;
  f.produce(BrokerId{0}, 20);
  f.run_for(1s);
  CHECK(f.broker(0).delete_records(PartitionIndex{0}, 21) == ErrorCode::offset_out_of_range);
  CHECK(f.broker(1).delete_records(PartitionIndex{0}, 5) == ErrorCode::not_leader_or_follower);
  CHECK(f.broker(0).delete_records(PartitionIndex{0}, 5) == ErrorCode::none);
  CHECK(f.replica(0).log.start() == 5);
  f.run_for(1s);
  CHECK(f.replica(1).log.start() == 5);
  const auto below = f.fetch(BrokerId{0}, 4);
  f.run_for(1s);
  CHECK(below->error == ErrorCode::offset_out_of_range);
  CHECK(f.broker(0).delete_records(PartitionIndex{0}, 3) == ErrorCode::none);  // they have gone already
  CHECK(f.replica(0).log.start() == 5);
  CHECK(f.broker(0).delete_records(PartitionIndex{0}, kNoOffset) == ErrorCode::none);
  CHECK(f.replica(0).log.start() == 20);
  f.run_for(1s);
  const auto told = f.recorder.of(Kind::expired);
  REQUIRE(told.size() == 2);
  CHECK(told[1].a == 5);
  CHECK(told[1].b == 15);
}

TEST_CASE("a compacted topic keeps its records whatever an operator asks for") {
  FixtureOptions options;
  options.config.log_cleanup_policy = {.compacts = true, .deletes = false};
  ClusterFixture f(options);
  CHECK(f.broker(0).delete_records(PartitionIndex{0}, kNoOffset) == ErrorCode::policy_violation);
}

TEST_CASE("what is older than a moment ends where its first younger batch begins") {
  ClusterFixture f;
  for (int i = 0; i < 3; ++i) {
    f.produce(BrokerId{0}, 10);
    f.run_for(1s);
  }
  const ReplicaLog& log = f.replica(0).log;
  CHECK(log.first_younger(sim::Time{}) == 0);
  CHECK(log.first_younger(sim::Time{1500ms}) == 20);
  CHECK(log.first_younger(f.simulation.now()) == 30);
}
