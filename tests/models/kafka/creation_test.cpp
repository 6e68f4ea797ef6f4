// Topics and partitions that clients create: quotas (KIP-599), policies, and who uses a topic that was not there.
#include "models/kafka/broker/mutation_quotas.hpp"
#include "models/metrics/observers.hpp"
#include "models/scenario_error.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::FaultSpec;
using models::Metric;
using models::RefusalCode;
using models::Scenario;

namespace {

ClusterOptions two_a_second(const std::string& client) {
  ClusterOptions options;
  options.quotas.push_back({.client = client, .controller_mutation_rate = 2});
  return options;
}

FaultSpec grow(sim::Duration at, std::int32_t partitions, const std::string& client) {
  FaultSpec fault;
  fault.kind = "grow";
  fault.name = "grow to " + std::to_string(partitions);
  fault.target = "orders";
  fault.at = at;
  fault.partitions = partitions;
  fault.client = client;
  return fault;
}

FaultSpec create(sim::Duration at, const std::string& client = "") {
  FaultSpec fault;
  fault.kind = "create-topic";
  fault.target = "orders";
  fault.at = at;
  fault.client = client;
  return fault;
}

struct Seen {
  models::RunOutcome outcome;
  std::vector<sim::TraceRecord> refused;
  std::vector<std::string> errors;
  models::MetricValues values;
};

Seen run(const Scenario& s) {
  models::World world(s, 1, {.checked = true});
  Recorder recorder;
  models::Observers observers;
  world.trace().add_sink(recorder);
  world.trace().add_sink(observers);
  Seen seen;
  seen.outcome = world.run();
  seen.refused = recorder.of(Kind::operation_refused);
  for (const sim::TraceRecord& r : seen.refused) {
    CHECK(world.entities()[r.place].name == "orders");
    seen.errors.push_back(world.entities()[r.actor].name + " " + world.entities()[r.peer].name);
  }
  seen.values = observers.values();
  return seen;
}

Scenario growing(const std::string& limited) {
  Scenario s = orders_scenario(10s, sim::ArrivalProcess::poisson(100));
  s.kafka->quotas = two_a_second(limited).quotas;
  s.producers[0].config.metadata_max_age = 1s;
  return s;
}

}  // namespace

TEST_CASE("a bucket without debt takes a request of any size, and none until the debt is paid",
          "[creation]") {
  const ClusterOptions options = two_a_second("shop");
  MutationQuotas quotas(options);
  CHECK(quotas.accept("shop", false, 32, sim::Time{1s}));  // 22 tokens, then a debt of 10
  CHECK_FALSE(quotas.accept("shop", false, 1, sim::Time{1s}));
  CHECK_FALSE(quotas.accept("shop", false, 1, sim::Time{5900ms}));
  CHECK(quotas.accept("shop", false, 1, sim::Time{6s}));
  CHECK_FALSE(quotas.accept("shop", false, 1, sim::Time{6s}));
  CHECK(quotas.muted("shop", sim::Time{6s}) == sim::Duration{});
}

TEST_CASE("a bucket holds eleven seconds of its rate, and others have their own", "[creation]") {
  const ClusterOptions options = two_a_second("");  // of each client
  MutationQuotas quotas(options);
  for (int i = 0; i <= 22; ++i) CHECK(quotas.accept("shop", false, 1, sim::Time{100s}));
  CHECK_FALSE(quotas.accept("shop", false, 1, sim::Time{100s}));
  CHECK(quotas.accept("another", false, 1, sim::Time{100s}));
  const ClusterOptions named = two_a_second("shop");
  MutationQuotas of_shop(named);
  CHECK(of_shop.accept("nobody", false, 1000, sim::Time{100s}));
  CHECK(of_shop.accept("nobody", false, 1000, sim::Time{100s}));
}

TEST_CASE("an older client is never refused: its debts add up, and its connection waits", "[creation]") {
  const ClusterOptions options = two_a_second("shop");
  MutationQuotas quotas(options);
  CHECK(quotas.accept("shop", true, 32, sim::Time{1s}));
  CHECK(quotas.muted("shop", sim::Time{1s}) == sim::Duration{5s});
  CHECK(quotas.accept("shop", true, 10, sim::Time{1s}));
  CHECK(quotas.muted("shop", sim::Time{1s}) == sim::Duration{10s});
  CHECK(quotas.muted("shop", sim::Time{11s}) == sim::Duration{});
}

TEST_CASE("of a user's older clients each waits for what it has asked for itself", "[creation]") {
  ClusterOptions options;
  options.quotas.push_back({.client = std::nullopt, .user = "ann", .controller_mutation_rate = 2});
  options.users.push_back({.name = "ann", .clients = {"shop", "web"}});
  MutationQuotas quotas(options);
  CHECK(quotas.accept("shop", true, 32, sim::Time{1s}));  // 22 tokens, which they share
  CHECK(quotas.muted("shop", sim::Time{1s}) == sim::Duration{5s});
  CHECK(quotas.muted("web", sim::Time{1s}) == sim::Duration{});
  CHECK(quotas.accept("web", true, 2, sim::Time{1s}));
  CHECK(quotas.muted("web", sim::Time{1s}) == sim::Duration{6s});
  CHECK(quotas.muted("shop", sim::Time{1s}) == sim::Duration{5s});
}

TEST_CASE("the size of a bucket is controller.quota.window.num windows", "[creation]") {
  ClusterOptions options = two_a_second("shop");
  options.config.controller_quota_window_num = 2;
  options.config.controller_quota_window_size = 3s;
  MutationQuotas quotas(options);
  for (int i = 0; i <= 12; ++i) CHECK(quotas.accept("shop", false, 1, sim::Time{100s}));
  CHECK_FALSE(quotas.accept("shop", false, 1, sim::Time{100s}));
}

TEST_CASE("a client over its quota is refused by name, and an operator never", "[creation]") {
  Scenario s = growing("shop");
  s.faults = {grow(2s, 41, "shop"), grow(3s, 51, "shop"), grow(4s, 61, "")};
  const Seen seen = run(s);
  // A request that is refused has struck, too.
  CHECK(seen.outcome.faults_fired == std::vector<std::uint64_t>{1, 1, 1});
  REQUIRE(seen.refused.size() == 1);
  CHECK(seen.refused[0].code == static_cast<std::uint16_t>(RefusalCode::over_quota));
  CHECK(seen.refused[0].a == 10);
  CHECK(seen.errors == std::vector<std::string>{"shop THROTTLING_QUOTA_EXCEEDED"});
  CHECK(*seen.values[Metric::operations_refused] == 1);
  CHECK(*seen.values[Metric::operations_over_quota] == 1);
  CHECK(*seen.values[Metric::operations_against_policy] == 0);
}

TEST_CASE("what an older client asks for next is done when the debt is paid", "[creation]") {
  Scenario s = growing("shop");
  s.faults = {grow(1s, 31, "shop"), grow(2s, 41, "shop")};  // 22 tokens less 30: 4 s
  s.faults[0].permissive = s.faults[1].permissive = true;
  models::World world(s, 1);
  Recorder recorder;
  world.trace().add_sink(recorder);
  world.run();
  CHECK(recorder.of(Kind::operation_refused).empty());
  std::vector<sim::Time> struck;
  for (const sim::TraceRecord& r : recorder.of(Kind::fault)) {
    if (r.a == 1) struck.push_back(r.time);
  }
  CHECK(struck == std::vector<sim::Time>{sim::Time{1s}, sim::Time{5s}});
}

TEST_CASE("what still waits when arrivals end never happens", "[creation]") {
  Scenario s = growing("shop");
  s.faults = {grow(1s, 91, "shop"), grow(2s, 101, "shop")};
  s.faults[0].permissive = s.faults[1].permissive = true;
  CHECK(run(s).outcome.faults_fired == std::vector<std::uint64_t>{1, 0});
}

TEST_CASE("a topic that is created later is written and read from then on", "[creation]") {
  Scenario s = orders_scenario(10s, sim::ArrivalProcess::poisson(100));
  s.kafka->topics[0].partitions = 3;
  s.producers[0].keys.count = 100;
  s.producers[0].keys.rank = sim::Distribution::uniform(0, 100);
  s.groups[0].members = 2;
  s.producers[0].config.metadata_max_age = s.groups[0].config.metadata_max_age = 1s;  // for the growth
  s.groups[0].config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  s.faults = {create(4s, "shop"), grow(6s, 4, "shop")};
  using models::kafka::GroupProtocol;
  for (const GroupProtocol protocol : {GroupProtocol::classic, GroupProtocol::consumer}) {
    s.groups[0].config.group_protocol = protocol;
    const Seen seen = run(s);
    CHECK(seen.outcome.drained);
    CHECK(seen.outcome.faults_fired == std::vector<std::uint64_t>{1, 1});
    CHECK(*seen.values[Metric::refused] == 0);  // send() has waited for its metadata
    CHECK(*seen.values[Metric::processed] > 900);
    CHECK(*seen.values[Metric::lost] + *seen.values[Metric::in_flight] == 0);
    CHECK(*seen.values[Metric::publish_latency_max_ms] > 3000);
  }
}

TEST_CASE("send() gives up on a topic that nobody creates after max.block.ms", "[creation]") {
  Scenario s = orders_scenario(10s, sim::ArrivalProcess::poisson(100));
  s.producers[0].config.max_block = 1s;
  s.faults = {create(9900ms)};
  const Seen seen = run(s);
  CHECK(*seen.values[Metric::refused] >= 8);
  CHECK(*seen.values[Metric::refused] <= 10);
}

TEST_CASE("a topic is created once, and does not grow before", "[creation]") {
  Scenario s = orders_scenario(10s, sim::ArrivalProcess::poisson(100));
  s.faults = {grow(1s, 4, ""), create(2s), create(3s)};
  CHECK(run(s).outcome.faults_fired == std::vector<std::uint64_t>{0, 1, 0});
}

TEST_CASE("a policy is asked of whoever creates a topic, and not when it grows", "[creation]") {
  Scenario s = orders_scenario(10s, sim::ArrivalProcess::poisson(100));
  s.kafka->topics[0].partitions = 3;
  s.kafka->create_topic_policy.partitions_max = 2;
  s.faults = {create(2s)};
  const Seen seen = run(s);
  CHECK(seen.outcome.faults_fired == std::vector<std::uint64_t>{1});
  REQUIRE(seen.refused.size() == 1);
  CHECK(seen.errors == std::vector<std::string>{"controller POLICY_VIOLATION"});
  CHECK(*seen.values[Metric::operations_against_policy] == 1);
  CHECK(*seen.values[Metric::stored] == 0);
  s.kafka->topics[0].partitions = 2;
  s.faults.push_back(grow(4s, 50, "shop"));
  CHECK(run(s).refused.empty());
}

TEST_CASE("a controller that has just begun knows of no debts", "[creation]") {
  Scenario s = growing("shop");
  s.faults = {grow(1s, 91, "shop"), crash("controller", 2s, 1s), grow(4s, 101, "shop")};
  CHECK(run(s).refused.empty());
}

TEST_CASE("an operator has no quota to be permissive of, and a topic stays", "[creation]") {
  Scenario s = growing("shop");
  s.faults = {grow(1s, 3, "")};
  s.faults[0].permissive = true;
  CHECK_THROWS_AS(models::World(s, 1), models::ScenarioError);
  s.faults = {create(1s)};
  s.faults[0].duration = 1s;
  CHECK_THROWS_AS(models::World(s, 1), models::ScenarioError);
}
