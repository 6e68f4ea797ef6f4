// How leaders ask for in-sync sets: all that waits goes with one request, beside the heartbeats and not before them.
#include <algorithm>
#include <set>

#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"

using namespace kafka_test;

namespace {

constexpr std::int32_t kPartitions = 300;

FixtureOptions many_partitions(std::int32_t controllers) {
  FixtureOptions options;
  options.controllers = controllers;
  options.partitions = kPartitions;
  options.config.broker_session_timeout = 3s;
  options.config.broker_heartbeat_interval = 500ms;
  return options;
}

struct Returning : ClusterFixture {
  explicit Returning(std::int32_t controllers) : ClusterFixture(many_partitions(controllers)) {
    run_for(2s);
    node(1).crash();
    run_for(500ms);
    node(1).restart();
    run_for(20s);
  }

  std::set<std::uint32_t> fenced() const {
    std::set<std::uint32_t> who;
    for (const sim::TraceRecord& r : recorder.of(Kind::broker_state)) {
      if (r.code == static_cast<std::uint16_t>(BrokerCode::fenced)) who.insert(r.actor);
    }
    return who;
  }
  /// The moments at which in-sync sets were changed: those of one request are changed at one.
  std::size_t moments() const {
    std::set<sim::Time> found;
    for (const sim::TraceRecord& r : recorder.of(Kind::isr_changed)) found.insert(r.time);
    return found.size();
  }
  bool whole() {
    for (std::uint32_t p = 0; p < kPartitions; ++p) {
      if (cluster.active_controller()->state(PartitionIndex{p}).isr.size() != 3) return false;
    }
    return true;
  }
};

void comes_back(std::int32_t controllers) {
  Returning f(controllers);
  CHECK(f.whole());
  const std::set<std::uint32_t> crashed{f.node(1).entity().value};
  const std::set<std::uint32_t> fenced = f.fenced();
  CHECK(std::includes(crashed.begin(), crashed.end(), fenced.begin(), fenced.end()));
  // Each partition has lost the broker and got it back.
  CHECK(f.recorder.of(Kind::isr_changed).size() >= 2 * kPartitions);
  CHECK(f.moments() < kPartitions / 5);
}

}  // namespace

TEST_CASE("a broker that comes back to many partitions costs no other its session with a quorum") {
  comes_back(3);
}

TEST_CASE("a broker that comes back to many partitions costs no other its session with one controller") {
  comes_back(1);
}
