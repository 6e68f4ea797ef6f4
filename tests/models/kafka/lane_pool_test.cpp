// Work handed to threads with lanes: what may be done side by side, what is committed of it, and what a bounded buffer does.
#include <algorithm>
#include <set>

#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "tests/models/kafka/consumer_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace models::kafka;
using models::CommitMode;
using models::GroupOptions;
using models::HandOff;
using models::Kind;
using models::Metric;
using models::Step;

namespace {

GroupOptions in_lanes(HandOff hand_off, double service_ns = 1e6) {
  GroupOptions group = WorldOfGroup::default_group();
  group.commit = CommitMode::completed;
  group.service = sim::Distribution::constant(service_ns);
  group.hand_off = hand_off;
  group.config.auto_commit_interval = 200ms;
  group.config.session_timeout = 6s;
  return group;
}

/// The most that a member had been handed and had not done, at any time.
std::int64_t in_hand_max(const WorldOfGroup& world) {
  std::int64_t now = 0;
  std::int64_t most = 0;
  for (const Row& row : world.sink.rows) {
    if (row.kind == Kind::delivered) now += row.b;
    if (row.kind == Kind::processed || row.kind == Kind::abandoned) now -= row.b;
    most = std::max(most, now);
  }
  return most;
}

}  // namespace

TEST_CASE("of a partition's records one is worked on at a time, of several as many as there are threads",
          "[lanes]") {
  WorldOfGroup world(with(in_lanes({.threads = 4, .order = HandOff::Order::partition}), 2));
  world.run_for(2s);
  world.feed(0, 6);
  world.feed(1, 6);
  REQUIRE(world.run_until_idle());
  CHECK(world.all_done_once(12));
  std::map<std::string, std::vector<Done>> by_partition;
  for (const Done& d : world.done()) by_partition[d.partition].push_back(d);
  for (const auto& [partition, done] : by_partition) {
    for (std::size_t i = 1; i < done.size(); ++i) {
      CHECK(done[i].offset == done[i - 1].offset + 1);
      CHECK(done[i].finish - done[i - 1].finish == 1'000'000);
    }
  }
  CHECK(world.committed("orders/0") == 6);
}

TEST_CASE("without an order any thread takes the oldest that waits", "[lanes]") {
  WorldOfGroup world(with(in_lanes({.threads = 3})));
  world.run_for(2s);
  world.feed(0, 7);
  REQUIRE(world.run_until_idle());
  const std::vector<Done> done = world.done();
  REQUIRE(done.size() == 7);
  const std::int64_t begin = sim::nanoseconds(world.all(Kind::delivered)[0].time);
  for (std::size_t i = 0; i < 7; ++i)
    CHECK(done[i].finish == begin + 1'000'000 * static_cast<std::int64_t>(i / 3 + 1));
}

TEST_CASE("what is committed ends at the first record that is not done, and a crash loses nothing",
          "[lanes]") {
  GroupOptions group = in_lanes({.threads = 8});
  group.service = sim::Distribution::exponential(5e7);
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 200);
  world.run_for(700ms);
  const Offset committed = world.committed("orders/0");
  CHECK(committed > 20);
  std::set<Offset> done;
  for (const Done& d : world.done()) done.insert(d.offset);
  for (Offset at = 0; at < committed; ++at) CHECK(done.count(at) == 1);
  CHECK(static_cast<Offset>(done.size()) > committed);
  world.node(0).crash();
  world.run_for(1s);
  world.node(0).restart();
  REQUIRE(world.run_until_idle());
  CHECK(world.times_done().size() == 200);
  CHECK_FALSE(world.all_done_once(200));  // some were done and not committed
}

TEST_CASE("a step strikes at its record", "[lanes]") {
  WorldOfGroup world(with(in_lanes({.threads = 2})));
  world.run_for(2s);
  world.steps.watch(world.node(0).entity(), Step::processed_not_committed, 5, [&] { world.node(0).crash(); });
  world.feed(0, 10);
  world.run_for(1s);
  CHECK(world.done().size() == 5);
}

TEST_CASE("threads in lanes stand still while their node is paused", "[lanes]") {
  WorldOfGroup world(with(in_lanes({.threads = 1})));
  world.run_for(2s);
  world.feed(0, 10);
  world.run_until_that([&] { return world.count(Kind::delivered) == 1; });
  const std::int64_t begin = sim::nanoseconds(world.all(Kind::delivered)[0].time);
  world.run_until(sim::Time(sim::Duration(begin + 3'400'000)));
  world.node(0).pause();
  world.run_for(2s);
  world.node(0).resume();
  REQUIRE(world.run_until_idle());
  const std::vector<Done> done = world.done();
  REQUIRE(done.size() == 10);
  CHECK(done[2].finish == begin + 3'000'000);
  CHECK(done[3].finish == begin + 4'000'000 + 2'000'000'000);
}

TEST_CASE("a full buffer pauses consumption: never more in hand, and nothing is lost", "[lanes]") {
  GroupOptions group = in_lanes({.threads = 2, .buffer = 50});
  group.config.max_poll_records = 20;
  WorldOfGroup bounded(with(group));
  bounded.run_for(2s);
  bounded.feed(0, 500);
  REQUIRE(bounded.run_until_idle());
  CHECK(in_hand_max(bounded) == 50);
  CHECK(bounded.all_done_once(500));
  group.hand_off->buffer = 0;
  WorldOfGroup unbounded(with(group));
  unbounded.run_for(2s);
  unbounded.feed(0, 500);
  REQUIRE(unbounded.run_until_idle());
  CHECK(in_hand_max(unbounded) > 400);
}

TEST_CASE("a buffer that lets records go is bounded too, and keeps the oldest or the newest", "[lanes]") {
  using Overflow = HandOff::Overflow;
  for (const Overflow overflow : {Overflow::drop_oldest, Overflow::drop_newest}) {
    WorldOfGroup world(with(in_lanes({.threads = 1, .buffer = 30, .overflow = overflow})));
    world.run_for(2s);
    world.feed(0, 100);
    REQUIRE(world.run_until_idle());
    CHECK(world.done().size() == 30);
    CHECK(world.records(Kind::abandoned) == 70);
    CHECK(world.done().back().offset == (overflow == Overflow::drop_oldest ? 99 : 29));
    CHECK(world.committed("orders/0") == 100);
  }
}

TEST_CASE("what has not begun when its partition is revoked is not done by the one who held it", "[lanes]") {
  GroupOptions group = in_lanes({.threads = 2, .order = HandOff::Order::partition}, 2e7);
  group.members = 2;
  group.stagger = 4s;
  WorldOfGroup world(with(group, 2));
  world.run_for(3s);
  world.feed(0, 200);  // 4 s of work each
  world.feed(1, 200);
  REQUIRE(world.run_until_idle());
  CHECK(world.records(Kind::abandoned, "billing/0") > 50);
  CHECK(world.records(Kind::processed, "billing/1") >= 50);
  CHECK(world.times_done().size() == 400);
  CHECK(world.done().size() < 420);  // what was at work, and what was done and not committed
}

namespace {

models::Scenario keyed(HandOff::Order order) {
  models::Scenario s = orders_scenario(5s, sim::ArrivalProcess::poisson(400));
  s.kafka->topics[0].partitions = 2;
  s.producers[0].keys.count = 20;
  s.producers[0].keys.rank = sim::Distribution::uniform(0, 20);
  models::GroupOptions& group = s.groups[0];
  group.config.auto_offset_reset = AutoOffsetReset::earliest;
  group.commit = CommitMode::completed;
  group.service = sim::Distribution::exponential(2e7);
  group.hand_off = HandOff{.threads = 16, .order = order};
  return s;
}

models::MetricValues values_of(const models::Scenario& s) {
  models::World world(s, 1);
  models::Observers observers;
  world.trace().add_sink(observers);
  CHECK(world.run().drained);
  return observers.values();
}

}  // namespace

TEST_CASE("lanes by key keep the order of each key, where threads alone do not", "[lanes]") {
  const models::MetricValues none = values_of(keyed(HandOff::Order::none));
  const models::MetricValues by_key = values_of(keyed(HandOff::Order::key));
  const models::MetricValues by_partition = values_of(keyed(HandOff::Order::partition));
  CHECK(*none[Metric::reordered_per_key] > 50);
  CHECK(*by_key[Metric::reordered_per_key] == 0);
  CHECK(*by_partition[Metric::reordered_per_key] == 0);
  // Two at a time are not enough.
  CHECK(*by_key[Metric::lag_end_records] < 0.5 * *by_partition[Metric::lag_end_records]);
}

namespace {

models::Scenario calling() {
  models::Scenario s = orders_scenario(20s, sim::ArrivalProcess::poisson(50));
  models::kafka::TopicOptions dead;
  dead.name = "dead";
  s.kafka->topics.push_back(dead);
  models::DependencyOptions bank;
  bank.name = "bank";
  bank.service = sim::Distribution::exponential(1e7);
  bank.concurrency = 4;
  s.dependencies.push_back(bank);
  models::GroupOptions& group = s.groups[0];
  group.config.auto_offset_reset = AutoOffsetReset::earliest;
  group.commit = CommitMode::completed;
  group.hand_off = HandOff{.threads = 4};
  group.calls.emplace();
  group.calls->to = "bank";
  group.calls->dead_letters = "dead";
  s.faults = {crash("bank", 8s, 4s)};
  return s;
}

}  // namespace

TEST_CASE("records whose attempts are used up are dead-lettered, and written to their topic", "[lanes]") {
  const models::MetricValues v = values_of(calling());
  CHECK(*v[Metric::dead_lettered] > 5);
  CHECK(*v[Metric::lost] == 0);
  CHECK(*v[Metric::processed] + *v[Metric::dead_lettered] == *v[Metric::stored] - *v[Metric::dead_lettered]);
  CHECK(*v[Metric::calls_failed] >= 3 * *v[Metric::dead_lettered]);
  CHECK(*v[Metric::dependency_recovery_s] < 1);
  CHECK(*v[Metric::calls_peak_per_s] > 50);
}

TEST_CASE("without a topic for them they are left out, and lost", "[lanes]") {
  models::Scenario s = calling();
  s.groups[0].calls->dead_letters.clear();
  const models::MetricValues v = values_of(s);
  CHECK(*v[Metric::lost] > 5);
  CHECK(*v[Metric::dead_lettered] == 0);
}

TEST_CASE("a breaker that pauses consumption gives nothing up", "[lanes]") {
  models::Scenario s = calling();
  s.groups[0].calls->breaker =
      models::BreakerOptions{.window = 10, .min_calls = 4, .open = 1s, .half_open_calls = 2};
  const models::MetricValues v = values_of(s);
  CHECK(*v[Metric::lost] == 0);
  CHECK(*v[Metric::dead_lettered] == 0);
  CHECK(*v[Metric::breaker_opened] >= 1);
}

TEST_CASE("dead letters wait for their brokers, and are given up for good only once they are written",
          "[lanes]") {
  models::Scenario s = calling();
  for (auto& topic : s.kafka->topics) topic.replication_factor = 3;
  s.groups[0].config.auto_commit_interval = 200ms;
  s.groups[0].config.session_timeout = 6s;
  const auto check = [](const models::Scenario& scenario) {
    const models::MetricValues v = values_of(scenario);
    CHECK(*v[Metric::lost] == 0);
    CHECK(*v[Metric::in_flight] == 0);
    CHECK(*v[Metric::dead_lettered] > 0);
  };
  s.faults = {crash("bank", 8s, 8s), crash("kafka/0", 10s, 1s)};
  check(s);
  s.faults = {crash("bank", 8s, 4s), crash("billing/0", 11600ms, 1s)};
  check(s);
}

TEST_CASE("a dead letter that cannot be written holds up no other, and repeats none", "[lanes]") {
  models::Scenario s = calling();
  s.kafka->topics[0].partitions = 2;
  s.kafka->topics[0].assignment = {{0}, {0}};
  s.kafka->topics[1].partitions = 2;
  s.kafka->topics[1].assignment = {{0}, {1}};
  s.duration = 200s;
  s.producers[0].arrivals = sim::ArrivalProcess::poisson(1);
  s.producers[0].keys.count = 20;
  s.producers[0].keys.rank = sim::Distribution::uniform(0, 20);
  s.groups[0].hand_off->threads = 256;
  s.groups[0].calls->timeout = 1s;
  s.dependencies[0].concurrency = 256;
  // Nobody leads dead/1 for longer than delivery.timeout.ms.
  s.faults = {crash("bank", 4s, 190s), crash("kafka/1", 2s, 160s)};
  models::World world(s, 1);
  Rows sink(world.entities());
  models::Observers observers;
  world.trace().add_sink(sink);
  world.trace().add_sink(observers);
  CHECK(world.run().drained);
  std::map<std::string, std::int64_t> written;
  std::map<std::string, std::int64_t> early;
  std::int64_t given_up = 0;
  for (const Row& row : sink.rows) {
    if (row.kind == Kind::failed) given_up += row.b;
    if (row.kind != Kind::stored || row.place.rfind("dead/", 0) != 0) continue;
    written[row.place] += row.b;
    if (row.time < sim::Time{150s}) early[row.place] += row.b;
  }
  const models::MetricValues v = observers.values();
  CHECK(given_up > 5);  // and were sent again
  CHECK(early["dead/0"] > 30);
  CHECK(early["dead/1"] == 0);
  CHECK(written["dead/1"] > 30);
  CHECK(*v[Metric::dead_lettered] == static_cast<double>(written["dead/0"] + written["dead/1"]));
  CHECK(*v[Metric::lost] == 0);
}
