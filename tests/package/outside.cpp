// What somebody else would write: a cluster, a fault and a metric of one's own against the installed package.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>

#include "models/kafka/cluster.hpp"
#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "sim/process.hpp"

using namespace std::chrono_literals;

/// The fault: at 10 s a broker stands still for a while, and ten seconds later again, and so on.
sim::Process hiccups(sim::Simulation& simulation, models::Node& broker, sim::Duration length) {
  for (;;) {
    co_await sim::delay(simulation, 10s);
    broker.pause();
    co_await sim::delay(simulation, length);
    broker.resume();
  }
}

/// The metric: the longest time in which no partition stored anything.
struct Silence final : sim::TraceSink {
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) {
      if (r.kind != static_cast<std::uint16_t>(models::Kind::stored)) continue;
      if (last != sim::Time{}) longest = std::max(longest, sim::Duration{r.time - last});
      last = r.time;
    }
  }
  sim::Time last{};
  sim::Duration longest{};
};

struct Outcome {
  sim::Duration silence{};
  double lost = 0;
  std::string digest;
};

Outcome run(sim::Duration hiccup) {
  models::Scenario scenario;
  scenario.name = "hiccups";
  scenario.duration = 60s;
  scenario.kafka.emplace().brokers = 2;
  scenario.kafka->topics.push_back({.name = "clicks", .partitions = 1, .replication_factor = 2});
  models::ProducerOptions& site = scenario.producers.emplace_back();
  site.name = "site";
  site.to = "clicks";
  site.arrivals = sim::ArrivalProcess::constant(200);
  models::GroupOptions& counter = scenario.groups.emplace_back();
  counter.name = "counter";
  counter.topics = {"clicks"};
  counter.config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;

  models::World world(scenario, 1);
  models::Observers observers;
  Silence silence;
  world.trace().add_sink(observers);
  world.trace().add_sink(silence);
  const sim::Process fault =
      hiccups(world.simulation(), world.kafka().node(models::kafka::BrokerId{0}), hiccup);
  world.run();
  return {silence.longest, observers.values()[models::Metric::lost].value_or(-1), world.trace().digest()};
}

int main() {
  const Outcome calm = run(0s), hiccup = run(3s), again = run(3s);
  std::cout << "longest silence: " << sim::seconds(calm.silence) << " s calm, "
            << sim::seconds(hiccup.silence) << " s with hiccups of 3 s; lost: " << hiccup.lost << "; digest "
            << hiccup.digest << '\n';
  const bool right = calm.silence < 100ms && hiccup.silence >= 3s && hiccup.silence < 4s &&
                     hiccup.lost == 0 && hiccup.digest == again.digest && hiccup.digest != calm.digest;
  if (!right) std::cout << "that is not right\n";
  return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
