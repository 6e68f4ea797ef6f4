// An application of Kafka Streams: its settings, and how long its stores take to be restored.
#include "models/kafka/streams.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "models/kafka/broker/replica.hpp"
#include "models/kafka/consumer/state_stores.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace std::chrono_literals;
using namespace models;
using models::kafka::KeyScope;

namespace {

/// "billing" counts orders, in two members; one of them dies.
Scenario counting() {
  Scenario s = orders_scenario(20s, sim::ArrivalProcess::poisson(100));
  kafka::ClusterOptions& cluster = *s.kafka;
  cluster.topics[0].partitions = 2;
  cluster.topics.push_back(cluster.topics[0]);
  cluster.topics[1].name = "changelog";
  GroupOptions& group = s.groups[0];
  group.members = 2;
  group.service = sim::Distribution::constant(1e6);
  group.streams.emplace();
  group.transform.emplace().to = "changelog";
  kafka::prefer_streams_settings(group);
  group.config.session_timeout = 6s;
  s.faults = {crash("billing/0", 8s, 30s)};
  return s;
}

auto digest_of(const Scenario& s) {
  World world(s, 1);
  world.run();
  return world.trace().digest();
}

}  // namespace

TEST_CASE("streams: every modelled setting changes a run") {
  struct Row {
    std::string_view key, value;
  };
  constexpr std::array kRows{Row{"processing.guarantee", "exactly_once_v2"}, Row{"commit.interval.ms", "200"},
                             Row{"num.standby.replicas", "1"}};
  for (const kafka::KeyInfo& key : kafka::key_catalogue()) {
    if (key.scope != KeyScope::streams || !key.modelled) continue;
    INFO(key.name);
    CHECK(std::any_of(kRows.begin(), kRows.end(), [&key](const Row& row) { return row.key == key.name; }));
  }
  Scenario without = counting();
  without.groups[0].streams->restore = 10ms;
  for (const Row& row : kRows) {
    Scenario with = without;
    REQUIRE_FALSE(set(with.groups[0].streams->config, row.key, row.value));
    kafka::prefer_streams_settings(with.groups[0]);
    with.groups[0].config.session_timeout = 6s;
    INFO(row.key);
    CHECK(digest_of(without) != digest_of(with));
  }
  kafka::StreamsConfig config;
  CHECK(set(config, "processing.guarantee", "exactly_once"));
  CHECK(set(config, "poll.ms", "5")->message.find("mqlab does not model it") != std::string::npos);
}

TEST_CASE("streams: a store is restored from what its holder lacks of the changelog") {
  Scenario s = counting();
  s.groups[0].streams->restore = 1ms;
  s.faults.clear();
  for (const bool exactly_once : {false, true}) {
    s.groups[0].streams->config.exactly_once = exactly_once;
    World world(s, 1);
    world.run();
    kafka::Cluster& cluster = world.kafka();
    const kafka::PartitionIndex p = cluster.topic(*cluster.find_topic("orders")).first;
    const kafka::PartitionIndex log = cluster.topic(*cluster.find_topic("changelog")).first;
    const kafka::Offset end = cluster.shared(log).line->end();
    REQUIRE(end > 500);
    kafka::StateStores stores(cluster, s.groups[0]);
    CHECK(stores.open(0, p) == end * 1ms);
    CHECK(stores.open(0, p) == 0ms);
    CHECK(stores.open(1, p) == end * 1ms);
    CHECK(stores.open(0, p) == 0ms);
    stores.closed_dirty(0);
    CHECK(stores.open(0, p) == (exactly_once ? end * 1ms : 0ms));
  }
}

TEST_CASE("streams: a corrupted store is restored from the beginning") {
  Scenario s = counting();
  s.groups[0].streams->restore = 1ms;
  s.faults.clear();
  World world(s, 1);
  world.run();
  kafka::Cluster& cluster = world.kafka();
  const kafka::PartitionIndex p = cluster.topic(*cluster.find_topic("orders")).first;
  kafka::StateStores stores(cluster, s.groups[0]);
  const sim::Duration whole = stores.open(0, p);
  CHECK(whole > 500ms);
  stores.corrupted(1);
  CHECK(stores.open(0, p) == 0ms);
  stores.corrupted(0);
  CHECK(stores.open(0, p) == whole);
}

TEST_CASE("streams: a standby has the store") {
  Scenario s = counting();
  s.groups[0].members = 3;
  s.groups[0].streams->restore = 1ms;
  s.groups[0].streams->config.num_standby_replicas = 1;
  s.faults.clear();
  World world(s, 1);
  world.run();
  kafka::Cluster& cluster = world.kafka();
  const kafka::PartitionIndex p = cluster.topic(*cluster.find_topic("orders")).first;
  kafka::StateStores stores(cluster, s.groups[0]);
  CHECK(stores.open(1, p) == 0ms);
  CHECK(stores.open(2, p) > 0ms);
}
