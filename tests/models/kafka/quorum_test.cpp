// The quorum of controllers: elections, what is committed, what brokers hear of it, and what is left of it when controllers die,
// stand still or are cut off.
#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include "models/kafka/quorum/raft_invariants.hpp"
#include "sim/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"

using namespace kafka_test;

namespace {

FixtureOptions with_controllers(std::int32_t controllers, ProtocolRules rules = {}) {
  FixtureOptions options;
  options.controllers = controllers;
  options.rules = rules;
  return options;
}

ProtocolRules without(Rule rule) {
  ProtocolRules rules;
  rules.set(rule, false);
  return rules;
}

struct Quorum : ClusterFixture {
  explicit Quorum(std::int32_t controllers = 3, ProtocolRules rules = {})
      : ClusterFixture(with_controllers(controllers, rules)), invariants(cluster) {}

  Node& controller(std::int32_t n) { return cluster.node(controller_id(n)); }
  const RaftVoter& voter(std::int32_t n) { return *cluster.controller(n).raft(); }
  /// The number of the active controller; -1: none is.
  std::int32_t active() {
    Controller* const found = cluster.active_controller();
    return found == nullptr ? -1 : found->raft()->number();
  }
  /// Seconds until `condition` holds, at most `most`; invariants are looked at all the while.
  template <class Condition>
  double seconds_until(Condition condition, sim::Duration most = 60s) {
    const sim::Time from = simulation.now();
    while (!condition() && simulation.now() < from + most) watch(1ms);
    return sim::seconds(simulation.now() - from);
  }
  void watch(sim::Duration d) {
    const sim::Time end = simulation.now() + d;
    while (simulation.step_until(end)) {
      const auto broken = invariants.check();
      INFO(broken.value_or(""));
      REQUIRE(!broken);
    }
    simulation.run_until(end);
    trace.flush();
  }
  /// Nothing gets through between `n` and the other controllers.
  std::vector<ImpairmentId> cut_off(std::int32_t n) {
    std::vector<ImpairmentId> cuts;
    for (std::int32_t m = 0; m < cluster.options().controllers; ++m) {
      if (m != n) cuts.push_back(network.cut(controller(n).host(), controller(m).host()));
    }
    return cuts;
  }
  void heal(const std::vector<ImpairmentId>& cuts) {
    for (const ImpairmentId cut : cuts) network.heal(cut);
  }

  RaftInvariants invariants;
};

}  // namespace

TEST_CASE("a quorum elects another leader within a fetch timeout and a round or two of votes") {
  Quorum q;
  REQUIRE(q.active() == 0);
  q.watch(5s);
  q.controller(0).crash();
  CHECK(q.active() == -1);
  const double absent = q.seconds_until([&] { return q.active() != -1; });
  CHECK(absent > 1.4);  // the last fetch was answered within the half second before
  CHECK(absent < 4.5);
  CHECK(q.voter(q.active()).epoch() >= 2);
  q.controller(0).restart();
  q.watch(5s);
  CHECK(q.active() > 0);
  CHECK(q.voter(0).state() == RaftState::follower);
  CHECK(q.voter(0).log_end() == q.voter(q.active()).log_end());
}

TEST_CASE(
    "with the active controller dead a leader's death is noticed by the next one, which gives a full "
    "session") {
  Quorum q;
  q.watch(5s);
  q.controller(0).crash();
  q.watch(1s);
  q.node(0).crash();
  const double waited = q.seconds_until([&] { return q.leader() > 0; });
  CHECK(waited > 9.0);
  CHECK(waited < 14.0);
  q.watch(20s);
  // The living found the new controller within their sessions.
  CHECK_FALSE(q.cluster.metadata_log().broker(BrokerId{1}).fenced);
  CHECK_FALSE(q.cluster.metadata_log().broker(BrokerId{2}).fenced);
  CHECK(q.cluster.metadata_log().broker(BrokerId{0}).fenced);
}

TEST_CASE("two of three controllers dead: the third elects nobody until one is back") {
  Quorum q;
  q.controller(0).crash();
  q.controller(1).crash();
  q.watch(30s);
  CHECK(q.active() == -1);
  CHECK(q.voter(2).epoch() == 1);  // pre-votes raise no epoch
  q.controller(1).restart();
  CHECK(q.seconds_until([&] { return q.active() != -1; }) < 6.0);
}

TEST_CASE("a broker restarted while the active controller has changed registers with the new one") {
  Quorum q;
  q.controller(0).crash();
  q.watch(6s);
  REQUIRE(q.active() > 0);
  q.node(2).crash();
  q.watch(12s);
  REQUIRE(q.cluster.metadata_log().broker(BrokerId{2}).fenced);
  q.node(2).restart();
  q.watch(5s);
  CHECK_FALSE(q.cluster.metadata_log().broker(BrokerId{2}).fenced);
  CHECK(q.cluster.metadata_log().broker(BrokerId{2}).epoch == q.broker(2).epoch());
  CHECK(q.replica(q.leader()).isr.size() == 3);
}

TEST_CASE("what a controller without a majority writes takes no effect, and it resigns (KAFKA-15489)") {
  for (const bool check : {true, false}) {
    Quorum q(3, check ? ProtocolRules{} : without(Rule::raft_check_quorum));
    q.watch(2s);
    const auto cuts = q.cut_off(0);
    q.node(2).crash();
    q.watch(4s);
    // One and a half fetch timeouts without a majority.
    CHECK(q.voter(0).claimed() == !check);
    CHECK(q.active() > 0);
    q.watch(16s);
    CHECK(q.cluster.metadata_log().broker(BrokerId{2}).fenced);  // by the other, which a majority follows
    CHECK(q.voter(0).log_end() <= q.cluster.metadata_log().committed() + 40);
    q.heal(cuts);
    q.watch(10s);
    CHECK(q.active() > 0);
    CHECK_FALSE(q.voter(0).claimed());
    CHECK(q.voter(0).records() == q.voter(q.active()).records());
  }
}

TEST_CASE(
    "a controller that was cut off deposes nobody when it returns, and without pre-vote it does (KIP-996)") {
  for (const bool pre_vote : {true, false}) {
    Quorum q(3, pre_vote ? ProtocolRules{} : without(Rule::raft_pre_vote));
    q.watch(1s);
    const auto cuts = q.cut_off(2);
    q.watch(20s);
    REQUIRE(q.active() == 0);
    CHECK((q.voter(2).epoch() > 1) == !pre_vote);
    q.heal(cuts);
    q.watch(10s);
    CHECK(q.active() >= 0);
    CHECK((q.voter(q.active()).epoch() == 1) == pre_vote);
  }
}

TEST_CASE("a controller that is shut down names its successor, which stands at once") {
  Quorum q;
  q.watch(2s);
  q.controller(0).program()->shut_down();
  const double absent = q.seconds_until([&] { return q.active() > 0; });
  CHECK(absent < 0.2);
  q.watch(1s);
  CHECK_FALSE(q.controller(0).up());
  q.controller(0).program()->start_up();
  q.watch(2s);
  CHECK(q.voter(0).state() == RaftState::follower);
  // One that does not lead ends at once.
  q.controller(0).program()->shut_down();
  CHECK_FALSE(q.controller(0).up());
}

TEST_CASE("a change takes its linger and a round to a majority") {
  for (const sim::Duration linger : {25ms, 200ms}) {
    FixtureOptions options = with_controllers(3);
    options.config.controller_quorum_append_linger = linger;
    ClusterFixture f(options);
    REQUIRE(
        f.cluster.active_controller()->reassign(TopicIndex{0}, {BrokerId{1}, BrokerId{2}, BrokerId{0}}, 0));
    f.run_for(linger - 1ms);
    CHECK(f.cluster.metadata_log().committed() == 0);
    f.run_for(3ms);
    CHECK(f.cluster.metadata_log().committed() > 0);
  }
}

TEST_CASE("brokers hear at once that metadata are committed, and before KIP-1166 up to half a second later") {
  for (const bool at_once : {true, false}) {
    Quorum q(3, at_once ? ProtocolRules{} : without(Rule::raft_high_watermark_in_fetch));
    q.watch(1s);
    REQUIRE(
        q.cluster.active_controller()->reassign(TopicIndex{0}, {BrokerId{1}, BrokerId{2}, BrokerId{0}}, 0));
    REQUIRE(q.seconds_until([&] { return q.cluster.metadata_log().committed() > 0; }) < 0.1);
    const double later =
        q.seconds_until([&] { return q.broker(1).image(PartitionIndex{0}).moved != nullptr; });
    CHECK((later < 0.01) == at_once);
    CHECK(later < 0.51);
  }
}

TEST_CASE("of a quorum's log no more is kept than somebody has to read, and a voter that was away gets it") {
  Quorum q;
  const MetadataLog& log = q.cluster.metadata_log();
  const auto brokers_come_and_go = [&q](int times) {
    for (int i = 0; i < times; ++i) {
      q.node(i % 3).crash();
      q.watch(12s);
      q.node(i % 3).restart();
      q.watch(12s);
    }
  };
  brokers_come_and_go(6);
  CHECK(log.committed() > 20);
  CHECK(log.kept() <= q.cluster.partitions().size() + 5);
  CHECK(q.voter(0).records().size() <= 5);
  q.controller(1).crash();
  brokers_come_and_go(3);
  CHECK(q.voter(0).records().size() > 5);
  q.controller(1).restart();
  brokers_come_and_go(1);
  CHECK(log.kept() <= q.cluster.partitions().size() + 5);
  CHECK(q.voter(0).records().size() <= 5);
  // A controller that is new has all that counts.
  q.controller(q.active()).crash();
  q.watch(6s);
  REQUIRE(q.active() >= 0);
  CHECK(q.replica(q.leader()).isr.size() == 3);
}

TEST_CASE("what a deposed controller wrote and nobody else holds is cut off") {
  Quorum q(3, without(Rule::raft_check_quorum));
  q.watch(1s);
  const auto cuts = q.cut_off(0);
  REQUIRE(q.cluster.active_controller()->reassign(TopicIndex{0}, {BrokerId{1}, BrokerId{2}, BrokerId{0}}, 0));
  q.watch(100ms);
  REQUIRE(q.voter(0).records().size() == 1);
  q.watch(10s);
  REQUIRE(q.active() > 0);
  q.heal(cuts);
  q.watch(5s);
  CHECK(q.voter(0).records() == q.voter(q.active()).records());
  CHECK(q.cluster.metadata_log().state(PartitionIndex{0}).moved == nullptr);
}

TEST_CASE("an idle quorum costs little") {
  const auto events = [](std::int32_t controllers) {
    ClusterFixture f(with_controllers(controllers));
    const std::uint64_t before = f.simulation.events_executed();
    f.run_for(100s);
    return static_cast<double>(f.simulation.events_executed() - before) / 100;
  };
  const double one = events(1);
  const double three = events(3);
  INFO(one << " events a second with one controller, " << three << " with three");
  CHECK(three - one < 60);
}

TEST_CASE("two leaders of one epoch, logs that part and committed metadata that are lost are found") {
  Quorum q;
  q.cluster.active_controller()->reassign(TopicIndex{0}, {BrokerId{1}, BrokerId{2}, BrokerId{0}}, 0);
  q.watch(2s);
  auto& records = const_cast<std::deque<RaftRecord>&>(q.voter(1).records());
  SECTION("logs") {
    records.front().change = nullptr;
    records.push_back(records.back());
    CHECK(q.invariants.check()->find("hold records of epoch 1") != std::string::npos);
  }
  SECTION("committed") {
    records.clear();
    const_cast<std::deque<RaftRecord>&>(q.voter(2).records()).clear();
    CHECK(q.invariants.check()->find("are in 1 logs of 3") != std::string::npos);
  }
  SECTION("leaders") {
    q.controller(0).crash();
    q.watch(6s);
    REQUIRE(q.active() > 0);
    CHECK(!q.invariants.led(q.voter(q.active()).epoch(), q.active()));
    CHECK(q.invariants.led(q.voter(q.active()).epoch(), 0)->find("have both led in epoch") !=
          std::string::npos);
  }
}

namespace {

/// Random crashes, pauses and cuts of controllers for a minute, while brokers come and go and sets of replicas change.
struct Storm {
  explicit Storm(std::uint64_t seed, std::int32_t controllers, ProtocolRules rules)
      : q(controllers, rules), draw(seed, "storm") {}

  std::int32_t any(std::int32_t n) {
    return static_cast<std::int32_t>(draw.uniform_int(static_cast<std::uint64_t>(n)));
  }

  void strike() {
    const std::int32_t controllers = q.cluster.options().controllers;
    const std::int32_t n = any(controllers);
    Node& node = q.controller(n);
    switch (any(6)) {
      case 0:
        return node.crash();
      case 1:
        return node.restart();
      case 2:
        return node.paused() ? node.resume() : node.pause();
      case 3: {
        const std::int32_t m = any(controllers);
        if (m != n) cuts.push_back(q.network.cut(node.host(), q.controller(m).host()));
        return;
      }
      case 4:
        if (cuts.empty()) return;
        q.network.heal(cuts.back());
        return cuts.pop_back();
      default: {
        Node& broker = q.node(any(3));
        return broker.up() ? broker.crash() : broker.restart();
      }
    }
  }
  void calm() {
    q.heal(cuts);
    for (std::int32_t n = 0; n < q.cluster.options().controllers; ++n) {
      q.controller(n).resume();
      q.controller(n).restart();
    }
    for (std::int32_t b = 0; b < 3; ++b) q.node(b).restart();
  }

  Quorum q;
  sim::Stream draw;
  std::vector<ImpairmentId> cuts;
};

}  // namespace

TEST_CASE("through crashes, pauses and cuts of controllers no committed metadata are lost") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    INFO("seed " << seed);
    ProtocolRules rules;
    rules.set(Rule::raft_pre_vote, seed % 2 == 0);
    rules.set(Rule::raft_check_quorum, seed % 3 != 0);
    rules.set(Rule::raft_high_watermark_in_fetch, seed % 5 != 0);
    Storm storm(seed, seed % 4 == 0 ? 5 : 3, rules);
    for (int i = 0; i < 40; ++i) {
      storm.strike();
      storm.q.watch(sim::Duration{static_cast<std::int64_t>(storm.draw.uniform() * 3e9)});
    }
    storm.calm();
    storm.q.watch(40s);
    REQUIRE(storm.q.active() >= 0);
    CHECK(storm.q.leader() >= 0);
    const RaftVoter& leader = storm.q.voter(storm.q.active());
    CHECK(leader.log_end() == storm.q.cluster.metadata_log().committed());
    for (std::int32_t n = 0; n < storm.q.cluster.options().controllers; ++n)
      CHECK(storm.q.voter(n).records() == leader.records());
    for (std::int32_t b = 0; b < 3; ++b)
      CHECK_FALSE(storm.q.cluster.metadata_log().broker(BrokerId{b}).fenced);
  }
}

TEST_CASE("as long as a majority of controllers is connected one is active again within seconds") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    INFO("seed " << seed);
    Storm storm(seed, 3, {});
    Quorum& q = storm.q;
    for (int i = 0; i < 8; ++i) {
      // One of three at a time dies, stands still or is cut off from the others; now and then the active one.
      const std::int32_t n = storm.any(2) == 0 && q.active() >= 0 ? q.active() : storm.any(3);
      std::vector<ImpairmentId> cuts;
      const std::int32_t how = storm.any(3);
      if (how == 0) q.controller(n).crash();
      if (how == 1) q.controller(n).pause();
      if (how == 2) cuts = q.cut_off(n);
      const auto another = [&] {
        for (std::int32_t m = 0; m < 3; ++m) {
          if (m != n && q.voter(m).claimed() && q.controller(m).up()) return true;
        }
        return false;
      };
      CHECK(q.seconds_until(another) < 12.0);
      q.controller(n).restart();
      q.controller(n).resume();
      q.heal(cuts);
      q.watch(sim::Duration{static_cast<std::int64_t>(storm.draw.uniform() * 5e9)});
    }
  }
}

TEST_CASE(
    "a controller that comes back with an old log keeps nobody from being elected, also without pre-vote") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    Storm storm(seed, 3, without(Rule::raft_pre_vote));
    Quorum& q = storm.q;
    q.watch(2s);
    const auto cuts = q.cut_off(2);
    q.watch(5s);
    q.node(1).crash();  // so that there is something that the third does not know
    q.watch(25s);
    q.heal(cuts);
    q.controller(q.active() >= 0 ? q.active() : 0).pause();
    q.watch(sim::Duration{static_cast<std::int64_t>(storm.draw.uniform() * 4e9)});
    for (std::int32_t n = 0; n < 3; ++n) q.controller(n).resume();
    CHECK(q.seconds_until([&q] { return q.active() >= 0; }) < 20.0);
    q.watch(10s);
    CHECK(q.active() >= 0);
  }
}

TEST_CASE(
    "a leader that stands still for less than a fetch waits answers those that are overdue when it goes on") {
  for (int ms = 100; ms <= 600; ms += 50) {
    INFO(ms << " ms");
    Quorum q;
    q.watch(3s);
    const std::int32_t leader = q.active();
    REQUIRE(leader >= 0);
    for (int i = 0; i < 10; ++i) {
      q.controller(leader).pause();
      q.watch(sim::Duration{std::int64_t{ms} * 1'000'000});
      q.controller(leader).resume();
      q.watch(770ms);
    }
    CHECK(q.seconds_until([&q] { return q.active() >= 0; }) < 10.0);
  }
}
