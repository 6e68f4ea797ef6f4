// Eligible leader replicas (KIP-966): who may lead when nobody is in sync.
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"

using namespace kafka_test;

namespace {

using Brokers = std::vector<BrokerId>;

/// Three replicas, two of which have to be in sync; ten records that all hold.
struct Eligible : ClusterFixture {
  explicit Eligible(bool elr = true) : ClusterFixture(options(elr)) {
    produce(BrokerId{0}, 10);
    run_for(1s);
  }
  static FixtureOptions options(bool elr) {
    FixtureOptions options;
    options.config.min_insync_replicas = 2;
    options.config.broker_session_timeout = 3s;
    options.config.broker_heartbeat_interval = 500ms;
    options.rules.set(Rule::eligible_leader_replicas, elr);
    return options;
  }
  const PartitionState& state() { return cluster.controller().state(PartitionIndex{0}); }
  /// Its process lives, and is fenced.
  ImpairmentId cut_off(int b) {
    const ImpairmentId id = network.impair({.from = {node(b).host()}, .to = {}, .cut = true});
    run_for(6s);
    REQUIRE(cluster.controller().fenced(BrokerId{b}));
    return id;
  }
  void die(int b) {
    node(b).crash();
    run_for(6s);
  }
};

}  // namespace

TEST_CASE("who leaves an in-sync set that is large enough without it is not eligible") {
  Eligible f;
  f.die(2);
  CHECK(f.state().isr == Brokers{BrokerId{0}, BrokerId{1}});
  CHECK(f.state().elr.empty());
}

TEST_CASE("who leaves an in-sync set that then is too small stays eligible until it is large enough again") {
  Eligible f;
  f.die(2);
  const ImpairmentId cut = f.cut_off(1);
  CHECK(f.state().isr == Brokers{BrokerId{0}});
  CHECK(f.state().elr == Brokers{BrokerId{1}});
  f.network.heal(cut);
  f.run_for(20s);
  CHECK(f.state().isr.size() == 2);
  CHECK(f.state().elr.empty());
}

TEST_CASE("when nobody is in sync an eligible replica is elected, and that is clean") {
  Eligible f;
  f.die(2);
  const ImpairmentId cut = f.cut_off(1);
  f.die(0);
  CHECK(f.state().leader == kNoBroker);
  CHECK(f.state().isr.empty());
  CHECK(f.state().elr == Brokers{BrokerId{1}, BrokerId{0}});
  f.network.heal(cut);
  f.run_for(20s);
  CHECK(f.state().leader == BrokerId{1});
  CHECK(f.state().isr == Brokers{BrokerId{1}});
  CHECK(f.state().elr == Brokers{BrokerId{0}});
  for (const sim::TraceRecord& r : f.recorder.of(Kind::leader_changed))
    CHECK(r.code != static_cast<std::uint16_t>(LeaderCode::unclean));
}

TEST_CASE("a broker that registers after a crash is in no set, and the partition waits for an eligible one") {
  Eligible f;
  f.die(2);
  f.cut_off(1);
  f.die(0);
  f.node(0).restart();
  f.run_for(20s);
  CHECK_FALSE(f.cluster.controller().fenced(BrokerId{0}));
  CHECK(f.state().leader == kNoBroker);
  CHECK(f.state().elr == Brokers{BrokerId{1}});
}

TEST_CASE("when both sets are empty the last known leader is elected, and that is unclean") {
  Eligible f;
  f.die(2);
  f.die(1);
  f.die(0);
  f.node(1).restart();
  f.node(2).restart();
  f.run_for(20s);
  CHECK(f.state().leader == kNoBroker);
  f.node(0).restart();
  f.run_for(20s);
  CHECK(f.state().leader == BrokerId{0});
  CHECK(f.state().last_known_leader == kNoBroker);
  const auto changes = f.recorder.of(Kind::leader_changed);
  CHECK(std::any_of(changes.begin(), changes.end(), [](const sim::TraceRecord& r) {
    return r.code == static_cast<std::uint16_t>(LeaderCode::unclean);
  }));
  CHECK(f.replica(0).log.end() == 10);
}

TEST_CASE("without the rule the last in-sync replica stays in the set, and leads again") {
  Eligible f(false);
  f.die(2);
  f.cut_off(1);
  f.die(0);
  CHECK(f.state().isr == Brokers{BrokerId{0}});
  CHECK(f.state().elr.empty());
  f.node(0).restart();
  f.run_for(20s);
  CHECK(f.state().leader == BrokerId{0});
}
