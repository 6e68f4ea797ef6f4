// Mirrors between clusters: translation of offsets, copies of records, groups and producers that move.
#include "models/kafka/mirror/mirror.hpp"

#include "models/kafka/cluster.hpp"
#include "models/metrics/observers.hpp"
#include "models/scenario_error.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace models;
using models::kafka::OffsetSyncs;
using namespace std::chrono_literals;

namespace {

/// "orders" of the cluster kafka is copied to a cluster west, where others stand by.
Scenario two_clusters() {
  Scenario s = orders_scenario(40s, sim::ArrivalProcess::poisson(100));
  s.drain = 20s;
  s.kafka->brokers = 1;
  s.kafka->topics[0].partitions = 2;
  kafka::ClusterOptions west;
  west.name = "west";
  west.brokers = 1;
  west.topics.push_back(s.kafka->topics[0]);
  s.clusters.push_back(west);
  kafka::MirrorOptions mirror;
  mirror.name = "mm2";
  mirror.to = "west";
  mirror.topics = {"orders"};
  mirror.config.replication_factor = 1;
  s.mirrors.push_back(mirror);
  s.groups[0].config.auto_offset_reset = kafka::AutoOffsetReset::earliest;
  s.groups[0].config.session_timeout = 6s;
  s.groups[0].commit = CommitMode::after_processing;
  return s;
}

FaultSpec moves(const std::string& target, sim::Duration at) {
  FaultSpec fault;
  fault.kind = "failover";
  fault.target = target;
  fault.at = at;
  return fault;
}

/// The cluster kafka and its clients die at 20 s; those elsewhere take over at 25 s.
Scenario region_lost() {
  Scenario s = two_clusters();
  s.mirrors[0].config.sync_group_offsets_enabled = true;
  s.mirrors[0].config.sync_group_offsets_interval = 2s;
  s.mirrors[0].config.emit_checkpoints_interval = 2s;
  s.producers[0].failover = FailoverOptions{"west", {}, {}, {}};
  s.groups[0].failover = FailoverOptions{"west", {}, {}, {}};
  for (const char* name : {"kafka/0", "controller", "shop", "billing/0"}) {
    s.faults.push_back(crash(name, 20s));
    s.faults.back().heals = false;
  }
  s.faults.push_back(moves("shop", 25s));
  s.faults.push_back(moves("billing", 25s));
  return s;
}

struct Outcome {
  bool drained = false;
  MetricValues values;
  double operator[](Metric metric) const { return values[metric].value_or(-1); }
};

Outcome run(const Scenario& s, bool checked = false) {
  WorldOptions options;
  options.checked = checked;
  World world(s, 3, options);
  Observers observers;
  world.trace().add_sink(observers);
  Outcome outcome;
  outcome.drained = world.run().drained;
  outcome.values = observers.values();
  return outcome;
}

}  // namespace

TEST_CASE("an offset is translated exactly where it was noted, and to the one after it beyond") {
  OffsetSyncs syncs;  // OffsetSyncStoreTest.testOffsetTranslation
  CHECK_FALSE(syncs.translated(5));
  syncs.add({100, 200});
  CHECK(syncs.translated(150) == 201);
  syncs.add({150, 251});
  CHECK(syncs.translated(150) == 251);
  CHECK(syncs.translated(5) == kafka::kNoOffset);
  syncs.add({200, 10});
  CHECK(syncs.translated(200) == 10);
  syncs.add({20, 20});
  CHECK(syncs.translated(20) == 20);
}

TEST_CASE("of what was noted long ago less is kept") {
  OffsetSyncs syncs;  // OffsetSyncStoreTest.testPastOffsetTranslation
  for (kafka::Offset offset = 1000; offset <= 10000; offset += 10) syncs.add({offset, offset});
  kafka::Offset before = kafka::kNoOffset;
  for (const kafka::Offset kept : {1000, 4840, 6760, 8680, 9160, 9640, 9880, 9940, 9970, 9990, 10000}) {
    INFO(kept);
    CHECK(syncs.translated(kept) == kept);
    CHECK(syncs.translated(kept - 1) == (before == kafka::kNoOffset ? before : before + 1));
    before = kept;
  }
  syncs.add({1500, 11000});
  CHECK(syncs.translated(1499) == kafka::kNoOffset);
  CHECK(syncs.translated(1500) == 11000);
  CHECK(syncs.translated(2000) == 11001);
}

TEST_CASE("offsets are noted at first, after offset.lag.max, and where some were skipped") {
  OffsetSyncs syncs;  // MirrorSourceTaskTest.testOffsetSync
  const auto noted = [&syncs](kafka::Offset upstream, kafka::Offset downstream) {
    const std::size_t before = syncs.noted();
    syncs.copied(upstream, downstream, 1, 50);
    return syncs.noted() > before;
  };
  CHECK(noted(0, 100));
  CHECK(noted(2, 102));
  CHECK_FALSE(noted(3, 152));
  CHECK(noted(4, 153));
  CHECK_FALSE(noted(5, 154));
  CHECK_FALSE(noted(6, 203));
  CHECK(noted(7, 204));
  CHECK(noted(2, 206));
  CHECK_FALSE(noted(3, 207));
  CHECK(noted(4, 3));
  CHECK_FALSE(noted(5, 4));
  syncs.task_started();
  CHECK(noted(6, 5));
}

TEST_CASE("a batch notes as many offsets as its records would one by one") {
  OffsetSyncs batch, single;
  batch.copied(7, 30, 1000, 100);
  for (kafka::Offset i = 0; i < 1000; ++i) single.copied(7 + i, 30 + i, 1, 100);
  CHECK(batch.noted() == single.noted());
  CHECK(batch.noted() == 10);
  for (kafka::Offset at = 7; at < 1007; ++at) CHECK(batch.translated(at) == single.translated(at));
}

TEST_CASE("a mirror copies every record once, and they stay the same messages") {
  const Outcome outcome = run(two_clusters(), true);
  CHECK(outcome.drained);
  CHECK(outcome[Metric::stored] > 3000);
  CHECK(outcome[Metric::mirrored] == outcome[Metric::stored]);
  CHECK(outcome[Metric::mirror_missing] == 0);
  CHECK(outcome[Metric::mirror_duplicates] == 0);
  CHECK(outcome[Metric::log_duplicates] == 0);
  CHECK(outcome[Metric::lost] == 0);
  CHECK(outcome[Metric::duplicated] == 0);
}

TEST_CASE("a task that dies copies again what it had not committed") {
  Scenario s = two_clusters();
  s.mirrors[0].config.offset_flush_interval = 5s;
  s.faults.push_back(crash("mm2/0", 19s, 1s));
  s.drain = 60s;
  const Outcome outcome = run(s);
  CHECK(outcome.drained);
  CHECK(outcome[Metric::mirror_missing] == 0);
  CHECK(outcome[Metric::mirror_duplicates] > 50);
  CHECK(outcome[Metric::mirror_duplicates] < 1000);
}

TEST_CASE("a task tries for ever where the target fails for a while") {
  Scenario s = two_clusters();
  s.faults.push_back(crash("west/0", 15s, 10s));
  const Outcome outcome = run(s);
  CHECK(outcome.drained);
  CHECK(outcome[Metric::mirror_missing] == 0);
}

TEST_CASE("a lost region costs what had not been copied, and a group that moves does a little again") {
  Scenario s = region_lost();
  const Outcome translated = run(s);
  CHECK(translated.drained);
  CHECK(translated[Metric::lost] == translated[Metric::mirror_missing]);
  CHECK(translated[Metric::duplicated] > 0);
  CHECK(translated[Metric::duplicated] < 1000);

  s.mirrors[0].config.sync_group_offsets_enabled = false;
  const Outcome from_the_start = run(s);
  CHECK(from_the_start[Metric::lost] == from_the_start[Metric::mirror_missing]);
  CHECK(from_the_start[Metric::duplicated] > 1500);

  s.groups[0].config.auto_offset_reset = kafka::AutoOffsetReset::latest;
  const Outcome from_the_end = run(s);
  CHECK(from_the_end[Metric::lost] > from_the_end[Metric::mirror_missing]);
  CHECK(from_the_end[Metric::duplicated] == 0);
}

TEST_CASE("with the identity policy producers that move and the mirror write to one topic") {
  Scenario s = region_lost();
  s.mirrors[0].config.identity_policy = true;
  const Outcome outcome = run(s);
  CHECK(outcome.drained);
  CHECK(outcome[Metric::lost] == outcome[Metric::mirror_missing]);
  CHECK(outcome[Metric::offered] > 3000);
}

TEST_CASE("an application may move within its cluster") {
  Scenario s = region_lost();
  s.producers[0].failover->cluster = s.groups[0].failover->cluster = "kafka";
  s.mirrors.clear();
  std::erase_if(s.faults, [](const FaultSpec& fault) {
    return fault.target == "kafka/0" || fault.target == "controller";
  });
  const Outcome outcome = run(s);
  CHECK(outcome.drained);
  CHECK(outcome[Metric::lost] == 0);
  CHECK(outcome[Metric::processed] == outcome[Metric::stored]);
}

TEST_CASE("a cluster that is not there, and a failover to nowhere, are refused") {
  Scenario s = two_clusters();
  s.groups[0].cluster = "wets";
  CHECK_THROWS_WITH(World(s, 1), ContainsSubstring("there is no cluster 'wets'; did you mean 'west'?"));
  s = two_clusters();
  s.faults.push_back(moves("billing", 5s));
  CHECK_THROWS_WITH(World(s, 1), ContainsSubstring("'billing' has nowhere to go"));
  s = region_lost();
  s.faults.back().duration = 5s;
  CHECK_THROWS_WITH(World(s, 1), ContainsSubstring("there is no way back"));
}
