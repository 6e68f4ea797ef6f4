// The rules of the protocol by version, and how each truncates.
#include "models/kafka/protocol_rules.hpp"

#include "models/kafka/invariants.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;

namespace {

ProtocolRules rules_of(std::string_view version) {
  return ProtocolRules(*parse_version(version));
}

FixtureOptions with(const ProtocolRules& rules) {
  FixtureOptions options;
  options.rules = rules;
  return options;
}

/// kafka/1 and kafka/2 hold ten records, of which kafka/2's high watermark covers six, when the leader dies and kafka/2
/// cannot reach its successor.
struct CutOff : ClusterFixture {
  explicit CutOff(const ProtocolRules& rules) : ClusterFixture(with(rules)) {
    produce(BrokerId{0}, 6);
    run_for(2s);
    REQUIRE(replica(2).high_watermark == 6);
    produce(BrokerId{0}, 4);
    run_for(3ms);
    REQUIRE(replica(0).high_watermark == 10);
    REQUIRE(replica(2).log.end() == 10);
    REQUIRE(replica(2).high_watermark == 6);
    network.impair({.from = {node(1).host()}, .to = {node(2).host()}, .cut = true});
    node(0).crash();
    run_for(12s);
    REQUIRE(leader() == 1);
  }
};

}  // namespace

TEST_CASE("a version has the rules that hold since then or before") {
  CHECK_FALSE(rules_of("0.10").has(Rule::leader_epoch_truncation));
  CHECK(rules_of("0.11").has(Rule::leader_epoch_truncation));
  CHECK_FALSE(rules_of("1.1").has(Rule::epoch_in_epoch_end));
  CHECK(rules_of("2.0").has(Rule::epoch_in_epoch_end));
  CHECK_FALSE(rules_of("2.6").has(Rule::truncation_on_fetch));
  CHECK(rules_of("2.7").has(Rule::truncation_on_fetch));
  for (const RuleInfo& row : rule_catalogue()) {
    CHECK(ProtocolRules().has(row.rule) == (row.since <= kNewestVersion));
  }
}

TEST_CASE("the catalogue of rules is in order, and what a rule needs stands above it") {
  std::size_t n = 0;
  for (const RuleInfo& row : rule_catalogue()) {
    CHECK(static_cast<std::size_t>(row.rule) == n++);
    CHECK_FALSE(row.effect.empty());
    if (!row.needs) continue;
    CHECK(*row.needs < row.rule);
    CHECK(rule_catalogue()[static_cast<std::size_t>(*row.needs)].since <= row.since);
  }
}

TEST_CASE("a rule is switched by itself, and without what it needs it does not hold") {
  ProtocolRules rules;
  rules.set(Rule::leader_epoch_truncation, false);
  CHECK_FALSE(rules.has(Rule::truncation_on_fetch));
  CHECK(rules.has(Rule::fetch_epoch_fencing));
  rules.set(Rule::leader_epoch_truncation, true);
  CHECK(rules.has(Rule::truncation_on_fetch));
}

TEST_CASE("versions are those that were released") {
  CHECK(parse_version("0.11") == Version{0, 11});
  CHECK(parse_version("4.3") == kNewestVersion);
  for (const char* text : {"2.9", "4", "4.3.1", "", "0.9"}) CHECK_FALSE(parse_version(text));
}

TEST_CASE("before KIP-101 a follower of a new leader cuts its log to its own high watermark") {
  CutOff f(rules_of("0.10"));
  CHECK(f.replica(2).log.end() == 6);
}

TEST_CASE("by leader epoch a follower cuts nothing before it has asked its new leader") {
  for (const char* version : {"0.11", "2.0", "4.3"}) {
    CutOff f(rules_of(version));
    CHECK(f.replica(2).log.end() == 10);
  }
}

TEST_CASE("every version brings a follower in line with a new leader that it can reach") {
  for (const std::string_view version : known_versions()) {
    INFO(version);
    ClusterFixture f(with(rules_of(version)));
    f.produce(BrokerId{0}, 6);
    f.run_for(1s);
    // What no follower had, and no producer was told of.
    const auto cut = f.network.impair(
        {.from = {f.node(0).host()}, .to = {f.node(1).host(), f.node(2).host()}, .cut = true});
    f.produce(BrokerId{0}, 3, 1);
    f.run_for(10ms);
    f.node(0).crash();
    f.network.heal(cut);
    f.run_for(12s);
    REQUIRE(f.leader() == 1);
    REQUIRE(f.replica(0).log.end() == 9);
    f.produce(BrokerId{1}, 2, 1);
    f.node(0).restart();
    f.run_for(20s);
    CHECK(f.replica(0).log.end() == 8);
    CHECK(f.replica(0).log.common_prefix(f.replica(1).log) == 8);
    CHECK(f.replica(1).isr.size() == 3);
  }
}

TEST_CASE("without epochs in fetches a leader serves who believes in another epoch") {
  for (const bool fenced : {false, true}) {
    ProtocolRules rules;
    rules.set(Rule::fetch_epoch_fencing, fenced);
    ClusterFixture f(with(rules));
    f.produce(BrokerId{0}, 6);
    f.run_for(1s);
    const auto fetched = f.fetch(BrokerId{0}, 0, fenced ? LeaderEpoch{7} : kNoEpoch);
    f.run_for(1s);
    CHECK(fetched->error == (fenced ? ErrorCode::unknown_leader_epoch : ErrorCode::none));
  }
}

TEST_CASE("before the strict rule the high watermark rises while too few are in sync") {
  for (const bool strict : {false, true}) {
    FixtureOptions options;
    options.rules.set(Rule::strict_min_isr, strict);
    options.config.min_insync_replicas = 2;
    ClusterFixture f(options);
    f.node(1).crash();
    f.node(2).crash();
    f.run_for(15s);
    f.produce(BrokerId{0}, 4, 1);
    f.run_for(1s);
    CHECK(f.replica(0).high_watermark == (strict ? 0 : 4));
  }
}

TEST_CASE("a power loss is told to the invariants, which would find it otherwise") {
  FixtureOptions options;
  options.power_may_fail = true;
  ClusterFixture f(options);
  Invariants invariants(f.cluster);
  f.produce(BrokerId{0}, 10);
  f.run_for(1s);
  REQUIRE_FALSE(invariants.check());
  f.node(1).lose_power();
  CHECK_FALSE(invariants.check());
  f.cluster.shared(PartitionIndex{0}).gave_up = false;
  f.produce(BrokerId{0}, 1, 1);
  f.run_for(1ms);
  CHECK(invariants.check());
}

TEST_CASE("a checked run goes through power losses, and through divergence where the rules allow it") {
  for (const std::string_view version : {"0.10", "0.11", "4.3"}) {
    models::Scenario s = orders_scenario(30s, sim::ArrivalProcess::poisson(50));
    s.kafka->rules = rules_of(version);
    s.kafka->topics[0].replication_factor = 3;
    s.kafka->config.broker_session_timeout = 2s;
    s.kafka->config.unclean_leader_election_enable = version != "4.3";
    models::FaultSpec outage = crash("kafka", 8s, 3s);
    outage.kind = "power-loss";
    s.faults = {outage, crash("kafka/1", 16s, 6s), crash("kafka/0", 18s, 6s), crash("kafka/2", 20s, 3s)};
    models::World world(s, 1, {.checked = true});
    CHECK_NOTHROW(world.run());
  }
}

TEST_CASE("the offset of a follower that has parted from its leader counts only where the rule is off") {
  for (const bool credited : {false, true}) {
    FixtureOptions options;
    options.rules.set(Rule::diverging_fetch_uncredited, !credited);
    ClusterFixture f(options);
    f.produce(BrokerId{0}, 6);
    f.run_for(1s);
    f.node(2).crash();
    f.run_for(12s);
    REQUIRE(f.replica(0).isr.size() == 2);
    // As if it had led in an epoch of which nobody else knows.
    Replica& parted = f.replica(2);
    parted.log.begin_epoch(1);
    parted.log.append({.count = 20, .bytes = 2000});
    f.cluster.controller().node().pause();  // nobody is let into the in-sync set meanwhile
    Ref<FetchCall> call = f.cluster.take<FetchCall>();
    call->replica = BrokerId{2};
    call->partitions.push_back({.partition = PartitionIndex{0},
                                .fetch_offset = 26,
                                .current_leader_epoch = f.replica(0).leader_epoch,
                                .last_fetched_epoch = 1});
    f.send(BrokerId{0}, std::move(call));
    f.run_for(1s);
    CHECK((f.replica(0).follower(BrokerId{2})->log_end == 26) == credited);
  }
}
