// Idle fetches that are not simulated: nothing that can be seen comes out differently.
#include <algorithm>
#include <tuple>
#include <vector>

#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::Scenario;

namespace {

/// Three members that mostly wait: a record every 400 ms over twelve partitions. They commit after processing: intervals of
/// auto-commit, which begin with an assignment, would end for all at the same instant.
Scenario waiting() {
  Scenario s = orders_scenario(60s, sim::ArrivalProcess::poisson(2.5));
  s.network.base.latency = sim::Distribution::constant(1'234'567);
  s.kafka->topics[0].partitions = 12;
  s.kafka->topics[0].replication_factor = 3;
  s.producers[0].keys.count = 100;
  s.producers[0].keys.rank = sim::Distribution::uniform(0, 100);
  s.groups[0].members = 3;
  s.groups[0].stagger = 137ms;
  s.groups[0].service = sim::Distribution::constant(7'000'001);
  s.groups[0].commit = models::CommitMode::after_processing;
  s.groups[0].config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  return s;
}

using Seen = std::tuple<std::int64_t, std::uint16_t, std::uint16_t, std::uint32_t, std::uint32_t,
                        std::uint32_t, std::int64_t, std::int64_t, std::int64_t>;

struct Outcome {
  std::vector<Seen> seen;  ///< sorted, as what happens at the same instant may come in another order
  std::uint64_t events = 0;
};

Outcome run(Scenario s, bool rest) {
  s.kafka->rest_idle_fetches = rest;
  models::World world(s, 7, {.checked = true});
  Recorder recorder;
  world.trace().add_sink(recorder);
  Outcome outcome;
  outcome.events = world.run().events;
  for (const sim::TraceRecord& r : recorder.records) {
    outcome.seen.emplace_back(sim::nanoseconds(r.time), r.kind, r.code, r.actor, r.place, r.peer, r.a, r.b,
                              r.c);
  }
  std::sort(outcome.seen.begin(), outcome.seen.end());
  return outcome;
}

void same(const Scenario& s, double fewer) {
  const Outcome simulated = run(s, false);
  const Outcome rested = run(s, true);
  CHECK(simulated.seen.size() > 500);
  CHECK(static_cast<double>(rested.events) < fewer * static_cast<double>(simulated.events));
  const auto [a, b] =
      std::mismatch(simulated.seen.begin(), simulated.seen.end(), rested.seen.begin(), rested.seen.end());
  const Seen& first = a == simulated.seen.end() ? simulated.seen.back() : *a;
  INFO("first difference at " << std::get<0>(first) << " ns, kind " << std::get<1>(first) << ", actor "
                              << std::get<3>(first));
  CHECK(a == simulated.seen.end());
  CHECK(b == rested.seen.end());
}

models::FaultSpec fault(const char* kind, const char* target, sim::Duration at,
                        std::optional<sim::Duration> length = {}) {
  models::FaultSpec f = crash(target, at, length);
  f.kind = kind;
  return f;
}

}  // namespace

TEST_CASE("members that wait for records are as those whose every fetch is simulated") {
  same(waiting(), 0.8);
}

TEST_CASE("... in a group of the consumer protocol") {
  Scenario s = waiting();
  s.groups[0].config.group_protocol = models::kafka::GroupProtocol::consumer;
  same(s, 0.8);
}

TEST_CASE("... when they commit by themselves, each in a group of its own") {
  Scenario s = waiting();
  s.groups[0].members = 1;
  s.groups[0].commit = models::CommitMode::automatic;
  for (const char* name : {"stock", "mail"}) {
    s.groups.push_back(s.groups[0]);
    s.groups.back().name = name;
    s.groups.back().start = s.groups[s.groups.size() - 2].start + 1'171ms;
  }
  same(s, 0.9);
}

TEST_CASE("... when they commit each record, so that poll() waits for answers") {
  Scenario s = waiting();
  s.groups[0].commit = models::CommitMode::each_record;
  same(s, 0.9);
}

TEST_CASE("... when leaders crash, members crash, pause, leave and join, and links are cut or reset") {
  Scenario s = waiting();
  s.groups[0].config.session_timeout = 6s;
  s.groups[0].config.heartbeat_interval = 1s;
  s.faults = {fault("crash", "kafka/1", 8'010'203'040ns, 5s),
              fault("pause", "billing/0", 21'010'203'040ns, 2s),
              fault("link-cut", "kafka/2", 26'010'203'040ns, 4s),
              fault("crash", "billing/1", 34'010'203'040ns, 3s),
              fault("pause", "kafka/0", 40'010'203'040ns, 1s),
              fault("restart", "billing/2", 45'010'203'040ns, 1s)};
  s.faults[2].other = "billing/2";
  same(s, 0.9);
}

TEST_CASE("... when messages are lost, delayed, or pass one way alone") {
  Scenario s = waiting();
  s.groups[0].config.session_timeout = 10s;
  s.groups[0].config.heartbeat_interval = 1s;
  s.faults = {fault("message-loss", "billing/0", 8'010'203'040ns, 6s),
              fault("delay", "kafka/1", 18'010'203'040ns, 5s),
              fault("link-cut", "kafka/2", 28'010'203'040ns, 4s),
              fault("link-cut", "billing/1", 38'010'203'040ns, 4s),
              fault("response-loss", "kafka/0", 48'010'203'040ns, 3s)};
  s.faults[0].probability = 0.2;
  s.faults[1].delay = sim::Distribution::exponential(50e6);
  s.faults[2].other = "billing/2";
  s.faults[3].other = "kafka/0";
  s.faults[2].one_way = s.faults[3].one_way = true;
  same(s, 0.95);
}

TEST_CASE("... when partitions move, are added, and leaders are elected anew") {
  Scenario s = waiting();
  s.faults = {fault("reassign", "orders", 8'010'203'040ns), fault("grow", "orders", 20'010'203'040ns),
              fault("elect-preferred-leaders", "orders", 30'010'203'040ns),
              fault("restart", "kafka/1", 40'010'203'040ns, 5s)};
  s.faults[0].brokers = {"kafka/2", "kafka/0", "kafka/1"};
  s.faults[1].partitions = 15;
  s.groups[0].config.metadata_max_age = 5s;
  same(s, 0.95);
}

TEST_CASE("... when disks are slow, stand still, and are full") {
  Scenario s = waiting();
  s.faults = {fault("disk-slow", "kafka/0", 8'010'203'040ns, 5s),
              fault("disk-stall", "kafka/1", 18'010'203'040ns, 3s),
              fault("disk-full", "kafka/2", 28'010'203'040ns, 5s)};
  s.faults[0].delay = sim::Distribution::exponential(20e6);
  same(s, 0.95);
}

TEST_CASE("... and where no fetch can rest, as times are drawn or bandwidth is short") {
  Scenario s = waiting();
  SECTION("latency") {
    s.network.base.latency = sim::Distribution::lognormal(2e6, 1);
  }
  SECTION("service") {
    s.kafka->service.request = sim::Distribution::exponential(100'000);
  }
  SECTION("loss") {
    s.network.base.loss = 0.05;
  }
  SECTION("bandwidth") {
    s.network.base.bandwidth_bits_per_s = 2e6;
  }
  same(s, 1.01);
}
