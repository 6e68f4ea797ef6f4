// How long failures take to be noticed and mended with Kafka's own defaults: session.timeout.ms
// 45,000 and heartbeat.interval.ms 3000 of a consumer (consumer_config.html of 4.2),
// broker.session.timeout.ms 9000 and broker.heartbeat.interval.ms 2000, replica.lag.time.max.ms 30,000 and
// group.initial.rebalance.delay.ms 3000 of a broker (kafka_config.html of 4.3).
//
// Timers run from the last heartbeat received, so the times are a timeout less the age of that heartbeat. The
// moment of the fault goes through all phases of the period evenly (a Weyl sequence over the trials), so that
// not only the bounds hold: the mean is the middle, and both ends are nearly reached.
#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "tests/models/proof/agreement.hpp"

using namespace std::chrono_literals;
using models::Kind;

namespace {

constexpr int kTrials = proof::kReduced ? 20 : 100;

/// 30 s into the run, and a part of `period` that differs from trial to trial.
sim::Duration moment(int trial, sim::Duration period) {
  const double phase = std::fmod(0.6180339887498949 * trial, 1.0);
  return 30s + sim::Distribution::to_duration(phase * static_cast<double>(period.count()));
}

models::Scenario defaults() {
  models::Scenario s;
  s.name = "failure_times";
  s.duration = 100s;
  s.network.base.latency = sim::Distribution::constant(250'000);
  models::kafka::ClusterOptions cluster;
  models::kafka::TopicOptions topic;
  topic.name = "orders";
  topic.replication_factor = 3;
  cluster.topics.push_back(topic);
  s.kafka = cluster;
  models::ProducerOptions producer;
  producer.name = "shop";
  producer.to = "orders";
  producer.arrivals = sim::ArrivalProcess::constant(100);
  s.producers.push_back(producer);
  return s;
}

models::GroupOptions group_of(std::uint32_t members) {
  models::GroupOptions group;
  group.name = "billing";
  group.topics = {"orders"};
  group.members = members;
  return group;
}

models::FaultSpec fault_at(const std::string& kind, const std::string& target, sim::Duration at) {
  models::FaultSpec fault;
  fault.kind = kind;
  fault.target = target;
  fault.at = at;
  return fault;
}

/// When something happened first after a moment, in seconds since that moment.
class FirstAfter : public sim::TraceSink {
 public:
  using Match = std::function<bool(const sim::TraceRecord&)>;
  FirstAfter(sim::Duration since, Match match) : since_(since), match_(std::move(match)) {}
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) {
      if (!seen_ && r.time >= sim::Time{since_} && match_(r))
        seen_ = sim::seconds(r.time - sim::Time{since_});
    }
  }
  std::optional<double> seen_;

 private:
  sim::Duration since_;
  Match match_;
};

bool is(const sim::TraceRecord& r, Kind kind) {
  return r.kind == static_cast<std::uint16_t>(kind);
}
template <class Code>
bool is(const sim::TraceRecord& r, Kind kind, Code code) {
  return is(r, kind) && r.code == static_cast<std::uint16_t>(code);
}

/// Between the bounds in every trial, evenly spread between them.
void check_spread(const std::string& what, std::vector<double> times, double low, double high, double slack) {
  std::sort(times.begin(), times.end());
  double mean = 0;
  for (const double t : times) mean += t / static_cast<double>(times.size());
  INFO(what << ": " << times.front() << " to " << times.back() << " s, mean " << mean << ", expected " << low
            << " to " << high);
  CHECK(times.front() >= low - slack);
  CHECK(times.back() <= high + slack);
  const double even = (high - low) * (proof::kReduced ? 0.1 : 0.03);
  CHECK(std::abs(mean - (low + high) / 2) <= even + slack);
  CHECK(times.front() <= low + 2 * even + slack);
  CHECK(times.back() >= high - 2 * even - slack);
}

constexpr double kRoundTrips = 0.01;  // s: a few, of 0.5 ms each

}  // namespace

TEST_CASE(
    "a dead consumer is noticed 42 to 45 s after its crash, and taken over at the survivor's next heartbeat",
    "[proof]") {
  std::vector<double> detected;
  for (int trial = 0; trial < kTrials; ++trial) {
    models::Scenario s = defaults();
    s.groups.push_back(group_of(2));
    s.groups[0].config.enable_auto_commit = false;  // a commit counts as a heartbeat
    const sim::Duration at = moment(trial, 3s);
    s.faults.push_back(fault_at("crash", "billing/0", at));
    models::World world(s, static_cast<std::uint64_t>(trial + 1));
    const std::uint32_t victim = world.entities().find("billing/0").value;
    const std::uint32_t survivor = world.entities().find("billing/1").value;
    FirstAfter evicted(at, [victim](const sim::TraceRecord& r) {
      return is(r, Kind::member_state, models::MemberCode::evicted) && r.actor == victim;
    });
    FirstAfter taken(at, [survivor](const sim::TraceRecord& r) {
      return is(r, Kind::ownership) && r.actor == survivor && r.a == 1;
    });
    world.trace().add_sink(evicted);
    world.trace().add_sink(taken);
    world.run();
    REQUIRE(evicted.seen_);
    REQUIRE(taken.seen_);
    detected.push_back(*evicted.seen_);
    CHECK(*taken.seen_ >= *evicted.seen_);
    CHECK(*taken.seen_ <= *evicted.seen_ + 3 + kRoundTrips);
  }
  check_spread("detection of a dead consumer", detected, 42, 45, kRoundTrips);
}

TEST_CASE(
    "a dead leader is noticed 7 to 9 s after its crash, and election and the clients' refresh come on top",
    "[proof]") {
  std::vector<double> detected;
  for (int trial = 0; trial < kTrials; ++trial) {
    models::Scenario s = defaults();
    s.duration = 60s;
    const sim::Duration at = moment(trial, 2s);
    s.faults.push_back(fault_at("crash", "leader orders/0", at));
    models::World world(s, static_cast<std::uint64_t>(trial + 1));
    models::Observers observers({.checkers = false, .entities = &world.entities()});
    world.trace().add_sink(observers);
    world.run();
    const models::MetricValues& m = observers.values();
    const double detection = m[models::Metric::detection_mean_s].value();
    const double election = m[models::Metric::election_mean_s].value();
    const double refresh = m[models::Metric::client_refresh_mean_s].value();
    detected.push_back(detection);
    CHECK(m[models::Metric::unavailability_max_s].value() == Approx(detection + election + refresh));
    CHECK(election <= kRoundTrips);       // the metadata log's way to the new leader
    CHECK(refresh <= 1.2 + kRoundTrips);  // retry.backoff.max.ms 1000 and its jitter of 20 %
  }
  check_spread("detection of a dead broker", detected, 7, 9, kRoundTrips);
}

TEST_CASE("a follower that stops fetching leaves the in-sync set after 30 to 45 s", "[proof]") {
  std::vector<double> shrunk;
  for (int trial = 0; trial < kTrials; ++trial) {
    models::Scenario s = defaults();
    const sim::Duration at = moment(trial, 15s);
    models::FaultSpec cut = fault_at("link-cut", "kafka/2", at);
    cut.other = "kafka/0";
    s.faults.push_back(cut);
    models::World world(s, static_cast<std::uint64_t>(trial + 1));
    const std::uint32_t leader = world.entities().find("kafka/0").value;
    const std::uint32_t partition = world.entities().find("orders/0").value;
    FirstAfter smaller(at, [=](const sim::TraceRecord& r) {
      return is(r, Kind::isr_changed) && r.place == partition && r.actor == leader && r.b == 2;
    });
    world.trace().add_sink(smaller);
    world.run();
    REQUIRE(smaller.seen_);
    shrunk.push_back(*smaller.seen_);
  }
  check_spread("a slow follower's time in the in-sync set", shrunk, 30, 45, 0.05);
}

namespace {

/// Seconds until the first partition of a group is owned.
double first_ownership(std::uint32_t members, sim::Duration stagger, sim::Duration max_poll_interval) {
  models::Scenario s = defaults();
  s.duration = 40s;
  s.groups.push_back(group_of(members));
  s.groups[0].stagger = stagger;
  s.groups[0].config.max_poll_interval = max_poll_interval;
  models::World world(s, 1);
  FirstAfter owned(0s, [](const sim::TraceRecord& r) { return is(r, Kind::ownership) && r.a == 1; });
  world.trace().add_sink(owned);
  world.run();
  return owned.seen_.value();
}

}  // namespace

TEST_CASE(
    "the first join from Empty takes 3 s, and members that come meanwhile extend it, up to the rebalance "
    "timeout",
    "[proof]") {
  const double slack = 0.05;
  CHECK(std::abs(first_ownership(1, 0s, 300s) - 3) <= slack);
  // All at once: the four that come while the first one waits are seen after 3 s, and nobody new after 6 s.
  CHECK(std::abs(first_ownership(5, 0s, 300s) - 6) <= slack);
  // Joins at 0, 2, 4, 6 and 8 s: looked at after 3, 6, 9 s, and nobody new at 12 s.
  CHECK(std::abs(first_ownership(5, 2s, 300s) - 12) <= slack);
  CHECK(std::abs(first_ownership(5, 2s, 7s) - 7) <= slack);
}
