// The liveness rule is seen to fire: on followers that cannot fetch, and on nothing that is well, or has good reason to wait.
#include "tests/models/proof/liveness.hpp"

#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"

using namespace kafka_test;

namespace {

/// A cluster of three, and how it has fared `after` the records that are appended when `wrong` has been done.
template <class F>
std::string found(sim::Duration after, F&& wrong) {
  FixtureOptions options;
  options.config.replica_lag_time_max = 10s;
  ClusterFixture f(options);
  f.produce(BrokerId{0}, 10);
  f.run_for(1s);
  wrong(f);
  f.produce(BrokerId{0}, 5);
  proof::Liveness liveness(f.cluster, 5s);
  for (sim::Duration passed{}; passed < after; passed += 1s) {
    f.run_for(1s);
    liveness.look();
  }
  return liveness.found();
}

/// What a follower that has ceased to fetch looks like: it is heard of by the controller, and not by its leader.
void never_fetches(ClusterFixture& f) {
  f.network.impair({.from = {f.node(1).host()}, .to = {f.node(0).host()}, .cut = true});
}

}  // namespace

TEST_CASE("a cluster that is well is live") {
  CHECK(found(30s, [](ClusterFixture&) {}).empty());
}

TEST_CASE("a high watermark that waits for a follower that never fetches is found") {
  CHECK(found(8s, never_fetches) == "orders/0: the high watermark stands at 10, and the log ends at 15");
}

TEST_CASE("a follower that never fetches is found when its leader has left it out long ago") {
  FixtureOptions options;
  options.config.replica_lag_time_max = 2s;
  ClusterFixture f(options);
  never_fetches(f);
  f.produce(BrokerId{0}, 10);
  f.run_for(10s);
  REQUIRE(f.replica(0).high_watermark == 10);
  proof::Liveness liveness(f.cluster, 5s);
  for (int second = 0; second < 8; ++second) {
    f.run_for(1s);
    liveness.look();
  }
  CHECK(liveness.found() == "orders/0: broker 1 serves, and is not in sync");
}

TEST_CASE("a broker that is down is not waited for") {
  CHECK(found(30s, [](ClusterFixture& f) { f.node(1).crash(); }).empty());
}

TEST_CASE("a follower that comes back is waited for only as long as it needs") {
  const auto comes_back = [](ClusterFixture& f) {
    f.node(1).crash();
    f.run_for(20s);
    f.node(1).restart();
  };
  CHECK(found(30s, comes_back).empty());
}
