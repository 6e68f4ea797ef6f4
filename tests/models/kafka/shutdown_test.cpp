// Controlled shutdown (KIP-841), what happens without, and broker epochs in AlterPartition (KIP-903).
#include <algorithm>

#include "models/kafka/broker/controller.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;

namespace {

struct ShutdownFixture : ClusterFixture {
  explicit ShutdownFixture(const FixtureOptions& options = {}) : ClusterFixture(options) {}

  /// Seconds from now until `done`; at most 20.
  template <class Done>
  double time_until(Done done) {
    const sim::Time from = simulation.now();
    while (!done() && simulation.now() < from + 20s) run_for(1ms);
    return sim::seconds(simulation.now() - from);
  }
  bool told(BrokerCode code) const {
    const auto all = recorder.of(Kind::broker_state);
    return std::any_of(all.begin(), all.end(),
                       [code](const auto& r) { return r.code == static_cast<std::uint16_t>(code); });
  }
  const PartitionState& state(PartitionIndex p = {}) { return cluster.controller().state(p); }
};

FixtureOptions abrupt() {
  FixtureOptions options;
  options.config.controlled_shutdown_enable = false;
  return options;
}

/// Sends an AlterPartition of one partition by hand.
struct Alteration {
  explicit Alteration(ShutdownFixture& fixture)
      : f(fixture), channel(fixture.cluster, fixture.client, kController, RpcOptions{}) {}
  ErrorCode ask(std::vector<BrokerId> isr, std::vector<std::int64_t> epochs) {
    Ref<AlterPartitionCall> call = f.cluster.take<AlterPartitionCall>();
    const PartitionState& now = f.state();
    call->leader = now.leader;
    call->add({.partition = {}, .leader_epoch = now.leader_epoch, .partition_epoch = now.partition_epoch},
              isr);
    call->epochs = std::move(epochs);
    error = ErrorCode::disconnected;
    channel.call<&Alteration::on_answer>(*this, std::move(call));
    f.run_for(100ms);
    return error;
  }
  void on_answer(BrokerId, Ref<AlterPartitionCall> call) {
    error = call->error != ErrorCode::none ? call->error : call->items.front().error;
  }

  ShutdownFixture& f;
  RpcChannel channel;
  ErrorCode error{};
};

}  // namespace

TEST_CASE("a leader that shuts down is succeeded before it ends") {
  ShutdownFixture f;
  f.broker(0).shut_down();
  CHECK(f.time_until([&] { return f.leader() == 1; }) < 0.01);
  CHECK(f.node(0).up());
  CHECK(f.state().isr == std::vector{BrokerId{1}, BrokerId{2}});
  CHECK(f.told(BrokerCode::shutting_down));
  // Granted when the others' heartbeats have shown that they know; it asks after 50 ms and then at each of its own.
  const double granted = f.time_until([&] { return !f.node(0).up(); });
  CHECK(granted > 0.04);
  CHECK(granted < 4.1);
  CHECK(f.told(BrokerCode::stopped));
  CHECK_FALSE(f.told(BrokerCode::crashed));
  CHECK(f.cluster.controller().fenced(BrokerId{0}));
}

TEST_CASE("its next process is let in at once and joins the in-sync set again") {
  ShutdownFixture f;
  f.broker(0).shut_down();
  f.time_until([&] { return !f.node(0).up(); });
  f.broker(0).start_up();
  CHECK(f.time_until([&] { return f.state().isr.size() == 3; }) < 1.6);
  CHECK(f.leader() == 1);
}

TEST_CASE("started again before it has ended, a broker ends first") {
  ShutdownFixture f;
  const std::int64_t before = f.broker(0).epoch();
  f.broker(0).shut_down();
  f.broker(0).start_up();
  f.time_until([&] { return f.broker(0).epoch() != before && f.broker(0).epoch() != -1; });
  CHECK(f.told(BrokerCode::stopped));
  CHECK(f.node(0).up());
  f.run_for(5s);
  CHECK(f.state().isr.size() == 3);
}

TEST_CASE("a broker that leads nothing ends at once") {
  FixtureOptions options;
  options.config.offsets_topic_num_partitions = 1;  // led by broker 0
  ShutdownFixture f(options);
  f.broker(2).shut_down();
  CHECK(f.time_until([&] { return !f.node(2).up(); }) < 2.1);
  CHECK(f.cluster.controller().fenced(BrokerId{2}));
  CHECK_FALSE(f.told(BrokerCode::shutting_down));
}

TEST_CASE("the end is not granted while an active broker may not know of it") {
  ShutdownFixture f;
  const ImpairmentId cut = f.network.cut(f.node(2).host(), f.cluster.controller().node().host());
  f.run_for(100ms);
  f.broker(0).shut_down();
  f.run_for(4s);
  CHECK(f.node(0).up());
  CHECK(f.leader() == 1);
  f.run_for(10s);  // by now the silent one is fenced, and no longer counts
  CHECK_FALSE(f.node(0).up());
  f.network.heal(cut);
}

TEST_CASE("the last in-sync replica stays in the set, or eligible, and leads again when it is back") {
  const bool elr = GENERATE(false, true);
  FixtureOptions options;
  options.rules.set(Rule::eligible_leader_replicas, elr);
  options.brokers = 1;
  options.replication_factor = 1;
  ShutdownFixture f(options);
  f.broker(0).shut_down();
  f.time_until([&] { return !f.node(0).up(); });
  CHECK(f.state().leader == kNoBroker);
  CHECK((elr ? f.state().elr : f.state().isr) == std::vector{BrokerId{0}});
  CHECK((elr ? f.state().isr : f.state().elr).empty());
  f.broker(0).start_up();
  f.run_for(1s);
  CHECK(f.leader() == 0);
}

TEST_CASE("without controlled shutdown nobody leads until the session has ended") {
  ShutdownFixture f(abrupt());
  f.broker(0).shut_down();
  CHECK_FALSE(f.node(0).up());
  CHECK(f.time_until([&] { return f.leader() == 1; }) > 6.9);
  CHECK(f.told(BrokerCode::stopped));
}

TEST_CASE("a crash in the middle of a controlled shutdown is a crash") {
  ShutdownFixture f;
  f.broker(0).shut_down();
  f.run_for(10ms);
  f.node(0).crash();
  CHECK(f.leader() == 1);
  f.run_for(100ms);
  CHECK(f.told(BrokerCode::crashed));
  f.run_for(12s);
  CHECK(f.cluster.controller().fenced(BrokerId{0}));
  f.node(0).restart();
  f.run_for(5s);
  CHECK(f.node(0).up());
  CHECK(f.state().isr.size() == 3);
}

TEST_CASE("an in-sync set that names an earlier process of a broker is refused") {
  ShutdownFixture f;
  const std::int64_t before = f.broker(2).epoch();
  f.node(2).crash();
  f.run_for(12s);
  REQUIRE(f.state().isr == std::vector{BrokerId{0}, BrokerId{1}});
  f.node(2).restart();
  f.time_until([&] { return !f.cluster.controller().fenced(BrokerId{2}); });
  REQUIRE(f.broker(2).epoch() != before);
  f.node(2).pause();  // so that its leader has not seen it fetch yet
  Alteration by_hand(f);
  const std::vector<BrokerId> all{BrokerId{0}, BrokerId{1}, BrokerId{2}};
  if (f.state().isr.size() == 3) return;  // it was quicker
  CHECK(by_hand.ask(all, {f.broker(0).epoch(), f.broker(1).epoch(), before}) ==
        ErrorCode::ineligible_replica);
  CHECK(f.state().isr.size() == 2);
  CHECK(by_hand.ask(all, {f.broker(0).epoch(), f.broker(1).epoch(), f.broker(2).epoch()}) == ErrorCode::none);
  CHECK(f.state().isr.size() == 3);
}

TEST_CASE("a broker in controlled shutdown is not let into an in-sync set") {
  ShutdownFixture f;
  const ImpairmentId cut = f.network.cut(f.node(2).host(), f.cluster.controller().node().host());
  f.run_for(100ms);
  f.broker(0).shut_down();
  f.run_for(500ms);
  REQUIRE(f.node(0).up());
  Alteration by_hand(f);
  CHECK(by_hand.ask({BrokerId{1}, BrokerId{2}, BrokerId{0}}, {}) == ErrorCode::ineligible_replica);
  f.network.heal(cut);
}

TEST_CASE("told to end and to start again while it stands still, a process does both when it goes on") {
  models::Scenario s = orders_scenario(40s, sim::ArrivalProcess::poisson(50));
  s.kafka->controllers = 3;
  s.kafka->topics[0].replication_factor = 3;
  s.kafka->config.min_insync_replicas = 3;
  for (const char* target : {"kafka/1", "controller/0"}) {
    models::FaultSpec pause = crash(target, 10s, 12s);
    pause.kind = "pause";
    models::FaultSpec restart = crash(target, 12s, 5s);
    restart.kind = "restart";
    s.faults.push_back(pause);
    s.faults.push_back(restart);
  }
  models::World world(s, 1, {.checked = true});
  CHECK(world.run().drained);
  CHECK(world.kafka().node(BrokerId{1}).up());
  CHECK(world.kafka().node(models::kafka::controller_id(0)).up());
}
