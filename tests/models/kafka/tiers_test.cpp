// Tiered storage: what is copied, what leaves the brokers' disks, and who reads what from where.
#include "models/kafka/tiers/remote_store.hpp"
#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;

namespace {

/// Half a megabyte a batch: two to a segment.
constexpr std::int32_t kBatch = 5000;

FixtureOptions tiered() {
  FixtureOptions options;
  options.config.log_segment_bytes = 1048576;
  options.config.log_retention_check_interval = 1s;
  options.config.log_initial_task_delay = 1s;
  options.config.broker_session_timeout = 2s;
  options.config.broker_heartbeat_interval = 500ms;
  options.config.tiers.system_enable = true;
  options.config.tiers.manager_task_interval = 1s;
  options.config.tiers.local_retention_bytes = 1'000'000;
  options.topic.tiers.remote_storage_enable = true;
  return options;
}

void fill(ClusterFixture& f, int batches, BrokerId leader = BrokerId{0}) {
  for (int i = 0; i < batches; ++i) {
    f.produce(leader, kBatch);
    f.run_for(100ms);
  }
}

const RemoteLog& remote(ClusterFixture& f) {
  return *f.cluster.shared(PartitionIndex{0}).remote;
}
Offset remote_end(ClusterFixture& f) {
  return remote(f).segments().empty() ? 0 : remote(f).segments().back().end;
}
std::size_t told(ClusterFixture& f, std::uint16_t code) {
  std::size_t n = 0;
  for (const sim::TraceRecord& r : f.recorder.of(Kind::tiered)) n += r.code == code ? 1 : 0;
  return n;
}

}  // namespace

TEST_CASE(
    "closed segments are copied, and leave the disks as local retention says, while the log still starts "
    "where it did") {
  ClusterFixture f(tiered());
  fill(f, 9);  // five segments, the last with one batch
  f.run_for(6s);
  CHECK(remote_end(f) == 8 * kBatch);
  CHECK(remote(f).segments().size() == 4);
  CHECK(remote(f).segments()[1].bytes == 100 * 2 * kBatch);
  for (const int b : {0, 1, 2}) {
    CHECK(f.replica(b).log.start() == 0);
    CHECK(f.replica(b).local_start() == 6 * kBatch);
    CHECK(f.replica(b).disk.segments.all().size() == 2);
  }
  CHECK(f.recorder.of(Kind::expired).empty());
}

TEST_CASE(
    "what has not been copied stays on the disks, and of what has been followers learn in their own rounds") {
  FixtureOptions options = tiered();
  options.config.tiers.manager_task_interval = 20s;
  ClusterFixture f(options);
  fill(f, 9);
  f.run_for(1s);
  const bool early = remote_end(f) > 0;  // rounds begin anywhere
  CHECK((early || f.replica(0).local_start() == 0));
  for (const int b : {1, 2}) CHECK(f.replica(b).local_start() <= f.replica(b).disk.remote_end);
  f.run_for(45s);
  for (const int b : {0, 1, 2}) CHECK(f.replica(b).local_start() == 6 * kBatch);
}

TEST_CASE("without remote.storage.enable local retention means nothing") {
  FixtureOptions options = tiered();
  options.topic.tiers.remote_storage_enable = false;
  ClusterFixture f(options);
  fill(f, 9);
  f.run_for(5s);
  CHECK(f.replica(0).disk.segments.all().size() == 5);
  CHECK(f.cluster.shared(PartitionIndex{0}).remote == nullptr);
}

TEST_CASE("an active segment that is too old is rolled, copied, and then leaves the disk") {
  FixtureOptions options = tiered();
  options.config.tiers.local_retention_ms = 3000;
  ClusterFixture f(options);
  fill(f, 1);
  f.run_for(10s);
  CHECK(remote_end(f) == kBatch);
  CHECK(f.replica(0).local_start() == kBatch);
  CHECK(f.replica(0).log.start() == 0);
}

TEST_CASE(
    "a copy takes as long as its bytes do, and no more are copied at a time than the quota lets through") {
  FixtureOptions options = tiered();
  options.remote.latency = sim::Distribution::constant(0);
  options.remote.bytes_per_s = 500'000;
  const bool bounded = GENERATE(false, true);
  // One segment of a megabyte counts as 91 kB/s over eleven seconds.
  if (bounded) options.config.tiers.copy_max_bytes_per_second = 50'000;
  ClusterFixture f(options);
  fill(f, 9);
  f.run_for(9s);
  CHECK(remote(f).segments().size() == (bounded ? 1 : 4));
  f.run_for(60s);
  CHECK(remote(f).segments().size() == 4);
}

TEST_CASE("a consumer is served from remote storage, as slowly as that is, and one segment at a time") {
  FixtureOptions options = tiered();
  options.remote.latency = sim::Distribution::constant(300e6);
  ClusterFixture f(options);
  fill(f, 9);
  f.run_for(9s);
  const sim::Time began = f.simulation.now();
  const auto old = f.fetch(BrokerId{0}, kBatch);
  f.run_for(2s);
  REQUIRE(old->answered);
  CHECK(old->error == ErrorCode::none);
  CHECK(old->base == kBatch);
  CHECK(old->end == 2 * kBatch);
  CHECK(old->at - began > 300ms);
  const sim::Time then = f.simulation.now();
  const auto young = f.fetch(BrokerId{0}, 8 * kBatch);
  f.run_for(2s);
  CHECK(young->at - then < 10ms);
  CHECK(young->end == 9 * kBatch);
  CHECK(told(f, kCopied) == 4);
  CHECK(told(f, kRemoteRead) == 1);
  CHECK(told(f, kRemoteReadFailed) == 0);
}

TEST_CASE("the other partitions of a fetch wait with the one that is read from remote storage") {
  FixtureOptions options = tiered();
  options.partitions = 4;
  options.replication_factor = 1;
  options.brokers = 1;
  options.remote.latency = sim::Distribution::constant(300e6);
  ClusterFixture f(options);
  fill(f, 9);
  f.run_for(9s);
  REQUIRE(f.replica(0).local_start() > 0);
  f.produce(BrokerId{0}, 10, -1, kNoProducerId, -1, PartitionIndex{1});
  f.run_for(100ms);
  const auto ask = [&f](Offset first) {
    Ref<FetchCall> call = f.cluster.take<FetchCall>();
    call->client = f.client_entity;
    call->max_wait = 500ms;
    for (std::uint32_t p : {0u, 1u}) {
      FetchPartition item;
      item.partition = PartitionIndex{p};
      item.fetch_offset = p == 0 ? first : 0;
      call->partitions.push_back(item);
    }
    f.send(BrokerId{0}, std::move(call));
  };
  const sim::Time began = f.simulation.now();
  ask(0);
  f.run_for(2s);
  CHECK(f.fetched->at - began > 300ms);
  CHECK(f.fetched->end == 10);  // of the second partition, told last
  const sim::Time then = f.simulation.now();
  ask(9 * kBatch);
  f.run_for(2s);
  CHECK(f.fetched->at - then < 10ms);
}

TEST_CASE("a fetch that remote.fetch.max.wait.ms is too short for is answered with nothing, time and again") {
  FixtureOptions options = tiered();
  options.remote.latency = sim::Distribution::constant(800e6);
  options.config.tiers.fetch_max_wait = GENERATE(500ms, 2s);
  ClusterFixture f(options);
  fill(f, 9);
  f.run_for(9s);
  const sim::Time began = f.simulation.now();
  const auto old = f.fetch(BrokerId{0}, 0);
  f.run_for(3s);
  REQUIRE(old->answered);
  CHECK(old->error == ErrorCode::none);
  const bool enough = options.config.tiers.fetch_max_wait == 2s;
  CHECK(old->end == (enough ? kBatch * 2 : 0));
  CHECK(old->at - began > (enough ? 800ms : 500ms));
  CHECK(old->at - began < (enough ? 810ms : 510ms));
  CHECK(told(f, kRemoteReadFailed) == (enough ? 0 : 1));
}

TEST_CASE("readers of remote storage are so many, and those that wait for one") {
  FixtureOptions options = tiered();
  options.remote.latency = sim::Distribution::constant(200e6);
  options.config.tiers.reader_threads = 1;
  options.config.tiers.reader_max_pending_tasks = 1;
  options.config.tiers.fetch_max_wait = 2s;
  ClusterFixture f(options);
  fill(f, 9);
  f.run_for(9s);
  // Three clients, each with its own connection: the third finds no place.
  struct Reader {
    Reader(ClusterFixture& f, std::uint32_t n)
        : channel(f.cluster, f.client, BrokerId{0}, RpcOptions{}), fixture(f) {
      Ref<FetchCall> call = f.cluster.take<FetchCall>();
      call->client = EntityId{9000 + n};
      call->max_wait = 500ms;
      call->partitions.push_back({.partition = PartitionIndex{0}, .fetch_offset = 0, .max_bytes = 1048576});
      channel.call<&Reader::told>(*this, std::move(call));
    }
    void told(BrokerId, Ref<FetchCall> call) {
      at = fixture.simulation.now();
      error = call->fetched.at(0).error;
      end = call->fetched.at(0).end_offset;
    }
    RpcChannel channel;
    ClusterFixture& fixture;
    sim::Time at{};
    ErrorCode error = ErrorCode::none;
    Offset end = 0;
  };
  const sim::Time began = f.simulation.now();
  Reader first(f, 0);
  f.run_for(1ms);
  Reader second(f, 1);
  f.run_for(1ms);
  Reader third(f, 2);
  f.run_for(5ms);
  CHECK(third.error == ErrorCode::unknown_server_error);
  CHECK(told(f, kRemoteReadFailed) == 1);
  f.run_for(2s);
  CHECK(first.end == 2 * kBatch);
  CHECK(first.at - began < 210ms);
  CHECK(second.end == 2 * kBatch);
  CHECK(second.at - began > 400ms);
}

TEST_CASE(
    "above its quota nothing is read from remote storage, and a fetch is as one that finds nothing new") {
  FixtureOptions options = tiered();
  options.config.tiers.fetch_max_bytes_per_second = 50'000;
  ClusterFixture f(options);
  fill(f, 9);
  f.run_for(9s);
  CHECK(f.fetch(BrokerId{0}, 0) != nullptr);
  f.run_for(1s);
  CHECK(f.fetched->end == 2 * kBatch);
  const sim::Time then = f.simulation.now();
  f.fetch(BrokerId{0}, 2 * kBatch);
  f.run_for(1s);
  CHECK(f.fetched->error == ErrorCode::none);
  CHECK(f.fetched->end == 0);
  CHECK(f.fetched->at - then >= 500ms);
  f.run_for(20s);
  f.fetch(BrokerId{0}, 2 * kBatch);
  f.run_for(1s);
  CHECK(f.fetched->end == 4 * kBatch);
}

TEST_CASE(
    "while remote storage is down disks keep what they have, and a fetch of what is there alone fails") {
  ClusterFixture f(tiered());
  fill(f, 9);
  f.run_for(6s);
  REQUIRE(remote_end(f) == 8 * kBatch);
  f.cluster.remote_storage()->crash();
  fill(f, 10);
  f.run_for(5s);
  CHECK(remote_end(f) == 8 * kBatch);
  CHECK(f.replica(0).local_start() == 8 * kBatch);
  CHECK(f.replica(0).disk.segments.bytes() == 100 * 11 * kBatch);
  CHECK(told(f, kCopyFailed) > 2);
  f.fetch(BrokerId{0}, 0);
  f.run_for(1s);
  CHECK(f.fetched->error == ErrorCode::unknown_server_error);
  f.fetch(BrokerId{0}, 8 * kBatch);
  f.run_for(1s);
  CHECK(f.fetched->end > 8 * kBatch);
  f.cluster.remote_storage()->restart();
  f.run_for(5s);
  CHECK(remote_end(f) == 18 * kBatch);
  CHECK(f.replica(2).local_start() == 16 * kBatch);
  f.fetch(BrokerId{0}, 0);
  f.run_for(1s);
  CHECK(f.fetched->end == 2 * kBatch);
}

TEST_CASE("what is transferred when remote storage dies has failed, and while it stands still waits") {
  FixtureOptions options = tiered();
  options.remote.latency = sim::Distribution::constant(100e6);
  ClusterFixture f(options);
  fill(f, 9);
  f.run_for(9s);
  const sim::Time began = f.simulation.now();
  const bool dies = GENERATE(true, false);
  f.fetch(BrokerId{0}, 0);
  f.run_for(50ms);
  Node& store = *f.cluster.remote_storage();
  if (dies) {
    store.crash();
    store.restart();
  } else {
    store.pause();
  }
  f.run_for(200ms);
  CHECK(f.fetched->answered == dies);
  if (dies) {
    CHECK(f.fetched->error == ErrorCode::unknown_server_error);
    return;
  }
  const sim::Time goes_on = f.simulation.now();
  store.resume();
  f.run_for(200ms);
  CHECK(f.fetched->end == 2 * kBatch);
  CHECK(f.fetched->at - began > 250ms);
  CHECK(f.fetched->at - goes_on < 5ms);
}

TEST_CASE("what waits for a remote storage that stands still costs nothing, and has failed when that dies") {
  FixtureOptions options = tiered();
  options.remote.latency = sim::Distribution::constant(100e6);
  ClusterFixture f(options);
  fill(f, 9);
  f.run_for(9s);
  Node& store = *f.cluster.remote_storage();
  store.pause();
  // Nobody waits; and then one fetch does, for less than remote.fetch.max.wait.ms.
  const auto events = [&f] {
    const std::uint64_t before = f.simulation.events_executed();
    f.run_for(250ms);
    return f.simulation.events_executed() - before;
  };
  const std::uint64_t idle = events();
  f.fetch(BrokerId{0}, 0);
  f.run_for(150ms);
  const std::uint64_t waiting = events();
  REQUIRE_FALSE(f.fetched->answered);
  CHECK(waiting < idle + 15);
  store.crash();
  f.run_for(5ms);
  CHECK(f.fetched->answered);
  CHECK(f.fetched->error == ErrorCode::unknown_server_error);
}

TEST_CASE("a broker that was away takes over what is remote and copies the rest") {
  ClusterFixture f(tiered());
  fill(f, 1);
  f.node(2).crash();
  f.run_for(4s);
  fill(f, 10);
  f.run_for(6s);
  REQUIRE(f.replica(2).log.end() == kBatch);
  REQUIRE(f.replica(0).local_start() == 8 * kBatch);
  const bool store_down = GENERATE(false, true);
  if (store_down) f.cluster.remote_storage()->crash();
  f.node(2).restart();
  f.run_for(5s);
  if (store_down) {  // the leader's epochs up to there are remote, too
    CHECK(f.replica(2).log.end() == kBatch);
    f.cluster.remote_storage()->restart();
    f.run_for(3s);
  }
  CHECK(f.replica(2).log.end() == 11 * kBatch);
  CHECK(f.replica(2).log.start() == 0);
  CHECK(f.replica(2).local_start() == 8 * kBatch);
  CHECK(f.replica(2).disk.segments.bytes() == 100 * 3 * kBatch);
  CHECK(f.replica(2).log.common_prefix(f.replica(0).log) == 11 * kBatch);
  CHECK(f.replica(0).in_sync(BrokerId{2}));
}

TEST_CASE("retention counts both tiers, and the log starts where remote storage does") {
  FixtureOptions options = tiered();
  options.config.log_retention_bytes = 2'500'000;
  ClusterFixture f(options);
  fill(f, 9);
  f.run_for(6s);
  CHECK(f.replica(0).log.start() == 4 * kBatch);
  CHECK(remote(f).segments().size() == 2);
  CHECK(f.replica(1).log.start() == 4 * kBatch);
  std::int64_t segments = 0, records = 0;
  for (const sim::TraceRecord& r : f.recorder.of(Kind::expired)) {
    segments += r.c;
    records += r.b;
  }
  CHECK(segments == 2);
  CHECK(records == 4 * kBatch);
  CHECK(told(f, kRemoteDeleted) == 2);
  f.fetch(BrokerId{0}, 0);
  f.run_for(1s);
  CHECK(f.fetched->error == ErrorCode::offset_out_of_range);
}

TEST_CASE("a follower that leads after its leader died goes on copying where that one got to") {
  ClusterFixture f(tiered());
  fill(f, 5);
  f.run_for(4s);
  REQUIRE(remote_end(f) == 4 * kBatch);
  f.node(0).crash();
  f.run_for(5s);
  const std::int32_t next = f.leader();
  REQUIRE(next > 0);
  fill(f, 4, BrokerId{next});
  f.run_for(4s);
  CHECK(remote_end(f) == 8 * kBatch);
  CHECK(remote(f).segments().size() == 4);
  CHECK(remote(f).segments().back().lineage.common_prefix(f.replica(next).log) == 8 * kBatch);
  f.fetch(BrokerId{next}, 0, f.replica(next).leader_epoch);
  f.run_for(1s);
  CHECK(f.fetched->end == 2 * kBatch);
}

TEST_CASE("after an unclean election nobody reads what remote storage has of records that the log has lost") {
  FixtureOptions options = tiered();
  options.config.unclean_leader_election_enable = true;
  options.config.min_insync_replicas = 1;
  options.brokers = 2;
  options.replication_factor = 2;
  ClusterFixture f(options);
  fill(f, 3);
  f.run_for(2s);
  f.node(1).crash();
  f.run_for(4s);
  fill(f, 6);  // at broker 0 alone
  f.run_for(4s);
  REQUIRE(remote_end(f) == 8 * kBatch);
  f.node(0).crash();
  f.node(1).restart();
  f.run_for(6s);
  REQUIRE(f.leader() == 1);
  const LeaderEpoch epoch = f.replica(1).leader_epoch;
  REQUIRE(f.replica(1).log.end() == 3 * kBatch);
  // What reaches into the lost part is no part of this log; what lies before it, is.
  CHECK(RemoteLog::within(remote(f).segments()[0], f.replica(1).log));
  CHECK_FALSE(RemoteLog::within(remote(f).segments()[1], f.replica(1).log));
  CHECK(remote(f).copied_of(f.replica(1).log) == 3 * kBatch);
  fill(f, 6, BrokerId{1});
  f.run_for(4s);
  CHECK(remote(f).find(epoch, 4 * kBatch) != nullptr);
  CHECK(remote(f).copied_of(f.replica(1).log) == 8 * kBatch);
  f.fetch(BrokerId{1}, 4 * kBatch, epoch);
  f.run_for(1s);
  CHECK(f.fetched->error == ErrorCode::none);
  CHECK(f.fetched->end > 4 * kBatch);
  f.node(0).restart();
  f.run_for(6s);
  CHECK(f.replica(0).log.common_prefix(f.replica(1).log) == 9 * kBatch);
}

TEST_CASE("transactions are told from each other in remote storage, too") {
  for (const bool committed : {true, false}) {
    INFO("read_committed " << committed);
    models::Scenario s = orders_scenario(25s, sim::ArrivalProcess::poisson(100));
    s.kafka->topics[0].replication_factor = 1;
    s.kafka->topics[0].config.tiers.remote_storage_enable = true;
    s.kafka->topics[0].config.segment_bytes = 1048576;
    s.kafka->config.tiers.system_enable = true;
    s.kafka->config.tiers.manager_task_interval = 1s;
    s.kafka->config.tiers.local_retention_bytes = 1'000'000;
    s.kafka->config.log_retention_check_interval = 1s;
    s.producers[0].size = sim::Distribution::constant(10'000);
    s.producers[0].transactions = models::TransactionOptions{.every = 300ms, .aborts = 0.3};
    s.groups[0].start = 15s;
    s.groups[0].config.auto_offset_reset = AutoOffsetReset::earliest;
    s.groups[0].config.read_committed = committed;
    models::World world(s, 1, {.checked = true});
    models::Observers observers({.entities = &world.entities()});
    world.trace().add_sink(observers);
    CHECK(world.run().drained);
    const auto value = [&observers](models::Metric metric) {
      return observers.values()[metric].value_or(-1);
    };
    CHECK(value(models::Metric::remote_fetches) >= 10);
    CHECK(value(models::Metric::aborted) >= 100);
    CHECK((value(models::Metric::aborted_read) == 0) == committed);
    CHECK(value(models::Metric::lost) + value(models::Metric::in_flight) == 0);
  }
}

TEST_CASE("what brokers refuse of tiers") {
  BrokerConfig broker;
  TopicConfig topic;
  CHECK_FALSE(validate(topic, broker));
  topic.tiers.remote_storage_enable = true;
  REQUIRE(validate(topic, broker));
  CHECK(validate(topic, broker)->key == "remote.storage.enable");
  broker.tiers.system_enable = true;
  CHECK_FALSE(validate(topic, broker));
  broker.log_cleanup_policy = {.compacts = true, .deletes = false};
  CHECK(validate(topic, broker)->key == "remote.storage.enable");
  broker.log_cleanup_policy = {};
  topic.retention_ms = 1000;
  topic.tiers.local_retention_ms = 1001;
  CHECK(validate(topic, broker)->key == "local.retention.ms");
  topic.tiers.local_retention_ms = -1;
  CHECK(validate(topic, broker)->key == "local.retention.ms");
  topic.tiers.local_retention_ms = 1000;
  CHECK_FALSE(validate(topic, broker));
  topic.retention_bytes = 5;
  broker.tiers.local_retention_bytes = 6;
  CHECK(validate(topic, broker)->key == "local.retention.bytes");
}
