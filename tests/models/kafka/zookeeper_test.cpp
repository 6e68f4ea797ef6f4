// Coordination by ZooKeeper: sessions, the election of a controller among the brokers, what it tells them, and who writes in-sync
// sets.
#include <algorithm>

#include "models/kafka/zookeeper/ensemble.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"

using namespace kafka_test;

namespace {

FixtureOptions with_zookeeper(Version version) {
  FixtureOptions options;
  options.zookeeper = true;
  options.rules = ProtocolRules(version);
  options.config.zookeeper_session_timeout = 6s;
  return options;
}

struct ZooKeeperFixture : ClusterFixture {
  explicit ZooKeeperFixture(Version version = {3, 9}) : ClusterFixture(with_zookeeper(version)) {}

  Node& zookeeper() { return cluster.node(kController); }
  std::int32_t controller() { return cluster.zookeeper()->controller().value; }
  template <class Condition>
  double seconds_until(Condition condition, sim::Duration most = 60s) {
    const sim::Time from = simulation.now();
    while (!condition() && simulation.now() < from + most) run_for(10ms);
    return sim::seconds(simulation.now() - from);
  }
};

}  // namespace

TEST_CASE("with ZooKeeper, too, what all brokers have read and a newer change has superseded is let go") {
  for (const Version version : {Version{3, 9}, Version{2, 6}}) {
    ZooKeeperFixture f(version);
    for (int i = 0; i < 9; ++i) {
      f.node(i % 3).crash();  // the controller, mostly
      f.run_for(12s);
      f.node(i % 3).restart();
      f.run_for(20s);
    }
    const MetadataLog& log = f.cluster.metadata_log();
    CHECK(log.committed() > 20);
    CHECK(log.kept() <= 5 * f.cluster.partitions().size());
    CHECK(f.leader() != -1);
    CHECK(f.replica(f.leader()).isr.size() == 3);
  }
}

TEST_CASE(
    "a broker's death is noticed when its session with ZooKeeper ends, and the controller elects another "
    "leader") {
  ZooKeeperFixture f;
  f.cluster.active_controller()->reassign(TopicIndex{0}, {BrokerId{1}, BrokerId{2}, BrokerId{0}}, 0);
  f.run_for(5s);
  f.cluster.active_controller()->elect_preferred(TopicIndex{0});
  f.run_for(1s);
  REQUIRE(f.leader() == 1);  // a broker that is not the controller
  f.node(1).crash();
  const double waited = f.seconds_until([&] { return f.leader() > -1 && f.leader() != 1; });
  CHECK(waited > 3.9);  // the last ping was within the two seconds before
  CHECK(waited < 6.1);
  f.node(1).restart();
  f.run_for(3s);
  CHECK(f.replica(f.leader()).isr.size() == 3);
}

TEST_CASE("who dies with ZooKeeper raises the epoch of those it followed, which wait for it no longer") {
  for (const bool asked : {false, true}) {  // by the leader itself: the epoch stays (KIP-497)
    FixtureOptions options = with_zookeeper({2, 7});
    options.config.replica_lag_time_max = asked ? 4s : 30s;
    options.config.zookeeper_session_timeout = asked ? 60s : 6s;
    ClusterFixture f(options);
    f.run_for(3s);
    f.produce(BrokerId{0}, 1);
    f.run_for(100ms);
    f.node(2).crash();
    const auto sent = f.produce(BrokerId{0}, 1);
    while (!sent->answered && f.simulation.now() < sim::Time{30s}) f.run_for(10ms);
    CHECK(sent->error == ErrorCode::none);
    CHECK(f.simulation.now() < sim::Time{10s});
    CHECK(f.replica(0).isr.size() == 2);
    CHECK(f.replica(0).leader_epoch == (asked ? 0 : 1));
  }
}

TEST_CASE("a dead controller is succeeded by another broker, which reads the partitions' state first") {
  for (const sim::Duration load : {0ms, 100ms}) {
    ZooKeeperFixture f;
    const_cast<ClusterOptions&>(f.cluster.options()).zookeeper_load_per_partition = load;
    REQUIRE(f.controller() == 0);
    REQUIRE(f.leader() == 0);
    f.run_for(3s);
    f.node(0).crash();
    const double silent = f.seconds_until([&] { return f.leader() > 0; });
    const double reading = sim::seconds(load) * static_cast<double>(f.cluster.partitions().size());
    CHECK(silent > 3.9 + reading);
    CHECK(silent < 6.2 + reading);
    CHECK(f.controller() > 0);
    CHECK(f.cluster.zookeeper()->controller_epoch() == 2);
    f.node(0).restart();
    f.run_for(5s);
    CHECK(f.controller() > 0);
    CHECK(f.replica(f.leader()).isr.size() == 3);
  }
}

TEST_CASE("a controller that stood still is refused by brokers that know its successor, and by ZooKeeper") {
  ZooKeeperFixture f;
  f.run_for(3s);
  f.node(0).pause();
  REQUIRE(f.seconds_until([&] { return f.controller() > 0; }) < 7.0);
  f.run_for(1s);
  const LeaderEpoch epoch = f.cluster.metadata_log().state(PartitionIndex{0}).leader_epoch;
  // It goes on where it stood: it believes that it is the controller still, and writes.
  f.node(0).resume();
  f.cluster.controller(0).elect_preferred(TopicIndex{0});
  f.run_for(1s);
  CHECK_FALSE(f.cluster.controller(0).active());
  CHECK(f.cluster.active_controller() != nullptr);
  CHECK(f.cluster.metadata_log().state(PartitionIndex{0}).leader_epoch >= epoch);
  f.run_for(20s);
  CHECK(f.replica(f.leader()).isr.size() == 3);
}

TEST_CASE("a broker that restarts within its session is let in when that has ended") {
  ZooKeeperFixture f;
  f.run_for(3s);
  f.node(2).crash();
  f.run_for(500ms);
  f.node(2).restart();
  CHECK(f.seconds_until([&] { return f.broker(2).epoch() > 3; }) > 3.0);
  f.run_for(3s);
  CHECK(f.replica(0).isr.size() == 3);
}

TEST_CASE("while ZooKeeper is out of reach nobody is fenced and nothing changes, and the data flow") {
  ZooKeeperFixture f;
  f.run_for(1s);
  f.zookeeper().crash();
  f.run_for(20s);
  CHECK(f.controller() == 0);
  const auto sent = f.produce(BrokerId{0}, 5, -1);
  f.run_for(1s);
  CHECK(sent->error == ErrorCode::none);
  f.zookeeper().restart();
  f.run_for(20s);
  CHECK(f.cluster.active_controller() != nullptr);
  CHECK(f.replica(f.leader()).isr.size() == 3);
}

TEST_CASE(
    "before KIP-497 a leader writes its in-sync set to ZooKeeper, and others hear of it seconds later") {
  for (const bool alter : {true, false}) {
    FixtureOptions options = with_zookeeper(alter ? Version{2, 7} : Version{2, 6});
    options.config.replica_lag_time_max = 2s;
    options.config.zookeeper_session_timeout = 60s;
    ClusterFixture f(options);
    f.run_for(1s);
    f.node(2).crash();
    f.produce(BrokerId{0}, 1, 1);  // which the dead one lacks
    const auto told = [&] { return f.broker(1).image(PartitionIndex{0}).isr.size() == 2; };
    sim::Time written{};
    while (f.simulation.now() < sim::Time{30s} && !told()) {
      f.run_for(10ms);
      const bool done = f.cluster.metadata_log().state(PartitionIndex{0}).isr.size() == 2;
      if (done && written == sim::Time{}) written = f.simulation.now();
    }
    REQUIRE(told());
    const double later = sim::seconds(f.simulation.now() - written);
    CHECK((later < 0.1) == alter);
    CHECK(later < 11);
    CHECK(f.replica(0).isr.size() == 2);
  }
}

TEST_CASE("an orderly end closes the session at once") {
  ZooKeeperFixture f;
  f.run_for(1s);
  f.broker(0).shut_down();
  f.run_for(3s);
  CHECK_FALSE(f.node(0).up());
  CHECK(f.leader() > 0);
  CHECK(f.controller() > 0);
  f.broker(0).start_up();
  f.run_for(3s);
  CHECK(f.replica(f.leader()).isr.size() == 3);
}

TEST_CASE("a broker gets its partitions back when it lacks more than a share of those that prefer it") {
  for (const std::int32_t percentage : {10, 60}) {
    FixtureOptions options = with_zookeeper({3, 9});
    options.partitions = 6;  // two prefer each broker, …
    options.config.offsets_topic_num_partitions = 3;
    options.config.leader_imbalance_check_interval = 30s;
    options.config.leader_imbalance_per_broker_percentage = percentage;
    ClusterFixture f(options);
    const PartitionIndex of_offsets{7};  // … and one of these
    f.run_for(7s);
    REQUIRE(f.leader(of_offsets) == 1);
    f.node(1).crash();
    f.run_for(8s);
    REQUIRE(f.leader(of_offsets) != 1);
    f.node(1).restart();
    f.run_for(2s);
    f.cluster.active_controller()->elect_preferred(TopicIndex{0});
    f.run_for(13s);
    REQUIRE(f.leader(PartitionIndex{1}) == 1);
    REQUIRE(f.leader(of_offsets) != 1);  // a third of what prefers it
    f.run_for(7s);                       // the controller has looked, 35 s after it took office
    CHECK((f.leader(of_offsets) == 1) == (percentage == 10));
  }
}
