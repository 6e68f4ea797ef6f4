// group.coordinator.threads: what a group coordinator does for its members waits for a thread, and for its partition of
// __consumer_offsets.
#include "models/kafka/group/coordinator_threads.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/observed_run.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::Metric;
using models::Scenario;

namespace {

/// A cluster's broker, whose coordinator takes 10 ms for everything.
struct Coordinating {
  explicit Coordinating(std::int32_t threads) : fixture(options(threads)) {}
  static FixtureOptions options(std::int32_t threads) {
    FixtureOptions options;
    options.config.group_coordinator_threads = threads;
    return options;
  }
  void heartbeat(const std::string& group, std::int32_t number) {
    Ref<HeartbeatCall> call = fixture.cluster.take<HeartbeatCall>();
    call->group = group;
    call->generation = number;
    queue.add(std::move(call));
  }
  /// The group's partition is that of no name given before.
  std::string another() {
    for (;; ++tried_) {
      const std::string name = "g" + std::to_string(tried_);
      const PartitionIndex p = fixture.broker(0).offsets_partition(name);
      if (std::find(used_.begin(), used_.end(), p) != used_.end()) continue;
      used_.push_back(p);
      return name;
    }
  }

  ClusterFixture fixture;
  sim::Distribution time = sim::Distribution::constant(10e6);
  std::vector<std::pair<sim::Duration, std::int32_t>> done;
  sim::Time begun = fixture.simulation.now();
  CoordinatorThreads queue{
      fixture.broker(0), time, sim::Stream(1, "times"), sim::Stream(1, "order"), [this](AnyCall call) {
        done.push_back({fixture.simulation.now() - begun, call.get_if<HeartbeatCall>()->generation});
      }};

 private:
  int tried_ = 0;
  std::vector<PartitionIndex> used_;
};

using Done = std::vector<std::pair<sim::Duration, std::int32_t>>;

}  // namespace

TEST_CASE("what concerns one partition of __consumer_offsets is done one after the other, in order") {
  Coordinating c(4);
  const std::string group = c.another();
  for (std::int32_t n = 1; n <= 3; ++n) c.heartbeat(group, n);
  c.fixture.run_for(1s);
  CHECK(c.done == Done{{10ms, 1}, {20ms, 2}, {30ms, 3}});
}

TEST_CASE("partitions of __consumer_offsets are worked on at once, as many as there are threads") {
  for (const std::int32_t threads : {1, 2, 4}) {
    Coordinating c(threads);
    for (std::int32_t n = 1; n <= 4; ++n) c.heartbeat(c.another(), n);
    c.fixture.run_for(1s);
    REQUIRE(c.done.size() == 4);
    CHECK(c.done.back().first == 40ms / threads);
  }
}

TEST_CASE("a broker that dies forgets what its coordinator was to do, and begins anew") {
  Coordinating c(1);
  const std::string group = c.another();
  c.heartbeat(group, 1);
  c.heartbeat(group, 2);
  c.fixture.run_for(5ms);
  c.fixture.node(0).crash();
  c.queue.crashed();
  c.fixture.node(0).restart();
  c.fixture.run_for(1s);
  CHECK(c.done.empty());
  c.heartbeat(group, 3);
  c.fixture.run_for(10ms);
  REQUIRE(c.done.size() == 1);
  CHECK(c.done[0].second == 3);
}

TEST_CASE("a coordinator at work on a request leaves the request handlers to others since 4.0") {
  // One request handler: a coordinator that takes it for 50 ms holds up what is produced.
  const auto latency = [](const char* version) {
    Scenario s = orders_scenario(10s, sim::ArrivalProcess::constant(20));
    s.kafka->brokers = 1;
    s.kafka->rules = ProtocolRules(*parse_version(version));
    s.kafka->config.num_io_threads = 1;
    s.kafka->service.request = sim::Distribution::constant(1e5);
    s.kafka->service.coordinator = sim::Distribution::constant(50e6);
    s.groups[0].config.heartbeat_interval = 200ms;
    s.groups[0].config.auto_offset_reset = AutoOffsetReset::earliest;
    return observed(s, Metric::publish_latency_p99_ms);
  };
  const double before = latency("3.9"), since = latency("4.0");
  INFO(before << " ms, " << since << " ms");
  CHECK(before > since + 30);
}
