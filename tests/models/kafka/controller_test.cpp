// Sessions, registration and the controller's own outage; what a broker says by closing a connection.
#include <algorithm>

#include "models/kafka/metadata.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"

using namespace kafka_test;

namespace {

std::size_t broker_states(const ClusterFixture& f, BrokerCode code) {
  const auto all = f.recorder.of(Kind::broker_state);
  return static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [code](const auto& r) { return r.code == static_cast<std::uint16_t>(code); }));
}

/// Seconds from now until somebody leads; at most 20.
double time_without_leader(ClusterFixture& f) {
  const sim::Time from = f.simulation.now();
  while (f.leader() == -1 && f.simulation.now() < from + 20s) f.run_for(10ms);
  return sim::seconds(f.simulation.now() - from);
}

}  // namespace

TEST_CASE(
    "a leader back within its predecessor's session is not let in before that ends, and others lead by "
    "then") {
  ClusterFixture f;
  f.node(0).crash();
  f.run_for(1s);
  f.node(0).restart();
  const double silent = time_without_leader(f);
  CHECK(silent > 5.9);  // a quick restart has shortened nothing
  CHECK(silent < 8.1);
  CHECK(f.leader() == 1);
  CHECK(broker_states(f, BrokerCode::registered) == 0);
  f.run_for(30s);
  CHECK(broker_states(f, BrokerCode::registered) == 1);
  CHECK_FALSE(f.cluster.controller().fenced(BrokerId{0}));
  CHECK(f.replica(1).isr.size() == 3);
}

TEST_CASE("a broker back after its session is registered and unfenced at once") {
  ClusterFixture f;
  f.node(0).crash();
  f.run_for(12s);
  REQUIRE(f.cluster.controller().fenced(BrokerId{0}));
  f.node(0).restart();
  f.run_for(100ms);
  CHECK(broker_states(f, BrokerCode::registered) == 1);
  CHECK_FALSE(f.cluster.controller().fenced(BrokerId{0}));
}

TEST_CASE("of the metadata log no more is kept than brokers have to read, and the newest of each partition") {
  ClusterFixture f({.partitions = 4});
  const MetadataLog& log = f.cluster.metadata_log();
  for (int i = 0; i < 6; ++i) {
    f.node(i % 3).crash();
    f.run_for(12s);
    f.node(i % 3).restart();
    f.run_for(12s);
  }
  CHECK(log.committed() > 60);
  CHECK(log.kept() <= f.cluster.partitions().size());
  CHECK(f.leader() != -1);
  // Who is away has them still to read.
  f.node(0).crash();
  f.run_for(12s);
  const std::size_t before = log.kept();
  f.node(1).crash();
  f.run_for(12s);
  CHECK(log.kept() > before);
  f.node(0).restart();
  f.node(1).restart();
  f.run_for(30s);
  CHECK(log.kept() <= f.cluster.partitions().size());
  CHECK(f.replica(1).isr.size() + f.replica(0).isr.size() + f.replica(2).isr.size() >= 3);
}

TEST_CASE(
    "while the controller is down nobody is fenced, and back again it gives every broker a full session") {
  ClusterFixture f;
  f.cluster.controller().node().crash();
  f.node(0).crash();
  f.run_for(30s);
  CHECK(broker_states(f, BrokerCode::fenced) == 0);
  CHECK(f.leader() == -1);
  f.cluster.controller().node().restart();
  const double silent = time_without_leader(f);
  CHECK(silent > 8.9);  // the dead leader's session began anew
  CHECK(silent < 9.1);
  CHECK(f.leader() == 1);
  f.run_for(30s);
  // The living ones found their way back within their sessions.
  CHECK(broker_states(f, BrokerCode::fenced) == 1);
}

TEST_CASE("brokers that cannot reach the controller try again ever more slowly, and are fenced meanwhile") {
  ClusterFixture f;
  const ImpairmentId cut = f.network.cut(f.node(2).host(), f.cluster.controller().node().host());
  f.run_for(60s);
  CHECK(f.cluster.controller().fenced(BrokerId{2}));
  CHECK(f.replica(0).isr.size() == 2);
  f.network.heal(cut);
  f.run_for(15s);
  CHECK_FALSE(f.cluster.controller().fenced(BrokerId{2}));
  CHECK(f.replica(0).isr.size() == 3);
}

TEST_CASE("a partition cannot ask for more in-sync replicas than it has") {
  for (const std::int32_t replicas : {1, 3}) {
    FixtureOptions options;
    options.replication_factor = replicas;
    options.config.min_insync_replicas = 2;
    ClusterFixture f(options);
    if (replicas == 3) {
      f.node(1).crash();
      f.node(2).crash();
      f.run_for(15s);
    }
    const auto all = f.produce(BrokerId{0}, 1, -1);
    f.run_for(1s);
    CHECK(all->error == (replicas == 1 ? ErrorCode::none : ErrorCode::not_enough_replicas));
  }
}

TEST_CASE("an error of acks=0 closes the connection, and what came behind it is not carried out") {
  for (const std::int32_t to : {0, 1}) {  // the leader, and another
    ClusterFixture f;
    f.produce(BrokerId{to}, 1, 1);
    f.run_for(10ms);
    RpcChannel& channel = *f.channels[static_cast<std::size_t>(to)];
    REQUIRE(channel.ready());
    for (int i = 0; i < 2; ++i) {
      Ref<ProduceCall> call = f.cluster.take<ProduceCall>();
      call->acks = 0;
      ProduceBatch batch;
      batch.lane = f.lane;
      batch.first_seq = f.next_seq++;
      batch.count = 1;
      call->batches.push_back(batch);
      channel.send_only(std::move(call));
    }
    const auto behind = f.produce(BrokerId{to}, 1, 1);
    f.run_for(10ms);
    const bool leads = to == 0;
    CHECK(channel.ready() == leads);
    CHECK(behind->error == (leads ? ErrorCode::none : ErrorCode::disconnected));
    CHECK(f.replica(0).log.end() == (leads ? 4 : 0));
  }
}

TEST_CASE(
    "a client that learns nothing new from its metadata asks ever more slowly, up to retry.backoff.max.ms") {
  ClusterFixture f;
  Metadata metadata(f.cluster, f.client, {}, {});
  std::vector<sim::Time> answers;
  metadata.on_update([&] {
    answers.push_back(f.simulation.now());
    if (answers.size() < 10) f.simulation.post([&] { metadata.request_update(); });
  });
  metadata.start();
  f.run_for(30s);
  REQUIRE(answers.size() == 10);
  const auto gap = [&](std::size_t i) { return sim::seconds(answers[i + 1] - answers[i]); };
  CHECK(gap(0) < 0.13);  // 100 ms +- 20 %
  CHECK(gap(2) > 0.15);
  for (std::size_t i = 5; i < 9; ++i) {
    CHECK(gap(i) > 0.79);
    CHECK(gap(i) < 1.01);
  }
}

TEST_CASE("a new leader names no latest offset before its high watermark has caught up with its log") {
  ClusterFixture f;
  f.produce(BrokerId{0}, 5, -1);
  f.run_for(5ms);  // the followers hold the records, not yet the high watermark
  REQUIRE(f.replica(1).log.end() == 5);
  REQUIRE(f.replica(1).high_watermark == 0);
  f.node(0).crash();
  f.run_for(3s);
  f.node(2).pause();
  while (f.leader() != 1) f.run_for(1ms);
  REQUIRE(f.replica(1).high_watermark < 5);
  struct Listed {
    ErrorCode error = ErrorCode::none;
    Offset offset = kNoOffset;
    void on_offsets(BrokerId, Ref<ListOffsetsCall> call) {
      error = call->items.front().error;
      offset = call->items.front().offset;
    }
  } listed;
  const auto ask = [&] {
    Ref<ListOffsetsCall> call = f.cluster.take<ListOffsetsCall>();
    call->items.push_back({.partition = PartitionIndex{0},
                           .current_leader_epoch = f.replica(1).leader_epoch,
                           .spec = OffsetSpec::latest});
    f.channels[1]->call<&Listed::on_offsets>(listed, std::move(call));
    f.run_for(10ms);
  };
  ask();
  CHECK(listed.error == ErrorCode::offset_not_available);
  f.run_for(30s);  // the paused one is fenced and leaves the in-sync set
  ask();
  CHECK(listed.error == ErrorCode::none);
  CHECK(listed.offset == 5);
}

TEST_CASE("a call that may wait less than the one before it is not kept waiting by that one's deadline") {
  ClusterFixture f;
  f.fetch(BrokerId{0}, 0, 0, 0ms);
  f.run_for(10ms);
  REQUIRE(f.channels[0]->ready());
  f.network.cut(f.client.host(), f.node(0).host());
  struct Ended {
    int calls = 0;
    void on_metadata(BrokerId, Ref<MetadataCall> call) {
      calls += call->error == ErrorCode::disconnected ? 1 : 0;
    }
  } ended;
  f.channels[0]->call<&Ended::on_metadata>(ended, f.cluster.take<MetadataCall>(), 20s);
  f.channels[0]->call<&Ended::on_metadata>(ended, f.cluster.take<MetadataCall>(), 1s);
  f.run_for(900ms);
  CHECK(ended.calls == 0);
  f.run_for(200ms);
  CHECK(ended.calls == 2);  // one late answer costs the whole connection
}

TEST_CASE("a client keeps what it knows better than the broker that answers it") {
  ClusterFixture f;
  Metadata metadata(f.cluster, f.client, {}, {});
  int answers = 0;
  metadata.on_update([&answers] { ++answers; });
  // Broker 2 hears nothing of the election; the client hears of it from broker 1.
  f.network.cut(f.node(2).host(), f.cluster.controller().node().host());
  const ImpairmentId apart = f.network.cut(f.client.host(), f.node(2).host());
  f.node(0).crash();
  f.run_for(12s);
  metadata.start();
  f.run_for(60s);
  const PartitionLeader heard = metadata.leader(PartitionIndex{0});
  REQUIRE(heard.leader == BrokerId{1});
  REQUIRE(f.cluster.broker(BrokerId{2}).image(PartitionIndex{0}).leader_epoch < heard.epoch);
  const std::uint64_t version = metadata.version();
  // Now only broker 2 answers it.
  f.network.heal(apart);
  f.network.cut(f.client.host(), f.node(1).host());
  answers = 0;
  for (int i = 0; i < 10; ++i) {
    metadata.request_update();
    f.run_for(40s);
  }
  CHECK(answers > 0);
  CHECK(metadata.leader(PartitionIndex{0}).leader == heard.leader);
  CHECK(metadata.leader(PartitionIndex{0}).epoch == heard.epoch);
  CHECK(metadata.version() == version);
  CHECK(metadata.partitions(TopicIndex{0}) > 0);
}
