// num.replica.fetchers: how partitions of one leader wait for each other at a follower.
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"

using namespace kafka_test;

namespace {

/// How long acks=all takes for a partition while the follower, whose disk takes 100 ms a write, is busy with another one of the
/// same leader.
sim::Duration waits_beside(std::int32_t fetchers) {
  FixtureOptions options;
  options.brokers = 2;
  options.partitions = 4;
  options.replication_factor = 2;
  options.config.num_replica_fetchers = fetchers;
  ClusterFixture f(options);
  REQUIRE(f.leader(PartitionIndex{0}) == f.leader(PartitionIndex{2}));
  const BrokerId leader{f.leader(PartitionIndex{0})};
  f.broker(1 - leader.value).disk()->slow_down(sim::Distribution::constant(100e6));
  f.produce(leader, 5, 1, kNoProducerId, -1, PartitionIndex{0});
  f.run_for(10ms);
  const sim::Time sent = f.simulation.now();
  const auto other = f.produce(leader, 5, -1, kNoProducerId, -1, PartitionIndex{2});
  f.run_for(1s);
  REQUIRE(other->answered);
  CHECK(f.replica(1 - leader.value, PartitionIndex{0}).log.end() == 5);
  return other->at - sent;
}

}  // namespace

TEST_CASE("what a replica fetcher writes holds up all its partitions and none of another fetcher") {
  // One fetcher: the write under way, a fetch, and a write of its own.
  CHECK(waits_beside(1) > 190ms);
  CHECK(waits_beside(1) < 200ms);
  // With three the two partitions are in the hands of two.
  CHECK(waits_beside(3) > 100ms);
  CHECK(waits_beside(3) < 110ms);
}

TEST_CASE("partitions of one leader are spread over its fetchers by topic and number") {
  const auto copied = [](std::int32_t fetchers) {
    FixtureOptions options;
    options.brokers = 2;
    options.partitions = 8;
    options.replication_factor = 2;
    options.config.num_replica_fetchers = fetchers;
    ClusterFixture f(options);
    const BrokerId leader{f.leader(PartitionIndex{0})};
    f.broker(1 - leader.value).disk()->slow_down(sim::Distribution::constant(100e6));
    // One after the other, so that each finds the fetchers before it busy.
    for (std::uint32_t p = 0; p < 8; p += 2) {
      f.produce(leader, 1, 1, kNoProducerId, -1, PartitionIndex{p});
      f.run_for(10ms);
    }
    f.run_for(100ms);
    int done = 0;
    for (std::uint32_t p = 0; p < 8; p += 2)
      done += f.replica(1 - leader.value, PartitionIndex{p}).log.end() == 1 ? 1 : 0;
    return done;
  };
  CHECK(copied(1) == 1);
  CHECK(copied(3) == 3);  // the fourth shares the fetcher of the first
  CHECK(copied(8) == 4);
}
