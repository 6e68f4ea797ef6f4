// A classic queue with its workers is the queue that it is built to be: waiting, bounded, with priorities, impatient, with
// publishers who try again.
//
// The network takes no time but where it says so, the disk none, and each worker holds one message (prefetch 1): what a worker
// works on has begun when it was dispatched.
#include <cmath>
#include <limits>

#include "models/theory/markov_chain.hpp"
#include "models/theory/queues.hpp"
#include "models/trace_kinds.hpp"
#include "models/world.hpp"
#include "tests/models/proof/agreement.hpp"

using namespace proof;
using namespace std::chrono_literals;

namespace {

constexpr double kService = 1e-3;  // s, the mean everywhere
// Half-widths of the worlds here may be twice as wide as elsewhere: they are shorter.
constexpr double kWide = 2 * kWidth;
constexpr sim::Duration kWarmup = 1s;

models::Scenario queue_with_workers(double arrivals_per_s, std::uint32_t workers, sim::Duration duration) {
  models::Scenario s;
  s.name = "queue";
  s.duration = duration;
  s.warmup = kWarmup;
  s.network.base.latency = sim::Distribution::constant(0);
  models::rabbitmq::BrokerOptions& broker = s.rabbitmq.emplace();
  broker.queues.push_back({"jobs"});
  models::ProducerOptions shop;
  shop.name = "shop";
  shop.cluster = "rabbitmq";
  shop.to = "jobs";
  shop.arrivals = sim::ArrivalProcess::poisson(arrivals_per_s);
  shop.rabbitmq.confirms = 1'000'000;
  s.producers.push_back(shop);
  models::GroupOptions group;
  group.name = "workers";
  group.cluster = "rabbitmq";
  group.members = workers;
  group.service = sim::Distribution::exponential(1e9 * kService);
  group.rabbitmq.queues = {"jobs"};
  group.rabbitmq.prefetch = 1;
  s.groups.push_back(group);
  return s;
}

models::rabbitmq::QueueArguments& arguments(models::Scenario& s) {
  return s.rabbitmq->queues[0].arguments;
}

/// What became of one message that was published after the warm-up.
struct Customer {
  enum class Fate { served, refused, removed } fate;
  std::uint32_t producer;  ///< number of its entity
  double waited_s;         ///< until it was dispatched, removed or refused
};

class QueueObserver final : public sim::TraceSink {
 public:
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) take(r, block.payload(r));
  }
  std::vector<Customer> customers;

 private:
  struct Stored {
    std::int64_t created;
    std::uint32_t producer;
  };
  void take(const sim::TraceRecord& r, std::span<const std::int64_t> payload) {
    switch (static_cast<models::Kind>(r.kind)) {
      case models::Kind::offered:
        if (r.peer >= created_.size()) created_.resize(r.peer + 1);
        created_[r.peer].push_back({payload[0], r.actor});
        return;
      case models::Kind::stored:
        stored_.push_back(created_[r.peer][static_cast<std::size_t>(r.a)]);
        return;
      case models::Kind::dispatched:
        return leave(stored_[static_cast<std::size_t>(r.a)], Customer::Fate::served, r.time);
      case models::Kind::removed:
        return leave(stored_[static_cast<std::size_t>(r.a)], Customer::Fate::removed, r.time);
      case models::Kind::failed:
        return leave(created_[r.peer][static_cast<std::size_t>(r.a)], Customer::Fate::refused, r.time);
      default:
        return;
    }
  }
  void leave(const Stored& message, Customer::Fate how, sim::Time at) {
    if (message.created < kWarmup.count()) return;
    customers.push_back(
        {how, message.producer, 1e-9 * static_cast<double>(sim::nanoseconds(at) - message.created)});
  }
  std::vector<std::vector<Stored>> created_;  // by lane
  std::vector<Stored> stored_;                // by number in the queue
};

struct Measured {
  Ratio wait;         ///< in the queue, of all that came in
  Ratio served_wait;  ///< of those that were served
  Ratio refused, removed;
  std::vector<Ratio> waits;  ///< by producer
};

Measured measure(const models::Scenario& s) {
  Measured all;
  all.waits.resize(s.producers.size());
  for (int seed = 1; seed <= kSeeds; ++seed) {
    models::World world(s, static_cast<std::uint64_t>(seed));
    QueueObserver observer;
    world.trace().add_sink(observer);
    world.run();
    double count = 0, refused = 0, removed = 0, waited = 0, served = 0, served_waited = 0;
    std::vector<double> counts(s.producers.size()), sums(s.producers.size());
    for (const Customer& c : observer.customers) {
      ++count;
      if (c.fate == Customer::Fate::refused) {
        ++refused;
        continue;
      }
      waited += c.waited_s;
      if (c.fate == Customer::Fate::removed) {
        ++removed;
        continue;
      }
      ++served;
      served_waited += c.waited_s;
      for (std::size_t p = 0; p < s.producers.size(); ++p) {
        if (world.entities().find(s.producers[p].name).value != c.producer) continue;
        ++counts[p];
        sums[p] += c.waited_s;
      }
    }
    all.wait.add(waited, count - refused);
    all.served_wait.add(served_waited, served);
    all.refused.add(refused, count);
    all.removed.add(removed, count);
    for (std::size_t p = 0; p < s.producers.size(); ++p) all.waits[p].add(sums[p], counts[p]);
  }
  return all;
}

}  // namespace

TEST_CASE("RabbitMQ is M/M/c: messages wait for one of c workers as Erlang says", "[proof]") {
  for (const auto& [workers, utilisation] : {std::pair{1U, 0.6}, std::pair{3U, 0.75}}) {
    const double rate = utilisation * workers / kService;
    const Measured m = measure(queue_with_workers(rate, workers, 16s));
    const std::string name = "M/M/" + std::to_string(workers) + " wait";
    check_agrees(name, m.wait, theory::mmc(rate, kService, workers).wait_s, kWide);
    // The failing case: another load, a worker more.
    CHECK(std::abs(m.wait.z(theory::mmc(1.05 * rate, kService, workers).wait_s)) > kZ);
    CHECK(std::abs(m.wait.z(theory::mmc(rate, kService, workers + 1).wait_s)) > kZ);
  }
}

TEST_CASE("RabbitMQ is M/M/c/K: a queue of max-length refuses publishers as often as the Markov chain says",
          "[proof]") {
  constexpr std::uint32_t kWorkers = 2;
  constexpr std::int64_t kLength = 4;
  const double rate = 0.95 * kWorkers / kService;
  models::Scenario s = queue_with_workers(rate, kWorkers, 10s);
  arguments(s).max_length = kLength;
  arguments(s).overflow = models::rabbitmq::Overflow::reject_publish;
  const Measured m = measure(s);
  const theory::BoundedQueue q = theory::mmck(rate, kService, kWorkers, kWorkers + kLength);
  check_agrees("M/M/2/6 refused", m.refused, q.refused, kWide);
  check_agrees("M/M/2/6 wait", m.wait, q.sojourn_s - kService, kWide);
  CHECK(std::abs(m.refused.z(theory::mmck(rate, kService, kWorkers, kWorkers + kLength + 1).refused)) > kZ);
  CHECK(std::abs(m.refused.z(theory::mmck(1.05 * rate, kService, kWorkers, kWorkers + kLength).refused)) >
        kZ);
}

TEST_CASE("RabbitMQ and drop-head: as many messages go as M/M/c/K refuses, and who is served is younger",
          "[proof]") {
  constexpr std::uint32_t kWorkers = 2;
  constexpr std::int64_t kLength = 4;
  const double rate = 0.95 * kWorkers / kService;
  models::Scenario s = queue_with_workers(rate, kWorkers, 10s);
  arguments(s).max_length = kLength;
  const Measured m = measure(s);
  const theory::BoundedQueue q = theory::mmck(rate, kService, kWorkers, kWorkers + kLength);
  // Numbers in the system change as those of M/M/c/K do: who goes is another one. By Little's law all of them together wait as
  // long, though it is now shared by those that are dropped.
  const double waiting = q.in_system - rate * (1 - q.refused) * kService;
  check_agrees("drop-head removed", m.removed, q.refused, kWide);
  check_agrees("drop-head wait of all", m.wait, waiting / rate, kWide);
  CHECK(m.served_wait.value() < q.sojourn_s - kService);
  CHECK(std::abs(m.removed.z(theory::mmck(rate, kService, kWorkers, kWorkers + kLength - 1).refused)) > kZ);
}

TEST_CASE("RabbitMQ and x-max-priority: each priority waits as long as Cobham says", "[proof]") {
  const double rate = 0.8 / kService;
  models::Scenario s = queue_with_workers(0.5 * rate, 1, 24s);
  arguments(s).max_priority = 2;
  s.producers.resize(3, s.producers[0]);
  const double shares[] = {0.2, 0.3, 0.5};
  std::vector<double> rates;
  for (std::size_t p = 0; p < 3; ++p) {
    s.producers[p].name = "shop-" + std::to_string(p);
    s.producers[p].rabbitmq.priority = static_cast<std::uint8_t>(2 - p);
    rates.push_back(shares[p] * rate);
    s.producers[p].arrivals = sim::ArrivalProcess::poisson(rates[p]);
  }
  const Measured m = measure(s);
  const std::vector<double> waits = theory::priority_waits_s(rates, kService, 1);
  for (std::size_t p = 0; p < 3; ++p)
    check_agrees("wait at priority " + std::to_string(2 - p), m.waits[p], waits[p], 2 * kWide);
  // The failing case: without priorities all wait alike.
  const double alike = theory::mg1(rate, kService, 1).wait_s;
  for (std::size_t p = 0; p < 3; ++p) CHECK(std::abs(m.waits[p].z(alike)) > kZ);
  arguments(s).max_priority = 0;
  check_agrees("wait without priorities", measure(s).waits[0], alike, 2 * kWide);
}

TEST_CASE("RabbitMQ and x-message-ttl: as many messages expire as customers of M/M/c+D give up", "[proof]") {
  for (const auto& [workers, utilisation] : {std::pair{1U, 0.9}, std::pair{2U, 1.2}}) {
    const double rate = utilisation * workers / kService;
    models::Scenario s = queue_with_workers(rate, workers, 10s);
    arguments(s).message_ttl = 2ms;
    const Measured m = measure(s);
    const theory::Impatient q = theory::mmc_patience(rate, kService, workers, 2e-3);
    const std::string name = "M/M/" + std::to_string(workers) + "+D ";
    check_agrees(name + "expired", m.removed, q.gave_up, kWide);
    check_agrees(name + "wait of all", m.wait, q.wait_s, kWide);
    CHECK(std::abs(m.removed.z(theory::mmc_patience(rate, kService, workers, 2.5e-3).gave_up)) > kZ);
    CHECK(std::abs(m.removed.z(theory::mmc_patience(1.1 * rate, kService, workers, 2e-3).gave_up)) > kZ);
  }
}

TEST_CASE("RabbitMQ and x-message-ttl 0: what finds no free worker is gone, as Erlang B says", "[proof]") {
  const double rate = 2 / kService;
  models::Scenario s = queue_with_workers(rate, 3, 5s);
  arguments(s).message_ttl = 0ms;
  const Measured m = measure(s);
  check_agrees("M/M/3/3 removed", m.removed, theory::mmck(rate, kService, 3, 3).refused, kWide);
  CHECK(std::abs(m.removed.z(theory::mmck(rate, kService, 3, 4).refused)) > kZ);
}

TEST_CASE("RabbitMQ: publishers who are refused and try again are the retrial queue of the Markov chain",
          "[proof]") {
  constexpr std::size_t kPublishers = 4;
  constexpr double kThink = 2e-3, kWay = 0.5e-3;
  models::Scenario s = queue_with_workers(1, 1, 8s);
  arguments(s).max_length = 1;
  arguments(s).overflow = models::rabbitmq::Overflow::reject_publish;
  s.rabbitmq->rack = "home";
  s.network.overrides.push_back({"away", "home", false, {sim::Distribution::exponential(1e9 * kWay)}});
  models::ProducerOptions& publisher = s.producers[0];
  publisher.instances = kPublishers;
  publisher.rack = "away";
  publisher.arrivals.reset();
  publisher.closed_loop = models::ClosedLoop{1, sim::Distribution::exponential(1e9 * kThink)};
  publisher.resend = true;
  publisher.rabbitmq.confirms = 1;
  publisher.rabbitmq.connection.heartbeat = 0s;
  s.rabbitmq->config.heartbeat = 0s;
  Ratio refused, admitted_per_s;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    models::World world(s, static_cast<std::uint64_t>(seed));
    struct Calls final : sim::TraceSink {
      explicit Calls(const models::Scenario& scenario) : from(scenario.warmup), to(scenario.duration) {}
      void consume(const sim::TraceBlock& block) override {
        for (const sim::TraceRecord& r : block.records) {
          if (r.time < sim::Time{from} || r.time > sim::Time{to}) continue;
          if (r.kind == static_cast<std::uint16_t>(models::Kind::stored)) ++let_in;
          if (r.kind == static_cast<std::uint16_t>(models::Kind::failed)) ++turned_away;
        }
      }
      sim::Duration from, to;
      double let_in = 0, turned_away = 0;
    } calls(s);
    world.trace().add_sink(calls);
    world.run();
    refused.add(calls.turned_away, calls.turned_away + calls.let_in);
    admitted_per_s.add(calls.let_in, sim::seconds(s.duration - s.warmup));
  }
  const theory::RetrialQueue q = theory::finite_retrial(kPublishers, kThink, kWay, kService, 2);
  check_agrees("retrial refused", refused, q.refused, kWide);
  check_agrees("retrial admitted", admitted_per_s, q.admitted_per_s, kWide);
  CHECK(std::abs(refused.z(theory::finite_retrial(kPublishers, kThink, 1.2 * kWay, kService, 2).refused)) >
        kZ);
  CHECK(std::abs(refused.z(theory::finite_retrial(kPublishers, kThink, kWay, kService, 3).refused)) > kZ);
  CHECK(std::abs(admitted_per_s.z(
            theory::finite_retrial(kPublishers + 1, kThink, kWay, kService, 2).admitted_per_s)) > kZ);
}
