// What somebody else would write against the installed package: a cluster, a fault and a metric of one's own.
#include <algorithm>
#include <iostream>

#include "models/kafka/cluster.hpp"
#include "models/world.hpp"
#include "sim/process.hpp"

using namespace std::chrono_literals;

/// The fault: every ten seconds a broker stands still for three.
sim::Process hiccups(sim::Simulation& simulation, models::Node& broker) {
  for (;;) {
    co_await sim::delay(simulation, 10s);
    broker.pause();
    co_await sim::delay(simulation, 3s);
    broker.resume();
  }
}

/// The metric: the longest time in which nothing was stored.
struct Silence final : sim::TraceSink {
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) {
      if (r.kind != static_cast<std::uint16_t>(models::Kind::stored)) continue;
      longest = std::max(longest, sim::Duration{r.time - last});
      last = r.time;
    }
  }
  sim::Time last{};
  sim::Duration longest{};
};

int main() {
  models::Scenario scenario;
  scenario.duration = 60s;
  scenario.kafka.emplace().brokers = 2;
  scenario.kafka->topics.push_back({.name = "clicks", .partitions = 1, .replication_factor = 2});
  models::ProducerOptions& site = scenario.producers.emplace_back();
  site.name = "site";
  site.to = "clicks";
  site.arrivals = sim::ArrivalProcess::constant(200);

  models::World world(scenario, 1);
  Silence silence;
  world.trace().add_sink(silence);
  const sim::Process fault = hiccups(world.simulation(), world.kafka().node(models::kafka::BrokerId{0}));
  world.run();
  std::cout << "longest silence: " << sim::seconds(silence.longest) << " s\n";
  return silence.longest >= 3s && silence.longest < 4s ? 0 : 1;  // without the fault it is 5 ms
}
