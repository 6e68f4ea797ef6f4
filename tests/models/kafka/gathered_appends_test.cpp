// What coordinators write is gathered for their append.linger.ms and appended as one batch.
#include "models/kafka/broker/gathered_appends.hpp"

#include <algorithm>

#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;

namespace {

constexpr PartitionIndex kOne{1}, kTwo{2};

/// Commits of two members after each record, which die and come back; the brokers die in turn.
Scenario committing(sim::Duration linger) {
  Scenario s = orders_scenario(30s, sim::ArrivalProcess::poisson(300));
  s.kafka->topics[0].partitions = 8;
  s.kafka->topics[0].replication_factor = 3;
  s.kafka->config.min_insync_replicas = 2;
  s.kafka->config.broker_session_timeout = 2s;
  s.kafka->config.broker_heartbeat_interval = 500ms;
  s.kafka->config.group_coordinator_append_linger = linger;
  s.groups[0].members = 4;
  s.groups[0].commit = models::CommitMode::each_record;
  s.groups[0].config.auto_offset_reset = AutoOffsetReset::earliest;
  return s;
}

/// Commits that were told in the first half of the minute.
std::size_t committed(const Scenario& s) {
  models::World world(s, 1, {.checked = true});
  Recorder recorder;
  world.trace().add_sink(recorder);
  REQUIRE(world.run().drained);
  const auto all = recorder.of(Kind::committed);
  return static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [](const sim::TraceRecord& r) { return r.time < sim::Time{30s}; }));
}

}  // namespace

TEST_CASE(
    "each writer is told where its records end, and a batch is due when its first record has lingered") {
  GatheredAppends gathered;
  CHECK_FALSE(gathered.next_due());
  CHECK(gathered.add(kOne, 100, sim::Time{5ms}, 2, 50, 7) == 102);
  CHECK(gathered.add(kOne, 100, sim::Time{8ms}, 1, 30, 8) == 103);
  CHECK(gathered.add(kTwo, 0, sim::Time{6ms}, 4, 10, 9) == 4);
  CHECK(gathered.next_due() == sim::Time{5ms});
  CHECK_FALSE(gathered.take_due(sim::Time{4ms}));
  const auto first = gathered.take_due(sim::Time{5ms});
  REQUIRE(first);
  CHECK(first->records == 3);
  CHECK(first->bytes == 80);
  REQUIRE(first->parts.size() == 2);
  CHECK(first->parts[0].end == 102);
  CHECK(first->parts[1].token == 8);
  gathered.drop(kTwo);
  CHECK_FALSE(gathered.next_due());
}

TEST_CASE("commits wait for others to share a batch with, and none is lost with it") {
  const std::size_t at_once = committed(committing(-1ms));
  const std::size_t together = committed(committing(20ms));
  CHECK(together > 1000);
  CHECK(together * 3 < at_once * 2);
  Scenario s = committing(20ms);
  s.producers[0].arrivals = sim::ArrivalProcess::poisson(60);
  s.faults = {crash("kafka/0", 5s, 3s), crash("kafka/1", 10s, 3s), crash("kafka/2", 15s, 3s),
              crash("billing/0", 20s, 1s)};
  CHECK(committed(s) > 100);
}
