// What is known of prefetch and of queues, found again.
#include "tests/catch.hpp"
#include "tests/models/rabbitmq/desk.hpp"

using namespace rabbitmq_test;
using models::Metric;
using models::Scenario;
using std::chrono::seconds;

namespace {

/// How many messages a second a worker does of a queue that is never empty: 50 ms each way, 4 ms of work
/// ("Some queuing theory: throughput, latency and bandwidth", RabbitMQ's blog, 2012-05-11).
double throughput(std::uint32_t prefetch) {
  Scenario s = desk(0, 1000);
  s.duration = seconds{30};
  s.warmup = seconds{5};
  s.drain = sim::Duration{};
  s.network.base.latency = sim::Distribution::constant(50e6);
  s.groups[0].service = sim::Distribution::constant(4e6);
  s.groups[0].rabbitmq.prefetch = prefetch;
  return measured(s, Metric::processed_per_s);
}

}  // namespace

TEST_CASE("a prefetch of 26 keeps the worker of RabbitMQ's example busy, and 1 leaves it idle",
          "[rabbitmq]") {
  CHECK(throughput(1) == Approx(1000.0 / 104).epsilon(0.01));  // 3.8 % of 250
  CHECK(throughput(25) == Approx(25 * 1000.0 / 104).epsilon(0.01));
  CHECK(throughput(26) == Approx(250).epsilon(0.01));
  CHECK(throughput(51) == Approx(250).epsilon(0.01));
}

TEST_CASE("one worker with exponential work is an M-M-1 queue, three are M-M-3", "[rabbitmq]") {
  const auto sojourn_ms = [](std::uint32_t workers, double rate) {
    Scenario s = desk(0);
    s.duration = seconds{1000};
    s.warmup = seconds{100};
    s.producers[0].arrivals = sim::ArrivalProcess::poisson(rate);
    s.network.base.latency = sim::Distribution::constant(1000);
    s.groups[0].members = workers;
    s.groups[0].service = sim::Distribution::exponential(10e6);
    s.groups[0].rabbitmq.prefetch = 1;
    return measured(s, Metric::e2e_latency_mean_ms);
  };
  CHECK(sojourn_ms(1, 70) == Approx(1000.0 / (100 - 70)).epsilon(0.05));
  // Erlang's C for 3 servers at 2.1 erlang: waits with probability 0.4923, then 1 / (300 - 210) s.
  CHECK(sojourn_ms(3, 210) == Approx(10 + 0.4923 * 1000.0 / 90).epsilon(0.05));
}
