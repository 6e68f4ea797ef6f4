// What has no closed form, or only a long one, against the Markov chains of models/theory: queues of bounded
// size, a finite number of customers, members that fail and come back.
#include <cmath>

#include "models/theory/markov_chain.hpp"
#include "sim/statistics.hpp"
#include "tests/models/proof/agreement.hpp"
#include "tests/models/proof/queue_world.hpp"

using namespace proof;

namespace {

constexpr double kService = 1e-3;  // s

/// One broker whose request handler threads are the servers; nobody but producers talks to it.
models::Scenario broker_as_server(sim::Duration duration, std::int32_t threads) {
  QueueModel model;
  model.arrivals_per_s = 1;
  model.duration = duration;
  model.warmup = 2s;
  models::Scenario s = scenario_of(model);
  s.groups.clear();
  s.kafka->service.request = sim::Distribution::exponential(1e9 * kService);
  s.kafka->config.num_io_threads = threads;
  s.producers[0].config.metadata_max_age = std::chrono::hours{24};
  return s;
}

/// Messages that arose after the warm-up: how many were acknowledged, after how long, and how many were
/// refused.
class PublishObserver : public sim::TraceSink {
 public:
  explicit PublishObserver(sim::Duration warmup) : warmup_(warmup.count()) {}
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) {
      const auto payload = block.payload(r);
      if (r.peer >= created_.size()) created_.resize(r.peer + 1);
      std::vector<std::int64_t>& created = created_[r.peer];
      if (r.kind == static_cast<std::uint16_t>(models::Kind::offered)) {
        created.insert(created.end(), payload.begin(), payload.begin() + r.b);
      } else if (r.kind == static_cast<std::uint16_t>(models::Kind::refused)) {
        for (std::int64_t i = 0; i < r.b; ++i)
          refused += payload[static_cast<std::size_t>(i)] >= warmup_ ? 1 : 0;
      } else if (r.kind == static_cast<std::uint16_t>(models::Kind::acknowledged)) {
        for (std::int64_t i = r.a; i < r.a + r.b; ++i) {
          const std::int64_t arose = created[static_cast<std::size_t>(i)];
          if (arose < warmup_) continue;
          ++acknowledged;
          sojourn_s += 1e-9 * static_cast<double>(sim::nanoseconds(r.time) - arose);
        }
      }
    }
  }
  double refused = 0, acknowledged = 0, sojourn_s = 0;

 private:
  std::int64_t warmup_;
  std::vector<std::vector<std::int64_t>> created_;  // by lane
};

struct Published {
  Ratio refused, sojourn, per_s;
};

Published measure(const models::Scenario& s) {
  Published all;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    models::World world(s, static_cast<std::uint64_t>(seed));
    PublishObserver observer(s.warmup);
    world.trace().add_sink(observer);
    world.run();
    all.refused.add(observer.refused, observer.refused + observer.acknowledged);
    all.sojourn.add(observer.sojourn_s, observer.acknowledged);
    all.per_s.add(observer.acknowledged, sim::seconds(s.duration - s.warmup));
  }
  return all;
}

/// A producer whose buffer holds `capacity` batches of one record and that does not wait for room: a broker
/// with one thread behind it is M/M/1/K. What is refused, is refused by the buffer.
models::Scenario bounded_queue(double arrivals_per_s, std::int32_t capacity, sim::Duration duration) {
  models::Scenario s = broker_as_server(duration, 1);
  models::ProducerOptions& producer = s.producers[0];
  producer.arrivals = sim::ArrivalProcess::poisson(arrivals_per_s);
  constexpr std::int64_t kBatchOfOne = 61 + 21 + 105 - 1;  // memory of a batch for a record of 100 bytes
  producer.config.buffer_memory = capacity * kBatchOfOne;
  producer.config.max_block = 0ms;
  producer.config.max_in_flight_requests_per_connection = capacity;
  return s;
}

}  // namespace

TEST_CASE("M/M/1/K: a full buffer refuses, and admitted records stay, as the Markov chain says", "[proof]") {
  for (const double utilisation : {0.9, 1.3}) {
    const double rate = utilisation / kService;
    const Published p = measure(bounded_queue(rate, 5, 15s));
    const theory::BoundedQueue q = theory::mmck(rate, kService, 1, 5);
    const std::string name = "M/M/1/5 at " + std::to_string(utilisation);
    check_agrees(name + " refused", p.refused, q.refused);
    check_agrees(name + " sojourn", p.sojourn, q.sojourn_s);
    // The failing case: a place more or less is noticed.
    CHECK(std::abs(p.refused.z(theory::mmck(rate, kService, 1, 6).refused)) > kZ);
    CHECK(std::abs(p.refused.z(theory::mmck(1.02 * rate, kService, 1, 5).refused)) > kZ);
  }
}

namespace {

/// Two servers with a queue each, chosen at random, that share `capacity` places. State: (in one, in the other).
theory::BoundedQueue two_queues(double arrivals_per_s, std::size_t capacity) {
  const std::size_t side = capacity + 1;
  const auto state = [side](std::size_t one, std::size_t other) { return one * side + other; };
  theory::MarkovChain chain(side * side);
  for (std::size_t one = 0; one < side; ++one) {
    for (std::size_t other = 0; other < side; ++other) {
      // States beyond the capacity are left and never entered.
      if (one + other < capacity) {
        chain.add(state(one, other), state(one + 1, other), arrivals_per_s / 2);
        chain.add(state(one, other), state(one, other + 1), arrivals_per_s / 2);
      }
      if (one > 0) chain.add(state(one, other), state(one - 1, other), 1 / kService);
      if (other > 0) chain.add(state(one, other), state(one, other - 1), 1 / kService);
    }
  }
  const std::vector<double> share = chain.steady_state();
  theory::BoundedQueue q;
  for (std::size_t one = 0; one < side; ++one) {
    for (std::size_t other = 0; other < side; ++other) {
      if (one + other == capacity) q.refused += share[state(one, other)];
      q.in_system += static_cast<double>(one + other) * share[state(one, other)];
    }
  }
  q.sojourn_s = q.in_system / (arrivals_per_s * (1 - q.refused));
  return q;
}

}  // namespace

TEST_CASE("two servers that share a buffer refuse, and keep admitted records, as the Markov chain says",
          "[proof]") {
  // A broker works on one request of a connection at a time, so that one producer before one broker has one
  // server, however many threads there are: two servers are two brokers. Batches of one record that go where
  // they please are M/M/1 queues of their own but for the buffer, which both fill.
  const double rate = 1.6 / kService;
  models::Scenario s = bounded_queue(rate, 5, 15s);
  s.kafka->brokers = 2;
  s.kafka->topics[0].partitions = 2;
  s.producers[0].config.partitioner_adaptive_partitioning_enable = false;
  const Published p = measure(s);
  const theory::BoundedQueue q = two_queues(rate, 5);
  check_agrees("two servers, 5 places, refused", p.refused, q.refused);
  check_agrees("two servers, 5 places, sojourn", p.sojourn, q.sojourn_s);
  // The failing case: a place more, a queue that both serve, one server, a little more load are noticed.
  CHECK(std::abs(p.refused.z(two_queues(rate, 6).refused)) > kZ);
  CHECK(std::abs(p.refused.z(theory::mmck(rate, kService, 2, 5).refused)) > kZ);
  CHECK(std::abs(p.refused.z(theory::mmck(rate, kService, 1, 5).refused)) > kZ);
  CHECK(std::abs(p.refused.z(two_queues(1.02 * rate, 5).refused)) > kZ);
}

TEST_CASE("a finite number of customers before c servers agrees with the Markov chain (machine repair)",
          "[proof]") {
  // Each producer thinks, sends one record and waits for its acknowledgement; the broker has 3 threads.
  constexpr std::uint32_t kCustomers = 8;
  constexpr std::int32_t kThreads = 3;
  constexpr double kThink = 2e-3;
  models::Scenario s = broker_as_server(10s, kThreads);
  s.producers[0].arrivals.reset();
  s.producers[0].closed_loop = models::ClosedLoop{1, sim::Distribution::exponential(1e9 * kThink)};
  s.producers[0].instances = kCustomers;
  const Published p = measure(s);

  theory::MarkovChain chain(kCustomers + 1);
  for (std::size_t k = 0; k < kCustomers; ++k) {
    chain.add(k, k + 1, static_cast<double>(kCustomers - k) / kThink);
    chain.add(k + 1, k, static_cast<double>(std::min<std::size_t>(k + 1, kThreads)) / kService);
  }
  const std::vector<double> share = chain.steady_state();
  double in_system = 0, per_s = 0;
  for (std::size_t k = 0; k <= kCustomers; ++k) {
    in_system += static_cast<double>(k) * share[k];
    per_s += share[k] * static_cast<double>(std::min<std::size_t>(k, kThreads)) / kService;
  }
  check_agrees("M/M/3//8 throughput", p.per_s, per_s);
  check_agrees("M/M/3//8 sojourn", p.sojourn, in_system / per_s);
}

namespace {

/// A group without load whose members crash at random and come back; time passes without latency. A few
/// records at the beginning give both partitions a committed offset: without one a new owner asks the leader
/// for a position, on the connection on which a fetch of its own waits for news, and is answered after that
/// (fetch.max.wait.ms).
models::Scenario failing_group(sim::Duration duration, sim::Duration session) {
  QueueModel model;
  model.arrivals_per_s = 1;
  model.duration = duration;
  model.warmup = 0s;
  models::Scenario s = scenario_of(model);
  s.producers[0].messages = 4;
  s.producers[0].config.partitioner_class = models::kafka::Partitioner::round_robin;
  s.drain = 1s;
  s.kafka->topics[0].partitions = 2;
  models::GroupOptions& group = s.groups[0];
  group.members = 2;
  group.commit = models::CommitMode::after_processing;
  group.config.session_timeout = session;
  group.config.fetch_max_wait = 20s;
  return s;
}

models::FaultSpec crashes(const std::string& member, sim::Duration mean_between,
                          sim::Duration replaced_after) {
  models::FaultSpec fault;
  fault.kind = "crash";
  fault.target = member;
  fault.every = mean_between;
  fault.duration = replaced_after;
  return fault;
}

/// How many of two partitions somebody reads: time at 0, 1 and 2, and how often a member failed.
class OwnershipObserver : public sim::TraceSink {
 public:
  explicit OwnershipObserver(sim::Duration until) : until_(until) {}
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) {
      if (r.time >= until_) continue;
      if (r.kind == static_cast<std::uint16_t>(models::Kind::ownership)) change(r.time, r.a == 1 ? 1 : -1);
      if (r.kind == static_cast<std::uint16_t>(models::Kind::fault) && r.a == 1) ++failures;
    }
  }
  void finish(sim::Time) override { change(until_, 0); }
  double time_s[3] = {};
  double failures = 0;

 private:
  void change(sim::Time now, int by) {
    time_s[owned_] += sim::seconds(now - last_);
    last_ = now;
    owned_ += by;
  }
  sim::Time until_;
  sim::Time last_{};
  int owned_ = 0;
};

}  // namespace

TEST_CASE("members that fail and are replaced are at work as often as the Markov chain says", "[proof]") {
  // Static members that come back within their session keep their partition, so each is an alternating
  // renewal process of its own: up for an exponential time, away for exactly 4 s. The chain's replacement
  // times are exponential; a share of time in steady state depends on their mean alone (renewal reward), and
  // members are independent.
  const sim::Duration duration = 20000s, replaced = 4s;
  models::Scenario s = failing_group(duration, 45s);
  s.groups[0].config.group_instance_id = "m{index}";
  for (const char* member : {"billing/0", "billing/1"}) s.faults.push_back(crashes(member, 12s, replaced));
  Ratio at_work, share[3];
  for (int seed = 1; seed <= kSeeds; ++seed) {
    models::World world(s, static_cast<std::uint64_t>(seed));
    OwnershipObserver observer(duration);
    world.trace().add_sink(observer);
    world.run();
    const double total = sim::seconds(duration);
    at_work.add(observer.time_s[1] + 2 * observer.time_s[2], total);
    for (int k = 0; k < 3; ++k) share[k].add(observer.time_s[k], total);
  }
  const std::vector<double> expected = theory::members_at_work(2, 1.0 / 12, sim::seconds(replaced));
  check_agrees("members at work", at_work, expected[1] + 2 * expected[2]);
  for (std::size_t k = 0; k < 3; ++k) {
    check_agrees("share of time with " + std::to_string(k) + " at work", share[k], expected[k]);
  }
  CHECK(std::abs(at_work.z(2 * 12.0 / (12 + 1.05 * 4))) > kZ);
}

TEST_CASE(
    "a dynamic member's partition is silent for the rest of its session and the survivor's next heartbeat",
    "[proof]") {
  // Detection is no exponential time, so the chain does not apply: by renewal reward the share of time that
  // the partition is silent is (mean silence) / (mean time between failures), and the mean silence follows
  // from the phases. Both members' heartbeats (3 s) began with the same rebalance, and the crash falls evenly
  // into their period: the session of 10 s ends 10 s after a heartbeat, the survivor's next one comes 12 s
  // after it, and learns of the rebalance. Silence = 12 s - age, the age of the heartbeat even in 0 to 3 s.
  // When the member comes back (60 s later) nothing is silent: the survivor gives up its partitions and gets
  // them at one instant, for there is no latency. But for one thing: the survivor asks the leader whether its log
  // holds what was committed, and that request waits behind a fetch, half of fetch.max.wait.ms on average; for
  // both partitions when it takes over, and for the one that it keeps when the other goes.
  const sim::Duration duration = 13000s, fetch = 100ms;
  models::Scenario s = failing_group(duration, 10s);
  s.groups[0].config.fetch_max_wait = fetch;
  s.faults.push_back(crashes("billing/0", 600s, 60s));
  Ratio silence;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    models::World world(s, static_cast<std::uint64_t>(seed));
    OwnershipObserver observer(duration);
    world.trace().add_sink(observer);
    world.run();
    silence.add(2 * observer.time_s[0] + observer.time_s[1], observer.failures);
  }
  const double expected = 12 - 1.5 + 3 * sim::seconds(fetch) / 2;
  check_agrees("silence of a partition a failure", silence, expected);
  CHECK(std::abs(silence.z(1.05 * expected)) > kZ);
}
